"""Laying lines over the photograph and dragging its horizon: the assistant's hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from app.calibration import Assistant, Line
from app.viewport.calibration_strokes import draw_sketch
from app.viewport.guest import Guest, Key, Modifier, Place, Pointer
from app.viewport.strokes import Strokes
from neural_assets_core.calibration import Axis
from neural_assets_core.geometry.picking import distance_to_segments

Float = NDArray[np.float64]
Point = tuple[float, float]

SLOW = 0.1
END_SHARE = 0.25
"""Pressed within this share of the photograph's width from a side, the horizon tilts there."""

_AXIS_KEYS: dict[Key, Axis] = {Key.Key_X: "x", Key.Key_Y: "y", Key.Key_Z: "z"}
_CONFIRM = (Key.Key_Return, Key.Key_Enter)
_DELETE = (Key.Key_Delete, Key.Key_Backspace)

_LINES_HINT = (
    "Drag along edges that are parallel in reality · X Y Z axis · Shift slows · Del deletes · "
    "Enter applies · Esc leaves"
)
_HORIZON_HINT = (
    "Drag up or down to move the horizon, near a side to tilt it · Shift slows · Enter applies · "
    "Esc leaves"
)
_MEASURE_HINT = "Drag between two points of the ground whose distance you know · Esc cancels"
_OPEN_HINT = "Click where it ends · Esc cancels"


@dataclass(frozen=True)
class _Grip:
    """What was grabbed.

    Attributes
    ----------
    text : str
        For the undo step.
    change : callable
        Fields of the sketch for where the pointer (2,) is.
    at : array (2,)
        Where the button went down.
    fresh : bool
        Something new is laid: a mere click leaves its other end to the next one.
    selects : int or None
        Number of the line to be selected.
    """

    text: str
    change: Callable[[Float], dict[str, Any]]
    at: Float
    fresh: bool = False
    selects: int | None = None


