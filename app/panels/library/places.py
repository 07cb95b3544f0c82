"""Folders and tags of the library as a tree: choosing narrows, dropping puts things there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QEvent, QMimeData, QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QBrush,
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.panels.thumbnail_list import keep_key
from app.shelf import OBJECT_TYPE, Contents, Shelf, dragged_assets, ships
from app.theme import colors
from neural_assets_core.library import Entry

FOLDER_TYPE = "application/x-neural-assets-folder"
"""MIME type of a folder that is dragged to another one: its path."""

NEW_FOLDER = "New folder"
UNFOLD_MS = 600
"""How long something that is dragged rests over a folder until that unfolds."""

_PLACE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Place:
    """Part of the library.

    Attributes
    ----------
    kind : {"all", "own", "starter", "tags", "tag"}
    value : str
        The folder, or the tag.
    """

    kind: Literal["all", "own", "starter", "tags", "tag"]
    value: str = ""

    def holds(self, entry: Entry) -> bool:
        """Whether an asset is there, or in a folder within."""
        if self.kind == "tag":
            return self.value in entry.tags
        if self.kind in ("all", "tags"):
            return True
        inside = not self.value or f"{entry.folder}/".startswith(f"{self.value}/")
        return inside and ships(entry) == (self.kind == "starter")


class Places(QTreeWidget):
    """Folders of both libraries, and tags.

    Assets that are dropped on one of the user's folders are moved there, those from elsewhere are
    copied; dropped on a tag, they get it. F2 and Delete rename and delete a folder.

    Parameters
    ----------
    shelf : Shelf
    """

    chosen_changed = Signal()

    delete_pressed = Signal()

    objects_dropped = Signal(str)
    """The selected objects were dragged to this folder."""

    files_dropped = Signal(object, str)
    """Paths of asset files from elsewhere, and the folder that they were dragged to."""

    def __init__(
        self, shelf: Shelf, commands: Sequence[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._known: dict[Place, int] = {}
        self._items: dict[Place, QTreeWidgetItem] = {}
        self._target: QTreeWidgetItem | None = None
        self._naming = False
        self.setAccessibleName("Folders and tags")
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setIndentation(12)
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QTreeWidget.EditTrigger.EditKeyPressed)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(False)
        self.setAutoExpandDelay(UNFOLD_MS)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.addActions(list(commands))
        self.itemSelectionChanged.connect(self.chosen_changed)
        self.itemChanged.connect(self._on_typed)
        # Queued: when it is told, the editor is still there.
        self.itemDelegate().closeEditor.connect(
            shelf.refresh, Qt.ConnectionType.QueuedConnection
        )

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def editing(self) -> bool:
        """Whether a name is being typed."""
        return self.state() == QTreeWidget.State.EditingState

    @property
    def folder(self) -> str:
        """The one of the user's folders that is chosen; "" is the top."""
        own = [place.value for place in self._chosen() if place.kind == "own"]
        return own[0] if len(own) == 1 else ""

    def holding(self) -> Callable[[Entry], bool]:
        """Tells whether an asset is in one of the chosen folders, and has all chosen tags."""
        chosen = self._chosen()
        tags = [place for place in chosen if place.kind == "tag"]
        folders = [place for place in chosen if place.kind != "tag"]

        def holds(entry: Entry) -> bool:
            here = not folders or any(place.holds(entry) for place in folders)
            return here and all(place.holds(entry) for place in tags)

        return holds

    # -- commands --------------------------------------------------------------------------------

    def make_folder(self) -> None:
        """Make a folder inside the chosen one, and let the user type its name."""
        self._naming = True
        self._shelf.make_folder(_joined(self.folder, NEW_FOLDER))

    def edit_name(self) -> None:
        """Let the user type another name for the chosen folder."""
        self.setFocus()
        self.editItem(self._items[Place("own", self.folder)], 0)

    # -- library to tree -------------------------------------------------------------------------

    def show_contents(self, contents: Contents) -> None:
        """Show what there is now; what is chosen and what is folded stays so."""
        known = _counted(contents)
        if known == self._known or self.editing:
            return
        folders = {place for place in known if place.kind == "own" and place.value}
        fresh = folders - self._known.keys()
        chosen = self._chosen()
        folded = {place for place, item in self._items.items() if not item.isExpanded()}
        folded &= {place for place, item in self._items.items() if item.childCount()}
        self._known = known
        with QSignalBlocker(self):
            self._fill(known, folded)
            for place in chosen:
                if place in self._items:
                    self._items[place].setSelected(True)
        if not self.selectedItems():
            self.setCurrentItem(self._items[Place("all")])
        if self._naming and len(fresh) == 1:
            self._naming = False
            self.setCurrentItem(self._items[fresh.pop()])
            self.edit_name()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            for item in self._items.values():
                item.setForeground(1, QBrush(QColor(colors().faint)))

    def _fill(self, known: dict[Place, int], folded: set[Place]) -> None:
        self.clear()
        self._items = {}
        for place, count in known.items():
            above = _parent(place)
            parent = None if above is None else self._items[above]
            item = QTreeWidgetItem([_name(place), str(count) if place.kind != "tags" else ""])
            item.setData(0, _PLACE, place)
            item.setToolTip(0, _name(place))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setForeground(1, QBrush(QColor(colors().faint)))
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            if place.kind == "own" and place.value:
                flags |= Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
            item.setFlags(flags if place.kind != "tags" else Qt.ItemFlag.ItemIsEnabled)
            if parent is None:
                self.addTopLevelItem(item)
            else:
                parent.addChild(item)
            self._items[place] = item
        for place, item in self._items.items():
            item.setExpanded(place not in folded)

    def _chosen(self) -> list[Place]:
        return [item.data(0, _PLACE) for item in self.selectedItems()]

    def _on_typed(self, item: QTreeWidgetItem) -> None:
        place: Place = item.data(0, _PLACE)
        name = " ".join(item.text(0).split()).replace("/", "-")
        if name and name != _name(place):
            parent, _, _ = place.value.rpartition("/")
            self._shelf.move_folder(place.value, _joined(parent, name))
        # Shown as it is until it is so.
        self._known = {}

    # -- events ----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        return keep_key(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        data = QMimeData()
        if len(items) == 1:
            place: Place = items[0].data(0, _PLACE)
            data.setData(FOLDER_TYPE, place.value.encode())
        return data

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # The panel around it would take it otherwise.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        # It scrolls and unfolds.
        super().dragMoveEvent(event)
        item = self.itemAt(event.position().toPoint())
        fits = item is not None and self._takes(item.data(0, _PLACE), event)
        self._mark(item if fits else None)
        # Never a move: Qt would take the rows away itself.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.setAccepted(fits)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._mark(None)

    def dropEvent(self, event: QDropEvent) -> None:
        # Not what Qt would do with rows: what is dragged is over.
        self.dragLeaveEvent(QDragLeaveEvent())
        place = self._place_at(event.position().toPoint())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.setAccepted(place is not None and self._takes(place, event))
        if place is None or not event.isAccepted():
            return
        data = event.mimeData()
        if data.hasFormat(FOLDER_TYPE):
            folder = bytes(data.data(FOLDER_TYPE).data()).decode()
            self._shelf.move_folder(folder, _joined(place.value, folder.rpartition("/")[2]))
        elif data.hasFormat(OBJECT_TYPE):
            self.objects_dropped.emit(place.value)
        else:
            self._take(dragged_assets(data), place)

    def _take(self, paths: list[Path], place: Place) -> None:
        own = [path for path in paths if path.is_relative_to(self._shelf.library.root)]
        others = [path for path in paths if path not in own]
        if place.kind == "tag":
            self._shelf.tag(own, [place.value], [])
            return
        if own:
            self._shelf.move(own, place.value)
        if others:
            self.files_dropped.emit(others, place.value)

    def _takes(self, place: Place, event: QDropEvent) -> bool:
        data = event.mimeData()
        if place.kind == "tag":
            root = self._shelf.library.root
            paths = dragged_assets(data)
            return bool(paths) and all(path.is_relative_to(root) for path in paths)
        if place.kind != "own":
            return False
        source = event.source()
        if data.hasFormat(FOLDER_TYPE):
            return source is self
        # Of another window the names would be other objects.
        here = isinstance(source, QWidget) and source.window() is self.window()
        return bool(dragged_assets(data)) or (data.hasFormat(OBJECT_TYPE) and here)

    def _place_at(self, pos: QPoint) -> Place | None:
        item = self.itemAt(pos)
        return None if item is None else item.data(0, _PLACE)

    def _mark(self, item: QTreeWidgetItem | None) -> None:
        """Show where what is dragged would go."""
        if item is self._target:
            return
        with QSignalBlocker(self):
            for marked, brush in ((self._target, QBrush()), (item, QColor(colors().selected))):
                if marked is not None:
                    marked.setBackground(0, brush)
        self._target = item
        self.viewport().update()


