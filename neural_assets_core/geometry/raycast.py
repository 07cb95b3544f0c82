"""Where viewing rays enter and leave boxes: the arithmetic behind proxy and layout map."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import EDGES, Box, Float
from neural_assets_core.geometry.camera import Camera

NEAR = 1e-3
"""Nearest depth in metres at which anything is drawn."""


@dataclass(frozen=True)
class PixelRect:
    """Half-open rectangle of whole pixels: rows top..bottom, columns left..right."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices that cut the rectangle out of an image array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def pixel_centers(self) -> Float:
        """(rows, columns, 2) positions (u, v) of the pixel centres."""
        u, v = np.meshgrid(
            np.arange(self.left, self.right) + 0.5, np.arange(self.top, self.bottom) + 0.5
        )
        return np.stack([u, v], axis=-1)


@dataclass(frozen=True)
class BoxHits:
    """Rays against one box, for the pixels of `rect`; h, w are its rows and columns.

    Attributes
    ----------
    rect : PixelRect
        No ray outside it can meet the box.
    hit : bool array (h, w)
    origin : array (3,)
        Where the rays begin, in the box's own frame, where the box is [-1, 1]^3.
    directions : array (3, h, w)
        Of the rays in that frame, for a metre of depth.
    entry_depth, exit_depth : arrays (h, w)
        Metres along the viewing axis; meaningless where not `hit`, as are `entry` and `exit`.
    """

    rect: PixelRect
    hit: NDArray[np.bool_]
    origin: Float
    directions: Float
    entry_depth: Float
    exit_depth: Float

    @property
    def entry(self) -> Float:
        """(h, w, 3) where rays enter the box, in its own frame."""
        return np.moveaxis(self._at(self.entry_depth), 0, -1)

    @property
    def exit(self) -> Float:
        """(h, w, 3) where rays leave the box, in its own frame."""
        return np.moveaxis(self._at(self.exit_depth), 0, -1)

    def _at(self, depth: Float) -> Float:
        """(3, h, w) points of the rays at a depth (h, w)."""
        return self.origin[:, None, None] + depth * self.directions


def bounding_rect(camera: Camera, box: Box) -> PixelRect:
    """Pixels that the box can cover, clipped to the picture.

    A box that reaches behind the camera may cover anything: then it is the whole picture.
    """
    points = camera.project(box.corners())
    if np.all(points[:, 2] <= NEAR):
        return PixelRect(0, 0, 0, 0)
    if np.any(points[:, 2] <= NEAR):
        return PixelRect(0, 0, camera.width, camera.height)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    # Clamped before the conversion: a corner close to the camera plane projects very far out.
    return PixelRect(
        left=math.floor(min(max(low[0], 0), camera.width)),
        top=math.floor(min(max(low[1], 0), camera.height)),
        right=math.ceil(max(min(high[0], camera.width), 0)),
        bottom=math.ceil(max(min(high[1], camera.height), 0)),
    )


def cast_box(camera: Camera, box: Box) -> BoxHits:
    """Intersect the viewing rays of all pixels that can see the box with it.

    The slab method in the box's own frame; depth is measured in metres along the viewing axis.
    """
    rect = bounding_rect(camera, box)
    # Directions are linear in the pixel: three of them say all.
    eye, (first, right, down) = camera.rays(np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]]))
    into_box = box.rotation_matrix() / (0.5 * np.asarray(box.size))
    origin, first = box.to_local(eye), first @ into_box
    across = np.outer(right @ into_box - first, np.arange(rect.left, rect.right))
    along = np.outer(down @ into_box - first, np.arange(rect.top, rect.bottom)) + first[:, None]
    shape = (along.shape[1], across.shape[1])
    directions, enter, leave = np.empty((3, *shape)), np.full(shape, NEAR), np.full(shape, np.inf)
    inverse, reach, end = np.empty((3, *shape))
    # Axis by axis and in place: fresh memory costs more than the arithmetic.
    for axis, slope in enumerate(directions):
        np.add(along[axis, :, None], across[axis], out=slope)
        # A ray parallel to a slab meets its planes at infinity, with the right signs.
        np.copyto(inverse, slope)
        inverse[np.abs(slope, out=reach) < 1e-12] = 1e-12
        np.reciprocal(inverse, out=inverse)
        np.abs(inverse, out=reach)
        inverse *= -origin[axis]
        np.maximum(enter, np.subtract(inverse, reach, out=end), out=enter)
        np.minimum(leave, np.add(inverse, reach, out=end), out=leave)
    return BoxHits(rect, leave > enter, origin, directions, enter, leave)


def silhouette(camera: Camera, box: Box) -> NDArray[np.bool_]:
    """(height, width) pixels whose rays meet the box."""
    mask = np.zeros((camera.height, camera.width), dtype=bool)
    rect = bounding_rect(camera, box)
    if rect.empty:
        return mask
    points = _outermost(camera, box)
    # What is seen of a box is convex: of each row an interval, between two of its sides.
    first = points[cv2.convexHull(points.astype(np.float32), returnPoints=False).reshape(-1)]
    second = np.roll(first, -1, axis=0)
    rows = np.arange(rect.top, rect.bottom)[:, None] + 0.5
    down = second[:, 1] - first[:, 1]
    level = np.abs(down) < 1e-12
    along = (rows - first[:, 1]) / np.where(level, 1.0, down)
    across = first[:, 0] + along * (second[:, 0] - first[:, 0])
    beside = level | (along < 0.0) | (along > 1.0)
    left = np.where(beside, np.inf, across).min(axis=1, initial=np.inf)
    right = np.where(beside, -np.inf, across).max(axis=1, initial=-np.inf)
    columns = np.arange(rect.left, rect.right) + 0.5
    mask[rect.slices] = (columns > left[:, None]) & (columns < right[:, None])
    return mask


def _outermost(camera: Camera, box: Box) -> Float:
    """(n, 2) pixels of the box's corners, once it is cut off where it is too near."""
    corners = camera.to_camera(box.corners())
    ahead = corners[:, 2] > NEAR
    first, second = np.array(EDGES).T
    cut = ahead[first] != ahead[second]
    near, far = corners[first[cut]], corners[second[cut]]
    share = (NEAR - near[:, 2:]) / (far[:, 2:] - near[:, 2:])
    points = np.concatenate([corners[ahead], near + share * (far - near)])
    return np.asarray(points[:, :2] / points[:, 2:] * camera.k[[0, 1], [0, 1]] + camera.k[:2, 2])
