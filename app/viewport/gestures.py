"""What a drag does to the selected boxes. Each gesture measures from the poses at the press."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.viewport.gizmo import UP, Handle, gizmo_length
from app.viewport.style import AXIS_NAMES
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.manipulation import (
    drag_along_axis,
    drag_on_plane,
    drag_ring,
    drag_scale,
    pulled_face,
    scale_by_distance,
    snap,
)
from neural_assets_core.geometry.rays import NEAR

Float = NDArray[np.float64]
Boxes = Mapping[str, Box]

GRID = 0.1
"""Snapping steps: metres, radians and factor."""
TURN = math.radians(15.0)
FACTOR = 0.1


@dataclass(frozen=True)
class Grab:
    """What every gesture starts from.

    Attributes
    ----------
    camera : Camera
        The screen's.
    boxes : mapping of name to Box
        The selected boxes at the press; the last one is active.
    start : array (2,)
        The pointer at the press, screen pixels.
    """

    camera: Camera
    boxes: Boxes
    start: Float

    @property
    def active(self) -> Box:
        return list(self.boxes.values())[-1]

    @property
    def pivot(self) -> Float:
        """(3,) base centre of the active box: what turns and scales keep in place."""
        return self.active.base_center()


class Gesture(Protocol):
    """A way to drag."""

    grab: Grab
    verb: str
    """For the undo entry ("Move")."""
    title: str
    """With its constraint, for the status bar."""

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        """The boxes for a pointer at `pixel`, and the change in words.

        `snapping` is 0 for none, else the share of the snapping steps to use.
        """
        ...


class Move:
    """Along one axis or in the plane of two.

    Attributes
    ----------
    axes : array (1 or 2, 3)
    anchor : array (3,)

    Parameters
    ----------
    grab : Grab
    axes : array (1 or 2, 3)
        Unit world directions, perpendicular to each other.
    anchor : array (3,)
        The world point that follows the pointer.
    where : str
        The constraint in words ("on the ground").
    """

    verb = "Move"

    def __init__(self, grab: Grab, axes: Float, anchor: Float, where: str) -> None:
        self.grab, self.title = grab, f"Move {where}"
        self.axes, self.anchor = axes, anchor
        # The anchor moves as the pointer does, wherever the pointer was at the press.
        self._ahead = camera_pixel(grab.camera, anchor) - grab.start

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        camera, start = self.grab.camera, self.grab.start
        if len(self.axes) == 1:
            axis = self.axes[0]
            steps = [drag_along_axis(camera, self.anchor, axis, start, pixel)]
        else:
            normal = np.cross(*self.axes)
            begin, end = start + self._ahead, pixel + self._ahead
            steps = list(self.axes @ drag_on_plane(camera, self.anchor, normal, begin, end))
        steps = [snap(float(step), GRID * snapping) for step in steps]
        offset = np.asarray(steps) @ self.axes
        moved = {name: box.translated(offset) for name, box in self.grab.boxes.items()}
        names = ("",) if len(steps) == 1 else ("X ", "Y ")
        text = "   ".join(f"{n}{step:+.3f} m" for n, step in zip(names, steps, strict=True))
        return moved, text


class Turn:
    """About the vertical through the pivot."""

    verb, title = "Turn", "Turn about Z"

    def __init__(self, grab: Grab, radius: float | None = None) -> None:
        self.grab = grab
        self._radius = radius or gizmo_length(grab.camera, grab.pivot)
        self._angle = 0.0

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        grab = self.grab
        self._angle = drag_ring(
            grab.camera, grab.pivot, UP, self._radius, grab.start, pixel, self._angle
        )
        angle = snap(self._angle, TURN * snapping)
        if angle == 0.0:
            return grab.boxes, "+0.0°"
        turned = {name: box.rotated(UP, angle, grab.pivot) for name, box in grab.boxes.items()}
        return turned, f"{math.degrees(angle):+.1f}°"


class Scale:
    """Uniformly about the pivot: by a handle, or by the pointer's distance from the pivot."""

    verb = title = "Scale"

    def __init__(self, grab: Grab, handle: Float | None = None) -> None:
        self.grab = grab
        self._handle = handle

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        grab = self.grab
        if self._handle is not None:
            factor = drag_scale(grab.camera, grab.pivot, self._handle, grab.start, pixel)
        else:
            center = camera_pixel(grab.camera, grab.pivot)
            factor = scale_by_distance(center, grab.start, pixel)
        factor = snap(factor, FACTOR * snapping) or FACTOR * snapping
        if factor == 1.0:
            return grab.boxes, "x 1.000"
        scaled = {name: box.scaled(factor, grab.pivot) for name, box in grab.boxes.items()}
        return scaled, f"x {factor:.3f}"


class Pull:
    """One face of the active box along its normal; the opposite face stays."""

    verb = "Resize"

    def __init__(self, grab: Grab, handle: Handle) -> None:
        self.grab, self._handle = grab, handle
        self._axis, self._sign = handle.index // 2, 2 * (handle.index % 2) - 1
        self.title = f"Resize along {AXIS_NAMES[self._axis]}"

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        grab, handle = self.grab, self._handle
        pulled = drag_along_axis(grab.camera, handle.anchor, handle.axis, grab.start, pixel)
        pulled = snap(pulled, GRID * snapping)
        name, box = list(grab.boxes.items())[-1]
        resized = pulled_face(box, self._axis, self._sign, pulled)
        return {**grab.boxes, name: resized}, f"{resized.size[self._axis]:.3f} m"


def from_handle(grab: Grab, handle: Handle) -> Gesture:
    """The gesture that a handle stands for."""
    if handle.kind == "arrow":
        where = "up and down" if handle.index == 2 else f"along {AXIS_NAMES[handle.index]}"
        return Move(grab, handle.axis[None], handle.anchor, where)
    if handle.kind == "plane":
        return on_ground(grab, handle.anchor)
    if handle.kind == "ring":
        return Turn(grab, handle.length)
    if handle.kind == "scale":
        return Scale(grab, handle.anchor)
    return Pull(grab, handle)


def on_ground(grab: Grab, anchor: Float) -> Move:
    """Moving level, `anchor` under the pointer."""
    return Move(grab, np.eye(3)[:2], anchor, "on the ground")


def body_anchor(camera: Camera, box: Box, hit: Float) -> Float:
    """The point of a box that follows the pointer when its body is dragged.

    It is the point that was grabbed, unless the level plane through that is seen too nearly
    edge on, or from below, to follow: then the centre of the base.
    """
    base = box.base_center()
    if camera.project(base)[2] <= NEAR:
        return hit
    view = (hit - camera.position) / np.linalg.norm(hit - camera.position)
    below = (base - camera.position)[2] < 0
    steep = -view[2] > 0.1 if below else view[2] > 0.1
    return hit if steep else base


def camera_pixel(camera: Camera, point: Float) -> Float:
    """(2,) where a world point is on the screen."""
    return np.asarray(camera.project(point)[:2])
