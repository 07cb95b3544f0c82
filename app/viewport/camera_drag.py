"""The picture's camera as something to take hold of, in a view from outside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewport.style import PICK_DISTANCE
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.camera_pose import camera_angles, placed_camera
from neural_assets_core.geometry.manipulation import drag_along_axis, drag_on_plane
from neural_assets_core.geometry.rays import NEAR

Float = NDArray[np.float64]
Part = Literal["eye", "aim"]

UP = np.array([0.0, 0.0, 1.0])
HINTS: dict[Part, str] = {
    "eye": "Drag to move the camera level · Alt up and down · Shift slows",
    "aim": "Drag to turn the camera · Shift slows",
}
SLOW = 0.1


@dataclass(frozen=True)
class CameraHandles:
    """Where the drawn camera can be taken hold of.

    Attributes
    ----------
    eye, aim : array (3,)
        World points: its centre, which moves it, and the middle of its picture, which turns it.
    """

    eye: Float
    aim: Float

    @classmethod
    def of(cls, seen: Camera, reach: float) -> CameraHandles:
        """Of a camera whose picture is drawn at a depth of `reach` metres."""
        return cls(seen.position, seen.position + reach * seen.forward)

    def under(self, view: Camera, pixel: Float) -> Part | None:
        """The one within reach of the pointer, the nearer one first."""
        found: list[tuple[float, Part]] = []
        for part, point in (("eye", self.eye), ("aim", self.aim)):
            u, v, depth = view.project(point)
            distance = math.hypot(u - pixel[0], v - pixel[1]) if depth > NEAR else math.inf
            if distance <= PICK_DISTANCE:
                found.append((distance, "eye" if part == "eye" else "aim"))
        return min(found)[1] if found else None


@dataclass(frozen=True)
class CameraDrag:
    """A drag of the camera, always measured from the press.

    Attributes
    ----------
    part : {"eye", "aim"}
    view : Camera
        What it is seen through.
    camera : Camera
        The picture's, at the press.
    reach : float
        Metres from its centre to the handle that turns it.
    start : array (2,)
        The pointer at the press.
    """

    part: Part
    view: Camera
    camera: Camera
    reach: float
    start: Float

    @property
    def verb(self) -> str:
        return "Move" if self.part == "eye" else "Turn"

    def dragged(self, pixel: Float, *, slow: bool, upright: bool) -> tuple[Camera, str]:
        """The camera for a pointer at `pixel`, and the change in words."""
        pixel = self.start + (SLOW if slow else 1.0) * (pixel - self.start)
        if self.part == "eye":
            return self._moved(pixel, upright)
        return self._turned(pixel)

    def _moved(self, pixel: Float, upright: bool) -> tuple[Camera, str]:
        eye = self.camera.position
        if upright:
            offset = drag_along_axis(self.view, eye, UP, self.start, pixel) * UP
        else:
            offset = drag_on_plane(self.view, eye, UP, self.start, pixel)
        x, y, z = (float(side) for side in eye + offset)
        placed = placed_camera(self.camera, (x, y, z), camera_angles(self.camera))
        text = "   ".join(f"{n} {d:+.3f} m" for n, d in zip("XYZ", offset, strict=True) if d)
        return placed, text

    def _turned(self, pixel: Float) -> tuple[Camera, str]:
        eye, aim = self.camera.position, self.camera.position + self.reach * self.camera.forward
        # The handle moves on the plane that faces the view, then back to its distance.
        target = aim + drag_on_plane(self.view, aim, self.view.forward, self.start, pixel) - eye
        length = float(np.linalg.norm(target))
        if length < 1e-9:
            return self.camera, ""
        x, y, z = (float(side) for side in target / length)
        heading, tilt, roll = camera_angles(self.camera)
        new_heading = math.degrees(math.atan2(y, x))
        new_tilt = math.degrees(math.asin(min(max(z, -1.0), 1.0)))
        ex, ey, ez = (float(side) for side in eye)
        placed = placed_camera(self.camera, (ex, ey, ez), (new_heading, new_tilt, roll))
        turn = math.remainder(new_heading - heading, 360.0)
        return placed, f"heading {turn:+.1f}°   tilt {new_tilt - tilt:+.1f}°"
