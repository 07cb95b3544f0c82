"""The shortcut sheet and the about box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, qVersion
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.actions import key_text
from app.commands import COMMANDS
from app.menus import in_menus, plain
from app.theme import UNIT
from neural_assets_core import __version__

GESTURES = (
    ("Select a box; again: the one behind it", "Click"),
    ("Add to the selection, or take from it", "Shift+click, Ctrl+click"),
    ("Move a box along the ground", "Drag"),
    ("Snap", "Ctrl while dragging"),
    ("A tenth of the speed", "Shift while dragging"),
    ("Nudge; ten times as far; a tenth as far", "Arrow keys; with Ctrl; with Shift"),
    ("One axis", "X, Y, Z while moving"),
    ("Confirm", "Enter, click"),
    ("Take back", "Esc, right click while dragging"),
    ("Menu of an object, or of the picture", "Right click; Menu, Shift+F10"),
    ("Zoom", "Wheel, pinch, Ctrl+two fingers"),
    ("Pan; in the orbit view: circle", "Middle drag, Space+drag"),
    ("Pan with a touchpad", "Two fingers"),
    ("Pan while nothing is selected", "Arrow keys"),
    ("Orbit view: circle; pan; come nearer", "Alt+drag; Shift+middle; Ctrl+middle"),
    ("Back to the picture", "Esc in a panel"),
)
"""What the picture understands by itself: text, keys and pointer."""


class ShortcutSheet(QDialog):
    """All keys of the current keymap and all pointer gestures, to look through and to search."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self.field = QLineEdit(placeholderText="Find a command or a key", clearButtonEnabled=True)
        self.field.setAccessibleName("Find a command or a key")
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(0)
        self.tree.setAccessibleName("Keyboard shortcuts")
        self.tree.setHeaderHidden(True)
        self.tree.setItemsExpandable(False)
        self.tree.setUniformRowHeights(True)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        # Enter belongs to the search.
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        for widget in (self.field, self.tree, buttons):
            column.addWidget(widget)
        self.resize(70 * UNIT, 80 * UNIT)

    def show_keymap(self, title: str) -> None:
        """List the keys as they are now; `title` is the keymap's name."""
        self.setWindowTitle(f"Keyboard shortcuts: {title}")
        self.tree.clear()
        for group, rows in self._groups().items():
            heading = QTreeWidgetItem(self.tree, [group])
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            heading.setFirstColumnSpanned(True)
            font = heading.font(0)
            font.setBold(True)
            heading.setFont(0, font)
            for text, keys in rows:
                row = QTreeWidgetItem(heading, [text, keys])
                row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
        self.tree.expandAll()
        self._filter(self.field.text())

    def _groups(self) -> dict[str, list[tuple[str, str]]]:
        groups: dict[str, list[tuple[str, str]]] = {}
        listed = set()
        for command, path in in_menus():
            listed.add(command.id)
            self._add(groups.setdefault(path[0], []), command.id, plain(command.text))
        picture = groups.setdefault("In the picture", [])
        for command in COMMANDS:
            if command.id not in listed:
                self._add(picture, command.id, plain(command.text))
        picture.extend(GESTURES)
        return {title: rows for title, rows in groups.items() if rows}

    def _add(self, rows: list[tuple[str, str]], id_: str, text: str) -> None:
        keys = key_text(self._actions[id_])
        if keys:
            rows.append((text, keys))

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for group in _children(self.tree.invisibleRootItem()):
            for row in _children(group):
                said = f"{row.text(0)} {row.text(1)} {group.text(0)}".casefold()
                row.setHidden(not all(word in said for word in words))
            group.setHidden(all(row.isHidden() for row in _children(group)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that mean nothing in a single line go on to the list: scrolling while typing."""
        scrolling = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in scrolling
        ):
            self.tree.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)


def _children(item: QTreeWidgetItem) -> Sequence[QTreeWidgetItem]:
    children = (item.child(row) for row in range(item.childCount()))
    return [child for child in children if child is not None]


def show_about(parent: QWidget) -> None:
    """Say what the program is."""
    QMessageBox.about(
        parent,
        "About Neural Assets Studio",
        "<p><b>Neural Assets Studio</b></p>"
        "<p>Move, turn and scale the objects of a photograph by their 3D boxes.</p>"
        f"<p>Version {__version__}, with Qt {qVersion()}</p>",
    )
