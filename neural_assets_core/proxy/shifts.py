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
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

SIDE = 128
"""Pixels a side of the picture in which shifts are sought, at most."""

RIM = 4
"""Pixels around the hole that shifted copies have to agree with."""

PARTS = 12
"""Of the rim: a copy may go on well at one side of the hole and badly at another."""

NEIGHBOURS = (6, 4, 2)
"""Parts beside each other that a copy is sought for, besides all of them together."""

MOST = 20
"""Shifts that are kept."""

FOR_ALL = 4
"""Of them, those that suit all of the rim."""

FEW = 60
"""Of the best amounts of a plane that are looked at."""

LEAST_SHARE = 0.08
"""Of the hole that a copy must be able to show."""

UNSURE = 25.0
"""Brightness levels that a rim of which a copy knows nothing would be worth."""

EMPTY = 6.0
"""The same for a hole of which it shows nothing."""

FAR = 60.0
"""Metres beyond which ground is too flat to be moved."""

CLIP = 80.0
"""Greatest difference of brightness, of 255, that counts."""

GROUND_TEXELS = 220
"""Side of the map of the ground, at most."""


@dataclass(frozen=True)
class Shift:
    """A copy of the picture: on the ground, by world metres (x, y), or in the picture, by pixels.

    A place shows what the picture shows at that place plus `by`.
    """

    on_ground: bool
    by: tuple[float, float]

    def moved(self, pixels: Float, ground: Float, camera: Camera) -> Float:
        """Where (..., 2) a camera's `pixels`, which see `ground`, are copied from."""
        if not self.on_ground:
            return np.asarray(pixels + np.asarray(self.by))
        return seen_ground(camera, ground + np.asarray(self.by))

    def scaled(self, scale: Float) -> Shift:
        """The same for a picture that is larger by `scale` (x, y)."""
        if self.on_ground:
            return self
        return Shift(False, (self.by[0] * float(scale[0]), self.by[1] * float(scale[1])))


def ground_at(camera: Camera, pixels: Float) -> Float:
    """World (x, y) metres (..., 2) of the ground z = 0 that pixels see; NaN where they see none."""
    origin, directions = camera.rays(pixels)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -origin[2] / directions[..., 2]
    reach = np.where((reach > NEAR) & (reach < FAR), reach, np.nan)
    return np.asarray((origin + reach[..., None] * directions)[..., :2])


def seen_ground(camera: Camera, ground: Float) -> Float:
    """Pixels (..., 2) at which the camera sees places on the ground; far outside if it does not."""
    seen = camera.project(np.concatenate([ground, np.zeros((*ground.shape[:-1], 1))], axis=-1))
    return np.nan_to_num(seen[..., :2], nan=-1e4).clip(-1e4, 1e5)


