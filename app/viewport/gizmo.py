"""The handles of the active object: where they are, and which one is under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewport.style import AXIS_NAMES, HANDLE_LENGTH, PICK_DISTANCE, RING_RATIO
from neural_assets_core.geometry import CORNER_SIGNS, Box, Camera
from neural_assets_core.geometry.picking import distance_to_segments, inside_polygon
from neural_assets_core.geometry.rays import NEAR, project_segments

Float = NDArray[np.float64]
Tool = Literal["select", "move", "turn", "scale", "box", "draw", "mask"]
"""Which handles are shown; "select" shows a calm choice of all, "draw" and "mask" none."""

TOOLS: tuple[Tool, ...] = ("select", "move", "turn", "scale", "box")

Frame = Literal["ground", "world", "local"]
"""Where axes point: "ground" is the box's heading, level; "local" the box's own axes."""

Kind = Literal["arrow", "plane", "center", "ring", "scale", "pull"]

VIEW = 3
"""The index of the ring about the viewing direction: it belongs to no axis."""

UP = np.array([0.0, 0.0, 1.0])
_VIEW_RING_RATIO = 1.45
_RING_STEPS = 96
_BEHIND = 0.15
"""A ring's points that lie this much of its radius behind its centre are its far side."""

_SQUARE = (0.30, 0.54)
"""Where a plane's square begins and ends on the two arrows beside it."""

_SHORTEST_ARROW = 14.0
"""Arrows that the view shortens below this many pixels are hidden."""

_FLATTEST_SQUARE = 0.2
"""Squares are hidden where the cosine of their normal to the view is below this."""

_FACE_ON = 0.98
"""Faces seen as straight as this cannot be pulled by sight."""

_CROWDED = 72.0
"""A box that is smaller than this on the screen, in pixels, shows no corners beside the rest."""

_SMALL, _ROOMY = 2.0 * HANDLE_LENGTH, 2.8 * HANDLE_LENGTH
"""A box as wide and as high as the second on the screen, in pixels, has room for the gizmo inside.

From there on to the first, the gizmo goes out by and by: nothing jumps while the view is zoomed.
"""

_HINTS: dict[Kind, str] = {
    "arrow": "Drag to move along {axis}",
    "plane": "Drag to move in the {plane} plane",
    "center": "Drag to move in the plane of the view",
    "ring": "Drag to turn about {axis}",
    "scale": "Drag to scale about the opposite corner",
    "pull": "Drag to pull this face; the opposite one stays",
}


def _nothing() -> Float:
    return np.empty((0, 2, 2))


@dataclass(frozen=True, eq=False)
class Handle:
    """One grip on the active object.

    Attributes
    ----------
    name : str
        Unique among the handles: "move x", "move ground", "move view", "turn z", "turn view",
        "scale 7", "pull +x" ...
    kind : {"arrow", "plane", "center", "ring", "scale", "pull"}
    anchor : array (3,)
        World point that the grip belongs to: the gizmo's origin, the corner, the face's centre;
        beside a small box, where the handle begins.
    axis : array (3,)
        Unit world direction: of the arrow, of the face, from the opposite corner, or normal to
        the plane or ring.
    index : int
        Axis (arrow, plane, ring, or `VIEW`), corner (scale) or face (pull) number.
    length : float
        Metres: the arrow's length, the ring's radius, the gizmo's length for squares; 0 for dots.
    segments : array (N, 2, 2)
        What is drawn and can be grabbed, on the screen; a dot is one segment without length, a
        plane's are the sides of its square.
    far : array (M, 2, 2)
        What is only drawn: the far side of a ring.
    axes : array (2, 3)
        The plane's two directions; for other kinds meaningless.
    letter : str
        Shown at an arrow's tip or on a ring.
    behind : bool
        Whether the box itself is between this handle and the eye.
    """

    name: str
    kind: Kind
    anchor: Float
    axis: Float
    index: int
    length: float
    segments: Float
    far: Float = field(default_factory=_nothing)
    axes: Float = field(default_factory=lambda: np.zeros((2, 3)))
    letter: str = ""
    behind: bool = False

    @property
    def hint(self) -> str:
        """What dragging it does, in a sentence."""
        if self.name == "move ground":
            return "Drag to move on the ground"
        axis = "the view" if self.index == VIEW else AXIS_NAMES[self.index % 3]
        plane = "".join(AXIS_NAMES[i] for i in range(3) if i != self.index)
        return _HINTS[self.kind].format(axis=axis, plane=plane)


