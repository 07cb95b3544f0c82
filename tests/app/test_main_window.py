"""The whole studio under a real hand: edits become pictures, closing loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene
from tests.app.hand import choose, moved

Button = QMessageBox.StandardButton
Answer = Callable[[QMessageBox.StandardButton], None]


class TestGenerating:
    def test_dragged_box_is_one_entry_and_a_new_picture(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        native, left = window.viewport.native, Qt.MouseButton.LeftButton
        camera = window.viewport.screen_camera()
        x, y = camera.project(scene.object("book").box.center)[:2]
        qtbot.mousePress(native, left, pos=QPoint(round(x), round(y)))
        for step in range(1, 9):
            qtbot.mouseMove(native, QPoint(round(x) - 8 * step, round(y)))
        # The newest position counts at the next frame, and its numbers come a little later.
        qtbot.wait(150)
        shown = window.inspector.fields["position"][0].value()
        assert window.document.draft is not None
        assert window.document.undo_stack.count() == 0
        with qtbot.waitSignal(window.pictures.generator.finished):
            qtbot.mouseRelease(native, left, pos=QPoint(round(x) - 64, round(y)))
        box = window.document.scene.object("book").box
        assert box.center[0] < scene.object("book").box.center[0]
        assert shown == pytest.approx(box.center[0], abs=1e-3)
        assert window.document.undo_stack.count() == 1
        assert window.pictures.result().picture != scene.background.view.picture
        window.document.undo_stack.undo()
        assert window.document.scene == scene

    def test_box_behind_the_camera(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        window.document.push(moved(scene, 0.0).with_box(
            "mug", scene.object("mug").box.translated((0.0, -20.0, 0.0))), "Move mug")
        qtbot.waitUntil(lambda: "behind the camera" in window.messages.text)
        qtbot.waitUntil(lambda: not window.pictures.generator.busy)
        assert window._progress.text() == ""
        window.document.undo_stack.undo()
        assert window.messages.text == ""

    def test_progress_is_over_with_the_picture(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        for x in (0.1, 0.2, 0.3):
            window.document.set_draft(moved(scene, x))
            window.document.push(moved(scene, x), "Move mug")
            qtbot.wait(5)
        qtbot.waitUntil(lambda: window.pictures.result() is not None)
        qtbot.waitUntil(lambda: not window.pictures.generator.busy)
        assert window.generation.progress.format() == ""
        assert not window.generation.cancel.isEnabled()

    def test_missing_checkpoint(
        self, window: MainWindow, slow_scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        missing = slow_scene.with_settings(checkpoint=str(tmp_path / "nowhere"))
        window.document.push(missing, "Choose a checkpoint")
        qtbot.waitUntil(lambda: "nowhere" in window.messages.text, timeout=60_000)
        assert window.messages.tier == "error"
        assert window.document.scene == missing

    def test_progress_and_cancel_button(
        self, window: MainWindow, slow_scene: Scene, qtbot: QtBot
    ) -> None:
        panel = window.generation
        window.document.push(slow_scene, "Move mug")
        qtbot.waitUntil(lambda: panel.progress.value() > 1, timeout=60_000)
        assert "of 1000" in panel.progress.format()
        qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not window.pictures.generator.busy)
        assert not panel.cancel.isEnabled()
        assert window.pictures.result() is None


class TestClosing:
    def running(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        with qtbot.waitSignal(window.pictures.generator.progress, timeout=60_000):
            window.document.push(scene, "Move mug")

    def test_staying(
        self, window: MainWindow, slow_scene: Scene, qtbot: QtBot, answer: Answer
    ) -> None:
        self.running(window, slow_scene, qtbot)
        answer(Button.Cancel)
        assert not window.close()
        assert window.isVisible()
        assert window.document.scene is slow_scene
        assert window.pictures.generator.busy

    def test_discarding_stops_the_worker(
        self, window: MainWindow, slow_scene: Scene, qtbot: QtBot, answer: Answer
    ) -> None:
        self.running(window, slow_scene, qtbot)
        answer(Button.Discard)
        assert window.close()
        assert not window.isVisible()
        assert not window.pictures.generator._thread.isRunning()
        assert not window.pictures.preview._thread.isRunning()

    def test_saving(
        self,
        window: MainWindow,
        slow_scene: Scene,
        tmp_path: Path,
        qtbot: QtBot,
        answer: Answer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(monkeypatch, tmp_path / "saved.nascene")
        self.running(window, slow_scene, qtbot)
        answer(Button.Save)
        assert window.close()
        assert load_scene(tmp_path / "saved.nascene") == slow_scene

    def test_failing_to_save_keeps_the_window(
        self,
        window: MainWindow,
        scene: Scene,
        tmp_path: Path,
        qtbot: QtBot,
        answer: Answer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(monkeypatch, tmp_path / "no such folder" / "a.nascene")
        window.document.push(moved(scene, 0.3), "Move mug")
        answer(Button.Save)
        assert not window.close()
        assert "Cannot write" in window.messages.text
        # What was asked is not kept: each question would take a megabyte.
        qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))
        qtbot.waitUntil(lambda: not window.findChildren(QFileDialog))

    def test_layout_is_kept(self, window: MainWindow, qtbot: QtBot) -> None:
        window.docks[1].hide()
        window.close()
        again = MainWindow()
        qtbot.addWidget(again)
        again.show()
        assert again.docks[1].isHidden()
        assert not again.docks[0].isHidden()
        again.close()
        assert QSettings().fileName().endswith(".ini")


def test_the_camera_panel_fits_a_small_screen(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 780)
    window.document.select(["mug"])
    camera = next(dock for dock in window.docks if dock.windowTitle() == "Camera")
    camera.toggleViewAction().trigger()
    # In front, whole, and the window is not higher for it.
    qtbot.waitUntil(lambda: not window.camera.reset.visibleRegion().isEmpty())
    assert window.height() <= 780
    assert window.camera.height() >= window.camera.minimumSizeHint().height()


def test_no_panel_jumps_when_something_is_selected(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    qtbot.wait(20)
    tops = [dock.y() for dock in window.docks]
    window.document.select(["mug"])
    qtbot.wait(20)
    assert [dock.y() for dock in window.docks] == tops


def test_docks_leave_most_of_the_window_to_the_picture(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    objects = window.docks[0]
    qtbot.waitUntil(lambda: 0 < objects.width() <= 210)


def test_a_message_from_before_the_window_is_in_its_place(qtbot):
    window = MainWindow()
    qtbot.addWidget(window)
    window.report("A file that was named at the start is missing.")
    with qtbot.waitExposed(window):
        window.show()
    middle = window.messages.geometry().center().x()
    assert abs(middle - window.stack.width() // 2) <= 1
    assert window.messages.isVisible()
