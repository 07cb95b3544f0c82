"""What only the orbit view draws: the ground, the picture's camera, and which way is which."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.camera_drag import CameraHandles, Part
from app.viewport.strokes import Color, Label, Strokes
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import NEAR, project_segments

Float = NDArray[np.float64]

_GRID: Color = (1.0, 1.0, 1.0, 0.20)
_CELLS = 24
"""From the middle of the grid to its border."""
_CELL_SHARE = 0.06
"""A cell is about this share of the distance that is looked at."""

_FRUSTUM: Color = (0.75, 0.85, 1.0, 0.9)
_COMPASS_ARM = 26.0
_COMPASS_ROOM = 46.0


def draw_ground(
    strokes: Strokes, camera: Camera, target: Float, distance: float, color: Color = _GRID
) -> None:
    """A grid on the ground that fades out; the world's x and y axes in their colours.

    Parameters
    ----------
    strokes : Strokes
    camera : Camera
    target : array (3,)
        World point that is looked at: the grid lies around it.
    distance : float
        How far away that is, metres: the cells suit it.
    color : Color
        Of its lines.
    """
    cell = _round(_CELL_SHARE * distance)
    reach = _CELLS * cell
    at = np.arange(-_CELLS, _CELLS + 1)
    middle = np.round(target[:2] / cell)
    for axis in (0, 1):
        across = (middle[axis] + at) * cell
        along = (middle[1 - axis] + np.stack([at[:-1], at[1:]], axis=1)) * cell
        ends = np.zeros((len(across), len(along), 2, 3))
        ends[..., axis] = across[:, None, None]
        ends[..., 1 - axis] = along[None]
        far = np.linalg.norm(ends.mean(axis=2)[..., :2] - target[:2], axis=-1) / reach
        colors = np.empty((*far.shape, 4))
        # A line of constant x is the y axis where x is 0.
        is_axis = middle[axis] + at == 0
        colors[:] = color
        colors[is_axis] = style.faded(style.AXES[1 - axis], 0.7)
        colors[..., 3] *= np.clip(1.0 - far, 0.0, 1.0) ** 1.5
        widths = np.where(is_axis, 1.6, 1.0)[:, None] * np.ones(len(along))
        flat = ends.reshape(-1, 2, 3)
        shown = colors.reshape(-1, 4)[:, 3] > 0.01
        segments, visible = project_segments(camera, flat[shown, 0], flat[shown, 1])
        strokes.segments(
            segments[visible], colors.reshape(-1, 4)[shown][visible], widths.ravel()[shown][visible]
        )


def draw_frustum(
    strokes: Strokes, camera: Camera, seen: Camera, reach: float, held: Part | None
) -> None:
    """The picture's camera `seen`: lines to its picture's corners at a depth of `reach` metres.

    Its two handles are dots; the one that is `held`, or under the pointer, is larger.
    """
    width, height = float(seen.width), float(seen.height)
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    eye, directions = seen.rays(corners)
    frame = eye + reach * directions
    # A roof shows which side of the picture is up.
    up = (frame[0] + frame[1]) / 2 + 0.25 * (frame[0] - frame[3])
    lines = [(eye, corner) for corner in frame]
    lines += [(frame[i], frame[(i + 1) % 4]) for i in range(4)]
    lines += [(frame[0], up), (up, frame[1])]
    ends = np.array(lines)
    segments, visible = project_segments(camera, ends[:, 0], ends[:, 1])
    strokes.segments(segments[visible], style.CASING, 3.0)
    strokes.segments(segments[visible], _FRUSTUM, 1.4)
    handles = CameraHandles.of(seen, reach)
    for part, point in (("eye", handles.eye), ("aim", handles.aim)):
        u, v, depth = camera.project(point)
        if depth > NEAR:
            dot = np.full((1, 2, 2), [u, v])
            strokes.segments(dot, style.CASING, 13.0 if part == held else 10.0)
            strokes.segments(dot, style.HOVERED if part == held else _FRUSTUM, 9.0)


def draw_compass(strokes: Strokes, camera: Camera) -> None:
    """The world's axes as they are turned now, in the lower left corner."""
    middle = np.array([_COMPASS_ROOM, camera.height - _COMPASS_ROOM])
    arms = camera.extrinsics[:3, :3].T
    for index in np.argsort(-arms[:, 2]):
        color = style.AXES[index]
        tip = middle + _COMPASS_ARM * arms[index, :2]
        strokes.segments(np.stack([middle, tip])[None], style.CASING, 4.0)
        strokes.segments(np.stack([middle, tip])[None], color, 2.2)
        u, v = middle + (_COMPASS_ARM + 10.0) * arms[index, :2]
        strokes.label(Label(style.AXIS_NAMES[index], (u, v), color, boxed=False))


def _round(metres: float) -> float:
    """The nearest power of ten, or half of one."""
    power = 10.0 ** math.floor(math.log10(metres))
    return power * (1.0 if metres < 2.5 * power else 5.0 if metres < 7.5 * power else 10.0)