def heading_axes(box: Box) -> Float:
    """(3, 3) rows: the box's x and y axes turned level, and up. Moves and arrows use these."""
    cosine, sine = math.cos(box.yaw()), math.sin(box.yaw())
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def frame_axes(box: Box, frame: Frame) -> Float:
    """(3, 3) rows: the unit directions of a frame's axes in the world."""
    if frame == "world":
        return np.eye(3)
    return heading_axes(box) if frame == "ground" else np.array(box.rotation_matrix().T)


def gizmo_length(camera: Camera, origin: Float) -> float:
    """Metres that cover `HANDLE_LENGTH` screen pixels at the origin's depth."""
    return float(HANDLE_LENGTH * camera.project(origin)[2] / camera.k[0, 0])


def handles(
    camera: Camera, box: Box, tool: Tool, *, origin: Float | None = None, frame: Frame = "ground"
) -> list[Handle]:
    """The handles of a box for a tool, in painting order.

    Parameters
    ----------
    camera : Camera
        The screen's (`Navigation.camera`).
    box : Box
    tool : Tool
    origin : array (3,), optional
        Where arrows, squares and rings are, world metres: the pivot. Default: the base's centre.
    frame : {"ground", "world", "local"}
        Where they point.

    Returns
    -------
    list of Handle
        Empty if the origin is not in front of the camera. Arrows and squares of a small box stand
        beside it, so that its inside can be grabbed as that of a large one.
    """
    at = box.base_center() if origin is None else origin
    if camera.project(at)[2] <= NEAR:
        return []
    axes, found = frame_axes(box, frame), list[Handle]()
    beside = _ways_out(camera, box, at, axes)
    if tool == "turn":
        found.append(_view_ring(camera, at))
        found += [_ring(camera, at, axes, index, AXIS_NAMES[index]) for index in range(3)]
    elif tool == "select":
        found.append(_ring(camera, at, axes, 2))
    if tool in ("select", "move"):
        planes = range(3) if tool == "move" else (2,)
        found += [_square(camera, at, axes, index, frame, beside) for index in planes]
        found += _arrows(camera, at, axes, beside)
    if tool == "move":
        side = at + beside[0] * axes[0]
        found.append(_dot(camera, "move view", "center", side, -camera.forward, VIEW))
    if tool in ("scale", "box") or (tool == "select" and not _crowded(camera, box)):
        found += _corners(camera, box, upper=tool == "select")
    if tool == "box":
        found += _pulls(camera, box)
    return [handle for handle in found if len(handle.segments)]


def carried(camera: Camera, handle: Handle, before: Box, now: Box) -> Handle:
    """A handle in use, taken along by its box.

    Its size in the world and its directions stay those of the press, however the view of them
    would change by now.

    Parameters
    ----------
    camera : Camera
        The screen's.
    handle : Handle
        As at the press.
    before, now : Box
        The active box at the press and now.
    """
    if handle.kind == "ring":
        return handle
    if handle.kind in ("scale", "pull"):
        anchor = now.to_world(before.to_local(handle.anchor))
    else:
        anchor = handle.anchor + np.subtract(now.center, before.center)
    moved = replace(handle, anchor=anchor)
    if handle.kind == "arrow":
        return replace(moved, segments=_arrow_line(camera, moved))
    if handle.kind == "plane":
        return replace(moved, segments=_square_sides(camera, anchor, handle.axes, handle.length))
    return replace(moved, segments=_point_on_screen(camera, anchor))


