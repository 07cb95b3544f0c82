"""What the window does beside an edited photograph: it prepares it, and shows what is guessed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.proxy import draw_photograph
from neural_assets_core.proxy.photograph import photograph_of
from neural_assets_core.scene import Scene
from tests.app.photos import PhotoHand


def test_a_photograph_is_prepared_before_it_is_edited(
    empty_window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    photograph = photograph_of(scene.background)
    empty_window.document.set_scene(scene)
    qtbot.waitUntil(lambda: "plate" in vars(photograph), timeout=20_000)
    pieces = photograph._pieces
    qtbot.waitUntil(lambda: len(pieces) >= len(photograph.occluders), timeout=20_000)


def test_what_is_guessed_is_tinted_on_demand(
    window: MainWindow, scene: Scene, qtbot: QtBot
) -> None:
    mug = scene.object("mug").box
    turned = scene.with_box("mug", mug.translated((0.25, 0, 0)).rotated((0, 0, 1), math.pi))
    window.document.push(turned, "Turn mug")
    qtbot.waitUntil(lambda: window.pictures.result() is not None, timeout=20_000)
    window.show_boxes()
    hand = PhotoHand(window)
    window.actions_by_id["boxes"].setChecked(False)
    window.show_boxes()
    before = hand.screen().astype(int)
    action = window.actions_by_id["guessed"]
    action.trigger()
    qtbot.waitUntil(lambda: window.viewport._guessed is not None, timeout=20_000)
    # As many pixels of the screen as were guessed.
    guessed = draw_photograph(turned, turned.camera).guessed() > 0
    ratio = window.viewport.navigation.scale * window.viewport.native.devicePixelRatioF()
    tinted = (np.abs(hand.screen() - before).sum(axis=-1) > 20).sum()
    assert guessed.sum() > 50
    assert tinted == pytest.approx(guessed.sum() * ratio**2, rel=0.25)
    # The next edit has its own; undone, there is nothing to guess.
    window.document.undo_stack.undo()
    qtbot.waitUntil(lambda: window.viewport._guessed is not None, timeout=20_000)
    assert len(window.viewport._guessed.triangles) == 0
    action.trigger()
    assert window.viewport._guessed is None
