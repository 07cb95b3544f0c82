"""A clip of one's own, boxed in three of its frames, becomes training data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_assets_core.data.footage import find_frames, keys_of, write_footage
from neural_assets_core.data.readers import open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.neural_assets_core.conftest import paint, painted_scene
from tests.neural_assets_core.test_cli import done, refused

COUNT = 9
CAMERA = Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), 96, 72, 0.8)


def boxes_at(number: int) -> list[Box]:
    """One goes to the right, the other stays."""
    return [
        Box(center=(-0.6 + 0.05 * number, 0.0, 0.2), size=(0.5, 0.4, 0.4)),
        Box(center=(0.6, 0.6, 0.15), size=(0.4, 0.5, 0.3)),
    ]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "walk"
    folder.mkdir()
    for number in range(COUNT):
        image, _ = paint(CAMERA, boxes_at(number))
        Image.fromarray(image).save(folder / f"frame-{number:02d}.png")
    return folder


def boxed(number: int) -> Scene:
    return painted_scene(CAMERA, boxes_at(number))


def test_boxes_between_keys_are_interpolated(frames: Path, tmp_path: Path) -> None:
    pictures = find_frames(frames)
    # Unordered; and the second object was drawn in the first and the last only.
    scenes = {"c": boxed(8), "a": boxed(1), "b": boxed(4).without("box 2")}
    keys = keys_of(pictures, scenes)
    assert sorted(keys) == [1, 4, 8]
    assert write_footage(pictures, keys, tmp_path / "data", "walk") == (6, 2)
    clips, heldout = open_clips(tmp_path / "data"), open_clips(tmp_path / "data", "heldout")
    assert (len(clips), len(clips[0]), len(heldout[0])) == (1, 6, 2)
    for index in range(6):
        frame, true = clips[0][index], boxes_at(1 + index)
        assert np.array_equal(frame.image, paint(CAMERA, true)[0])
        assert frame.measured
        assert [item.name for item in frame.objects] == ["box 1", "box 2"]
        for item, box in zip(frame.objects, true, strict=True):
            assert item.box.center == pytest.approx(box.center, abs=1e-9)
            seen = paint(CAMERA, true)[1] == item.id
            found = frame.mask == item.id
            # Painted by the studio in keys, found in between.
            least = 1.0 if 1 + index in keys and item.name == "box 1" else 0.6
            assert (seen & found).sum() >= least * (seen | found).sum()


def test_edits_of_a_key_do_not_count(frames: Path, tmp_path: Path) -> None:
    pictures = find_frames(frames)
    moved = boxed(0).with_box("box 1", boxes_at(0)[0].translated((0.3, 0.3, 0.0)))
    write_footage(pictures, {0: moved, 8: boxed(8)}, tmp_path / "data", "walk")
    frame = open_clips(tmp_path / "data")[0][0]
    assert frame.objects[0].box == boxes_at(0)[0]


def test_large_frames_are_made_smaller(tmp_path: Path) -> None:
    camera = CAMERA.resized(1152, 864)
    (tmp_path / "large").mkdir()
    scenes = {}
    for number in range(4):
        scene = painted_scene(camera, boxes_at(number)[:1])
        pixels = scene.background.view.picture.pixels
        Image.fromarray(pixels).save(tmp_path / "large" / f"{number}.png")
        scenes[number] = scene
    write_footage(
        find_frames(tmp_path / "large"), {0: scenes[0], 3: scenes[3]}, tmp_path / "data", "large"
    )
    frame = open_clips(tmp_path / "data")[0][0]
    assert frame.image.shape == (768, 1024, 3)
    assert (frame.mask > 0).any()


def test_from_the_command_line(frames: Path, tmp_path: Path) -> None:
    first, last, data = tmp_path / "a.nascene", tmp_path / "b.nascene", tmp_path / "data"
    save_scene(boxed(0), first)
    rectangle = ["--rectangle", "box 1", 40, 25, 60, 45]
    done("photo", frames / "frame-08.png", "--camera-of", first, *rectangle, "--out", last)
    assert load_scene(last).camera == CAMERA
    text = done("dataset", "from-scenes", frames, first, last, "--out", data)
    assert "7 frames to train on, 2 held out" in text
    assert (data / "walk" / "clip.json").is_file()
    assert "leave the other options out" in refused(
        "photo", frames / "frame-08.png", "--camera-of", first, "--focal-mm", 35, "--out", last
    )


def test_what_is_wrong_is_one_sentence(frames: Path, scene_file: Path, tmp_path: Path) -> None:
    first, out = tmp_path / "a.nascene", ["--out", tmp_path / "data"]
    save_scene(boxed(0), first)
    said = {
        "no folder": (tmp_path / "none", first),
        "fewer than 2 pictures": (tmp_path, first),
        "not about one of these frames": (frames, scene_file),
        "further apart": (frames, first),
    }
    for text, arguments in said.items():
        assert text in refused("dataset", "from-scenes", *arguments, *out)
    empty = boxed(0).without("box 1").without("box 2")
    with pytest.raises(UserError, match="No scene has an object"):
        write_footage(find_frames(frames), {0: empty, 8: empty}, tmp_path / "data", "walk")
    assert not (tmp_path / "data" / "walk").exists()


def test_a_checkpoint_goes_on_learning_from_it(
    frames: Path, tiny_pipeline, tmp_path: Path
) -> None:
    from neural_assets_core.model.loading import load_pipeline
    from neural_assets_core.resources import TRAINING_CONFIGS
    from neural_assets_core.training.config import read_config
    from neural_assets_core.training.run import run_training

    write_footage(find_frames(frames), {0: boxed(0), 8: boxed(8)}, tmp_path / "data", "walk")
    tiny_pipeline.save_pretrained(str(tmp_path / "tiny"))
    config = read_config(TRAINING_CONFIGS / "footage.toml")
    assert str(config.initial) == "default"
    few = {"steps": 2, "batch_size": 2, "warmup_steps": 1}
    config = config.model_copy(
        update={
            "out": tmp_path / "run",
            "initial": tmp_path / "tiny",
            "precision": "no",
            "validation_pairs": 1,
            "data": config.data.model_copy(update={"path": tmp_path / "data"}),
            "decoder": config.decoder.model_copy(update=few),
        }
    )
    folder = run_training(config)
    assert load_pipeline(str(folder)).sample_size == tiny_pipeline.sample_size