def handle_under(found: Sequence[Handle], pixel: Float) -> Handle | None:
    """The handle within `PICK_DISTANCE` of a screen position; dots win over lines near them."""
    best, nearest = None, math.inf
    for handle in found:
        if handle.kind == "plane" and inside_polygon(handle.segments[:, 0], pixel):
            distance = 0.0
        else:
            distance = float(distance_to_segments(handle.segments, pixel).min())
        if distance > PICK_DISTANCE:
            continue
        # Among dots that cover each other the one on the near side is meant.
        bonus = 0.5 * PICK_DISTANCE if handle.kind in ("center", "scale", "pull") else 0.0
        rank = distance - bonus + (2.0 if handle.behind else 0.0)
        if rank < nearest:
            best, nearest = handle, rank
    return best


def ring_points(origin: Float, axis: Float, radius: float) -> Float:
    """(N, 3) points of a circle about an axis, the first one repeated at the end."""
    across = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    across /= np.linalg.norm(across)
    angles = np.linspace(0.0, 2 * math.pi, _RING_STEPS + 1)[:, None]
    circle = np.cos(angles) * across + np.sin(angles) * np.cross(axis, across)
    return np.asarray(origin + radius * circle)


def _ring(camera: Camera, origin: Float, axes: Float, index: int, letter: str = "") -> Handle:
    radius, axis = RING_RATIO * gizmo_length(camera, origin), axes[index]
    points = ring_points(origin, axis, radius)
    segments, visible = project_segments(camera, points[:-1], points[1:])
    view = (origin - camera.position) / np.linalg.norm(origin - camera.position)
    behind = (points[:-1] - origin) @ view > _BEHIND * radius
    name = f"turn {'xyz'[index]}"
    return Handle(
        name, "ring", origin, axis, index, radius, segments[visible & ~behind],
        far=segments[visible & behind], letter=letter,
    )  # fmt: skip


def _view_ring(camera: Camera, origin: Float) -> Handle:
    """A true circle on the screen: it lies parallel to the picture."""
    radius, axis = _VIEW_RING_RATIO * gizmo_length(camera, origin), -camera.forward
    points = ring_points(origin, axis, radius)
    segments = _on_screen(camera, points[:-1], points[1:])
    return Handle("turn view", "ring", origin, axis, VIEW, radius, segments)


def _ways_out(camera: Camera, box: Box, origin: Float, axes: Float) -> Float:
    """(3,) metres along each axis, from the base's centre, to where its handles begin.

    All 0 for a box with room for them, and where the gizmo is not at the box.
    """
    pixels = camera.project(box.corners())
    extent = np.ptp(pixels[:, :2], axis=0)
    out = float(np.clip((_ROOMY - extent.min()) / (_ROOMY - _SMALL), 0.0, 1.0))
    at_box = np.allclose(origin, box.base_center())
    if out == 0.0 or pixels[:, 2].min() <= NEAR or not at_box:
        return np.zeros(3)
    # Something long leads out of sight; its sides are near in another direction.
    reach = ((box.corners() - origin) @ axes.T).max(axis=0)
    return out * np.minimum(reach, 2.0 * gizmo_length(camera, origin))


def _arrows(camera: Camera, origin: Float, axes: Float, beside: Float) -> list[Handle]:
    length, found = gizmo_length(camera, origin), []
    for index, axis in enumerate(axes):
        name, letter, at = f"move {'xyz'[index]}", AXIS_NAMES[index], origin + beside[index] * axis
        handle = Handle(name, "arrow", at, axis, index, length, _nothing(), letter=letter)
        segments = _arrow_line(camera, handle)
        if len(segments) and np.linalg.norm(segments[0, 1] - segments[0, 0]) > _SHORTEST_ARROW:
            found.append(replace(handle, segments=segments))
    return found


def _arrow_line(camera: Camera, handle: Handle) -> Float:
    reach = handle.length * handle.axis
    return _on_screen(camera, (handle.anchor + 0.12 * reach)[None], (handle.anchor + reach)[None])


