"""Filling holes with texture: every pixel of the hole is copied from a place that looks alike.

Patches are matched from coarse to fine, after Wexler, Shechtman and Irani (2007) and PatchMatch
(Barnes et al. 2009): on a small picture every patch is compared with every other, on larger ones
only with the neighbourhood of what was found before. What is found is a map of places, so that
the copy has the source's full resolution and grain, however small the pictures were that were
matched. At last the copy's light is fitted to the hole's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Places = NDArray[np.int32]

COARSEST = 72
"""Pixels a side of the smallest picture."""

FINEST = 288
"""Pixels a side of the largest picture on which patches are compared."""

PATCH = 3
"""Pixels from a patch's centre to its side: patches of 7 x 7."""

ROUNDS = 2
"""Of matching on each picture but the largest, which has one: most of the time goes there."""

RIM = 4
"""Pixels outside of the hole, at the finest size, whose copies are compared with what is there."""

MOST_PATCHES = 5000
"""Of the smallest picture, that others are compared with."""

CHUNK = 512

BROAD = 0.1
"""Width of the broad strokes in which a hole's light is smooth, in square roots of its area."""

MOST_LIGHT = 0.4
"""By how much the logarithm of what is filled is changed to fit its surroundings, at most."""

DARK = 8.0
"""Brightness, of 255, below which differences count less."""


def fill_texture(picture: U8, hole: Mask, usable: Mask) -> U8:
    """Fill a hole with texture from elsewhere in the picture.

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    hole : bool (h, w)
        Pixels to fill; all others stay.
    usable : bool (h, w)
        Pixels that may be copied; where the hole is, they do not count.

    Returns
    -------
    uint8 (h, w, 3)
        Deterministic.
    """
    usable = usable & ~hole
    if not hole.any():
        return picture
    if not usable.any():
        return np.where(hole[..., None], np.uint8(128), picture)
    levels = _levels(picture, hole, usable)
    level = levels[0]
    places = _grown_inwards(level)
    current = np.where(level.hole[..., None], _copied(level.picture, places), level.picture)
    for number, finer in enumerate(levels):
        if number > 0:
            places = _enlarged(places, level, finer)
            level = finer
            current = np.where(
                level.hole[..., None], _copied(level.picture, places), level.picture
            )
        for _ in range(ROUNDS if finer is not levels[-1] else 1):
            places = _matched(level, current, places)
            voted = _voted(level.picture, places)
            current = np.where(level.hole[..., None], voted, level.picture)
    return _finished(picture, hole, usable, level, places)


@dataclass(frozen=True)
class _Level:
    """One size of the picture: float32 (h, w, 3), and where it is hole and usable (h, w)."""

    picture: F32
    hole: Mask
    usable: Mask

    @property
    def work(self) -> Mask:
        """The hole and the rim around it."""
        return np.asarray(cv2.dilate(self.hole.astype(np.uint8), np.ones((2 * RIM + 1,) * 2))) > 0


def _levels(picture: U8, hole: Mask, usable: Mask) -> list[_Level]:
    """From coarse to fine; the last is no larger than `FINEST`."""
    longest = max(hole.shape)
    side = min(longest, FINEST)
    sides = [side]
    while sides[-1] > 1.5 * COARSEST:
        sides.append(max(COARSEST, round(sides[-1] / 2)))
    known = usable.astype(np.float32)
    out = []
    for side in reversed(sides):
        scale = side / longest
        size = (max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale)))
        weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        colour = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
        whole = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        share = np.asarray(weight)[..., None]
        small = np.where(share > 0.2, colour / np.maximum(share, 1e-3), whole)
        gap = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        # A patch may be copied if all of it may.
        sure = (np.asarray(weight) > 0.95).astype(np.uint8)
        inner = cv2.erode(sure, np.ones((2 * PATCH + 1,) * 2), borderValue=0)
        good = np.asarray(inner) > 0
        if not good.any():
            good = np.asarray(weight) == np.asarray(weight).max()
        out.append(_Level(small.astype(np.float32), np.asarray(gap) > 0.01, good))
    return out


