"""What the artist says about the camera, as a value, and the camera that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from neural_assets_core.calibration import (
    Axis,
    Segment,
    calibrate,
    camera_from_horizon,
    horizon,
    scaled_to_length,
)
from neural_assets_core.calibration.photograph import FILM_DIAGONAL
from neural_assets_core.calibration.solve import DEFAULT_HEIGHT
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera

Point = tuple[float, float]
Method = Literal["lines", "horizon"]

AXES: tuple[Axis, ...] = ("x", "y", "z")


@dataclass(frozen=True)
class Line:
    """A line laid over an edge of something; positions in pixels of the photograph."""

    axis: Axis
    start: Point
    end: Point


@dataclass(frozen=True)
class Sketch:
    """Everything that was laid over a photograph to find its camera.

    Attributes
    ----------
    method : {"lines", "horizon"}
        Which of the two counts.
    lines : tuple of Line
    focal : float
        Pixels.
    fixed : bool
        Whether that counts even where lines that meet in two points or more would tell it.
    horizon : (float, float)
        Its y at the photograph's left and right edge, pixels.
    height : float
        Of the camera above the ground, metres, unless a length is known.
    measured : tuple of 2 Point, optional
        The ends of something on the ground whose length is known.
    metres : float
        That length.
    """

    method: Method
    focal: float
    horizon: tuple[float, float]
    fixed: bool = False
    lines: tuple[Line, ...] = ()
    height: float = DEFAULT_HEIGHT
    measured: tuple[Point, Point] | None = None
    metres: float = 1.0

    @classmethod
    def of(cls, camera: Camera) -> Sketch:
        """What says the camera that the photograph has now."""
        height = float(camera.position[2])
        return cls(
            method="lines",
            focal=float(camera.k[0, 0]),
            horizon=horizon(camera),
            height=height if height > 0 else DEFAULT_HEIGHT,
        )

    def along(self, axis: Axis) -> list[int]:
        """Which of the lines follow an axis."""
        return [number for number, line in enumerate(self.lines) if line.axis == axis]

    @property
    def tells_focal(self) -> bool:
        """Whether there are lines enough to find the focal length."""
        meeting = sum(len(self.along(axis)) > 1 for axis in AXES)
        return self.method == "lines" and meeting > 1


@dataclass(frozen=True)
class Solution:
    """The camera that a sketch says.

    Attributes
    ----------
    camera : Camera or None
        None if the sketch says none.
    advice : str
        What to do, if there is no camera.
    residuals : tuple of float
        For each line, by how many pixels it misses its vanishing point; empty for a horizon.
    vanishing_points : dict of Axis to Point
    warnings : tuple of str
    """

    camera: Camera | None = None
    advice: str = ""
    residuals: tuple[float, ...] = ()
    vanishing_points: dict[Axis, Point] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def solved(sketch: Sketch, size: tuple[int, int]) -> Solution:
    """The camera of a photograph of a size (width, height), or what is missing to find it."""
    try:
        found = _from_lines(sketch, size) if sketch.method == "lines" else _level(sketch, size)
        if sketch.measured is None or found.camera is None:
            return found
        a, b = sketch.measured
    except UserError as error:
        return Solution(advice=str(error))
    try:
        camera = scaled_to_length(found.camera, a, b, sketch.metres)
    except UserError as error:
        # Everything but the scale is known all the same.
        camera, told = found.camera, (*found.warnings, str(error))
        return Solution(camera, "", found.residuals, found.vanishing_points, told)
    return Solution(camera, "", found.residuals, found.vanishing_points, found.warnings)


def millimetres(focal: float, size: tuple[int, int]) -> float:
    """A focal length in pixels as that of a lens on 35 mm film with the same angle of view."""
    return focal * FILM_DIAGONAL / math.hypot(*size)


def from_millimetres(length: float, size: tuple[int, int]) -> float:
    """The inverse of `millimetres`."""
    return length * math.hypot(*size) / FILM_DIAGONAL


def _level(sketch: Sketch, size: tuple[int, int]) -> Solution:
    return Solution(camera_from_horizon(size, sketch.focal, *sketch.horizon, sketch.height))


def _from_lines(sketch: Sketch, size: tuple[int, int]) -> Solution:
    numbers = {axis: sketch.along(axis) for axis in AXES}
    meeting = [axis for axis in AXES if len(numbers[axis]) > 1]
    if not meeting:
        return Solution(advice="Lay two lines or more along edges that are parallel in reality.")
    segments = {
        axis: [Segment(sketch.lines[n].start, sketch.lines[n].end) for n in numbers[axis]]
        for axis in meeting
    }
    focal = sketch.focal if sketch.fixed or not sketch.tells_focal else None
    found = calibrate(size, segments, focal=focal, height=sketch.height)
    residuals = [0.0] * len(sketch.lines)
    for axis, misses in found.residuals.items():
        for number, miss in zip(numbers[axis], misses, strict=True):
            residuals[number] = miss
    return Solution(
        found.camera, "", tuple(residuals), dict(found.vanishing_points), found.warnings
    )