def _square(
    camera: Camera, origin: Float, axes: Float, index: int, frame: Frame, beside: Float
) -> Handle:
    others = [i for i in range(3) if i != index]
    along = axes[others]
    name = "move " + "".join("xyz"[i] for i in others)
    if index == 2 and frame != "local":
        name = "move ground"
    view = (origin - camera.position) / np.linalg.norm(origin - camera.position)
    hidden = abs(float(np.dot(axes[index], view))) < _FLATTEST_SQUARE
    size = gizmo_length(camera, origin)
    # Along one of them: as near to each other, and to the ground, as in a gizmo inside a box.
    at = origin + beside[others[0]] * along[0]
    sides = _nothing() if hidden else _square_sides(camera, at, along, size)
    return Handle(name, "plane", at, axes[index], index, size, sides, axes=along)


def _square_sides(camera: Camera, origin: Float, axes: Float, size: float) -> Float:
    low, high = _SQUARE
    corners = np.array([[low, low], [high, low], [high, high], [low, high]])
    points = origin + size * corners @ axes
    sides = _on_screen(camera, points, np.roll(points, -1, axis=0))
    return sides if len(sides) == 4 else _nothing()


def _corners(camera: Camera, box: Box, upper: bool) -> list[Handle]:
    """Far ones first. `upper`: only the four that do not lift the box off the ground."""
    corners = box.corners()
    depths = camera.to_camera(corners)[:, 2]
    facing = _facing(camera, box)
    highest = set(np.argsort(-corners[:, 2], kind="stable")[:4])
    found = []
    for corner in np.argsort(-depths, kind="stable"):
        if upper and corner not in highest:
            continue
        at, opposite = corners[corner], corners[7 - corner]
        axis = (at - opposite) / np.linalg.norm(at - opposite)
        seen = any(facing[2 * i + (CORNER_SIGNS[corner, i] > 0)] for i in range(3))
        name = f"scale {corner}"
        found.append(_dot(camera, name, "scale", at, axis, int(corner), behind=not seen))
    return found


def _pulls(camera: Camera, box: Box) -> list[Handle]:
    """Far ones first."""
    rotation, facing, found = box.rotation_matrix(), _facing(camera, box), []
    for face in sorted(range(6), key=lambda face: facing[face]):
        axis, sign = face // 2, 2 * (face % 2) - 1
        at, normal = box.to_world(sign * np.eye(3)[axis]), sign * rotation[:, axis]
        view = (camera.position - at) / np.linalg.norm(camera.position - at)
        if abs(float(np.dot(normal, view))) < _FACE_ON:
            name = f"pull {'-+'[face % 2]}{'xyz'[axis]}"
            found.append(_dot(camera, name, "pull", at, normal, face, behind=not facing[face]))
    return found


def _facing(camera: Camera, box: Box) -> list[bool]:
    """For each of the six faces whether it looks towards the camera."""
    local = box.to_local(camera.position)
    return [bool((2 * (face % 2) - 1) * local[face // 2] > 1.0) for face in range(6)]


def _crowded(camera: Camera, box: Box) -> bool:
    pixels = camera.project(box.corners())
    if pixels[:, 2].min() <= NEAR:
        return False
    return bool(np.linalg.norm(np.ptp(pixels[:, :2], axis=0)) < _CROWDED)


def _dot(
    camera: Camera,
    name: str,
    kind: Literal["center", "scale", "pull"],
    at: Float,
    axis: Float,
    index: int,
    behind: bool = False,
) -> Handle:
    segments = _point_on_screen(camera, at)
    return Handle(name, kind, at, axis, index, 0.0, segments, behind=behind)


def _point_on_screen(camera: Camera, at: Float) -> Float:
    u, v, depth = camera.project(at)
    return np.array([[[u, v], [u, v]]]) if depth > NEAR else _nothing()


def _on_screen(camera: Camera, starts: Float, ends: Float) -> Float:
    segments, visible = project_segments(camera, starts, ends)
    return np.asarray(segments[visible])
