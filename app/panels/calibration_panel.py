"""The calibration assistant's numbers and choices; the lines are laid in the picture."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.calibration import Assistant, from_millimetres, millimetres
from app.calibration.sketch import AXES, Method
from app.panels.fields import NumberField
from app.theme import UNIT
from neural_assets_core.calibration import Axis
from neural_assets_core.geometry import Camera

SHORTEST, LONGEST = 8.0, 400.0
"""Millimetres that the slider spans."""
_STOPS = 1000

_MEANINGS = {"x": "along the ground", "y": "along the ground, across X", "z": "upright"}
_MORE = {"x": "along the ground (X)", "y": "across X (Y)", "z": "along upright edges (Z)"}
_LINES_HELP = (
    "Choose an axis, then drag along edges that follow it: two or more for an axis, two axes or "
    "three. Long edges far apart tell most."
)
_HORIZON_HELP = (
    "Drag in the picture until the horizon lies where it would be seen, and the grid lies on the "
    "ground."
)


class CalibrationPanel(QWidget):
    """Lines or horizon, focal length, scale, and what comes of it.

    Parameters
    ----------
    assistant : Assistant
    start, apply : callable
        What its buttons do; they say themselves what goes wrong.
    """

    def __init__(
        self, assistant: Assistant, start: Callable[[], None], apply: Callable[[], None]
    ) -> None:
        super().__init__()
        self._assistant = assistant
        self._idle = QPushButton("Calibrate camera")
        self._idle.clicked.connect(start)
        self._work = QWidget()
        self._methods = self._build_methods()
        self._help = QLabel(wordWrap=True)
        self._help.setProperty("role", "faint")
        self._lines = QWidget()
        self._axes, self._tallies = self._build_axes()
        self._focal_slider, self._focal = self._build_focal()
        self._fixed = QCheckBox("Focal length")
        self._fixed.setToolTip("Set it, rather than have it found from the lines")
        self._fixed.clicked.connect(self._on_fixed)
        self._height = NumberField(0.01, 10_000.0, 0.1, 2, " m")
        self._height.setAccessibleName("Camera height")
        self._height.setToolTip("How high the camera is above the ground")
        self._height.edited.connect(self._on_height)
        self._measure = QPushButton("Measure")
        self._measure.setCheckable(True)
        self._measure.setToolTip("Drag between two points of the ground whose distance you know")
        self._measure.clicked.connect(assistant.set_measuring)
        self._forget = QPushButton("Forget")
        self._forget.setToolTip("Go by the camera's height again")
        self._forget.clicked.connect(
            lambda: assistant.push("Forget the length", measured=None)
        )
        self._metres = NumberField(0.001, 10_000.0, 0.1, 3, " m")
        self._metres.setAccessibleName("Known length")
        self._metres.edited.connect(self._on_metres)
        self._result = QLabel(wordWrap=True)
        self._warning = QLabel(wordWrap=True)
        self._warning.setProperty("role", "warning")
        self.apply = QPushButton("Apply")
        self.apply.setProperty("primary", "true")
        self.apply.clicked.connect(apply)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(assistant.cancel)
        self._arrange()
        assistant.changed.connect(self._refresh)
        assistant.active_changed.connect(self._refresh)
        self._refresh()

    # -- construction ----------------------------------------------------------------------------

    def _build_methods(self) -> dict[Method, QToolButton]:
        group = QButtonGroup(self)
        made: dict[Method, QToolButton] = {}
        words: tuple[tuple[Method, str, str], ...] = (
            ("lines", "Lines", "Find the camera from lines along straight edges"),
            ("horizon", "Horizon", "Say the focal length and drag the horizon"),
        )
        for method, text, tip in words:
            button = _choice(text)
            button.setToolTip(tip)
            button.clicked.connect(
                lambda _=False, chosen=method: self._assistant.push(
                    f"Calibrate by {chosen}", method=chosen
                )
            )
            group.addButton(button)
            made[method] = button
        return made

    def _build_axes(self) -> tuple[dict[Axis, QToolButton], dict[Axis, QLabel]]:
        group, grid = QButtonGroup(self), QGridLayout(self._lines)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        made: dict[Axis, QToolButton] = {}
        tallies: dict[Axis, QLabel] = {}
        for row, axis in enumerate(AXES):
            button = _choice(axis.upper())
            button.setToolTip(f"Lay lines {_MEANINGS[axis]} ({axis.upper()})")
            button.clicked.connect(
                lambda _=False, chosen=axis: self._assistant.set_axis(chosen)
            )
            group.addButton(button)
            made[axis], tallies[axis] = button, QLabel()
            grid.addWidget(button, row, 0)
            grid.addWidget(tallies[axis], row, 1)
        return made, tallies

    def _build_focal(self) -> tuple[QSlider, NumberField]:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, _STOPS)
        slider.setAccessibleName("Focal length")
        slider.valueChanged.connect(lambda stop: self._on_focal(_length(stop), True))
        field = NumberField(1.0, 5000.0, 1.0, 1, " mm")
        field.setAccessibleName("Focal length")
        for widget in (slider, field):
            widget.setToolTip("As on a 35 mm camera: 24 is wide, 50 normal, 85 long")
        field.edited.connect(self._on_focal)
        return slider, field

    def _arrange(self) -> None:
        methods = QHBoxLayout()
        for button in self._methods.values():
            methods.addWidget(button)
        methods.addStretch()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        form.addRow(self._fixed, self._focal)
        form.addRow(self._focal_slider)
        form.addRow("Camera height", self._height)
        measure = QHBoxLayout()
        measure.addWidget(self._measure, 1)
        measure.addWidget(self._forget, 1)
        form.addRow("Known length", self._metres)
        form.addRow(measure)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.cancel, 1)
        column = QVBoxLayout(self._work)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addLayout(methods)
        column.addWidget(self._help)
        column.addWidget(self._lines)
        column.addLayout(form)
        column.addWidget(self._result)
        column.addWidget(self._warning)
        inner = QWidget()
        whole = QVBoxLayout(inner)
        whole.setContentsMargins(UNIT, 0, UNIT, UNIT)
        whole.addWidget(self._idle)
        whole.addWidget(self._work)
        whole.addStretch()
        area = QScrollArea(widgetResizable=True)
        # Texts wrap, but what cannot must never be cut.
        bar = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(inner.minimumSizeHint().width() + bar)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        around.addWidget(area, 1)
        around.addWidget(self._buttons)

    # -- from the assistant ----------------------------------------------------------------------

    def _refresh(self) -> None:
        assistant = self._assistant
        self._idle.setVisible(not assistant.active)
        self._work.setVisible(assistant.active)
        self._buttons.setVisible(assistant.active)
        if not assistant.active:
            return
        sketch, found = assistant.sketch, assistant.solution()
        lines = sketch.method == "lines"
        self._methods[sketch.method].setChecked(True)
        self._help.setText(_LINES_HELP if lines else _HORIZON_HELP)
        self._lines.setVisible(lines)
        self._axes[assistant.axis].setChecked(True)
        for axis, tally in self._tallies.items():
            tally.setText(self._tally(axis))
        self._show_focal(found.camera)
        self._height.setEnabled(sketch.measured is None)
        camera = found.camera
        self._height.show_value(sketch.height if camera is None else float(camera.position[2]))
        self._measure.setChecked(assistant.measuring)
        self._metres.show_value(sketch.metres)
        self._metres.setEnabled(sketch.measured is not None)
        self._forget.setEnabled(sketch.measured is not None)
        told = found.advice if camera is None else _described(camera)
        missing = [axis for axis in AXES if len(sketch.along(axis)) < 2]
        if lines and camera is not None and len(missing) == 1:
            # Two directions cannot tell where the middle of a crop was.
            told += (
                f"\nTwo lines {_MORE[missing[0]]} would make the camera surer, above all in a "
                "cropped photograph."
            )
        self._result.setText(told)
        self._warning.setText("\n".join(found.warnings))
        self._warning.setVisible(bool(found.warnings))
        self.apply.setEnabled(camera is not None)

    def _tally(self, axis: Axis) -> str:
        """How many lines follow an axis, and by how much the worst misses."""
        numbers = self._assistant.sketch.along(axis)
        residuals = self._assistant.solution().residuals
        if not numbers:
            return _MEANINGS[axis]
        if len(numbers) == 1:
            return "1 line · one more to count"
        worst = max(residuals[n] for n in numbers) if residuals else math.nan
        told = "" if math.isnan(worst) else f" · off by {worst:.1f} px"
        return f"{len(numbers)} lines{told}"

    def _show_focal(self, camera: Camera | None) -> None:
        sketch = self._assistant.sketch
        told = sketch.tells_focal and not sketch.fixed
        self._fixed.setEnabled(sketch.tells_focal)
        self._fixed.setChecked(not told)
        focal = sketch.focal if camera is None or not told else float(camera.k[0, 0])
        length = millimetres(focal, self._assistant.size)
        self._focal.show_value(length)
        with QSignalBlocker(self._focal_slider):
            self._focal_slider.setValue(_stop(length))
        for widget in (self._focal, self._focal_slider):
            widget.setEnabled(not told)

    # -- to the assistant ------------------------------------------------------------------------

    def _on_focal(self, length: float, spun: bool) -> None:
        focal = from_millimetres(length, self._assistant.size)
        self._assistant.push("Focal length", "focal" if spun else "", focal=focal)

    def _on_fixed(self, on: bool) -> None:
        # At first as the lines have it.
        camera = self._assistant.solution().camera
        focal = self._assistant.sketch.focal if camera is None else float(camera.k[0, 0])
        text = "Set the focal length" if on else "Find the focal length"
        self._assistant.push(text, fixed=on, focal=focal)

    def _on_height(self, metres: float, spun: bool) -> None:
        self._assistant.push("Camera height", "height" if spun else "", height=metres)

    def _on_metres(self, metres: float, spun: bool) -> None:
        self._assistant.push("Known length", "metres" if spun else "", metres=metres)


def _choice(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setCheckable(True)
    # It is for the keyboard too.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _described(camera: Camera) -> str:
    """Tilt and roll in words."""
    right, _, ahead = camera.extrinsics[:3, :3]
    tilt = math.degrees(math.asin(min(max(float(ahead[2]), -1.0), 1.0)))
    roll = math.degrees(math.asin(min(max(float(right[2]), -1.0), 1.0)))
    way = "down" if tilt < 0 else "up"
    return f"Looks {abs(tilt):.1f}° {way}, leans {abs(roll):.1f}°"


def _length(stop: int) -> float:
    """Millimetres at a stop of the slider: equal ways are equal ratios."""
    return SHORTEST * (LONGEST / SHORTEST) ** (stop / _STOPS)


def _stop(length: float) -> int:
    return round(_STOPS * math.log(max(length, 1e-3) / SHORTEST) / math.log(LONGEST / SHORTEST))
