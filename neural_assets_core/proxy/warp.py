"""Drawing a cut-out object at another place: every pixel looks for its shape along its ray.

A ray through the box where it is now is a ray through the box where it was, and that is a line in
the source view, along which the object's front is sought. Neighbouring rays meet neighbouring
points: few rays are followed, and all of them only where their neighbours disagree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import NEAR, PixelRect, bounding_rect
from neural_assets_core.proxy.cutout import Cutout
from neural_assets_core.proxy.relief import ROUND

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

REACH = 1.25
"""How far objects may stick out of their boxes, in half-sides."""

RAYS = 3_500
STEPS = 16
HALVINGS = 4
TOLERANCE = 0.06
"""Depth behind an object's front that still counts as front, as a fraction of its extent."""

CRACK = 7
"""Pixels across of the widest gap between surfaces that is closed."""

GUESS_BLUR = 2.0
MIRRORED, GUESSED = 0.5, 0.25
"""Trust in colours of mirrored points, and of points whose mirror image is not seen either."""


@dataclass(frozen=True)
class Warped:
    """An object as drawn; arrays (h, w) are of `rect` in the target picture.

    Attributes
    ----------
    rect : PixelRect
    colour : uint8 (h, w, 3)
    alpha : float32 (h, w)
    trust : float32 (h, w)
        1 where the photograph's own pixels were carried over.
    """

    rect: PixelRect
    colour: U8
    alpha: F32
    trust: F32


