"""A scripted drag on the real window: the whole cost of a frame, from the event to the screen."""

from __future__ import annotations

import math
import time

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from app.document import Document
from app.main_window import MainWindow
from app.viewport import Viewport
from neural_assets_core.scene import Scene
from tests.benchmarks.timing import Row

FRAMES = 300
SIZE = (1280, 800)
_WARM_UP = 20
_PATIENCE = 10.0


class _Hand:
    """Sends real mouse events to the canvas and waits until what they change is on the screen.

    It waits as the program does, asleep until there is an event: meanwhile Python is the workers'.
    """

    def __init__(self, viewport: Viewport) -> None:
        self._native = viewport.native
        self._swapped_at = math.nan
        viewport.frame_swapped.connect(self._swapped)
        # Wakes it should a frame never come.
        self._watch = QTimer(viewport, interval=round(1e3 * _PATIENCE / 4))
        self._watch.start()

    def _swapped(self) -> None:
        self._swapped_at = time.perf_counter()

    def send(self, kind: QEvent.Type, at: np.ndarray) -> None:
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind == QEvent.Type.MouseMove else left
        held = none if kind == QEvent.Type.MouseButtonRelease else left
        where = QPointF(*at)
        spot = self._native.mapToGlobal(where)
        keys = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(self._native, QMouseEvent(kind, where, spot, button, held, keys))

    def rest(self, until: float) -> None:
        """Do what the program does between two moves; `until` is a time of `perf_counter`."""
        left = until - time.perf_counter()
        if left > 0.0:
            loop = QEventLoop()
            timer = QTimer(loop, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
            timer.timeout.connect(loop.quit)
            timer.start(round(1e3 * left))
            loop.exec()

    def frame(self, at: np.ndarray) -> float:
        """Seconds from a move of the mouse to the end of the frame that it causes."""
        self._swapped_at, start = math.nan, time.perf_counter()
        self.send(QEvent.Type.MouseMove, at)
        while math.isnan(self._swapped_at):
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            if time.perf_counter() - start > _PATIENCE:
                raise RuntimeError("a move of the mouse was never drawn")
        # Before whatever else the program did then.
        return self._swapped_at - start


def drag_viewport(scene: Scene, selected: int = 1) -> Row:
    """Drag in a window with the viewport alone: no pictures are made meanwhile.

    The drag takes `selected` objects along.
    """
    document, window = Document(), QMainWindow()
    viewport = Viewport(document)
    window.setCentralWidget(viewport)
    document.set_scene(scene)
    _open(window)
    name = f"viewport alone, {len(scene.objects)} boxes, {selected} dragged"
    return _drag(name, viewport, document, selected)


def drag_studio(scene: Scene, rate: float = math.inf) -> tuple[Row, float]:
    """Drag in the whole studio, which draws a preview of the picture on another thread.

    The pointer moves at most `rate` times a second: as soon as a frame is on the screen, if that is
    infinite. Also how many of these previews there were a second.
    """
    window, made = MainWindow(), []
    window.document.set_scene(scene)
    _open(window)
    window.pictures.preview.finished.connect(lambda _: made.append(time.perf_counter()))
    name = f"whole studio, {len(scene.objects)} boxes, 1 dragged"
    start = time.perf_counter()
    row = _drag(name, window.viewport, window.document, 1, rate)
    return row, len(made) / (time.perf_counter() - start)


def _open(window: QMainWindow) -> None:
    window.resize(*SIZE)
    window.show()
    until = time.perf_counter() + 1.0
    while time.perf_counter() < until or not window.isVisible():
        QApplication.processEvents()


def _drag(
    name: str, viewport: Viewport, document: Document, selected: int, rate: float = math.inf
) -> Row:
    scene, camera, hand = document.scene, viewport.screen_camera(), _Hand(viewport)
    assert scene is not None
    assert camera is not None
    middle = len(scene.objects) // 2
    active = scene.objects[middle]
    others = [item.name for item in scene.objects if item is not active]
    document.select([*others[: selected - 1], active.name])
    # At half its height: the handles are below and above.
    start = camera.project(active.box.to_world(np.array([0.3, 0.3, 0.2])))[:2]
    hand.send(QEvent.Type.MouseButtonPress, start)
    turns = np.linspace(0.0, 6 * np.pi, FRAMES + _WARM_UP)
    path = start + np.stack([160 * np.sin(turns), 60 * np.sin(2 * turns) + 10 * turns], axis=1)
    for at in path[:_WARM_UP]:
        hand.frame(at)
    used = time.process_time()
    seconds, due = [], time.perf_counter()
    for at in path[_WARM_UP:]:
        due = max(due + 1.0 / rate, time.perf_counter())
        hand.rest(due)
        seconds.append(hand.frame(at))
    used = time.process_time() - used
    assert document.draft is not None, "the press did not take hold of a box"
    hand.send(QEvent.Type.MouseButtonRelease, path[-1])
    # Nobody is there to answer whether to save.
    document.undo_stack.setClean()
    viewport.window().close()
    QApplication.processEvents()
    return Row.of(name, seconds, used)
