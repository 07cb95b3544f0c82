"""Asking for a menu, with the window system's own events on the real canvas."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.app.viewport.conftest import Hand

Key, Modifier = Qt.Key, Qt.KeyboardModifier
RIGHT = Qt.MouseButton.RightButton
EMPTY = np.array([40.0, 40.0])


@pytest.fixture
def asked(hand: Hand) -> list[tuple[QPoint, bool]]:
    """Where menus were asked for in the view, and whether for the selection."""
    found: list[tuple[QPoint, bool]] = []
    native = hand.viewport.native
    hand.viewport.menu_requested.connect(
        lambda at, chosen: found.append((native.mapFromGlobal(at), chosen))
    )
    return found


def spot(at: np.ndarray) -> QPoint:
    return QPoint(*(round(side) for side in at))


def right_click(hand: Hand, at: np.ndarray) -> None:
    """As the window system sends it: whatever comes of it is Qt's own."""
    QTest.mouseClick(hand.viewport.native.windowHandle(), RIGHT, Modifier.NoModifier, spot(at))


def test_the_box_under_the_pointer_is_selected_first(hand, asked):
    at = hand.front("book")
    right_click(hand, at)
    assert hand.document.selection == ("book",)
    assert asked == [(spot(at), True)]


def test_of_several_that_are_selected_it_becomes_the_active_one(hand, asked):
    hand.document.select(["book", "mug"])
    right_click(hand, hand.front("book"))
    assert hand.document.selection == ("mug", "book")
    # What lies behind another, and was chosen by clicks, stays chosen.
    hand.document.select(["kettle"])
    right_click(hand, hand.pixel(np.array([-0.25, -0.4, 0.6])))
    assert hand.document.selection == ("kettle",)
    assert [chosen for _, chosen in asked] == [True, True]


def test_beside_all_boxes_it_is_about_the_picture(hand, asked):
    hand.document.select(["book"])
    right_click(hand, EMPTY)
    assert hand.document.selection == ("book",)
    right_click(hand, hand.handle("move z"))
    assert hand.document.selection == ("book",)
    hand.viewport.set_show_boxes(False)
    right_click(hand, hand.front("mug"))
    assert hand.document.selection == ("book",)
    assert [chosen for _, chosen in asked] == [False, True, False]


@pytest.mark.parametrize("what", ["drag", "press", "band", "key", "view"])
def test_a_click_that_gives_something_up_opens_no_menu(hand, asked, what):
    before, start = hand.document.scene, hand.front("mug")
    if what == "drag":
        hand.drag(start, start + [50.0, 20.0])
    elif what == "press":
        hand.press(start)
    elif what == "band":
        hand.drag(EMPTY, EMPTY + [500.0, 400.0])
        assert hand.document.selection
    elif what == "key":
        hand.document.select(["mug"])
        hand.move(start, Qt.MouseButton.NoButton)
        hand.viewport.start_gesture("move")
    else:
        hand.press(start, Qt.MouseButton.MiddleButton)
    right_click(hand, start)
    assert hand.document.shown_scene is before
    assert asked == []
    hand.release(start, Qt.MouseButton.MiddleButton)
    hand.release(start)
    right_click(hand, start)
    assert len(asked) == 1


def test_the_right_button_is_a_guests_own(hand, asked):
    class Guest:
        held = False

        def __getattr__(self, name: str):
            return lambda *_: False

        def status(self) -> str:
            return ""

        def cursor(self) -> Qt.CursorShape:
            return Qt.CursorShape.CrossCursor

        def press_right(self, _) -> None:
            # As a guest that has nothing else to give up than itself.
            hand.viewport.set_guest(None)

    hand.viewport.set_guest(Guest())
    hand.key(Key.Key_Menu)
    right_click(hand, hand.front("mug"))
    assert hand.viewport.guest is None
    assert asked == []
    assert hand.document.selection == ()
    right_click(hand, hand.front("mug"))
    assert len(asked) == 1


@pytest.mark.parametrize("way", ["menu", "shift f10", "system"])
def test_by_the_keyboard_it_opens_at_the_selection(hand, asked, way):
    def ask():
        native = hand.viewport.native
        if way == "menu":
            hand.key(Key.Key_Menu)
        elif way == "shift f10":
            hand.key(Key.Key_F10, Modifier.ShiftModifier)
        else:
            by_key = QContextMenuEvent.Reason.Keyboard
            event = QContextMenuEvent(by_key, QPoint(1, 1), native.mapToGlobal(QPoint(1, 1)))
            assert event.type() == QEvent.Type.ContextMenu
            QApplication.sendEvent(native, event)

    middle = hand.viewport.native.rect().center()
    ask()
    hand.document.select(["mug"])
    ask()
    # Out of sight there is no place for it.
    hand.viewport.pan(5000.0, 0.0)
    ask()
    hand.viewport.start_gesture("move")
    ask()
    at = hand.front("mug") - [5000.0, 0.0]
    assert asked == [(middle, False), (spot(at), True), (middle, True)]
