"""Lines that the artist lays over edges of the photograph, and where they meet.

Inside this package's arithmetic the picture's origin is the principal point, and the unit of
length is half of the picture's diagonal: numbers are about 1 for pictures of every size.
Vanishing points are homogeneous unit vectors (x, y, w) in these units, w = 0 at infinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry.box import Float

Axis = Literal["x", "y", "z"]
"""The world direction that a line follows; z is up."""

AXES: tuple[Axis, ...] = ("x", "y", "z")

Point = tuple[float, float]
"""A position in the picture, pixels."""

NOISE = 1.0 / 750.0
"""How exactly a hand places a point, half diagonals: 1.2 pixels in 1500 x 1000."""

TAIL = 2.4
"""Deviations beyond this many standard ones begin to lose their say (Cauchy's weights)."""

SHORTEST = 3.0 * NOISE
"""Shorter segments say nothing."""

REFINEMENTS = 5
"""Steps of the fit of one vanishing point, which starts close by."""

FARTHEST_END = 1000.0
"""Half diagonals from the picture to the end of a line."""

MOST_PAIRED = 24
"""Segments of which every pair is tried for the first guess."""


class Segment(NamedTuple):
    """A line over an edge of something: two points of the picture, pixels, in any order."""

    start: Point
    end: Point


@dataclass(frozen=True)
class VanishingPoint:
    """Where the lines along one axis meet.

    Attributes
    ----------
    at : array (3,)
        Homogeneous, of unit length.
    covariance : array (3, 3)
        Of `at`, if ends are off by `NOISE`; zero along `at` itself.
    """

    at: Float
    covariance: Float

    @property
    def uncertainty(self) -> float:
        """Standard deviation in its worst direction, about radians."""
        return float(np.sqrt(max(np.linalg.eigvalsh(self.covariance)[-1], 0.0)))

    @property
    def is_distant(self) -> bool:
        """Whether the lines may as well be parallel in the picture."""
        return bool(self.at[2] ** 2 < 9.0 * self.covariance[2, 2])


@dataclass(frozen=True)
class Chords:
    """Segments prepared for being compared with vanishing points, again and again.

    Attributes
    ----------
    middle : array (..., 2)
    normal : array (..., 3)
        The line through the start and the middle, homogeneous, as long as the two are apart.
    """

    middle: Float
    normal: Float

    @classmethod
    def of(cls, ends: Float) -> Chords:
        """From both ends of each segment (..., 2, 2)."""
        middle = 0.5 * (ends[..., 0, :] + ends[..., 1, :])
        x, y = np.moveaxis(ends[..., 0, :] - middle, -1, 0)
        normal = np.stack([-y, x, y * middle[..., 0] - x * middle[..., 1]], axis=-1)
        return cls(middle, normal)

    def misses(self, points: Float) -> tuple[Float, Float]:
        """By how much the segments miss vanishing points, and how that changes with the points.

        Parameters
        ----------
        points : array (..., 3)
            Homogeneous, of any length.

        Returns
        -------
        distance : array (...)
            Signed, of the start from the line that joins the segment's middle to the point. None
            for a point in the middle itself: a hand's `NOISE` around that, all are about there.
        slope : array (..., 3)
            Its derivative by the point.
        """
        toward = points[..., :2] - self.middle * points[..., 2:]
        near = NOISE * points[..., 2]
        square = np.maximum((toward * toward).sum(axis=-1) + near * near, 1e-24)
        length = np.sqrt(square)
        distance = (self.normal * points).sum(axis=-1) / length
        slope = self.normal / length[..., None]
        along = toward * (distance / square)[..., None]
        slope[..., :2] -= along
        slope[..., 2] += (along * self.middle).sum(axis=-1) - distance / square * NOISE * near
        return distance, slope


def weights(distance: Float) -> Float:
    """How much each segment has to say, in (0, 1]: less the further it is from the others."""
    away = np.abs(distance)
    scale = max(NOISE, 1.5 * float(np.sort(away)[len(away) // 2]))
    return np.asarray(1.0 / (1.0 + (away / (TAIL * scale)) ** 2))


def vanishing_point(ends: Float) -> VanishingPoint:
    """Where n >= 2 segments meet, or as good as; single ones that go astray do not count.

    Parameters
    ----------
    ends : array (n, 2, 2)
    """
    at = _best_crossing(ends)
    chords = Chords.of(ends)
    # Two segments meet where they meet.
    for _ in range(REFINEMENTS if len(ends) > 2 else 0):
        distance, slope = chords.misses(at)
        weight = weights(distance)
        at = at - _inverse(slope, weight, at) @ (slope.T @ (weight * distance))
        at = at / np.linalg.norm(at)
    distance, slope = chords.misses(at)
    return VanishingPoint(at, NOISE**2 * _inverse(slope, weights(distance), at))


def _inverse(slope: Float, weight: Float, at: Float) -> Float:
    """(3, 3) inverse of a vanishing point's normal matrix, across `at`."""
    along = np.outer(at, at)
    # Nothing is known, nor to be known, along the vector itself.
    across = np.eye(3) - along
    return np.asarray(across @ inverse((slope * weight[:, None]).T @ slope + along) @ across)


def inverse(matrix: Float) -> Float:
    """Of a normal matrix; large, but finite, in directions of which it says nothing."""
    values, vectors = eigen(matrix)
    return np.asarray(vectors / values @ vectors.T)


def eigen(matrix: Float) -> tuple[Float, Float]:
    """Eigenvalues of a normal matrix, none so small that it is mere rounding, and eigenvectors."""
    values, vectors = np.linalg.eigh(matrix)
    return np.maximum(values, 1e-12 * max(values[-1], 1.0)), vectors


def _best_crossing(ends: Float) -> Float:
    """(3,) the crossing of two of the segments that suits all of them best."""
    if len(ends) > MOST_PAIRED:
        length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        ends = ends[np.argsort(-length, kind="stable")[:MOST_PAIRED]]
    homogeneous = np.concatenate([ends, np.ones((len(ends), 2, 1))], axis=2)
    lines = np.cross(homogeneous[:, 0], homogeneous[:, 1])
    lines = lines / np.linalg.norm(lines[:, :2], axis=1, keepdims=True)
    first, second = np.triu_indices(len(ends), 1)
    crossings = np.cross(lines[first], lines[second])
    length = np.linalg.norm(crossings, axis=1)
    apart = length > 1e-9
    if not apart.any():
        # All on one line: any point of it will do, and its covariance tells.
        return np.asarray(np.append(lines[0, 1::-1] * [1.0, -1.0], 0.0))
    crossings = crossings[apart] / length[apart, None]
    distance, _ = Chords.of(ends).misses(crossings[:, None])
    cost = np.log1p((distance / (TAIL * NOISE)) ** 2).sum(axis=1)
    return np.asarray(crossings[int(cost.argmin())])


@dataclass(frozen=True)
class Lines:
    """All segments, in the units of this package.

    Attributes
    ----------
    origin : array (2,)
        Pixels: the principal point, or the middle of the picture if it is to be found.
    unit : float
        Pixels: half of the picture's diagonal.
    ends : array (n, 2, 2)
    axis : int array (n,)
        Indices into `AXES`, ascending.
    usable : bool array (n,)
        Long enough to have a direction.
    """

    origin: Float
    unit: float
    ends: Float
    axis: NDArray[np.intp]
    usable: NDArray[np.bool_]

    def along(self, axis: Axis) -> Float:
        """(m, 2, 2) the usable segments along one axis."""
        return np.asarray(self.ends[self.usable & (self.axis == AXES.index(axis))])


def checked_lines(
    size: tuple[int, int], segments: Mapping[Axis, Sequence[Segment]], origin: Point | None
) -> Lines:
    """The segments in the units of this package.

    Raises
    ------
    UserError
        If an axis has another name, or a position is not finite.
    """
    if strange := [axis for axis in segments if axis not in AXES]:
        raise UserError(f"Lines go along x, y or z, not {str(strange[0])[:20]!r}.")
    counts = [len(segments.get(axis, ())) for axis in AXES]
    pixels = np.array(
        [end for axis in AXES for segment in segments.get(axis, ()) for end in segment],
        dtype=np.float64,
    ).reshape(-1, 2, 2)
    middle = np.asarray(origin or (0.5 * size[0], 0.5 * size[1]), dtype=np.float64)
    unit = 0.5 * float(np.hypot(*size))
    # Written so that NaN fails too.
    if not (np.abs([*pixels.reshape(-1, 2), middle]) < FARTHEST_END * unit).all():
        raise UserError("A line's end is far outside of the picture: draw it inside.")
    ends = (pixels - middle) / unit
    usable = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) > SHORTEST
    return Lines(middle, unit, ends, np.repeat(np.arange(3), counts), usable)
