"""Rivals on painted clips: what they are taught, that they learn it, and how they edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neural_assets_core.data.dataset import (
    GROUND,
    AnnotatedFrame,
    ClipDataset,
    DatasetInfo,
    ObjectAnnotation,
    begin_dataset,
    visible_region,
    write_clip,
)
from neural_assets_core.decoders.base import Cancelled, Decoder
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.build import ModelConfig, UNetConfig, VAEConfig
from neural_assets_core.model.conditioning import GREY
from neural_assets_core.rivals.chained import ChainedEditor, HoleDataset, ViewDataset
from neural_assets_core.rivals.changes import (
    CAMERA,
    MOVED,
    REMOVED,
    changes_of,
    object_camera,
    put_into,
    seen_through,
)
from neural_assets_core.rivals.painting import Painting
from neural_assets_core.rivals.threedit import ChangeDataset, ThreeDITEditor
from neural_assets_core.rivals.training import train_rival
from neural_assets_core.scene import Scene
from neural_assets_core.training.config import (
    DataConfig,
    DecoderStageConfig,
    StageConfig,
    TrainingConfig,
)
from neural_assets_core.training.run import run_training
from tests.neural_assets_core.conftest import SIZE, paint

PLACED = ("cpu", torch.float32)


def painted_frame(camera: Camera, boxes: list[Box]) -> AnnotatedFrame:
    image, mask = paint(camera, boxes)
    objects = tuple(
        ObjectAnnotation(k, f"box {k}", "box", box, visible_region(mask, k), 1.0)
        for k, box in enumerate(boxes, start=1)
    )
    return AnnotatedFrame(image, mask, camera, objects, GROUND)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of three frames: a box that moves, another one that does not."""
    camera = Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), SIZE, SIZE, 0.8)
    moved = Camera.looking_at((0.4, -3.0, 1.5), (0.0, 0.0, 0.2), SIZE, SIZE, 0.8)
    still = Box(center=(0.5, 0.1, 0.15), size=(0.4, 0.5, 0.3))
    path = tmp_path_factory.mktemp("data") / "painted"
    for split, name in (("train", path), ("heldout", path.with_name("painted-heldout"))):
        begin_dataset(name, DatasetInfo(SIZE, 2, 3, 0, split, ("box",)))
        for clip in range(2):
            boxes = [
                Box(center=(-0.6 + 0.3 * k, 0.2 * clip, 0.2), size=(0.5, 0.4, 0.4)).rotated(
                    (0, 0, 1), 0.4 * k
                )
                for k in range(3)
            ]
            cameras = [camera, camera, moved]
            frames = [
                painted_frame(seen, [box, still])
                for seen, box in zip(cameras, boxes, strict=True)
            ]
            write_clip(name, f"{clip:06d}", frames)
    return path


def tiny_config(data: Path, out: Path, **stage: float) -> TrainingConfig:
    limits = {"batch_size": 2, "steps": 2, "warmup_steps": 1, "learning_rate": 1e-3, **stage}
    return TrainingConfig(
        out=out,
        precision="no",
        validation_pairs=1,
        data=DataConfig(path=data, scenes=2, frames=3, workers=0, objects=4, window_share=0),
        model=ModelConfig(
            sample_size=32,
            maps=(),
            vae=VAEConfig(kind="patch"),
            unet=UNetConfig(
                block_out_channels=(8, 16), attention=(False, True), heads=(1, 2),
                cross_attention_dim=16, norm_num_groups=4,
            ),
        ),
        vae=StageConfig(steps=1),
        decoder=DecoderStageConfig.model_validate(limits),
    )


@pytest.fixture(scope="module")
def editors(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoder]:
    """Both editors after two steps of training."""
    out = tmp_path_factory.mktemp("editors")
    opened: dict[str, Decoder] = {}
    for kind, editor in (("3dit", ThreeDITEditor), ("chained", ChainedEditor)):
        config = tiny_config(data, out / kind)
        run_training(config, stage="vae")
        train_rival(kind, config, resume=False)  # type: ignore[arg-type]
        # Once more: there is nothing left to do.
        train_rival(kind, config, resume=True)  # type: ignore[arg-type]
        opened[kind] = editor.open(out / kind, PLACED)
    return opened


@pytest.fixture
def edited(scene: Scene) -> Scene:
    """The far box removed, the near one moved and turned; two steps, no guidance."""
    box = scene.objects[0].box.translated((0.1, -0.2, 0)).rotated((0, 0, 1), 0.5)
    return scene.with_box("box 1", box).without("box 2").with_settings(steps=2, guidance=2.0)


def test_changes_are_told_far_ones_first_and_removals_before_them(scene: Scene) -> None:
    assert changes_of(scene) == []
    near, far = (scene.object(name) for name in ("box 1", "box 2"))
    moved = scene.with_box("box 1", near.box.translated((0, 0.1, 0)))
    moved = moved.with_box("box 2", far.box.translated((0, 0.5, 0)))
    assert [change.name for change in changes_of(moved)] == ["box 2", "box 1"]
    gone, _, copied = changes_of(moved.without("box 2").duplicated("box 1"))
    assert (gone.before, gone.after) == (far.appearance.box, None)
    # It takes the name that is free.
    assert (copied.name, copied.before) == ("box 2", None)


