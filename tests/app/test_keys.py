"""Keys in the window, in the default keymap: commands, and fields that keep their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.dialogs.help import ShortcutSheet
from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene
from tests.app.hand import ALT, CONTROL, SHIFT, USUAL_DOCKS, choose, press, shown_docks


@pytest.fixture(autouse=True)
def _active(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(window.isActiveWindow)
    window.viewport.native.setFocus()


def test_delete_duplicate_undo(window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
    window.document.select(["mug"])
    press(qtbot, Qt.Key.Key_D, CONTROL)
    assert window.document.selection == ("mug 2",)
    press(qtbot, Qt.Key.Key_X)
    assert [item.name for item in window.document.scene.objects] == ["mug", "kettle", "book"]
    press(qtbot, Qt.Key.Key_Z, CONTROL)
    press(qtbot, Qt.Key.Key_Z, CONTROL)
    assert window.document.scene == scene
    assert window.document.selection == ("mug",)


def test_axis_key_in_a_gesture_is_no_command(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    window.document.select(["mug"])
    press(qtbot, Qt.Key.Key_G)
    press(qtbot, Qt.Key.Key_X)
    press(qtbot, Qt.Key.Key_Escape)
    assert window.document.scene == scene


def test_original_while_held(window: MainWindow, qtbot: QtBot) -> None:
    native = window.viewport.native
    qtbot.keyPress(native, Qt.Key.Key_O)
    assert window.viewport.show_original
    qtbot.keyRelease(native, Qt.Key.Key_O)
    assert not window.viewport.show_original
    qtbot.keyPress(native, Qt.Key.Key_O)
    assert window.viewport.show_original
    qtbot.keyRelease(native, Qt.Key.Key_O)
    assert not window.viewport.show_original


def test_tab_hides_all_panels(window: MainWindow, qtbot: QtBot) -> None:
    for command in ("library", "timeline"):
        window.actions_by_id[command].trigger()
    window.viewport.native.setFocus()
    press(qtbot, Qt.Key.Key_Tab)
    assert not any(dock.isVisible() for dock in window.docks)
    press(qtbot, Qt.Key.Key_Tab)
    assert shown_docks(window) == [*USUAL_DOCKS, "Library", "Timeline"]
    # The one that was in front is so again.
    qtbot.waitUntil(lambda: not window.docks[-1].visibleRegion().isEmpty())


def test_fields_keep_their_keys(window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
    window.document.select(["mug"])
    field = window.inspector.fields["position"][0]
    field.setFocus()
    for key in (Qt.Key.Key_X, Qt.Key.Key_Delete, Qt.Key.Key_Tab):
        press(qtbot, key)
    assert window.inspector.fields["position"][1].hasFocus()
    assert shown_docks(window) == USUAL_DOCKS
    assert len(window.document.scene.objects) == len(scene.objects)
    press(qtbot, Qt.Key.Key_Escape)
    assert window.viewport.native.hasFocus()


def test_typed_number_is_saved(
    window: MainWindow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    choose(monkeypatch, tmp_path / "mine.v2")
    window.document.select(["mug"])
    field = window.inspector.fields["position"][0]
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "0.75")
    press(qtbot, Qt.Key.Key_S, CONTROL)
    saved = load_scene(tmp_path / "mine.v2.nascene")
    assert saved.object("mug").box.center[0] == 0.75
    assert not window.document.modified


def test_undo_in_a_field_takes_back_the_edit(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    window.document.select(["mug"])
    field = window.inspector.fields["position"][0]
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "0.75")
    press(qtbot, Qt.Key.Key_Return)
    edited = window.document.scene
    assert edited != scene
    press(qtbot, Qt.Key.Key_Z, CONTROL)
    assert window.document.scene == scene
    press(qtbot, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert window.document.scene == edited


def test_emptied_seed_shows_the_scenes(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    window.actions_by_id["automatic"].trigger()
    window.document.push(scene.with_settings(decoder="neural", seed=7), "Neural")
    window.generation.seed.setFocus()
    window.generation.seed.selectAll()
    press(qtbot, Qt.Key.Key_Backspace)
    press(qtbot, Qt.Key.Key_Return)
    assert window.generation.seed.text() == "7"


def test_no_gesture_while_boxes_are_hidden(window: MainWindow, qtbot: QtBot) -> None:
    window.document.select(["mug"])
    press(qtbot, Qt.Key.Key_B)
    press(qtbot, Qt.Key.Key_G)
    assert window.document.draft is None


def test_held_original_goes_back_to_the_toggle(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.actions_by_id["original"].trigger()
    qtbot.keyPress(window.viewport.native, Qt.Key.Key_O)
    qtbot.keyRelease(window.viewport.native, Qt.Key.Key_O)
    assert window.viewport.show_original


def test_question_mark_opens_the_shortcuts(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, Qt.Key.Key_Question)
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    sheet.close()


def test_tools(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, Qt.Key.Key_3)
    assert window.viewport.tools.tool == "turn"
    assert window.actions_by_id["tool_turn"].isChecked()


def test_select_all_and_none(window: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, Qt.Key.Key_A)
    assert window.document.selection == ("mug", "kettle", "book")
    press(qtbot, Qt.Key.Key_A, ALT)
    assert window.document.selection == ()


def test_new_seed_is_one_undo_entry(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    assert not window.actions_by_id["new_seed"].isEnabled()
    window.actions_by_id["automatic"].trigger()
    window.document.push(scene.with_settings(decoder="neural"), "Neural")
    press(qtbot, Qt.Key.Key_R, CONTROL)
    assert window.document.scene.settings.seed != scene.settings.seed
    press(qtbot, Qt.Key.Key_Z, CONTROL)
    assert window.document.scene.settings.seed == scene.settings.seed
