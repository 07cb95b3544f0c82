"""The real viewport in a real window, and a hand on the mouse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.document import Document
from app.viewport import Viewport
from neural_assets_core.geometry import Box
from tests.app.viewport.scenes import made_scene

NO_KEYS = Qt.KeyboardModifier.NoModifier


def pause(milliseconds: int) -> None:
    """Let the program go on. `QTest.qWait` would keep Python's lock: its threads would wait too."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Hand:
    """Sends the viewport's canvas real Qt events, positions with fractions."""

    def __init__(self, viewport: Viewport, document: Document) -> None:
        self.viewport, self.document = viewport, document

    def pixel(self, point: np.ndarray) -> np.ndarray:
        """Where a world point is on the screen."""
        camera = self.viewport.screen_camera()
        assert camera is not None
        return camera.project(np.asarray(point))[:2]

    def box(self, name: str) -> Box:
        self.wait()
        scene = self.document.shown_scene
        assert scene is not None
        return scene.object(name).box

    def front(self, name: str) -> np.ndarray:
        """A screen position on a box: its middle."""
        return self.pixel(self.box(name).to_world(np.zeros(3)))

    def screen(self) -> np.ndarray:
        """What the canvas shows, as (height, width, 3) pixels."""
        self.wait()
        shown = self.viewport.grab_frame()
        image = shown.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        flat = rows[:, : 3 * image.width()]
        return flat.reshape(image.height(), image.width(), 3).copy()

    def key(self, key: Qt.Key, modifiers=NO_KEYS):
        QTest.keyClick(self.viewport.native, key, modifiers)

    def keys(self, text: str):
        """Type characters one after the other."""
        QTest.keyClicks(self.viewport.native, text)

    def handle(self, name: str) -> np.ndarray:
        """A place where a handle can be grabbed: its far end."""
        for handle in self.viewport._interaction.highlights().handles:
            if handle.name == name:
                return handle.segments[0, 1]
        raise AssertionError(f"no handle {name}")

    def wait(self):
        """Until the pointer's last move has taken effect: the next frame at the latest."""
        while self.viewport._interaction._latest is not None:
            pause(1)

    def press(self, at, button=Qt.MouseButton.LeftButton, modifiers=NO_KEYS):
        self.wait()
        self._send(QEvent.Type.MouseButtonPress, at, button, button, modifiers)

    def move(self, at, buttons=Qt.MouseButton.LeftButton, modifiers=NO_KEYS):
        self._send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, buttons, modifiers)

    def release(self, at, button=Qt.MouseButton.LeftButton, modifiers=NO_KEYS):
        none = Qt.MouseButton.NoButton
        self._send(QEvent.Type.MouseButtonRelease, at, button, none, modifiers)

    def click(self, at, modifiers=NO_KEYS):
        self.press(at, modifiers=modifiers)
        self.release(at, modifiers=modifiers)

    def drag(self, start, end, modifiers=NO_KEYS, steps: int = 8):
        """Press, move in steps, and stay there with the button down."""
        self.press(start)
        for share in np.linspace(0, 1, steps + 1)[1:]:
            self.move(start + share * (np.asarray(end) - start), modifiers=modifiers)
        self.wait()

    def wheel(self, at, notches: float):
        where, native = QPointF(*at), self.viewport.native
        event = QWheelEvent(
            where,
            native.mapToGlobal(where),
            QPointF(0, 0).toPoint(),
            QPointF(0, 120 * notches).toPoint(),
            Qt.MouseButton.NoButton,
            NO_KEYS,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(native, event)

    def _send(self, kind, at, button, buttons, modifiers):
        where, native = QPointF(*at), self.viewport.native
        event = QMouseEvent(kind, where, native.mapToGlobal(where), button, buttons, modifiers)
        QApplication.sendEvent(native, event)


@pytest.fixture
def hand(qtbot: QtBot) -> Iterator[Hand]:
    document = Document()
    window = QMainWindow()
    viewport = Viewport(document)
    window.setCentralWidget(viewport)
    window.resize(900, 700)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    document.set_scene(made_scene())
    viewport.native.setFocus()
    yield Hand(viewport, document)
    document.set_scene(None)
