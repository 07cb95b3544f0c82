"""The asset library as a grid of thumbnails, to search, sort, and drag from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDropEvent,
    QIcon,
    QImage,
    QPixmap,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.panels.thumbnail_list import ThumbnailList
from app.shelf import OBJECT_TYPE, Shelf, dragged, dragged_assets, ships
from app.theme import UNIT, icon
from neural_assets_core.library import Entry

SIDE = 80
KEPT = 600
"""Thumbnails kept in memory; more than a large screen shows at once."""
INSERT, DELETE, UNDELETE = "library_insert", "library_delete", "library_undelete"
EVERYWHERE, ANY_TAG = "All folders", "All tags"
WARNING = "#ffd61a"
Role = Qt.ItemDataRole

SORTS: Mapping[str, Callable[[Entry], Any]] = {
    "Name": lambda entry: (entry.name.casefold(), entry.folder),
    "Newest": lambda entry: -entry.changed,
    "Size": lambda entry: -max(entry.size or (0.0,)),
    "Folder": lambda entry: (ships(entry), entry.folder.casefold(), entry.name.casefold()),
}


class LibraryModel(QAbstractListModel):
    """The entries that are shown; a thumbnail is read when it is first to be seen."""

    def __init__(self, shelf: Shelf, parent: QWidget) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self.entries: list[Entry] = []
        self._rows: dict[Path, int] = {}
        self._icons: dict[tuple[Path, int], QIcon] = {}
        blank = QPixmap(SIDE, SIDE)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        shelf.thumbnail_made.connect(self._on_thumbnail)

    def set_entries(self, entries: list[Entry]) -> None:
        """Show other entries; thumbnails of files that did not change are kept."""
        if entries == self.entries:
            return
        self.beginResetModel()
        self.entries = entries
        self._rows = {entry.path: row for row, entry in enumerate(entries)}
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            return flags
        entry = self.entries[index.row()]
        if not entry.fault:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags if ships(entry) else flags | Qt.ItemFlag.ItemIsEditable

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Role.DisplayRole
    ) -> Any:
        entry = self.entries[index.row()]
        if role in (Role.DisplayRole, Role.EditRole):
            return entry.name
        if role == Role.ToolTipRole:
            return _description(entry)
        if role == Role.AccessibleTextRole:
            return f"{entry.name}, {entry.kind}"
        if role == Role.DecorationRole:
            return self._icon(entry)
        return None

    def setData(
        self, index: QModelIndex | QPersistentModelIndex, value: Any, role: int = Role.EditRole
    ) -> bool:
        name, entry = " ".join(str(value).split()), self.entries[index.row()]
        if name and name != entry.name:
            self._shelf.rename(entry.path, name)
        return bool(name)

    def mimeTypes(self) -> list[str]:
        return dragged([]).formats()

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        entries = [self.entries[index.row()] for index in indexes]
        return dragged([entry.path for entry in entries if not entry.fault])

    def _icon(self, entry: Entry) -> QIcon:
        if entry.fault:
            return icon("warning", WARNING)
        key = (entry.path, entry.changed)
        found = self._icons.pop(key, None)
        if found is None:
            self._shelf.thumbnail(entry.path)
            return self._blank
        # Last used, last forgotten.
        self._icons[key] = found
        return found

    def _on_thumbnail(self, path: Path, image: QImage) -> None:
        row = self._rows.get(path)
        if row is None:
            return
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(2)
        made = icon("picture") if image.isNull() else QIcon(pixmap)
        self._icons[path, self.entries[row].changed] = made
        while len(self._icons) > KEPT:
            del self._icons[next(iter(self._icons))]
        self.dataChanged.emit(self.index(row), self.index(row), [Role.DecorationRole])


class LibraryPanel(QWidget):
    """Assets of both libraries: find, sort, rename, delete, and carry them to the picture.

    Return or a double click inserts an asset; F2 renames it, Delete deletes it. Objects and
    asset files that are dropped here are added.

    Parameters
    ----------
    shelf : Shelf
    commands : sequence of QAction
        Offered in the context menu; by their names `INSERT`, `DELETE` and `UNDELETE`.
    """

    changed = Signal()
    """Others are chosen, or others can be brought back."""

    objects_dropped = Signal()
    """The selected objects were dragged here."""

    files_dropped = Signal(object)
    """List of paths of asset files."""

    def __init__(
        self, shelf: Shelf, commands: Sequence[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._all: list[Entry] = []
        self._trashed: list[list[Path]] = []
        self._commands = {action.objectName(): action for action in commands}
        self.model = LibraryModel(shelf, self)
        self.list = self._build_list()
        self.search = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the library")
        self.search.textChanged.connect(self._filter)
        self.folders = self._build_choice("Folder", [EVERYWHERE])
        self.tags = self._build_choice("Tag", [ANY_TAG])
        self.sort = self._build_choice("Sort by", list(SORTS))
        self._arrange()
        self.setAcceptDrops(True)
        shelf.listed.connect(self._on_listed)
        shelf.deleted.connect(self._on_deleted)

    def _build_list(self) -> ThumbnailList:
        grid = ThumbnailList()
        grid.setAccessibleName("Library")
        grid.setModel(self.model)
        grid.setViewMode(QListView.ViewMode.IconMode)
        grid.setMovement(QListView.Movement.Static)
        # After the movement, which turns it off.
        grid.setDragEnabled(True)
        grid.setDragDropMode(QListView.DragDropMode.DragOnly)
        grid.setResizeMode(QListView.ResizeMode.Adjust)
        grid.setUniformItemSizes(True)
        grid.setIconSize(QSize(SIDE, SIDE))
        text = grid.fontMetrics().lineSpacing() + UNIT
        grid.setGridSize(QSize(SIDE + 3 * UNIT, SIDE + text + UNIT))
        grid.setMinimumHeight(SIDE + text + 3 * UNIT)
        grid.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        grid.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        grid.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        grid.addActions(list(self._commands.values()))
        grid.activated.connect(lambda _: self._commands[INSERT].trigger())
        grid.delete_pressed.connect(self._commands[DELETE].trigger)
        grid.selectionModel().selectionChanged.connect(self.changed)
        self.model.modelReset.connect(self.changed)
        # Queued: when it is told, the editor is still there.
        grid.itemDelegate().closeEditor.connect(
            self._on_typed, Qt.ConnectionType.QueuedConnection
        )
        return grid

    def _build_choice(self, name: str, choices: list[str]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.addItems(choices)
        box.currentIndexChanged.connect(self._filter)
        return box

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(self.search, 1)
        for box in (self.folders, self.tags, self.sort):
            head.addWidget(box)
        self.count, self.note = QLabel(), QLabel()
        self.count.setProperty("role", "faint")
        self.undo = QPushButton("&Undo")
        self.undo.clicked.connect(self._commands[UNDELETE].trigger)
        foot = QHBoxLayout()
        foot.addWidget(self.count)
        foot.addStretch()
        foot.addWidget(self.note)
        foot.addWidget(self.undo)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self._say_deleted()

    # -- what is chosen --------------------------------------------------------------------------

    def chosen(self) -> list[Entry]:
        """The selected entries, in the order shown."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.model.entries[row] for row in rows]

    @property
    def can_undelete(self) -> bool:
        return bool(self._trashed)

    # -- commands, for selections that they fit --------------------------------------------------

    def edit_name(self) -> None:
        """Let the user type another name for the selected asset."""
        self.list.setFocus()
        self.list.edit(self.list.selectedIndexes()[0])

    def delete(self) -> None:
        """Take the selected assets out of the user's library."""
        self._shelf.delete([entry.path for entry in self.chosen()])

    def undelete(self) -> None:
        """Bring back what was deleted last."""
        self._shelf.restore(self._trashed.pop())
        self._say_deleted()

    # -- library to grid -------------------------------------------------------------------------

    def _on_listed(self, entries: list[Entry]) -> None:
        if self.list.editing:
            # Other rows now would end the typing; its end, given up or not, lists again.
            return
        self._all = entries
        places = sorted({place for entry in entries for place in _places(entry)})
        tags = sorted({tag for entry in entries for tag in entry.tags}, key=str.casefold)
        _fill(self.folders, [EVERYWHERE, *places])
        _fill(self.tags, [ANY_TAG, *tags])
        self._filter()

    def _on_typed(self) -> None:
        self._shelf.refresh()

    def _filter(self) -> None:
        text, place, tag = self.search.text(), self.folders.currentText(), self.tags.currentText()
        shown = [
            entry
            for entry in self._all
            if (self.folders.currentIndex() == 0 or place in _places(entry))
            and (self.tags.currentIndex() == 0 or tag in entry.tags)
            and entry.matches(text)
        ]
        kept = {entry.path for entry in self.chosen()}
        self.model.set_entries(sorted(shown, key=SORTS[self.sort.currentText()]))
        selection = self.list.selectionModel()
        for row, entry in enumerate(self.model.entries if kept else ()):
            if entry.path in kept:
                selection.setCurrentIndex(self.model.index(row), selection.SelectionFlag.Select)
        assets = "asset" if len(shown) == 1 else "assets"
        of = f" of {len(self._all)}" if len(shown) < len(self._all) else ""
        self.count.setText(f"{len(shown)}{of} {assets}")

    def _on_deleted(self, trashed: list[Path]) -> None:
        if trashed:
            self._trashed.append(trashed)
        self._say_deleted()

    def _say_deleted(self) -> None:
        last = self._trashed[-1] if self._trashed else []
        what = last[0].stem if len(last) == 1 else f"{len(last)} assets"
        self.note.setText(f"Deleted {what}." if last else "")
        self.undo.setVisible(bool(last))
        self.changed.emit()

    # -- events ----------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shelf.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # Meanwhile another program or window may have changed the folder.
        activation = event.type() == QEvent.Type.ActivationChange
        if activation and self.isActiveWindow() and self.isVisible():
            self._shelf.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        source = event.source()
        # Its own assets are here already.
        own = source is self.list
        # Of another window the names would be other objects.
        here = isinstance(source, QWidget) and source.window() is self.window()
        objects = event.mimeData().hasFormat(OBJECT_TYPE) and here
        if objects or (dragged_assets(event.mimeData()) and not own):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        if event.mimeData().hasFormat(OBJECT_TYPE):
            self.objects_dropped.emit()
        else:
            self.files_dropped.emit(dragged_assets(event.mimeData()))


def _places(entry: Entry) -> list[str]:
    """Its library and the folders that it is in, as the list of folders calls them."""
    place = "Starter" if ships(entry) else "My library"
    places = [place]
    for part in filter(None, entry.folder.split("/")):
        place = f"{place} › {part}"
        places.append(place)
    return places


def _fill(box: QComboBox, choices: list[str]) -> None:
    """Offer other choices; the chosen one stays if it still is one."""
    kept = box.currentText()
    with QSignalBlocker(box):
        box.clear()
        box.addItems(choices)
        box.setCurrentIndex(max(box.findText(kept), 0))


def _description(entry: Entry) -> str:
    if entry.fault:
        return entry.fault
    size = " × ".join(f"{side:.2f}" for side in entry.size or ())
    lines = [
        entry.name,
        " › ".join(filter(None, (_places(entry)[-1], entry.category or entry.kind))),
        f"{size} m" if size else "",
        ", ".join(entry.tags),
        f"From {entry.scene}, {entry.date}" if entry.scene else entry.date,
        entry.licence,
    ]
    return "\n".join(filter(None, lines))
