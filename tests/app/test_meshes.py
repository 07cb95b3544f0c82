"""Meshes dropped on the window and imported by the menu."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.drops import carried
from app.main_window import MainWindow
from neural_assets_core.library import STARTER, load_asset, replaced
from neural_assets_core.scene import Scene
from tests.app.panels.test_library_drops import free_ground, on_ground
from tests.app.test_drops import drop, enter, files


@pytest.fixture
def chair(tmp_path: Path) -> Path:
    """A cone 0.3 m wide and 0.5 m tall."""
    path = tmp_path / "chair.stl"
    trimesh.creation.cone(radius=0.15, height=0.5).export(str(path))
    return path


def test_dropped_on_the_ground_it_stands_there(
    window: MainWindow, scene: Scene, chair: Path, qtbot: QtBot
) -> None:
    document, ground = window.document, free_ground(window)
    at, data = on_ground(window, *ground), files(chair)
    assert enter(window.viewport.native, data, at)
    with qtbot.waitSignal(document.scene_changed, timeout=20_000):
        assert drop(window.viewport.native, data, at)
    item = document.scene.objects[-1]
    assert item.name == "chair"
    assert item.box.size == pytest.approx((0.3, 0.3, 0.5), abs=0.01)
    assert item.box.base_center() == pytest.approx([*ground, 0.0], abs=0.02)
    assert document.selection == ("chair",)
    # It says that it is none of the real things.
    texts = [label.text() for label in window.inspector.findChildren(QLabel) if label.isVisible()]
    assert window.inspector.name.text() == "chair"
    assert "stand-in of clay" in texts
    document.undo_stack.undo()
    assert document.scene == scene


def test_lines_follow_the_box_until_it_is_replaced(
    window: MainWindow, chair: Path, qtbot: QtBot
) -> None:
    document = window.document
    with qtbot.waitSignal(document.scene_changed, timeout=20_000):
        window.assets.insert_files([chair])
    document.select([])
    view, box = window.viewport, document.scene.object("chair").box

    def drawn_without(scene: Scene) -> np.ndarray:
        """Where the lines are seen."""
        bare = scene.objects[-1].model_copy(update={"wireframe": None})
        shots = []
        for shown in (scene, scene.model_copy(update={"objects": (*scene.objects[:-1], bare)})):
            document.set_draft(shown)
            image = view.grab_frame()
            shots.append(np.frombuffer(image.constBits(), np.uint8).astype(int))
        document.set_draft(None)
        return np.abs(shots[0] - shots[1])

    window.set_automatic()
    assert np.count_nonzero(drawn_without(document.scene)) > 300
    moved = document.scene.with_box("chair", box.translated((0.3, 0.0, 0.0)))
    assert (drawn_without(moved) != drawn_without(document.scene)).any()
    mug = load_asset(STARTER / "home" / "mug.naasset")
    document.push(replaced(document.scene, "chair", mug), "Replace chair")
    assert all(item.wireframe is None for item in document.scene.objects)


def test_several_by_the_menu(
    window: MainWindow, chair: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    other = chair.with_name("table.obj")
    trimesh.creation.box(extents=(0.3, 0.4, 0.2)).export(str(other))
    names = [str(chair), str(other)]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, **__: (names, ""))
    with qtbot.waitSignal(window.document.scene_changed, timeout=20_000):
        window.actions_by_id["import_mesh"].trigger()
    assert [item.name for item in window.document.scene.objects[-2:]] == ["chair", "table"]
    assert window.document.undo_stack.count() == 1


def test_bad_ones_are_told(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "bad.glb").write_bytes(b"glTF nothing at all")
    assert drop(window, files(tmp_path / "bad.glb"))
    qtbot.waitUntil(lambda: "bad.glb is damaged" in window.messages.text)
    assert "Open the scene first" in carried(files(tmp_path / "a.OBJ"), open_scene=False).text
    assert carried(files(tmp_path / "a.OBJ"), open_scene=True).text == "Insert a as a stand-in"
