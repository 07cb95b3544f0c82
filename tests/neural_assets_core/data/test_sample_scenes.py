"""The scenes that ship with the program are those of the script's table."""

from __future__ import annotations

import pytest

from neural_assets_core.data.made_scenes import plan_clip
from neural_assets_core.data.sample_scenes import CLIPS, SEED, SIZE
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX, load_scene


def test_there_are_no_others() -> None:
    assert {path.stem for path in SAMPLE_SCENES.glob(f"*{SCENE_SUFFIX}")} == set(CLIPS)


@pytest.mark.parametrize("name", CLIPS)
def test_a_sample_scene_is_the_clips_first_frame(name: str) -> None:
    path = SAMPLE_SCENES / f"{name}{SCENE_SUFFIX}"
    scene = load_scene(path)
    plan = plan_clip(SEED, "heldout", CLIPS[name], 1)

    assert path.stat().st_size < 1_500_000
    assert (scene.camera.width, scene.camera.height) == (SIZE, SIZE)
    assert tuple(item.name for item in scene.objects) == plan.names
    for number, item in enumerate(scene.objects):
        assert item.box.corners() == pytest.approx(plan.box(0, number).corners(), abs=1e-9)
        assert item.appearance.box == item.box
        assert item.appearance.mask is not None
        assert item.appearance.mask.pixels.any()
