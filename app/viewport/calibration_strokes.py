"""How a calibration is drawn: its lines, the horizon and the ground that follow from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.calibration import Assistant, Line, Sketch, Solution
from app.viewport import style
from app.viewport.guest import Place
from app.viewport.orbit_strokes import draw_ground
from app.viewport.strokes import Color, Label, Strokes
from neural_assets_core.calibration import horizon
from neural_assets_core.calibration.solve import astray
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.library.composition import ground_middle

Float = NDArray[np.float64]

_GRID: Color = (1.0, 1.0, 1.0, 0.6)
_HORIZON: Color = (1.0, 0.93, 0.7, 1.0)
_MEASURED: Color = (1.0, 1.0, 1.0, 1.0)
_INDEX = {"x": 0, "y": 1, "z": 2}
_END, _CHOSEN_END = 9.0, 12.0
_EXTENSION_DASH = 6.0
_LABEL_ROOM = 14.0


def draw_sketch(strokes: Strokes, place: Place, assistant: Assistant, over: int | None) -> None:
    """All of a calibration in progress; the line with the number `over` is under the pointer."""
    sketch, found, size = assistant.sketch, assistant.solution(), assistant.size
    if found.camera is not None:
        draw_world(strokes, place, found.camera)
    if sketch.method == "lines":
        for line in sketch.lines:
            toward = found.vanishing_points.get(line.axis)
            if toward is not None:
                _draw_extension(strokes, place, line, np.array(toward), float(max(size)))
        for number, line in enumerate(sketch.lines):
            name = _name(sketch, number, found, size)
            _draw_line(strokes, place, line, name, number == assistant.selected, number == over)
    _draw_measured(strokes, place, sketch)


def draw_world(strokes: Strokes, place: Place, camera: Camera) -> None:
    """The ground as a grid in perspective, and the horizon, as a camera sees them."""
    try:
        middle = ground_middle(camera)
    except UserError:
        # It sees none.
        middle = None
    if middle is not None:
        distance = float(np.linalg.norm(middle - camera.position))
        draw_ground(strokes, place.camera(camera), middle, distance, _GRID)
    left, right = horizon(camera)
    ends = place.to_screen(np.array([[0.0, left], [float(camera.width), right]]))
    strokes.path(ends, style.CASING, 4.0)
    strokes.path(ends, _HORIZON, 2.0)
    _label_horizon(strokes, place, camera, ends)


def _label_horizon(strokes: Strokes, place: Place, camera: Camera, ends: Float) -> None:
    """Its name where it leaves the photograph, or where it would be found outside."""
    top, bottom = (place.to_screen(np.array([0.0, y]))[1] for y in (0.0, float(camera.height)))
    x = float(0.9 * ends[1, 0] + 0.1 * ends[0, 0])
    y = float(0.9 * ends[1, 1] + 0.1 * ends[0, 1])
    text, at = "Horizon", y - _LABEL_ROOM
    if y < top:
        text, at = "Horizon ↑", top + _LABEL_ROOM
    elif y > bottom:
        text, at = "Horizon ↓", bottom - _LABEL_ROOM
    strokes.label(Label(text, (x, float(at)), _HORIZON))


def _name(sketch: Sketch, number: int, found: Solution, size: tuple[int, int]) -> str:
    """Axis and number along it, as warnings name a line, and by how much it goes astray."""
    line = sketch.lines[number]
    name = f"{line.axis.upper()}{sketch.along(line.axis).index(number) + 1}"
    missed = found.residuals[number] if found.residuals else 0.0
    return f"{name} · {missed:.0f} px" if missed > astray(size) else name


def _draw_line(
    strokes: Strokes, place: Place, line: Line, name: str, selected: bool, over: bool
) -> None:
    ends = place.to_screen(np.array([line.start, line.end]))
    color = style.AXES[_INDEX[line.axis]]
    color = style.brighter(color) if over or selected else color
    width = 3.0 if selected or over else 2.2
    diameter = _CHOSEN_END if selected else _END
    strokes.path(ends, style.CASING, width + 2.2)
    strokes.path(ends, color, width)
    for end in ends:
        strokes.dot(end, style.CASING, diameter + 3.0)
        strokes.dot(end, style.HOVERED if selected else color, diameter)
        # Through the ring one sees what it is laid on.
        strokes.dot(end, (*color[:3], 1.0), diameter - 4.0)
    along = ends[1] - ends[0]
    length = float(np.linalg.norm(along))
    if length > 1.0:
        aside = np.array([-along[1], along[0]]) / length
        # Above the line, or to its right.
        aside = aside if (aside[1], -aside[0]) < (0.0, 0.0) else -aside
        u, v = ends.mean(axis=0) + _LABEL_ROOM * aside
        strokes.label(Label(name, (float(u), float(v)), color))


def _draw_extension(
    strokes: Strokes, place: Place, line: Line, toward: Float, reach: float
) -> None:
    """Dashes from a line on to its vanishing point, as far as that is worth seeing."""
    ends = np.array([line.start, line.end])
    near = ends[np.argmin(np.linalg.norm(ends - toward, axis=1))]
    along = toward - near
    length = float(np.linalg.norm(along))
    if length < 1e-6:
        return
    tip = near + along * min(1.0, 2.0 * reach / length)
    color = style.faded(style.AXES[_INDEX[line.axis]], 0.55)
    strokes.segments(place.to_screen(np.stack([near, tip]))[None], color, 1.2, _EXTENSION_DASH)


def _draw_measured(strokes: Strokes, place: Place, sketch: Sketch) -> None:
    if sketch.measured is None:
        return
    ends = place.to_screen(np.array(sketch.measured))
    strokes.path(ends, style.CASING, 4.4)
    strokes.path(ends, _MEASURED, 2.2)
    for end in ends:
        strokes.dot(end, style.CASING, _END + 3.0)
        strokes.dot(end, _MEASURED, _END)
    u, v = ends.mean(axis=0)
    strokes.label(Label(f"{sketch.metres:.3g} m", (float(u), float(v) - _LABEL_ROOM), _MEASURED))