def spread(values: F32, known: Mask) -> F32:
    """Values (h, w, c) everywhere, smoothly continued from where they are `known` (h, w)."""
    height, width = known.shape
    if max(height, width) <= 2 or known.all():
        weight = known.astype(np.float32)[..., None]
        mean = (values * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(known[..., None], values, mean).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    weight = known.astype(np.float32)
    less = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA))
    summed = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA)
    summed = np.asarray(summed).reshape(*less.shape, -1)
    small = spread((summed / np.maximum(less, 1e-6)[..., None]).astype(np.float32), less > 0)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(np.asarray(large), (5, 5), 1.0).reshape(values.shape)
    return np.where(known[..., None], values, large).astype(np.float32)


def _grown_inwards(level: _Level) -> Places:
    """(h, w, 2) row and column of a usable pixel for every pixel, ring by ring from the edge.

    Every ring goes on with the texture of the rings before it (Efros and Leung 1999).
    """
    at = np.argwhere(level.usable).astype(np.int32)
    at = at[:: 1 + len(at) // MOST_PATCHES]
    offered = _patches(level.picture)[at[:, 0], at[:, 1]]
    squares = offered * offered
    height, width = level.hole.shape
    places = np.moveaxis(np.mgrid[:height, :width], 0, -1).astype(np.int32)
    known = ~level.hole & (cv2.erode((~level.hole).astype(np.uint8), np.ones((3, 3))) > 0)
    current = np.where(known[..., None], level.picture, 0.0).astype(np.float32)
    unknown = level.work & ~known
    if not known.any():
        known = level.usable
    while unknown.any():
        ring = unknown & (cv2.dilate(known.astype(np.uint8), np.ones((3, 3))) > 0)
        rows, columns = np.nonzero(ring)
        if rows.size == 0:
            break
        weight = _patches(np.repeat(known[..., None], 3, axis=-1).astype(np.float32))
        weight, target = weight[rows, columns], _patches(current)[rows, columns]
        best = np.concatenate(
            [
                (weight[i] @ squares.T - 2 * (weight[i] * target[i]) @ offered.T).argmin(axis=1)
                for i in (slice(k, k + CHUNK) for k in range(0, len(rows), CHUNK))
            ]
        )
        places[rows, columns] = at[best]
        current[rows, columns] = level.picture[at[best, 0], at[best, 1]]
        known, unknown = known | ring, unknown & ~ring
    return places


def _patches(picture: F32) -> F32:
    """(h, w, k) the patch around each pixel, every second of its pixels."""
    padded = cv2.copyMakeBorder(picture, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_REFLECT)
    height, width = picture.shape[:2]
    parts = [
        padded[y : y + height, x : x + width]
        for y in range(0, 2 * PATCH + 1, 2)
        for x in range(0, 2 * PATCH + 1, 2)
    ]
    return np.concatenate(parts, axis=-1)


def _matched(level: _Level, current: F32, places: Places) -> Places:
    """For every pixel of hole and rim, a usable place whose patch looks like its own."""
    wanted = _patches(current)
    rows, columns = np.nonzero(level.work)
    target = wanted[rows, columns]
    source = _patches(level.picture)
    height, width = level.hole.shape
    best, cost = places[rows, columns], np.full(len(rows), np.inf, dtype=np.float32)
    steps = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (0, 3), (3, 0), (0, -3), (-3, 0)]
    random = np.random.default_rng(0)
    for dy, dx in steps:
        near = places[(rows + dy).clip(0, height - 1), (columns + dx).clip(0, width - 1)]
        for jitter in (0, 1):
            tried = near - (dy, dx)
            if jitter:
                tried = tried + random.integers(-2, 3, tried.shape)
            tried = tried.clip(0, (height - 1, width - 1)).astype(np.int32)
            error = ((source[tried[:, 0], tried[:, 1]] - target) ** 2).sum(axis=1)
            error[~level.usable[tried[:, 0], tried[:, 1]]] = np.inf
            better = error < cost
            cost[better], best[better] = error[better], tried[better]
    out = places.copy()
    out[rows, columns] = best
    return out


def _copied(picture: F32, places: Places) -> F32:
    return np.asarray(picture[places[..., 0], places[..., 1]])


