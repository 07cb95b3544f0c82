"""One camera fitted to all lines at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from neural_assets_core.calibration.lines import (
    NOISE,
    Axis,
    Chords,
    Lines,
    VanishingPoint,
    eigen,
    inverse,
    weights,
)
from neural_assets_core.calibration.orientation import first_rotation
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.box import Float

USUAL_FOCAL = 50.0 / 21.63
"""Of a 50 mm lens on 36 x 24 mm, half diagonals."""

FOCAL_SPREAD = 0.6
"""Of log f: two lenses in three are between 27 and 91 mm, about what standard zooms reach, and
19 in 20 between 15 and 170 mm, wide-angle to telephoto."""

LEVEL_SPREAD = math.radians(2.0)
"""Of the camera's lean to one side: a hand holds it about so level (people see a horizon that is
off by 1 degree: Gallagher, "Using vanishing points to correct camera rotation in images", 2005)."""

CENTER_SPREAD = 0.1
"""Of a crop's principal point from the middle, in x and in y, half diagonals: about what a crop
to 0.8 of the width and height comes to that may lie anywhere in the picture."""

MISS = NOISE / math.sqrt(2.0)
"""By how much a segment misses its vanishing point if both ends are off by `NOISE`."""

LOG_FOCAL_RANGE = (math.log(0.1), math.log(1000.0))
STEPS = 15
DAMPING = 1e-3
"""Of the first step, as a share of the normal matrix's diagonal."""

SETTLED = 1e-5
"""Radians, log f and half diagonals: a step as short as this is not worth taking."""

CERTAIN = 3.0
"""Standard deviations that make a fault certain."""

NEXT, LAST = [1, 2, 0], [2, 0, 1]
"""The axes that a cross product takes."""


@dataclass(frozen=True)
class Fit:
    """A camera in the units of `Lines`.

    Attributes
    ----------
    rotation : array (3, 3)
        World to camera.
    log_focal : float
    center : array (2,)
        The principal point.
    deviation : array (6,)
        Standard deviations by the lines alone, if their ends are off by `NOISE`: of turns about
        the camera's axes (radians), of `log_focal` and of `center`. Huge for what the lines leave
        open, but for the center, which is never far off.
    evidence : float
        Logarithm of how likely the lines are with what was found, whatever it is, but for a
        constant: Laplace's approximation.
    """

    rotation: Float
    log_focal: float
    center: Float
    deviation: Float = field(default_factory=lambda: np.zeros(6))
    evidence: float = 0.0

    @property
    def k(self) -> Float:
        """(3, 3) intrinsics."""
        focal = math.exp(self.log_focal)
        return np.array([[focal, 0, self.center[0]], [0, focal, self.center[1]], [0, 0, 1.0]])

    def vanishing_points(self) -> Float:
        """(3, 3) homogeneous, rows for x, y and z."""
        return np.asarray((self.k @ self.rotation).T)


def implied_focal(
    points: Mapping[Axis, VanishingPoint], *, center_is_known: bool
) -> tuple[float, float]:
    """What vanishing points of perpendicular directions say about the focal length.

    Returns
    -------
    log_focal, deviation : float
        Of the focal length in half diagonals; the deviation is infinite if nothing is said.

    Raises
    ------
    UserError
        If no camera can see two of them where they are, however inexact the lines may be.
    """
    total, precision = 0.0, 0.0
    for (one, first), (other, second) in combinations(points.items(), 2):
        if _same(first, second):
            raise UserError(
                f"The lines along {one} and {other} meet in the same point: check which lines go "
                "along which direction."
            )
        value, deviation = _focal_of_pair(first, second, 0.0 if center_is_known else CENTER_SPREAD)
        if math.isnan(value):
            raise UserError(
                f"No camera sees the vanishing points of {one} and {other} on the same side of "
                "the picture's middle: check which lines go along which direction."
            )
        total += value / deviation**2
        precision += 1.0 / deviation**2
    if precision == 0.0:
        return math.log(USUAL_FOCAL), math.inf
    return total / precision, precision**-0.5


