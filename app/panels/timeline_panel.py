"""The timeline: keyframes over time, and how they are played."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QIcon, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.document import Document
from app.keyboard import PictureFrame
from app.panels.fields import NumberField
from app.plots import with_plots
from app.theme import ICON_SIZE, UNIT, icon
from app.timeline import Timeline
from neural_assets_core.errors import UserError
from neural_assets_core.scene.motion import LONGEST

STEPS = ("key_previous", "play", "key_next")
HEIGHT = 29 * UNIT
KEYS = ("key_insert", "key_camera", "auto_key")


class TimelinePanel(QWidget):
    """Buttons over the rows of keyframes.

    The rows are drawn by pyqtgraph, which is slow to load: they come when that is done.

    Parameters
    ----------
    document : Document
    timeline : Timeline
    actions : mapping from command to QAction

    Attributes
    ----------
    moment, length, fps : NumberField
        Seconds, and frames a second.
    loop : QToolButton
    """

    def __init__(
        self, document: Document, timeline: Timeline, actions: Mapping[str, QAction]
    ) -> None:
        super().__init__()
        self._document, self._timeline = document, timeline
        self._play = actions["play"]
        self.moment = NumberField(0.0, LONGEST, 0.04, 2, " s")
        self.length = NumberField(0.1, LONGEST, 0.5, 2, " s")
        self.fps = NumberField(1.0, 240.0, 1.0, 0, " /s")
        self.loop = _button(icon("loop"), "Begin anew after the end")
        self.loop.setCheckable(True)
        self.loop.clicked.connect(lambda on: self._set(loop=on))
        self.moment.edited.connect(lambda value, _: timeline.player.seek(value))
        self.length.edited.connect(lambda value, _: self._set(duration=value))
        self.fps.edited.connect(lambda value, _: self._set(fps=value))
        bar = QHBoxLayout()
        bar.setSpacing(UNIT // 2)
        for id_ in STEPS:
            bar.addWidget(_command_button(actions[id_]))
        bar.addWidget(_named(self.moment, "Moment", "The moment that is shown"))
        bar.addSpacing(UNIT)
        for id_ in KEYS:
            bar.addWidget(_command_button(actions[id_]))
        bar.addStretch()
        for label, field, tip in (
            ("Length", self.length, "Length of the film"),
            ("Frames", self.fps, "Frames a second"),
        ):
            name = QLabel(label)
            name.setProperty("role", "faint")
            name.setBuddy(field)
            bar.addWidget(name)
            bar.addWidget(_named(field, label, tip))
        bar.addWidget(self.loop)
        film = _command_button(actions["film"])
        bar.addWidget(film)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        self._column.setSpacing(UNIT // 2)
        self._column.addLayout(bar)
        self._rows: QWidget | None = None
        self.setMinimumHeight(18 * UNIT)
        timeline.player.playing_changed.connect(self._on_playing)
        document.scene_changed.connect(self._refresh)
        document.draft_changed.connect(self._refresh)
        self._refresh()

    def sizeHint(self) -> QSize:
        """Room for a few rows."""
        return QSize(super().sizeHint().width(), HEIGHT)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._rows is None:
            with_plots(self, self._show_rows)
        self._refresh()

    def _show_rows(self) -> None:
        if self._rows is None:
            keys = self.hasFocus()
            self._rows = self._build_rows()
            self._column.addWidget(self._rows, 1)
            if keys:
                self.editor.setFocus()

    def _build_rows(self) -> QWidget:
        from app.timeline.editor import Editor

        self.editor = Editor(self._document, self._timeline)
        rows = QWidget()
        line = QHBoxLayout(rows)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        names = QVBoxLayout()
        # Its neighbour has a frame.
        names.setContentsMargins(0, 2, 0, 2)
        names.addWidget(self.editor.names)
        line.addLayout(names)
        line.addWidget(PictureFrame(self.editor), 1)
        self.editor.refresh()
        self.setFocusProxy(self.editor)
        return rows

    def _set(
        self, duration: float | None = None, fps: float | None = None, loop: bool | None = None
    ) -> None:
        try:
            self._timeline.set_playback(duration, fps, loop)
        except UserError as error:
            self._timeline.player.failed.emit(str(error))
        self._refresh()

    def _refresh(self, _: object = None) -> None:
        if not self.isVisible():
            return
        player = self._timeline.player
        self.setEnabled(self._document.scene is not None)
        self.moment.setSingleStep(1 / player.animation.fps)
        self.moment.show_value(player.animation.time)
        self.length.show_value(player.length)
        self.fps.show_value(player.animation.fps)
        self.loop.setChecked(player.animation.loop)

    def _on_playing(self, playing: bool) -> None:
        self._play.setIcon(icon("stop" if playing else "play"))


def _command_button(action: QAction) -> QToolButton:
    button = _button(action.icon(), "")
    button.setDefaultAction(action)
    if action.icon().isNull():
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return button


def _button(image: QIcon, tip: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(image)
    button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button


def _named(field: NumberField, name: str, tip: str) -> NumberField:
    field.setAccessibleName(name)
    field.setToolTip(tip)
    field.setFixedWidth(10 * UNIT)
    return field
