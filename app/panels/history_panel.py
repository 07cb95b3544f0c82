"""The results of the open scene as a strip of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QColor,
    QIcon,
    QImage,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.compare import CompareDialog
from app.document import Document
from app.generation.history import ResultHistory
from app.panels.thumbnail_list import ThumbnailList
from app.theme import UNIT, colors
from neural_assets_core.history import Entry
from neural_assets_core.scene import Picture, Scene

SIDE = 96
CELL = SIDE + 5 * UNIT
"""Width of an entry: the longest seeds that the program makes fit."""
RESTORE, DELETE, UNDELETE = "result_restore", "result_delete", "result_undelete"
EMPTY = (
    "Finished pictures of this photograph will be kept here: those of the proxy, which follow "
    "every edit, when you press Generate."
)
Role = Qt.ItemDataRole


class HistoryModel(QAbstractListModel):
    """The entries; a thumbnail is read when it is first to be seen."""

    def __init__(self, history: ResultHistory, parent: QWidget) -> None:
        super().__init__(parent)
        self._history = history
        self.entries: list[Entry] = []
        self._icons: dict[Path, QIcon] = {}
        blank = QPixmap(SIDE, SIDE)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        self.cell = QSize(CELL, SIDE + 2 * parent.fontMetrics().lineSpacing() + 2 * UNIT)
        history.thumbnail_made.connect(self._on_thumbnail)

    def set_entries(self, entries: list[Entry]) -> None:
        """Show other entries; thumbnails of those that stay are kept."""
        self.beginResetModel()
        self.entries = entries
        kept = {entry.path for entry in entries}
        self._icons = {path: icon for path, icon in self._icons.items() if path in kept}
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Role.DisplayRole
    ) -> Any:
        entry = self.entries[index.row()]
        if role == Role.DisplayRole:
            return ("★ " if entry.starred else "") + _caption(entry)
        if role == Role.EditRole:
            return entry.name
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            return entry.fault or _description(entry)
        if role == Role.DecorationRole:
            return self._icon(entry)
        if role == Role.SizeHintRole:
            return self.cell
        return None

    def setData(
        self, index: QModelIndex | QPersistentModelIndex, value: Any, role: int = Role.EditRole
    ) -> bool:
        entry = self.entries[index.row()]
        self._history.mark(entry.path, " ".join(str(value).split()), entry.starred)
        return True

    def _icon(self, entry: Entry) -> QIcon:
        icon = self._icons.get(entry.path)
        if icon is None:
            icon = self._icons[entry.path] = self._blank
            if not entry.fault:
                self._history.thumbnail(entry.path)
        return icon

    def _on_thumbnail(self, path: Path, image: QImage) -> None:
        for row, entry in enumerate(self.entries):
            if entry.path == path:
                pixmap = QPixmap.fromImage(image)
                self._icons[path] = QIcon(pixmap)
                # Else Qt tints the colours that the user compares.
                self._icons[path].addPixmap(pixmap, QIcon.Mode.Selected)
                self.dataChanged.emit(self.index(row), self.index(row), [Role.DecorationRole])


class Strip(ThumbnailList):
    """A horizontal list that says what it is for while there is nothing in it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(colors().faint))
            room = self.viewport().rect().adjusted(UNIT, 0, -UNIT, 0)
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, wrapped, EMPTY)