@dataclass(frozen=True)
class Work:
    """A picture with a hole, at the size at which shifts are sought; arrays (h, w).

    Attributes
    ----------
    picture : float32 (h, w, 3)
    good : bool
        Pixels that may be copied.
    hole, rim : bool
        What is to be filled, and what around it has to agree.
    camera : Camera
        Of this size.
    """

    picture: F32
    good: Mask
    hole: Mask
    rim: Mask
    camera: Camera
    _weight: F32 = field(repr=False)

    @classmethod
    def of(cls, picture: U8, hole: Mask, known: Mask, plain: Mask, camera: Camera) -> Work:
        """From a picture (h, w, 3) of any size; what is not `plain` is not copied."""
        height, width = hole.shape
        scale = min(1.0, SIDE / max(height, width))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        masks = hole, known, known & plain
        small, gap, seen, open_ = (
            np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
            for image in (picture, *(np.where(m, 255, 0).astype(np.uint8) for m in masks))
        )
        missing = gap > 2
        around = cv2.dilate(missing.astype(np.uint8), np.ones((2 * RIM + 1,) * 2)) > 0
        rim = around & ~missing & (seen > 240)
        good = ~missing & (open_ > 240)
        return cls(
            small.astype(np.float32), good, missing, rim, camera.resized(*size),
            good.astype(np.float32),
        )

    def shown(self, pixels: Float) -> tuple[F32, Mask]:
        """Colours (..., 3) at positions (..., 2), and whether they may be copied."""
        maps = (pixels.reshape(-1, 2) - 0.5).astype(np.float32)
        # OpenCV limits a map's sides to 32767: fold the list into rows.
        width = 1024
        rows = -(-len(maps) // width)
        folded = np.full((rows * width, 2), -1e4, dtype=np.float32)
        folded[: len(maps)] = maps
        grid = folded.reshape(rows, width, 2)
        colours = cv2.remap(self.picture, grid, None, cv2.INTER_LINEAR)
        weight = cv2.remap(self._weight, grid, None, cv2.INTER_LINEAR)
        shape = pixels.shape[:-1]
        return (
            np.asarray(colours).reshape(-1, 3)[: len(maps)].reshape(*shape, 3),
            (np.asarray(weight).reshape(-1)[: len(maps)] > 0.99).reshape(shape),
        )

    @staticmethod
    def centers(mask: Mask) -> Float:
        """(n, 2) positions of the pixels of a mask, row by row."""
        rows, columns = np.nonzero(mask)
        return np.asarray(np.stack([columns, rows], axis=1) + 0.5, dtype=np.float64)


@dataclass(frozen=True)
class _Plane:
    """The picture, or a map of the ground: something that is moved about.

    Attributes
    ----------
    picture : float32 (h, w, 3)
    good, hole : bool (h, w)
    parts : int (h, w)
        Which part of the rim, -1 elsewhere.
    unit : float
        Size of a cell: 1 pixel, or metres.
    """

    on_ground: bool
    picture: F32
    good: Mask
    hole: Mask
    parts: Index
    unit: float


def find_shifts(work: Work) -> list[Shift]:
    """Shifts whose copies agree with the rim, or with a part of it; the best come first."""
    rim = Work.centers(work.rim)
    if len(rim) < 4:
        return []
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.1)
    cv2.setRNGSeed(0)
    _, found, centers = cv2.kmeans(
        rim.astype(np.float32), min(PARTS, len(rim)), None, criteria, 2, cv2.KMEANS_PP_CENTERS
    )
    parts = np.asarray(found)[:, 0]
    planes = [_picture_plane(work, parts), *_ground_plane(work, np.asarray(centers))]
    agreed = [_Agreement.of(plane, len(centers)) for plane in planes]
    shifts: list[Shift] = []
    taken: list[tuple[int, int, int]] = []
    for group in _groups(np.asarray(centers)):
        wanted = FOR_ALL if len(group) == len(centers) else 1
        for which, row, column in _best(agreed, group):
            close = any(
                which == w and abs(row - r) <= 2 and abs(column - c) <= 2 for w, r, c in taken
            )
            if close and wanted == 1:
                break
            if close:
                continue
            taken.append((which, row, column))
            unit = planes[which].unit
            first = Shift(planes[which].on_ground, (column * unit, row * unit))
            shifts.append(_refined(work, first, unit, rim[np.isin(parts, group)]))
            wanted -= 1
            if wanted <= 0:
                break
        if len(shifts) >= MOST:
            break
    return shifts


def _picture_plane(work: Work, parts: NDArray[np.int32]) -> _Plane:
    where = np.full(work.hole.shape, -1, dtype=np.intp)
    where[work.rim] = parts
    return _Plane(False, work.picture, work.good, work.hole, where, 1.0)


def _ground_plane(work: Work, centers: F32) -> Iterator[_Plane]:
    """A map of the ground around the hole, if it shows enough of that."""
    seen = ground_at(work.camera, Work.centers(work.hole))
    seen = seen[np.isfinite(seen[:, 0])]
    if len(seen) < 30:
        return
    middle = np.median(seen, axis=0)
    corners = seen_ground(work.camera, middle + 0.01 * np.array([[0, 0], [1, 0], [0, 1.0]]))
    area = abs(float(np.linalg.det(corners[1:] - corners[0])))
    if area < 1e-9:
        return
    # About a texel a pixel where the hole is.
    texel = 0.01 / np.sqrt(area)
    extent = float(np.ptp(np.percentile(seen, [2, 98], axis=0), axis=0).max())
    side = int(np.clip(round(3.2 * extent / texel), 80, GROUND_TEXELS))
    steps = (np.arange(side) + 0.5 - side / 2) * texel
    pixels = seen_ground(work.camera, middle + np.stack(np.meshgrid(steps, steps), axis=-1))
    picture, good = work.shown(pixels)
    maps = (pixels - 0.5).astype(np.float32)
    hole, rim = (
        np.asarray(cv2.remap(mask.astype(np.float32), maps, None, cv2.INTER_LINEAR)) > 0.5
        for mask in (work.hole, work.rim)
    )
    if rim.sum() < 20 or hole.sum() < 20:
        return
    away = np.linalg.norm(pixels[rim][:, None] - centers, axis=-1)
    parts = np.full(rim.shape, -1, dtype=np.intp)
    parts[rim] = away.argmin(axis=1)
    yield _Plane(True, picture, good, hole, parts, float(texel))


