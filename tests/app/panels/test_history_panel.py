"""Results on disk as the user meets them, in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.dialogs.compare import CompareDialog


@pytest.fixture
def panel(window, scene, qtbot):
    """The history with two results: the scene as it was, and with the mug moved."""
    window.document.push(moved(scene), "Move mug")
    dock = next(dock for dock in window.docks if dock.windowTitle() == "History")
    dock.show()
    wait_for(window, qtbot, 2)
    return window.history


def moved(scene):
    return scene.with_box("mug", scene.object("mug").box.translated((0.1, 0.0, 0.0)))


def wait_for(window, qtbot, count):
    qtbot.waitUntil(lambda: len(window.history.model.entries) == count)


def choose(panel, *rows):
    panel.list.clearSelection()
    selection = panel.list.selectionModel()
    for row in rows:
        selection.setCurrentIndex(panel.model.index(row), selection.SelectionFlag.Select)
    panel.list.setFocus()


def test_restoring_is_one_undo_step(window, scene, panel, qtbot):
    choose(panel, 1)
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.scene == scene)
    window.document.undo_stack.undo()
    assert window.document.scene == moved(scene)


def test_thumbnails_come(panel, qtbot):
    icons = panel.model._icons
    qtbot.waitUntil(
        lambda: len(icons) == 2 and all(i is not panel.model._blank for i in icons.values())
    )


def test_delete_and_take_it_back(window, panel, qtbot):
    choose(panel, 0)
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    wait_for(window, qtbot, 1)
    # The key was the list's: no object was deleted.
    assert len(window.document.scene.objects) == 3
    qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    wait_for(window, qtbot, 2)


def test_star_and_name(panel, qtbot):
    choose(panel, 0)
    panel.commands["star"].trigger()
    qtbot.waitUntil(lambda: panel.model.entries[0].starred)
    panel.model.setData(panel.model.index(0), "  evening  light ")
    qtbot.waitUntil(lambda: panel.model.entries[0].name == "evening light")
    assert panel.model.entries[0].starred
    assert panel.model.index(0).data() == "★ evening light"


def test_compare_two(window, panel, qtbot):
    choose(panel, 0, 1)
    panel.commands["compare"].trigger()
    qtbot.waitUntil(lambda: window.findChild(CompareDialog) is not None)
    dialog = window.findChild(CompareDialog)
    assert not dialog.isModal()
    qtbot.waitExposed(dialog)
    view = dialog.view
    at = view.frame()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at.center().toPoint())
    assert view.divider == pytest.approx(0.5, abs=0.01)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.divider == pytest.approx(0.48, abs=0.01)
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.divider == 1.0
    dialog.close()


def test_another_session_has_the_results(window, scene, panel, qtbot):
    assert window.pictures.shutdown()
    folder = window.pictures.history.folder
    found = folder.find(scene)
    assert found is not None
    assert len(folder.entries(scene.background.view.picture)) == 2
    assert found.picture == window.pictures.generator.result(scene).picture


def test_a_known_request_is_answered_from_disk(window, scene, slow_scene, qtbot):
    picture = window.pictures.result().picture
    generation = type(window.pictures.result())(slow_scene, picture, 1.0)
    window.pictures.history.folder.add(generation)
    # A thousand steps would take minutes.
    window.document.push(slow_scene, "Slow")
    qtbot.waitUntil(lambda: window.pictures.result() is not None)
    assert window.pictures.result().picture == picture
