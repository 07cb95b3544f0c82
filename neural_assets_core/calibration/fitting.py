"""One camera fitted to all lines at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    inverse,
    weights,
)
from neural_assets_core.calibration.orientation import first_rotation
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.box import Float

USUAL_FOCAL = 50.0 / 21.63
"""Of a 50 mm lens on 36 x 24 mm, half diagonals."""

FOCAL_STEP, CENTER_STEP = 0.14, 0.03
"""How far a step may well go in log f and in the principal point (half diagonals)."""

LOG_FOCAL_RANGE = (math.log(0.1), math.log(1000.0))
STEPS = 10
"""So many: the usual then counts like a measurement 3.3 times as inexact as a step is long."""

USUAL_SPREAD = 3.3
"""In steps."""

CENTER_SPREAD = 0.1
"""How far off the middle principal points may well be, half diagonals."""

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
        Standard deviations, if the ends of lines are off by `NOISE`: of turns about the camera's
        axes (radians), of `log_focal` and of `center`. Huge for what the lines leave open, but
        for the center, which is never far off.
    """

    rotation: Float
    log_focal: float
    center: Float
    deviation: Float

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
    # f² = -n / d, both with first-order errors of the two points and of the principal point.
    n, d = float(a @ b), float(wa * wb)
    by_first = np.array([[b[0], b[1], 0.0], [0.0, 0.0, wb]])
    by_second = np.array([[a[0], a[1], 0.0], [0.0, 0.0, wa]])
    spread = by_first @ first.covariance @ by_first.T + by_second @ second.covariance @ by_second.T
    spread[0, 0] += center_spread**2 * float(np.sum((wa * b + wb * a) ** 2))
    certain = abs(n) > CERTAIN * math.sqrt(spread[0, 0]) and abs(d) > CERTAIN * math.sqrt(
        spread[1, 1]
    )
    if n * d >= 0:
        return (math.nan if certain and n * d > 0 else math.log(USUAL_FOCAL)), math.inf
    slope = np.array([1.0 / n, -1.0 / d])
    return 0.5 * math.log(-n / d), 0.5 * math.sqrt(float(slope @ spread @ slope)) + 1e-12


def with_usual(log_focal: float, deviation: float) -> float:
    """A measured log f drawn to the usual, the more the less certain it is."""
    usual = USUAL_SPREAD * FOCAL_STEP
    share = usual**2 / (usual**2 + deviation**2) if math.isfinite(deviation) else 0.0
    return share * log_focal + (1.0 - share) * math.log(USUAL_FOCAL)


def fitted(
    lines: Lines,
    points: Mapping[Axis, VanishingPoint],
    log_focal: float,
    *,
    find_focal: bool,
    find_center: bool,
) -> Fit:
    """The camera that all usable lines fit best.

    Most pictures are whole, and their principal point is in their middle; of the others it is
    anywhere near. Both are tried, and the principal point that is returned is their mean, each
    weighed by how likely the lines make it: a crop has to be seen before it is believed.
    """
    whole = _fitted(lines, points, log_focal, np.zeros(2), find_focal, find_center=False)
    if not find_center:
        return whole
    crop = _fitted(lines, points, log_focal, np.zeros(2), find_focal, find_center=True)
    center = _cropped(lines, whole, crop) * crop.center
    mean = _fitted(lines, points, crop.log_focal, center, find_focal, find_center=False)
    return replace(mean, deviation=crop.deviation)


def _cropped(lines: Lines, whole: Fit, crop: Fit) -> float:
    """How likely it is that the principal point is not in the middle, if it may as well be."""
    gain = _misfit(lines, whole) - _misfit(lines, crop)
    # A principal point that could be anywhere fits more: that counts against it.
    freedom = float(np.log(crop.deviation[4:] / CENTER_SPREAD).sum())
    return 1.0 / (1.0 + math.exp(-float(np.clip(0.5 * gain + freedom, -50.0, 50.0))))


def _misfit(lines: Lines, fit: Fit) -> float:
    """Twice the negative log likelihood of a fit, but for a constant."""
    chords, axis = Chords.of(lines.ends[lines.usable]), lines.axis[lines.usable]
    distance, _ = _slopes(fit, chords, axis)
    off = float((weights(distance) * distance**2).sum()) / NOISE**2
    return off + float(fit.center @ fit.center) / CENTER_SPREAD**2


def _fitted(
    lines: Lines,
    points: Mapping[Axis, VanishingPoint],
    log_focal: float,
    center: Float,
    find_focal: bool,
    *,
    find_center: bool,
) -> Fit:
    """The camera that fits best, its principal point kept or found.

    Gauss-Newton with a constant damping of the focal length and the principal point: after
    `STEPS` steps the lines have said what they know, and the rest is still where it began.
    """
    shift = np.append(center, 0.0)
    focal = np.array([1.0, 1.0, math.exp(log_focal)])
    directions = {
        axis: _unit((point.at - shift * point.at[2]) * focal) for axis, point in points.items()
    }
    fit = Fit(first_rotation(directions), log_focal, center, np.zeros(6))
    chords, axis = Chords.of(lines.ends[lines.usable]), lines.axis[lines.usable]
    damping = np.array([1e-9] * 3 + [FOCAL_STEP**-2] + [CENTER_STEP**-2] * 2)
    free = np.array([True] * 3 + [find_focal] + [find_center] * 2)
    for _ in range(STEPS):
        distance, slope = _slopes(fit, chords, axis)
        weight = weights(distance) / NOISE**2
        normal = (slope * weight[:, None]).T @ slope
        # Only what the lines leave open is so little held that rounding would move it.
        matrix = (normal + np.diag(damping + 1e-9 * normal.trace()))[free][:, free]
        step = np.zeros(6)
        step[free] = -inverse(matrix) @ (slope.T @ (weight * distance))[free]
        fit = _moved(fit, step)
    deviation = np.zeros(6)
    floor = np.array([1e-6] * 4 + [(USUAL_SPREAD * CENTER_STEP) ** -2] * 2)
    covariance = inverse((normal + np.diag(floor))[free][:, free])
    deviation[free] = np.sqrt(np.diag(covariance))
    return Fit(fit.rotation, fit.log_focal, fit.center, deviation)


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
    return Fit(turn @ fit.rotation, log_focal, center, fit.deviation)


def _unit(vector: Float) -> Float:
    return np.asarray(vector / np.linalg.norm(vector))