def _counted(contents: Contents) -> dict[Place, int]:
    """Every place in the order shown, parents first, and how many assets are there."""
    found = Counter(place for entry in contents.entries for place in _places(entry))
    own = {Place("own", folder) for folder in contents.folders}
    starter = {place for place in found if place.kind == "starter" and place.value}
    tags = {place for place in found if place.kind == "tag"}
    order = [Place("all"), Place("own"), *_sorted(own | _folders(found))]
    order += [Place("starter"), *_sorted(starter)]
    order += [Place("tags"), *_sorted(tags)] if tags else []
    return {place: found[place] for place in order}


def _folders(found: Counter[Place]) -> set[Place]:
    return {place for place in found if place.kind == "own" and place.value}


def _sorted(places: set[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.value.casefold().split("/"))


def _places(entry: Entry) -> Iterator[Place]:
    """Everywhere that an asset counts."""
    kind: Literal["own", "starter"] = "starter" if ships(entry) else "own"
    yield Place("all")
    yield Place(kind)
    parts = entry.folder.split("/") if entry.folder else []
    yield from (Place(kind, "/".join(parts[: end + 1])) for end in range(len(parts)))
    yield from (Place("tag", tag) for tag in entry.tags)


def _parent(place: Place) -> Place | None:
    if place.kind == "tag":
        return Place("tags")
    if not place.value:
        return None
    return Place(place.kind, place.value.rpartition("/")[0])


def _name(place: Place) -> str:
    titles = {"all": "All assets", "own": "My library", "starter": "Starter", "tags": "Tags"}
    if place.kind == "tag":
        return place.value
    return place.value.rpartition("/")[2] or titles[place.kind]


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
