"""Folders and tags of the asset library: typed, dragged, chosen from a menu."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.panels.library.places import Place
from app.shelf import dragged
from neural_assets_core.library import STARTER
from tests.app.hand import NONE
from tests.app.panels.library_hand import COPY, LEFT, MUG, choose, click, folders_of, own


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


def test_a_folder_is_made_even_if_the_library_was_hidden(window, qtbot):
    window.actions_by_id["folder_make"].trigger()
    panel = window.assets.panel
    qtbot.waitUntil(lambda: panel.places.editing)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not panel.places.editing)
    assert panel.isVisible()


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
