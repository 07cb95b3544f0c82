"""Opening, saving, exporting: what the File menu does."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.app.hand import choose, moved


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
        # It is true as long as nothing was saved.
        window.document.push(moved(scene, 0.4), "Move mug")
        assert window.messages.isVisible()
        choose(monkeypatch, tmp_path / "a.nascene")
        window.actions_by_id["save_as"].trigger()
        assert not window.messages.isVisible()

    def test_nothing_to_export_before_there_is_a_picture(
        self, empty_window: MainWindow
    ) -> None:
        assert not empty_window.actions_by_id["export"].isEnabled()


class TestReplacing:
    """Names that end in something else get the suffix: the file that then exists is not lost."""

    @pytest.fixture(params=["a", "a.v2", "a.nascene"])
    def typed(self, request: pytest.FixtureRequest, window: MainWindow, tmp_path: Path) -> Path:
        """A name as it is typed; the file that it means exists already."""
        window.document.push(moved(window.document.scene, 0.3), "Move mug")
        target = tmp_path / f"{request.param.removesuffix('.nascene')}.nascene"
        target.write_text("precious")
        return tmp_path / request.param

    def save_as(self, window: MainWindow, typed: Path, button: str) -> list[str]:
        """Type the name into Qt's own dialog, press a button of the question that follows."""
        asked: list[str] = []

        def act() -> None:
            shown = QApplication.activeModalWidget()
            if isinstance(shown, QMessageBox):
                asked.append(shown.text())
                next(b for b in shown.buttons() if b.text().replace("&", "") == button).click()
            elif isinstance(shown, QFileDialog) and asked:
                shown.reject()
            elif isinstance(shown, QFileDialog):
                shown.findChild(QLineEdit).setText(str(typed))
                shown.accept()

        clock = QTimer(interval=20)
        clock.timeout.connect(act)
        clock.start()
        window.actions_by_id["save_as"].trigger()
        clock.stop()
        return asked

    def test_refusing_keeps_the_file(self, window: MainWindow, typed: Path) -> None:
        (question,) = self.save_as(window, typed, "Cancel")
        target = next(typed.parent.glob("*.nascene"))
        assert question == f"{target.name} exists already. Replace it?"
        assert target.read_text() == "precious"
        assert window.document.modified
        assert window.document.path is None

    def test_replacing(self, window: MainWindow, typed: Path) -> None:
        self.save_as(window, typed, "Replace")
        assert load_scene(next(typed.parent.glob("*.nascene"))) == window.document.scene
        assert not window.document.modified

    def test_new_name_is_not_asked_about(self, window: MainWindow, tmp_path: Path) -> None:
        assert self.save_as(window, tmp_path / "new.v2", "Cancel") == []
        assert load_scene(tmp_path / "new.v2.nascene") == window.document.scene
