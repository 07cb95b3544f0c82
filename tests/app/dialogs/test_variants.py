"""Four seeds side by side, drawn by the real model at its smallest size."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt


@pytest.fixture
def variants(window, slow_scene, qtbot):
    """The dialog, all of its pictures made."""
    window.document.set_scene(slow_scene.with_settings(steps=2))
    window.actions_by_id["variants"].trigger()
    qtbot.waitUntil(lambda: all(b.isEnabled() for b in window.variants.choices), timeout=20_000)
    return window.variants


def test_every_seed_has_its_own_picture(window, variants):
    scenes = variants._variants.scenes
    assert len({scene.settings.seed for scene in scenes}) == 4
    pictures = [window.pictures.generator.result(scene).picture for scene in scenes]
    assert len({picture.pixels.tobytes() for picture in pictures}) == 4
    assert not variants._variants.busy
    # The scene is as it was, and so is what can be undone.
    assert window.document.scene.settings.seed == scenes[0].settings.seed
    assert window.document.undo_stack.count() == 0


def test_choosing_is_one_undo_step_and_needs_no_new_picture(window, variants, qtbot):
    qtbot.mouseClick(variants.choices[2], Qt.MouseButton.LeftButton)
    seed = variants._variants.scenes[2].settings.seed
    assert window.document.scene.settings.seed == seed
    assert not window.pictures.generator.busy
    window.document.undo_stack.undo()
    assert window.document.scene == variants._variants.scenes[0]


def test_an_edit_ends_it(window, slow_scene, qtbot):
    window.document.set_scene(slow_scene)
    window.actions_by_id["variants"].trigger()
    assert window.variants._variants.busy
    window.document.push(slow_scene.with_settings(decoder="proxy"), "Proxy")
    assert not window.variants._variants.busy
    assert window.variants.hint.text() == "Stopped after 0 of 4."
    qtbot.waitUntil(lambda: window.pictures.result() is not None)


def test_the_proxy_has_no_variants(window):
    assert not window.actions_by_id["variants"].isEnabled()
