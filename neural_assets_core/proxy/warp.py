"""Drawing a cut-out object at another place: every pixel looks for its shape along its ray.

A ray through the box where it is now is a ray through the box where it was, and that is a line in
the source view, along which the object's front is sought. Neighbouring rays meet neighbouring
points: few rays are followed, and all of them only where their neighbours disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import NEAR, PixelRect, bounding_rect
from neural_assets_core.proxy.cutout import Cutout
from neural_assets_core.proxy.relief import ROUND
from neural_assets_core.proxy.sampling import strips
from neural_assets_core.yielding import yield_point

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

WHOLE = 4_000_000
"""Pixels of the largest part of a picture that is drawn in one go."""

HALO = 24
"""Pixels around a part that have a say in it."""

RAYS = 3_500
CHUNK = 8192
"""Rays followed at a time: fewer than OpenCV's longest rows, and what fits into a cache."""

STEPS = 16
HALVINGS = 4
TOLERANCE = 0.06
"""Depth behind an object's front that still counts as front, as a fraction of its extent."""

CRACK = 7
"""Pixels across of the widest gap between surfaces that is closed."""

GUESS_BLUR = 2.0
MIRRORED, GUESSED = 0.5, 0.25
"""Trust in colours of mirrored points, and of points whose mirror image is not seen either."""

BLEED = 4
"""Pixels beyond an object's edge that have its colours, so that nothing else blurs into it."""

STAIRS = 0.6
"""Pixels over which the steps of an edge are smoothed."""

RAGGED = 2.0
"""Pixels by which the edge of a shape that was guessed may be off from one pixel to the next."""

_STEEP = (2.5 * RAGGED * (np.arange(256) / 255 - 0.5) + 0.5).clip(0, 1)
_COVERED = np.round(255 * _STEEP).astype(np.uint8)
"""From the share of hits around a pixel to how much of it is covered: an edge of one pixel."""


@dataclass(frozen=True)
class Warped:
    """An object as drawn; arrays (h, w) are of `rect` in the target picture.

    Attributes
    ----------
    rect : PixelRect
    colour : uint8 (h, w, 3)
    alpha : uint8 (h, w)
    trust : uint8 (h, w)
        255 where the photograph's own pixels were carried over.
    """

    rect: PixelRect
    colour: U8
    alpha: U8
    trust: U8


def warp(cutout: Cutout, box: Box, camera: Camera) -> Iterator[Warped]:
    """Draw a cut-out object in `box` as `camera` sees it: what it sees, large ones in strips."""
    low, high = cutout.reach
    middle = box.to_world(0.5 * (low + high))
    rect = bounding_rect(camera, box.with_size(0.5 * (high - low) * box.size).with_center(middle))
    if rect.empty:
        return
    rays = _Rays(cutout, box, camera)
    area = (rect.bottom - rect.top) * (rect.right - rect.left)
    stride = 2 ** max(0, math.ceil(math.log2(math.sqrt(area / RAYS))))
    if area <= WHOLE:
        drawn = _warped(cutout, rays, rect, stride, None)
        if drawn is not None:
            yield drawn
        return
    factor = _overall_shrinkage(rays, rect)
    for strip in strips(rect, WHOLE):
        # Edges and gaps are judged by what is around them.
        top, bottom = max(0, strip.top - HALO), min(camera.height, strip.bottom + HALO)
        drawn = _warped(cutout, rays, replace(strip, top=top, bottom=bottom), stride, factor)
        if drawn is not None and (cut := _between(drawn, strip.top, strip.bottom)) is not None:
            yield cut


def _between(drawn: Warped, top: int, bottom: int) -> Warped | None:
    """The rows of a drawing from `top` to `bottom` of the picture; None if it has none."""
    rect = drawn.rect
    low, high = max(top, rect.top), min(bottom, rect.bottom)
    if low >= high:
        return None
    rows = slice(low - rect.top, high - rect.top)
    return Warped(
        replace(rect, top=low, bottom=high),
        drawn.colour[rows], drawn.alpha[rows], drawn.trust[rows],
    )


