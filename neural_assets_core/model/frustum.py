"""The part of space that an object's crop of its source view sees.

The lifting network's volume fills it; here is where points of the object's box lie in it, and what
the source view shows of them and of their mirror images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.proxy import appearance_mask
from neural_assets_core.proxy.sampling import looked_up
from neural_assets_core.scene import Appearance, Picture

F32 = NDArray[np.float32]

INPUT_CHANNELS = 16
"""Colour (3), mask, mask known, inside the picture, hit, entry (3), exit (3), proportions (3)."""

MIRRORS: F32 = np.array([[1, 1, 1], [1, -1, 1], [-1, 1, 1], [-1, -1, 1]], dtype=np.float32)
"""The object itself, mirrored left to right, front to back, and both."""

MARGIN = 0.04
"""Of the crop around the projected box, as a fraction of its sides."""


@dataclass(frozen=True)
class Frustum:
    """The part of space that an object's crop sees: pixels of the source view, metres of depth."""

    left: float
    top: float
    width: float
    height: float
    near: float
    far: float


def frustum_of(appearance: Appearance) -> Frustum:
    """Where an object's crop and volume lie."""
    points = appearance.view.camera.project(appearance.box.corners())
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    extent = np.maximum(high - low, 1e-3)
    pad = MARGIN * extent
    return Frustum(
        left=float(low[0] - pad[0]),
        top=float(low[1] - pad[1]),
        width=float(extent[0] + 2 * pad[0]),
        height=float(extent[1] + 2 * pad[1]),
        near=float(low[2]),
        far=float(low[2] + extent[2]),
    )


def lifting_inputs(appearance: Appearance, size: int) -> F32:
    """(16, size, size) what the network is told; see `INPUT_CHANNELS`."""
    camera, place = appearance.view.camera, frustum_of(appearance)
    scale = np.array([size / place.width, size / place.height])
    to_crop = np.diag([scale[0], scale[1], 1.0])
    k = to_crop @ np.array([[1, 0, -place.left], [0, 1, -place.top], [0, 0, 1.0]]) @ camera.k
    hits = cast_box(Camera.from_matrices(size, size, k, camera.extrinsics), appearance.box)
    inputs = np.zeros((INPUT_CHANNELS, size, size), dtype=np.float32)
    picture = appearance.view.picture.pixels
    inputs[:3] = _cropped(picture, place, size).transpose(2, 0, 1) / 127.5 - 1.0
    inputs[5] = _cropped(np.full(picture.shape[:2], 255, np.uint8), place, size) / 255.0
    rows, columns = hits.rect.slices
    if appearance.mask is not None:
        inputs[3] = _cropped(appearance.mask.pixels, place, size) / 255.0
        inputs[4] = 1.0
    else:
        inputs[3, rows, columns] = hits.hit
    inputs[6, rows, columns] = hits.hit
    inputs[7:10, rows, columns] = np.where(hits.hit[..., None], hits.entry, 0).transpose(2, 0, 1)
    inputs[10:13, rows, columns] = np.where(hits.hit[..., None], hits.exit, 0).transpose(2, 0, 1)
    extents = np.log(np.asarray(appearance.box.size))
    inputs[13:16] = (extents - extents.mean())[:, None, None]
    return inputs


def ray_points(entry: Float, leave: Float, fractions: Float) -> F32:
    """(3, n, k) points from `entry` to `leave` (3, n), at `fractions` (k,) or (n, k) between."""
    start, way = entry.astype(np.float32), (leave - entry).astype(np.float32)
    points: F32 = start[..., None] + fractions.astype(np.float32) * way[..., None]
    return points


def volume_coordinates(appearance: Appearance, points: F32) -> tuple[F32, F32, F32]:
    """Where points (3, ...) of the object's box, in [-1, 1]^3, lie in its volume.

    In [-1, 1] within it, each (...); what is behind the camera comes out far beyond it.
    """
    return in_volume(appearance, *_over(*_transformed(_to_view(appearance), *points)))


def in_volume(appearance: Appearance, u: F32, v: F32, depth: F32) -> tuple[F32, F32, F32]:
    """Volume coordinates, in [-1, 1] within it, of pixels and depths (...) of the source view."""
    place = frustum_of(appearance)

    def scaled(values: F32, start: float, length: float) -> F32:
        out = values * np.float32(2 / length)
        out -= np.float32(2 * start / length + 1)
        return out

    return (
        scaled(u, place.left, place.width),
        scaled(v, place.top, place.height),
        scaled(depth, place.near, place.far - place.near),
    )