def _voted(picture: F32 | U8, places: Places, reach: int = 1) -> F32:
    """The mean of what overlapping patches say about each pixel."""
    height, width = places.shape[:2]
    padded = np.pad(places, ((reach, reach), (reach, reach), (0, 0)), "edge")
    total = np.zeros((height, width, picture.shape[2]), dtype=np.float32)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            near = padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
            x, y = (near[..., 1] - dx).astype(np.float32), (near[..., 0] - dy).astype(np.float32)
            said = cv2.remap(picture, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            cv2.accumulate(said, total)
    return total * np.float32(1 / (2 * reach + 1) ** 2)


def _enlarged(places: Places, level: _Level, finer: _Level) -> Places:
    """The same places on a finer picture."""
    return _scaled(places, level.hole.shape, finer.hole.shape)


def _scaled(places: Places, before: tuple[int, ...], after: tuple[int, ...]) -> Places:
    ratio = np.array([after[0] / before[0], after[1] / before[1]])
    rows = ((np.arange(after[0]) + 0.5) / ratio[0]).astype(np.intp).clip(0, before[0] - 1)
    columns = ((np.arange(after[1]) + 0.5) / ratio[1]).astype(np.intp).clip(0, before[1] - 1)
    near = places[rows[:, None], columns[None]]
    # What lies beside a pixel is copied from beside its place.
    within = np.stack(np.meshgrid(
        np.arange(after[0]) + 0.5 - (rows + 0.5) * ratio[0],
        np.arange(after[1]) + 0.5 - (columns + 0.5) * ratio[1],
        indexing="ij",
    ), axis=-1)
    found = np.floor((near + 0.5) * ratio + within)
    return np.asarray(found.clip(0, (after[0] - 1, after[1] - 1)), dtype=np.int32)


def _finished(picture: U8, hole: Mask, usable: Mask, level: _Level, places: Places) -> U8:
    """The full picture's pixels copied, their light fitted to the hole's edge."""
    light = _light(level, places)
    if level.hole.shape != hole.shape:
        places = _scaled(places, level.hole.shape, hole.shape)
    ratio = max(hole.shape) / max(level.hole.shape)
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    margin = round(RIM * ratio) + 2
    at = (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )
    copied = _logs(_voted(picture, places[at]))
    gap = hole[at]
    # Patches from brighter and from darker places meet in the hole: their seams go.
    light = np.asarray(cv2.resize(light, hole.shape[::-1], interpolation=cv2.INTER_LINEAR))
    copied += light.reshape(*hole.shape, 3)[at]
    away = np.asarray(cv2.distanceTransform((~gap).astype(np.uint8), cv2.DIST_L2, 5))
    rim = ~gap & usable[at] & (away <= max(1.0, 0.75 * RIM * ratio))
    if rim.any():
        # Brightness alone: a highlight at the edge must not bleach what is filled.
        error = (_logs(picture[at]) - copied).mean(axis=-1, keepdims=True)
        error = np.where(rim[..., None], error.clip(-MOST_LIGHT, MOST_LIGHT), 0.0)
        copied += spread(error.astype(np.float32), rim).reshape(*rim.shape, 1) * gap[..., None]
    filled = np.clip(np.round(np.exp(copied) - DARK), 0, 255)
    out = picture.copy()
    out[at] = np.where(gap[..., None], filled, picture[at])
    return out


def _light(level: _Level, places: Places) -> F32:
    """By how much (h, w, 3) the logarithm of a hole's filling misses a smooth continuation.

    That is of its surroundings, and in broad strokes: the texture stays.
    """
    copied = _voted(level.picture, places)
    current = _logs(np.where(level.hole[..., None], copied, level.picture))
    broad = max(2.0, BROAD * float(np.sqrt(level.hole.sum())))

    def blurred(values: F32, weight: F32) -> F32:
        total = cv2.GaussianBlur(values * weight[..., None], (0, 0), broad)
        share = cv2.GaussianBlur(weight, (0, 0), broad)
        return np.asarray(total / np.maximum(share, 1e-3)[..., None], dtype=np.float32)

    around = (~level.hole & level.usable).astype(np.float32)
    near = around > 0
    if not near.any():
        return np.zeros_like(current)
    wanted = spread(blurred(current, around) * around[..., None], near)
    wanted = np.asarray(cv2.GaussianBlur(wanted, (0, 0), broad))
    found = blurred(current, (near | level.hole).astype(np.float32))
    return (wanted - found).clip(-MOST_LIGHT, MOST_LIGHT)


def _logs(picture: F32 | U8) -> F32:
    return np.asarray(np.log(np.maximum(picture, 0) + DARK), dtype=np.float32)
