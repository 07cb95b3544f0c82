"""What is dropped on the window, by the events that Qt sends."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.drops import carried
from app.main_window import MainWindow
from neural_assets_core.export import export_png
from neural_assets_core.history import user_history
from neural_assets_core.library import STARTER
from neural_assets_core.scene import Picture, Scene, save_scene
from tests.app.hand import moved
from tests.app.panels.test_library_drops import free_ground, on_ground

COPY = Qt.DropAction.CopyAction
HAND = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
MUG, DUCK = STARTER / "home" / "mug.naasset", next(STARTER.rglob("duck.naasset"))
FROM_BELOW = QPointF(20, 20)


def files(*paths: Path | str) -> QMimeData:
    """As a file manager or a browser tells them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) if isinstance(p, Path) else QUrl(p) for p in paths])
    return data


def enter(widget: QWidget, data: QMimeData, at: QPointF = FROM_BELOW) -> bool:
    """Carry something over a widget; whether it, or one that it lies on, would take it."""
    # Qt asks the widgets below by itself, and sends what follows to the one that accepted.
    event = QDragEnterEvent(at.toPoint(), COPY, data, *HAND)
    QApplication.sendEvent(widget, event)
    if event.isAccepted():
        # Else Qt would send it to who accepted the last time, were that window long gone.
        QApplication.sendEvent(widget, QDragMoveEvent(at.toPoint(), COPY, data, *HAND))
    return event.isAccepted()


def drop(widget: QWidget, data: QMimeData, at: QPointF = FROM_BELOW) -> bool:
    """Carry something over a widget and let go; whether somebody took it."""
    accepted = enter(widget, data, at)
    if accepted:
        QApplication.sendEvent(widget, QDropEvent(at, COPY, data, *HAND))
    return accepted


