"""A window that was closed leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.garbage import REST_MS
from app.main_window import MainWindow
from neural_assets_core.scene import Scene


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# The first window loads what all of them need, and stays open.
def test_closed_windows_are_gone(window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
    # What it loaded is set apart from garbage first, with all that there is then.
    qtbot.wait(2 * REST_MS)
    threads, shown = set(threading.enumerate()), set(QApplication.topLevelWidgets())
    closed, files = [], []
    for _ in range(2):
        other = MainWindow()
        with qtbot.waitExposed(other):
            other.show()
        other.document.set_scene(scene)
        pictures = other.pictures
        qtbot.waitUntil(lambda pictures=pictures: pictures.result() is not None)
        workers = [pictures.generator._thread, pictures.preview._thread]
        assert set(threading.enumerate()) > threads
        assert other.close()
        # At once, whether or not anything is collected.
        assert set(threading.enumerate()) <= threads
        assert not any(worker.isRunning() for worker in workers)
        other.deleteLater()
        closed.append(weakref.ref(other))
        del other, pictures
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        files.append(open_files())
    assert set(QApplication.topLevelWidgets()) == shown
    assert files[1] <= files[0]
    gc.collect()
    assert [ref() for ref in closed] == [None, None]