def _focal_of_pair(
    first: VanishingPoint, second: VanishingPoint, center_spread: float
) -> tuple[float, float]:
    """log f and its deviation, infinite if these two say nothing; NaN if they contradict."""
    (a, wa), (b, wb) = (first.at[:2], first.at[2]), (second.at[:2], second.at[2])
    n, d = float(a @ b), float(wa * wb)
    by_center = center_spread * float(np.linalg.norm(wa * b + wb * a))

    def spread(by_n: float, by_d: float) -> float:
        """Deviation of `by_n` n + `by_d` d: first-order errors of points and principal point."""
        by_first, by_second = (np.append(by_n * at, by_d * w) for at, w in ((b, wb), (a, wa)))
        square = (by_n * by_center) ** 2
        square += by_first @ first.covariance @ by_first
        square += by_second @ second.covariance @ by_second
        # Of nothing, rounding may leave less.
        return math.sqrt(max(float(square), 0.0))

    # f² = -n / d.
    certain = abs(n) > CERTAIN * spread(1.0, 0.0) and abs(d) > CERTAIN * spread(0.0, 1.0)
    if n * d >= 0:
        return (math.nan if certain and n * d > 0 else math.log(USUAL_FOCAL)), math.inf
    return 0.5 * math.log(-n / d), 0.5 * spread(1.0 / n, -1.0 / d) + 1e-12


def _same(first: VanishingPoint, second: VanishingPoint) -> bool:
    """Whether two points are nearer to each other than those of perpendicular directions.

    These are twice the focal length apart, or more, wherever the principal point is.
    """
    (a, wa), (b, wb) = (first.at[:2], first.at[2]), (second.at[:2], second.at[2])
    apart = float(np.linalg.norm(wb * a - wa * b))
    apart += CERTAIN * (first.uncertainty + second.uncertainty)
    return apart < 2.0 * math.exp(LOG_FOCAL_RANGE[0]) * abs(float(wa * wb))


def with_usual(log_focal: float, deviation: float) -> float:
    """A measured log f drawn to the usual, the more the less certain it is."""
    share = FOCAL_SPREAD**2 / (FOCAL_SPREAD**2 + deviation**2) if math.isfinite(deviation) else 0.0
    return share * log_focal + (1.0 - share) * math.log(USUAL_FOCAL)


def fitted(
    lines: Lines,
    points: Mapping[Axis, VanishingPoint],
    log_focal: float,
    *,
    find_focal: bool,
    find_center: bool,
) -> Fit:
    """The camera that is most likely, given all usable lines and what cameras are usually like.

    Many pictures are whole, and their principal point is in their middle; of crops it is anywhere
    near. Both are tried, either as likely as the other before any line is drawn, and a crop has to
    be seen before it is believed: the principal point leaves the middle where a crop is the
    likelier one of the two, the further the surer that is.
    """
    whole = _fitted(lines, points, log_focal, np.zeros(2), find_focal, find_center=False)
    if not find_center:
        return whole
    crop = _fitted(lines, points, log_focal, np.zeros(2), find_focal, find_center=True)
    # By how much the crop is more probable: there is no jump while a line is dragged.
    surer = math.tanh(max(0.5 * (crop.evidence - whole.evidence), 0.0))
    if surer == 0.0:
        return whole
    start = crop.log_focal
    between = _fitted(lines, points, start, surer * crop.center, find_focal, find_center=False)
    variance = (1.0 - surer) * whole.deviation**2 + surer * crop.deviation**2
    return replace(between, deviation=np.sqrt(variance))


