"""The command palette: type a few letters of a command, press Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSettings,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT, float_over_picture

WIDTH = 640
ROWS = 12
KEPT_RECENT = 5
_RECENT_KEY = "palette/recent"
_ENTRY = Qt.ItemDataRole.UserRole

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Entry:
    """A command as the palette lists it.

    Attributes
    ----------
    id : str
    name : str
    path : str
        The menus that lead to it.
    keys : str
        Its shortcut, as the platform writes it.
    obstacle : str
        Why it cannot be run now; empty if it can.
    tip : str
        What it does, in other words than its name.
    """

    id: str
    name: str
    path: str
    keys: str
    obstacle: str
    tip: str = ""


class CommandPalette(QFrame):
    """A field with a list under it, over the picture; not modal: leaving it closes it.

    Parameters
    ----------
    parent : QWidget
        What it floats over.
    entries : callable
        Asked for the commands each time the palette opens.
    """

    chosen = Signal(str)
    """Id of the command to run; the focus is then where it was before."""

    def __init__(self, parent: QWidget, entries: Callable[[], Sequence[Entry]]) -> None:
        super().__init__(parent)
        self._over, self._make_entries = parent, entries
        self._entries: Sequence[Entry] = ()
        self._back: QWidget | None = None
        self.setProperty("role", "palette")
        # Painted over the picture, never see-through.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.field = QLineEdit(placeholderText="Find a command", clearButtonEnabled=True)
        self.field.setAccessibleName("Find a command")
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.itemClicked.connect(lambda _: self._run())
        self._nothing = QLabel("No command is called that.")
        self._nothing.setProperty("role", "faint")
        float_over_picture(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        for widget in (self.field, self.list, self._nothing):
            column.addWidget(widget)
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it, empty, with the focus."""
        if not self.isVisible():
            self._back = QApplication.focusWidget()
            application = QApplication.instance()
            if isinstance(application, QApplication):
                application.focusChanged.connect(self._on_focus)
        self._entries = self._make_entries()
        self.field.clear()
        self._fill("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Hide it and give the focus back."""
        focused = self.isAncestorOf(QApplication.focusWidget() or self)
        self._hide()
        if focused and self._back is not None:
            self._back.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._back = None

    def _hide(self) -> None:
        application = QApplication.instance()
        if self.isVisible() and isinstance(application, QApplication):
            application.focusChanged.disconnect(self._on_focus)
        self.hide()

    # -- what is listed --------------------------------------------------------------------------

    def _fill(self, text: str) -> None:
        recent = _recent()
        found = []
        for place, entry in enumerate(self._entries):
            score = match(text, entry.name, entry.path, entry.tip)
            if score is not None:
                lately = recent.index(entry.id) if entry.id in recent else len(recent)
                found.append((score, lately, place, entry))
        self.list.clear()
        for _, _, _, entry in sorted(found, key=lambda row: row[:3]):
            item = QListWidgetItem(entry.name, self.list)
            item.setData(_ENTRY, entry)
            said = (entry.name, entry.path, entry.keys, entry.obstacle)
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, ", ".join(part for part in said if part)
            )
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(found))
        self._nothing.setVisible(not found)
        self._place()

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or item.data(_ENTRY).obstacle:
            return
        chosen: Entry = item.data(_ENTRY)
        _remember(chosen.id)
        self.dismiss()
        self.chosen.emit(chosen.id)

    # -- events ----------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over:
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        return (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and self._key(Qt.Key(event.key()))
        )

    def _key(self, key: Qt.Key) -> bool:
        """A key in the field; whether it was for the list."""
        page = ROWS - 1
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
        }
        if key in steps:
            self._step(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run()
        elif key == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            # There is nowhere else to go with Tab.
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def _step(self, step: int) -> None:
        last = self.list.count() - 1
        row = self.list.currentRow() + step
        if abs(step) == 1 and last >= 0:
            row %= last + 1
        self.list.setCurrentRow(max(0, min(row, last)))

    def _on_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        if now is not None and now is not self and not self.isAncestorOf(now):
            self._hide()

    def _place(self) -> None:
        width = min(WIDTH, self._over.width() - 4 * UNIT)
        rows = min(self.list.count(), ROWS)
        row_height = max(self.list.sizeHintForRow(0), 0)
        frame = 2 * self.list.frameWidth()
        room = self._over.height() - self.field.sizeHint().height() - 8 * UNIT
        self.list.setFixedHeight(max(min(rows * row_height + frame, room), 0))
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((self._over.width() - width) // 2, 2 * UNIT)


class _Delegate(QStyledItemDelegate):
    """A row: the name, the menu or the obstacle in faint, the keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, option.fontMetrics.height() + UNIT + UNIT // 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        styled = QStyleOptionViewItem(option)
        self.initStyleOption(styled, index)
        styled.text = ""
        view: QWidget = styled.widget
        view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, styled, painter, view)
        entry: Entry = index.data(_ENTRY)
        palette: QPalette = styled.palette
        text = palette.color(QPalette.ColorRole.Text)
        faint = palette.color(QPalette.ColorRole.PlaceholderText)
        area: QRect = styled.rect.adjusted(UNIT, 0, -UNIT, 0)
        metrics = styled.fontMetrics
        align = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setPen(faint if entry.obstacle else text)
        painter.drawText(area, align | Qt.AlignmentFlag.AlignRight, entry.keys)
        area.setRight(area.right() - metrics.horizontalAdvance(entry.keys) - 2 * UNIT)
        name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, align, name)
        area.setLeft(area.left() + metrics.horizontalAdvance(name) + 2 * UNIT)
        painter.setPen(faint)
        aside = f"— {entry.obstacle}" if entry.obstacle else entry.path
        aside = metrics.elidedText(aside, Qt.TextElideMode.ElideRight, max(area.width(), 0))
        painter.drawText(area, align, aside)
        painter.restore()


def match(text: str, name: str, path: str, tip: str = "") -> int | None:
    """How well a command answers what was typed: 0 is best, None not at all.

    Every word must be found: at the start of the name, at the start of one of its words, anywhere
    in it, in the menus' titles, at the start of a word of its tip, or, at worst, its letters one
    after another in the name.
    """
    total = 0
    for word in text.casefold().split():
        score = _match_word(word, name.casefold(), path.casefold(), tip.casefold())
        if score is None:
            return None
        total += score
    return total


def _match_word(word: str, name: str, path: str, tip: str) -> int | None:
    if name.startswith(word):
        return 0
    if f" {word}" in name:
        return 1
    if word in name:
        return 2
    if word in path:
        return 3
    # One or two letters begin a word of nearly every tip, and are in nearly every name.
    if len(word) > 2 and f" {word}" in f" {tip}":
        return 4
    letters = iter(name)
    return 5 if len(word) > 2 and all(letter in letters for letter in word) else None


def _recent() -> list[str]:
    stored = QSettings().value(_RECENT_KEY, [])
    # QSettings gives a lone entry back as a string.
    return [str(id_) for id_ in (stored if isinstance(stored, list) else [stored])]


def _remember(id_: str) -> None:
    kept = [id_, *(other for other in _recent() if other != id_)]
    QSettings().setValue(_RECENT_KEY, kept[:KEPT_RECENT])
