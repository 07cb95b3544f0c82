"""What is drawn over the picture: boxes, names, handles, and guides while something is dragged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.gestures import Boxes, Gesture, Move, Turn
from app.viewport.gizmo import Handle, gizmo_length, heading_axes, ring_points
from app.viewport.strokes import Color, Label, Strokes
from neural_assets_core.geometry import EDGES, FACES, Box, Camera
from neural_assets_core.geometry.rays import NEAR, project_segments
from neural_assets_core.scene import Scene

Float = NDArray[np.float64]

_EDGES = np.array(EDGES)
_EDGE_FACES = np.array(
    [[f for f, face in enumerate(FACES) if a in face and b in face] for a, b in EDGES]
)
"""(12, 2) the two faces that meet at each edge."""

_FRONT = 1
"""The face +x."""


@dataclass(frozen=True)
class Highlights:
    """What is special about the moment.

    Attributes
    ----------
    selection : tuple of str
        Names; the last is active.
    box : str or None
        Name of the object under the pointer.
    handles : sequence of Handle
        To be drawn.
    handle : str or None
        Name of the handle under the pointer, or in use.
    gesture : Gesture or None
        The one in progress.
    """

    selection: tuple[str, ...] = ()
    box: str | None = None
    handles: Sequence[Handle] = ()
    handle: str | None = None
    gesture: Gesture | None = None


def draw_scene(strokes: Strokes, camera: Camera, scene: Scene, now: Highlights) -> None:
    """All of the overlay, for the screen's camera."""
    rank = {name: index + 2 for index, name in enumerate(now.selection)}
    if now.box is not None:
        rank.setdefault(now.box, 1)
    if now.gesture is not None:
        _draw_ghosts(strokes, camera, now.gesture.grab.boxes)
        active = {item.name: item.box for item in scene.objects}.get(now.selection[-1])
        if active is not None:
            _draw_guides(strokes, camera, now.gesture, active)
    for item in sorted(scene.objects, key=lambda item: rank.get(item.name, 0)):
        _draw_object(strokes, camera, item.name, item.box, now)
    for handle in now.handles:
        _draw_handle(strokes, camera, handle, handle.name == now.handle)


def _draw_object(strokes: Strokes, camera: Camera, name: str, box: Box, now: Highlights) -> None:
    color, width = style.PLAIN, 1.3
    if name in now.selection:
        color = style.ACCENT if name == now.selection[-1] else style.SELECTED
        width = 2.0
    elif name == now.box:
        color, width = style.HOVERED, 2.0
    draw_box(strokes, camera, box, color, width)
    if name in now.selection or name == now.box:
        _draw_name(strokes, camera, name, box, color)


def draw_box(strokes: Strokes, camera: Camera, box: Box, color: Color, width: float) -> None:
    """A box's edges, those behind dashed, and an arrowhead on the ground before its front."""
    corners = box.corners()
    segments, visible = project_segments(camera, *np.moveaxis(corners[_EDGES], 1, 0))
    facing = _faces_seen(camera, box)
    front = visible & facing[_EDGE_FACES].any(axis=1)
    back = visible & ~front
    strokes.segments(segments[back], style.faded(style.CASING, 0.5), width + 1.4, dash=8.0)
    strokes.segments(segments[back], style.faded(color, 0.55), 0.8 * width, dash=8.0)
    _draw_front_mark(strokes, camera, box, color, bool(facing[_FRONT]))
    strokes.segments(segments[front], style.CASING, width + 2.0)
    strokes.segments(segments[front], color, width)


