"""The list of the scene's objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PySide6.QtCore import QItemSelectionModel, QMimeData, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.panels.outliner_rows import MARKS, Mark, OutlinerRows
from app.shelf import OBJECT_TYPE
from app.theme import ICON_SIZE, UNIT, colors, icon
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Appearance, Scene, View
from neural_assets_core.scene.faults import box_faults

THUMBNAIL = 32
EMPTY = "No objects yet.\n\nShift+B: draw a box\n\nL: open the library"
WARNING = "#ffd61a"


class ObjectList(QListWidget):
    """Rows that can be dragged to the library; says how to get some while there are none."""

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        data = QMimeData()
        data.setData(OBJECT_TYPE, "\n".join(item.text() for item in items).encode())
        return data

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.count() == 0 and self.isEnabled():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(colors().faint))
            room = self.viewport().rect().adjusted(UNIT, UNIT, -UNIT, -UNIT)
            center = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, center, EMPTY)


class Outliner(QWidget):
    """Names of the objects; selecting, renaming, hiding, locking, commands on the selection.

    Parameters
    ----------
    document : Document
    actions : sequence of QAction
        Offered as buttons under the list and in its context menu.
    """

    refused = Signal(str)
    """A name that cannot be used: a sentence for the user."""

    def __init__(
        self, document: Document, actions: Sequence[QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._source: View | None = None
        self.list = ObjectList()
        self.list.setDragEnabled(True)
        self.list.setAccessibleName("Objects")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.rows = OutlinerRows(self.list, self._marked)
        self.list.setItemDelegate(self.rows)
        self.list.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.list.addActions(list(actions))
        buttons = QHBoxLayout()
        buttons.addStretch()
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.list.itemSelectionChanged.connect(self._on_list_selection)
        self.list.itemChanged.connect(self._on_renamed)
        self.rows.mark_clicked.connect(self._on_mark)
        document.scene_changed.connect(self._show_scene)
        document.workspace_changed.connect(self._show_workspace)
        document.selection_changed.connect(self._show_selection)
        self._show_scene(document.scene)

    def edit_name(self) -> None:
        """Let the user type a new name for the active object."""
        for item in self._items():
            if self._document.selection and item.text() == self._document.selection[-1]:
                self.list.setFocus()
                self.list.editItem(item)

    # -- document to list ------------------------------------------------------------------------

    def _show_scene(self, scene: Scene | None) -> None:
        source = scene.background.view if scene else None
        if source is not self._source:
            # Its keys hold whole photos, which nobody needs once another scene is open.
            self._source = source
            _thumbnail.cache_clear()
        objects = scene.objects if scene else ()
        faults = box_faults(scene) if scene else {}
        with QSignalBlocker(self.list):
            while self.list.count() > len(objects):
                self.list.takeItem(self.list.count() - 1)
            while self.list.count() < len(objects):
                item = QListWidgetItem()
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                self.list.addItem(item)
            for item, shown in zip(self._items(), objects, strict=True):
                if item.text() != shown.name:
                    item.setText(shown.name)
                wrong = faults.get(shown.name, ())
                item.setToolTip("\n".join([shown.category, *(f"⚠ It {what}" for what in wrong)]))
                item.setIcon(_thumbnail(shown.appearance, bool(wrong)))
        # Without a scene there is nowhere to draw one.
        self.list.setEnabled(scene is not None)
        self._show_workspace()
        self._show_selection(self._document.selection)

    def _show_selection(self, selection: tuple[str, ...]) -> None:
        with QSignalBlocker(self.list), QSignalBlocker(self.list.selectionModel()):
            for item in self._items():
                item.setSelected(item.text() in selection)
                if selection and item.text() == selection[-1]:
                    self.list.setCurrentItem(item, QItemSelectionModel.SelectionFlag.NoUpdate)
                    self.list.scrollToItem(item)
        # Blocked signals also keep the view from drawing the change by itself.
        self.list.viewport().update()

    def _marked(self, name: str, mark: Mark) -> bool:
        return name in (self._document.hidden if mark == "hidden" else self._document.locked)

    def _show_workspace(self) -> None:
        with QSignalBlocker(self.list):
            for item in self._items():
                name = item.text()
                marks = [mark for mark in MARKS if self._marked(name, mark)]
                item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join([name, *marks]))
        self.list.viewport().update()

    # -- list to document ------------------------------------------------------------------------

    def _on_list_selection(self) -> None:
        chosen = {item.text() for item in self.list.selectedItems()}
        # What was selected before keeps its place; the newest is the active one.
        kept = [name for name in self._document.selection if name in chosen]
        current = self.list.currentItem()
        last = [current.text()] if current is not None and current.text() in chosen else []
        others = [item.text() for item in self._items() if item.text() in chosen]
        names = [name for name in (*kept, *others) if name not in last]
        self._document.select((*names, *last))

    def _on_mark(self, name: str, mark: Mark) -> None:
        # As long as several are selected, the mark of one is the mark of all of them.
        selection = self._document.selection
        names = selection if name in selection else (name,)
        change = self._document.set_hidden if mark == "hidden" else self._document.set_locked
        change(names, not self._marked(name, mark))

    def _on_renamed(self, item: QListWidgetItem) -> None:
        scene = self._document.scene
        if scene is None:
            return
        try:
            self._document.rename(scene.objects[self.list.row(item)].name, item.text())
        except UserError as error:
            self.refused.emit(str(error))
        self._show_scene(self._document.scene)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]


@lru_cache(maxsize=128)
def _thumbnail(appearance: Appearance, warned: bool) -> QIcon:
    """The object as it looks in its source picture, with a sign if something is wrong with it."""
    camera, pixels = appearance.view.camera, appearance.view.picture.pixels
    corners = camera.project(appearance.box.corners())[:, :2]
    corners = corners[np.isfinite(corners).all(axis=1)]
    if len(corners) == 0:
        return QIcon()
    limits = (camera.width, camera.height)
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, limits).astype(int)
    if right <= left or bottom <= top:
        return QIcon()
    scale = 2 * THUMBNAIL / max(right - left, bottom - top)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    cut = cv2.resize(pixels[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    image = QImage(cut.tobytes(), *size, 3 * size[0], QImage.Format.Format_RGB888)
    # All as wide as high, whatever their objects are: the names stand below each other.
    pixmap = QPixmap(2 * THUMBNAIL, 2 * THUMBNAIL)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.drawImage((pixmap.width() - size[0]) // 2, (pixmap.height() - size[1]) // 2, image)
    painter.end()
    pixmap.setDevicePixelRatio(2)
    if warned:
        painter = QPainter(pixmap)
        side = THUMBNAIL // 2
        corner = QRect(THUMBNAIL - side, THUMBNAIL - side, side, side)
        painter.setOpacity(0.75)
        painter.fillRect(corner, Qt.GlobalColor.black)
        painter.setOpacity(1.0)
        # On black in either scheme.
        icon("warning", WARNING).paint(painter, corner)
        painter.end()
    return QIcon(pixmap)
