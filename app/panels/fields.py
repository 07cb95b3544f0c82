"""Input fields that behave: a wheel that scrolls past changes nothing, spinning is one step."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QWidget


class NumberField(QDoubleSpinBox):
    """A number with its unit.

    Typed values count when the field is left or Enter is pressed; arrow keys and the wheel (once
    the field has the focus) spin.
    """

    edited = Signal(float, bool)
    """The user's new value, and whether it came from spinning."""

    def __init__(
        self,
        low: float,
        high: float,
        step: float,
        decimals: int = 3,
        suffix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setSuffix(suffix)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spinning = False
        self.valueChanged.connect(lambda value: self.edited.emit(value, self._spinning))

    def show_value(self, value: float) -> None:
        """Display a value without it counting as an edit."""
        with QSignalBlocker(self):
            self.setValue(value)

    def stepBy(self, steps: int) -> None:
        self._spinning = True
        super().stepBy(steps)
        self._spinning = False

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
