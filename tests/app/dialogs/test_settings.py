"""The settings' dialog and the difference view in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.dialogs.settings import SettingsDialog
from app.main_window import MainWindow
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.scene import Scene


@pytest.fixture(autouse=True)
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_changes_count_at_once(empty_window: MainWindow, qtbot: QtBot) -> None:
    empty_window.actions_by_id["settings"].trigger()
    dialog = empty_window.findChild(SettingsDialog)
    qtbot.keyClick(dialog.preview_steps, Qt.Key.Key_Up)
    assert load_preferences() == Preferences(preview_steps=5)
    qtbot.keyClick(dialog.device, Qt.Key.Key_Down)
    assert load_preferences() == Preferences(preview_steps=5, device="cpu")
    qtbot.mouseClick(dialog.restore, Qt.MouseButton.LeftButton)
    assert load_preferences() == Preferences()
    assert dialog.preview_steps.value() == 4


def test_the_difference_follows_the_pictures(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    from app.dialogs.difference import DifferenceView

    document = window.document
    document.push(document.scene.with_settings(decoder="proxy"), "Proxy")
    qtbot.waitUntil(lambda: window.pictures.result() is not None, timeout=20_000)
    window.actions_by_id["difference"].trigger()
    view = window.findChild(DifferenceView)
    source = document.scene.background.view.picture.pixels.astype(int)

    def shown_is_right() -> bool:
        made = window.pictures.result()
        if made is None:
            return False
        expected = np.abs(made.picture.pixels - source).max(axis=2)
        return view.image.image is not None and np.array_equal(view.image.image, expected)

    qtbot.waitUntil(shown_is_right, timeout=5_000)
    moved = document.scene.object("mug").box.translated((0.3, 0.0, 0.0))
    document.push(document.scene.with_box("mug", moved), "Move")
    qtbot.waitUntil(shown_is_right, timeout=20_000)
    assert view.image.image.any()
    assert "% of the pixels differ" in view.told.text()
