"""The shortcut sheet."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.commands import BY_ID
from app.dialogs.help import GESTURES, ShortcutSheet
from app.keymaps import KEYMAPS
from app.main_window import MainWindow
from app.menus import plain
from tests.app.hand import press


def rows(sheet: ShortcutSheet) -> list[tuple[str, str]]:
    """What is shown, headings left out."""
    shown = []
    for group in range(sheet.tree.topLevelItemCount()):
        heading = sheet.tree.topLevelItem(group)
        children = [heading.child(row) for row in range(heading.childCount())]
        visible = [child for child in children if not child.isHidden()]
        assert heading.isHidden() == (not visible)
        shown += [(child.text(0), child.text(1)) for child in visible]
    return shown


@pytest.fixture
def sheet(window: MainWindow, qtbot: QtBot) -> ShortcutSheet:
    qtbot.waitUntil(window.isActiveWindow)
    window.viewport.setFocus()
    press(qtbot, Qt.Key.Key_F1)
    (sheet,) = window.findChildren(ShortcutSheet)
    qtbot.waitUntil(sheet.isActiveWindow)
    return sheet


@pytest.mark.parametrize("keymap", KEYMAPS)
def test_shows_all_keys_of_the_keymap(
    window: MainWindow, sheet: ShortcutSheet, keymap: str
) -> None:
    window.actions_by_id[f"keymap_{keymap}"].trigger()
    shown = dict(rows(sheet))
    for id_, keys in KEYMAPS[keymap].items():
        assert shown[plain(BY_ID[id_].text)] == ", ".join(keys)
    assert shown.items() >= dict(GESTURES).items()
    assert len(shown) == len(KEYMAPS[keymap]) + len(GESTURES)


def test_search_by_name_and_by_key(sheet: ShortcutSheet, qtbot: QtBot) -> None:
    assert sheet.field.hasFocus()
    qtbot.keyClicks(sheet.field, "select all")
    assert rows(sheet) == [("Select all", "A, Ctrl+A")]
    sheet.field.clear()
    qtbot.keyClicks(sheet.field, "middle drag, space")
    press(qtbot, Qt.Key.Key_Return)
    assert sheet.isVisible()
    assert rows(sheet) == [("Pan; in the orbit view: circle", "Middle drag, Space+drag")]


def test_one_sheet_not_modal_and_esc_closes_it(
    window: MainWindow, sheet: ShortcutSheet, qtbot: QtBot
) -> None:
    assert QApplication.activeModalWidget() is None
    window.actions_by_id["shortcuts"].trigger()
    assert window.findChildren(ShortcutSheet) == [sheet]
    press(qtbot, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
