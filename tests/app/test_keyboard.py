"""The window without a mouse: every control can be reached, is named, and shows the focus."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QPixmap
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from tests.app.hand import SHIFT, USUAL_DOCKS, press, shown_docks

Key = Qt.Key


@pytest.fixture
def ready(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """A selected object, so that all fields are shown; the focus in the picture."""
    # Seed and steps are the neural decoder's; it need not run for that.
    window.actions_by_id["automatic"].trigger()
    window.document.push(window.document.scene.with_settings(decoder="neural"), "Neural")
    window.document.select(["mug"])
    window.report("Something to read.")
    qtbot.waitUntil(window.isActiveWindow)
    window.viewport.native.setFocus()
    return window


def controls(window: MainWindow) -> list[QWidget]:
    """Everything that a user could want to reach; a spin box stands for its text field."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        # Qt keeps an empty bar of tabs beyond the window's edge.
        and not widget.visibleRegion().isEmpty()
        and widget.isEnabled()
        and widget.focusProxy() is None
    ]


def part_of(window: MainWindow, widget: QWidget) -> QWidget:
    parts = (window.viewport, window.tool_strip, window.messages, *window.docks)
    return next(part for part in parts if part is widget or part.isAncestorOf(widget))


def walk(window: MainWindow, qtbot: QtBot) -> list[QWidget]:
    """Where F6, and Tab in every part, lead; once round."""
    reached: list[QWidget] = []
    while True:
        press(qtbot, Key.Key_F6)
        part = part_of(window, QApplication.focusWidget())
        if part is window.viewport:
            return [*reached, QApplication.focusWidget()]
        while QApplication.focusWidget() not in reached and part.isAncestorOf(
            QApplication.focusWidget()
        ):
            reached.append(QApplication.focusWidget())
            press(qtbot, Key.Key_Tab)
        reached[-1].setFocus()


def test_every_control_is_reached(ready: MainWindow, qtbot: QtBot) -> None:
    reached = walk(ready, qtbot)
    missed = [widget for widget in controls(ready) if widget not in reached]
    assert missed == []
    assert shown_docks(ready) == USUAL_DOCKS


def test_f6_goes_round_and_shift_f6_back(ready: MainWindow, qtbot: QtBot) -> None:
    ready.docks[0].hide()
    for dock in ready.docks[1:]:
        dock.show()
    shown = [ready.tool_strip, ready.messages, *ready.docks[1:], ready.viewport]
    for part in shown:
        press(qtbot, Key.Key_F6)
        assert part_of(ready, QApplication.focusWidget()) is part
    for part in reversed([ready.viewport, *shown[:-1]]):
        press(qtbot, Key.Key_F6, SHIFT)
        assert part_of(ready, QApplication.focusWidget()) is part


def test_f6_comes_back_to_the_same_field(ready: MainWindow, qtbot: QtBot) -> None:
    field = ready.inspector.fields["size"][1]
    field.setFocus()
    press(qtbot, Key.Key_F6)
    assert not field.hasFocus()
    press(qtbot, Key.Key_F6, SHIFT)
    assert field.hasFocus()


def test_start_page(empty_window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(empty_window.isActiveWindow)
    press(qtbot, Key.Key_Tab)
    assert empty_window.start_page.isAncestorOf(QApplication.focusWidget())
    assert shown_docks(empty_window) == USUAL_DOCKS
    empty_window.start_page.samples.setFocus()
    press(qtbot, Key.Key_Right)
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: empty_window.document.scene is not None)
    empty_window.pictures.generator.cancel()


def test_tool_by_space(ready: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, Key.Key_F6)
    press(qtbot, Key.Key_Tab)
    press(qtbot, Key.Key_Space)
    assert ready.viewport.tools.tool == "move"


def test_esc_leads_back_from_a_floating_panel(ready: MainWindow, qtbot: QtBot) -> None:
    dock = ready.docks[1]
    dock.setFloating(True)
    field = ready.inspector.fields["position"][0]
    field.window().activateWindow()
    qtbot.waitUntil(field.isActiveWindow)
    field.setFocus()
    press(qtbot, Key.Key_Tab)
    assert ready.inspector.fields["position"][1].hasFocus()
    press(qtbot, Key.Key_Escape)
    qtbot.waitUntil(ready.viewport.native.hasFocus)


def test_closing_a_panel_leads_back(ready: MainWindow) -> None:
    for _ in range(2):
        ready.actions_by_id["library"].trigger()
    assert ready.viewport.native.hasFocus()


def test_numbers_of_the_keypad_are_typed(ready: MainWindow, qtbot: QtBot) -> None:
    field = ready.inspector.fields["position"][0]
    field.setFocus()
    field.selectAll()
    for key in (Key.Key_1, Key.Key_Period, Key.Key_4):
        press(qtbot, key, Qt.KeyboardModifier.KeypadModifier)
    press(qtbot, Key.Key_Return)
    assert ready.document.scene.object("mug").box.center[0] == 1.4
    assert ready.viewport.tools.tool == "select"


def test_every_control_has_a_name(ready: MainWindow) -> None:
    for widget in controls(ready):
        name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
        assert len(name) > 1, widget


def test_every_control_shows_its_focus(ready: MainWindow) -> None:
    for widget in controls(ready):
        before = picture_of(ready, widget, focused=False)
        after = picture_of(ready, widget, focused=True)
        assert before.toImage() != after.toImage(), widget


def picture_of(window: MainWindow, widget: QWidget, focused: bool) -> QPixmap:
    """The window around a control; without a blinking cursor or a selected text."""
    (widget if focused else window.menuBar()).setFocus(Qt.FocusReason.TabFocusReason)
    for field in window.findChildren(QLineEdit):
        field.deselect()
    frame = 2 if widget is window.viewport.native else 0
    corner = widget.mapTo(window, QPoint(-frame, -frame))
    area = QRect(corner, widget.size()).adjusted(0, 0, 2 * frame, 2 * frame)
    return window.grab(area)


def test_ring_around_the_picture_only_for_the_keyboard(
    ready: MainWindow, qtbot: QtBot
) -> None:
    frame = ready.viewport.parentWidget()
    press(qtbot, Key.Key_F6)
    press(qtbot, Key.Key_F6, SHIFT)
    assert frame.property("focused") == "true"
    qtbot.mouseClick(ready.viewport.native, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert frame.property("focused") == "false"
    ready.outliner.list.setFocus()
    ready.viewport.native.setFocus(Qt.FocusReason.MouseFocusReason)
    assert frame.property("focused") == "false"
