"""The real window with a made scene, drawn by the proxy decoder; settings of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app import plots
from app.garbage import GarbageCollector
from app.main_window import MainWindow
from app.theme import apply_theme
from neural_assets_core.scene import Scene
from tests.app.viewport.scenes import made_scene


@pytest.fixture(scope="session", autouse=True)
def theme(qapp: QApplication) -> None:
    """The program's own looks."""
    apply_theme(qapp)


@pytest.fixture(scope="session", autouse=True)
def garbage(qapp: QApplication) -> Iterator[None]:
    """As in the program: no worker thread destroys a window that a test left behind."""
    collector = GarbageCollector()
    yield
    collector.stop()


@pytest.fixture(scope="session", autouse=True)
def loaded_plots() -> None:
    """As when the program has been there for a while: nobody waits for what draws plots."""
    plots._loading.start()
    plots._loading.join()


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path, qapp: QApplication) -> Path:
    """Where QSettings lie: never the user's own."""
    folder = tmp_path / "settings"
    QCoreApplication.setOrganizationName("neural-assets-tests")
    QCoreApplication.setApplicationName("neural-assets-tests")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    QSettings().clear()
    return folder


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the history of results lies: never the user's own."""
    folder = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers begin at once: nobody waits for a window to be drawn."""
    monkeypatch.setattr("app.generation.generator.START_MS", 0)


@pytest.fixture
def scene() -> Scene:
    """Mug, kettle and book, to be drawn without weights."""
    return made_scene().with_settings(decoder="proxy")


@pytest.fixture
def empty_window(qtbot: QtBot) -> MainWindow:
    """The studio as it starts."""
    window = MainWindow()
    # Closed after the test, and then it must not ask.
    qtbot.addWidget(window, before_close_func=lambda closed: closed.document.undo_stack.setClean())
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    return window


@pytest.fixture
def window(empty_window: MainWindow, scene: Scene, qtbot: QtBot) -> MainWindow:
    """The studio with the scene open and its picture made."""
    empty_window.document.set_scene(scene)
    # The proxy's small network is loaded with the first one.
    qtbot.waitUntil(lambda: empty_window.pictures.result() is not None, timeout=60_000)
    return empty_window


@pytest.fixture
def answer() -> Callable[[QMessageBox.StandardButton], None]:
    """Presses a button of the next message box."""

    def later(button: QMessageBox.StandardButton) -> None:
        def press() -> None:
            box = QApplication.activeModalWidget()
            if isinstance(box, QMessageBox):
                box.button(button).click()
            else:
                QTimer.singleShot(20, press)

        QTimer.singleShot(0, press)

    return later


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real model, smallest size: with many steps it runs as long as a test needs."""
    # torch takes seconds: only tests that run it pay for it.
    import torch

    from neural_assets_core.model.build import build_pipeline

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("checkpoint")
    build_pipeline(tiny_model).save_pretrained(str(folder))
    return folder


@pytest.fixture
def slow_scene(scene: Scene, tiny_checkpoint: Path) -> Scene:
    """An edited scene whose picture takes a thousand steps."""
    edited = scene.with_box("mug", scene.object("mug").box.translated((0.2, 0.0, 0.0)))
    return edited.with_settings(decoder="neural", checkpoint=str(tiny_checkpoint), steps=1000)