class HistoryPanel(QWidget):
    """Results with their settings: restore, compare, star, name, export, delete.

    Return or a double click restores the settings of a result; F2 names it, Delete deletes it.

    Parameters
    ----------
    document : Document
    history : ResultHistory
    commands : sequence of QAction
        Offered in the context menu; by their names `RESTORE`, `DELETE` and `UNDELETE`.
    """

    changed = Signal()
    """Other results are chosen, or others can be brought back."""

    def __init__(
        self,
        document: Document,
        history: ResultHistory,
        commands: Sequence[QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._history = document, history
        self._source: Picture | None = None
        self._late: tuple[Picture, list[Entry]] | None = None
        self._deleted: list[list[Path]] = []
        self.commands = {action.objectName(): action for action in commands}
        self._build()
        document.scene_changed.connect(self._on_scene)
        history.listed.connect(self._on_listed)
        history.restored.connect(self._on_restored)
        history.compared.connect(self._on_compared)
        history.kept.connect(self._forget_deleted)

    def _build(self) -> None:
        self.model = HistoryModel(self._history, self)
        self.list = Strip()
        self.list.setAccessibleName("History")
        self.list.setModel(self.model)
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setFlow(QListView.Flow.LeftToRight)
        self.list.setWrapping(False)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(SIDE, SIDE))
        cell = self.model.cell
        self.list.setGridSize(cell + QSize(UNIT, UNIT))
        # The bar under the row comes and goes.
        self.list.setMinimumHeight(cell.height() + 3 * UNIT)
        self.list.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.list.addActions(list(self.commands.values()))
        self.list.activated.connect(lambda _: self.commands[RESTORE].trigger())
        self.list.delete_pressed.connect(self.commands[DELETE].trigger)
        # Queued: when it is told, the editor is still there.
        self.list.itemDelegate().closeEditor.connect(
            self._on_typed, Qt.ConnectionType.QueuedConnection
        )
        self.list.selectionModel().selectionChanged.connect(self.changed)
        self.model.modelReset.connect(self.changed)
        self.note = QLabel()
        self.undo = QPushButton("&Undo")
        self.undo.clicked.connect(self.commands[UNDELETE].trigger)
        # Beside the list, not under it: the picture above must not jump when they appear.
        side = QVBoxLayout()
        side.addWidget(self.note)
        side.addWidget(self.undo)
        side.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, 0, UNIT, UNIT)
        row.addWidget(self.list, 1)
        row.addLayout(side)
        self._say_deleted()

    def chosen(self) -> list[Entry]:
        """The selected entries, oldest first."""
        rows = sorted((i.row() for i in self.list.selectedIndexes()), reverse=True)
        return [self.model.entries[row] for row in rows]

    def sound(self) -> list[Entry]:
        """The selected entries, oldest first, if none of them is damaged; else none."""
        chosen = self.chosen()
        return [] if any(entry.fault for entry in chosen) else chosen

    @property
    def can_undelete(self) -> bool:
        return bool(self._deleted)

    # -- commands, for selections that they fit ------------------------------------------------

    def restore(self) -> None:
        """Make the scene and settings of the selected result current."""
        self._history.restore(self.chosen()[0].path)

    def compare(self) -> None:
        """Show the two selected results in one place."""
        self._history.compare(self.chosen())

    def star(self) -> None:
        """Star the selected results, or take the stars away if all have one."""
        chosen = self.chosen()
        starred = not all(entry.starred for entry in chosen)
        for entry in chosen:
            self._history.mark(entry.path, entry.name, starred)

    def edit_name(self) -> None:
        """Let the user type a name for the selected result."""
        self.list.setFocus()
        self.list.edit(self.list.selectedIndexes()[0])

    def export(self) -> None:
        """Have the selected result read, to be exported."""
        self._history.fetch(self.chosen()[0].path)

    def delete(self) -> None:
        """Take the selected results away."""
        self._deleted.append([entry.path for entry in self.chosen()])
        for path in self._deleted[-1]:
            self._history.delete(path)
        self._say_deleted()

    def undelete(self) -> None:
        """Bring back what was deleted last."""
        for path in self._deleted.pop():
            self._history.undelete(path)
        self._say_deleted()

    # -- history to list -------------------------------------------------------------------------

    def _on_scene(self, scene: Scene | None) -> None:
        source = None if scene is None else scene.background.view.picture
        if source is not self._source:
            self._source = source
            self.model.set_entries([])
            self._forget_deleted()

    def _on_listed(self, source: Picture, entries: list[Entry]) -> None:
        # A late answer may still be about the scene that was open before.
        if source is not self._source:
            return
        if self.list.editing:
            # Other rows now would end the typing.
            self._late = (source, entries)
            return
        self._late = None
        kept = {entry.path for entry in self.chosen()}
        self.model.set_entries(entries)
        mode = self.list.selectionModel().SelectionFlag.Select
        for row, entry in enumerate(entries):
            if entry.path in kept:
                self.list.selectionModel().setCurrentIndex(self.model.index(row), mode)

    def _on_typed(self) -> None:
        if self._late is not None:
            self._on_listed(*self._late)

    def _on_restored(self, scene: Scene) -> None:
        current = self._document.scene
        if current is not None and current.background.view.picture == scene.background.view.picture:
            self._document.push(scene, "Restore a result")

    def _on_compared(self, results: list[tuple[Entry, QImage]]) -> None:
        first, second = (
            (image, " · ".join(_caption(entry).split("\n"))) for entry, image in results
        )
        CompareDialog(first, second, self.window()).show()

    def _forget_deleted(self) -> None:
        self._deleted = []
        self._say_deleted()

    def _say_deleted(self) -> None:
        count = sum(map(len, self._deleted))
        self.note.setText(f"Deleted {count} result{'s' if count > 1 else ''}." if count else "")
        self.note.setVisible(bool(count))
        self.undo.setVisible(bool(count))
        self.changed.emit()


def _caption(entry: Entry) -> str:
    """What it is called or when it was made, and on a second line its seed."""
    if entry.settings is None:
        return "Damaged"
    made = entry.made.astimezone()
    today = made.date() == datetime.now().astimezone().date()
    first = entry.name or (f"{made:%H:%M:%S}" if today else f"{made.day} {made:%b, %H:%M}")
    proxy = entry.settings.decoder == "proxy"
    return first if proxy else f"{first}\nSeed {entry.settings.seed}"


def _description(entry: Entry) -> str:
    settings = entry.settings
    assert settings is not None
    lines = [entry.name, f"{entry.made.astimezone():%Y-%m-%d %H:%M:%S}"]
    if settings.decoder == "proxy":
        lines.append("Proxy")
    else:
        lines += [
            f"Seed {settings.seed}",
            f"{settings.steps} step{'s' * (settings.steps != 1)}, guidance {settings.guidance:g}",
            f"Checkpoint {settings.checkpoint}",
        ]
    if entry.starred:
        lines.append("Starred: never removed to make room")
    return "\n".join(filter(None, lines))
