"""What a drag does to the selected boxes. Each gesture measures from the poses at the press."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.viewport.gizmo import UP, VIEW, Frame, Handle, frame_axes, gizmo_length
from app.viewport.grab import Boxes, Directions, Grab, Guide
from app.viewport.style import AXIS_NAMES
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.manipulation import (
    MINIMUM_SCALE,
    drag_along_axis,
    drag_on_plane,
    drag_ring,
    drag_scale,
    grabbed_on_axis,
    grabbed_on_plane,
    pulled_face,
    scale_by_distance,
    snap,
    stretched,
)
from neural_assets_core.geometry.rays import NEAR

Float = NDArray[np.float64]
Numbers = tuple[float | None, ...]
"""What was typed, one for each of a gesture's `fields`; None, or missing: nothing yet."""

GRID = 0.1
"""Snapping steps: metres, radians and factor."""
TURN = math.radians(15.0)
FACTOR = 0.1


class Gesture(Protocol):
    """A way to drag."""

    grab: Grab
    verb: str
    """For the undo entry ("Move")."""
    title: str
    """With its constraint, for the status bar."""
    fields: tuple[str, ...]
    """Names of the numbers that may be typed: ("X", "Y", "Z"), or ("",) for a single one."""
    joint: bool
    """Whether a number is meant for all fields as long as there is no second one."""
    anchor: Float
    """(3,) world point at the press that its guides run through."""
    guides: tuple[Guide, ...]

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        """The boxes for a pointer at `pixel`, and the change in words.

        `snapping` is 0 for none, else the share of the snapping steps to use.
        """
        ...

    def typed(self, values: Numbers) -> tuple[Boxes, str]:
        """The boxes for exact numbers in the place of the pointer, and the change in words."""
        ...


_GROUND = Directions(np.eye(3)[:2], ("X", "Y"), "on the ground", free=True)
_WORLD = Directions(np.eye(3), AXIS_NAMES, "")


class Move:
    """Along one axis or in the plane of two.

    Parameters
    ----------
    grab : Grab
    along : Directions
        One axis or two.
    anchor : array (3,)
        The world point that follows the pointer.
    """

    verb = "Move"
    joint = False

    def __init__(self, grab: Grab, along: Directions, anchor: Float) -> None:
        self.grab, self.title, self.anchor = grab, f"Move {along.where}", anchor
        self.guides = along.guides
        self._along, self._numbers = along, _WORLD if along.free else along
        self.fields = self._numbers.names
        # The anchor moves as the pointer does, wherever the pointer was at the press.
        self._ahead = camera_pixel(grab.camera, anchor) - grab.start

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        camera, axes = self.grab.camera, self._along.axes
        begin, end = self.grab.start + self._ahead, pixel + self._ahead
        if np.array_equal(pixel, self.grab.start):
            return self._moved(self._along, np.zeros(len(axes)))
        if len(axes) == 1:
            steps = np.array([drag_along_axis(camera, self.anchor, axes[0], begin, end)])
        else:
            steps = axes @ drag_on_plane(camera, self.anchor, np.cross(*axes), begin, end)
        steps = np.array([snap(float(step), GRID * snapping) for step in steps])
        return self._moved(self._along, steps)

    def typed(self, values: Numbers) -> tuple[Boxes, str]:
        return self._moved(self._numbers, np.array(_filled(values, len(self.fields), 0.0)))

    def _moved(self, along: Directions, steps: Float) -> tuple[Boxes, str]:
        named = zip(along.names, steps, strict=True)
        text = "   ".join(f"{name} {step:+.3f} m" for name, step in named)
        if not steps.any():
            return self.grab.boxes, text
        offset = steps @ along.axes
        return {name: box.translated(offset) for name, box in self.grab.boxes.items()}, text


class Turn:
    """About an axis through the pivot.

    Parameters
    ----------
    grab : Grab
    axis : array (3,)
        Unit world direction.
    where : str
        The constraint in words ("about Z").
    index : int
        The axis' number, or `VIEW`.
    radius : float, optional
        Of the ring that was grabbed, metres.
    center : array (3,), optional
        Of that ring; default the grab's origin.
    """

    verb = "Turn"
    fields: tuple[str, ...] = ("",)
    joint = False

    def __init__(
        self,
        grab: Grab,
        axis: Float = UP,
        where: str = "about Z",
        index: int = 2,
        *,
        radius: float | None = None,
        center: Float | None = None,
    ) -> None:
        self.grab, self.axis, self.title = grab, axis, f"Turn {where}"
        self.anchor = grab.origin if center is None else center
        self.index, self.angle = index, 0.0
        self.guides: tuple[Guide, ...] = () if index == VIEW else ((index, axis),)
        self._radius = radius or gizmo_length(grab.camera, self.anchor)
        self._dragged = 0.0

    @property
    def arm(self) -> Float:
        """(3,) unit direction from the centre to what was grabbed, in the ring's plane."""
        at = grabbed_on_plane(self.grab.camera, self.anchor, self.axis, self.grab.start)
        if np.linalg.norm(at - self.anchor) < 1e-9:
            at = self.anchor + np.cross(self.axis, self.grab.camera.extrinsics[0, :3])
        return np.asarray((at - self.anchor) / np.linalg.norm(at - self.anchor))

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        grab = self.grab
        self._dragged = drag_ring(
            grab.camera, self.anchor, self.axis, self._radius, grab.start, pixel, self._dragged
        )
        return self._turned(snap(self._dragged, TURN * snapping))

    def typed(self, values: Numbers) -> tuple[Boxes, str]:
        return self._turned(math.radians(_filled(values, 1, 0.0)[0]))

    def _turned(self, angle: float) -> tuple[Boxes, str]:
        self.angle, grab = angle, self.grab
        text = f"{math.degrees(angle):+.1f}°"
        # After whole turns everything is exactly as it was.
        angle = math.remainder(angle, math.tau)
        if angle == 0.0:
            return grab.boxes, text
        pivots = grab.pivots()
        turned = {n: box.rotated(self.axis, angle, pivots[n]) for n, box in grab.boxes.items()}
        return turned, text


