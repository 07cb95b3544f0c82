"""The entries of the library as rows, their thumbnails read when they are first seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QWidget

from app.shelf import Shelf, dragged, ships
from app.theme import icon
from neural_assets_core.library import Entry

SIDE = 80
KEPT = 600
"""Thumbnails kept in memory; more than a large screen shows at once."""
WARNING = "#ffd61a"
Role = Qt.ItemDataRole


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
            return description(entry)
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
        made = icon("picture")
        if not image.isNull():
            made = QIcon(pixmap)
            # Else Qt tints the chosen ones.
            made.addPixmap(pixmap, QIcon.Mode.Selected)
        self._icons[path, self.entries[row].changed] = made
        while len(self._icons) > KEPT:
            del self._icons[next(iter(self._icons))]
        self.dataChanged.emit(self.index(row), self.index(row), [Role.DecorationRole])


def place_of(entry: Entry) -> str:
    """Its library and the folders that it is in."""
    folders = filter(None, entry.folder.split("/"))
    return " › ".join(("Starter" if ships(entry) else "My library", *folders))


def description(entry: Entry) -> str:
    if entry.fault:
        return entry.fault
    size = " × ".join(f"{side:.2f}" for side in entry.size or ())
    lines = [
        entry.name,
        " › ".join(filter(None, (place_of(entry), entry.category or entry.kind))),
        f"{size} m" if size else "",
        ", ".join(entry.tags),
        f"From {entry.scene}, {entry.date}" if entry.scene else entry.date,
        entry.licence,
    ]
    return "\n".join(filter(None, lines))
