"""How handles are drawn, and the guides that show what a gesture is limited to."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.gestures import Gesture, Turn
from app.viewport.gizmo import VIEW, Handle, Kind, gizmo_length
from app.viewport.strokes import Color, Label, Strokes
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import NEAR, project_segments

Float = NDArray[np.float64]

_PLATE: Color = (0.08, 0.08, 0.08, 0.75)
"""Under a letter."""

_INK: Color = (0.08, 0.08, 0.08, 1.0)
"""A letter on a coloured dot."""

_BEFORE = 13.0
"""From the tip of an arrow to the middle of its letter."""

_RADII: dict[Kind, float] = {
    "arrow": 8.5, "plane": 2.0, "center": 6.5, "ring": 3.0, "scale": 5.5, "pull": 9.5,
}  # fmt: skip
"""How far handles are drawn around their lines."""

_ASIDE = math.radians(35.0)
_SECTOR_STEPS = 72


def draw_handles(
    strokes: Strokes, camera: Camera, handles: Sequence[Handle], hot: str | None
) -> None:
    """The handles in painting order; the one named `hot` is under the pointer, or in use."""
    for handle in handles:
        # One in use may have gone behind the camera.
        if len(handle.segments):
            _DRAW[handle.kind](strokes, camera, handle, handle.name == hot)


def covered(camera: Camera, handles: Sequence[Handle]) -> tuple[Float, Float]:
    """What handles cover that can be grabbed: lines (N, 2, 2) and their radii (N,), pixels."""
    lines, radii = [np.empty((0, 2, 2))], [np.empty(0)]
    for handle in handles:
        segments, radius = handle.segments, _RADII[handle.kind]
        if handle.kind == "arrow":
            # With the letter before its tip.
            along = segments[:, 1] - segments[:, 0]
            length = np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
            ends = segments[:, 1] + _BEFORE * along / length
            segments = np.stack([segments[:, 0], ends], axis=1)
        elif handle.letter:
            at = _place_on_ring(camera, handle)
            lines.append(np.stack([at, at])[None])
            radii.append(np.array([_RADII["arrow"]]))
        lines.append(segments)
        radii.append(np.full(len(segments), radius))
    return np.concatenate(lines), np.concatenate(radii)


def draw_guides(strokes: Strokes, camera: Camera, gesture: Gesture) -> None:
    """Lines along the axes that a gesture is limited to, and the angle that a turn has made."""
    reach = 200.0 * gizmo_length(camera, gesture.anchor)
    for index, direction in gesture.guides:
        ends = gesture.anchor - reach * direction, gesture.anchor + reach * direction
        segments, visible = project_segments(camera, ends[0][None], ends[1][None])
        strokes.segments(segments[visible], style.faded(style.CASING, 0.6), 2.6)
        strokes.segments(segments[visible], style.faded(style.AXES[index], 0.8), 1.3)
    if isinstance(gesture, Turn):
        _draw_sector(strokes, camera, gesture)


def _color(index: int, hot: bool) -> Color:
    color = style.PLAIN if index == VIEW else style.AXES[index]
    return style.brighter(color) if hot else color


def _draw_arrow(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    color, width = _color(handle.index, hot), 4.0 if hot else 3.0
    for tail, tip in handle.segments:
        length = float(np.linalg.norm(tip - tail))
        if length < 1.0:
            continue
        along = (tip - tail) / length
        across = np.array([-along[1], along[0]])
        neck = tip - min(13.0, length) * along
        shaft = np.stack([tail, neck])[None]
        head = np.stack([tip, neck + 6.0 * across, neck - 6.0 * across])
        strokes.segments(shaft, style.CASING, width + 2.0)
        strokes.path(head, style.CASING, 4.0, closed=True)
        strokes.segments(shaft, color, width)
        strokes.polygon(head, color)
        strokes.path(head, color, 1.5, closed=True)
        _draw_letter(strokes, handle.letter, tip + _BEFORE * along, color)


def _draw_plane(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    color, corners = _color(handle.index, hot), handle.segments[:, 0]
    if not len(corners):
        return
    strokes.path(corners, style.CASING, 3.5, closed=True)
    strokes.polygon(corners, style.faded(color, 0.75 if hot else 0.4))
    strokes.path(corners, color, 2.0 if hot else 1.5, closed=True)


def _draw_ring(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    color, width = _color(handle.index, hot), 4.0 if hot else 3.0
    if handle.index == VIEW:
        width = 3.0 if hot else 1.5
    strokes.segments(handle.far, style.faded(color, 0.45), 0.4 * width)
    strokes.segments(handle.segments, style.CASING, width + 2.0)
    strokes.segments(handle.segments, color, width)
    if handle.letter and len(handle.segments):
        _draw_letter(strokes, handle.letter, _place_on_ring(camera, handle), color)


def _place_on_ring(camera: Camera, handle: Handle) -> Float:
    """(2,) on a ring's near side, but not where it is nearest: seen edge on, rings cross there."""
    toward = camera.position - handle.anchor
    toward = toward - np.dot(toward, handle.axis) * handle.axis
    length = np.linalg.norm(toward)
    if length > 1e-9:
        toward = toward / length
        aside = math.cos(_ASIDE) * toward + math.sin(_ASIDE) * np.cross(handle.axis, toward)
        place = camera.project(handle.anchor + handle.length * aside)
        if place[2] > NEAR:
            return np.asarray(place[:2])
    return np.asarray(handle.segments[0, 0])