class Scale:
    """About the pivot, all sides or along some axes: by the pointer's distance from the pivot.

    Parameters
    ----------
    grab : Grab
    along : Directions, optional
        The axes to scale along; all sides alike if left out.
    """

    verb = "Scale"
    joint = True

    def __init__(self, grab: Grab, along: Directions | None = None) -> None:
        self.grab, self._along = grab, along
        self.title = f"Scale {along.where}" if along else "Scale"
        self.anchor, self.guides = grab.origin, along.guides if along else ()
        # Typed one by one, the factors of a free scale belong to the active box's own sides.
        local = Directions(frame_axes(grab.active, "local"), AXIS_NAMES, "")
        self._numbers = along or local
        self.fields = self._numbers.names

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        return self._uniformly(_snapped_factor(self._factor(pixel), snapping))

    def typed(self, values: Numbers) -> tuple[Boxes, str]:
        factors = [max(f, MINIMUM_SCALE) for f in _filled(values, len(self.fields), 1.0)]
        if len(values) <= 1:
            return self._uniformly(factors[0])
        text = "   ".join(f"{n} x {f:.3f}" for n, f in zip(self.fields, factors, strict=True))
        return self._stretched(self._numbers.axes, factors), text

    def _factor(self, pixel: Float) -> float:
        center = camera_pixel(self.grab.camera, self.anchor)
        return scale_by_distance(center, self.grab.start, pixel)

    def _pivots(self) -> Mapping[str, Float]:
        return self.grab.pivots()

    def _uniformly(self, factor: float) -> tuple[Boxes, str]:
        boxes, pivots = self.grab.boxes, self._pivots()
        if self._along is None:
            # Together: a side that stopped before the others would move what has to stay.
            smallest = min(min(box.size) for box in boxes.values())
            factor = max(factor, min(MINIMUM_EXTENT / smallest, 1.0))
        text = f"x {factor:.3f}"
        if factor == 1.0:
            return boxes, text
        if self._along is not None:
            axes = self._along.axes
            return self._stretched(axes, [factor] * len(axes)), text
        return {name: box.scaled(factor, pivots[name]) for name, box in boxes.items()}, text

    def _stretched(self, axes: Float, factors: list[float]) -> Boxes:
        boxes, pivots = self.grab.boxes, self._pivots()
        if all(factor == 1.0 for factor in factors):
            return boxes
        return {n: stretched(box, axes, np.array(factors), pivots[n]) for n, box in boxes.items()}


class CornerScale(Scale):
    """All sides alike by a corner of the active box; the opposite corner stays.

    Parameters
    ----------
    grab : Grab
    corner : int
    """

    def __init__(self, grab: Grab, corner: int) -> None:
        super().__init__(grab)
        self._corner = corner
        self.anchor = grab.active.corners()[corner]

    def _factor(self, pixel: Float) -> float:
        grab = self.grab
        opposite = grab.active.corners()[7 - self._corner]
        return drag_scale(grab.camera, opposite, self.anchor, grab.start, pixel)

    def _pivots(self) -> Mapping[str, Float]:
        opposite = {name: box.corners()[7 - self._corner] for name, box in self.grab.boxes.items()}
        if self.grab.pivot == "each":
            return opposite
        return dict.fromkeys(opposite, list(opposite.values())[-1])


