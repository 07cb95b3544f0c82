"""The command palette over the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.dialogs.command_palette import CommandPalette, Entry, match
from app.keymaps import KEYMAPS
from app.main_window import MainWindow
from app.menus import in_menus
from tests.app.hand import CONTROL, SHIFT, press

Key = Qt.Key


def listed(palette: CommandPalette) -> list[Entry]:
    rows = range(palette.list.count())
    return [palette.list.item(row).data(Qt.ItemDataRole.UserRole) for row in rows]


def names(palette: CommandPalette) -> list[str]:
    return [entry.name for entry in listed(palette)]


def type_and_run(qtbot: QtBot, text: str) -> None:
    press(qtbot, Key.Key_F3)
    qtbot.keyClicks(QApplication.focusWidget(), text)
    press(qtbot, Key.Key_Return)


@pytest.fixture
def palette(window: MainWindow, qtbot: QtBot) -> CommandPalette:
    """Not open yet; the picture has the focus."""
    qtbot.waitUntil(window.isActiveWindow)
    window.viewport.setFocus()
    return window.command_palette


class TestOpening:
    @pytest.mark.parametrize("keymap", KEYMAPS)
    @pytest.mark.parametrize(
        ("key", "modifiers"), [(Key.Key_F3, Key(0)), (Key.Key_P, CONTROL | SHIFT)]
    )
    def test_keys_open_it_and_esc_goes_back(
        self,
        window: MainWindow,
        palette: CommandPalette,
        keymap: str,
        key: Key,
        modifiers: Qt.KeyboardModifier,
        qtbot: QtBot,
    ) -> None:
        window.set_keymap(keymap)
        press(qtbot, key, Qt.KeyboardModifier(modifiers))
        assert palette.isVisible()
        assert palette.field.hasFocus()
        assert QApplication.activeModalWidget() is None
        press(qtbot, Key.Key_Escape)
        assert not palette.isVisible()
        assert window.viewport.native.hasFocus()

    def test_lists_every_command_of_the_menus_once(
        self, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        press(qtbot, Key.Key_F3)
        assert sorted(entry.id for entry in listed(palette)) == sorted(
            command.id for command, _ in in_menus()
        )

    @pytest.mark.parametrize(("keymap", "keys"), [("blender", "2"), ("maya", "W")])
    def test_shows_menus_and_the_keys_of_the_keymap(
        self,
        window: MainWindow,
        palette: CommandPalette,
        keymap: str,
        keys: str,
        qtbot: QtBot,
    ) -> None:
        window.set_keymap(keymap)
        press(qtbot, Key.Key_F3)
        qtbot.keyClicks(palette.field, "move tool")
        (entry,) = listed(palette)
        assert entry == Entry("tool_move", "Move tool", "Object › Tool", keys, "", entry.tip)
        # What somebody looks for who does not know its name.
        palette.field.clear()
        qtbot.keyClicks(palette.field, "tint")
        assert "guessed" in [entry.id for entry in listed(palette)]

    def test_leaving_it_closes_it(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        press(qtbot, Key.Key_F3)
        window.outliner.list.setFocus(Qt.FocusReason.MouseFocusReason)
        assert not palette.isVisible()
        assert window.outliner.list.hasFocus()

    def test_stays_inside_a_small_window(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        press(qtbot, Key.Key_F3)
        window.resize(window.minimumSizeHint())
        qtbot.waitUntil(lambda: window.stack.rect().contains(palette.geometry()))


class TestRunning:
    def test_enter_runs_the_first(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        type_and_run(qtbot, "sel all")
        assert window.document.selection == ("mug", "kettle", "book")
        assert not palette.isVisible()
        assert window.viewport.native.hasFocus()

    def test_arrow_keys_choose_and_wrap_around(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        press(qtbot, Key.Key_F3)
        qtbot.keyClicks(palette.field, "tool")
        press(qtbot, Key.Key_Up)
        assert palette.list.currentRow() == palette.list.count() - 1
        press(qtbot, Key.Key_Down)
        assert palette.list.currentRow() == 0
        press(qtbot, Key.Key_Down)
        wanted = listed(palette)[1].id
        press(qtbot, Key.Key_Return)
        assert window.actions_by_id[wanted].isChecked()

    def test_click_runs(self, window: MainWindow, palette: CommandPalette, qtbot: QtBot) -> None:
        press(qtbot, Key.Key_F3)
        row = names(palette).index("Select all")
        place = palette.list.visualItemRect(palette.list.item(row)).center()
        qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert window.document.selection == ("mug", "kettle", "book")

    def test_gesture_goes_on_in_the_picture(self, window: MainWindow, qtbot: QtBot) -> None:
        window.viewport.setFocus()
        window.document.select(["mug"])
        type_and_run(qtbot, "move")
        assert window.document.draft is not None
        press(qtbot, Key.Key_Escape)
        assert window.document.draft is None

    def test_what_cannot_be_done_says_why_and_does_nothing(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        type_and_run(qtbot, "duplicate")
        assert listed(palette)[0].obstacle == "Select an object first"
        assert palette.isVisible()
        assert len(window.document.scene.objects) == 3

    def test_recent_first(self, palette: CommandPalette, qtbot: QtBot) -> None:
        type_and_run(qtbot, "actual")
        type_and_run(qtbot, "scale tool")
        press(qtbot, Key.Key_F3)
        assert names(palette)[:3] == ["Scale tool", "Actual pixels, 1:1", "New from photograph"]

    def test_nothing_found(self, palette: CommandPalette, qtbot: QtBot) -> None:
        type_and_run(qtbot, "qqqq")
        assert palette.isVisible()
        assert not palette.list.isVisible()
        assert palette._nothing.isVisible()

    def test_its_letters_are_no_commands(
        self, window: MainWindow, palette: CommandPalette, qtbot: QtBot
    ) -> None:
        window.document.select(["mug"])
        press(qtbot, Key.Key_F3)
        for key in (Key.Key_X, Key.Key_Delete, Key.Key_G, Key.Key_Tab, Key.Key_1):
            press(qtbot, key)
        assert palette.field.text() == "xg1"
        assert window.document.draft is None
        assert len(window.document.scene.objects) == 3


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("sel", ["Select all", "New selection", "Reselect", "Grow"]),
        ("SELECT ALL", ["Select all"]),
        ("all sel", ["Select all"]),
        ("slall", ["Select all"]),
        ("near", ["Zoom"]),
        ("arer", []),
        ("zz", []),
    ],
)
def test_ranking(text: str, order: list[str]) -> None:
    commands = {
        "Grow": "Edit › Selection",
        "Reselect": "Edit",
        "New selection": "Edit",
        "Select all": "Edit",
        "Zoom": "View",
    }
    tips = {"Zoom": "Go nearer"}
    scores = {
        name: match(text, name, path, tips.get(name, "")) for name, path in commands.items()
    }
    found = [name for name, score in scores.items() if score is not None]
    assert sorted(found, key=lambda name: scores[name]) == order
