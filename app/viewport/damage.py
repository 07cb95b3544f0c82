"""Which part of the screen shows something else than in the frame before.

Only that part is drawn anew: filling a whole window costs a software rasteriser more than
everything else about a frame, and while a box is dragged most of the window stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIXEL = 1.0
"""At least one physical pixel, in logical ones: those at an area's edge are drawn whole."""


@dataclass(frozen=True)
class Area:
    """A rectangle of the screen, logical pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, points: NDArray[np.float32]) -> Area:
        """The smallest one that holds all points (N, 2)."""
        x, y = points.T
        return cls(float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    @classmethod
    def united(cls, areas: Iterable[Area | None]) -> Area | None:
        """The smallest one that holds all areas; None if there is none."""
        sides = [(area.left, area.top, area.right, area.bottom) for area in areas if area]
        if not sides:
            return None
        lefts, tops, rights, bottoms = zip(*sides, strict=True)
        return cls(min(lefts), min(tops), max(rights), max(bottoms))

    def grown(self, margin: float) -> Area:
        """With so much more on each side."""
        return Area(
            self.left - margin, self.top - margin, self.right + margin, self.bottom + margin
        )

    def meets(self, other: Area) -> bool:
        """Whether they have a point in common."""
        across = self.left <= other.right and other.left <= self.right
        return across and self.top <= other.bottom and other.top <= self.bottom

    def on_pixels(self, ratio: float, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width and height in physical pixels: all those that it touches.

        Parameters
        ----------
        ratio : float
            Physical pixels per logical pixel.
        width, height : int
            Of the screen, physical pixels.
        """
        left, right = (min(max(side * ratio, 0.0), width) for side in (self.left, self.right))
        top, bottom = (min(max(side * ratio, 0.0), height) for side in (self.top, self.bottom))
        x, y = math.floor(left), math.floor(top)
        return x, y, math.ceil(right) - x, math.ceil(bottom) - y


@dataclass(frozen=True)
class Layer:
    """Triangles in painting order.

    Attributes
    ----------
    vertices : structured array (3 M,)
        With an `a_position` in logical pixels.
    keys : array (M,)
        Equal for triangles that look the same.
    """

    vertices: NDArray[np.void]
    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, vertices: NDArray[np.void]) -> Layer:
        """Of all vertices, three for each triangle."""
        count = 3 * vertices.itemsize // 4
        words = vertices.view(np.uint32).reshape(-1, count)
        # With 64 bits no two that differ will ever have the same one.
        return cls(vertices, words.astype(np.uint64) @ _FACTORS[:count])

    @property
    def corners(self) -> NDArray[np.float32]:
        """(M, 3, 2) where the triangles are."""
        return np.asarray(self.vertices["a_position"]).reshape(-1, 3, 2)

    def within(self, area: Area) -> NDArray[np.void]:
        """The vertices of those triangles that may cover a part of an area's pixels."""
        x, y = self.corners.transpose(2, 1, 0)
        beside = _largest(x) < area.left - PIXEL
        beside |= -_largest(-x) > area.right + PIXEL
        beside |= _largest(y) < area.top - PIXEL
        beside |= -_largest(-y) > area.bottom + PIXEL
        return self.vertices.reshape(-1, 3)[~beside].reshape(-1)

    def damage(self, before: Layer) -> Area | None:
        """Where this looks otherwise than the layer before; None if nowhere."""
        head = _run(before.keys, self.keys)
        tail = _run(before.keys[head:][::-1], self.keys[head:][::-1])
        parts = [slice(head, len(layer.keys) - tail) for layer in (before, self)]
        differs = _differing(before.keys[parts[0]], self.keys[parts[1]])
        points = np.concatenate(
            [
                layer.corners[part][chosen].reshape(-1, 2)
                for layer, part, chosen in zip((before, self), parts, differs, strict=True)
            ]
        )
        return Area.around(points) if len(points) else None


def differing_pixels(old: NDArray[np.uint8] | None, new: NDArray[np.uint8]) -> Area | None:
    """Where a picture (height, width[, colours]) is another than before, in its own pixels.

    All of it if there was none, or one of another size; None if they are equal.
    """
    height, width = new.shape[:2]
    if old is None or old.shape != new.shape:
        return Area(0.0, 0.0, float(width), float(height))
    differs = (old != new).reshape(height, -1)
    rows = np.flatnonzero(differs.any(axis=1))
    if len(rows) == 0:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(differs[top:bottom].any(axis=0)) // (differs.shape[1] // width)
    return Area(float(columns[0]), float(top), float(columns[-1] + 1), float(bottom))


_FACTORS = np.random.default_rng(0).integers(1, 2**64, 64, dtype=np.uint64) | np.uint64(1)


def _run(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """How many keys are the same from the beginning on."""
    count = min(len(one), len(other))
    same = one[:count] == other[:count]
    return count if same.all() else int(np.argmin(same))


def _differing(
    old: NDArray[np.uint64], new: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which triangles are only in one of the two.

    What is in both was moved on by what came or went before it, and looks as it did. Where such
    triangles have changed places that cannot be told: then it is all of them.
    """
    before, now = old.tolist(), new.tolist()
    both = set(before).intersection(now)
    if [key for key in before if key in both] != [key for key in now if key in both]:
        both = set()
    gone, come = ([key not in both for key in keys] for keys in (before, now))
    return np.array(gone, dtype=np.bool_), np.array(come, dtype=np.bool_)


def _largest(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """(M,) of the three corners (3, M)."""
    return np.asarray(np.maximum(np.maximum(corners[0], corners[1]), corners[2]))