def press(window: MainWindow, text: str, qtbot: QtBot) -> None:
    """Answer the offer that is shown."""
    buttons = window.offers.findChildren(QPushButton)
    button = next(b for b in buttons if b.text() == text and b.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


class TestSign:
    @pytest.mark.parametrize(
        ("names", "kind", "text"),
        [
            (["a.nascene"], "scene", "Open a.nascene"),
            (["a.NASCENE"], "scene", "Open a.NASCENE"),
            (["b.jpg"], "picture", "Open b.jpg"),
            (["b.ora"], "picture", "Open b.ora"),
            (["c.naasset"], "assets", "Insert c"),
            (["c.naasset", "d.naasset"], "assets", "Insert 2 assets"),
            (["a.nascene", "b.nascene"], "refused", "Drop one scene"),
            (["a.nascene", "b.jpg"], "refused", "Drop one scene"),
            (["e.txt"], "refused", "e.txt is neither"),
            (["folder"], "refused", "folder is neither"),
            (["https://example.org/a.png"], "refused", "on the web"),
            (["a.png", "https://example.org/a.png"], "refused", "on the web"),
        ],
    )
    def test_what_is_carried(self, names: list[str], kind: str, text: str) -> None:
        data = files(*(name if "://" in name else Path("/somewhere", name) for name in names))
        what = carried(data, open_scene=True)
        assert what is not None
        assert what.kind == kind
        assert text in what.text

    def test_without_a_scene_assets_go_to_the_library(self) -> None:
        what = carried(files(Path("/c.naasset")), open_scene=False)
        assert what is not None
        assert what.text == "Add c to the library"

    def test_text_is_none_of_the_window_s(self, window: MainWindow) -> None:
        data = QMimeData()
        data.setText("file:///a.nascene")
        assert carried(data, open_scene=True) is None
        assert not enter(window, data)
        assert not window.drops.sign.isVisible()

    def test_it_comes_and_goes(self, window: MainWindow) -> None:
        assert enter(window, files(Path("/a.nascene")))
        assert window.drops.sign.isVisible()
        assert window.drops.sign.text == "Open a.nascene"
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not window.drops.sign.isVisible()

    @pytest.mark.parametrize("part", ["viewport", "outliner", "inspector", "history", "views"])
    def test_the_whole_window_takes_a_scene(
        self, window: MainWindow, scene: Scene, tmp_path: Path, part: str, qtbot: QtBot
    ) -> None:
        save_scene(moved(scene, 0.2), tmp_path / "other.nascene")
        widget = getattr(window, part)
        widget = getattr(widget, "native", widget)
        assert drop(widget, files(tmp_path / "other.nascene"))
        qtbot.waitUntil(lambda: window.document.scene == moved(scene, 0.2))
        assert not window.drops.sign.isVisible()

    def test_a_field_does_not_take_a_file_for_text(
        self, window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        window.actions_by_id["library"].trigger()
        field = window.assets.panel.search
        save_scene(moved(scene, 0.2), tmp_path / "other.nascene")
        assert drop(field, files(tmp_path / "other.nascene"), QPointF(3, 3))
        qtbot.waitUntil(lambda: window.document.scene == moved(scene, 0.2))
        assert field.text() == ""
        text = QMimeData()
        text.setText("mug")
        assert drop(field, text, QPointF(3, 3))
        assert field.text() == "mug"

    def test_the_start_page(
        self, empty_window: MainWindow, scene: Scene, tmp_path: Path, qtbot: QtBot
    ) -> None:
        save_scene(scene, tmp_path / "first.nascene")
        page = empty_window.start_page.drop
        assert drop(page, files(tmp_path / "first.nascene"))
        qtbot.waitUntil(lambda: empty_window.document.scene == scene)


class TestRefusals:
    @pytest.mark.parametrize(
        ("carried_", "told"),
        [("https://example.org/a.png", "on the web"), (Path("/notes.txt"), "notes.txt is neither")],
    )
    def test_are_told_in_a_sentence(
        self, window: MainWindow, carried_: Path | str, told: str, qtbot: QtBot
    ) -> None:
        before = window.document.scene
        drop(window, files(carried_))
        qtbot.waitUntil(lambda: told in window.messages.text)
        assert window.document.scene is before

    def test_unsaved_changes_are_asked_about(
        self, window: MainWindow, scene: Scene, answer, tmp_path: Path, qtbot: QtBot
    ) -> None:
        save_scene(moved(scene, 0.2), tmp_path / "other.nascene")
        window.document.push(moved(scene, 0.3), "Move mug")
        answer(QMessageBox.StandardButton.Cancel)
        drop(window, files(tmp_path / "other.nascene"))
        qtbot.wait(200)
        assert window.document.scene == moved(scene, 0.3)


class TestPictures:
    @pytest.fixture
    def exported(self, scene: Scene, tmp_path: Path) -> Path:
        """A picture of the scene with its mug moved and seed 9."""
        path = tmp_path / "exports" / "kitchen.png"
        path.parent.mkdir()
        made = moved(scene, 0.3).with_settings(seed=9)
        export_png(scene.background.view.picture, made, path)
        return path

    def test_of_the_open_scene_are_one_undo_step(
        self, window: MainWindow, scene: Scene, exported: Path, qtbot: QtBot
    ) -> None:
        drop(window, files(exported))
        qtbot.waitUntil(lambda: "kitchen.png carries its scene (3 objects)" in window.offers.text)
        assert window.document.scene == scene
        press(window, "Restore scene", qtbot)
        qtbot.waitUntil(lambda: window.document.scene == moved(scene, 0.3).with_settings(seed=9))
        window.document.undo_stack.undo()
        assert window.document.scene == scene

    def test_of_a_scene_of_lately(
        self, empty_window: MainWindow, scene: Scene, exported: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        save_scene(scene, tmp_path / "lately.nascene")
        empty_window.recent.add(tmp_path / "lately.nascene")
        drop(empty_window, files(exported))
        qtbot.waitUntil(empty_window.offers.isVisible)
        press(empty_window, "Restore scene", qtbot)
        qtbot.waitUntil(lambda: empty_window.document.scene is not None)
        assert empty_window.document.scene == moved(scene, 0.3).with_settings(seed=9)
        # No file has it.
        assert empty_window.document.path is None
        assert empty_window.document.modified

    def test_of_nowhere(
        self, empty_window: MainWindow, exported: Path, qtbot: QtBot
    ) -> None:
        assert not user_history().root.exists()
        drop(empty_window, files(exported))
        qtbot.waitUntil(empty_window.offers.isVisible)
        press(empty_window, "Restore scene", qtbot)
        qtbot.waitUntil(lambda: "perhaps kitchen.nascene" in empty_window.messages.text)
        assert empty_window.document.scene is None

    def test_may_be_opened_as_photographs(
        self, window: MainWindow, exported: Path, qtbot: QtBot
    ) -> None:
        drop(window, files(exported))
        qtbot.waitUntil(window.offers.isVisible)
        press(window, "Open as photograph", qtbot)
        qtbot.waitUntil(lambda: window.document.scene.objects == ())

    def test_a_photograph_is_opened_at_once(
        self, window: MainWindow, tmp_path: Path, qtbot: QtBot
    ) -> None:
        pixels = np.full((60, 80, 3), 99, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photo.png")
        drop(window, files(tmp_path / "photo.png"))
        qtbot.waitUntil(lambda: window.document.scene.objects == ())
        assert window.document.scene.background.view.picture == Picture(pixels)
        assert not window.offers.isVisible()

    def test_a_damaged_one_is_told(self, window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
        for name in ("bad.png", "bad.ora"):
            (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\nno")
            drop(window, files(tmp_path / name))
            qtbot.waitUntil(lambda name=name: name in window.messages.text)


class TestAssets:
    def test_several_are_all_inserted(self, window: MainWindow, qtbot: QtBot) -> None:
        assert drop(window.viewport.native, files(MUG, DUCK))
        qtbot.waitUntil(lambda: len(window.document.scene.objects) == 5)
        added = window.document.scene.objects[3:]
        # Side by side, and one undo step.
        assert added[0].box.center[:2] != added[1].box.center[:2]
        assert window.document.undo_stack.count() == 1
        assert window.document.selection == tuple(item.name for item in added)

    def test_beside_the_picture(self, window: MainWindow, qtbot: QtBot) -> None:
        drop(window.outliner, files(MUG))
        qtbot.waitUntil(lambda: len(window.document.scene.objects) == 4)

    def test_without_a_scene(self, empty_window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
        gift = tmp_path / "gift.naasset"
        shutil.copy(MUG, gift)
        drop(empty_window.start_page, files(gift))
        library = empty_window.assets._shelf.library
        qtbot.waitUntil(lambda: library.find("gift") is not None)

    def test_from_another_window(self, window: MainWindow, qtbot: QtBot) -> None:
        other = MainWindow()
        qtbot.addWidget(other)
        other.show()
        panel = other.assets.panel
        other.actions_by_id["library"].trigger()
        qtbot.waitUntil(lambda: panel.model.rowCount() > 0)
        row = next(i for i, entry in enumerate(panel.model.entries) if entry.name == "duck")
        data = panel.model.mimeData([panel.model.index(row)])
        at = on_ground(window, *free_ground(window))
        assert enter(window.viewport.native, data, at)
        assert not window.drops.sign.isVisible()
        assert drop(window.viewport.native, data, at)
        qtbot.waitUntil(lambda: len(window.document.scene.objects) == 4)
        assert window.document.scene.objects[-1].name == "duck"
