"""Inpainting chosen in the generation panel, and what the panel says about photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.preferences import load_preferences
from tests.app.hand import moved
from tests.app.photos import photo_scene
from tests.checkpoints import write_inpainting


def pick(window: MainWindow, decoder: str) -> None:
    """Choose a decoder as the mouse does."""
    field = window.generation.decoder
    field.setCurrentIndex(field.findData(decoder))
    field.activated.emit(field.currentIndex())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answers the folder dialog, the last first; empty is Cancel."""
    answers: list[str] = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: answers.pop())
    return answers


def test_a_folder_is_asked_for_once_and_used(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, asked: list[str]
) -> None:
    panel, document = window.generation, window.document
    before = document.scene
    assert not panel.prompt.isVisible()
    asked.append("")
    pick(window, "inpainting")
    assert document.scene is before
    assert panel.decoder.currentData() == "proxy"
    folder = str(write_inpainting(tmp_path / "own"))
    asked.append(folder)
    pick(window, "inpainting")
    assert document.scene.settings.checkpoint == folder
    assert (panel.steps.value(), panel.strength.value()) == (30, 0.8)
    assert panel.prompt.isVisible()
    panel.steps.setValue(2)
    panel.prompt.setText("a mug")
    panel.prompt.editingFinished.emit()
    document.push(moved(document.scene, 0.2), "Move mug")
    qtbot.waitUntil(lambda: window.pictures.result() is not None, timeout=60_000)
    settings = window.pictures.result().scene.settings
    assert (settings.decoder, settings.prompt, settings.steps) == ("inpainting", "a mug", 2)
    # The next time nobody is asked.
    assert load_preferences().inpainting == folder
    pick(window, "proxy")
    assert document.scene.settings.steps == 2
    pick(window, "inpainting")
    assert document.scene.settings.checkpoint == folder
    assert not asked


def test_a_wrong_folder_is_told_and_not_remembered(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, asked: list[str]
) -> None:
    asked.append(str(tmp_path))
    pick(window, "inpainting")
    qtbot.waitUntil(lambda: bool(window.messages.text))
    assert "model_index.json" in window.messages.text
    assert load_preferences().inpainting == ""


def test_the_default_checkpoint_is_not_for_photographs(
    empty_window: MainWindow, qtbot: QtBot
) -> None:
    window = empty_window
    window.actions_by_id["automatic"].trigger()
    window.document.set_scene(photo_scene())
    assert not window.generation.doubt.isVisible()
    pick(window, "neural")
    assert "knows made scenes" in window.generation.doubt.text()
    assert window.generation.doubt.isVisible()
    window.generation.doubt.linkActivated.emit("proxy")
    assert window.document.scene.settings.decoder == "proxy"
    assert not window.generation.doubt.isVisible()
    made = window.document.scene.with_decoder("neural", checkpoint="own")
    window.document.push(made, "Own checkpoint")
    assert not window.generation.doubt.isVisible()
