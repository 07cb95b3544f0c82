"""Pieces of a picture that could fill a hole in it, and which pixel takes which."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

PIECES = 16
"""Distances that are tried, at most."""

MORE_PIECES, CHOICE = 10, 4
"""Further ones, until each pixel of the hole has so many to choose from."""

POINTS = 140
"""Of the rim, and of the hole, that speak for one distance or another."""

NEAREST = 4
"""Pixels of the coarse picture that a copy comes from afar, at least."""

LOCAL = 0.35
"""Cost of a copy from the other end of the picture, relative to the usual difference at a seam."""

UPRIGHT = 2.0
"""How much farther up and down is than sideways: texture there has another size."""

SWEEPS = 2
FORBIDDEN = 10_000.0
SCALE = 100.0
"""Steps of a graph cut's whole numbers in the usual difference at a seam."""


@dataclass(frozen=True, eq=False)
class Level:
    """One size of the picture: float32 (h, w, 3), and what of it may be used for what (h, w)."""

    picture: F32
    hole: Mask
    usable: Mask
    around: Mask

    @classmethod
    def of(
        cls, picture: U8 | F32, hole: Mask, usable: Mask, around: Mask, scale: float
    ) -> Level:
        if scale >= 1.0:
            return cls(picture.astype(np.float32), hole, usable, around)
        size = max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale))

        def shrunk(values: U8 | F32 | Mask) -> F32:
            if values.dtype == bool:
                share = shrunk(np.where(values, np.uint8(255), np.uint8(0)))
                return share * np.float32(1 / 255)
            return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

        either = usable | around
        share = shrunk(either)
        own = cv2.bitwise_and(picture, picture, mask=either.astype(np.uint8))
        known = shrunk(np.asarray(own)) / np.maximum(share, 1e-3)[..., None]
        small = np.where(share[..., None] > 0.2, known, shrunk(picture))
        shares = shrunk(usable), shrunk(around)
        good = shares[0] > 0.95
        good = good if good.any() else shares[0] >= max(float(shares[0].max()), 1e-3)
        gap = shrunk(hole) > 0.01
        return cls(small.astype(np.float32), gap, good, (shares[1] > 0.5) & ~gap)

    @property
    def rim(self) -> Mask:
        """Pixels close to the hole that it goes on from."""
        near = cv2.dilate(self.hole.astype(np.uint8), np.ones((5, 5), np.uint8))
        return np.asarray((near > 0) & ~self.hole & self.around)

    @property
    def looks(self) -> F32:
        """(h, w, 5) what is compared: colours, less of their light, and edges."""
        light = cv2.GaussianBlur(self.picture, (0, 0), 6.0)
        grey = self.picture.mean(axis=-1)
        edges = [cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, scale=0.25) for dx in (1, 0)]
        return np.dstack([self.picture - np.float32(0.4) * light, *edges]).astype(np.float32)


def tried_shifts(level: Level, sideways: bool) -> I32:
    """(k, 2) shifts, right and down, that bring the most of the rim to where it looks alike."""
    height, width = level.hole.shape
    dy, dx = (np.arange(-side + 1, side, 2 if side > 16 else 1) for side in (height, width))
    shifts = np.stack(np.meshgrid(dx, dy), axis=-1).reshape(-1, 2).astype(np.int32)
    shifts = shifts[np.abs(shifts).max(axis=1) >= min(NEAREST, max(height, width) - 1)]
    if sideways:
        shifts = shifts[shifts[:, 1] == shifts[np.abs(shifts[:, 1]).argmin(), 1]] * [1, 0]
        shifts = shifts.astype(np.int32)
    rim, inside = _few(np.argwhere(level.rim)), _few(np.argwhere(level.hole))
    points = np.concatenate([rim, inside])[:, ::-1]
    at = points[None] + shifts[:, None]
    valid = ((at >= 0) & (at < [width, height])).all(axis=-1)
    x, y = at[..., 0].clip(0, width - 1), at[..., 1].clip(0, height - 1)
    valid &= level.usable[y, x]
    looks = level.looks
    costs = np.zeros(valid.shape, dtype=np.float32)
    number = len(rim)
    if number:
        here = looks[rim[:, 0], rim[:, 1]]
        apart = looks[y[:, :number], x[:, :number]] - here
        costs[:, :number] = np.sqrt((apart * apart).sum(axis=-1))
    far = np.abs(shifts * [1.0, UPRIGHT]).sum(axis=1) / (height + width)
    usual = max(float(np.median(costs[:, :number][valid[:, :number]])), 1.0) if number else 1.0
    costs += (LOCAL * usual * far)[:, None].astype(np.float32)
    # That all of the hole can be filled counts more than how well.
    worst = np.where(np.arange(len(points)) < number, 3.0, 12.0).astype(np.float32) * usual
    costs = np.where(valid, np.minimum(costs, worst), worst).astype(np.float32)
    best, chosen = worst, []
    for _ in range(PIECES):
        gains = np.maximum(best - costs, 0.0).sum(axis=1)
        one = int(gains.argmax())
        if gains[one] <= 1e-3:
            break
        chosen.append(one)
        best = np.minimum(best, costs[one])
    # A choice of several everywhere, or pieces end where they must and not where they match.
    covered = valid[chosen].sum(axis=0)
    quality = costs[:, :number].mean(axis=1) / usual if number else far
    for _ in range(MORE_PIECES):
        wanting = valid[:, covered < CHOICE].sum(axis=1)
        one = int((wanting * (4.0 - quality)).argmax())
        if wanting[one] == 0:
            break
        chosen.append(one)
        covered = covered + valid[one]
    return shifts[chosen] if chosen else np.zeros((1, 2), dtype=np.int32)


