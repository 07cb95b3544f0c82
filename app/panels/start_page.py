"""What the window shows while nothing is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.recent_files import RecentFiles
from app.theme import UNIT, colors, pixmap
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX
from neural_assets_core.scene.archive import read_thumbnail

TILE = QSize(88, 88)
"""All samples fit beside each other in a small window."""
SHOWN_RECENT = 5


class StartPage(QWidget):
    """A drop target, the sample scenes, the recent files."""

    open_requested = Signal(object)
    """Path of a scene file."""

    browse_requested = Signal()
    photograph_requested = Signal()

    def __init__(self, recent: RecentFiles, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = recent
        self.drop = DropTarget()
        self.drop.browse_requested.connect(self.browse_requested)
        self.drop.photograph_requested.connect(self.photograph_requested)
        self.samples = _sample_list()
        self.samples.itemActivated.connect(self._open_item)
        self.samples.itemClicked.connect(self._open_item)
        self._recent_list = QVBoxLayout()
        self._recent_list.setSpacing(0)
        self._recent_buttons: list[QPushButton] = []
        self._recent_heading = _heading("Recent")
        column = QVBoxLayout()
        column.setSpacing(UNIT)
        column.addWidget(self.drop, 1)
        if self.samples.count():
            column.addSpacing(UNIT)
            column.addWidget(_heading("Sample scenes"))
            column.addWidget(self.samples)
        else:
            self.samples.setParent(self)
            self.samples.hide()
        column.addSpacing(UNIT)
        column.addWidget(self._recent_heading)
        column.addLayout(self._recent_list)
        page = QWidget()
        page.setLayout(column)
        page.setMaximumWidth(720)
        page.setMinimumWidth(360)
        row = QHBoxLayout(self)
        row.setContentsMargins(4 * UNIT, 3 * UNIT, 4 * UNIT, 3 * UNIT)
        row.addStretch(1)
        row.addWidget(page, 20)
        row.addStretch(1)
        recent.changed.connect(self._show_recent)
        self._show_recent()

    def _show_recent(self) -> None:
        for button in self._recent_buttons:
            button.deleteLater()
        self._recent_buttons.clear()
        paths = self._recent.paths()[:SHOWN_RECENT]
        self._recent_heading.setVisible(bool(paths))
        for path in paths:
            button = QPushButton(f"{path.stem}   —   {path.parent}".replace("&", "&&"))
            button.setProperty("flat", "true")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, chosen=path: self.open_requested.emit(chosen))
            self._recent_list.addWidget(button)
            self._recent_buttons.append(button)

    def _open_item(self, item: QListWidgetItem) -> None:
        self.open_requested.emit(Path(item.data(Qt.ItemDataRole.UserRole)))


class DropTarget(QFrame):
    """An invitation to drop something on the window, with buttons for who prefers a dialog."""

    browse_requested = Signal()
    photograph_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        self.setMinimumHeight(208)
        self._sign = QLabel()
        self._draw_sign()
        title = QLabel("Drop a photograph or a scene here")
        title.setProperty("role", "title")
        hint = QLabel(
            "Or begin with a sample scene: drag an object, and the picture follows.\n"
            f"Scenes ({SCENE_SUFFIX}), pictures from disk or clipboard, and exports of this program"
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        hint.setProperty("role", "faint")
        photograph = QPushButton("&New from photograph …")
        photograph.setProperty("primary", "true")
        photograph.clicked.connect(self.photograph_requested)
        scene = QPushButton("&Open a scene …")
        scene.clicked.connect(self.browse_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addStretch()
        buttons.addWidget(photograph)
        buttons.addWidget(scene)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addStretch()
        for widget in (self._sign, title, hint):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(UNIT)
        column.addLayout(buttons)
        column.addStretch()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_sign()

    def _draw_sign(self) -> None:
        size, ratio = 6 * UNIT, self.devicePixelRatioF()
        self._sign.setPixmap(pixmap("picture", colors().faint, size, ratio))


def _sample_list() -> QListWidget:
    tiles = QListWidget()
    tiles.setAccessibleName("Sample scenes")
    tiles.setViewMode(QListView.ViewMode.IconMode)
    tiles.setMovement(QListView.Movement.Static)
    tiles.setResizeMode(QListView.ResizeMode.Adjust)
    tiles.setWrapping(False)
    tiles.setFlow(QListView.Flow.LeftToRight)
    tiles.setIconSize(TILE)
    tiles.setSpacing(UNIT // 2)
    tiles.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    tiles.setFixedHeight(TILE.height() + 6 * UNIT)
    for path in sorted(SAMPLE_SCENES.glob(f"*{SCENE_SUFFIX}")):
        thumbnail = QPixmap()
        thumbnail.loadFromData(read_thumbnail(path) or b"")
        item = QListWidgetItem(QIcon(thumbnail), path.stem.replace("-", " ").replace("_", " "))
        item.setData(Qt.ItemDataRole.UserRole, str(path))
        item.setToolTip(f"Open the sample scene {path.name}")
        tiles.addItem(item)
    return tiles


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label
