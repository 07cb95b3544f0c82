"""The title says what is open, and how far the picture is while the window is minimised."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene


def test_progress_is_in_the_title_while_minimised_and_only_then(
    window: MainWindow, slow_scene: Scene, qtbot: QtBot
) -> None:
    plain = "Untitled[*] — Neural Assets Studio"
    assert window.windowTitle() == plain
    window.document.push(slow_scene, "Move mug")
    qtbot.waitUntil(lambda: window.generation.progress.value() > 1, timeout=60_000)
    assert window.windowTitle() == plain
    window.setWindowState(Qt.WindowState.WindowMinimized)
    assert "of 1000" in window.windowTitle()
    window.setWindowState(Qt.WindowState.WindowNoState)
    assert window.windowTitle() == plain
    window.setWindowState(Qt.WindowState.WindowMinimized)
    window.pictures.generator.cancel()
    qtbot.waitUntil(lambda: not window.pictures.generator.busy)
    assert window.windowTitle() == plain
    assert window.isWindowModified()


def test_no_scene(empty_window: MainWindow) -> None:
    assert empty_window.windowTitle() == "Neural Assets Studio"