def _few(points: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(points)[:POINTS]


class Nodes:
    """The pixels of a hole and its rim as nodes of a graph, to be labelled with shifts."""

    def __init__(self, level: Level, shifts: I32) -> None:
        self.shape = level.hole.shape
        height, width = self.shape
        rim = level.rim
        self.rows, self.columns = np.nonzero(level.hole | rim)
        number = np.full(self.shape, -1, dtype=np.int64)
        number[self.rows, self.columns] = np.arange(len(self.rows))
        pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
        both = [np.stack([a.ravel(), b.ravel()])[:, ((a >= 0) & (b >= 0)).ravel()]
                for a, b in pairs]
        self.p, self.q = np.concatenate(both, axis=1)
        x = self.columns[None] + shifts[:, :1]
        y = self.rows[None] + shifts[:, 1:]
        valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        x, y = x.clip(0, width - 1), y.clip(0, height - 1)
        valid &= level.usable[y, x]
        looks = level.looks
        self.looks = looks[y, x]
        apart = self.looks - looks[self.rows, self.columns]
        misfit = np.sqrt((apart * apart).sum(axis=-1))
        on_rim = rim[self.rows, self.columns]
        self.usual = max(float(np.median(misfit[:, on_rim])), 1.0) if on_rim.any() else 1.0
        far = np.abs(shifts * [1.0, UPRIGHT]).sum(axis=1) / (height + width)
        costs = np.where(on_rim, 2.0 * misfit / self.usual, LOCAL * far[:, None])
        self.unary = np.where(valid, costs, FORBIDDEN)

    def solved(self) -> NDArray[np.intp]:
        """(h, w) the label of every pixel, 0 outside."""
        labels = self.unary.argmin(axis=0)
        for _ in range(SWEEPS):
            before = labels
            for label in range(len(self.unary)):
                labels = self._expanded(labels, label)
            if np.array_equal(before, labels):
                break
        out = np.zeros(self.shape, dtype=np.intp)
        out[self.rows, self.columns] = labels
        return out

    def _seam(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float64]:
        """What it costs that of each pair the first has label `a` and the second `b`."""
        total = np.zeros(len(self.p))
        differ = np.flatnonzero(a != b)
        for nodes in (self.p[differ], self.q[differ]):
            apart = self.looks[a[differ], nodes] - self.looks[b[differ], nodes]
            total[differ] += np.sqrt((apart * apart).sum(axis=-1))
        return total / self.usual

    def _expanded(self, labels: NDArray[np.intp], label: int) -> NDArray[np.intp]:
        """The best that comes of giving one label to any nodes (Boykov et al. 2001)."""
        number = len(labels)
        first, second = labels[self.p], labels[self.q]
        new = np.full(len(self.p), label, dtype=np.intp)
        stay = self._seam(first, second)
        enter, leave = self._seam(first, new), self._seam(new, second)
        change = self.unary[label] - self.unary[labels, np.arange(number)]
        change += np.bincount(self.p, leave - stay, number)
        change -= np.bincount(self.q, leave, number)
        if (change >= 0).all():
            return labels
        between = np.maximum(enter + leave - stay, 0.0)
        every = np.arange(number)
        source, sink = number, number + 1
        tail = np.concatenate([self.p, np.full(number, source), every])
        head = np.concatenate([self.q, every, np.full(number, sink)])
        size = np.concatenate([between, np.maximum(change, 0), np.maximum(-change, 0)])
        size = np.minimum(np.round(SCALE * size), 2**28).astype(np.int32)
        used = size > 0
        shape = (number + 2, number + 2)
        capacity = csr_matrix((size[used], (tail[used], head[used])), shape=shape)
        flow = maximum_flow(capacity, source, sink).flow
        left = capacity - flow
        left.data[left.data < 0] = 0
        left.eliminate_zeros()
        kept = breadth_first_order(left, source, return_predecessors=False)
        out = np.full(number + 2, label, dtype=np.intp)
        out[kept[kept < number]] = labels[kept[kept < number]]
        return out[:number]
