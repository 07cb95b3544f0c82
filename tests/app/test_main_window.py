"""The whole studio under a real hand: keys, buttons, dialogs, closing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.dialogs.help import ShortcutsSheet
from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene, save_scene

Button = QMessageBox.StandardButton
Answer = Callable[[QMessageBox.StandardButton], None]


def moved(scene: Scene, x: float) -> Scene:
    return scene.with_box("mug", scene.object("mug").box.translated((x, 0.0, 0.0)))


def choose(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    """Answer the next file dialogs: Qt's own cannot be driven on every desktop."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "exec", lambda _: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda _: [str(path)])


class TestFiles:
    def test_save_reopen_and_recent(
        self,
        window: MainWindow,
        scene: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(monkeypatch, tmp_path / "mine")
        window.document.push(moved(scene, 0.3), "Move mug")
        assert window.isWindowModified()
        window.actions_by_id["save"].trigger()
        file = tmp_path / "mine.nascene"
        assert load_scene(file) == window.document.scene
        assert not window.isWindowModified()
        assert window.windowTitle().startswith("mine.nascene")
        window.actions_by_id["close"].trigger()
        assert window.stack.currentWidget() is window.start_page
        window._recent_menu.actions()[0].trigger()
        assert window.document.scene == moved(scene, 0.3)
        assert window.document.path == file

    def test_recent_file_on_the_start_page(
        self, empty_window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        save_scene(scene, tmp_path / "lately.nascene")
        empty_window.recent.add(tmp_path / "lately.nascene")
        buttons = empty_window.start_page.findChildren(QPushButton)
        recent = next(button for button in buttons if button.text().startswith("lately"))
        qtbot.mouseClick(recent, Qt.MouseButton.LeftButton)
        assert empty_window.document.scene == scene

    def test_dropped_file_is_opened(
        self, window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        save_scene(moved(scene, 0.2), tmp_path / "dropped.nascene")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped.nascene"))])
        at, copy = QPointF(20, 20), Qt.DropAction.CopyAction
        hand = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(window, QDragEnterEvent(at.toPoint(), copy, *hand))
        QApplication.sendEvent(window, QDropEvent(at, copy, *hand))
        qtbot.waitUntil(lambda: window.document.scene == moved(scene, 0.2))

    def test_photo_is_told_to_be_no_scene(self, window: MainWindow, tmp_path: Path) -> None:
        window.open(tmp_path / "holiday.JPG")
        assert "holiday.JPG is a picture without boxes" in window.messages.text

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"{}", b"\x89PNG\r\n"])
    def test_bad_file_is_told_inline_and_loses_nothing(
        self, window: MainWindow, scene: Scene, tmp_path: Path, content: bytes
    ) -> None:
        bad = tmp_path / "bad.nascene"
        bad.write_bytes(content)
        before = window.document.scene
        window.open(bad)
        assert window.messages.isVisible()
        assert "bad.nascene" in window.messages.text
        assert window.document.scene is before

    def test_message_can_be_copied_and_dismissed(
        self, window: MainWindow, tmp_path: Path, qtbot: QtBot
    ) -> None:
        window.open(tmp_path / "missing.nascene")
        text = window.messages.text
        qtbot.mouseClick(window.messages._copy, Qt.MouseButton.LeftButton)
        assert QApplication.clipboard().text() == text
        qtbot.mouseClick(window.messages._close, Qt.MouseButton.LeftButton)
        assert not window.messages.isVisible()

    def test_unwritable_place_is_told_inline(
        self,
        window: MainWindow,
        scene: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(monkeypatch, tmp_path / "no such folder" / "a.nascene")
        window.document.push(moved(scene, 0.3), "Move mug")
        window.actions_by_id["save"].trigger()
        assert "Cannot write" in window.messages.text
        assert window.document.modified

    def test_export(
        self,
        window: MainWindow,
        scene: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        choose(monkeypatch, tmp_path / "result")
        with qtbot.waitSignal(window.pictures.generator.finished):
            window.document.push(moved(scene, 0.3), "Move mug")
        window.actions_by_id["export"].trigger()
        picture = window.pictures.result().picture
        with Image.open(tmp_path / "result.png") as image:
            assert image.convert("RGB").tobytes() == picture.pixels.tobytes()
            assert image.text["neural-assets-scene"] == window.document.scene.model_dump_json()

    def test_nothing_to_export_before_there_is_a_picture(
        self, empty_window: MainWindow
    ) -> None:
        assert not empty_window.actions_by_id["export"].isEnabled()


class TestKeys:
    @pytest.fixture(autouse=True)
    def _active(self, window: MainWindow, qtbot: QtBot) -> None:
        qtbot.waitUntil(window.isActiveWindow)
        window.viewport.native.setFocus()

    def press(self, qtbot: QtBot, key: Qt.Key, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        qtbot.keyClick(QApplication.focusWidget(), key, modifiers)

    def test_delete_duplicate_undo(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        window.document.select(["mug"])
        self.press(qtbot, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
        assert window.document.selection == ("mug 2",)
        self.press(qtbot, Qt.Key.Key_X)
        assert [item.name for item in window.document.scene.objects] == ["mug", "kettle", "book"]
        self.press(qtbot, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        self.press(qtbot, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert window.document.scene == scene
        assert window.document.selection == ("mug",)

    def test_axis_key_in_a_gesture_is_no_command(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        window.document.select(["mug"])
        self.press(qtbot, Qt.Key.Key_G)
        self.press(qtbot, Qt.Key.Key_X)
        self.press(qtbot, Qt.Key.Key_Escape)
        assert window.document.scene == scene

    def test_original_while_held(self, window: MainWindow, qtbot: QtBot) -> None:
        native = window.viewport.native
        qtbot.keyPress(native, Qt.Key.Key_O)
        assert window.viewport.show_original
        qtbot.keyRelease(native, Qt.Key.Key_O)
        assert not window.viewport.show_original
        qtbot.keyPress(native, Qt.Key.Key_O)
        assert window.viewport.show_original
        qtbot.keyRelease(native, Qt.Key.Key_O)
        assert not window.viewport.show_original

    def test_tab_hides_all_panels(self, window: MainWindow, qtbot: QtBot) -> None:
        self.press(qtbot, Qt.Key.Key_Tab)
        assert not any(dock.isVisible() for dock in window.docks)
        self.press(qtbot, Qt.Key.Key_Tab)
        assert all(dock.isVisible() for dock in window.docks)

    def test_fields_keep_their_keys(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        window.document.select(["mug"])
        field = window.inspector.fields["position"][0]
        field.setFocus()
        for key in (Qt.Key.Key_X, Qt.Key.Key_Delete, Qt.Key.Key_Tab):
            self.press(qtbot, key)
        assert window.inspector.fields["position"][1].hasFocus()
        assert all(dock.isVisible() for dock in window.docks)
        assert len(window.document.scene.objects) == len(scene.objects)
        self.press(qtbot, Qt.Key.Key_Escape)
        assert window.viewport.native.hasFocus()

    def test_typed_number_is_saved(
        self,
        window: MainWindow,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        choose(monkeypatch, tmp_path / "mine.v2")
        window.document.select(["mug"])
        field = window.inspector.fields["position"][0]
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, "0.75")
        self.press(qtbot, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        saved = load_scene(tmp_path / "mine.v2.nascene")
        assert saved.object("mug").box.center[0] == 0.75
        assert not window.document.modified

    def test_undo_in_a_field_takes_back_the_edit(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        window.document.select(["mug"])
        field = window.inspector.fields["position"][0]
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, "0.75")
        self.press(qtbot, Qt.Key.Key_Return)
        edited = window.document.scene
        assert edited != scene
        control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
        self.press(qtbot, Qt.Key.Key_Z, control)
        assert window.document.scene == scene
        self.press(qtbot, Qt.Key.Key_Z, control | shift)
        assert window.document.scene == edited

    def test_emptied_seed_shows_the_scenes(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        window.actions_by_id["automatic"].trigger()
        window.document.push(scene.with_settings(decoder="neural", seed=7), "Neural")
        window.generation.seed.setFocus()
        window.generation.seed.selectAll()
        self.press(qtbot, Qt.Key.Key_Backspace)
        self.press(qtbot, Qt.Key.Key_Return)
        assert window.generation.seed.text() == "7"

    def test_no_gesture_while_boxes_are_hidden(self, window: MainWindow, qtbot: QtBot) -> None:
        window.document.select(["mug"])
        self.press(qtbot, Qt.Key.Key_B)
        self.press(qtbot, Qt.Key.Key_G)
        assert window.document.draft is None

    def test_held_original_goes_back_to_the_toggle(
        self, window: MainWindow, qtbot: QtBot
    ) -> None:
        window.actions_by_id["original"].trigger()
        qtbot.keyPress(window.viewport.native, Qt.Key.Key_O)
        qtbot.keyRelease(window.viewport.native, Qt.Key.Key_O)
        assert window.viewport.show_original

    def test_question_mark_opens_the_shortcuts(self, window: MainWindow, qtbot: QtBot) -> None:
        self.press(qtbot, Qt.Key.Key_Question)
        sheet = window.findChild(ShortcutsSheet)
        assert sheet is not None
        sheet.close()

    def test_tools(self, window: MainWindow, qtbot: QtBot) -> None:
        self.press(qtbot, Qt.Key.Key_3)
        assert window.viewport.tool == "turn"
        assert window.actions_by_id["tool_turn"].isChecked()

    def test_select_all_and_none(self, window: MainWindow, qtbot: QtBot) -> None:
        self.press(qtbot, Qt.Key.Key_A)
        assert window.document.selection == ("mug", "kettle", "book")
        self.press(qtbot, Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
        assert window.document.selection == ()

    def test_new_seed_is_one_undo_entry(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        assert not window.actions_by_id["new_seed"].isEnabled()
        window.actions_by_id["automatic"].trigger()
        window.document.push(scene.with_settings(decoder="neural"), "Neural")
        self.press(qtbot, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
        assert window.document.scene.settings.seed != scene.settings.seed
        self.press(qtbot, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert window.document.scene.settings.seed == scene.settings.seed


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
        assert panel.progress.maximum() == 1000
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
        answer: Answer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        choose(monkeypatch, tmp_path / "no such folder" / "a.nascene")
        window.document.push(moved(scene, 0.3), "Move mug")
        answer(Button.Save)
        assert not window.close()
        assert "Cannot write" in window.messages.text

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


_STARTUP = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app import __main__ as studio

def look():
    window = QApplication.topLevelWidgets()
    assert any(widget.isVisible() for widget in window)
    heavy = {"torch", "diffusers", "transformers"} & set(sys.modules)
    assert not heavy, heavy
    for widget in window:
        widget.close()

QTimer.singleShot(0, look)
sys.exit(studio.main([]))
"""


class TestProgram:
    def environment(self, tmp_path: Path, **changes: str) -> dict[str, str]:
        import os

        homes = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return {**os.environ, **homes, **changes}

    def test_opens_without_torch_and_ends_with_its_window(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            [sys.executable, "-c", _STARTUP],
            env=self.environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "AssertionError" not in ended.stderr
        assert list(tmp_path.rglob("studio.log"))

    @pytest.mark.parametrize("display", ["", ":98765"])
    def test_no_display(self, tmp_path: Path, display: str) -> None:
        environment = self.environment(tmp_path, DISPLAY=display)
        for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            environment.pop(name, None)
        ended = subprocess.run(
            [sys.executable, "-m", "app"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert "display" in ended.stderr


def test_unexpected_error_is_told_inline(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app.__main__ import catch_exceptions

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    catch_exceptions(window, tmp_path / "studio.log")
    error = ZeroDivisionError("division by zero")
    sys.excepthook(ZeroDivisionError, error, None)
    assert "ZeroDivisionError" in window.messages.text
    assert "studio.log" in window.messages.text
