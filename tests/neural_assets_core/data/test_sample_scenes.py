"""The scenes that ship with the program, and the script for others."""

from __future__ import annotations

import pytest

from neural_assets_core.data.made_scenes import plan_clip
from neural_assets_core.data.sample_scenes import CLIPS, SEED, SIZE
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX, load_scene


def test_there_are_no_others() -> None:
    assert {path.stem for path in SAMPLE_SCENES.glob(f"*{SCENE_SUFFIX}")} == set(CLIPS)


@pytest.mark.parametrize("name", CLIPS)
def test_a_sample_scene_has_objects_with_masks(name: str) -> None:
    path = SAMPLE_SCENES / f"{name}{SCENE_SUFFIX}"
    scene = load_scene(path)

    assert path.stat().st_size < 1_500_000
    assert (scene.camera.width, scene.camera.height) == (SIZE, SIZE)
    assert len(scene.objects) >= 2
    for item in scene.objects:
        assert item.appearance.box == item.box
        assert item.appearance.mask is not None
        assert item.appearance.mask.pixels.any()


@pytest.mark.parametrize("name", CLIPS)
def test_the_script_would_render_groups_that_stand(name: str) -> None:
    plan = plan_clip(SEED, "heldout", CLIPS[name], 1)

    assert 2 <= len(plan.objects) <= 5
    assert (abs(plan.rotations[0, :, 1:3]) < 1e-9).all()
