"""Unsaved changes outlive the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene, save_scene
from neural_assets_core.scene.recovery import FIELD, Sidecar, autosave_folder, claim_abandoned
from tests.app.hand import choose, moved

_CRASH = """
import os, signal, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app import autosave
from neural_assets_core.scene.recovery import autosave_folder
autosave.INTERVAL_MS = 1
from app.main_window import MainWindow
application = QApplication([])
window = MainWindow()
window.open(Path(sys.argv[1]))
scene = window.document.scene
window.document.push(scene.without("mug"), "Delete mug")
while not list(autosave_folder().glob("*.nascene")):
    application.processEvents()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits twenty seconds."""
    monkeypatch.setattr("app.autosave.INTERVAL_MS", 10)


def sidecars() -> list[Path]:
    return list(autosave_folder().glob("*.nascene"))


def kept() -> Scene | None:
    """What would be recovered now."""
    return load_scene(sidecars()[0]).with_extra(FIELD, None) if sidecars() else None


def press(window: MainWindow, text: str, qtbot: QtBot) -> None:
    """Answer the offer that is shown."""
    buttons = window.offers.findChildren(QPushButton)
    button = next(b for b in buttons if b.text() == text and b.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def leave_behind(scene: Scene, file: Path | None) -> None:
    """What a crash leaves: a sidecar that nobody has locked."""
    sidecar = Sidecar()
    sidecar.write(scene, file)
    sidecar._lock.release()


class TestKeeping:
    def test_as_long_as_there_are_changes(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        assert not autosave_folder().exists()
        window.document.push(moved(scene, 0.3), "Move mug")
        qtbot.waitUntil(lambda: kept() == moved(scene, 0.3))
        window.document.push(moved(scene, 0.4), "Move mug")
        qtbot.waitUntil(lambda: kept() == moved(scene, 0.4))
        window.document.undo_stack.setIndex(0)
        qtbot.waitUntil(lambda: not list(autosave_folder().iterdir()))

    def test_what_is_hidden_is_kept_too(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        window.document.push(moved(scene, 0.3), "Move mug")
        window.document.set_hidden(["book"], True)
        qtbot.waitUntil(lambda: kept() == window.document.file_scene)

    def test_saving_ends_it_and_the_file_is_never_touched_before(
        self,
        window: MainWindow,
        scene: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        file = tmp_path / "mine.nascene"
        save_scene(scene, file)
        before = file.read_bytes()
        window.open(file)
        window.document.push(moved(scene, 0.3), "Move mug")
        qtbot.waitUntil(lambda: bool(sidecars()))
        assert file.read_bytes() == before
        window.actions_by_id["save"].trigger()
        qtbot.waitUntil(lambda: not sidecars())

    def test_nothing_is_written_again_without_a_change(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        window.document.push(moved(scene, 0.3), "Move mug")
        qtbot.waitUntil(lambda: bool(sidecars()))
        written = sidecars()[0].stat().st_mtime_ns
        window.document.push(moved(scene, 0.4), "Move mug")
        window.document.undo_stack.undo()
        qtbot.wait(100)
        assert sidecars()[0].stat().st_mtime_ns == written

    @pytest.mark.parametrize("button", ["Discard", "Save"])
    def test_closing_leaves_nothing(
        self,
        window: MainWindow,
        scene: Scene,
        answer,
        button: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        choose(monkeypatch, tmp_path / "mine.nascene")
        window.document.push(moved(scene, 0.3), "Move mug")
        qtbot.waitUntil(lambda: bool(sidecars()))
        answer(QMessageBox.StandardButton[button])
        window.close()
        assert list(autosave_folder().iterdir()) == []

    @pytest.mark.parametrize("mended", [False, True])
    def test_a_disk_that_refuses_is_told_of_once_and_until_it_no_longer_does(
        self, window: MainWindow, scene: Scene, mended: bool, qtbot: QtBot
    ) -> None:
        autosave_folder().parent.mkdir(parents=True, exist_ok=True)
        autosave_folder().write_text("in the way")
        window.document.push(moved(scene, 0.3), "Move mug")
        qtbot.waitUntil(lambda: "case of a crash" in window.messages.text)
        if mended:
            autosave_folder().unlink()
        else:
            window.messages.dismiss()
        window.document.push(moved(scene, 0.4), "Move mug")
        qtbot.wait(100)
        qtbot.waitUntil(lambda: not window.messages.isVisible())
        assert autosave_folder().is_dir() == mended


class TestRecovering:
    def test_a_killed_program(
        self, tmp_path: Path, scene: Scene, qtbot: QtBot, data_folder: Path
    ) -> None:
        file = tmp_path / "mine.nascene"
        save_scene(scene, file)
        ended = subprocess.run(
            [sys.executable, "-c", _CRASH, str(file)],
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert load_scene(file) == scene
        window = MainWindow()
        qtbot.addWidget(
            window, before_close_func=lambda closed: closed.document.undo_stack.setClean()
        )
        window.show()
        qtbot.waitUntil(lambda: "mine.nascene" in window.offers.text)
        press(window, "Recover", qtbot)
        assert window.document.scene == scene.without("mug")
        assert window.document.path == file
        assert window.isWindowModified()
        assert load_scene(file) == scene
        window.actions_by_id["save"].trigger()
        assert load_scene(file) == scene.without("mug")
        qtbot.waitUntil(lambda: not list(autosave_folder().iterdir()))

    def test_recovered_work_is_kept_on(
        self, empty_window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        leave_behind(scene, None)
        old = sidecars()[0]
        empty_window.autosave._look()
        qtbot.waitUntil(lambda: "never saved" in empty_window.offers.text)
        press(empty_window, "Recover", qtbot)
        assert empty_window.document.scene == scene
        assert empty_window.document.path is None
        assert not empty_window.offers.isVisible()
        qtbot.waitUntil(lambda: sidecars() and not old.exists())
        assert kept() == scene

    def test_discarding(self, empty_window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        leave_behind(scene, None)
        empty_window.autosave._look()
        qtbot.waitUntil(empty_window.offers.isVisible)
        press(empty_window, "Discard", qtbot)
        qtbot.waitUntil(lambda: not list(autosave_folder().iterdir()))
        assert empty_window.document.scene is None

    def test_opening_the_file_offers_it(
        self, window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        file = tmp_path / "mine.nascene"
        save_scene(scene, file)
        leave_behind(moved(scene, 0.2), file)
        window.open(file)
        qtbot.waitUntil(lambda: "mine.nascene" in window.offers.text)
        press(window, "Recover", qtbot)
        assert window.document.scene == moved(scene, 0.2)

    def test_unsaved_work_is_asked_about_first(
        self, window: MainWindow, scene: Scene, answer, qtbot: QtBot
    ) -> None:
        window.document.push(moved(scene, 0.3), "Move mug")
        leave_behind(moved(scene, 0.2), None)
        window.autosave._look()
        qtbot.waitUntil(window.offers.isVisible)
        answer(QMessageBox.StandardButton.Cancel)
        press(window, "Recover", qtbot)
        assert window.document.scene == moved(scene, 0.3)
        # Still there to be chosen.
        assert window.offers.isVisible()

    def test_several_come_one_after_the_other(
        self, empty_window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        for number in (1, 2):
            leave_behind(scene.with_settings(seed=number), Path(f"/tmp/scene {number}.nascene"))
            os.utime(autosave_folder(), None)
        stamps = sorted(sidecars(), key=lambda path: load_scene(path).settings.seed)
        os.utime(stamps[0], (1_000_000, 1_000_000))
        empty_window.autosave._look()
        qtbot.waitUntil(lambda: "scene 2" in empty_window.offers.text)
        press(empty_window, "Discard", qtbot)
        assert "scene 1" in empty_window.offers.text
        qtbot.mouseClick(empty_window.offers._close, Qt.MouseButton.LeftButton)
        assert not empty_window.offers.isVisible()

    def test_put_off_until_another_window_opens(
        self, empty_window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        leave_behind(scene, None)
        empty_window.autosave._look()
        qtbot.waitUntil(empty_window.offers.isVisible)
        # As long as this window asks, no other one does.
        assert claim_abandoned() == []
        empty_window.close()
        (left,) = claim_abandoned()
        left.release()


def test_two_windows_keep_out_of_each_other_s_way(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    window.document.push(moved(scene, 0.3), "Move mug")
    qtbot.waitUntil(lambda: len(sidecars()) == 1)
    other = MainWindow()
    qtbot.addWidget(other, before_close_func=lambda closed: closed.document.undo_stack.setClean())
    other.show()
    other.document.set_scene(scene)
    other.document.push(moved(scene, 0.5), "Move mug")
    qtbot.waitUntil(lambda: len(sidecars()) == 2)
    assert not other.offers.isVisible()
    other.document.undo_stack.undo()
    qtbot.waitUntil(lambda: len(sidecars()) == 1)
    assert kept() == moved(scene, 0.3)