def _fitted(
    lines: Lines,
    points: Mapping[Axis, VanishingPoint],
    log_focal: float,
    center: Float,
    find_focal: bool,
    *,
    find_center: bool,
) -> Fit:
    """The most likely camera, its principal point kept or found.

    Levenberg's and Marquardt's steps to the least sum of squares of what lines miss their
    vanishing points by and of what is unusual about the camera, each in standard deviations.
    """
    shift = np.append(center, 0.0)
    focal = np.array([1.0, 1.0, math.exp(log_focal)])
    directions = {
        axis: _unit((point.at - shift * point.at[2]) * focal) for axis, point in points.items()
    }
    fit = Fit(first_rotation(directions), log_focal, center)
    chords, axis = Chords.of(lines.ends[lines.usable]), lines.axis[lines.usable]
    count = len(axis)
    free = np.array([True] * 3 + [find_focal] + [find_center] * 2)
    # With one vanishing point the first camera is level: nothing else tells.
    level = LEVEL_SPREAD if len(points) > 1 else math.inf

    def compared(fit: Fit) -> tuple[Float, Float]:
        distance, slope = _slopes(fit, chords, axis)
        off, held = _unusual(fit, level)
        return np.append(distance / MISS, off), np.concatenate([slope / MISS, held])

    off, slope = compared(fit)
    damping = DAMPING
    for _ in range(STEPS):
        weight = _weights(off, count)
        normal = _normal(slope, weight)[free][:, free]
        # Only what nothing tells is so little held that rounding would move it.
        held = damping * normal.diagonal() + 1e-9 * normal.trace()
        step = np.zeros(6)
        step[free] = -inverse(normal + np.diag(held)) @ (slope.T @ (weight * off))[free]
        if np.abs(step).max() < SETTLED:
            break
        moved = _moved(fit, step)
        other, turned = compared(moved)
        if weight @ other**2 < weight @ off**2:
            fit, off, slope, damping = moved, other, turned, 0.1 * damping
        else:
            damping = max(10.0 * damping, DAMPING)
    weight = _weights(off, count)
    # On the safe side: as if all misses were as long as ends are off.
    known = _normal(slope[:count], weight[:count]) * (MISS / NOISE) ** 2
    floor = np.array([1e-6] * 4 + [CENTER_SPREAD**-2] * 2)
    deviation = np.zeros(6)
    deviation[free] = np.sqrt(np.diag(inverse((known + np.diag(floor))[free][:, free])))
    return replace(fit, deviation=deviation, evidence=_evidence(off, slope, weight, free))


def _unusual(fit: Fit, level: float) -> tuple[Float, Float]:
    """(4,) how unusual the camera's lean, focal length and center are, and (4, 6) slopes."""
    up = fit.rotation[:, 2]
    spread = np.array([level, FOCAL_SPREAD, CENTER_SPREAD, CENTER_SPREAD])
    off = np.array([up[0], fit.log_focal - math.log(USUAL_FOCAL), *fit.center])
    slope = np.eye(4, 6, 2)
    slope[0, :3] = 0.0, up[2], -up[1]
    return off / spread, slope / spread[:, None]


def _weights(off: Float, count: int) -> Float:
    """Of the first `count`, the lines, and of what is unusual.

    A camera that leans much does so on purpose: it is not drawn back.
    """
    lean = 1.0 / (1.0 + off[count] ** 2)
    return np.concatenate([weights(off[:count] * MISS), [lean, 1.0, 1.0, 1.0]])


def _normal(slope: Float, weight: Float) -> Float:
    return np.asarray((slope * weight[:, None]).T @ slope)


def _evidence(off: Float, slope: Float, weight: Float, free: NDArray[np.bool_]) -> float:
    """See `Fit`."""
    values, _ = eigen(_normal(slope, weight)[free][:, free])
    volume = float(np.log(values).sum())
    # What the center alone could have been: a crop that could be anything explains more.
    before = -2.0 * math.log(CENTER_SPREAD) if free[4] else 0.0
    return before - 0.5 * (float(weight @ off**2) + volume)


def _slopes(fit: Fit, chords: Chords, axis: NDArray[np.intp]) -> tuple[Float, Float]:
    """(n,) by how much lines miss the fit's vanishing points, and (n, 6) the derivatives."""
    k = fit.k
    seen = fit.rotation.T[axis]
    distance, slope = chords.misses(seen @ k.T)
    pull = slope @ k
    turning = seen[:, NEXT] * pull[:, LAST] - seen[:, LAST] * pull[:, NEXT]
    zoom = (slope[:, :2] * seen[:, :2]).sum(axis=1) * k[0, 0]
    shift = slope[:, :2] * seen[:, 2:]
    return distance, np.concatenate([turning, zoom[:, None], shift], axis=1)


def _moved(fit: Fit, step: Float) -> Fit:
    turn = Rotation.from_rotvec(step[:3]).as_matrix()
    zoom = float(np.clip(step[3], -0.7, 0.7))
    center = np.clip(fit.center + step[4:], -1.0, 1.0)
    log_focal = float(np.clip(fit.log_focal + zoom, *LOG_FOCAL_RANGE))
    return Fit(turn @ fit.rotation, log_focal, center)


def _unit(vector: Float) -> Float:
    return np.asarray(vector / np.linalg.norm(vector))
