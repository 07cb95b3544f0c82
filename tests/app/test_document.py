"""Undo, drafts, selection and files of the document."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.document import Document
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene, load_scene, save_scene


@pytest.fixture
def document(scene: Scene, qapp: object) -> Document:
    document = Document()
    document.set_scene(scene)
    return document


def moved(scene: Scene, name: str, x: float) -> Scene:
    return scene.with_box(name, scene.object(name).box.translated((x, 0.0, 0.0)))


def test_undo_and_redo_go_through_the_same_scenes(document: Document, scene: Scene) -> None:
    first, second = moved(scene, "mug", 0.1), moved(scene, "book", 0.2)
    document.push(first, "Move mug")
    document.push(second, "Move book")
    seen = []
    document.scene_changed.connect(seen.append)
    document.undo_stack.undo()
    document.undo_stack.undo()
    document.undo_stack.redo()
    document.undo_stack.redo()
    assert seen == [first, scene, first, second]
    assert document.undo_stack.count() == 2


def test_equal_scene_makes_no_entry(document: Document, scene: Scene) -> None:
    document.set_draft(moved(scene, "mug", 0.1))
    document.push(moved(scene, "mug", 0.0), "Move mug")
    assert document.undo_stack.count() == 0
    assert document.draft is None


def test_same_merge_key_is_one_entry(document: Document, scene: Scene) -> None:
    for x in (0.1, 0.2, 0.3):
        document.push(moved(scene, "mug", x), "Nudge mug", merge="nudge mug")
    document.push(moved(scene, "mug", 0.4), "Nudge mug", merge="another")
    assert document.undo_stack.count() == 2
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.scene == scene


def test_spinning_there_and_back_leaves_nothing_to_undo(document: Document, scene: Scene) -> None:
    document.push(moved(scene, "mug", 0.1), "Nudge", merge="nudge")
    document.push(scene, "Nudge", merge="nudge")
    assert not document.undo_stack.canUndo()


def test_draft_is_shown_but_not_kept(document: Document, scene: Scene) -> None:
    draft = moved(scene, "mug", 1.0)
    document.set_draft(draft)
    assert document.shown_scene is draft
    assert document.scene is scene
    document.set_draft(None)
    assert document.shown_scene is scene
    assert not document.undo_stack.canUndo()


def test_selection_follows_renames_and_removals(document: Document, scene: Scene) -> None:
    document.select(["mug", "nobody", "book", "mug"])
    assert document.selection == ("mug", "book")
    document.push(scene.renamed("mug", "cup"), "Rename")
    assert document.selection == ("cup", "book")
    document.push(document.scene.without("book"), "Delete")
    assert document.selection == ("cup",)
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.selection == ("mug",)


def test_undoing_a_duplicate_selects_its_original(document: Document, scene: Scene) -> None:
    document.select(["mug"])
    document.push(scene.duplicated("mug"), "Duplicate")
    document.select(["mug 2"])
    document.undo_stack.undo()
    assert document.selection == ("mug",)


def test_redoing_a_duplicate_selects_the_copy(document: Document, scene: Scene) -> None:
    document.select(["mug"])
    document.push(scene.duplicated("mug"), "Duplicate", select=["mug 2"])
    document.undo_stack.undo()
    document.undo_stack.redo()
    assert document.selection == ("mug 2",)


def test_saved_and_reopened_scene_is_identical(
    document: Document, scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    edited = moved(scene, "mug", 0.123456789).with_settings(seed=2**62, guidance=3.3)
    document.push(edited, "Edit")
    assert document.modified
    with qtbot.waitSignal(document.modified_changed):
        document.save(tmp_path / "a.nascene")
    assert not document.modified
    document.set_scene(scene)
    document.open(tmp_path / "a.nascene")
    assert document.scene == edited
    assert document.path == tmp_path / "a.nascene"
    assert not document.modified


def test_failed_open_and_save_lose_nothing(
    document: Document, scene: Scene, tmp_path: Path
) -> None:
    document.push(moved(scene, "mug", 0.1), "Move")
    before = document.scene
    (tmp_path / "foreign.nascene").write_bytes(b"\x89PNG not a scene")
    with pytest.raises(UserError):
        document.open(tmp_path / "foreign.nascene")
    with pytest.raises(UserError):
        document.save(tmp_path / "no such folder" / "a.nascene")
    assert document.scene is before
    assert document.path is None
    assert document.modified
    assert document.undo_stack.canUndo()


def test_hidden_and_locked_follow_names_and_survive_the_file(
    document: Document, tmp_path: Path, scene: Scene
) -> None:
    told = []
    document.workspace_changed.connect(lambda: told.append(document.hidden))
    document.select(["mug", "book"])
    document.set_hidden(["mug"], True)
    document.set_locked(["kettle"], True)
    assert told == [{"mug"}, {"mug"}]
    assert document.selection == ("book",)
    assert document.undo_stack.count() == 0
    assert [item.name for item in document.visible_scene.objects] == ["kettle", "book"]
    document.push(scene.renamed("mug", "cup"), "Rename mug")
    assert document.hidden == {"cup"}
    document.save(tmp_path / "a.nascene")
    saved = document.scene
    document.set_scene(scene)
    assert not document.hidden
    assert not document.locked
    document.open(tmp_path / "a.nascene")
    assert (document.hidden, document.locked) == ({"cup"}, {"kettle"})
    # The scene itself knows nothing of it.
    assert document.scene == saved
    document.push(saved.without("cup").without("kettle"), "Delete 2 objects")
    assert not document.hidden | document.locked


@pytest.mark.parametrize("stored", [7, {"hidden": "mug", "locked": [1, "gone", "book"]}])
def test_a_strange_workspace_in_a_file_does_no_harm(
    document: Document, tmp_path: Path, scene: Scene, stored: object
) -> None:
    save_scene(scene.with_extra("workspace", stored), tmp_path / "a.nascene")
    document.open(tmp_path / "a.nascene")
    assert not document.hidden
    assert document.locked == ({"book"} if isinstance(stored, dict) else set())
    assert document.scene == scene


def test_the_window_goes_on_while_a_file_is_written(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Would wait for ever if the GUI thread did, too.
    going = threading.Event()

    def write(*what: object) -> None:
        assert going.wait(30.0)
        save_scene(*what)

    def change() -> None:
        document.push(moved(document.scene, "mug", 0.2), "Move")
        going.set()

    monkeypatch.setattr("app.document.save_scene", write)
    QTimer.singleShot(0, change)
    document.save(tmp_path / "a.nascene")
    # The file has not got what was changed meanwhile.
    assert document.modified
    document.save(tmp_path / "a.nascene")
    assert not document.modified
    assert load_scene(tmp_path / "a.nascene") == document.scene


def test_a_scene_that_comes_while_another_is_saved_does_not_get_its_file(
    document: Document, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, other = threading.Event(), moved(scene, "mug", 0.2)

    def write(*what: object) -> None:
        assert going.wait(30.0)
        save_scene(*what)

    def come() -> None:
        # As a photograph does that was still being read.
        document.set_scene(other)
        going.set()

    monkeypatch.setattr("app.document.save_scene", write)
    QTimer.singleShot(0, come)
    document.save(tmp_path / "a.nascene")
    assert load_scene(tmp_path / "a.nascene") == scene
    assert document.scene == other
    assert document.path is None
