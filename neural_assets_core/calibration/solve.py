"""The camera found from lines along the world's axes.

Vanishing points give a first camera in closed form: two of them, V and W, that belong to
perpendicular directions have f² = -(V - P)·(W - P) for the focal length f and the principal
point P, and the camera's rotation has the directions (V - P, f) for columns. Then all lines are
fitted at once, together with what is known of cameras before any line is drawn: about which
focal lengths they have, that they are held level, that the principal point is not far from the
middle. What the lines determine they decide, the rest stays at the usual.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neural_assets_core.calibration.fitting import Fit, fitted, implied_focal, with_usual
from neural_assets_core.calibration.lines import (
    AXES,
    NOISE,
    Axis,
    Chords,
    Lines,
    Point,
    Segment,
    VanishingPoint,
    checked_lines,
    vanishing_point,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float

DEFAULT_HEIGHT = 1.6
"""Metres of a camera above the ground when nothing else is known: a standing person's eye."""

HEIGHT_RANGE = (0.001, 100_000.0)
"""Metres."""

FOCAL_RANGE = (0.05, 500.0)
"""Diagonals of the picture."""

FARTHEST = 1e9
"""Pixels to the furthest vanishing point that is told."""

COINCIDENT = 0.4
"""Uncertainty of a vanishing point, radians, from which its lines count as one line."""

DOUBTFUL_FOCAL = 0.12
"""Relative deviation of the focal length that the artist should hear of."""

DOUBTFUL_TURN = math.radians(2.0)
ASTRAY = 4.0
"""Lines that miss by so many times `NOISE` are named."""

MOST_NAMED = 2


@dataclass(frozen=True)
class Calibration:
    """What lines say about the camera.

    Attributes
    ----------
    camera : Camera
        At (0, 0, height); x and y are the directions of the lines along them.
    vanishing_points : mapping of Axis to (x, y)
        Where the camera sees the three axes' lines meet, pixels; finite always, up to 1e9 px away
        for lines that are parallel in the picture.
    residuals : mapping of Axis to tuple of float
        For each segment in the order given, by how many pixels its ends miss the direct line to
        the vanishing point.
    warnings : tuple of str
        Sentences for the artist, each one saying what to do.
    """

    camera: Camera
    vanishing_points: Mapping[Axis, Point]
    residuals: Mapping[Axis, tuple[float, ...]]
    warnings: tuple[str, ...] = ()


def calibrate(
    size: tuple[int, int],
    segments: Mapping[Axis, Sequence[Segment]],
    *,
    focal: float | None = None,
    principal_point: Point | None = None,
    height: float = DEFAULT_HEIGHT,
) -> Calibration:
    """The camera that sees lines along the world's axes as they are drawn.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture, pixels.
    segments : mapping of Axis to sequence of Segment
        At least two segments along one axis; more along each are fitted together, and single
        ones that go astray are recognised.
    focal : float, optional
        Focal length in pixels, kept as given. Needed with one vanishing point; found from two.
    principal_point : (float, float), optional
        Pixels, kept as given. Otherwise found as far as the lines tell, which takes three
        vanishing points or a picture that no whole one can be; else the middle of the picture.
    height : float
        Of the camera above the ground, metres.

    Raises
    ------
    UserError
        If the lines are too few or lie on one another, or if no camera can see them so.
    """
    check_numbers(size, focal, height)
    lines = checked_lines(size, segments, principal_point)
    points, coincident = _vanishing_points(lines)
    if len(points) == 1 and focal is None:
        raise UserError(
            "One vanishing point says nothing about the focal length: set it, or draw two lines "
            "along a second direction."
        )
    implied, deviation = implied_focal(points, center_is_known=principal_point is not None)
    known = None if focal is None else math.log(focal / lines.unit)
    fit = fitted(
        lines,
        points,
        with_usual(implied, deviation) if known is None else known,
        find_focal=known is None,
        find_center=principal_point is None and len(points) > 1,
    )
    residuals = _residuals(lines, fit)
    warnings = [*_short_lines(lines), *coincident, *_astray(lines, residuals, astray(size))]
    if known is None:
        warnings += _doubtful_focal(points, fit)
    else:
        warnings += _other_focal(implied, deviation, fit, lines.unit)
    warnings += _doubtful_turn(points, fit)
    return Calibration(
        camera=_camera(size, lines, fit, height),
        vanishing_points=_in_pixels(lines, fit.vanishing_points()),
        residuals={
            axis: tuple(residuals[lines.axis == index].tolist())
            for index, axis in enumerate(AXES)
            if axis in segments
        },
        warnings=tuple(warnings),
    )


def astray(size: tuple[int, int]) -> float:
    """Pixels by which a line must miss its vanishing point to be named in a warning."""
    return ASTRAY * NOISE * 0.5 * math.hypot(*size)