def test_a_window_shows_its_part_and_is_put_back_there(scene: Scene) -> None:
    picture, box = scene.background.view.picture.pixels, scene.objects[0].box
    window = object_camera(scene.camera, box, 2 * SIZE)
    part = seen_through(picture, scene.camera, window, GREY)
    corners = window.project(box.corners())[:, :2]
    assert corners.min() > 0
    assert corners.max() < 2 * SIZE
    back = put_into(
        np.zeros_like(picture), scene.camera, part, np.ones(part.shape[:2], np.float32), window
    )
    there = back.any(axis=2)
    assert 0.02 < there.mean() < 0.5
    inner = there & np.roll(there, 2, 0) & np.roll(there, -2, 0) & np.roll(there, 2, 1)
    difference = np.abs(back.astype(int) - picture)[inner]
    assert np.median(difference) <= 3
    # A part beside the picture's edge shows grey there.
    beside = seen_through(picture, scene.camera, scene.camera.cropped(-SIZE, 0, SIZE, SIZE), GREY)
    assert (beside == GREY).all()


def test_what_is_taught(data: Path) -> None:
    config, clips = tiny_config(data, data).data, ClipDataset(data)
    samples = [ChangeDataset(clips, config, 32, 1)[index] for index in range(20)]
    kinds = [
        [row[36:].tolist() for row in s["poses"].numpy()[s["present"].numpy()]] for s in samples
    ]
    # One box moves between any two frames, the other one never does.
    assert all(rows.count(MOVED.tolist()) == 1 for rows in kinds)
    assert 0 < sum(CAMERA.tolist() in rows for rows in kinds) < 20
    assert 0 < sum(REMOVED.tolist() in rows for rows in kinds) < 12
    view = ViewDataset(clips, config, 32, 1)[0]
    for picture, mask in (("known", "known_mask"), ("target", "target_mask")):
        outside = view[mask].numpy() == 0
        assert (view[picture].numpy()[outside] == GREY).all()
        assert 0.2 < (~outside).mean() < 0.9
    for index in range(5):
        hole = HoleDataset(clips, config, 32, 1)[index]
        inside = hole["known_mask"].numpy() > 0
        assert inside.any()
        assert (hole["known"].numpy()[inside] == GREY).all()
        assert (hole["known"].numpy() == hole["target"].numpy())[~inside].all()


@pytest.mark.parametrize("kind", ["3dit", "chained"])
def test_an_edit_from_end_to_end(
    kind: str, editors: dict[str, Decoder], scene: Scene, edited: Scene
) -> None:
    editor, told = editors[kind], []
    before = scene.background.view.picture.pixels
    same = editor.generate(scene)
    assert (same.picture.pixels == before).all()
    first = editor.generate(edited, progress=told.append)
    assert (first.picture.pixels == editor.generate(edited).picture.pixels).all()
    assert first.picture.pixels.shape == before.shape
    assert (first.picture.pixels != before).any()
    # The removal is one picture, the move one more, and in the chain a hole and an object.
    pictures = 2 if kind == "3dit" else 3
    assert [p.step for p in told] == list(range(2 * pictures))
    other = editor.generate(edited.with_settings(seed=1)).picture.pixels
    assert (other != first.picture.pixels).any()
    elsewhere = scene.with_camera(
        Camera.looking_at((0.4, -3.0, 1.5), (0.0, 0.0, 0.2), SIZE, SIZE, 0.8)
    ).with_settings(steps=1)
    assert (editor.generate(elsewhere).picture.pixels != before).any()


def test_one_object_after_the_other(
    editors: dict[str, Decoder], edited: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every change is made to what the one before it left."""
    asked: list[tuple[np.ndarray, np.ndarray]] = []
    plain = Painting.paint

    def watched(self, painter, known, mask=None, rows=()):
        answer = plain(self, painter, known, mask, rows)
        asked.append((known, answer[0], rows))
        return answer

    monkeypatch.setattr(Painting, "paint", watched)
    editors["3dit"].generate(edited)
    (_, first, gone), (second, _, moved) = asked
    assert (second == first).all()
    assert (gone[0][36:] == REMOVED).all()
    assert (moved[0][36:] == MOVED).all()


def test_the_chain_keeps_what_is_not_touched(
    editors: dict[str, Decoder], edited: Scene
) -> None:
    drawn = editors["chained"].generate(edited).picture.pixels
    before = edited.background.view.picture.pixels
    assert (drawn[:15] == before[:15]).all()
    assert (drawn == before).all(axis=2).mean() > 0.3


def test_what_the_source_does_not_show_is_left_out(
    editors: dict[str, Decoder], scene: Scene
) -> None:
    box = scene.objects[0].box.translated((0.3, -0.3, 0))
    copied = scene.duplicated("box 1", box).with_settings(steps=1)
    answer = editors["3dit"].generate(copied)
    assert (answer.picture.pixels == scene.background.view.picture.pixels).all()
    assert "box 3" in answer.notes[0]
    assert (editors["chained"].generate(copied).picture.pixels != answer.picture.pixels).any()


def test_cancelling(editors: dict[str, Decoder], edited: Scene) -> None:
    import threading

    cancel = threading.Event()
    for editor in editors.values():
        with pytest.raises(Cancelled):
            editor.generate(edited, progress=lambda _: cancel.set(), cancel=cancel)
        cancel.clear()
