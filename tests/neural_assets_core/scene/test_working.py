"""Large scenes at a working size."""

from __future__ import annotations

import numpy as np

from neural_assets_core.proxy import draw_photograph, is_untouched
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.working import at_working_size, is_large
from neural_assets_core.segmentation import with_mask


def test_a_small_scene_is_itself(small_scene: Scene) -> None:
    assert at_working_size(small_scene) is small_scene
    assert not is_large(small_scene)


def test_everything_shrinks_and_stays_itself(small_scene: Scene) -> None:
    soft = Picture(np.full((48, 64), 200, np.uint8))
    scene = with_mask(small_scene, "book", soft)
    box = scene.object("mug").box.translated((0.2, 0.0, 0.0))
    edited = scene.with_box("mug", box).duplicated("book")
    small = at_working_size(edited, 32)
    assert (small.camera.width, small.camera.height) == (32, 24)
    assert small.camera == small.background.view.camera
    assert small.object("mug").box == box
    for item in small.objects:
        assert item.appearance in small.background.occluders
        assert item.appearance.mask is None or item.appearance.mask.width == 32
    assert is_untouched(small, small.object("book").appearance) == is_untouched(
        edited, edited.object("book").appearance
    )
    # The same again is the very same pictures: nothing is hashed or drawn anew.
    again = at_working_size(edited, 32)
    assert again == small
    assert again.background.view.picture is small.background.view.picture
    assert draw_photograph(small, small.camera).picture.shape == (24, 32, 3)
