"""Which shifted copies of a picture could go on where a hole is.

Most of what stands behind objects repeats itself: tiles, boards, bricks, grass. Moved by the
right amount, the picture agrees with itself all around the hole, and shows what may be inside
(He and Sun 2012, Statistics of patch offsets for image completion). What lies on the ground is
moved on the ground, in perspective (Huang et al. 2014, Image completion using planar structure
guidance); walls and skies are moved in the picture. For every amount at once, a Fourier transform
tells how well the edge agrees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.proxy.hole import Hole

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
Group = list[int]

PARTS = 12
"""Of the rim: a copy may go on well at one side of the hole and badly at another."""

NEIGHBOURS = (5, 2)
"""Parts beside each other that a copy is sought for, besides all of them together."""

MOST = 30
"""Shifts that are kept."""

FOR_ALL = 4
"""Of them, those that suit all of the rim."""

ALIKE = 4
"""Pixels, either way, by which shifts differ at least."""

LEAST_SHARE = 0.05
"""Of the hole that a copy must be able to show."""

UNSURE = 25.0
"""Brightness levels that a rim of which a copy knows nothing would be worth."""

EMPTY = 6.0
"""The same for a hole of which it shows nothing."""

FARTHER = 15.0
"""The same for a copy from as far away as the picture is large: what is near is more alike."""

FAR = 60.0
"""Metres beyond which ground is too flat to be moved."""

GROUND_TEXELS = 220
"""Side of the map of the ground, at most."""

MOST_FILLERS = 12
"""Shifts that show what those that agree do not show."""

UNLIKE = 90.0
"""Brightness levels by which a copy differs from what is usual there that is worth half."""


def shifted(across: float, down: float) -> Float:
    """(3, 3) a step to the right and down."""
    return np.array([[1.0, 0.0, across], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def on_ground(camera: Camera) -> Float:
    """(3, 3) from world (x, y, 1) metres on the ground z = 0 to (u, v, 1) pixels, times depth."""
    return np.asarray(camera.k @ camera.extrinsics[:3, [0, 1, 3]])


def inverted(matrix: Float) -> Float:
    """The way back."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def applied(matrix: Float, points: Float) -> Float:
    """(..., 3) what a (3, 3) matrix makes of points (..., 2)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def pixels_of(mask: Mask) -> Float:
    """(n, 2) positions of the pixels of a mask, row by row."""
    rows, columns = np.nonzero(mask)
    return np.asarray(np.stack([columns, rows], axis=1) + 0.5, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Plane:
    """The picture, or a map of the ground: something that is moved about.

    Attributes
    ----------
    picture : float32 (h, w, 3)
    good, gap : bool (h, w)
    parts : int (h, w)
        Which part of the rim, -1 elsewhere.
    to_pixels : float64 (3, 3)
        From here to the picture.
    """

    picture: F32
    good: Mask
    gap: Mask
    parts: Index
    to_pixels: Float


def find_shifts(hole: Hole, *, sideways: bool = False) -> list[Float]:
    """Matrices (3, 3) from pixels to those that are copied there; the best come first.

    With `sideways`, these are in the same row.
    """
    rim = pixels_of(hole.rim)
    if len(rim) < 4:
        return []
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.1)
    cv2.setRNGSeed(0)
    _, found, centers = cv2.kmeans(
        rim.astype(np.float32), min(PARTS, len(rim)), None, criteria, 2, cv2.KMEANS_PP_CENTERS
    )
    centers = np.asarray(centers)
    parts = np.full(hole.rim.shape, -1, dtype=np.intp)
    parts[hole.rim] = np.asarray(found)[:, 0]
    planes = [_Plane(hole.picture, hole.good, hole.gap, parts, np.eye(3))]
    planes += _ground_plane(hole, centers)
    agreed = [_Agreement(plane, len(centers), sideways) for plane in planes]
    shifts: list[Float] = []
    for number, group in enumerate(_groups(centers)):
        for _ in range(FOR_ALL if number == 0 else 1):
            costs = [one.costs(group) for one in agreed]
            best = [float(cost.min(initial=np.inf)) for cost in costs]
            which = int(np.argmin(best))
            if len(shifts) == MOST or not np.isfinite(best[which]):
                break
            plane = planes[which].to_pixels
            amount = shifted(*agreed[which].taken(int(costs[which].argmin()), group))
            shifts.append(plane @ amount @ inverted(plane))
    return shifts


def _ground_plane(hole: Hole, centers: F32) -> Iterator[_Plane]:
    """A map of the ground around the hole, if it shows enough of that."""
    if hole.camera is None or abs(np.linalg.det(ground := on_ground(hole.camera))) < 1e-9:
        return
    seen = applied(inverted(ground), pixels_of(hole.gap))
    seen = seen[seen[:, 2] > 1 / FAR]
    if len(seen) < 30:
        return
    seen = seen[:, :2] / seen[:, 2:]
    middle = np.median(seen, axis=0)
    corners = applied(ground, middle + 0.01 * np.array([[0, 0], [1, 0], [0, 1.0]]))
    if (corners[:, 2] <= 0).any():
        return
    corners = corners[:, :2] / corners[:, 2:]
    area = abs(float(np.linalg.det(corners[1:] - corners[0])))
    if area < 1e-9:
        return
    # About a texel a pixel where the hole is.
    texel = 0.01 / np.sqrt(area)
    extent = float(np.ptp(np.percentile(seen, [2, 98], axis=0), axis=0).max())
    side = int(np.clip(round(3.2 * extent / texel), 80, GROUND_TEXELS))
    to_pixels = ground @ shifted(*(middle - side / 2 * texel)) @ np.diag([texel, texel, 1.0])
    matrix = shifted(-0.5, -0.5) @ to_pixels @ shifted(0.5, 0.5)
    depth = applied(to_pixels, pixels_of(np.ones((side, side), dtype=bool)))[:, 2]
    before = ((depth > 0) & (depth < FAR)).reshape(side, side)

    def from_above(image: F32) -> F32:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpPerspective(image, matrix, (side, side), flags=flags))

    good, gap, rim = (
        before & (from_above(mask.astype(np.float32)) > least)
        for mask, least in ((hole.good, 0.99), (hole.gap, 0.5), (hole.rim, 0.5))
    )
    if rim.sum() < 20 or gap.sum() < 20:
        return
    at = applied(to_pixels, pixels_of(rim))
    away = np.linalg.norm((at[:, :2] / at[:, 2:])[:, None] - centers, axis=-1)
    parts = np.full(rim.shape, -1, dtype=np.intp)
    parts[rim] = away.argmin(axis=1)
    yield _Plane(from_above(hole.picture), good, gap, parts, to_pixels)


class _Agreement:
    """How well a plane agrees with its own rim, moved by any amount.

    Parameters
    ----------
    plane : _Plane
    parts : int
        Of the rim.
    sideways : bool
        Whether only amounts to the left or right count.
    """

    def __init__(self, plane: _Plane, parts: int, sideways: bool) -> None:
        height, width = plane.good.shape
        left, top, across, down = cv2.boundingRect(
            ((plane.parts >= 0) | plane.gap).astype(np.uint8)
        )
        own = slice(top, top + down), slice(left, left + across)
        shape = fft.next_fast_len(height + down, True), fft.next_fast_len(width + across, True)

        def spectrum(values: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(fft.rfft2(values.astype(np.float32), shape))

        def back(values: NDArray[Any]) -> F32:
            return np.asarray(fft.irfft2(values, shape), dtype=np.float32).ravel()

        colours = np.moveaxis(plane.picture, -1, 0)
        bright = (colours**2).sum(axis=0)
        good_, bright_ = spectrum(plane.good), spectrum(bright * plane.good)
        colours_ = [spectrum(one * plane.good) for one in colours]
        self.errors = np.empty((parts, shape[0] * shape[1]), dtype=np.float32)
        self.counts = np.empty_like(self.errors)
        self.totals = np.zeros(parts, dtype=np.float32)
        for part in range(parts):
            rim = plane.parts[own] == part
            rim_ = np.conj(spectrum(rim))
            total = rim_ * bright_ + np.conj(spectrum(rim * bright[own])) * good_
            for one, one_ in zip(colours, colours_, strict=True):
                total -= 2 * np.conj(spectrum(rim * one[own])) * one_
            self.errors[part] = np.maximum(back(total), 0.0) / 3
            self.counts[part] = back(rim_ * good_)
            self.totals[part] = rim.sum()
        shown = back(np.conj(spectrum(plane.gap[own])) * good_)
        share = shown / max(float(plane.gap.sum()), 1.0)
        # Amounts wrap around.
        rows, columns = (
            np.where(np.arange(size) >= side, np.arange(size) - size, np.arange(size)) - first
            for size, side, first in zip(shape, (height, width), (top, left), strict=True)
        )
        # Hardly moved, everything agrees.
        moved = (np.abs(rows) > 2)[:, None] | (np.abs(columns) > 2)
        if sideways:
            moved &= (rows == 0)[:, None]
        self.tried = np.flatnonzero(moved.ravel() & (share >= LEAST_SHARE))
        self.rows, self.columns, self.sideways = rows, columns, sideways
        self.few = self.errors[:, self.tried], self.counts[:, self.tried]
        away = np.hypot(rows[:, None], columns).ravel()[self.tried] / max(height, width)
        self.least = EMPTY * (1 - share[self.tried]) + FARTHER * away.astype(np.float32)

    def costs(self, group: Group) -> F32:
        """(n,) how badly some parts of the rim agree, in levels of brightness.

        For n amounts, infinite for those that are taken.
        """
        total = float(self.totals[group].sum())
        if total < 6:
            return np.zeros(0, dtype=np.float32)
        pick = np.isin(np.arange(len(self.totals)), group).astype(np.float32)
        error, count = (pick @ few for few in self.few)
        cost = np.sqrt(error / np.maximum(count, 1e-3)) + self.least
        cost += UNSURE * np.maximum(1 - count / total, 0)
        cost[count < 0.6 * total] = np.inf
        return np.asarray(cost)

    def taken(self, index: int, group: Group) -> tuple[float, float]:
        """Columns and rows of the amount whose cost has this index; it and those alike are taken.

        To a fraction of a pixel, where some parts of the rim agree best.
        """
        width = len(self.columns)
        row, column = divmod(int(self.tried[index]), width)
        alike = np.abs(self.rows[self.tried // width] - self.rows[row]) <= ALIKE
        alike &= np.abs(self.columns[self.tried % width] - self.columns[column]) <= ALIKE
        self.least[alike] = np.inf

        def error(down: int, across: int) -> float:
            place = (row + down) % len(self.rows) * width + (column + across) % width
            count = max(float(self.counts[group, place].sum()), 1e-3)
            return float(self.errors[group, place].sum()) / count

        def lowest(before: float, here: float, after: float) -> float:
            bend = before + after - 2 * here
            return 0.0 if bend < 1e-6 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))

        here = error(0, 0)
        across = lowest(error(0, -1), here, error(0, 1))
        down = 0.0 if self.sideways else lowest(error(-1, 0), here, error(1, 0))
        return int(self.columns[column]) + across, int(self.rows[row]) + down


def _groups(centers: F32) -> list[Group]:
    """Parts of the rim, all of them first, then fewer and fewer that lie beside each other."""
    away = np.linalg.norm(centers[:, None] - centers, axis=-1)
    order = away.argsort(axis=1, kind="stable")
    groups = [list(range(len(centers)))]
    for few in NEIGHBOURS:
        if few < len(centers):
            groups += [order[part, :few].tolist() for part in range(len(centers))]
    return groups


def fillers(hole: Hole, bare: Mask, usual: F32, *, sideways: bool = False) -> Iterator[Float]:
    """Shifts that show, one after the other, the most of what is `bare` (h, w) of all.

    What is unlike the `usual` colours (h, w, 3) there counts less. The caller takes away from
    `bare` what they show. At last, one colour for whatever is left.
    """
    shape = tuple(fft.next_fast_len(2 * side, True) for side in bare.shape)
    good_ = fft.rfft2(hole.good.astype(np.float32), shape)
    colours = np.moveaxis(hole.picture * hole.good[..., None], -1, 0)
    bright_ = fft.rfft2((colours**2).sum(axis=0), shape)
    colours_ = fft.rfft2(colours, shape)
    wanted = np.moveaxis(usual, -1, 0)
    rows, columns = (
        np.where(np.arange(size) < side, np.arange(size), np.arange(size) - size)
        for size, side in zip(shape, bare.shape, strict=True)
    )
    # What is near is more alike.
    away = 0.02 * (np.abs(rows)[:, None] + np.abs(columns)) / max(bare.shape)
    taken = np.zeros(shape, dtype=bool)
    for _ in range(MOST_FILLERS):
        bare_ = np.conj(fft.rfft2(bare.astype(np.float32), shape))
        shown = np.asarray(fft.irfft2(bare_ * good_, shape))
        total = bare_ * bright_ + np.conj(fft.rfft2((wanted**2).sum(axis=0) * bare, shape)) * good_
        total -= 2 * (np.conj(fft.rfft2(wanted * bare, shape)) * colours_).sum(axis=0)
        error = np.asarray(fft.irfft2(total, shape)) / (3 * np.maximum(shown, 0.5))
        worth = shown / (1 + np.maximum(error, 0.0) / UNLIKE**2)
        gain = np.where((shown > 0.5) & ~taken, worth - away * bare.sum(), -np.inf)
        if sideways:
            gain[1:] = -np.inf
        row, column = np.unravel_index(int(gain.argmax()), shape)
        if not np.isfinite(gain[row, column]):
            break
        taken[row, column] = True
        yield shifted(float(columns[column]), float(rows[row]))
    places = pixels_of(hole.good)
    away = np.linalg.norm(places - pixels_of(bare).mean(axis=0), axis=1) / max(bare.shape)
    away += np.linalg.norm(hole.picture[hole.good] - usual[bare].mean(axis=0), axis=1) / UNLIKE
    nearest = places[int(away.argmin())]
    yield np.array([[0, 0, nearest[0]], [0, 0, nearest[1]], [0, 0, 1.0]])
