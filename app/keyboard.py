"""The keyboard alone: which keys a panel keeps, and the way from part to part of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

Key = Qt.Key
Modifier = Qt.KeyboardModifier
Reason = Qt.FocusReason

_TEXT = QLineEdit | QAbstractSpinBox | QComboBox | QTextEdit | QPlainTextEdit
_TYPED = Modifier.ShiftModifier | Modifier.KeypadModifier | Modifier.GroupSwitchModifier
_NAVIGATION = frozenset({Key.Key_Tab, Key.Key_Backtab, Key.Key_Home, Key.Key_End})
_BY_KEYBOARD = (Reason.TabFocusReason, Reason.BacktabFocusReason, Reason.ShortcutFocusReason)


class PictureFrame(QFrame):
    """Around the picture: shows that the keyboard has led the focus there.

    Not after a click: a ring around the picture would only disturb the eye then.
    """

    def __init__(self, picture: QWidget) -> None:
        super().__init__()
        self.setProperty("role", "picture")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(picture)
        target = picture.focusProxy() or picture
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self._show_focus(event.gotFocus() and event.reason() in _BY_KEYBOARD)
        elif event.type() == QEvent.Type.MouseButtonPress:
            self._show_focus(False)
        return False

    def _show_focus(self, on: bool) -> None:
        shown = "true" if on else "false"
        if self.property("focused") != shown:
            self.setProperty("focused", shown)
            # A style sheet looks at properties only when it is applied.
            self.style().unpolish(self)
            self.style().polish(self)


class Panes(QObject):
    """The parts of the window; in all but the picture, controls keep the keys they need.

    Text fields keep everything that can be typed, other controls Tab, Home and End; Esc leads
    back to the picture.

    Parameters
    ----------
    window : QWidget
    views : sequence of QWidget
        The parts whose keys are all commands; the first that is shown is where Esc leads.
    others : sequence of QWidget
        The other parts in the order in which F6 visits them; those that are hidden are left out.
    """

    def __init__(
        self, window: QWidget, views: Sequence[QWidget], others: Sequence[QWidget]
    ) -> None:
        super().__init__(window)
        self._views, self._others = views, others
        # A floating dock is a window of its own: keys do not come from there to the main one.
        for part in (window, *others):
            part.installEventFilter(self)

    def go(self, step: int) -> None:
        """Give the focus to the next part (step 1) or the one before (-1), where it last was."""
        parts = [*self._views, *self._others]
        focused = QApplication.focusWidget()
        here = next((i for i, part in enumerate(parts) if _holds(part, focused)), 0)
        for distance in range(1, len(parts)):
            if self._enter(parts[(here + step * distance) % len(parts)]):
                return

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            # A panel that is closed; Qt would go on to whatever comes next.
            focused = QApplication.focusWidget()
            if any(part is watched and _holds(part, focused) for part in self._others):
                self._lead_back()
            return False
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride and self._kept(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and event.key() == Key.Key_Escape:
            self._lead_back()
            return True
        return False

    def _lead_back(self) -> None:
        any(self._enter(view) for view in self._views)

    def _enter(self, part: QWidget) -> bool:
        """Give the focus to a part; whether it has anything that takes it."""
        target = _entrance(part)
        if target is None:
            return False
        target.activateWindow()
        target.setFocus(Reason.ShortcutFocusReason)
        return True

    def _kept(self, event: QKeyEvent) -> bool:
        """Whether the control with the focus needs this key for itself."""
        focused = QApplication.focusWidget()
        if focused is None or any(_holds(view, focused) for view in self._views):
            return False
        if isinstance(focused, _TEXT):
            return not event.modifiers() & ~_TYPED and event.key() < Key.Key_F1
        return event.key() in _NAVIGATION and not event.modifiers() & ~Modifier.ShiftModifier


def _holds(part: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and (part is widget or part.isAncestorOf(widget))


def _entrance(part: QWidget) -> QWidget | None:
    """The widget of a part that gets the focus: the last one that had it, else the first."""
    if not part.isVisible():
        return None
    candidates = [part, *part.findChildren(QWidget)]
    last = part.focusWidget()
    if last is not None:
        candidates.insert(0, last)
    return next((widget for widget in candidates if _takes_focus(widget)), None)


def _takes_focus(widget: QWidget) -> bool:
    return (
        bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.focusProxy() is None
        and widget.isVisible()
        and widget.isEnabled()
    )
