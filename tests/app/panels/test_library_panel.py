"""The asset library as the user meets it, in the real window."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from app.panels.library.panel import SORTS
from app.panels.library.places import Place
from app.shelf import Contents
from neural_assets_core.library import STARTER, load_asset, with_surroundings
from neural_assets_core.scene import Picture, save_scene
from tests.app.panels.library_hand import LEFT, MUG, choose, click, folders_of, names, own


def test_hidden_at_first_then_both_libraries(window, panel):
    assert len(names(panel)) >= 30
    assert panel.isVisible()
    window.actions_by_id["library"].trigger()
    assert not panel.isVisible()


def test_search_and_filters(panel, qtbot):
    panel.search.setFocus()
    qtbot.keyClicks(panel.search, "mug")
    assert names(panel) == ["mug"]
    panel.search.clear()
    click(panel, Place("starter", "backgrounds"), qtbot)
    assert len(names(panel)) == 6
    click(panel, Place("tag", "made"), qtbot)
    assert "mug" in names(panel)
    click(panel, Place("starter", "toys"), qtbot, Qt.KeyboardModifier.ControlModifier)
    assert "mug" not in names(panel)
    assert "duck" in names(panel)
    click(panel, Place("all"), qtbot)
    panel.sort.setCurrentText("Size")
    sizes = [max(entry.size) for entry in panel.model.entries if entry.size]
    assert sizes == sorted(sizes, reverse=True)
    assert set(SORTS) == {panel.sort.itemText(i) for i in range(panel.sort.count())}


def test_thumbnails_come(panel, qtbot):
    qtbot.waitUntil(lambda: len(panel.model._icons) > 3)


def test_add_rename_delete_and_back(window, panel, qtbot):
    window.document.select(["mug"])
    before = len(names(panel))
    window.actions_by_id["asset_add"].trigger()
    qtbot.waitUntil(lambda: len(names(panel)) == before + 1)
    choose(panel, "mug", own=True)
    qtbot.keyClick(panel.list, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
    editor = QApplication.focusWidget()
    qtbot.keyClicks(editor, "my cup")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "my cup" in names(panel))
    choose(panel, "my cup", own=True)
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: "my cup" not in names(panel))
    assert panel.note.text() == "Deleted my cup."
    qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: "my cup" in names(panel))
    assert panel.note.text() == "Renamed mug to my cup."
    qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: "my cup" not in names(panel))
    qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: len(names(panel)) == before)
    assert not panel.undo.isVisible()
    # The keys were the library's: the scene is as it was.
    assert window.document.undo_stack.count() == 0


def test_what_is_added_while_the_library_is_closed_is_told(window, panel, qtbot):
    window.actions_by_id["library"].trigger()
    window.document.select(["mug"])
    window.actions_by_id["asset_add"].trigger()
    qtbot.waitUntil(lambda: window.statusBar().currentMessage() == "Library: Added mug.")


def test_the_trash_is_emptied_once_asked_and_undo_says_so(window, panel, qtbot, answer):
    library, (mug, kettle) = own(window, qtbot, "mug", "kettle")
    empty, trash = window.actions_by_id["library_empty_trash"], library.root / ".trash"
    empty.trigger()
    qtbot.waitUntil(lambda: "trash is empty" in window.messages.text)
    choose(panel, "kettle", own=True)
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(panel.undo.isVisible)
    told = []

    def look():
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, look)
        else:
            told.append(box.text())
            box.button(QMessageBox.StandardButton.Cancel).click()

    look()
    empty.trigger()
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].startswith("Remove 1 asset, ")
    assert told[0].endswith(" MB for good?")
    assert trash.exists()
    answer(QMessageBox.StandardButton.Discard)
    empty.trigger()
    qtbot.waitUntil(lambda: not trash.exists())
    qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: "kettle is no longer in the library's trash" in window.messages.text)
    assert "removed for good" in window.messages.text
    assert folders_of(library) == {"/mug"}
    assert mug.exists()
    assert not kettle.exists()


def test_what_cannot_be_added_keeps_nothing_else_out(window, scene, panel, qtbot):
    looks = scene.object("kettle").appearance
    unseen = Picture(np.zeros(looks.view.picture.pixels.shape[:2], dtype=np.uint8))
    hidden = looks.model_copy(update={"mask": unseen})
    window.document.push(scene.with_appearance("kettle", hidden), "Hide")
    window.document.select(["mug", "kettle", "book"])
    window.actions_by_id["asset_add"].trigger()
    qtbot.waitUntil(lambda: panel.note.text() == "Added 2 assets.")
    assert "Nothing of kettle can be seen" in window.messages.text
    assert folders_of(window.assets._shelf.library) == {"/mug", "/book"}


def test_the_starter_library_stays_as_it_is(window, panel, qtbot):
    panel.search.setText("mug")
    assert panel.count.text() == f"1 of {len(panel._all)} assets"
    choose(panel, "mug")
    assert not window.actions_by_id["library_delete"].isEnabled()
    assert not window.actions_by_id["library_rename"].isEnabled()
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert MUG.exists()
    assert not panel.model.flags(panel.list.currentIndex()) & Qt.ItemFlag.ItemIsEditable


def test_assets_of_one_name_are_exported_to_two_files(
    window, panel, qtbot, tmp_path, monkeypatch, answer
):
    _, (mug,) = own(window, qtbot, "mug")
    panel.search.setText("mug")
    panel.list.selectAll()
    assert [entry.name for entry in panel.chosen()] == ["mug", "mug"]
    assert panel.count.text() == f"2 of {len(panel._all)} assets"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    with qtbot.waitSignal(window.assets._shelf.exported):
        window.actions_by_id["library_export"].trigger()
    files = [tmp_path / "mug.naasset", tmp_path / "mug 2.naasset"]
    contents = {file.read_bytes() for file in files}
    assert contents == {mug.read_bytes(), MUG.read_bytes()}
    # Nothing is written over unasked.
    answer(QMessageBox.StandardButton.Cancel)
    files[0].write_bytes(b"mine")
    window.actions_by_id["library_export"].trigger()
    assert files[0].read_bytes() == b"mine"


def test_tags_and_licence_of_several_are_typed(window, panel, qtbot):
    library, (mug, kettle) = own(window, qtbot, "mug", "kettle")
    library.tag(mug, ["blue", "hot"])
    library.tag(kettle, ["hot", "steel"])
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: Place("tag", "steel") in panel.places._items)
    click(panel, Place("tag", "hot"), qtbot)
    assert set(names(panel)) == {"mug", "kettle"}
    panel.list.selectAll()
    # What they have in common.
    assert panel.details.tags.text() == "hot"
    window.actions_by_id["library_tag"].trigger()
    qtbot.keyClicks(QApplication.focusWidget(), "cup, tea")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.note.text() == "Tagged 2 assets.")
    assert library.load(kettle).tags == ("steel", "cup", "tea")
    assert library.load(mug).tags == ("blue", "cup", "tea")
    qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: library.load(mug).tags == ("blue", "hot"))
    panel.details.licence.setFocus()
    qtbot.keyClicks(panel.details.licence, "CC0")
    # Taken back.
    qtbot.keyClick(panel.details.licence, Qt.Key.Key_Escape)
    assert panel.details.licence.text() == ""
    panel.details.licence.setFocus()
    qtbot.keyClicks(panel.details.licence, "CC BY")
    panel.search.setFocus()
    qtbot.waitUntil(lambda: library.load(mug).provenance.licence == "CC BY")


def test_what_is_known_of_an_asset_is_shown(window, panel, qtbot):
    choose(panel, "duck")
    shown = panel.details
    assert shown.name.text() == "duck"
    assert shown.licence.text().startswith("CC0")
    assert shown.origin.text() == "starter, 2026-01-01"
    assert shown.image.toolTip() == load_asset(STARTER / "toys" / "duck.naasset").provenance.image
    assert shown.tags.isReadOnly()
    assert shown.licence.isReadOnly()


def test_the_background_of_another_scene(window, scene, panel, tmp_path, qtbot, monkeypatch):
    other = STARTER / "backgrounds" / "lawn.naasset"
    there = with_surroundings(scene, load_asset(other).surroundings())
    save_scene(there, tmp_path / "other.nascene")
    chosen = lambda *_: (str(tmp_path / "other.nascene"), "")  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getOpenFileName", chosen)
    window.actions_by_id["background_swap"].trigger()
    qtbot.waitUntil(lambda: window.document.scene == there)
    window.document.undo_stack.undo()
    assert window.document.scene == scene


def test_tokens_are_made_once_a_pipeline_is_loaded(window, panel, slow_scene, qtbot):
    """And not before: no weights are loaded for them."""
    library = window.assets._shelf.library
    window.document.select(["mug"])
    window.actions_by_id["asset_add"].trigger()
    qtbot.waitUntil(lambda: library.find("mug") is not None)
    path = library.find("mug")
    window.document.set_scene(slow_scene.with_settings(steps=1))
    window.pictures.generate()
    qtbot.waitUntil(lambda: bool(load_asset(path).tokens), timeout=60_000)
    qtbot.waitUntil(lambda: any(e.path == path and e.encoder for e in panel._all))
    # Of what is added now, at once.
    window.document.select(["kettle"])
    window.actions_by_id["asset_add"].trigger()
    qtbot.waitUntil(lambda: library.find("kettle") is not None)
    qtbot.waitUntil(lambda: bool(load_asset(library.find("kettle")).tokens))
    # Those of another encoder are no use; the user is told so.
    other = load_asset(path).with_label(encoder="another")
    library.keep_tokens(path, other)
    window.assets.insert_files([path])
    qtbot.waitUntil(lambda: "another encoder made its tokens" in window.messages.text)
    assert window.messages.tier == "hint"
    assert load_asset(path).encoder == "another"


def test_damaged_asset_is_shown_and_refused(window, panel, qtbot):
    folder = window.assets._shelf.library.root
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.naasset").write_bytes(b"no zip at all")
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: "broken" in names(panel))
    choose(panel, "broken", own=True)
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert "broken" in window.messages.text
    assert not panel.model.flags(panel.list.currentIndex()) & Qt.ItemFlag.ItemIsDragEnabled


def test_return_inserts_and_selects(window, panel, qtbot):
    choose(panel, "duck")
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.selection == ("duck",))
    window.document.undo_stack.undo()
    assert len(window.document.scene.objects) == 3


def test_replacing_the_selected_object_by_menu(window, scene, panel, qtbot):
    action = window.actions_by_id["library_replace"]
    choose(panel, "duck")
    assert not action.isEnabled()
    window.document.select(["mug"])
    choose(panel, "lawn")
    assert not action.isEnabled()
    choose(panel, "duck")
    assert action.isEnabled()
    action.trigger()
    qtbot.waitUntil(lambda: window.document.selection == ("duck",))
    old, new = scene.object("mug").box, window.document.scene.object("duck").box
    np.testing.assert_allclose(new.base_center(), old.base_center(), atol=1e-9)
    assert new.rotation == old.rotation
    window.document.undo_stack.undo()
    assert window.document.scene == scene


def test_a_background_takes_the_place_of_the_old(window, scene, panel, qtbot):
    choose(panel, "lawn")
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.scene != scene)
    kept = load_asset(STARTER / "backgrounds" / "lawn.naasset").surroundings()
    assert window.document.scene.background == kept
    window.document.undo_stack.undo()
    assert window.document.scene == scene


def test_many_assets_only_ask_for_what_is_seen(window, panel, qtbot):
    from dataclasses import replace

    sound = [entry for entry in panel._all if not entry.fault]
    many = [replace(sound[i % len(sound)], name=f"asset {i}") for i in range(5000)]
    panel._on_listed(Contents(many, []))
    assert panel.model.rowCount() == 5000
    qtbot.keyClicks(panel.search, "4999")
    assert names(panel) == ["asset 4999"]