def warp(cutout: Cutout, box: Box, camera: Camera) -> Warped | None:
    """Draw a cut-out object in `box` as `camera` sees it; None if it does not."""
    reach = box.with_size(np.asarray(box.size) * REACH)
    rect = bounding_rect(camera, reach)
    if rect.empty:
        return None
    rays = _Rays(cutout, box, camera)
    rows, columns = rect.bottom - rect.top, rect.right - rect.left
    stride = max(1, math.ceil(math.sqrt(rows * columns / RAYS)))
    places, trust = _coarse_to_fine(rays, rect, stride)
    hit = trust > 0
    if not hit.any():
        return None
    factor = _shrinkage(places, hit)
    colour, alpha = cutout.shrunk(1.0 / factor)
    scale = np.array(alpha.shape[::-1]) / np.array(cutout.alpha.shape[::-1])
    corner = np.array([cutout.rect.left, cutout.rect.top])
    maps = ((places - corner) * scale - 0.5).astype(np.float32)
    shown = cv2.remap(colour, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.remap(alpha, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    whole = np.where(trust < 1.0, np.float32(1.0), np.asarray(covered) * np.float32(1 / 255))
    # What is made up is softer, so that nobody takes it for what is known.
    guessed = hit & (trust < 1.0)
    if guessed.any():
        shown[guessed] = cv2.GaussianBlur(np.asarray(shown), (0, 0), GUESS_BLUR)[guessed]
    # Where the edge of what was seen lies inside the object now, its soft edge would be a crack.
    whole = cv2.morphologyEx(whole * hit, cv2.MORPH_CLOSE, np.ones((CRACK, CRACK)))
    # Where the shape ends the last pixel is covered by half; where the mask does, it says so.
    edge = cv2.blur(hit.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return Warped(
        rect,
        np.asarray(shown, dtype=np.uint8),
        (whole * hit * np.clip(1.5 * np.asarray(edge) - 0.25, 0.0, 1.0)).astype(np.float32),
        trust,
    )


def _coarse_to_fine(rays: _Rays, rect: PixelRect, stride: int) -> tuple[F32, F32]:
    """Source pixels (h, w, 2) of all pixels of `rect`, and the trust in them (h, w), 0 outside."""
    rows, columns = rect.bottom - rect.top, rect.right - rect.left
    # One more on each side, so that every pixel lies between rays.
    v = rect.top + 0.5 + stride * np.arange(-(-rows // stride) + 1, dtype=np.float32)
    u = rect.left + 0.5 + stride * np.arange(-(-columns // stride) + 1, dtype=np.float32)
    grid = np.stack(np.meshgrid(u, v), axis=-1)
    found, trust = rays.follow(grid.reshape(-1, 2))
    found, trust = found.reshape(*grid.shape[:2], 2), trust.reshape(grid.shape[:2])
    if stride == 1:
        return found[:rows, :columns], trust[:rows, :columns]
    doubt = _disagreement(found, trust)
    # From pixel i to grid point i / stride, as remap and warpAffine count.
    matrix = np.array([[1 / stride, 0, 0], [0, 1 / stride, 0]], dtype=np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    places = np.asarray(
        cv2.warpAffine(found, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
    cell = (np.arange(rows) // stride)[:, None], (np.arange(columns) // stride)[None]
    level = trust[cell]
    again = doubt[cell]
    y, x = np.nonzero(again)
    exact = np.stack([x + np.float32(rect.left + 0.5), y + np.float32(rect.top + 0.5)], axis=-1)
    places[y, x], level[y, x] = rays.follow(exact.astype(np.float32))
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
        placed = np.eye(4)
        placed[:3, :3] = was.rotation_matrix() * (0.5 * np.asarray(was.size))
        placed[:3, 3] = was.center
        # From the box's own frame to (u depth, v depth, depth) in the source view.
        self.seen = (source.k @ (source.extrinsics @ placed)[:3]).astype(np.float32)
        half = 0.5 * np.asarray(box.size)
        self.start = box.to_local(camera.position).astype(np.float32)
        turn = (camera.extrinsics[:3, :3] @ box.rotation_matrix() / half).T
        self.along = (turn @ np.linalg.inv(camera.k)).astype(np.float32)
        shape = cutout.shape
        scale = np.array(shape.front.shape[::-1]) / np.array(cutout.alpha.shape[::-1])
        self.scale = scale.astype(np.float32)
        self.corner = np.array([cutout.rect.left, cutout.rect.top], dtype=np.float32)
        small = cv2.resize(cutout.alpha, shape.front.shape[::-1], interpolation=cv2.INTER_AREA)
        # The front with its soft edge and a little of what is beyond; what lies behind it without.
        near = cv2.dilate((np.asarray(small) > 2).astype(np.float32), np.ones((3, 3)))
        deep = np.asarray(small) * np.float32(1 / 255)
        self.solid = np.stack([shape.front, shape.back, np.asarray(near), deep], axis=-1)
        extent = float(shape.back.max() - shape.front.min())
        self.tolerance = np.float32(TOLERANCE * extent)
        self.eye = was.to_local(source.position)

    def follow(self, pixels: F32) -> tuple[F32, F32]:
        """Source pixels (n, 2) that pixels (n, 2) show, and trust (n,), 0 where nothing is met."""
        along = pixels @ self.along[:, :2].T + self.along[:, 2]
        with np.errstate(divide="ignore"):
            slope = 1.0 / np.where(np.abs(along) < 1e-9, np.float32(1e-9), along)
        first, second = (-REACH - self.start) * slope, (REACH - self.start) * slope
        # Axis by axis: numpy is slow at taking the largest of three.
        near, far = np.minimum(first, second).T, np.maximum(first, second).T
        low = np.maximum(np.maximum(near[0], near[1]), np.maximum(near[2], np.float32(NEAR)))
        high = np.minimum(np.minimum(far[0], far[1]), far[2])
        places = np.zeros((len(pixels), 2), dtype=np.float32)
        trust = np.zeros(len(pixels), dtype=np.float32)
        rays = np.flatnonzero(high > low)
        if rays.size == 0:
            return places, trust
        along, low, high = along[rays], low[rays], high[rays]
        steps = np.linspace(0.0, 1.0, STEPS, dtype=np.float32)[:, None]
        base = self.seen[:, :3] @ self.start + self.seen[:, 3]
        slant = (along @ self.seen[:, :3].T).astype(np.float32)
        reach = (low + steps * (high - low)).astype(np.float32)
        inside, before, behind = self._inside(base, slant, reach)
        # Thin parts may lie between two points.
        through = np.zeros_like(inside)
        through[1:] = before[:-1] & behind[1:]
        found = inside | through
        met = found.any(axis=0)
        rays, along, slant, low, high = rays[met], along[met], slant[met], low[met], high[met]
        number = found[:, met].argmax(axis=0)
        crossed = np.take_along_axis(through[:, met], number[None], axis=0)[0]
        width = (high - low) / (STEPS - 1)
        hit = low + number * width
        miss = hit - width * (number > 0)
        for _ in range(HALVINGS):
            middle = 0.5 * (hit + miss)
            inside, _, behind = self._inside(base, slant, middle[None].astype(np.float32))
            within = inside[0] | (crossed & behind[0])
            hit, miss = np.where(within, middle, hit), np.where(within, miss, middle)
        place, depth = _divided(base + hit[:, None] * slant)
        front = self._looked_up(place)[:, 0]
        # From where the photograph was taken, this point is the first; or it is hidden.
        bare = depth - front < self.tolerance
        trust[rays] = np.where(bare, np.float32(1.0), np.float32(GUESSED))
        hidden = np.flatnonzero(~bare)
        if hidden.size:
            points = self.start + hit[hidden, None] * along[hidden]
            mirrored, known = self._mirrored(points)
            place[hidden[known]] = mirrored[known]
            trust[rays[hidden[known]]] = MIRRORED
        places[rays] = place
        return places, trust

    def _inside(
        self, base: F32, slant: F32, reach: F32
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """(k, n) whether points at `reach` (k, n) along rays are in, before, behind the object."""
        place, depth = _divided(base + reach[..., None] * slant)
        front, back, near, deep = np.moveaxis(self._looked_up(place), -1, 0)
        valid = np.where(depth - front < self.tolerance, near, deep) > 0.5
        ahead, beyond, shown = depth < front, depth > back, near > 0.5
        return np.asarray(valid & ~ahead & ~beyond), shown & ahead, shown & beyond

    def _looked_up(self, place: F32) -> F32:
        """Front, back, and whether there is anything, near the front and behind it, (..., 4)."""
        maps = ((place - self.corner) * self.scale - np.float32(0.5)).reshape(-1, 2)
        # OpenCV limits a map's sides to 32767.
        width = 4096
        rows = -(-len(maps) // width)
        padded = np.full((rows * width, 2), -9.0, dtype=np.float32)
        padded[: len(maps)] = maps
        found = cv2.remap(
            self.solid, padded.reshape(rows, width, 2), None, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(1e9, 0, 0, 0),
        )
        return np.asarray(found).reshape(-1, 4)[: len(maps)].reshape(*place.shape[:-1], 4)

    def _mirrored(self, points: F32) -> tuple[F32, NDArray[np.bool_]]:
        """Source pixels (n, 2) of mirror images of points in the box, and whether they are seen."""
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
            seen = image.astype(np.float32) @ self.seen[:, :3].T + self.seen[:, 3]
            place, depth = _divided(seen)
            front, _, _, deep = self._looked_up(place).T
            good = ~known & (deep > 0.99) & (np.abs(depth - front) < self.tolerance)
            places[good] = place[good]
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


def _divided(seen: F32) -> tuple[F32, F32]:
    """Pixels (..., 2) and depths (...); far outside behind the camera."""
    depth = seen[..., 2]
    ahead = depth > 1e-6
    pixels = seen[..., :2] / np.where(ahead, depth, np.float32(1.0))[..., None]
    return np.where(ahead[..., None], pixels, np.float32(-1e4)).clip(-1e4, 1e5), depth
