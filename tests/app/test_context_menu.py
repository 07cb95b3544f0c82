"""The menus of the right button: the commands of the menu bar, where the pointer is."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.main_window import MainWindow
from app.menus import OBJECT_MENU, PICTURE_MENU, SEPARATOR
from neural_assets_core.scene import Scene


def opened(window: MainWindow, at: np.ndarray) -> QMenu:
    """What a right click in the picture opens."""
    spot = QPoint(*(round(side) for side in at))
    native = window.viewport.native.windowHandle()
    QTest.mouseClick(native, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, spot)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def ids(menu: QMenu) -> list[str]:
    return [SEPARATOR if a.isSeparator() else a.objectName() for a in menu.actions()]


def test_menus_of_an_object_and_of_the_picture(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    camera = window.viewport.screen_camera()
    assert camera is not None
    menu = opened(window, camera.project(np.array(scene.object("book").box.center))[:2])
    assert window.document.selection == ("book",)
    assert ids(menu) == list(OBJECT_MENU)
    shared = [window.actions_by_id[id_] for id_ in OBJECT_MENU if id_]
    assert [action for action in menu.actions() if not action.isSeparator()] == shared
    assert all(action.isShortcutVisibleInContextMenu() for action in shared)
    # Nothing is selected in the library, which is not even shown.
    off = [action.objectName() for action in shared if not action.isEnabled()]
    assert off == ["library_replace"]
    menu.setActiveAction(window.actions_by_id["lock"])
    # Here it deletes nothing.
    QTest.keyClick(menu, Qt.Key.Key_X)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    assert window.document.locked == {"book"}
    assert [item.name for item in window.document.scene.objects] == ["mug", "kettle", "book"]
    menu = opened(window, np.array([10.0, 10.0]))
    assert ids(menu) == list(PICTURE_MENU)
    menu.setActiveAction(window.actions_by_id["unlock_all"])
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert not window.document.locked
    qtbot.waitUntil(lambda: not isValid(menu))