def _overall_shrinkage(rays: _Rays, rect: PixelRect) -> float:
    """See `_shrinkage`; of a large drawing."""
    step = max(1, min(rect.bottom - rect.top, rect.right - rect.left) // 60)
    v = np.arange(rect.top + 0.5, rect.bottom, step, dtype=np.float32)
    u = np.arange(rect.left + 0.5, rect.right, step, dtype=np.float32)
    grid = np.stack(np.meshgrid(u, v), axis=-1)
    places, trust = rays.follow(grid.reshape(-1, 2))
    return _shrinkage(
        places.reshape(grid.shape) / np.float32(step), trust.reshape(grid.shape[:2]) > 0
    )


def _warped(
    cutout: Cutout, rays: _Rays, rect: PixelRect, stride: int, factor: float | None
) -> Warped | None:
    """What is seen of an object in a part of the picture.

    `factor` is the number of source pixels to a drawn one, where it is known.
    """
    places, trust = _coarse_to_fine(rays, rect, stride)
    yield_point()
    rows, columns = (np.flatnonzero((trust > 0).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    # The edge needs to be seen from beyond.
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    at = slice(top, int(rows[-1]) + 2), slice(left, int(columns[-1]) + 2)
    places, trust = places[at], trust[at]
    top, left = rect.top + top, rect.left + left
    rect = PixelRect(left, top, left + trust.shape[1], top + trust.shape[0])
    factor = _shrinkage(places, trust > 0) if factor is None else factor
    source = cutout.shrunk(1.0 / factor)
    scale = np.array(source.shape[1::-1]) / np.array(cutout.alpha.shape[::-1])
    corner = np.array([cutout.rect.left, cutout.rect.top])
    maps = places * scale.astype(np.float32) - (corner * scale + 0.5).astype(np.float32)
    found = cv2.remap(source, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shown = cv2.cvtColor(np.asarray(found), cv2.COLOR_RGBA2RGB)
    yield_point()
    hit = (trust > 0).astype(np.uint8)
    _continue(shown, hit)
    guessed = hit * (trust < 1.0)
    # What is made up is softer, so that nobody takes it for what is known.
    _soften(shown, guessed)
    alpha = np.maximum(cv2.extractChannel(found, 3), 255 * guessed) * hit
    # Where the edge of what was seen lies inside the object now, its soft edge would be a crack.
    alpha = _closed(alpha) * hit
    yield_point()
    # Where the mask ends, its edge is as soft as the photograph's; where the shape ends, this is.
    smooth = cv2.GaussianBlur(255 * hit, (0, 0), RAGGED, borderType=cv2.BORDER_REPLICATE)
    edge = cv2.LUT(smooth, _COVERED)
    # Its outer half lies beyond what was met.
    alpha = np.maximum(alpha, cv2.dilate(alpha, np.ones((3, 3))) * (1 - hit))
    alpha = cv2.multiply(alpha, edge, scale=1 / 255)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (3, 3), STAIRS), dtype=np.uint8)
    # Completed in the source view already, where other things stand before it.
    unseen = (~cutout.seen & (cutout.alpha > 127)).astype(np.uint8)
    unseen = np.asarray(cv2.resize(unseen, source.shape[1::-1]))
    made_up = np.asarray(cv2.remap(unseen, maps, None, cv2.INTER_NEAREST)) > 0
    sure = np.minimum(trust, np.where(made_up, np.float32(MIRRORED), np.float32(1.0)))
    return Warped(rect, np.asarray(shown), alpha, np.round(255 * sure).astype(np.uint8))


def _continue(colour: U8, hit: U8) -> None:
    """Colours (h, w, 3) beyond the edge of what was met, in place: those beside them."""
    own = cv2.bitwise_and(colour, colour, mask=hit)
    size = (2 * BLEED + 1,) * 2
    share = cv2.cvtColor(cv2.blur(255 * hit, size), cv2.COLOR_GRAY2RGB)
    beyond = cv2.divide(cv2.blur(own, size), share, scale=255)
    cv2.copyTo(beyond, 1 - hit, colour)


def _closed(alpha: U8) -> U8:
    """Without gaps narrower than `CRACK`; at the picture's edge it ends as it is."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (CRACK, CRACK))
    padded = cv2.copyMakeBorder(alpha, *(CRACK,) * 4, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)
    return np.asarray(closed, dtype=np.uint8)[CRACK:-CRACK, CRACK:-CRACK]


def _soften(colour: U8, chosen: U8) -> None:
    """Blur a picture (h, w, 3) in place where `chosen` (h, w) is not 0."""
    left, top, width, height = cv2.boundingRect(chosen)
    at = slice(top, top + height), slice(left, left + width)
    if width:
        blurred = cv2.GaussianBlur(colour[at], (0, 0), GUESS_BLUR)
        colour[at] = np.where(chosen[at][..., None] > 0, blurred, colour[at])


def _coarse_to_fine(rays: _Rays, rect: PixelRect, stride: int) -> tuple[F32, F32]:
    """Source pixels (h, w, 2) of all pixels of `rect`, and the trust in them (h, w), 0 outside.

    `stride` is a power of two: pixels between the first rays.
    """
    rows, columns = rect.bottom - rect.top, rect.right - rect.left
    # One more on each side, so that every pixel lies between rays.
    v = rect.top + 0.5 + stride * np.arange(-(-rows // stride) + 1, dtype=np.float32)
    u = rect.left + 0.5 + stride * np.arange(-(-columns // stride) + 1, dtype=np.float32)
    grid = np.stack(np.meshgrid(u, v), axis=-1)
    found, trust = rays.follow(grid.reshape(-1, 2))
    found, trust = found.reshape(*grid.shape[:2], 2), trust.reshape(grid.shape[:2])
    while stride > 1:
        stride //= 2
        corner = np.array([rect.left + 0.5, rect.top + 0.5], dtype=np.float32)
        found, trust = _refined(rays, found, trust, corner, stride)
    return found[:rows, :columns], trust[:rows, :columns]


def _refined(
    rays: _Rays, found: F32, trust: F32, corner: F32, stride: int
) -> tuple[F32, F32]:
    """The same with a ray between any two; followed only where its neighbours disagree."""
    height, width = (2 * side - 1 for side in trust.shape)
    # From point i of the finer grid to point i / 2, as warpAffine counts.
    matrix = np.array([[0.5, 0, 0], [0, 0.5, 0]], dtype=np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    places = np.asarray(
        cv2.warpAffine(found, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
    doubt = _disagreement(found, trust)
    level = trust.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    again = doubt.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    # Those of the coarser grid are known.
    again[::2, ::2] = False
    y, x = np.nonzero(again)
    pixels = np.stack([x, y], axis=-1).astype(np.float32) * stride + corner
    places[y, x], level[y, x] = rays.follow(pixels)
    return places, level


def _disagreement(found: F32, trust: F32) -> NDArray[np.bool_]:
    """(h, w) whether the four rays about a cell, it being the first, do not meet one surface."""
    def corners(values: F32) -> list[F32]:
        padded, (h, w) = np.pad(values, ((0, 1), (0, 1)), "edge"), values.shape
        return [padded[y : y + h, x : x + w] for y in (0, 1) for x in (0, 1)]

    def spread(values: F32) -> F32:
        each = corners(values)
        return np.asarray(np.maximum.reduce(each) - np.minimum.reduce(each))

    hit = np.minimum.reduce(corners(trust)) > 0
    apart = np.maximum(spread(found[..., 0]), spread(found[..., 1]))
    usual = float(np.median(apart[hit])) if hit.any() else 0.0
    return np.asarray((spread(trust) > 0) | (hit & (apart > 3.0 * usual + 1.0)))


def _shrinkage(places: F32, hit: NDArray[np.bool_]) -> float:
    """How many source pixels there are to a drawn one, along the denser axis."""
    # Every few pixels: it is a median.
    step = max(1, min(hit.shape) // 40)
    few, inside = places[::step, ::step], hit[::step, ::step]
    steps = []
    for moved, both in (
        (few[1:] - few[:-1], inside[1:] & inside[:-1]),
        (few[:, 1:] - few[:, :-1], inside[:, 1:] & inside[:, :-1]),
    ):
        if both.any():
            far = np.maximum(np.abs(moved[..., 0]), np.abs(moved[..., 1]))
            steps.append(float(np.median(far[both])) / step)
    return max(1.0, min(steps, default=1.0))


class _Rays:
    """Rays of a camera through a moved box, and what they meet of the object in it."""

    def __init__(self, cutout: Cutout, box: Box, camera: Camera) -> None:
        self.cutout = cutout
        source, was = cutout.appearance.view.camera, cutout.appearance.box
        shape = cutout.shape
        scale = np.array(shape.front.shape[::-1]) / np.array(cutout.alpha.shape[::-1])
        corner = np.array([cutout.rect.left, cutout.rect.top])
        self.scale, self.corner = scale.astype(np.float32), corner.astype(np.float32)
        placed = np.eye(4)
        placed[:3, :3] = was.rotation_matrix() * (0.5 * np.asarray(was.size))
        placed[:3, 3] = was.center
        # From the box's own frame to (u depth, v depth, depth), in pixels of the small shape with
        # one more on each side.
        onto_shape = np.diag([*scale, 1.0])
        onto_shape[:2, 2] = -corner * scale + 0.5
        seen = onto_shape @ source.k @ (source.extrinsics @ placed)[:3]
        self.seen = seen.astype(np.float32)
        half = 0.5 * np.asarray(box.size)
        self.start = box.to_local(camera.position).astype(np.float32)
        turn = (camera.extrinsics[:3, :3] @ box.rotation_matrix() / half).T
        self.along = (turn @ np.linalg.inv(camera.k)).astype(np.float32)
        small = cv2.resize(cutout.alpha, shape.front.shape[::-1], interpolation=cv2.INTER_AREA)
        # The front with its soft edge and a little of what is beyond; what lies behind it without.
        near = cv2.dilate((np.asarray(small) > 2).astype(np.float32), np.ones((3, 3)))
        deep = np.asarray(small) * np.float32(1 / 255)
        # Cut off by the picture's edge, it ends there; its depths do not jump before that.
        depths = [np.pad(one, 1, mode="edge") for one in (shape.front, shape.back)]
        ends = [np.pad(one, 1) for one in (np.asarray(near), deep)]
        self.solid = np.stack([*depths, *ends], axis=-1)
        extent = float(shape.back.max() - shape.front.min())
        self.tolerance = np.float32(TOLERANCE * extent)
        self.eye = was.to_local(source.position)

    def follow(self, pixels: F32) -> tuple[F32, F32]:
        """Source pixels (n, 2) that pixels (n, 2) show, and trust (n,), 0 where nothing is met."""
        parts = [self._follow(pixels[i : i + CHUNK]) for i in range(0, len(pixels), CHUNK)]
        if not parts:
            return np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
        places, trust = (np.concatenate(part) for part in zip(*parts, strict=True))
        return (places - np.float32(0.5)) / self.scale + self.corner, trust

    def _follow(self, pixels: F32) -> tuple[F32, F32]:
        """The same, in pixels of the shape as OpenCV counts them."""
        yield_point()
        along = self.along[:, :2] @ pixels.T + self.along[:, 2:]
        with np.errstate(divide="ignore"):
            slope = 1.0 / np.where(np.abs(along) < 1e-9, np.float32(1e-9), along)
        start = self.start[:, None]
        least, most = (end.astype(np.float32)[:, None] for end in self.cutout.reach)
        first, second = (least - start) * slope, (most - start) * slope
        low = np.minimum(first, second).max(axis=0).clip(NEAR, None)
        high = np.maximum(first, second).min(axis=0)
        places = np.zeros((len(pixels), 2), dtype=np.float32)
        trust = np.zeros(len(pixels), dtype=np.float32)
        rays = np.flatnonzero(high > low)
        if rays.size == 0:
            return places, trust
        along, low, high = along[:, rays], low[rays], high[rays]
        steps = np.linspace(0.0, 1.0, STEPS, dtype=np.float32)[:, None]
        slant = self.seen[:, :3] @ along
        inside, before, behind = self._inside(slant, low + steps * (high - low))
        # Thin parts may lie between two points.
        through = np.zeros_like(inside)
        through[1:] = before[:-1] & behind[1:]
        found = inside | through
        met = found.any(axis=0)
        rays, along, slant, low, high = rays[met], along[:, met], slant[:, met], low[met], high[met]
        if rays.size == 0:
            return places, trust
        yield_point()
        number = found[:, met].argmax(axis=0)
        crossed = np.take_along_axis(through[:, met], number[None], axis=0)[0]
        width = (high - low) / np.float32(STEPS - 1)
        hit = low + number.astype(np.float32) * width
        miss = hit - width * (number > 0)
        for _ in range(HALVINGS):
            middle = np.float32(0.5) * (hit + miss)
            inside, _, behind = self._inside(slant, middle[None])
            within = inside[0] | (crossed & behind[0])
            hit, miss = np.where(within, middle, hit), np.where(within, miss, middle)
        x, y, depth = self._seen(slant, hit[None])
        place = np.stack([x[0], y[0]], axis=-1)
        front = self._looked_up(x, y)[0][0]
        # From where the photograph was taken, this point is the first; or it is hidden.
        bare = depth[0] - front < self.tolerance
        trust[rays] = np.where(bare, np.float32(1.0), np.float32(GUESSED))
        hidden = np.flatnonzero(~bare)
        if hidden.size:
            points = self.start + (hit[hidden] * along[:, hidden]).T
            mirrored, known = self._mirrored(points)
            place[hidden[known]] = mirrored[known]
            trust[rays[hidden[known]]] = MIRRORED
        places[rays] = place
        return places, trust

    def _seen(self, slant: F32, reach: F32) -> tuple[F32, F32, F32]:
        """Pixels of the shape and depths (k, n) of points at `reach` (k, n) along rays (3, n)."""
        base = self.seen[:, :3] @ self.start + self.seen[:, 3]
        return _divided(*(reach * slant[axis] + base[axis] for axis in range(3)))

    def _inside(self, slant: F32, reach: F32) -> tuple[Bool, Bool, Bool]:
        """(k, n) whether points at `reach` (k, n) along rays are in, before, behind the object."""
        x, y, depth = self._seen(slant, reach)
        front, back, near, deep = self._looked_up(x, y)
        ahead, beyond, shown = depth < front, depth > back, near > 0.5
        valid = np.where(depth < front + self.tolerance, shown, deep > 0.5)
        return valid & ~(ahead | beyond), shown & ahead, shown & beyond

    def _looked_up(self, x: F32, y: F32) -> Sequence[F32]:
        """Front, back, and whether there is anything, near the front and behind it, each (k, n)."""
        found = cv2.remap(
            self.solid, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return [np.asarray(part, dtype=np.float32) for part in cv2.split(np.asarray(found))]

    def _mirrored(self, points: F32) -> tuple[F32, Bool]:
        """Shape pixels (n, 2) of mirror images of points in the box, and whether they are seen."""
        places = np.zeros((len(points), 2), dtype=np.float32)
        known = np.zeros(len(points), dtype=bool)
        if self.cutout.shape.kind == ROUND:
            images = self._turned_to_sight(points)
        else:
            signs = np.sign(self.eye)
            images = [
                points * np.where(points * signs < 0, [x, y, 1], 1)
                for x, y in ((-1, 1), (1, -1), (-1, -1))
            ]
        for image in images:
            seen = self.seen[:, :3] @ image.T.astype(np.float32) + self.seen[:, 3:]
            x, y, depth = _divided(*seen[:, None])
            front, _, _, deep = (part[0] for part in self._looked_up(x, y))
            good = ~known & (deep > 0.99) & (np.abs(depth[0] - front) < self.tolerance)
            places[good] = np.stack([x[0], y[0]], axis=-1)[good]
            known |= good
        return places, known

    def _turned_to_sight(self, points: F32) -> list[F32]:
        """Points of something round, mirrored to its front, then turned further into sight."""
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        towards = math.atan2(self.eye[1], self.eye[0])
        off = np.angle(np.exp(1j * (azimuth - towards)))
        radius = np.hypot(points[:, 0], points[:, 1])
        out = []
        for most in (90, 75, 60, 40, 20):
            # From behind it goes over the side; what is at the side already stays at the side.
            mirrored = np.minimum(np.minimum(np.abs(off), np.pi - np.abs(off)), math.radians(most))
            at = towards + np.sign(off) * mirrored
            out.append(np.stack([radius * np.cos(at), radius * np.sin(at), points[:, 2]], axis=-1))
        return out


def _divided(x: F32, y: F32, depth: F32) -> tuple[F32, F32, F32]:
    """Pixels and depths; far outside behind the camera."""
    if depth.min(initial=1.0) > 1e-3:
        nearness = np.float32(1.0) / depth
        return x * nearness, y * nearness, depth
    ahead = depth > 1e-3
    nearness = np.float32(1.0) / np.where(ahead, depth, np.float32(1.0))
    out = [np.where(ahead, one * nearness, np.float32(-1e4)).clip(-1e4, 1e5) for one in (x, y)]
    return out[0], out[1], depth
