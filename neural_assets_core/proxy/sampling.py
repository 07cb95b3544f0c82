"""Reading source pictures and masks where they are needed, at the resolution that is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import NEAR, PixelRect, silhouette
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.scene import Appearance, Picture, View

F32 = NDArray[np.float32]
Value = TypeVar("Value", bound=np.generic)

LONGEST = 32_766
"""Points a side of what OpenCV looks up at a time."""

WIDTH = 4096
"""Points a row of what is longer."""

TILE = 2_000_000
"""Pixels of large pictures that are worked on at a time."""


def appearance_mask(appearance: Appearance) -> NDArray[np.uint8]:
    """(height, width) of the source view, 255 where the object is seen."""
    if appearance.mask is not None:
        return appearance.mask.pixels
    return silhouette(appearance.view.camera, appearance.box).astype(np.uint8) * np.uint8(255)


@lru_cache(maxsize=64)
def possible_mask(appearance: Appearance, others: tuple[Appearance, ...]) -> NDArray[np.uint8]:
    """(height, width) of the source view, 255 where the object is, or others hide it.

    Anywhere else the source shows that it is not.
    """
    others = tuple(o for o in others if o != appearance and o.view == appearance.view)
    mask = appearance_mask(appearance)
    boxes = [appearance.box, *(other.box for other in others)]
    order = back_to_front(appearance.view.camera, boxes)
    for index in order[order.index(0) + 1 :]:
        mask = np.maximum(mask, appearance_mask(others[index - 1]))
    return mask


@lru_cache(maxsize=64)
def grown_mask(appearance: Appearance, width: int, height: int) -> NDArray[np.uint8]:
    """The object's mask with a margin of about 1.5 %, at the given size; 255 inside."""
    mask = appearance_mask(appearance)
    if mask.shape != (height, width):
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA))
    radius = max(1, round(0.015 * max(width, height)))
    return np.where(grown(mask > 32, radius), np.uint8(255), np.uint8(0))


def grown(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """The mask and all pixels within `radius` of it; the time does not depend on the radius."""
    if not mask.any():
        return mask
    at = around(mask, radius)
    outside = np.where(mask[at], 0, 255).astype(np.uint8)
    out = np.zeros_like(mask)
    out[at] = np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 5)) <= radius
    return out


def around(mask: NDArray[np.bool_], margin: float) -> tuple[slice, slice]:
    """Rows and columns of what is set in (h, w), and up to `margin` pixels beyond."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    more = math.ceil(margin) + 1
    return (
        slice(max(0, top - more), top + height + more),
        slice(max(0, left - more), left + width + more),
    )


def sampled(
    image: NDArray[np.uint8], pixels: NDArray[np.floating[Any]], outside: int | None = None
) -> NDArray[np.uint8]:
    """Bilinear values (n[, channels]) at pixel positions (n, 2).

    Beyond the image's edges they are `outside`, by default the nearest edge's.
    """
    x, y = np.ascontiguousarray((pixels - np.float32(0.5)).astype(np.float32).T)
    return looked_up(image, x, y, outside)


def looked_up(
    image: NDArray[Value], x: F32, y: F32, outside: int | None = None
) -> NDArray[Value]:
    """Bilinear values (...[, channels]) of an image at columns x and rows y (...).

    Parameters
    ----------
    image : array (h, w[, channels])
    x, y : float32 arrays (...)
        A pixel's centre is at a whole number. Rounded to 1/32.
    outside : int, optional
        Value beyond the image's edges, by default the nearest edge's.
    """
    if x.size == 0:
        return np.zeros((*x.shape, *image.shape[2:]), dtype=image.dtype)
    shape, maps = x.shape, (x, y)
    if x.ndim != 2 or max(shape) > LONGEST:
        # Folded into rows.
        folded = np.zeros((2, -(-x.size // WIDTH), WIDTH), dtype=np.float32)
        for row, each in zip(folded.reshape(2, -1), maps, strict=True):
            row[: x.size] = each.reshape(-1)
        maps = (folded[0], folded[1])
    found = cv2.remap(
        image, *maps, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT,
        borderValue=outside or 0,
    )
    flat = np.asarray(found, dtype=image.dtype).reshape(-1, *image.shape[2:])
    return flat[: x.size].reshape(*shape, *image.shape[2:])


def strips(rect: PixelRect, pixels: int = TILE) -> Iterator[PixelRect]:
    """A rectangle cut into strips of about so many pixels each, from top to bottom."""
    rows = max(16, pixels // max(1, rect.right - rect.left))
    for top in range(rect.top, rect.bottom, rows):
        yield PixelRect(rect.left, top, rect.right, min(rect.bottom, top + rows))


def enlarged(
    small: NDArray[np.float32], rect: PixelRect, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """What of a small map (h, w[, c]) lies in `rect` of a picture of `shape`, at that size."""
    scale = shape[0] / small.shape[0], shape[1] / small.shape[1]
    matrix = np.array([
        [1 / scale[1], 0, (rect.left + 0.5) / scale[1] - 0.5],
        [0, 1 / scale[0], (rect.top + 0.5) / scale[0] - 0.5],
    ])
    size = (rect.right - rect.left, rect.bottom - rect.top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(small, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, dtype=np.float32)


def touched(small: NDArray[np.bool_], shape: tuple[int, ...]) -> PixelRect:
    """The part of a picture of `shape` that what is set in a small map of it has a share in."""
    rows, columns = np.flatnonzero(small.any(axis=1)), np.flatnonzero(small.any(axis=0))
    scale = shape[0] / small.shape[0], shape[1] / small.shape[1]
    return PixelRect(
        left=max(0, math.floor((int(columns[0]) - 1) * scale[1])),
        top=max(0, math.floor((int(rows[0]) - 1) * scale[0])),
        right=min(shape[1], math.ceil((int(columns[-1]) + 2) * scale[1])),
        bottom=min(shape[0], math.ceil((int(rows[-1]) + 2) * scale[0])),
    )


def shrinkage(source: Camera, target: Camera) -> float:
    """By how much the source should be scaled down first, so that sampling does not alias."""
    return min(1.0, *(float(target.k[axis, axis] / source.k[axis, axis]) for axis in (0, 1)))


def shrinkage_of_box(appearance: Appearance, camera: Camera, box: Box) -> float:
    """The same for one object, whose distance and size may have changed too."""
    source = appearance.view.camera
    before = source.to_camera(np.asarray(appearance.box.center))[2]
    after = camera.to_camera(np.asarray(box.center))[2]
    if before <= NEAR or after <= NEAR:
        return shrinkage(source, camera)
    growth = float(max(box.size) / max(appearance.box.size) * before / after)
    ratios = (float(camera.k[axis, axis] / source.k[axis, axis]) for axis in (0, 1))
    return min(1.0, growth * min(ratios))


def shrunk(view: View, factor: float) -> Picture:
    # Steps of a quarter octave: a drag must not fill the cache with a picture for every pixel.
    level = int(np.floor(-4.0 * np.log2(max(factor, 1e-3)) + 1e-6))
    return view.picture if level < 1 else _resized(view.picture, 2.0 ** (-level / 4.0))


@lru_cache(maxsize=16)
def _resized(picture: Picture, factor: float) -> Picture:
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    return Picture(np.asarray(pixels, dtype=np.uint8))
