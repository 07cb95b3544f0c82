"""An object cut out of its photograph: clean colours, a soft edge, a shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import PixelRect, bounding_rect
from neural_assets_core.proxy.filling import fill_texture, spread
from neural_assets_core.proxy.measured import measured
from neural_assets_core.proxy.relief import ROUND, Relief, reach, relief
from neural_assets_core.proxy.relighting import DARK, relit, relit_part
from neural_assets_core.proxy.sampling import appearance_mask, around, enlarged, grown, strips
from neural_assets_core.proxy.turning import complete_round
from neural_assets_core.scene import Appearance

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SHAPE_SIDE = 192
"""Pixels a side on which an object's shape is kept, at most."""

FRINGE = 0.008
"""Width of what another object's mask may miss of it, and of its colours, in picture sides."""

MOST_LIFTED = 0.15
"""Natural logarithm of the gain up to which what lay in a shadow is copied."""

ENOUGH = 0.3
"""Share of an object that is seen which is enough to fill the rest with."""

MISSED = 7.0
"""Pixels of a working picture by which a mask may miss its object's edge."""

DISTINCT = 40.0
"""Distance of colours, of 255, from which on they are different things."""

SHINE, GLINT = 12.0, 9.0
"""Pixels around of an object's shape, and by how much brighter than these a reflection is."""

EDGE_SIDE = 1024
"""Pixels a side on which colours are continued beyond an object's edge, at most."""

STAIRS = 1.5
"""Pixels of a shape over which its outline is smoothed: it has steps of one."""

MEETING, MOST_STEP = 3.0, 0.15
"""Pixels of a shape over which two sides of an edge are compared, and by how much the logarithm of
light may differ there that is evened out."""

FLAT = 0.3
"""Height of a plate, as a fraction of its width, at most."""

HANDLE = 0.2
"""What is narrower than this share of something round is no part of its turned body."""

SOLID = 250
"""Mask values from which on a pixel is the object's alone."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """What is known of an object's looks; arrays (h, w) are of `rect` in its source view.

    Attributes
    ----------
    appearance : Appearance
    rect : PixelRect
        In pixels of the source view.
    colour : uint8 (h, w, 3)
        Free of background, and continued beyond the object's edge.
    alpha : uint8 (h, w)
        255 inside, soft at the edge; with what other objects hide of it.
    seen : bool (h, w)
        Shown by the photograph itself.
    shape : Relief
        At a smaller size.
    reach : (float (3,), float (3,))
        Least and greatest coordinates of its points in half-sides of its box.
    """

    appearance: Appearance
    rect: PixelRect
    colour: U8
    alpha: U8
    seen: Mask
    shape: Relief
    reach: tuple[Float, Float]
    _levels: dict[int, U8] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        small = 3 * self.shape.front.nbytes
        levels = sum(level.nbytes for level in list(self._levels.values()))
        return self.colour.nbytes + self.alpha.nbytes + self.seen.nbytes + small + levels

    def shrunk(self, factor: float) -> U8:
        """(h, w, 4) colour and alpha, scaled down for drawing at `factor` of the source's size."""
        level = max(0, int(np.floor(-2.0 * np.log2(max(factor, 1e-3)) + 1e-6)))
        made = self._levels.get(level)
        if made is None:
            # A drag back and forth in depth needs few sizes, and the next one others.
            if len(self._levels) > 3:
                self._levels.clear()
            both = np.dstack([self.colour, self.alpha])
            scale = 2.0 ** (-level / 2.0)
            size = tuple(max(1, round(side * scale)) for side in self.alpha.shape[::-1])
            small = cv2.resize(both, size, interpolation=cv2.INTER_AREA) if level else both
            made = self._levels[level] = np.asarray(small, np.uint8)
        return made


def extent(mask: U8) -> PixelRect:
    """The part of the picture that a cut-out with this mask (height, width) takes."""
    left, top, width, height = cv2.boundingRect(mask)
    margin = 3 + round(0.02 * max(width, height)) if width else 0
    return PixelRect(
        left=max(0, left - margin),
        top=max(0, top - margin),
        right=min(mask.shape[1], left + width + margin),
        bottom=min(mask.shape[0], top + height + margin),
    )


def with_rim(pixels: U8, mask: Mask) -> Mask:
    """A mask (h, w) with what of its object it missed: what looks like it and not like beyond.

    Parameters
    ----------
    pixels : uint8 (h, w, 3)
        A photograph at its working size.
    mask : bool (h, w)
    """
    out = mask.copy()
    if mask.any():
        at = around(mask, 3 * MISSED + 4)
        out[at] = _with_rim(pixels[at], mask[at])
    return out


