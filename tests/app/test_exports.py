"""Pictures and films out of the real window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.dialogs.export import ExportDialog
from app.dialogs.turntable import TurntableDialog
from app.main_window import MainWindow
from neural_assets_core.animation import with_key_scene
from neural_assets_core.export import KINDS, read_credentials
from neural_assets_core.scene import Scene
from tests.app.hand import choose, moved

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def edited(window: MainWindow, scene: Scene, qtbot: QtBot) -> MainWindow:
    """The window with its mug moved."""
    with qtbot.waitSignal(window.pictures.generator.finished):
        window.document.push(moved(scene, 0.3), "Move mug")
    return window


def asked(window: MainWindow) -> ExportDialog:
    window.actions_by_id["export"].trigger()
    return window.findChild(ExportDialog)


def select(box, data) -> None:
    box.setCurrentIndex(box.findData(data))


class TestPictures:
    def test_png_with_the_scene_inside(
        self, edited: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        dialog = asked(edited)
        monkeypatch.setattr(QFileDialog, "exec", lambda _: 0)
        qtbot.mouseClick(dialog.go, LEFT)
        assert dialog.isVisible()
        choose(monkeypatch, tmp_path / "result")
        with qtbot.waitSignal(edited.exports.stills.written, timeout=30_000):
            qtbot.mouseClick(dialog.go, LEFT)
        assert edited.findChild(ExportDialog) is None or not dialog.isVisible()
        picture = edited.pictures.result().picture
        with Image.open(tmp_path / "result.png") as image:
            np.testing.assert_array_equal(np.asarray(image), picture.pixels)
            assert image.text["neural-assets-scene"] == edited.document.scene.model_dump_json()
        assert edited.statusBar().currentMessage() == "Exported result.png"

    def test_every_kind_is_shown_before_it_is_written(
        self, edited: MainWindow, qtbot: QtBot
    ) -> None:
        dialog = asked(edited)
        for name, kind in KINDS.items():
            select(dialog.what, name)
            qtbot.waitUntil(lambda: dialog.preview.shown, timeout=30_000)
            assert dialog.tip.text() == kind.tip
            assert dialog.format.currentData() == kind.suffixes[0]
            assert dialog.metadata.isEnabled() == kind.drawn
        dialog.close()

    def test_content_credentials(
        self, edited: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        dialog = asked(edited)
        assert not dialog.credentials.isChecked()
        dialog.credentials.setChecked(True)
        assert "nobody vouches for who signed" in dialog.signer.text()
        select(dialog.format, ".exr")
        assert not dialog.credentials.isEnabled()
        assert "cannot carry" in dialog.signer.text()
        select(dialog.format, ".jpg")
        choose(monkeypatch, tmp_path / "signed")
        with qtbot.waitSignal(edited.exports.stills.written, timeout=30_000):
            qtbot.mouseClick(dialog.go, LEFT)
        found = read_credentials(tmp_path / "signed.jpg")
        assert (found.state, found.generation["decoder"]) == ("Valid", "proxy")
        # Remembered; and without the package, said.
        monkeypatch.setitem(sys.modules, "c2pa", None)
        again = ExportDialog(edited)
        assert again.credentials.isChecked()
        assert not again.choice().credentials
        assert "c2pa-python" in again.signer.text()
        again.close()

    def test_choices_are_remembered(
        self, edited: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        choose(monkeypatch, tmp_path / "m.tif")
        dialog = asked(edited)
        select(dialog.what, "masks")
        select(dialog.format, ".tif")
        dialog.metadata.setChecked(False)
        with qtbot.waitSignal(edited.exports.stills.written, timeout=30_000):
            qtbot.mouseClick(dialog.go, LEFT)
        names = {path.name for path in tmp_path.glob("*.tif")}
        assert names == {"m-mug.tif", "m-kettle.tif", "m-book.tif"}
        choice = asked(edited).choice()
        assert (choice.what, choice.suffix, choice.metadata) == ("masks", ".tif", False)

    def test_a_place_that_cannot_be_written_is_told(
        self, edited: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        choose(monkeypatch, tmp_path / "nowhere" / "a.png")
        qtbot.mouseClick(asked(edited).go, LEFT)
        qtbot.waitUntil(lambda: "there is no folder" in edited.messages.text, timeout=30_000)


@pytest.fixture
def dialog(edited: MainWindow) -> TurntableDialog:
    """Asking for a film of a second."""
    edited.document.select(("book",))
    edited.actions_by_id["turntable"].trigger()
    dialog = edited.exports.turntable
    dialog.seconds.setValue(1)
    dialog.fps.setValue(4)
    dialog.side.setValue(128)
    return dialog


class TestFilms:
    def test_turntable_of_the_selected_object(
        self,
        edited: MainWindow,
        dialog: TurntableDialog,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        choose(monkeypatch, tmp_path / "turn")
        assert dialog.what.currentText() == "book"
        assert "4 frames of about 128 × 96" in dialog.told.text()
        qtbot.mouseClick(dialog.go, LEFT)
        assert dialog.busy
        assert not dialog.go.isEnabled()
        # The window is usable meanwhile.
        edited.document.push(moved(edited.document.scene, 0.1), "Move mug")
        with qtbot.waitSignal(edited.exports.films.made, timeout=60_000):
            pass
        qtbot.waitUntil(lambda: not dialog.busy)
        assert dialog.folder.isVisible()
        assert "flickers by 0.00" in dialog.told.text()
        with av.open(str(tmp_path / "turn.mp4")) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert len(frames) == 4
        assert frames[0].shape == (96, 128, 3)
        assert np.abs(frames[0].astype(int) - frames[1]).max() > 20

    def test_stopped_leaves_nothing(
        self,
        edited: MainWindow,
        dialog: TurntableDialog,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        folder = tmp_path / "films"
        folder.mkdir()
        choose(monkeypatch, folder / "turn.mp4")
        dialog.seconds.setValue(100)
        qtbot.mouseClick(dialog.go, LEFT)
        qtbot.waitUntil(lambda: "frame 2 of 400" in dialog.told.text(), timeout=60_000)
        assert "left" in dialog.told.text()
        with qtbot.waitSignal(edited.exports.films.cancelled, timeout=30_000):
            qtbot.mouseClick(dialog.stop, LEFT)
        qtbot.waitUntil(lambda: not dialog.busy)
        assert list(folder.iterdir()) == []
        assert dialog.told.text() == "Stopped: nothing was written."

    def test_failures_are_told_in_the_dialog(
        self,
        dialog: TurntableDialog,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        choose(monkeypatch, tmp_path / "nowhere" / "turn.mp4")
        qtbot.mouseClick(dialog.go, LEFT)
        qtbot.waitUntil(lambda: "there is no folder" in dialog.told.text(), timeout=60_000)
        assert not dialog.busy
        assert dialog.go.isEnabled()

    def test_keyframes_are_offered_if_there_are_some(
        self,
        edited: MainWindow,
        scene: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        qtbot: QtBot,
    ) -> None:
        edited.actions_by_id["turntable"].trigger()
        dialog = edited.exports.turntable
        assert dialog.what.findData("keyframes") == -1
        dialog.close()
        animated = with_key_scene(with_key_scene(scene, 0, scene), 1, moved(scene, 0.3))
        edited.document.set_scene(animated)
        edited.actions_by_id["turntable"].trigger()
        select(dialog.what, "keyframes")
        dialog.fps.setValue(2)
        select(dialog.format, "")
        assert "3 frames" in dialog.told.text()
        choose(monkeypatch, tmp_path / "sequence")
        with qtbot.waitSignal(edited.exports.films.made, timeout=60_000):
            qtbot.mouseClick(dialog.go, LEFT)
        assert len(list((tmp_path / "sequence").iterdir())) == 3

    def test_closing_the_window_asks_about_a_film(
        self,
        edited: MainWindow,
        dialog: TurntableDialog,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        answer: Callable[[QMessageBox.StandardButton], None],
        qtbot: QtBot,
    ) -> None:
        edited.document.undo_stack.setClean()
        folder = tmp_path / "films"
        folder.mkdir()
        choose(monkeypatch, folder / "turn.mp4")
        dialog.seconds.setValue(100)
        qtbot.mouseClick(dialog.go, LEFT)
        answer(QMessageBox.StandardButton.Cancel)
        assert not edited.close()
        assert dialog.busy
        answer(QMessageBox.StandardButton.Discard)
        assert edited.close()
        assert list(folder.iterdir()) == []
