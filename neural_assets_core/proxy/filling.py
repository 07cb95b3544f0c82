"""Filling holes with texture: large connected pieces of the picture, moved over the hole.

Every pixel of the hole is copied from a fixed distance away, and few such distances are used, so
that texture and grain stay whole (Kwatra et al. 2003, He and Sun 2012). Which distances are worth
trying, the hole's rim tells; which pixel takes which, a graph cut, so that pieces meet where they
are alike. At last the light of the pieces is fitted to the rim and to each other (Perez et al.
2003). All this is found on a small picture; the copy has the source's resolution and grain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.pieces import FORBIDDEN, POINTS, Level, Nodes, tried_shifts
from neural_assets_core.proxy.sampling import strips

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

COARSE = 4_700
"""Pixels of the picture on which pieces are chosen."""

FINE = 44_000
"""Pixels of the picture on which they are fitted."""

MOST_LIGHT = 0.7
"""By how much the logarithm of what is filled is changed to fit its surroundings, at most."""

MOST_TINT = 0.2
"""By how much more of one channel than of all."""

DARK = 8.0
"""Brightness, of 255, below which differences count less."""


@dataclass(frozen=True, eq=False)
class Filling:
    """What goes where in a hole, in cells of a coarser grid.

    Attributes
    ----------
    shifts : float32 (h, w, 2)
        From each cell to where it is copied from, right and down, as shares of the picture's size.
    light : float32 (h, w, 3)
        What is added to the logarithm of the copy.
    """

    shifts: F32
    light: F32

    def draw(self, picture: U8, rect: PixelRect) -> U8:
        """The filling of a part of the picture (h, w, 3), whether that is hole or not."""
        out = np.empty((rect.bottom - rect.top, rect.right - rect.left, 3), dtype=np.uint8)
        for strip in strips(rect):
            out[strip.top - rect.top : strip.bottom - rect.top] = self._tile(
                picture, *strip.slices
            )
        return out

    def lifted(self, lift: F32) -> Filling:
        """The same, copied from a picture that is darker by a lift (h, w, 3) of any size."""
        height, width = self.shifts.shape[:2]
        lift = np.asarray(cv2.resize(lift, (width, height), interpolation=cv2.INTER_AREA))
        y, x = np.mgrid[:height, :width]
        row = np.round(y + self.shifts[..., 1] * height).astype(np.intp).clip(0, height - 1)
        column = np.round(x + self.shifts[..., 0] * width).astype(np.intp).clip(0, width - 1)
        return replace(self, light=self.light + lift[row, column])

    def _tile(self, picture: U8, rows: slice, columns: slice) -> U8:
        height, width = picture.shape[:2]
        # Cells fade into each other: where they copy from the same distance, that is a copy.
        down = _faded(rows, height, self.shifts.shape[0])
        right = _faded(columns, width, self.shifts.shape[1])
        y, x = (np.arange(one.start, one.stop, dtype=np.float32) for one in (rows, columns))
        moved = np.round(self.shifts * np.array([width, height], np.float32)).astype(np.float32)
        total = np.zeros((len(y), len(x), 3), dtype=np.float32)
        for i, down_share in down:
            for j, right_share in right:
                cells = np.ix_(i, j)
                shift = moved[cells]
                copied = cv2.remap(
                    picture, x[None] + shift[..., 0], y[:, None] + shift[..., 1],
                    cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101,
                )
                lit = (np.asarray(copied) + np.float32(DARK)) * np.exp(self.light[cells])
                total += lit * (down_share[:, None] * right_share)[..., None]
        return np.asarray(np.round(total - np.float32(DARK)).clip(0, 255), dtype=np.uint8)


def _faded(part: slice, size: int, cells: int) -> list[tuple[NDArray[np.intp], F32]]:
    """Two cells for each pixel of a part of a side, with their shares."""
    at = (np.arange(part.start, part.stop) + 0.5) * cells / size - 0.5
    first = np.floor(at)
    share = np.clip((at - first - 0.5) * 2.0 + 0.5, 0.0, 1.0).astype(np.float32)
    return [
        (first.clip(0, cells - 1).astype(np.intp), 1 - share),
        ((first + 1).clip(0, cells - 1).astype(np.intp), share),
    ]


def fill_texture(picture: U8, hole: Mask, usable: Mask, around: Mask | None = None) -> U8:
    """Fill a hole with texture from elsewhere in the picture.

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    hole : bool (h, w)
        Pixels to fill; all others stay.
    usable : bool (h, w)
        Pixels that may be copied; where the hole is, they do not count.
    around : bool (h, w), optional
        Pixels that the filling goes on from, by default those that are usable.

    Returns
    -------
    uint8 (h, w, 3)
        Deterministic.
    """
    if not hole.any():
        return picture
    filling = find_filling(picture, hole, usable, around)
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    rect = PixelRect(left, top, left + width, top + height)
    out = picture.copy()
    for strip in strips(rect):
        at = strip.slices
        out[at] = np.where(hole[at][..., None], filling.draw(picture, strip), picture[at])
    return out


def find_filling(
    picture: U8, hole: Mask, usable: Mask, around: Mask | None = None, *, sideways: bool = False
) -> Filling:
    """What a hole is filled with; see `fill_texture`. The picture may be a small one.

    With `sideways`, all is copied from the same row.
    """
    usable = usable & ~hole
    around = usable if around is None else around & ~hole
    scale = min(1.0, math.sqrt(FINE / hole.size))
    fine = Level.of(picture, hole, usable, around, scale)
    height, width = fine.hole.shape
    if not fine.usable.any():
        level = np.log(np.float32(128 + DARK)) - np.log(fine.picture + np.float32(DARK))
        return Filling(np.zeros((height, width, 2), np.float32), level)
    ratio = min(1.0, math.sqrt(COARSE / hole.size)) / scale
    coarse = Level.of(fine.picture, fine.hole, fine.usable, fine.around, ratio)
    shifts = tried_shifts(coarse, sideways)
    nodes = Nodes(coarse, shifts)
    labels = nodes.solved()
    # The same pieces on the fine picture.
    rows = ((np.arange(height) + 0.5) * coarse.hole.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * coarse.hole.shape[1] / width).astype(np.intp)
    chosen = labels[np.ix_(rows, columns)]
    grown = np.array([width / coarse.hole.shape[1], height / coarse.hole.shape[0]])
    reach = int(grown.max()) + 1
    places = _fitted(
        fine, chosen, np.round(shifts * grown).astype(np.int32), (reach, 0 if sideways else reach)
    )
    light = _light(fine, places)
    y, x = np.mgrid[:height, :width]
    moved = (places - np.stack([x, y], axis=-1)) / np.array([width, height])
    return Filling(moved.astype(np.float32), light)


def _fitted(
    level: Level, labels: NDArray[np.intp], shifts: I32, reach: tuple[int, int]
) -> I32:
    """(h, w, 2) column and row that each pixel is copied from.

    Shifts that were found on a coarser picture are corrected by up to `reach` pixels, right and
    down, so that lines go on across the pieces' edges.
    """
    height, width = level.hole.shape
    looks = level.looks
    y, x = np.nonzero(level.hole | level.rim)
    label = labels[y, x]
    number = np.full(labels.shape, -1, dtype=np.int64)
    number[y, x] = np.arange(len(y))
    known = level.rim[y, x]
    shifts = shifts.copy()
    # At a piece's edge: what is known there, or what the neighbouring piece shows there.
    touching = []
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        other = number[(y + dy).clip(0, height - 1), (x + dx).clip(0, width - 1)]
        seam = (other >= 0) & (label[other] != label) & ~known
        touching.append((np.flatnonzero(seam), label[other[seam]]))
    steps = np.stack(
        np.meshgrid(*(np.arange(-most, most + 1) for most in reach)), axis=-1
    ).reshape(-1, 2)
    steps = steps[np.argsort(np.abs(steps).sum(axis=1), kind="stable")]

    def shown(nodes: NDArray[np.int64], moved: NDArray[np.int64]) -> F32:
        column = (x[nodes] + moved[..., 0]).clip(0, width - 1)
        row = (y[nodes] + moved[..., 1]).clip(0, height - 1)
        return np.asarray(looks[row, column])

    for piece in np.unique(label):
        own = [np.flatnonzero(known & (label == piece))]
        wanted = [looks[y[own[0]], x[own[0]]]]
        for nodes, across in touching:
            mine = label[nodes] == piece
            own.append(nodes[mine])
            wanted.append(shown(nodes[mine], shifts[across[mine]]))
        nodes, target = np.concatenate(own), np.concatenate(wanted)
        thin = 1 + len(nodes) // (2 * POINTS)
        nodes, target = nodes[::thin], target[::thin]
        if not len(nodes):
            continue
        tried = shifts[piece] + steps
        apart = shown(nodes, tried[:, None]) - target
        errors = np.sqrt((apart * apart).sum(axis=-1)).mean(axis=1)
        shifts[piece] = tried[int(errors.argmin())]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.int32)
    places[y, x] += _allowed(level, x, y, shifts, label)
    return _near(level, places)


def _allowed(
    level: Level, x: NDArray[np.int64], y: NDArray[np.int64], shifts: I32, label: NDArray[np.intp]
) -> I32:
    """The shift (n, 2) of each pixel; another piece's where its own does not lead to a usable one.
    """
    height, width = level.hole.shape
    column, row = x[None] + shifts[:, :1], y[None] + shifts[:, 1:]
    valid = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    valid &= level.usable[row.clip(0, height - 1), column.clip(0, width - 1)]
    lost = np.flatnonzero(~valid[label, np.arange(len(x))])
    apart = np.abs(shifts[:, None] - shifts[None]).sum(axis=-1)
    costs = np.where(valid[:, lost], 0, FORBIDDEN) + apart[:, label[lost]]
    label = label.copy()
    label[lost] = costs.argmin(axis=0)
    return shifts[label]


def _near(level: Level, places: I32) -> I32:
    """The same places, moved to the nearest usable ones where they are none."""
    height, width = level.hole.shape
    _, nearest = cv2.distanceTransformWithLabels(
        (~level.usable).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 2), dtype=np.int32)
    rows, columns = np.nonzero(level.usable)
    table[nearest[rows, columns]] = np.stack([columns, rows], axis=-1)
    x, y = places[..., 0].clip(0, width - 1), places[..., 1].clip(0, height - 1)
    return np.asarray(table[nearest[y, x]], dtype=np.int32)


def _light(level: Level, places: I32) -> F32:
    """(h, w, 3) what the logarithm of the copies lacks to go on from the rim, and across seams."""
    height, width = level.hole.shape
    logs = np.log(cv2.GaussianBlur(level.picture, (0, 0), 1.5) + np.float32(DARK))
    rim = level.rim
    own = level.picture * level.around[..., None]
    share = cv2.GaussianBlur(level.around.astype(np.float32), (0, 0), 1.5)
    around = cv2.GaussianBlur(own, (0, 0), 1.5) / np.maximum(share, 1e-3)[..., None]
    around = np.log(around + np.float32(DARK))
    out = np.zeros(level.picture.shape, dtype=np.float32)
    y, x = np.nonzero(level.hole)
    number = np.full(level.hole.shape, -1, dtype=np.int64)
    number[y, x] = np.arange(len(y))
    shift = places - np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)

    def copied(row: NDArray[np.int64], column: NDArray[np.int64], by: I32) -> F32:
        return np.asarray(logs[
            (row + by[:, 1]).clip(0, height - 1), (column + by[:, 0]).clip(0, width - 1)
        ])

    diagonal, right = np.full(len(y), 1e-5), np.zeros((len(y), 3))
    tails, heads = [], []
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        row, column = y + dy, x + dx
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row, column = row.clip(0, height - 1), column.clip(0, width - 1)
        by, beside = shift[y, x], shift[row, column]
        other = np.where(inside, number[row, column], -1)
        fixed = inside & rim[row, column]
        diagonal += fixed
        right[fixed] += (around[row, column] - copied(row, column, by))[fixed]
        linked = other >= 0
        diagonal += linked
        # Across a seam, the step between two pieces is what both of them show there, halved.
        step = copied(row, column, beside) - copied(row, column, by)
        back = copied(y, x, beside) - copied(y, x, by)
        right[linked] += 0.5 * (step + back)[linked]
        tails.append(np.flatnonzero(linked))
        heads.append(other[linked])
    tail, head = np.concatenate(tails), np.concatenate(heads)
    every = np.arange(len(y))
    matrix = coo_matrix(
        (
            np.concatenate([diagonal, np.full(len(tail), -1.0)]),
            (np.concatenate([every, tail]), np.concatenate([every, head])),
        ),
        shape=(len(y), len(y)),
    ).tocsc()
    solution = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(right)
    # Colours change less than brightness: a highlight at the rim must not stain what is filled.
    grey = solution.mean(axis=1, keepdims=True)
    tint = (solution - grey).clip(-MOST_TINT, MOST_TINT)
    out[y, x] = (grey + tint).clip(-MOST_LIGHT, MOST_LIGHT)
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
