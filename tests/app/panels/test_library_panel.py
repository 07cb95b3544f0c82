"""The asset library as the user meets it, in the real window."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
)
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu

from app.panels.library.panel import SORTS
from app.panels.library.places import Place
from app.shelf import OBJECT_TYPE, Contents, dragged, ships
from neural_assets_core.library import STARTER, load_asset, object_asset, with_surroundings
from neural_assets_core.scene import Picture, save_scene
from tests.app.hand import ALT, NONE

MUG = STARTER / "home" / "mug.naasset"
COPY = Qt.DropAction.CopyAction
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(window, qtbot):
    """The open library."""
    window.actions_by_id["library"].trigger()
    qtbot.waitUntil(lambda: window.assets.panel.model.rowCount() > 0)
    return window.assets.panel


def names(panel):
    return [entry.name for entry in panel.model.entries]


def row(panel, name, own=False):
    entries = panel.model.entries
    return next(i for i, e in enumerate(entries) if e.name == name and ships(e) != own)


def choose(panel, name, own=False):
    panel.list.setCurrentIndex(panel.model.index(row(panel, name, own)))
    panel.list.setFocus()


def drag(window, at, data, modifiers=NONE, drop=True):
    """Carry data into the picture to a screen position, and let go."""
    native = window.viewport.native
    enter = QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, modifiers)
    QApplication.sendEvent(native, enter)
    move = QDragMoveEvent(at.toPoint(), COPY, data, LEFT, modifiers)
    QApplication.sendEvent(native, move)
    if drop:
        QApplication.sendEvent(native, QDropEvent(at, COPY, data, LEFT, modifiers))
    return enter, move


def click(panel, place, qtbot, modifier=NONE):
    tree = panel.places
    item = tree._items[place]
    tree.scrollToItem(item)
    at = tree.visualItemRect(item).center()
    qtbot.mouseClick(tree.viewport(), LEFT, modifier, at)


def on_ground(window, x, y):
    """Screen position of a point of the ground."""
    pixel = window.viewport.screen_camera().project(np.array([[x, y, 0.0]]))[0]
    return QPointF(pixel[0], pixel[1])


def middle(window, name):
    center = np.array(window.document.scene.object(name).box.center)
    return QPointF(*window.viewport.screen_camera().project(center[None])[0, :2])


def free_ground(window):
    """A place of the ground with no box before it."""
    for x in np.linspace(-1.0, 1.0, 15):
        for y in np.linspace(-1.0, 1.0, 15):
            at = on_ground(window, x, y)
            seen = window.viewport.native.rect().adjusted(20, 20, -20, -20).contains(at.toPoint())
            if seen and window.viewport.object_under(at) is None:
                return float(x), float(y)
    raise AssertionError("no free ground")


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


def test_a_folder_is_made_even_if_the_library_was_hidden(window, qtbot):
    window.actions_by_id["folder_make"].trigger()
    panel = window.assets.panel
    qtbot.waitUntil(lambda: panel.places.editing)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not panel.places.editing)
    assert panel.isVisible()


def test_the_starter_library_stays_as_it_is(window, panel, qtbot):
    choose(panel, "mug")
    assert not window.actions_by_id["library_delete"].isEnabled()
    assert not window.actions_by_id["library_rename"].isEnabled()
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert MUG.exists()
    assert not panel.model.flags(panel.list.currentIndex()) & Qt.ItemFlag.ItemIsEditable


def own(window, qtbot, *objects):
    """The library with objects of the scene in it; where their files are."""
    library = window.assets._shelf.library
    paths = [library.add(object_asset(window.document.scene, name)) for name in objects]
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: set(paths) <= {entry.path for entry in window.assets.panel._all})
    return library, paths


def place(panel, kind, value=""):
    return panel.places._items[Place(kind, value)]


def onto(panel, item, data):
    """Drop something on a row of the tree."""
    tree = panel.places
    tree.scrollToItem(item)
    at = tree.visualItemRect(item).center()
    QApplication.sendEvent(tree.viewport(), QDragEnterEvent(at, COPY, data, LEFT, NONE))
    move = QDragMoveEvent(at, COPY, data, LEFT, NONE)
    QApplication.sendEvent(tree.viewport(), move)
    if move.isAccepted():
        QApplication.sendEvent(tree.viewport(), QDropEvent(QPointF(at), COPY, data, LEFT, NONE))
    return move.isAccepted()


def folders_of(library):
    return {f"{entry.folder}/{entry.name}" for entry in library.entries()}


def test_folders_are_made_named_and_deleted_by_keyboard(window, panel, qtbot):
    library, _ = own(window, qtbot)
    panel.places.setFocus()
    window.actions_by_id["folder_make"].trigger()
    # Its name can be typed at once.
    qtbot.waitUntil(lambda: panel.places.editing)
    editor = QApplication.focusWidget()
    qtbot.keyClicks(editor, "kitchen")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: Place("own", "kitchen") in panel.places._items)
    assert library.folders() == ["kitchen"]
    click(panel, Place("own", "kitchen"), qtbot)
    qtbot.keyClick(panel.places, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: Place("own", "kitchen") not in panel.places._items)
    for shown in ("kitchen", "New folder"):
        qtbot.waitUntil(panel.undo.isVisible)
        qtbot.mouseClick(panel.undo, LEFT)
        qtbot.waitUntil(lambda wanted=shown: library.folders() == [wanted])
    assert window.document.undo_stack.count() == 0


def test_assets_are_dragged_into_folders_and_onto_tags(window, panel, qtbot):
    library, paths = own(window, qtbot, "mug", "kettle")
    library.make_folder("kitchen")
    library.make_folder("house")
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: Place("own", "kitchen") in panel.places._items)
    assert onto(panel, place(panel, "own", "kitchen"), dragged(paths))
    qtbot.waitUntil(lambda: folders_of(library) == {"kitchen/mug", "kitchen/kettle"})
    # Of the starter library, a copy.
    assert onto(panel, place(panel, "own", "kitchen"), dragged([STARTER / "toys" / "duck.naasset"]))
    qtbot.waitUntil(lambda: "kitchen/duck" in folders_of(library))
    assert not onto(panel, place(panel, "starter", "home"), dragged(paths))
    assert not onto(panel, place(panel, "tag", "made"), dragged([MUG]))
    moved = library.root / "kitchen" / "mug.naasset"
    assert onto(panel, place(panel, "tag", "made"), dragged([moved]))
    qtbot.waitUntil(lambda: library.load(moved).tags == ("made",))
    for _ in range(3):
        qtbot.waitUntil(panel.undo.isVisible)
        qtbot.mouseClick(panel.undo, LEFT)
    qtbot.waitUntil(lambda: folders_of(library) == {"/mug", "/kettle"})


def test_folders_are_dragged_into_folders(window, panel, qtbot):
    library, _ = own(window, qtbot, "mug")
    library.move(library.find("mug"), "a")
    library.make_folder("b")
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: Place("own", "b") in panel.places._items)
    tree = panel.places
    data = tree.mimeData([place(panel, "own", "a")])
    # From elsewhere, nobody knows what folder that is.
    assert not onto(panel, place(panel, "own", "b"), data)
    tree._shelf.move_folder("a", "b/a")
    qtbot.waitUntil(lambda: folders_of(library) == {"b/a/mug"})
    qtbot.waitUntil(lambda: Place("own", "b/a") in tree._items)
    assert place(panel, "own", "b/a").parent() is place(panel, "own", "b")


def test_a_menu_moves_assets_too(window, panel, qtbot):
    library, _ = own(window, qtbot, "mug")
    library.make_folder("kitchen/cups")
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: Place("own", "kitchen/cups") in panel.places._items)
    choose(panel, "mug", own=True)
    window.actions_by_id["library_move"].trigger()
    menu = QApplication.activePopupWidget()
    titles = ["My library", "kitchen", "kitchen › cups"]
    assert [action.text() for action in menu.actions()] == titles
    for _ in range(2):
        qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: folders_of(library) == {"kitchen/cups/mug"})


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


def test_dropping_inserts_where_the_ghost_was(window, qtbot):
    x, y = free_ground(window)
    at = on_ground(window, x, y)
    enter, _ = drag(window, at, dragged([MUG]), drop=False)
    assert enter.isAccepted()
    qtbot.waitUntil(lambda: window.viewport._ghost is not None)
    ghost = window.viewport._ghost
    drag(window, at, dragged([MUG]))
    qtbot.waitUntil(lambda: len(window.document.scene.objects) == 4)
    made = window.document.scene.objects[-1]
    # A move tells whole pixels, a drop fractions of them.
    np.testing.assert_allclose(made.box.center, ghost.center, atol=2e-2)
    assert made.box.size == ghost.size
    assert made.box.rotation == ghost.rotation
    np.testing.assert_allclose(made.box.base_center(), [x, y, 0.0], atol=2e-2)
    assert window.document.selection == (made.name,)
    assert window.viewport._ghost is None
    assert window.document.undo_stack.count() == 1


def test_leaving_or_escape_gives_it_up(window, qtbot):
    at = on_ground(window, *free_ground(window))
    drag(window, at, dragged([MUG]), drop=False)
    qtbot.waitUntil(lambda: window.viewport._ghost is not None)
    QApplication.sendEvent(window.viewport.native, QDragLeaveEvent())
    assert window.viewport._ghost is None
    assert window.document.undo_stack.count() == 0


def test_alt_replaces_and_keeps_the_pose(window, scene, qtbot):
    drag(window, middle(window, "kettle"), dragged([MUG]), ALT)
    qtbot.waitUntil(lambda: window.document.undo_stack.count() == 1)
    old, made = scene.object("kettle").box, window.document.scene.objects[scene.index("kettle")]
    np.testing.assert_allclose(made.box.base_center(), old.base_center())
    np.testing.assert_allclose(made.box.rotation_matrix(), old.rotation_matrix())
    assert made.appearance == load_asset(MUG).appearance


def test_without_alt_a_menu_asks(window, qtbot):
    drag(window, middle(window, "kettle"), dragged([MUG]))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert [action.text() for action in menu.actions()] == ["&Insert here", "&Replace kettle"]
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(menu.actions()[1]).center())
    qtbot.waitUntil(lambda: len(window.document.scene.objects) == 3
                    and window.document.undo_stack.count() == 1)
    assert window.viewport._ghost is None


def test_a_file_from_elsewhere_that_is_damaged(window, tmp_path, qtbot):
    path = tmp_path / "bad.naasset"
    path.write_bytes(MUG.read_bytes()[:500])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    drag(window, on_ground(window, *free_ground(window)), data)
    qtbot.waitUntil(lambda: "bad.naasset" in window.messages.text)
    assert window.document.undo_stack.count() == 0
    assert window.viewport._ghost is None


def test_no_object_above_the_horizon(window, qtbot):
    data = dragged([MUG])
    drag(window, QPointF(10.0, -20000.0), data, drop=False)
    qtbot.waitUntil(lambda: window.viewport._ghost_hint != "")
    assert window.viewport._ghost is None
    QApplication.sendEvent(
        window.viewport.native, QDropEvent(QPointF(10.0, -20000.0), COPY, data, LEFT, NONE)
    )
    assert "no ground" in window.messages.text
    assert window.document.undo_stack.count() == 0


def test_files_and_objects_dropped_on_the_panel_are_added(window, panel, tmp_path, qtbot):
    path = tmp_path / "gift.naasset"
    shutil.copy(MUG, path)
    data = dragged([path])
    QApplication.sendEvent(panel, QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, NONE))
    QApplication.sendEvent(panel, QDropEvent(QPointF(5, 5), COPY, data, LEFT, NONE))
    qtbot.waitUntil(lambda: "gift" in names(panel))


def test_rows_of_the_outliner_carry_their_names(window):
    items = window.outliner.list
    data = items.mimeData([items.item(0)])
    assert bytes(data.data(OBJECT_TYPE).data()).decode() == items.item(0).text()


def test_many_assets_only_ask_for_what_is_seen(window, panel, qtbot):
    from dataclasses import replace

    sound = [entry for entry in panel._all if not entry.fault]
    many = [replace(sound[i % len(sound)], name=f"asset {i}") for i in range(5000)]
    panel._on_listed(Contents(many, []))
    assert panel.model.rowCount() == 5000
    qtbot.keyClicks(panel.search, "4999")
    assert names(panel) == ["asset 4999"]
