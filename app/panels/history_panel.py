"""The results of the open scene as a strip of thumbnails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.compare import CompareDialog
from app.document import Document
from app.generation.history import ResultHistory, shown
from app.theme import UNIT
from neural_assets_core.history import Entry
from neural_assets_core.scene import Picture, Scene

SIDE = 96
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
            return ("★ " if entry.starred else "") + (entry.name or _caption(entry))
        if role == Role.EditRole:
            return entry.name
        if role in (Role.ToolTipRole, Role.AccessibleTextRole):
            return entry.fault or _description(entry)
        if role == Role.DecorationRole:
            return self._icon(entry)
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
                self._icons[path] = QIcon(QPixmap.fromImage(image))
                self.dataChanged.emit(self.index(row), self.index(row), [Role.DecorationRole])


class Strip(QListView):
    """A horizontal list that keeps the keys of its own actions."""

    def sizeHint(self) -> QSize:
        # No higher than one row: the room belongs to the picture.
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def event(self, event: QEvent) -> bool:
        own = (Qt.Key.Key_Delete, Qt.Key.Key_F2, Qt.Key.Key_Left, Qt.Key.Key_Right)
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in own
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.actions()[-1].trigger()
        else:
            super().keyPressEvent(event)


class HistoryPanel(QWidget):
    """Results with their settings: restore, compare, star, name, export, delete.

    Return or a double click restores the settings of a result; F2 names it, Delete deletes it.

    Parameters
    ----------
    document : Document
    history : ResultHistory
    """

    def __init__(
        self, document: Document, history: ResultHistory, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._history = document, history
        self._deleted: list[Path] = []
        self._build()
        document.scene_changed.connect(self._on_scene)
        history.listed.connect(self._on_listed)
        history.restored.connect(self._on_restored)
        history.compared.connect(self._on_compared)

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
        self.list.setGridSize(QSize(SIDE + 4 * UNIT, SIDE + 4 * UNIT))
        self.list.setMinimumHeight(SIDE + 7 * UNIT)
        self.list.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.commands = {
            "restore": self._action("&Restore settings and scene", self._restore),
            "compare": self._action("&Compare two", self._compare),
            "star": self._action("&Star, or take the star away", self._star),
            "name": self._action("Re&name", lambda: self.list.edit(self.list.currentIndex())),
            "export": self._action("&Export …", self._export),
            "delete": self._action("&Delete", self._delete),
        }
        self.list.addActions(list(self.commands.values()))
        self.list.activated.connect(lambda _: self._restore())
        self.list.selectionModel().selectionChanged.connect(self._refresh)
        self.model.modelReset.connect(self._refresh)
        self.note = QLabel()
        self.undo = QPushButton("&Undo")
        self.undo.clicked.connect(self._undelete)
        foot = QHBoxLayout()
        foot.addWidget(self.note)
        foot.addWidget(self.undo)
        foot.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self._say_deleted()
        self._refresh()

    def _action(self, text: str, run: Any) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda: run())
        return action

    def chosen(self) -> list[Entry]:
        """The selected entries, oldest first."""
        rows = sorted((i.row() for i in self.list.selectedIndexes()), reverse=True)
        return [self.model.entries[row] for row in rows]

    # -- history to list -------------------------------------------------------------------------

    def _on_scene(self, scene: Scene | None) -> None:
        if scene is None:
            self.model.set_entries([])

    def _on_listed(self, source: Picture, entries: list[Entry]) -> None:
        scene = self._document.scene
        # A late answer may still be about the scene that was open before.
        if scene is None or scene.background.view.picture is not source:
            return
        kept = {entry.path for entry in self.chosen()}
        self.model.set_entries(entries)
        mode = self.list.selectionModel().SelectionFlag.Select
        for row, entry in enumerate(entries):
            if entry.path in kept:
                self.list.selectionModel().setCurrentIndex(self.model.index(row), mode)

    def _on_restored(self, scene: Scene) -> None:
        current = self._document.scene
        if current is not None and current.background.view.picture == scene.background.view.picture:
            self._document.push(scene, "Restore a result")

    def _on_compared(self, pictures: list[Picture]) -> None:
        CompareDialog(shown(pictures[0]), shown(pictures[1]), self.window()).show()

    def _refresh(self) -> None:
        chosen = self.chosen()
        sound = [entry for entry in chosen if not entry.fault]
        for id_ in ("restore", "name", "export"):
            self.commands[id_].setEnabled(len(chosen) == len(sound) == 1)
        self.commands["compare"].setEnabled(len(chosen) == len(sound) == 2)
        for id_ in ("star", "delete"):
            self.commands[id_].setEnabled(bool(chosen))

    # -- list to history -------------------------------------------------------------------------

    def _restore(self) -> None:
        if self.commands["restore"].isEnabled():
            self._history.restore(self.chosen()[0].path)

    def _compare(self) -> None:
        self._history.compare([entry.path for entry in self.chosen()])

    def _star(self) -> None:
        chosen = self.chosen()
        starred = not all(entry.starred for entry in chosen)
        for entry in chosen:
            self._history.mark(entry.path, entry.name, starred)

    def _export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Export the picture", "picture.png", "PNG (*.png)"
        )
        if name:
            self._history.export(self.chosen()[0].path, Path(name).with_suffix(".png"))

    def _delete(self) -> None:
        self._deleted = [entry.path for entry in self.chosen()]
        for path in self._deleted:
            self._history.delete(path)
        self._say_deleted()

    def _undelete(self) -> None:
        for path in self._deleted:
            self._history.undelete(path)
        self._deleted = []
        self._say_deleted()

    def _say_deleted(self) -> None:
        count = len(self._deleted)
        self.note.setText(f"Deleted {count} result{'s' if count > 1 else ''}." if count else "")
        self.undo.setVisible(bool(count))


def _caption(entry: Entry) -> str:
    return "Damaged" if entry.fault else f"{entry.made.astimezone():%H:%M:%S}"


def _description(entry: Entry) -> str:
    settings = entry.settings
    assert settings is not None
    made = f"{entry.made.astimezone():%Y-%m-%d %H:%M:%S}"
    if settings.decoder == "proxy":
        return f"{entry.name}\n{made}, proxy".strip()
    return (
        f"{entry.name}\n{made}\nSeed {settings.seed}, {settings.steps} steps, "
        f"guidance {settings.guidance:g}, checkpoint {settings.checkpoint}"
    ).strip()
