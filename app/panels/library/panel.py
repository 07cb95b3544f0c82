"""The asset library: find, sort, name, tag, and carry assets to the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QDrag,
    QDragEnterEvent,
    QDropEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.panels.library.details import Details
from app.panels.library.model import SIDE, LibraryModel
from app.panels.library.places import Places
from app.panels.thumbnail_list import ThumbnailList
from app.shelf import OBJECT_TYPE, Contents, Shelf, dragged_assets, ships
from app.theme import UNIT
from neural_assets_core.library import Entry

INSERT, DELETE, UNDO = "library_insert", "library_delete", "library_undo"
FOLDER_DELETE = "folder_delete"
FOLDER_COMMANDS = ("folder_make", "folder_rename", FOLDER_DELETE)
NARROW = 560
"""Panels less wide have their parts one under the other."""
SIZES = (170, 560, 250)

SORTS: Mapping[str, Callable[[Entry], Any]] = {
    "Name": lambda entry: (entry.name.casefold(), entry.folder),
    "Newest": lambda entry: -entry.changed,
    "Size": lambda entry: -max(entry.size or (0.0,)),
    "Folder": lambda entry: (ships(entry), entry.folder.casefold(), entry.name.casefold()),
}


class Grid(ThumbnailList):
    """Thumbnails of which a small one beside the pointer is dragged: nothing below is hidden."""

    def startDrag(self, actions: Qt.DropAction) -> None:
        dragged = [
            index
            for index in self.selectedIndexes()
            if index.flags() & Qt.ItemFlag.ItemIsDragEnabled
        ]
        if dragged:
            drag = QDrag(self)
            drag.setMimeData(self.model().mimeData(dragged))
            drag.setPixmap(dragged[0].data(Qt.ItemDataRole.DecorationRole).pixmap(SIDE // 2))
            drag.setHotSpot(QPoint(-UNIT, -UNIT))
            drag.exec(Qt.DropAction.CopyAction)


class LibraryPanel(QWidget):
    """Assets of both libraries: find, sort, rename, tag, delete, and carry them to the picture.

    Return or a double click inserts an asset; F2 renames it, Delete deletes it. Objects and
    asset files that are dropped here are added.

    Parameters
    ----------
    shelf : Shelf
    commands : sequence of QAction
        Offered in the context menus; by their names `INSERT`, `DELETE` and `UNDO`, and
        `FOLDER_COMMANDS` for folders.
    """

    changed = Signal()
    """Others are chosen, or something else can be taken back."""

    objects_dropped = Signal(str)
    """The selected objects were dragged here, for this folder."""

    files_dropped = Signal(object, str)
    """List of paths of asset files, and the folder that they are for."""

    def __init__(
        self, shelf: Shelf, commands: Sequence[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._all: list[Entry] = []
        self._contents = Contents([], [])
        self._commands = {action.objectName(): action for action in commands}
        self.model = LibraryModel(shelf, self)
        self.list = self._build_list()
        self.places = Places(shelf, [self._commands[id_] for id_ in FOLDER_COMMANDS])
        self.places.chosen_changed.connect(self._filter)
        self.places.chosen_changed.connect(self.changed)
        self.places.delete_pressed.connect(self._commands[FOLDER_DELETE].trigger)
        self.places.objects_dropped.connect(self.objects_dropped)
        self.places.files_dropped.connect(self.files_dropped)
        self.details = Details()
        self.details.tags_edited.connect(self._on_tags)
        self.details.licence_edited.connect(self._on_licence)
        self.search = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the library")
        self.search.textChanged.connect(self._filter)
        self.sort = self._build_sort()
        self._arrange()
        self.setAcceptDrops(True)
        self.list.selectionModel().selectionChanged.connect(self._on_chosen)
        self.model.modelReset.connect(self._on_chosen)
        shelf.listed.connect(self._on_listed)
        shelf.changes_changed.connect(self._say_changed)

    def _build_list(self) -> Grid:
        grid = Grid()
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
        grid.addActions(
            [action for id_, action in self._commands.items() if id_ not in FOLDER_COMMANDS]
        )
        grid.activated.connect(lambda _: self._commands[INSERT].trigger())
        grid.delete_pressed.connect(self._commands[DELETE].trigger)
        # Queued: when it is told, the editor is still there.
        grid.itemDelegate().closeEditor.connect(
            self._shelf.refresh, Qt.ConnectionType.QueuedConnection
        )
        return grid

    def _build_sort(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Sort by")
        box.setToolTip("Sort by")
        box.addItems(list(SORTS))
        box.currentIndexChanged.connect(self._filter)
        return box

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(self.search, 1)
        head.addWidget(self.sort)
        self.count, self.note = QLabel("Reading the library …"), QLabel()
        self.count.setProperty("role", "faint")
        self.undo = QPushButton("&Undo")
        self.undo.clicked.connect(self._commands[UNDO].trigger)
        # However long a folder's name is, the panel stays as narrow as it is.
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        foot = QHBoxLayout()
        foot.addWidget(self.count)
        foot.addWidget(self.note, 1)
        foot.addWidget(self.undo)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self.parts = QSplitter()
        self.parts.setHandleWidth(UNIT)
        for stretch, part in enumerate((self.places, middle, self.details)):
            self.parts.addWidget(part)
            self.parts.setStretchFactor(stretch, int(part is middle))
        self.parts.setSizes(SIZES)
        around = QHBoxLayout(self)
        around.setContentsMargins(UNIT, 0, UNIT, UNIT)
        around.addWidget(self.parts)
        self._say_changed()

    # -- what is chosen --------------------------------------------------------------------------

    def chosen(self) -> list[Entry]:
        """The selected entries, in the order shown."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.model.entries[row] for row in rows]

    @property
    def folder(self) -> str:
        """The one of the user's folders that is chosen; "" is the top."""
        return self.places.folder

    # -- commands, for selections that they fit --------------------------------------------------

    def edit_name(self) -> None:
        """Let the user type another name for the selected asset."""
        self.list.setFocus()
        self.list.edit(self.list.selectedIndexes()[0])

    def edit_tags(self) -> None:
        """Let the user type the tags of the selected assets."""
        self.details.tags.setFocus()
        self.details.tags.selectAll()

    def ask_folder(self) -> None:
        """Offer the folders that the selected assets can be moved to."""
        paths = self._chosen_paths()
        menu = QMenu(self)
        for folder in ("", *self._contents.folders):
            title = folder.replace("&", "&&").replace("/", " › ") or "My library"
            action = menu.addAction(title)
            action.triggered.connect(lambda _=False, to=folder: self._shelf.move(paths, to))
        menu.aboutToHide.connect(menu.deleteLater)
        corner = self.list.visualRect(self.list.selectedIndexes()[0]).center()
        menu.popup(self.list.viewport().mapToGlobal(QPoint(corner)))
        menu.setActiveAction(menu.actions()[0])

    def delete(self) -> None:
        """Take the selected assets out of the user's library."""
        self._shelf.delete(self._chosen_paths())

    def _chosen_paths(self) -> list[Path]:
        return [entry.path for entry in self.chosen()]

    # -- library to panel ------------------------------------------------------------------------

    def _on_listed(self, contents: Contents) -> None:
        if self.list.editing or self.places.editing:
            # Other rows now would end the typing; its end, given up or not, lists again.
            return
        self._contents, self._all = contents, contents.entries
        self.places.show_contents(contents)
        self._filter()

    def _filter(self) -> None:
        text, holds = self.search.text(), self.places.holding()
        shown = [entry for entry in self._all if holds(entry) and entry.matches(text)]
        kept = {entry.path for entry in self.chosen()}
        self.model.set_entries(sorted(shown, key=SORTS[self.sort.currentText()]))
        selection = self.list.selectionModel()
        for row, entry in enumerate(self.model.entries if kept else ()):
            if entry.path in kept:
                selection.setCurrentIndex(self.model.index(row), selection.SelectionFlag.Select)
        assets = "asset" if len(self._all) == 1 else "assets"
        of = f" of {len(self._all)}" if len(shown) < len(self._all) else ""
        self.count.setText(f"{len(shown)}{of} {assets}")

    def _on_chosen(self) -> None:
        self.details.show_entries(self.chosen())
        self.changed.emit()

    def _on_tags(self, entries: list[Entry], add: list[str], remove: list[str]) -> None:
        self._shelf.tag([entry.path for entry in entries], add, remove)

    def _on_licence(self, entries: list[Entry], licence: str) -> None:
        self._shelf.set_licence([entry.path for entry in entries], licence)

    def _say_changed(self) -> None:
        last = self._shelf.changes[-1].text if self._shelf.changes else ""
        self.note.setText(last)
        self.note.setToolTip(last)
        self.undo.setVisible(bool(last))
        self.changed.emit()

    # -- events ----------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shelf.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        way = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if self.parts.orientation() != way:
            self.parts.setOrientation(way)

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
            self.objects_dropped.emit(self.folder)
        else:
            self.files_dropped.emit(dragged_assets(event.mimeData()), self.folder)
