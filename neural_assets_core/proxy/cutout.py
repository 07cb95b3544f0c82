"""An object cut out of its photograph: clean colours, a soft edge, a shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.filling import fill_texture
from neural_assets_core.proxy.measured import measured
from neural_assets_core.proxy.relief import Relief, relief
from neural_assets_core.proxy.sampling import appearance_mask, grown
from neural_assets_core.scene import Appearance

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SHAPE_SIDE = 192
"""Pixels a side on which an object's shape is kept, at most."""

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
    """

    appearance: Appearance
    rect: PixelRect
    colour: U8
    alpha: U8
    seen: Mask
    shape: Relief
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


def cut_out(
    appearance: Appearance, nearer: Sequence[U8] = (), shaded: Mask | None = None
) -> Cutout | None:
    """Cut an object out of its source view; None if that does not show it.

    Parameters
    ----------
    appearance : Appearance
    nearer : sequence of uint8 (height, width)
        Masks of what stands before it in that view.
    shaded : bool (height, width), optional
        Where others throw shadows on it.
    """
    mask = appearance_mask(appearance)
    rect = extent(mask)
    if rect.empty:
        return None
    at = rect.slices
    own = mask[at]
    hiding = np.zeros(own.shape, dtype=bool)
    for other in nearer:
        hiding |= other[at] > 16
    if hiding.any():
        hiding = grown(hiding, 2.0)
    shape = _shape(appearance, rect, own, hiding)
    alpha = _with_hidden_part(own, hiding, shape.outline)
    unclean = hiding if shaded is None else hiding | (shaded[at] & (own > 16))
    picture = appearance.view.picture.pixels[at]
    seen = (own > 127) & ~unclean
    colour = _clean(picture, (own >= SOLID) & ~unclean, unclean & (alpha > 0))
    return Cutout(appearance, rect, colour, alpha, seen, shape)


def _with_hidden_part(own: U8, hiding: Mask, outline: Mask) -> U8:
    """The mask with what others hide of it, as far as the object's shape says."""
    if not hiding.any():
        return own
    height, width = own.shape
    large = cv2.resize(outline.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    # An edge one pixel wide, however small the shape was drawn.
    grain = max(height, width) / max(outline.shape)
    large = cv2.GaussianBlur(np.asarray(large), (0, 0), 0.7 * grain)
    edge = np.clip((np.asarray(large) - 0.5) * 1.5 * grain + 0.5, 0.0, 1.0)
    hidden = np.round(255 * edge).astype(np.uint8)
    return np.where(hiding, np.maximum(own, hidden), own).astype(np.uint8)


def _clean(picture: U8, inside: Mask, missing: Mask) -> U8:
    """Colours without the background's share: those at and beyond the edge are their neighbours'.

    `missing` are pixels that are made up from what is `inside`.
    """
    if not inside.any():
        return picture.copy()
    core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3)), borderValue=1) > 0
    core = core if core.any() else inside
    colour = picture
    if missing.any():
        colour = fill_texture(picture, missing, core)
        core = core | missing
    _, labels = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(labels.max()) + 1, 3), dtype=np.uint8)
    # Lightly smoothed, so that single pixels do not become streaks.
    smooth = cv2.GaussianBlur(colour * core[..., None].astype(np.float32), (5, 5), 1.0)
    weight = cv2.GaussianBlur(core.astype(np.float32), (5, 5), 1.0)
    smooth = np.round(smooth / np.maximum(weight, 1e-3)[..., None]).clip(0, 255)
    table[labels[core]] = smooth[core]
    return np.where(core[..., None], colour, table[labels]).astype(np.uint8)


def _shape(appearance: Appearance, rect: PixelRect, own: U8, hiding: Mask) -> Relief:
    height, width = own.shape
    scale = min(1.0, SHAPE_SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    camera = appearance.view.camera.cropped(rect.left, rect.top, width, height).resized(*size)
    small = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA)) > 127
    unknown = cv2.resize(hiding.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    guess = relief(camera, appearance.box, small, np.asarray(unknown) == 0)
    if appearance.relief is None:
        return guess
    at = appearance.relief.pixels[rect.slices]
    stored = np.asarray(cv2.resize(at, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    return measured(guess, camera, appearance.box, stored)
