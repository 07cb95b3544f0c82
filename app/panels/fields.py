"""Input fields that behave: a wheel that scrolls past changes nothing, spinning is one step."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from app.theme import UNIT


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
        self.setLineEdit(_NumberEdit())
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
        if _asks_for_undo(event) and not self.lineEdit().isModified():
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


class _NumberEdit(QLineEdit):
    """A double click takes the whole number: what is typed next replaces it."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Qt would take the digits on one side of the point.
        self.selectAll()


class NameField(QLineEdit):
    """A name, shown as a heading; typing counts as in `NumberField`, Escape takes it back."""

    edited = Signal(str, str)
    """The name that was shown, and what was typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "heading")
        self._shown = ""
        self.editingFinished.connect(self._on_finished)

    def show_name(self, name: str) -> None:
        """Display a name; what is being typed for the same one stays."""
        if name != self._shown or not self.isModified():
            self._shown = name
            self.setText(name)
            # Of a long name the beginning.
            self.setCursorPosition(0)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the scene, unless there is typing to take back."""
        if _asks_for_undo(event) and not self.isModified():
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self._shown)
        else:
            super().keyPressEvent(event)

    def _on_finished(self) -> None:
        typed = self.text()
        if self.isModified() and typed != self._shown:
            # Before anybody is told: the name may be another, or refused, when it is shown again.
            self.setModified(False)
            self.setText(self._shown)
            self.edited.emit(self._shown, typed)


class NumberGroup(QWidget):
    """Three numbers in a row under a heading.

    Attributes
    ----------
    fields : list of NumberField
    """

    edited = Signal(int, float, bool)
    """Which of the three, its new value, and whether it came from spinning."""

    def __init__(
        self,
        title: str,
        labels: tuple[str, str, str],
        limits: tuple[float, float, float],
        unit: str,
    ) -> None:
        """`limits` are lowest, highest and step; `unit` is "m" or "°"."""
        super().__init__()
        low, high, step = limits
        metres = unit == "m"
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT // 2)
        grid.setVerticalSpacing(UNIT // 2)
        heading = QLabel(f"{title}, {unit}" if metres else title)
        heading.setProperty("role", "faint")
        grid.addWidget(heading, 0, 0, 1, 3)
        self.fields: list[NumberField] = []
        for index, label in enumerate(labels):
            field = NumberField(low, high, step, 3 if metres else 1, "" if metres else unit)
            field.setAccessibleName(f"{title} {label}")
            field.setToolTip(f"{title} {label}: type a number, or spin it with ↑ ↓")
            field.setMinimumWidth(64)
            field.edited.connect(lambda value, spun, i=index: self.edited.emit(i, value, spun))
            name = QLabel(label)
            name.setBuddy(field)
            grid.addWidget(name, 1, index)
            grid.addWidget(field, 2, index)
            self.fields.append(field)

    def show_values(self, values: Iterable[float]) -> None:
        """Display three values without them counting as an edit."""
        for field, value in zip(self.fields, values, strict=True):
            field.show_value(value)


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


def _asks_for_undo(event: QEvent) -> bool:
    """Whether a key that would undo or redo is being offered to a field."""
    standard = QKeySequence.StandardKey
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.ShortcutOverride
        and (event.matches(standard.Undo) or event.matches(standard.Redo))
    )


def commit_typing() -> None:
    """Make what is typed in the focused field count, as if it had been left."""
    field = QApplication.focusWidget()
    if isinstance(field, QAbstractSpinBox):
        field.interpretText()
    elif isinstance(field, QLineEdit) and field.hasAcceptableInput():
        field.editingFinished.emit()
