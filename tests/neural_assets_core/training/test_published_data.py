"""Training reads published data sets through the same path as made data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.data.readers import open_clips
from neural_assets_core.geometry import Box
from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.training.config import (
    DataConfig,
    DecoderStageConfig,
    TrainingConfig,
)
from neural_assets_core.training.run import run_training
from neural_assets_core.training.samples import PairDataset, SampleShape, trainable_pair
from tests.neural_assets_core.data.readers.drawn import (
    write_movi,
    write_object,
    write_objectron,
    write_waymo,
)


def test_a_checkpoint_trains_on_movi(tiny_model, tmp_path: Path) -> None:
    write_movi(tmp_path / "movi")
    build_pipeline(tiny_model).save_pretrained(str(tmp_path / "start"))
    config = TrainingConfig(
        out=tmp_path / "run",
        initial=tmp_path / "start",
        precision="no",
        validation_pairs=1,
        data=DataConfig(path=tmp_path / "movi", scenes=1, workers=0, objects=4),
        decoder=DecoderStageConfig(batch_size=2, steps=2, warmup_steps=1),
    )
    pipeline = load_pipeline(str(run_training(config)))
    assert pipeline.sample_size == 32
    assert list((config.out / "validation").glob("step-2.png"))


@pytest.mark.parametrize("write", [write_waymo, write_objectron, write_movi])
def test_samples_of_any_data_are_square_and_whole(write, tmp_path: Path) -> None:
    write(tmp_path)
    data = DataConfig(path=tmp_path, scenes=1, window_share=0.0)
    pairs = PairDataset(open_clips(tmp_path), data, SampleShape(32, 32, 8, objects=3), 4, seed=2)
    for index in range(4):
        sample = pairs[index]
        assert sample["target"].shape == (32, 32, 3)
        assert sample["present"].tolist() == [True, True, False]
        assert (sample["regions"][:2, 2:] > sample["regions"][:2, :2]).all()
        assert np.isfinite(sample["corners"].numpy()).all()


def test_removed_objects_are_no_conditions(tmp_path: Path) -> None:
    write_object(tmp_path, "remove")
    before, after = (open_clips(tmp_path)[0][index] for index in range(2))
    data = DataConfig(path=tmp_path, scenes=1, window_share=0.0)
    pairs = PairDataset(open_clips(tmp_path), data, SampleShape(32, 32, 8), 2, seed=0)
    assert {int(pairs[index]["present"].sum()) for index in range(2)} == {1}
    assert len(before.objects) == 2
    assert len(after.objects) == 1


def test_what_cannot_be_learnt_is_left_out(tmp_path: Path) -> None:
    write_movi(tmp_path)
    source, target = (open_clips(tmp_path)[0][index] for index in (0, 2))
    first, second = trainable_pair(source, target, 1)
    areas = [np.prod(np.subtract(item.region[2:], item.region[:2])) for item in source.objects]
    assert [item.id for item in first.objects] == [source.objects[int(np.argmax(areas))].id]
    assert [item.id for item in second.objects] == [item.id for item in first.objects]
    # The first object comes to where the camera is.
    at = tuple(target.camera.position)
    there = replace(target.objects[0], box=Box(center=at, size=(1, 1, 1)))
    moved = replace(target, objects=(there, *target.objects[1:]))
    first, second = trainable_pair(source, moved, 8)
    assert [item.id for item in first.objects] == [2]
    assert [item.id for item in second.objects] == [2]
