"""The list that panels of pictures show: its own keys stay its own, and so does what is typed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView

_OWN = (
    Qt.Key.Key_Delete,
    Qt.Key.Key_F2,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)


def keep_key(event: QEvent) -> bool:
    """Keep a key that a list needs from being a command; whether this was one."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    if event.key() not in _OWN:
        return False
    event.accept()
    return True


class ThumbnailList(QListView):
    """Named thumbnails; at first no higher than one row, as the room belongs to the picture."""

    delete_pressed = Signal()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.minimumHeight())

    @property
    def editing(self) -> bool:
        """Whether a name is being typed."""
        return self.state() == QListView.State.EditingState

    def dataChanged(
        self,
        first: QModelIndex | QPersistentModelIndex,
        last: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        # A thumbnail came: Qt would also put the old name over what is being typed.
        if self.editing:
            self.viewport().update()
        else:
            super().dataChanged(first, last, list(roles))

    def event(self, event: QEvent) -> bool:
        return keep_key(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)