class CalibrationGuest(Guest):
    """The pointer over a photograph that is being calibrated.

    Parameters
    ----------
    assistant : Assistant
    apply : callable
        Ends the calibration with its result.
    """

    def __init__(self, assistant: Assistant, apply: Callable[[], None]) -> None:
        self._assistant, self._apply = assistant, apply
        self._grip: _Grip | None = None
        self._down = False
        self._hover: Pointer | None = None

    @property
    def held(self) -> bool:
        return self._down

    # -- pointer -------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> None:
        self._down = True
        if self._grip is None:
            grip = self._grip = self._grab(pointer)
            self._assistant.select(None if grip.fresh else grip.selects)

    def move(self, pointer: Pointer) -> None:
        self._hover = pointer
        grip = self._grip
        if grip is not None and (not self._down or self._moved(pointer)):
            self._assistant.show_draft(**grip.change(_slowed(grip.at, pointer)))

    def release(self, pointer: Pointer) -> None:
        grip, self._down = self._grip, False
        if grip is None:
            return
        if self._moved(pointer):
            self._grip = None
            self._assistant.measuring = False
            self._assistant.push(grip.text, **grip.change(_slowed(grip.at, pointer)))
            self._assistant.select(grip.selects)
        elif not grip.fresh:
            self._grip = None
            self._assistant.drop()
        else:
            self._choose(pointer)

    def leave(self) -> None:
        self._hover = None

    def let_go(self) -> None:
        self._down, self._grip = False, None
        if self._assistant.active:
            self._assistant.drop()

    def cancel(self) -> None:
        if self._grip is not None or self._assistant.measuring:
            self.let_go()
            self._assistant.set_measuring(False)
        else:
            self._assistant.cancel()

    def key(self, key: Key, modifiers: Modifier, pressed: bool) -> bool:
        plain = not modifiers & ~Modifier.KeypadModifier
        if not plain or key not in (*_AXIS_KEYS, *_CONFIRM, *_DELETE, Key.Key_Escape):
            # While something is dragged all keys belong to it.
            return self._down
        if not pressed:
            return True
        if key == Key.Key_Escape:
            self.cancel()
        elif self._down:
            return True
        elif key in _AXIS_KEYS:
            self._assistant.set_axis(_AXIS_KEYS[key])
        elif key in _DELETE:
            self._delete()
        else:
            self._apply()
        return True

    def _choose(self, pointer: Pointer) -> None:
        """A mere click on a line of another axis goes to that one; elsewhere it begins a line."""
        sketch = self._assistant.sketch
        if self._assistant.measuring or sketch.method != "lines":
            return
        number = self._under(pointer, range(len(sketch.lines)))
        if number is not None:
            self._grip = None
            self._assistant.set_axis(sketch.lines[number].axis)
            self._assistant.select(number)

    def _own(self) -> list[int]:
        """The lines that can be grabbed: those of the axis in use, as edges share corners."""
        return self._assistant.sketch.along(self._assistant.axis)

    def _under(self, pointer: Pointer, numbers: Sequence[int]) -> int | None:
        """Which of the lines with these numbers the pointer reaches."""
        if not numbers:
            return None
        lines = self._assistant.sketch.lines
        ends = np.array([[lines[number].start, lines[number].end] for number in numbers])
        distances = distance_to_segments(ends, pointer.at)
        nearest = int(np.argmin(distances))
        return numbers[nearest] if distances[nearest] <= pointer.reach else None

    def _delete(self) -> None:
        if self._grip is not None:
            self.let_go()
        else:
            self._assistant.delete_line()

    def _moved(self, pointer: Pointer) -> bool:
        grip = self._grip
        return grip is not None and bool(np.linalg.norm(pointer.at - grip.at) > 0.5 * pointer.reach)

    # -- what is grabbed -----------------------------------------------------------------------

    def _grab(self, pointer: Pointer) -> _Grip:
        start = _point(pointer.at)
        if self._assistant.measuring:
            return _Grip(
                "Measure a length",
                lambda at: {"measured": (start, _point(at))},
                pointer.at,
                fresh=True,
            )
        lines = self._assistant.sketch.method == "lines"
        return self._measured_end(pointer) or (
            self._line_end(pointer) or self._line_body(pointer) or self._new_line(pointer)
            if lines
            else self._horizon(pointer)
        )

    def _measured_end(self, pointer: Pointer) -> _Grip | None:
        measured = self._assistant.sketch.measured
        if measured is None:
            return None
        nearest = _nearest(np.array(measured), pointer)
        if nearest is None:
            return None
        other = measured[1 - nearest]
        return _Grip(
            "Measure a length", lambda at: {"measured": (other, _point(at))}, pointer.at
        )

    def _line_end(self, pointer: Pointer) -> _Grip | None:
        lines, own = self._assistant.sketch.lines, self._own()
        ends = [point for number in own for point in (lines[number].start, lines[number].end)]
        nearest = _nearest(np.array(ends), pointer)
        if nearest is None:
            return None
        number = own[nearest // 2]
        line = lines[number]
        offset = np.array((line.start, line.end)[nearest % 2]) - pointer.at

        def change(at: Float) -> dict[str, Any]:
            end = _point(at + offset)
            moved = replace(line, start=end) if nearest % 2 == 0 else replace(line, end=end)
            return {"lines": (*lines[:number], moved, *lines[number + 1 :])}

        return _Grip("Move a line's end", change, pointer.at, selects=number)

    def _line_body(self, pointer: Pointer) -> _Grip | None:
        lines = self._assistant.sketch.lines
        number = self._under(pointer, self._own())
        if number is None:
            return None
        line = lines[number]

        def change(at: Float) -> dict[str, Any]:
            ends = np.array([line.start, line.end]) + (at - pointer.at)
            moved = replace(line, start=_point(ends[0]), end=_point(ends[1]))
            return {"lines": (*lines[:number], moved, *lines[number + 1 :])}

        return _Grip("Move a line", change, pointer.at, selects=number)

    def _new_line(self, pointer: Pointer) -> _Grip:
        lines, axis, start = self._assistant.sketch.lines, self._assistant.axis, pointer.at

        def change(at: Float) -> dict[str, Any]:
            return {"lines": (*lines, Line(axis, _point(start), _point(at)))}

        return _Grip(f"Lay a line along {axis.upper()}", change, start, True, len(lines))

    def _horizon(self, pointer: Pointer) -> _Grip:
        left, right = self._assistant.sketch.horizon
        share = float(pointer.at[0]) / self._assistant.size[0]

        def change(at: Float) -> dict[str, Any]:
            rise = float(at[1] - pointer.at[1])
            # The far end stays.
            return {
                "horizon": (
                    left + (0.0 if share > 1.0 - END_SHARE else rise),
                    right + (0.0 if share < END_SHARE else rise),
                )
            }

        return _Grip("Move the horizon", change, pointer.at)

    # -- showing -------------------------------------------------------------------------------

    def status(self) -> str:
        if not self._assistant.active:
            return ""
        if self._grip is not None and not self._down:
            return _OPEN_HINT
        if self._assistant.measuring:
            return _MEASURE_HINT
        lines = self._assistant.sketch.method == "lines"
        return _LINES_HINT if lines else _HORIZON_HINT

    def cursor(self) -> Qt.CursorShape:
        if self._down and self._grip is not None and not self._grip.fresh:
            return Qt.CursorShape.ClosedHandCursor
        if self._over() is not None:
            return Qt.CursorShape.PointingHandCursor
        drawing = self._assistant.measuring or self._assistant.sketch.method == "lines"
        return Qt.CursorShape.CrossCursor if drawing else Qt.CursorShape.SizeVerCursor

    def draw(self, strokes: Strokes, place: Place) -> None:
        if self._assistant.active:
            draw_sketch(strokes, place, self._assistant, self._over())

    def _over(self) -> int | None:
        """Number of the line under the pointer."""
        sketch = self._assistant.sketch
        if self._hover is None or self._grip is not None or sketch.method != "lines":
            return None
        return self._under(self._hover, self._own())


def _nearest(points: Float, pointer: Pointer) -> int | None:
    """Number of the point (N, 2) that the pointer reaches."""
    if not len(points):
        return None
    distances = np.linalg.norm(points - pointer.at, axis=1)
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= 1.3 * pointer.reach else None


def _slowed(start: Float, pointer: Pointer) -> Float:
    slow = bool(pointer.modifiers & Modifier.ShiftModifier)
    return np.asarray(start + (SLOW if slow else 1.0) * (pointer.at - start))


def _point(at: Float) -> Point:
    return float(at[0]), float(at[1])