def _with_rim(pixels: U8, mask: Mask) -> Mask:
    away = np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))
    ring = (away > 0) & (away <= MISSED)
    beyond = (away > MISSED + 2) & (away <= 3 * MISSED + 2)
    if not beyond.any():
        return mask
    colour = pixels.astype(np.float32)
    outside = spread(colour, beyond)[ring]
    _, nearest = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 3), dtype=np.float32)
    table[nearest[mask]] = cv2.GaussianBlur(colour, (0, 0), 1.0)[mask]
    inside, here = table[nearest[ring]], colour[ring]
    near = np.linalg.norm(here - inside, axis=-1)
    far = np.linalg.norm(here - outside, axis=-1)
    alike = mask.copy()
    alike[ring] = (near < 0.5 * far) & (far > DISTINCT)
    _, parts = cv2.connectedComponents(alike.astype(np.uint8))
    own = np.unique(np.asarray(parts)[mask])
    return np.asarray(np.isin(parts, own[own > 0]))


@dataclass(frozen=True, eq=False)
class Solid:
    """What an object is taken for; arrays (h, w) are of `rect` in its source view.

    Attributes
    ----------
    rect : PixelRect
        The part of the view that it takes, with what others hide of it.
    hiding : bool (h, w)
        Where others may stand before it.
    shape : Relief
        At a smaller size.
    """

    rect: PixelRect
    hiding: Mask
    shape: Relief


def solid_of(appearance: Appearance, nearer: Sequence[U8] = ()) -> Solid | None:
    """What an object is taken for; None if its source view does not show it.

    Parameters
    ----------
    appearance : Appearance
    nearer : sequence of uint8 (height, width)
        Masks of what stands before it in that view.
    """
    mask = appearance_mask(appearance)
    rect = extent(mask)
    if rect.empty:
        return None
    rect = _with_hidden_extent(rect, appearance, nearer)
    own = mask[rect.slices]
    hiding = np.zeros(own.shape, dtype=bool)
    for other in nearer:
        hiding |= other[rect.slices] > 16
    if hiding.any():
        hiding = grown(hiding, 2.0)
    return Solid(rect, hiding, _shape(appearance, rect, own, hiding))


def cut_out(
    appearance: Appearance, solid: Solid, lift: F32 | None = None, deep: Mask | None = None
) -> Cutout:
    """Cut an object out of its source view.

    Parameters
    ----------
    appearance : Appearance
    solid : Solid
        What it is taken for.
    lift : float32 (h, w, 3), optional
        Natural logarithm of the light that others' shadows take from it, of the view at any size:
        these go.
    deep : bool (h, w), optional
        Where these shadows are too dark to be brightened, at the same size.
    """
    mask = appearance_mask(appearance)
    rect, hiding, shape = solid.rect, solid.hiding, solid.shape
    at = rect.slices
    own = mask[at]
    outline = shape.outline
    if hiding.any() and shape.kind == ROUND:
        outline = outline & _mirrored(appearance, rect, outline.shape, own, hiding)
        hiding = grown(hiding, FRINGE * max(mask.shape))
    alpha = _with_hidden_part(own, hiding, outline)
    picture, unclean = appearance.view.picture.pixels[at], hiding
    if deep is not None and deep.any():
        unclean = unclean | (enlarged(deep.astype(np.float32), rect, mask.shape) > 0.3)
    plain = np.ones(own.shape, dtype=bool)
    if lift is not None:
        picture = relit_part(appearance.view.picture.pixels, lift, rect)
        # What was dark has less to give.
        plain = enlarged(lift.max(axis=-1), rect, mask.shape) < MOST_LIFTED
    seen = (own > 127) & ~unclean
    inside = (own >= SOLID) & ~unclean
    missing = unclean & (alpha > 0)
    colour = _completed(picture, inside, missing, plain, appearance, rect, shape)
    if missing.any():
        _match(colour, inside, missing)
    size = shape.front.shape
    small = cv2.resize(alpha, size[::-1], interpolation=cv2.INTER_AREA)
    taken = reach(_camera(appearance, rect, size), appearance.box, shape, np.asarray(small) > 2)
    return Cutout(appearance, rect, colour, alpha, seen, shape, taken)


def in_shadow(cutout: Cutout, gone: F32, kept: F32) -> Cutout:
    """An object without some of the shadows on it, and with others.

    Parameters
    ----------
    cutout : Cutout
        Without any.
    gone, kept : float32 (h, w, 3)
        Natural logarithms of the light that they take, of the source view at any size.
    """
    picture = cutout.appearance.view.picture.pixels
    rect = cutout.rect
    shown = cutout.seen & (cutout.alpha >= SOLID)
    here = relit_part(picture, gone, rect) if gone.any() else picture[rect.slices].copy()
    for strip in strips(rect):
        rows = slice(strip.top - rect.top, strip.bottom - rect.top)
        # What is made up lies in the shadows that stay, too.
        dark = relit(cutout.colour[rows], -enlarged(kept, strip, picture.shape))
        here[rows] = np.where(shown[rows][..., None], here[rows], dark)
    return replace(cutout, colour=here, _levels={})


