"""What several tests of the window do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.scene import Scene

NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
KEYPAD = Qt.KeyboardModifier.KeypadModifier


def moved(scene: Scene, x: float) -> Scene:
    """The scene with its mug moved along x, metres."""
    return scene.with_box("mug", scene.object("mug").box.translated((x, 0.0, 0.0)))


def choose(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    """Answer the next file dialogs: Qt's own cannot be driven on every desktop."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "exec", lambda _: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda _: [str(path)])


def press(qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Press and release a key in whatever has the focus."""
    qtbot.keyClick(QApplication.focusWidget(), key, modifiers)


def shown_docks(window: MainWindow) -> list[str]:
    """Titles of the panels that can be seen."""
    return [dock.windowTitle() for dock in window.docks if dock.isVisible()]


USUAL_DOCKS = ["Objects", "Inspector", "Generation"]
"""What is there in a first session; the menu shows the others."""
