"""Both keymaps: complete, never ambiguous, and real keys run what they say."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.commands import BY_ID
from app.keymaps import KEYMAPS
from app.main_window import MainWindow
from app.menus import MENUS, OBJECT_MENU, PICTURE_MENU, context_menu, in_menus
from neural_assets_core.scene import Scene
from tests.app.hand import ALT, CONTROL, KEYPAD, SHIFT, press

Key = Qt.Key
MATCHES = QKeySequence.SequenceMatch
VIEWPORT_KEYS = [
    f"{modifier}{key}"
    for key in ("Left", "Right", "Up", "Down", "Esc", "Return", "Enter", "Space")
    for modifier in ("", "Ctrl+", "Shift+")
    if modifier + key != "Ctrl+Return"
]
"""Nudging, confirming and taking back: what the picture understands without a command."""

both = pytest.mark.parametrize("keymap", KEYMAPS)


def sequences(keymap: str) -> list[tuple[str, str]]:
    return [(id_, keys) for id_, all_keys in KEYMAPS[keymap].items() for keys in all_keys]


class TestTable:
    @both
    def test_keys_exist_and_belong_to_commands(self, keymap: str) -> None:
        for id_, keys in sequences(keymap):
            assert id_ in BY_ID
            assert QKeySequence(keys).toString() == keys

    @both
    def test_nothing_is_ambiguous(self, keymap: str) -> None:
        taken = [*sequences(keymap), *(("the picture", keys) for keys in VIEWPORT_KEYS)]
        for title in MENUS:
            taken.append((title, QKeySequence.mnemonic(title).toString()))
        for (one, keys), (other, others) in combinations(taken, 2):
            both_ways = (
                QKeySequence(keys).matches(QKeySequence(others)),
                QKeySequence(others).matches(QKeySequence(keys)),
            )
            assert both_ways == (MATCHES.NoMatch, MATCHES.NoMatch), (one, other, keys)

    @both
    def test_what_is_held_is_where_the_window_waits_for_its_release(self, keymap: str) -> None:
        assert KEYMAPS[keymap]["hold_original"] == ("O",)

    def test_every_command_but_the_held_one_is_in_one_menu(self) -> None:
        listed = [command.id for command, _ in in_menus()]
        assert sorted(listed) == sorted(set(BY_ID) - {"hold_original"})

    def test_mnemonics_of_a_menu_differ(self, empty_window: MainWindow) -> None:
        for menu in empty_window.menuBar().actions():
            self.check_menu(menu.menu())
        for ids in (OBJECT_MENU, PICTURE_MENU):
            self.check_menu(context_menu(empty_window, empty_window.actions_by_id, ids))

    def check_menu(self, menu: QMenu) -> None:
        entries = [entry for entry in menu.actions() if entry.text()]
        letters = [QKeySequence.mnemonic(entry.text()).toString() for entry in entries]
        marked = [letter for letter in letters if letter]
        assert len(marked) == len(set(marked)), (menu.title(), marked)
        for entry in entries:
            if entry.menu() is not None and not entry.text().startswith("Open"):
                self.check_menu(entry.menu())


class TestRealKeys:
    """Every key of every command, pressed; the commands are replaced by a note of their name."""

    def listen(self, window: MainWindow) -> list[str]:
        ran: list[str] = []
        for id_, action in window.actions_by_id.items():
            action.triggered.disconnect()
            action.triggered.connect(lambda _=False, id_=id_: ran.append(id_))
        return ran

    def run_by(
        self, window: MainWindow, qtbot: QtBot, ran: list[str], keys: str
    ) -> list[str]:
        ran.clear()
        # Each time: the window disables what cannot be done whenever something changes.
        for action in window.actions_by_id.values():
            action.setEnabled(True)
        combination = QKeySequence(keys)[0]
        press(qtbot, combination.key(), combination.keyboardModifiers())
        return list(ran)

    @both
    def test_in_the_picture(self, window: MainWindow, keymap: str, qtbot: QtBot) -> None:
        window.set_keymap(keymap)
        window.viewport.native.setFocus()
        ran = self.listen(window)
        for id_, keys in sequences(keymap):
            assert self.run_by(window, qtbot, ran, keys) == [id_], keys

    @both
    def test_in_a_list(self, window: MainWindow, keymap: str, qtbot: QtBot) -> None:
        window.set_keymap(keymap)
        window.outliner.list.setFocus()
        ran = self.listen(window)
        for id_, keys in sequences(keymap):
            wanted = [] if keys in ("Tab", "Home", "End") else [id_]
            window.outliner.list.setFocus()
            assert self.run_by(window, qtbot, ran, keys) == wanted, keys

    @both
    @pytest.mark.parametrize("floating", [False, True])
    def test_in_a_text_field(
        self, window: MainWindow, keymap: str, floating: bool, qtbot: QtBot
    ) -> None:
        window.set_keymap(keymap)
        window.document.select(["mug"])
        window.docks[1].setFloating(floating)
        field = window.inspector.fields["position"][0]
        field.window().activateWindow()
        qtbot.waitUntil(field.isActiveWindow)
        ran = self.listen(window)
        for id_, keys in sequences(keymap):
            held = QKeySequence(keys)[0].keyboardModifiers() & ~(SHIFT | KEYPAD)
            plain = not held and QKeySequence(keys)[0].key() < Key.Key_F1
            field.setFocus()
            got = self.run_by(window, qtbot, ran, keys)
            # What edits text (Ctrl+A and the like) is the field's as well.
            assert got == [] if plain else got in ([id_], []), keys
        field.setFocus()
        assert self.run_by(window, qtbot, ran, "Ctrl+S") == ["save"]


class TestMayaAndUnity:
    @pytest.fixture(autouse=True)
    def _maya(self, window: MainWindow, qtbot: QtBot) -> None:
        window.actions_by_id["keymap_maya"].trigger()
        window.viewport.native.setFocus()
        window.document.select(["mug"])

    @pytest.mark.parametrize(
        ("key", "tool"),
        [
            (Key.Key_W, "move"),
            (Key.Key_E, "turn"),
            (Key.Key_R, "scale"),
            (Key.Key_T, "box"),
            (Key.Key_Q, "select"),
        ],
    )
    def test_tools(self, window: MainWindow, qtbot: QtBot, key: Key, tool: str) -> None:
        window.viewport.tools.set_tool("move" if tool == "select" else "select")
        press(qtbot, key)
        assert window.viewport.tools.tool == tool
        assert window.actions_by_id[f"tool_{tool}"].isChecked()

    def test_duplicate_and_delete(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        press(qtbot, Key.Key_D, CONTROL)
        assert window.document.selection == ("mug 2",)
        press(qtbot, Key.Key_Delete)
        assert window.document.scene == scene

    def test_keys_of_the_other_map_do_nothing(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        for key in (Key.Key_G, Key.Key_S, Key.Key_X):
            press(qtbot, key)
        press(qtbot, Key.Key_A, ALT)
        assert window.document.draft is None
        assert window.document.scene == scene
        assert window.document.selection == ("mug",)

    def test_tooltips_and_menu_show_it(self, window: MainWindow) -> None:
        assert window.actions_by_id["tool_move"].toolTip().endswith("(W)")
        assert window.actions_by_id["keymap_maya"].isChecked()
        assert not window.actions_by_id["keymap_blender"].isChecked()
        window.actions_by_id["keymap_blender"].trigger()
        assert window.actions_by_id["tool_move"].toolTip().endswith("(2)")

    def test_remembered(self, window: MainWindow, qtbot: QtBot) -> None:
        window.close()
        again = MainWindow()
        qtbot.addWidget(again)
        assert again.actions_by_id["keymap_maya"].isChecked()
        assert again.actions_by_id["tool_move"].shortcut() == QKeySequence("W")
        again.close()


@pytest.mark.parametrize("stored", ["nonsense", 7, ["maya", "blender"]])
def test_settings_that_make_no_sense_give_the_default(stored: object, qtbot: QtBot) -> None:
    QSettings().setValue("keymap", stored)
    window = MainWindow()
    qtbot.addWidget(window)
    assert window.actions_by_id["keymap_blender"].isChecked()
    window.close()
    assert QApplication.activeModalWidget() is None