def _with_hidden_extent(rect: PixelRect, appearance: Appearance, nearer: Sequence[U8]) -> PixelRect:
    """`rect` with what of an object's box others hide."""
    reach = bounding_rect(appearance.view.camera, appearance.box)
    for other in nearer:
        left, top, width, height = cv2.boundingRect(other)
        part = PixelRect(
            max(left, reach.left), max(top, reach.top),
            min(left + width, reach.right), min(top + height, reach.bottom),
        )
        if not part.empty:
            rect = PixelRect(
                min(rect.left, part.left), min(rect.top, part.top),
                max(rect.right, part.right), max(rect.bottom, part.bottom),
            )
    return rect


def _completed(
    picture: U8,
    inside: Mask,
    missing: Mask,
    plain: Mask,
    appearance: Appearance,
    rect: PixelRect,
    shape: Relief,
) -> U8:
    size = appearance.box.size
    # The face of what lies flat is seen whole: unrolled, it would only lose.
    if missing.any() and shape.kind == ROUND and size[2] > FLAT * max(size[:2]):
        core = cv2.erode(inside.astype(np.uint8), np.ones((7, 7)), borderValue=1) > 0
        camera = _camera(appearance, rect, shape.front.shape)
        turned = complete_round(picture, core, missing, plain, camera, appearance.box, shape)
        if turned is not None:
            picture, inside, missing = turned, inside | missing, np.zeros_like(missing)
    return _clean(picture, inside, missing, plain)


def _camera(appearance: Appearance, rect: PixelRect, size: tuple[int, ...]) -> Camera:
    """The source's camera looking at `rect`, in pictures of `size` (h, w)."""
    whole = appearance.view.camera.cropped(
        rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top
    )
    return whole.resized(size[1], size[0])


def _mirrored(
    appearance: Appearance, rect: PixelRect, size: tuple[int, ...], own: U8, hiding: Mask
) -> Mask:
    """(h, w) at a small `size` where something round may be: where its other side is, or hidden.

    It is narrower than its box wherever it is seen to be.
    """
    small = cv2.resize(own, size[::-1], interpolation=cv2.INTER_AREA)
    other = cv2.resize(
        np.where(hiding, np.uint8(255), np.uint8(0)), size[::-1], interpolation=cv2.INTER_AREA
    )
    ends = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    x, y, depth = _camera(appearance, rect, size).project(appearance.box.to_world(ends)).T
    if depth.min() <= 0.0:
        return np.ones(size, dtype=bool)
    start = np.array([x[0], y[0]]) - 0.5
    along = np.array([x[1] - x[0], y[1] - y[0]])
    length = float(np.linalg.norm(along))
    # Seen from straight above, no side is the other's mirror image.
    if length < 0.1 * max(size):
        return np.ones(size, dtype=bool)
    turn = 2.0 * np.outer(along, along) / length**2 - np.eye(2)
    matrix = np.column_stack([turn, start - turn @ start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    across = round(HANDLE * min(size)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across))
    # At the edges of the rectangle it may go on.
    body = cv2.morphologyEx(np.maximum(small, other), cv2.MORPH_OPEN, kernel)
    allowed = cv2.warpAffine(body, matrix, size[::-1], flags=flags, borderValue=255)
    return np.asarray(allowed) > 127


def _with_hidden_part(own: U8, hiding: Mask, outline: Mask) -> U8:
    """The mask with what others hide of it, as far as the object's shape says."""
    if not hiding.any():
        return own
    out = own.copy()
    height, width = own.shape
    # An edge one pixel wide, however small the shape was drawn.
    grain = max(height, width) / max(outline.shape)
    soft = cv2.GaussianBlur(outline.astype(np.float32), (0, 0), STAIRS)
    left, top, across, down = cv2.boundingRect(hiding.astype(np.uint8))
    for strip in strips(PixelRect(left, top, left + across, top + down)):
        at = strip.slices
        inner = enlarged(np.asarray(soft), strip, own.shape)
        edge = np.clip((inner - 0.5) * 2.5 * STAIRS * grain + 0.5, 0.0, 1.0)
        hidden = np.round(255 * edge).astype(np.uint8)
        out[at] = np.where(hiding[at], np.maximum(own[at], hidden), own[at])
    return out


def _clean(picture: U8, inside: Mask, missing: Mask, plain: Mask) -> U8:
    """Colours without the background's share: those at and beyond the edge are their neighbours'.

    `missing` are pixels that are made up from what is `inside`, and `plain` if there is enough.
    """
    if not inside.any():
        return picture.copy()
    core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3)), borderValue=1) > 0
    core = core if core.any() else inside
    colour = picture
    if missing.any():
        usable = core
        for better in (plain, ~_shiny(picture, core)):
            if (usable & better).sum() > ENOUGH * core.sum():
                usable = usable & better
        colour = fill_texture(picture, missing, core, plain=usable)
        core = core | missing
    edge = _continued(colour, core)
    out = np.empty_like(colour)
    height, width = core.shape
    for strip in strips(PixelRect(0, 0, width, height)):
        rows = strip.slices[0]
        beyond = edge[rows]
        if edge.shape != colour.shape:
            beyond = np.round(enlarged(edge.astype(np.float32), strip, core.shape))
        out[rows] = np.where(core[rows][..., None], colour[rows], beyond)
    return out


