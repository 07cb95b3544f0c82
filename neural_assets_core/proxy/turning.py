"""Completing something round: what is hidden of it looks like the same ring farther round.

The object's surface is unrolled, azimuth to the right and its profile down, and its hidden part
filled with pieces of itself that are moved sideways only: so a rim stays a rim.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.filling import find_filling
from neural_assets_core.proxy.relief import Relief
from neural_assets_core.proxy.sampling import enlarged, strips

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

AROUND, DOWN = 1024, 192
"""Pixels of the unrolled surface, once round and from its middle to its lower edge."""

LEAST_APART = 12.0
"""Brightness, of 255, by which something stands out at least."""

TOLERANCE = 0.06
"""Depth behind an object's front that still counts as front, as a fraction of its extent."""


def complete_round(
    picture: U8, known: Mask, missing: Mask, plain: Mask, camera: Camera, box: Box, shape: Relief
) -> U8 | None:
    """Fill what is missing of something round with what is seen of the ring that it lies on.

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    known, missing : bool (h, w)
        Pixels that show the object, and those to be filled.
    plain : bool (h, w)
        Of those known, the ones to be copied.
    camera : Camera
        Sees the same as the picture, at the size of `shape`.
    box : Box
    shape : Relief

    Returns
    -------
    uint8 (h, w, 3) or None
        None if too little is seen of it.
    """
    origin, directions = camera.rays(camera.pixel_centers())
    points = box.to_local(origin + directions * shape.front[..., None]).astype(np.float32)
    down = np.hypot(points[..., 0], points[..., 1]) - points[..., 2]
    if not shape.outline.any() or not known.any():
        return None
    low, high = (float(value) for value in np.percentile(down[shape.outline], [0.1, 99.9]))
    if high - low < 1e-3:
        return None
    surface, seen, usable = _unrolled(
        picture, known, plain, camera, box, shape, (low, high), down, points
    )
    usable &= ~_standing_out(surface, usable)
    # A ring of which little is seen, or nothing that could be copied, says too little.
    told = (seen.mean(axis=1) > 0.08) & (usable.mean(axis=1) > 0.04)
    hole = ~seen & told[:, None]
    if not hole.any() or not seen.any():
        return None
    half = AROUND // 2
    wide, shown, plain = (
        np.concatenate([one[:, half:], one, one[:, :half]], axis=1)
        for one in (surface, seen, usable)
    )
    once = slice(half, half + AROUND)
    gap = np.zeros_like(shown)
    gap[:, once] = hole
    filling = find_filling(wide, gap, shown, plain=plain, sideways=True)
    drawn = filling.draw(wide, PixelRect(once.start, 0, once.stop, DOWN))
    surface = np.where(hole[..., None], drawn, surface)
    around = np.concatenate([surface[:, -1:], surface, surface[:, :1]], axis=1)
    out = picture.copy()
    # What nothing tells of goes on as the nearest ring that is known; the last ones know little.
    inner = cv2.erode(told.astype(np.uint8)[:, None], np.ones((9, 1)), borderValue=1)[:, 0] > 0
    told = inner if inner.any() else told
    rows, sure = np.arange(DOWN, dtype=np.float32), np.flatnonzero(told)
    nearest = sure[np.abs(rows[:, None] - sure).argmin(axis=1)].astype(np.float32)
    left, top, width, height = cv2.boundingRect(missing.astype(np.uint8))
    for strip in strips(PixelRect(left, top, left + width, top + height)):
        at = strip.slices
        place = enlarged(points, strip, picture.shape)
        u = np.arctan2(place[..., 1], place[..., 0]) / np.float32(2 * math.pi) % 1.0 * AROUND
        down = np.hypot(place[..., 0], place[..., 1]) - place[..., 2]
        v = (down - low) / (high - low) * DOWN - 0.5
        row = np.round(v).clip(0, DOWN - 1).astype(np.intp)
        v = np.where(told[row], v, nearest[row])
        found = cv2.remap(
            around, (u + 0.5).astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        out[at][missing[at]] = np.asarray(found)[missing[at]]
    return out


def _standing_out(surface: U8, seen: Mask) -> Mask:
    """(h, w) what is unlike its ring, reflections and stains: it is not repeated."""
    grey = surface.mean(axis=-1, dtype=np.float32)
    # A row of which nothing is seen has no odd ones.
    values = np.where(seen, grey, np.nan)
    values[~seen.any(axis=1)] = 0.0
    usual = np.nanmedian(values, axis=1, keepdims=True)
    apart = np.abs(values - usual)
    most = LEAST_APART + 3.0 * np.nanmedian(apart, axis=1, keepdims=True)
    odd = (seen & (apart > most)).astype(np.uint8)
    return np.asarray(cv2.dilate(odd, np.ones((9, 15), np.uint8)) > 0)


def _unrolled(
    picture: U8,
    known: Mask,
    plain: Mask,
    camera: Camera,
    box: Box,
    shape: Relief,
    ends: tuple[float, float],
    down: F32,
    points: F32,
) -> tuple[U8, Mask, Mask]:
    """The surface (`DOWN`, `AROUND`, 3), where the picture shows it, and where it is plain."""
    inside = shape.outline
    number = ((down[inside] - ends[0]) / (ends[1] - ends[0]) * DOWN).clip(0, DOWN - 1)
    number = number.astype(np.intp)
    count = np.bincount(number, minlength=DOWN)
    profile = []
    for values in (np.hypot(points[..., 0], points[..., 1])[inside], points[..., 2][inside]):
        total = np.bincount(number, values, DOWN)
        filled = np.flatnonzero(count)
        profile.append(np.interp(np.arange(DOWN), filled, total[filled] / count[filled]))
    angle = (np.arange(AROUND) + 0.5) / AROUND * 2 * math.pi
    radius, level = profile[0][:, None], np.broadcast_to(profile[1][:, None], (DOWN, AROUND))
    local = np.stack([radius * np.cos(angle), radius * np.sin(angle), level], axis=-1)
    at = camera.project(box.to_world(local.reshape(-1, 3))).reshape(DOWN, AROUND, 3)
    maps = (at[..., :2] - 0.5).astype(np.float32)
    front = cv2.remap(
        shape.front, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    extent = float(shape.back.max() - shape.front.min())
    bare = (at[..., 2] > 1e-3) & (at[..., 2] - np.asarray(front) < TOLERANCE * extent)
    scale = np.array([picture.shape[1] / camera.width, picture.shape[0] / camera.height])
    maps = (at[..., :2] * scale - 0.5).astype(np.float32)
    colour = cv2.remap(picture, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    both = np.dstack([np.where(one, np.uint8(255), np.uint8(0)) for one in (known, known & plain)])
    shown = cv2.remap(
        both, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    seen, usable = (bare & (one > 250) for one in np.moveaxis(np.asarray(shown), -1, 0))
    # A row of which nothing is plain takes what there is.
    usable |= seen & ~usable.any(axis=1, keepdims=True)
    return np.asarray(colour, dtype=np.uint8), seen, usable