def _draw_center(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    at, size = handle.segments[0, 0], 12.0 if hot else 10.0
    strokes.dot(at, style.faded(style.CASING, 1.5), size + 3.0)
    strokes.dot(at, style.HOVERED if hot else style.PLAIN, size)


def _draw_corner(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    color = style.HOVERED if hot else style.faded(style.HOVERED, 0.55 if handle.behind else 0.95)
    side = 10.0 if hot else 6.5 if handle.behind else 8.0
    square = handle.segments[0, 0] + 0.5 * side * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    strokes.path(square, (0.0, 0.0, 0.0, 0.7), 3.0, closed=True)
    strokes.polygon(square, color)


def _draw_pull(strokes: Strokes, camera: Camera, handle: Handle, hot: bool) -> None:
    """A dot with its axis' letter, on a stem that shows which way the face goes."""
    axis, at = handle.index // 2, handle.segments[0, 0]
    color = style.faded(_color(axis, hot), 0.6 if handle.behind and not hot else 1.0)
    size = 8.0 if handle.behind and not hot else 19.0 if hot else 16.0
    if hot or not handle.behind:
        tip = handle.anchor + 0.3 * gizmo_length(camera, handle.anchor) * handle.axis
        stem, visible = project_segments(camera, handle.anchor[None], tip[None])
        strokes.segments(stem[visible], style.CASING, 4.0)
        strokes.segments(stem[visible], color, 2.0)
    strokes.dot(at, style.faded(style.CASING, 1.5), size + 3.0)
    strokes.dot(at, color, size)
    if hot or not handle.behind:
        letter = Label(style.AXIS_NAMES[axis], (float(at[0]), float(at[1])), _INK, boxed=False)
        strokes.label(letter)


def _draw_letter(strokes: Strokes, letter: str, at: Float, color: Color) -> None:
    strokes.dot(at, _PLATE, 17.0)
    strokes.label(Label(letter, (float(at[0]), float(at[1])), color, boxed=False))


_DRAW = {
    "arrow": _draw_arrow,
    "plane": _draw_plane,
    "ring": _draw_ring,
    "center": _draw_center,
    "scale": _draw_corner,
    "pull": _draw_pull,
}


def _draw_sector(strokes: Strokes, camera: Camera, turn: Turn) -> None:
    """The angle between what was grabbed, at the press and now."""
    radius = style.RING_RATIO * gizmo_length(camera, turn.anchor)
    shown = max(-math.tau, min(math.tau, turn.angle))
    angles = np.linspace(0.0, shown, _SECTOR_STEPS + 1)[:, None]
    arm = turn.arm
    rim = np.cos(angles) * arm + np.sin(angles) * np.cross(turn.axis, arm)
    points = camera.project(np.concatenate([turn.anchor[None], turn.anchor + radius * rim]))
    if points[:, 2].min() <= NEAR:
        return
    color = _color(turn.index, False)
    # A fan of triangles: a sector of more than half a turn is not convex.
    strokes.polygon(points[:, :2], style.faded(color, 0.25))
    strokes.segments(points[[[0, 1], [0, -1]], :2], style.CASING, 3.5)
    strokes.segments(points[[[0, 1], [0, -1]], :2], color, 1.5)
