"""The settings' dialog in the real window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.dialogs.settings import SettingsDialog
from app.main_window import MainWindow
from neural_assets_core.device_choice import choose, find_machine
from neural_assets_core.preferences import (
    Preferences,
    load_preferences,
    preferences_path,
    store_preferences,
)
from tests.app.hand import choose as choose_file


def test_changes_count_at_once(empty_window: MainWindow, qtbot: QtBot) -> None:
    empty_window.actions_by_id["settings"].trigger()
    dialog = empty_window.findChild(SettingsDialog)
    qtbot.keyClick(dialog.preview_steps, Qt.Key.Key_Up)
    assert load_preferences() == Preferences(preview_steps=5)
    qtbot.keyClick(dialog.device, Qt.Key.Key_Down)
    assert load_preferences() == Preferences(preview_steps=5, device="cpu")
    qtbot.keyClick(dialog.runtime, Qt.Key.Key_Down)
    assert load_preferences().runtime == "torch"
    qtbot.keyClicks(dialog.certificate, "/keys/own.pem")
    qtbot.keyClick(dialog.certificate, Qt.Key.Key_Return)
    assert load_preferences().certificate == "/keys/own.pem"
    qtbot.mouseClick(dialog.restore, Qt.MouseButton.LeftButton)
    assert load_preferences() == Preferences()
    assert dialog.preview_steps.value() == 4


def test_a_certificate_is_chosen_among_files(
    empty_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty_window.actions_by_id["settings"].trigger()
    dialog = empty_window.findChild(SettingsDialog)
    for field, name in (("certificate", "own.pem"), ("signing_key", "own.key")):
        choose_file(monkeypatch, tmp_path / name)
        row = getattr(dialog, field).parentWidget()
        qtbot.mouseClick(row.findChild(QToolButton), Qt.MouseButton.LeftButton)
        assert getattr(load_preferences(), field) == str(tmp_path / name)
    # Nothing chosen, nothing changed.
    choose_file(monkeypatch, "")
    qtbot.mouseClick(row.findChild(QToolButton), Qt.MouseButton.LeftButton)
    assert load_preferences().signing_key == str(tmp_path / "own.key")


def test_the_machine_s_own_reasons_are_told(empty_window: MainWindow, qtbot: QtBot) -> None:
    store_preferences(Preferences(device="cpu", precision="bf16"))
    empty_window.actions_by_id["settings"].trigger()
    dialog = empty_window.findChild(SettingsDialog)
    machine = find_machine()
    automatic = choose(Preferences(), machine)
    qtbot.waitUntil(lambda: automatic.device_reason in dialog.told["device"].text())
    # Of the device in use, whatever the automatic one is.
    precise = choose(Preferences(device="cpu"), machine)
    assert precise.precision_reason in dialog.told["precision"].text()
    assert precise.runtime_reason in dialog.told["runtime"].text()


def test_damaged_settings_are_told_in_the_window(qtbot: QtBot) -> None:
    preferences_path().parent.mkdir(parents=True)
    preferences_path().write_text("{")
    window = MainWindow()
    qtbot.addWidget(window)
    assert window.messages.tier == "warning"
    assert "damaged" in window.messages.text
    assert preferences_path().with_name("preferences.json.broken").is_file()