@dataclass(frozen=True)
class _Agreement:
    """How well a plane agrees with its own rim, moved by any amount; amounts wrap around.

    Attributes
    ----------
    error, count : float32 (parts, h, w)
        Summed squares of differences, and of how many pixels.
    total : float32 (parts,)
        Pixels of each part of the rim.
    share : float32 (h, w)
        Of the hole that is shown.
    """

    error: F32
    count: F32
    total: F32
    share: F32

    @classmethod
    def of(cls, plane: _Plane, parts: int) -> _Agreement:
        """For all amounts at once."""
        shape = tuple(fft.next_fast_len(2 * side) for side in plane.good.shape)

        def spectrum(values: F32) -> NDArray[Any]:
            return np.asarray(fft.rfft2(values.astype(np.float32), shape))

        def back(values: NDArray[Any]) -> F32:
            return np.asarray(fft.irfft2(values, shape), dtype=np.float32)

        good = plane.good.astype(np.float32)
        known = plane.picture * good[..., None]
        bright = (plane.picture**2).sum(axis=-1)
        good_, bright_ = spectrum(good), spectrum(bright * good)
        colours_ = [spectrum(known[..., channel]) for channel in range(3)]
        errors, counts, totals = [], [], []
        for part in range(parts):
            rim = (plane.parts == part).astype(np.float32)
            rim_ = np.conj(spectrum(rim))
            total = rim_ * bright_ + np.conj(spectrum(rim * bright)) * good_
            for channel in range(3):
                own = np.conj(spectrum(rim * plane.picture[..., channel]))
                total -= 2 * own * colours_[channel]
            errors.append(np.maximum(back(total), 0.0) / 3)
            counts.append(back(rim_ * good_))
            totals.append(float(rim.sum()))
        hole_ = np.conj(spectrum(plane.hole.astype(np.float32)))
        share = back(hole_ * good_) / max(float(plane.hole.sum()), 1.0)
        return cls(
            np.asarray(errors), np.asarray(counts), np.asarray(totals, dtype=np.float32), share
        )

    def cost(self, group: list[int]) -> F32:
        """(h, w) how badly some parts of the rim agree, in levels of brightness."""
        total = float(self.total[group].sum())
        if total < 6:
            return np.full(self.share.shape, np.inf, dtype=np.float32)
        count = self.count[group].sum(axis=0)
        error = np.sqrt(self.error[group].sum(axis=0) / np.maximum(count, 1e-3))
        cost = error + UNSURE * np.maximum(1 - count / total, 0) + EMPTY * (1 - self.share)
        cost[(count < 0.6 * total) | (self.share < LEAST_SHARE)] = np.inf
        # Hardly moved, everything agrees.
        cost[np.ix_(*(np.r_[0:3, -2:0] for _ in range(2)))] = np.inf
        return np.asarray(cost, dtype=np.float32)


def _groups(centers: F32) -> list[list[int]]:
    """Parts of the rim, all of them first, then fewer and fewer that lie beside each other."""
    away = np.linalg.norm(centers[:, None] - centers, axis=-1)
    order = away.argsort(axis=1)
    groups = [list(range(len(centers)))]
    for few in NEIGHBOURS:
        if few < len(centers):
            groups += [order[part, :few].tolist() for part in range(len(centers))]
    return groups


def _best(agreed: list[_Agreement], group: list[int]) -> list[tuple[int, int, int]]:
    """Plane, rows and columns of the amounts that suit these parts best."""
    found: list[tuple[float, int, int, int]] = []
    for which, plane in enumerate(agreed):
        cost = plane.cost(group)
        height, width = cost.shape
        few = min(FEW, cost.size)
        for index in np.argpartition(cost.ravel(), few - 1)[:few]:
            row, column = divmod(int(index), width)
            value = float(cost[row, column])
            if np.isfinite(value):
                row -= height * (row >= height // 2)
                column -= width * (column >= width // 2)
                found.append((value, which, row, column))
    return [(which, row, column) for _, which, row, column in sorted(found)]


def _refined(work: Work, shift: Shift, unit: float, rim: Float) -> Shift:
    """The shift, to a fraction of a pixel, that agrees best with positions (n, 2) of the rim."""
    ground = ground_at(work.camera, rim)
    # Positions of pixels: nothing to be interpolated.
    columns, rows = rim.astype(np.intp).T
    truth = work.picture[rows, columns]

    def cost(candidate: Shift) -> float:
        colours, known = work.shown(candidate.moved(rim, ground, work.camera))
        error = np.minimum(np.abs(colours - truth).mean(axis=-1), CLIP)
        return float(np.where(known, error, 0.6 * CLIP).mean())

    best, step = cost(shift), 0.7 * unit
    around = [(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)]
    for _ in range(4):
        tried = [
            Shift(shift.on_ground, (shift.by[0] + step * x, shift.by[1] + step * y))
            for x, y in around
        ]
        costs = [cost(candidate) for candidate in tried]
        if min(costs) < best:
            best, shift = min(costs), tried[int(np.argmin(costs))]
        else:
            step *= 0.5
    return shift