def check_numbers(size: tuple[int, int], focal: float | None, height: float) -> None:
    """Refuse numbers that no camera has.

    Raises
    ------
    UserError
    """
    if min(size) < 1:
        raise UserError("The picture is empty: choose another one.")
    # Comparisons that NaN fails too.
    if focal is not None:
        least, most = (times * math.hypot(*size) for times in FOCAL_RANGE)
        if not least <= focal <= most:
            raise UserError(
                f"The focal length must be from {least:.3g} to {most:.3g} pixels, not {focal:g}."
            )
    if not HEIGHT_RANGE[0] <= height <= HEIGHT_RANGE[1]:
        raise UserError(
            f"The camera must be from {HEIGHT_RANGE[0]:g} m to {HEIGHT_RANGE[1]:g} m above the "
            f"ground, not {height:g} m."
        )


def _vanishing_points(lines: Lines) -> tuple[dict[Axis, VanishingPoint], list[str]]:
    """Of all axes that have two usable lines, but for what two others make up for; warnings."""
    points, coincident = {}, []
    for axis in AXES:
        ends = lines.along(axis)
        if len(ends) >= 2:
            points[axis] = vanishing_point(ends)
    for axis in [axis for axis in points if points[axis].uncertainty > COINCIDENT]:
        told = f"The lines along {axis} are one and the same: draw another one apart from it."
        if len(points) < 3:
            raise UserError(told)
        # They are fitted all the same: one line says something, too.
        coincident.append(told)
        del points[axis]
    if not points:
        raise UserError("Too few lines to find the camera: draw two along one direction.")
    return points, coincident


def _residuals(lines: Lines, fit: Fit) -> Float:
    """(n,) pixels."""
    distance, _ = Chords.of(lines.ends).misses(fit.vanishing_points()[lines.axis])
    return np.abs(distance) * lines.unit


def _in_pixels(lines: Lines, points: Float) -> dict[Axis, Point]:
    """Homogeneous rows for x, y and z as positions in the picture."""
    found: dict[Axis, Point] = {}
    for axis, (x, y, w) in zip(AXES, points, strict=True):
        least = max(math.hypot(x, y) * lines.unit / FARTHEST, 1e-300)
        scale = lines.unit / math.copysign(max(abs(w), least), w)
        found[axis] = (float(lines.origin[0] + x * scale), float(lines.origin[1] + y * scale))
    return found


def _camera(size: tuple[int, int], lines: Lines, fit: Fit, height: float) -> Camera:
    k = fit.k * lines.unit
    k[:2, 2] += lines.origin
    k[2, 2] = 1.0
    return standing(size, k, fit.rotation, height)


def standing(size: tuple[int, int], k: Float, rotation: Float, height: float) -> Camera:
    """A camera at (0, 0, height).

    Parameters
    ----------
    size : (int, int)
        Pixels.
    k : array (3, 3)
        Pixels.
    rotation : array (3, 3)
        World to camera.
    height : float
        Metres.
    """
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation[:, 2] * height
    return Camera.from_matrices(*size, k, pose)


# -- warnings ----------------------------------------------------------------------------------


def _short_lines(lines: Lines) -> list[str]:
    count = int((~lines.usable).sum())
    if count == 0:
        return []
    return ["A line is too short to count: draw it longer."]


def _astray(lines: Lines, residuals: Float, limit: float) -> list[str]:
    worst = np.argsort(-residuals, kind="stable")[:MOST_NAMED]
    told = []
    for index in sorted(int(i) for i in worst if residuals[i] > limit):
        number = index - int(np.argmax(lines.axis == lines.axis[index])) + 1
        told.append(
            f"Line {number} along {AXES[lines.axis[index]]} misses its vanishing point by "
            f"{residuals[index]:.0f} px: check it or remove it."
        )
    return told


def _doubtful_focal(points: Mapping[Axis, VanishingPoint], fit: Fit) -> list[str]:
    deviation = float(fit.deviation[3])
    if deviation < DOUBTFUL_FOCAL:
        return []
    parallel = [axis for axis, point in points.items() if point.is_distant]
    if parallel:
        return [
            f"The lines along {_listed(parallel)} are nearly parallel in the picture, so the "
            "focal length is a guess: set it, or draw lines along a direction that recedes."
        ]
    return [
        f"The focal length is only known to about ±{min(deviation, 1.0):.0%}: draw longer lines, "
        "further apart, or set it."
    ]


def _listed(axes: Sequence[Axis]) -> str:
    """"x, y and z"."""
    *most, last = axes
    return f"{', '.join(most)} and {last}" if most else last


def _other_focal(implied: float, deviation: float, fit: Fit, unit: float) -> list[str]:
    apart = abs(implied - fit.log_focal)
    if not apart > max(DOUBTFUL_FOCAL, 3.0 * deviation):
        return []
    return [
        f"The lines fit a focal length of {math.exp(implied) * unit:.0f} px better than the "
        f"{math.exp(fit.log_focal) * unit:.0f} px that is set: check the lines, or let them decide."
    ]


def _doubtful_turn(points: Mapping[Axis, VanishingPoint], fit: Fit) -> list[str]:
    # With one vanishing point the camera is taken to be level, whatever the lines leave open.
    one = next(iter(points.values()))
    deviation = one.uncertainty if len(points) == 1 else float(fit.deviation[:3].max())
    if deviation < DOUBTFUL_TURN:
        return []
    return [
        f"The camera's direction is only known to about ±{math.degrees(min(deviation, 1.5)):.0f}°: "
        "draw longer lines, further apart."
    ]