def _match(colour: U8, inside: Mask, missing: Mask) -> None:
    """Give what is `missing` from the photograph, in place, the light of what it meets."""
    scale = min(1.0, SHAPE_SIDE / max(inside.shape))
    size = max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale))

    def shrunk(values: U8) -> F32:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

    logs = np.log(shrunk(colour) + np.float32(DARK))
    def mean(known: Mask) -> F32:
        share = np.asarray(cv2.GaussianBlur(known.astype(np.float32), (0, 0), MEETING))
        total = np.asarray(cv2.GaussianBlur(logs * known[..., None], (0, 0), MEETING))
        return np.asarray(total / np.maximum(share, 1e-3)[..., None], dtype=np.float32)

    seen, made = (
        shrunk(np.where(one, np.uint8(255), np.uint8(0))) > SOLID
        for one in (inside & ~missing, missing)
    )
    edge = made & grown(seen, MEETING)
    if not edge.any():
        return
    step = spread((mean(seen) - mean(made)).clip(-MOST_STEP, MOST_STEP), edge)
    step = np.asarray(cv2.GaussianBlur(step, (0, 0), MEETING))
    height, width = inside.shape
    for strip in strips(PixelRect(0, 0, width, height)):
        at = strip.slices
        lit = relit(colour[at], enlarged(step, strip, inside.shape))
        colour[at] = np.where(missing[at][..., None], lit, colour[at])


def _shiny(picture: U8, core: Mask) -> Mask:
    """(h, w) reflections on a surface, with a margin: the light's image, which is not repeated."""
    scale = min(1.0, SHAPE_SIDE / max(core.shape))
    size = max(1, round(core.shape[1] * scale)), max(1, round(core.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).mean(axis=-1)
    inside = cv2.resize(core.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), SHINE)
    usual = cv2.GaussianBlur((small * inside).astype(np.float32), (0, 0), SHINE)
    odd = small > np.asarray(usual) / np.maximum(share, 1e-3) + GLINT
    wide = cv2.dilate(odd.astype(np.uint8), np.ones((5, 5), np.uint8))
    large = cv2.resize(wide, core.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(large) > 0


def _continued(colour: U8, core: Mask) -> U8:
    """The colours (h, w, 3) that are nearest in the core; no more than `EDGE_SIDE` a side."""
    scale = EDGE_SIDE / max(core.shape)
    if scale < 1.0:
        size = max(1, round(core.shape[1] * scale)), max(1, round(core.shape[0] * scale))
        own = cv2.bitwise_and(colour, colour, mask=core.astype(np.uint8))
        share = cv2.resize(np.where(core, np.uint8(255), np.uint8(0)), size,
                           interpolation=cv2.INTER_AREA)
        small = cv2.resize(own, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        whole = np.asarray(share) > 64
        if whole.any():
            small *= 255.0 / np.maximum(np.asarray(share), 1)[..., None].astype(np.float32)
            colour, core = np.round(small).clip(0, 255).astype(np.uint8), whole
    _, labels = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(labels.max()) + 1, 3), dtype=np.uint8)
    # Lightly smoothed, so that single pixels do not become streaks.
    smooth = cv2.GaussianBlur(colour * core[..., None].astype(np.float32), (5, 5), 1.0)
    weight = cv2.GaussianBlur(core.astype(np.float32), (5, 5), 1.0)
    smooth = np.round(smooth / np.maximum(weight, 1e-3)[..., None]).clip(0, 255)
    table[labels[core]] = smooth[core]
    return np.asarray(table[labels])


def _shape(appearance: Appearance, rect: PixelRect, own: U8, hiding: Mask) -> Relief:
    height, width = own.shape
    scale = min(1.0, SHAPE_SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    camera = _camera(appearance, rect, size[::-1])
    small = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA)) > 127
    unknown = cv2.resize(hiding.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    guess = relief(camera, appearance.box, small, np.asarray(unknown) == 0)
    if appearance.relief is None:
        return guess
    at = appearance.relief.pixels[rect.slices]
    stored = np.asarray(cv2.resize(at, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    return measured(guess, camera, appearance.box, stored)