def seen_along(
    appearance: Appearance, entry: Float, leave: Float, fractions: Float
) -> tuple[F32, F32, F32]:
    """Where the source view sees points along rays: pixels u and v, and depth, each (k, n).

    A ray stays straight when it is projected: its ends are, and what is between is only divided.

    Parameters
    ----------
    appearance : Appearance
    entry, leave : arrays (3, n)
        Ends of the rays in the box's own frame.
    fractions : array (k,)
        Of the way from one to the other.
    """
    matrix = _to_view(appearance)
    start = matrix[:, :3] @ entry + matrix[:, 3:]
    way = (matrix[:, :3] @ (leave - entry)).astype(np.float32)
    part = fractions.astype(np.float32)[:, None]
    across, down, depth = (
        part * step + first for first, step in zip(start.astype(np.float32), way, strict=True)
    )
    return _over(across, down, depth)


def _over(across: F32, down: F32, depth: F32) -> tuple[F32, F32, F32]:
    """What is projected, divided by its depth, in place; behind the camera, far outside."""
    behind = depth < 1e-6
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for pixels in (across, down):
            pixels /= depth
            pixels[behind] = -1e4
            np.clip(pixels, -1e4, 1e5, out=pixels)
    return across, down, depth


def _to_view(appearance: Appearance) -> Float:
    """(3, 4) from the box's own frame to pixels of the source view times depth, and depth."""
    box, camera = appearance.box, appearance.view.camera
    to_world = np.eye(4)
    to_world[:3, :3] = box.rotation_matrix() * (0.5 * np.asarray(box.size))
    to_world[:3, 3] = box.center
    return np.asarray(camera.k @ (camera.extrinsics @ to_world)[:3])


def _transformed(matrix: Float, x: F32, y: F32, z: F32) -> list[F32]:
    """What a matrix (3, 4) makes of points with these coordinates (...): three arrays."""
    # Row by row: in a product of such narrow matrices, threads mostly wait for each other.
    return [a * x + b * y + c * z + d for a, b, c, d in matrix.astype(np.float32)]


def source_colours(
    appearance: Appearance, source: Picture, points: F32
) -> tuple[NDArray[np.uint8], F32]:
    """What the source view shows of points of the box, and of their mirror images.

    Parameters
    ----------
    appearance : Appearance
    source : Picture
        Its picture, maybe smaller.
    points : float32 array (3, ...)
        In the box's own frame.

    Returns
    -------
    shown : uint8 (3, 4, ...)
        Red, green and blue, for each of `MIRRORS`.
    seen : float32 (4, ...)
        1 where the object's mask covers that.
    """
    camera, shape = appearance.view.camera, (len(MIRRORS), *points.shape[1:])
    flat = points.reshape(3, -1)
    x, y, z = (MIRRORS[:, axis, None] * flat[axis] for axis in range(3))
    u, v, _ = _over(*_transformed(_to_view(appearance), x, y, z))
    half = np.float32(0.5)
    wide, high = np.float32(source.width / camera.width), np.float32(source.height / camera.height)
    seen = looked_up(_inner_mask(appearance), u - half, v - half, outside=0)
    u *= wide
    v *= high
    u -= half
    v -= half
    shown = np.ascontiguousarray(np.moveaxis(looked_up(source.pixels, u, v), -1, 0))
    return shown.reshape(3, *shape), seen.reshape(shape).astype(np.float32) / np.float32(255)


@lru_cache(maxsize=64)
def _inner_mask(appearance: Appearance) -> NDArray[np.uint8]:
    """(height, width) of the source view, 255 where the object is seen, drawn in a little."""
    mask = appearance_mask(appearance)
    # The outermost pixels are mixed with the background: nothing may be painted with them.
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _cropped(image: NDArray[np.uint8], place: Frustum, size: int) -> F32:
    """The frustum's crop of an image at (size, size), zero outside of it."""
    scale = np.array([size / place.width, size / place.height])
    # Averaged first where it shrinks: sampling alone would alias.
    shrink = np.minimum(scale, 1.0)
    if shrink.min() < 0.75:
        shape = np.maximum(np.round(np.array(image.shape[1::-1]) * shrink), 1).astype(int)
        shrink = shape / image.shape[1::-1]
        image = np.asarray(
            cv2.resize(image, tuple(shape.tolist()), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
        scale = scale / shrink
    else:
        shrink = np.ones(2)
    shift = -np.array([place.left, place.top]) * shrink * scale + 0.5 * scale - 0.5
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    cropped = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(cropped, dtype=np.float32)