class Pull:
    """One face of the active box along its normal; the opposite face stays.

    Parameters
    ----------
    grab : Grab
    handle : Handle
        Of kind "pull".
    """

    verb = "Resize"
    fields: tuple[str, ...] = ("",)
    joint = False

    def __init__(self, grab: Grab, handle: Handle) -> None:
        self.grab, self.anchor, self._normal = grab, handle.anchor, handle.axis
        self._axis, self._sign = handle.index // 2, 2 * (handle.index % 2) - 1
        self.title = f"Resize along {AXIS_NAMES[self._axis]}"
        self.guides: tuple[Guide, ...] = ((self._axis, handle.axis),)

    def drag(self, pixel: Float, snapping: float) -> tuple[Boxes, str]:
        grab = self.grab
        pulled = drag_along_axis(grab.camera, self.anchor, self._normal, grab.start, pixel)
        return self._pulled(snap(pulled, GRID * snapping))

    def typed(self, values: Numbers) -> tuple[Boxes, str]:
        return self._pulled(_filled(values, 1, 0.0)[0])

    def _pulled(self, distance: float) -> tuple[Boxes, str]:
        name, box = list(self.grab.boxes.items())[-1]
        resized = box if distance == 0.0 else pulled_face(box, self._axis, self._sign, distance)
        grown = resized.size[self._axis] - box.size[self._axis]
        text = f"{resized.size[self._axis]:.3f} m ({grown:+.3f} m)"
        return {**self.grab.boxes, name: resized}, text


# -- which gesture ---------------------------------------------------------------------------


def from_handle(grab: Grab, handle: Handle) -> Gesture:
    """The gesture that a handle stands for."""
    index = handle.index
    if handle.kind == "arrow":
        level = "up and down" if abs(handle.axis[2]) > 1.0 - 1e-9 else f"along {AXIS_NAMES[index]}"
        along = Directions(handle.axis[None], (AXIS_NAMES[index],), level)
        at = grabbed_on_axis(grab.camera, handle.anchor, handle.axis, grab.start)
        return Move(grab, along, at)
    if handle.kind == "plane":
        at = grabbed_on_plane(grab.camera, handle.anchor, handle.axis, grab.start)
        if handle.name == "move ground":
            return on_ground(grab, at)
        return Move(grab, _plane(handle.axes, index, ""), at)
    if handle.kind == "center":
        return on_ground(grab, handle.anchor, free=True)
    if handle.kind == "ring":
        where = "about the view" if index == VIEW else f"about {AXIS_NAMES[index]}"
        return Turn(
            grab, handle.axis, where, index, radius=handle.length, center=handle.anchor
        )  # fmt: skip
    return CornerScale(grab, index) if handle.kind == "scale" else Pull(grab, handle)


def from_key(tool: Literal["move", "turn", "scale"], grab: Grab, free: bool = False) -> Gesture:
    """The gesture that a key starts, no button held.

    On the ground and about the vertical; `free`: in the plane of the view, and about its
    direction.
    """
    if tool == "move":
        return on_ground(grab, grab.origin, free)
    if tool == "turn":
        axis = -grab.camera.forward
        return Turn(grab, axis, "about the view", VIEW) if free else Turn(grab)
    return Scale(grab)


def from_body(grab: Grab, hit: Float, free: bool = False) -> Move:
    """Dragging the active box by its body: on the ground or, `free`, in the plane of the view.

    `hit` (3,) is the world point that was grabbed.
    """
    return on_ground(grab, hit if free else body_anchor(grab.camera, grab.active, hit), free)


def on_ground(grab: Grab, anchor: Float, free: bool = False) -> Move:
    """Moving level or, `free`, in the plane of the view, `anchor` under the pointer."""
    if not free:
        return Move(grab, _GROUND, anchor)
    rotation = grab.camera.extrinsics[:3, :3]
    view = Directions(np.stack([rotation[0], -rotation[1]]), ("right", "up"), "in the view", True)
    return Move(grab, view, anchor)


def constrained(gesture: Gesture, index: int, frame: Frame, plane: bool) -> Gesture:
    """The same kind of gesture limited to one axis, or to the plane across it.

    Parameters
    ----------
    gesture : Move, Turn or Scale
        Others are given back as they are.
    index : {0, 1, 2}
    frame : {"world", "local", "ground"}
        "local": the active box's own axes.
    plane : bool
        The two other axes instead; turns are about the axis all the same.
    """
    grab = gesture.grab
    axes, prefix = frame_axes(grab.active, frame), "local " if frame == "local" else ""
    where = f"{prefix}{AXIS_NAMES[index]}"
    if isinstance(gesture, Turn):
        return Turn(grab, axes[index], f"about {where}", index)
    if plane:
        along = _plane(axes[[i for i in range(3) if i != index]], index, prefix)
    else:
        along = Directions(axes[index][None], (AXIS_NAMES[index],), f"along {where}")
    if isinstance(gesture, Move):
        return Move(grab, along, gesture.anchor)
    return Scale(grab, along) if isinstance(gesture, Scale) else gesture


def _plane(axes: Float, index: int, prefix: str) -> Directions:
    """The plane of two axes (2, 3), all but the one with number `index`."""
    names = tuple(AXIS_NAMES[i] for i in range(3) if i != index)
    return Directions(axes, names, f"in {prefix}{''.join(names)}")


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


def _filled(values: Numbers, count: int, default: float) -> list[float]:
    """`count` numbers, those that were not typed replaced."""
    given = [default if value is None else value for value in values[:count]]
    return given + [default] * (count - len(given))


def _snapped_factor(factor: float, snapping: float) -> float:
    return snap(factor, FACTOR * snapping) or FACTOR * snapping
