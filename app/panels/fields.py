"""Input fields that behave: a wheel that scrolls past changes nothing, spinning is one step."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QWidget,
)


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
        self.lineEdit().setModified(False)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the scene, unless there is typing to take back."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and (
                event.matches(QKeySequence.StandardKey.Undo)
                or event.matches(QKeySequence.StandardKey.Redo)
            )
            and not self.lineEdit().isModified()
        ):
            event.ignore()
            return False
        return super().event(event)

    def stepBy(self, steps: int) -> None:
        self._spinning = True
        super().stepBy(steps)
        self._spinning = False

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceField(QComboBox):
    """A choice that the wheel changes only once it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def commit_typing() -> None:
    """Make what is typed in the focused field count, as if it had been left."""
    field = QApplication.focusWidget()
    if isinstance(field, QAbstractSpinBox):
        field.interpretText()
    elif isinstance(field, QLineEdit) and field.hasAcceptableInput():
        field.editingFinished.emit()
