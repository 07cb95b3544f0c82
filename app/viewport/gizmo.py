"""The handles of the active object: where they are, and which one is under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewport.style import HANDLE_LENGTH, PICK_DISTANCE, RING_RATIO
from neural_assets_core.geometry import FACES, Box, Camera
from neural_assets_core.geometry.picking import distance_to_segments
from neural_assets_core.geometry.rays import NEAR, project_segments

Float = NDArray[np.float64]
Tool = Literal["select", "move", "turn", "scale"]
"""Which handles are shown; "select" shows those of the other three."""

TOOLS: tuple[Tool, ...] = ("select", "move", "turn", "scale")

UP = np.array([0.0, 0.0, 1.0])
_TOP_CORNERS = (1, 3, 5, 7)
_RING_STEPS = 96
_SHORTEST_ARROW = 14.0
"""Arrows that the view shortens below this many pixels are hidden."""


@dataclass(frozen=True, eq=False)
class Handle:
    """One grip on the active object.

    Attributes
    ----------
    name : str
        Unique among the handles: "move x", "move ground", "turn z", "scale 7", "pull +x" ...
    kind : {"arrow", "plane", "ring", "scale", "pull"}
    anchor : array (3,)
        World point that the grip belongs to: the gizmo's origin, the corner, the face's centre.
    axis : array (3,)
        Unit world direction: of the arrow, of the face, or normal to the plane or ring.
    index : int
        Axis (arrow, ring), corner (scale) or face (pull) number.
    length : float
        Metres: the arrow's length, the ring's radius; 0 for dots.
    segments : array (N, 2, 2)
        What is drawn and can be grabbed, on the screen; a dot is one segment without length.
    """

    name: str
    kind: Literal["arrow", "plane", "ring", "scale", "pull"]
    anchor: Float
    axis: Float
    index: int
    length: float
    segments: Float


def heading_axes(box: Box) -> Float:
    """(3, 3) rows: the box's x and y axes turned level, and up. Moves and arrows use these."""
    cosine, sine = math.cos(box.yaw()), math.sin(box.yaw())
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def gizmo_length(camera: Camera, origin: Float) -> float:
    """Metres that cover `HANDLE_LENGTH` screen pixels at the origin's depth."""
    return float(HANDLE_LENGTH * camera.project(origin)[2] / camera.k[0, 0])


def handles(camera: Camera, box: Box, tool: Tool) -> list[Handle]:
    """The handles of a box for a tool, in painting order.

    Parameters
    ----------
    camera : Camera
        The screen's (`Navigation.camera`).
    box : Box
    tool : Tool

    Returns
    -------
    list of Handle
        Empty if the base of the box is not in front of the camera.
    """
    origin = box.base_center()
    if camera.project(origin)[2] <= NEAR:
        return []
    found: list[Handle] = []
    if tool in ("select", "turn"):
        found.append(_ring(camera, origin))
    if tool in ("select", "move"):
        found += _arrows(camera, box, origin)
        found.append(_dot(camera, "move ground", "plane", origin, UP, 2))
    if tool in ("select", "scale"):
        corners = box.corners()
        for corner in _TOP_CORNERS:
            at = corners[corner]
            axis = (at - origin) / np.linalg.norm(at - origin)
            found.append(_dot(camera, f"scale {corner}", "scale", at, axis, corner))
    if tool == "scale":
        found += _pulls(camera, box)
    return [handle for handle in found if len(handle.segments)]


def handle_under(found: Sequence[Handle], pixel: Float) -> Handle | None:
    """The handle within `PICK_DISTANCE` of a screen position; dots win over lines near them."""
    best, nearest = None, math.inf
    for handle in found:
        distance = float(distance_to_segments(handle.segments, pixel).min())
        rank = distance - (0.5 * PICK_DISTANCE if handle.length == 0.0 else 0.0)
        if distance <= PICK_DISTANCE and rank < nearest:
            best, nearest = handle, rank
    return best


def ring_points(origin: Float, radius: float) -> Float:
    """(N, 3) points of a level circle, the first one repeated at the end."""
    angles = np.linspace(0.0, 2 * math.pi, _RING_STEPS + 1)
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    return np.asarray(origin + radius * circle)


def _ring(camera: Camera, origin: Float) -> Handle:
    radius = RING_RATIO * gizmo_length(camera, origin)
    points = ring_points(origin, radius)
    segments = _on_screen(camera, points[:-1], points[1:])
    return Handle("turn z", "ring", origin, UP, 2, radius, segments)


def _arrows(camera: Camera, box: Box, origin: Float) -> list[Handle]:
    length = gizmo_length(camera, origin)
    found = []
    for index, axis in enumerate(heading_axes(box)):
        ends = origin + 0.12 * length * axis, origin + length * axis
        segments = _on_screen(camera, ends[0][None], ends[1][None])
        if len(segments) and np.linalg.norm(segments[0, 1] - segments[0, 0]) > _SHORTEST_ARROW:
            name = f"move {'xyz'[index]}"
            found.append(Handle(name, "arrow", origin, axis, index, length, segments))
    return found


def _pulls(camera: Camera, box: Box) -> list[Handle]:
    corners, rotation, found = box.corners(), box.rotation_matrix(), []
    for face, indices in enumerate(FACES):
        axis, sign = face // 2, 2 * (face % 2) - 1
        at, normal = corners[list(indices)].mean(axis=0), sign * rotation[:, axis]
        # Faces that look away, and those seen face on, cannot be pulled by sight.
        view = (camera.position - at) / np.linalg.norm(camera.position - at)
        if 0.0 < np.dot(normal, view) < 0.98:
            name = f"pull {'-+'[face % 2]}{'xyz'[axis]}"
            found.append(_dot(camera, name, "pull", at, normal, face))
    return found


def _dot(
    camera: Camera,
    name: str,
    kind: Literal["plane", "scale", "pull"],
    at: Float,
    axis: Float,
    index: int,
) -> Handle:
    return Handle(name, kind, at, axis, index, 0.0, _on_screen(camera, at[None], at[None]))


def _on_screen(camera: Camera, starts: Float, ends: Float) -> Float:
    segments, visible = project_segments(camera, starts, ends)
    return np.asarray(segments[visible])