def _faces_seen(camera: Camera, box: Box) -> NDArray[np.bool_]:
    """(6,) whether each face looks towards the camera."""
    outside = np.abs(local := box.to_local(camera.position)) > 1.0
    return np.array([outside[f // 2] and (local[f // 2] > 0) == (f % 2 == 1) for f in range(6)])


def _draw_front_mark(strokes: Strokes, camera: Camera, box: Box, color: Color, seen: bool) -> None:
    rotation = box.rotation_matrix()
    foot = box.to_world(np.array([1.0, 0.0, -1.0]))
    reach = 0.25 * min(box.size[0], box.size[1])
    points = foot + reach * np.array([rotation[:, 1], 1.1 * rotation[:, 0], -rotation[:, 1]])
    pixels = camera.project(points)
    if pixels[:, 2].min() > NEAR:
        opacity = 0.9 if seen else 0.4
        strokes.path(pixels[:, :2], style.faded(style.CASING, opacity), 3.0, closed=True)
        strokes.polygon(pixels[:, :2], style.faded(color, opacity))
        strokes.path(pixels[:, :2], style.faded(color, opacity), 1.0, closed=True)


def _draw_name(strokes: Strokes, camera: Camera, name: str, box: Box, color: Color) -> None:
    pixels = camera.project(box.corners())
    pixels = pixels[pixels[:, 2] > NEAR]
    if len(pixels):
        top, middle = float(pixels[:, 1].min()), float(np.mean(pixels[:, 0]))
        strokes.label(Label(name, (middle, max(top - 18.0, 14.0)), color))


# -- handles ---------------------------------------------------------------------------------


def _draw_handle(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    color = style.HOVERED if handle.kind in ("plane", "scale") else style.AXES[_axis_of(handle)]
    color = style.brighter(color) if hot else color
    if handle.kind == "arrow":
        _draw_arrow(strokes, handle, color, hot)
    elif handle.kind == "ring":
        _draw_ring(strokes, camera, handle, color, hot)
    elif handle.kind == "scale":
        _draw_square(strokes, handle.segments[0, 0], color, 10.0 if hot else 8.0)
    else:
        at, size = handle.segments[0, 0], 13.0 if hot else 11.0
        strokes.dot(at, style.faded(style.CASING, 1.5), size + 3.0)
        strokes.dot(at, color, size)


def _axis_of(handle: Handle) -> int:
    return handle.index // 2 if handle.kind == "pull" else handle.index


def _draw_arrow(strokes: Strokes, handle: Handle, color: Color, hot: bool) -> None:
    width = 4.0 if hot else 3.0
    tail, tip = handle.segments[0]
    along = (tip - tail) / np.linalg.norm(tip - tail)
    across = np.array([-along[1], along[0]])
    neck = tip - 13.0 * along
    shaft = np.stack([tail, neck])[None]
    head = np.stack([tip, neck + 6.0 * across, neck - 6.0 * across])
    strokes.segments(shaft, style.CASING, width + 2.0)
    strokes.path(head, style.CASING, 4.0, closed=True)
    strokes.segments(shaft, color, width)
    strokes.polygon(head, color)
    strokes.path(head, color, 1.5, closed=True)
    at = tip + 13.0 * along
    strokes.dot(at, (0.08, 0.08, 0.08, 0.75), 17.0)
    letter = style.AXIS_NAMES[handle.index]
    strokes.label(Label(letter, (float(at[0]), float(at[1])), color, boxed=False))


def _draw_ring(strokes: Strokes, camera: Camera, handle: Handle, color: Color, hot: bool) -> None:
    points = ring_points(handle.anchor, handle.length)
    segments, visible = project_segments(camera, points[:-1], points[1:])
    behind = camera.project(points)[:-1, 2] > camera.project(handle.anchor)[2]
    far, near = segments[visible & behind], segments[visible & ~behind]
    width = 4.0 if hot else 3.0
    strokes.segments(far, style.faded(color, 0.6), 0.5 * width)
    strokes.segments(near, style.CASING, width + 2.0)
    strokes.segments(near, color, width)


def _draw_square(strokes: Strokes, at: Float, color: Color, side: float) -> None:
    square = at + 0.5 * side * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    strokes.path(square, (0.0, 0.0, 0.0, 0.7), 3.0, closed=True)
    strokes.polygon(square, color)


# -- while something is dragged --------------------------------------------------------------


def _draw_ghosts(strokes: Strokes, camera: Camera, boxes: Boxes) -> None:
    """Where the boxes stood at the press."""
    for box in boxes.values():
        corners = box.corners()[_EDGES]
        segments, visible = project_segments(camera, corners[:, 0], corners[:, 1])
        strokes.segments(segments[visible], style.faded(style.CASING, 0.4), 2.4)
        strokes.segments(segments[visible], style.GHOST, 1.0)


def _draw_guides(strokes: Strokes, camera: Camera, gesture: Gesture, active: Box) -> None:
    if isinstance(gesture, Turn):
        _draw_sector(strokes, camera, gesture.grab.active, active)
    elif isinstance(gesture, Move) and len(gesture.axes) == 1:
        axis, reach = gesture.axes[0], 200.0 * gizmo_length(camera, gesture.anchor)
        ends = gesture.anchor - reach * axis, gesture.anchor + reach * axis
        segments, visible = project_segments(camera, ends[0][None], ends[1][None])
        color = style.AXES[int(np.argmax(np.abs(heading_axes(gesture.grab.active) @ axis)))]
        strokes.segments(segments[visible], style.faded(color, 0.8), 1.3)


def _draw_sector(strokes: Strokes, camera: Camera, before: Box, now: Box) -> None:
    """The angle between the headings at the press and now."""
    center = before.base_center()
    radius = style.RING_RATIO * gizmo_length(camera, center)
    turned = math.remainder(now.yaw() - before.yaw(), 2 * math.pi)
    angles = before.yaw() + np.linspace(0.0, turned, 49)
    rim = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    points = camera.project(np.concatenate([center[None], center + radius * rim]))
    if points[:, 2].min() > NEAR:
        color = style.AXES[2]
        strokes.polygon(points[:, :2], style.faded(color, 0.25))
        rays = points[[[0, 1], [0, -1]], :2]
        strokes.segments(rays, style.CASING, 3.5)
        strokes.segments(rays, color, 1.5)
