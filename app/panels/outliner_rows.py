"""Rows of the list of objects: picture, name, and an eye and a lock to click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.theme import icon

Mark = Literal["hidden", "locked"]
Index = QModelIndex | QPersistentModelIndex

MARK_SIZE = 16
MARK_ROOM = 24
"""Width of the place where a mark is clicked."""

MARKS: tuple[Mark, Mark] = ("hidden", "locked")
_ICONS = {"hidden": ("eye", "eye_closed"), "locked": ("lock_open", "lock")}
_TIPS = {
    "hidden": ("Hide this box", "Show this box again"),
    "locked": ("Lock against picking and editing in the picture", "Unlock"),
}
_OFF_OPACITY = 0.45


class OutlinerRows(QStyledItemDelegate):
    """Draws the rows and finds out which mark is clicked.

    Parameters
    ----------
    view : QAbstractItemView
        The list; a click on a mark does not select the row.
    marked : callable
        Whether an object, by name, is "hidden" or "locked".
    """

    mark_clicked = Signal(str, str)
    """The name of the object, and "hidden" or "locked"."""

    def __init__(self, view: QAbstractItemView, marked: Callable[[str, Mark], bool]) -> None:
        super().__init__(view)
        self._view, self._marked = view, marked
        # Events still arrive while the list is being destroyed, and then it cannot be asked.
        self._surface = view.viewport()
        self._surface.installEventFilter(self)

    def mark_rect(self, row: QRect, mark: Mark) -> QRect:
        """Where a mark is clicked, inside the rectangle of its row."""
        right = (len(MARKS) - MARKS.index(mark)) * MARK_ROOM
        return QRect(row.right() + 1 - right, row.top(), MARK_ROOM, row.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The row, and its marks at the right."""
        row = QRect(option.rect)
        super().paint(painter, option, index)
        name = str(index.data())
        for mark in MARKS:
            on = self._marked(name, mark)
            side = QRect(0, 0, MARK_SIZE, MARK_SIZE)
            side.moveCenter(self.mark_rect(row, mark).center())
            painter.save()
            painter.setOpacity(1.0 if on else _OFF_OPACITY)
            icon(_ICONS[mark][on]).paint(painter, side)
            painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Long names end before the marks."""
        super().initStyleOption(option, index)
        room = len(MARKS) * MARK_ROOM + option.decorationSize.width() + 16
        name = option.fontMetrics.elidedText(
            option.text, Qt.TextElideMode.ElideRight, option.rect.width() - room
        )
        option.text = name

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A field for the name; what is typed counts whenever the field says it is finished."""
        editor = super().createEditor(parent, option, index)
        if isinstance(editor, QLineEdit):
            editor.editingFinished.connect(lambda: self.commitData.emit(editor))
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """The field leaves the marks free."""
        super().updateEditorGeometry(editor, option, index)
        editor.setMaximumWidth(max(option.rect.width() - 2 * MARK_ROOM - editor.x(), 40))

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Say what a click on a mark does."""
        mark = self._mark_at(event.pos())
        if mark is None:
            return super().helpEvent(event, view, option, index)
        tip = _TIPS[mark][self._marked(str(index.data()), mark)]
        QToolTip.showText(event.globalPos(), tip, view)
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take clicks on marks before the list would select their row."""
        if watched is not self._surface:
            return super().eventFilter(watched, event)
        pressed = event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
        if not pressed or not isinstance(event, QMouseEvent):
            return False
        at = event.position().toPoint()
        mark = self._mark_at(at)
        if mark is None or event.button() != Qt.MouseButton.LeftButton:
            return False
        self.mark_clicked.emit(str(self._view.indexAt(at).data()), mark)
        return True

    def _mark_at(self, at: QPoint) -> Mark | None:
        index = self._view.indexAt(at)
        if not index.isValid():
            return None
        row = self._view.visualRect(index)
        return next((mark for mark in MARKS if self.mark_rect(row, mark).contains(at)), None)
