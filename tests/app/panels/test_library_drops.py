"""Assets that are carried by the pointer into the picture, and files onto the library."""

from __future__ import annotations

import shutil

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMenu

from app.shelf import OBJECT_TYPE, dragged
from neural_assets_core.library import load_asset
from tests.app.hand import ALT, NONE
from tests.app.panels.library_hand import COPY, LEFT, MUG, names


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
