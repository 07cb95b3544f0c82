"""Photographs become scenes: from files, from the clipboard, and what is no photograph."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene
from tests.app.hand import choose, moved
from tests.app.viewport.scenes import made_picture

ORIENTATION, FOCAL_IN_35MM = 0x0112, 0xA405


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG as from a camera that was held upright, with a lens of 35 mm."""
    image = Image.fromarray(made_picture(320, 240).pixels)
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    tags.get_ifd(0x8769)[FOCAL_IN_35MM] = 35
    image.save(tmp_path / "holiday.JPG", exif=tags)
    return tmp_path / "holiday.JPG"


def opened(window: MainWindow, qtbot: QtBot) -> Scene:
    """The scene that comes."""
    qtbot.waitUntil(lambda: window.document.scene is not None)
    scene = window.document.scene
    assert scene is not None
    return scene


class TestFiles:
    def test_new_from_photograph(
        self, empty_window: MainWindow, photo: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        choose(monkeypatch, photo)
        empty_window.actions_by_id["photo_open"].trigger()
        scene = opened(empty_window, qtbot)
        view = scene.background.view
        assert (view.picture.width, view.picture.height) == (240, 320)
        assert view.camera.k[0, 0] == pytest.approx(35 * 400 / 43.27, rel=0.01)
        assert not scene.objects
        assert scene.settings.decoder == "proxy"
        assert empty_window.stack.currentWidget() is empty_window.workspace
        assert "calibrate the camera" in empty_window.messages.text
        assert "default checkpoint knows made scenes only" in empty_window.messages.text
        assert empty_window.messages.tier == "hint"
        assert not empty_window.document.modified
        assert empty_window.windowTitle().startswith("holiday[*]")
        assert empty_window.document.stem == "holiday"
        # A rectangle can be dragged at once; in another scene that would be a surprise.
        assert empty_window.views.tools.tool == "draw"
        empty_window.document.set_scene(None)
        assert empty_window.views.tools.tool == "select"

    def test_open_takes_photographs_too(
        self, empty_window: MainWindow, photo: Path, qtbot: QtBot
    ) -> None:
        empty_window.open(photo)
        assert not opened(empty_window, qtbot).objects

    def test_changes_are_asked_about_once_it_is_read(
        self,
        window: MainWindow,
        scene: Scene,
        photo: Path,
        qtbot: QtBot,
        answer: Callable[[QMessageBox.StandardButton], None],
    ) -> None:
        window.document.push(moved(scene, 0.1), "Move mug")
        answer(QMessageBox.StandardButton.Cancel)
        with qtbot.waitSignal(window.photographs._reader.done):
            window.photographs.open(photo)
        assert window.document.scene == moved(scene, 0.1)

    def test_the_last_one_asked_for_counts(
        self, empty_window: MainWindow, photo: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        Image.new("RGB", (50, 40)).save(tmp_path / "other.png")
        with qtbot.waitSignals([empty_window.photographs._reader.done] * 2):
            empty_window.photographs.open(photo)
            empty_window.photographs.open(tmp_path / "other.png")
        assert opened(empty_window, qtbot).camera.width == 50

    @pytest.mark.parametrize("kind", ["tiny", "deep", "print", "clear"])
    def test_odd_pictures(
        self, empty_window: MainWindow, tmp_path: Path, qtbot: QtBot, kind: str
    ) -> None:
        images = {
            "tiny": Image.new("RGB", (1, 1)),
            "deep": Image.fromarray(np.full((40, 50), 40_000, np.uint16)),
            "print": Image.new("CMYK", (50, 40)),
            "clear": Image.new("RGBA", (50, 40)),
        }
        path = tmp_path / ("odd.tif" if kind == "print" else "odd.png")
        images[kind].save(path)
        empty_window.open(path)
        qtbot.waitUntil(lambda: bool(empty_window.messages.text))
        assert "Traceback" not in empty_window.messages.text
        assert empty_window.messages.tier == "hint"
        assert opened(empty_window, qtbot).background.view.picture.pixels.shape[2] == 3


class TestWhatIsNoPhotograph:
    @pytest.mark.parametrize("content", [b"", b"no picture at all", b"\xff\xd8\xff\xe0damaged"])
    def test_one_sentence_and_nothing_else(
        self, window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot, content: bytes
    ) -> None:
        (tmp_path / "broken.jpg").write_bytes(content)
        window.open(tmp_path / "broken.jpg")
        qtbot.waitUntil(lambda: bool(window.messages.text))
        assert "broken.jpg" in window.messages.text
        assert "Traceback" not in window.messages.text
        assert window.messages.tier == "error"
        assert window.document.scene == scene
        assert not window.statusBar().currentMessage()

    def test_missing_file(
        self, window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        window.open(tmp_path / "gone.png")
        qtbot.waitUntil(lambda: bool(window.messages.text))
        assert "gone.png" in window.messages.text
        assert window.document.scene == scene


class TestClipboard:
    def test_a_copied_picture(self, empty_window: MainWindow, qtbot: QtBot) -> None:
        image = QImage(33, 21, QImage.Format.Format_RGB32)
        image.fill(QColor(200, 100, 50))
        QGuiApplication.clipboard().setImage(image)
        qtbot.waitUntil(empty_window.isActiveWindow)
        # There are no objects that could be meant.
        qtbot.keyClick(empty_window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        pixels = opened(empty_window, qtbot).background.view.picture.pixels
        assert pixels.shape == (21, 33, 3)
        assert (pixels == [200, 100, 50]).all()

    def test_a_copied_file(self, empty_window: MainWindow, photo: Path, qtbot: QtBot) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(photo))])
        QGuiApplication.clipboard().setMimeData(data)
        empty_window.actions_by_id["photo_paste"].trigger()
        assert opened(empty_window, qtbot).camera.width == 240

    def test_nothing_there(self, window: MainWindow, scene: Scene) -> None:
        QGuiApplication.clipboard().setText("words")
        window.actions_by_id["photo_paste"].trigger()
        assert "no picture on the clipboard" in window.messages.text
        assert window.document.scene == scene


def test_closing_does_not_wait_for_a_large_picture(
    empty_window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    content = io.BytesIO()
    Image.new("RGB", (4000, 3000)).save(content, "PNG", compress_level=1)
    (tmp_path / "large.png").write_bytes(content.getvalue())
    empty_window.photographs.open(tmp_path / "large.png")
    empty_window.close()
    qtbot.wait(200)
    assert empty_window.document.scene is None
