"""Models asked from the window: folders, what is not there, and never a download unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.dialogs.estimate import EstimateDialog
from app.main_window import MainWindow
from neural_assets_core.estimators import ModelSource
from neural_assets_core.scene import Scene
from tests.app.hand import moved
from tests.checkpoints import write_depth, write_masks


@pytest.fixture
def dialog(window: MainWindow) -> EstimateDialog:
    window.actions_by_id["estimate"].trigger()
    return window.photo.estimates.dialog


def estimate(dialog: EstimateDialog, qtbot: QtBot) -> None:
    """Press the button and wait for the end."""
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert not dialog.bar.isHidden()
    qtbot.waitUntil(lambda: dialog.bar.isHidden(), timeout=60_000)


def test_shapes_and_masks_are_one_undo_entry(
    window: MainWindow, dialog: EstimateDialog, scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    assert not dialog.go.isEnabled()
    dialog.depth_model.setText(str(write_depth(tmp_path / "depth")))
    estimate(dialog, qtbot)
    assert dialog.told.text() == "3 of 3 objects with a shape."
    after = window.document.scene
    assert all(item.appearance.relief is not None for item in after.objects)
    assert window.document.undo_stack.count() == 1
    window.document.undo_stack.undo()
    assert window.document.scene == scene
    dialog.depth_model.clear()
    dialog.mask_model.setText(str(write_masks(tmp_path / "masks")))
    estimate(dialog, qtbot)
    assert dialog.told.text() == "3 objects cut out."
    assert window.document.undo_stack.count() == 1


def test_what_was_edited_meanwhile_is_not_overwritten(
    window: MainWindow, dialog: EstimateDialog, scene: Scene, qtbot: QtBot
) -> None:
    estimates = window.photo.estimates
    dialog.begin("Estimating …")
    window.document.push(moved(scene, 0.2), "Move mug")
    estimates._done.emit(scene, moved(scene, 0.5), "")
    qtbot.waitUntil(lambda: "once more" in dialog.told.text())
    assert window.document.scene == moved(scene, 0.2)


def test_a_folder_that_is_not_there(
    window: MainWindow, dialog: EstimateDialog, scene: Scene, qtbot: QtBot
) -> None:
    dialog.depth_model.setText("/nowhere")
    estimate(dialog, qtbot)
    assert "no model folder" in dialog.told.text()
    assert window.document.scene == scene


def test_nothing_is_downloaded_unasked(
    window: MainWindow,
    dialog: EstimateDialog,
    qtbot: QtBot,
    answer: Callable[[QMessageBox.StandardButton], None],
) -> None:
    remote = ModelSource("some-body/some-model", "apache-2.0", None, 390_000_000)
    dialog.begin("Looking …")
    answer(QMessageBox.StandardButton.No)
    window.photo.estimates._looked.emit([remote])
    question = dialog.findChild(QMessageBox)
    assert "licence apache-2.0, 390 MB" in question.informativeText()
    qtbot.waitUntil(lambda: dialog.told.text() == "Stopped.")
    assert window.photo.estimates._jobs.empty()
