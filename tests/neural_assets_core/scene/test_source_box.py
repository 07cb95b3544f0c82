"""Fitting a box to the photograph."""

from __future__ import annotations

import pytest

from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene
from neural_assets_core.scene.source_box import in_place, put_back, with_source_box


def test_box_looks_and_occluder_change_together(small_scene: Scene) -> None:
    box = small_scene.object("mug").box.translated((0.1, 0.0, 0.0)).scaled(1.2)
    fitted = with_source_box(small_scene, "mug", box)
    assert fitted.object("mug").box == fitted.object("mug").appearance.box == box
    assert fitted.background.occluders[0] == fitted.object("mug").appearance
    assert fitted.background.occluders[1:] == small_scene.background.occluders[1:]
    assert fitted.object("book") == small_scene.object("book")
    assert fitted.background.view is small_scene.background.view


def test_a_copy_keeps_its_looks(small_scene: Scene) -> None:
    scene = small_scene.duplicated("mug")
    fitted = with_source_box(scene, "mug", scene.object("mug").box.scaled(1.3))
    assert fitted.object("mug 2") == scene.object("mug 2")


def test_what_was_moved_is_not_in_place_until_it_is_put_back(small_scene: Scene) -> None:
    assert in_place(small_scene, small_scene.object("mug"))
    box = small_scene.object("mug").box.translated((0.2, 0.0, 0.0))
    moved = small_scene.with_box("mug", box)
    assert not in_place(moved, moved.object("mug"))
    assert put_back(moved, "mug") == small_scene


def test_no_such_object(small_scene: Scene) -> None:
    with pytest.raises(UserError, match="no object called 'pot'"):
        with_source_box(small_scene, "pot", small_scene.object("mug").box)
