"""Latents and appearances that are kept on disk are those that a step would have computed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from neural_assets_core.data.readers import open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.training import frame_cache
from neural_assets_core.training.cached_samples import CachedPairs
from neural_assets_core.training.config import DataConfig, DecoderStageConfig, TrainingConfig
from neural_assets_core.training.decoder_stage import (
    Denoiser,
    _clean_latents,
    _step_loss,
    sample_shape,
)
from neural_assets_core.training.frame_cache import FrameCache, clip_file, fill_cache
from neural_assets_core.training.run import run_training
from neural_assets_core.training.samples import PairDataset
from tests.neural_assets_core.data.readers.drawn import write_movi, write_waymo


@pytest.fixture
def config(tiny_model, tmp_path: Path) -> TrainingConfig:
    write_movi(tmp_path / "movi")
    return TrainingConfig(
        out=tmp_path / "run",
        precision="no",
        validation_pairs=1,
        data=DataConfig(
            path=tmp_path / "movi", scenes=1, workers=0, objects=4, cache_views=1,
            window_share=0.0, unmasked_share=0.0,
        ),
        model=tiny_model.model_copy(update={"lifter": None}),
        decoder=DecoderStageConfig(batch_size=2, steps=2, warmup_steps=1),
    )  # fmt: skip


def plain(config: TrainingConfig) -> TrainingConfig:
    """The paper's conditions, tokens alone, and nothing of the encoder is trained."""
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"maps": ()}),
            "decoder": config.decoder.model_copy(
                update={"frozen_encoder": True, "object_weight": 1.0}
            ),
        }
    )


def filled(config: TrainingConfig) -> tuple[NeuralAssetsPipeline, FrameCache, Accelerator]:
    torch.manual_seed(0)
    pipeline, accelerator = build_pipeline(config.model), Accelerator(cpu=True)
    clips = open_clips(config.data.path)
    shape = sample_shape(config, pipeline)
    cache = fill_cache(config, pipeline, clips, shape, accelerator)
    assert cache is not None
    return pipeline, cache, accelerator


@pytest.mark.parametrize("frozen", [False, True])
def test_a_step_learns_the_same_from_disk(config: TrainingConfig, frozen: bool) -> None:
    """Through the whole picture, the kept numbers give the same loss as the pictures themselves."""
    config = plain(config) if frozen else config
    pipeline, cache, accelerator = filled(config)
    clips, shape = open_clips(config.data.path), sample_shape(config, pipeline)
    pairs = PairDataset(clips, config.data, shape, 9, seed=1)
    kept = CachedPairs(cache, clips, config.data, shape, seed=1)
    read = [[data[index] for index in range(4)] for data in (pairs, kept)]
    batches = [
        {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
        for samples in read
    ]
    assert "target" not in batches[1]
    assert ("foreground" in batches[1]) == (not frozen)
    for name in batches[0].keys() & batches[1].keys():
        torch.testing.assert_close(batches[1][name], batches[0][name], msg=name)
    latents = [_clean_latents(pipeline, batch)[0] for batch in batches]
    torch.testing.assert_close(latents[1], latents[0], rtol=2e-3, atol=2e-3)
    losses = []
    for batch in batches:
        # In another order in memory they would get other noise.
        batch["latents"] = batches[1]["latents"]
        torch.manual_seed(3)
        losses.append(_step_loss(Denoiser(pipeline), pipeline, batch, config, accelerator).item())
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)


def test_windows_of_oblong_pictures_are_square_and_show_something(
    config: TrainingConfig, tmp_path: Path
) -> None:
    write_waymo(tmp_path / "waymo")
    data = config.data.model_copy(
        update={"path": tmp_path / "waymo", "cache_views": 5, "window_share": 1.0}
    )
    config = plain(config.model_copy(update={"data": data}))
    with torch.autocast("cpu", torch.bfloat16):
        pipeline, cache, _ = filled(config)
    clips, shape = open_clips(data.path), sample_shape(config, pipeline)
    kept = CachedPairs(cache, clips, data, shape, seed=1)
    seen = set()
    for index in range(8):
        sample = kept[index]
        assert sample["latents"].shape == (4, 8, 8)
        assert sample["object_features"].shape == (4, 4, 16)
        assert sample["background_features"].shape == (4, 16)
        assert sample["changed"].any()
        seen.add(sample["latents"].sum().item())
    assert len(seen) > 2


def test_a_cache_is_made_once_and_goes_on_where_it_stopped(
    config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cache, _ = filled(config)
    first = clip_file(cache.folder, 0)
    times = [clip_file(cache.folder, n).stat().st_mtime_ns for n in range(2)]
    first.unlink()
    again = filled(config)[1]
    assert again.folder == cache.folder
    assert first.stat().st_mtime_ns > times[0]
    assert clip_file(cache.folder, 1).stat().st_mtime_ns == times[1]
    # Another encoder is none of its business as long as it learns, but other views are.
    assert filled(plain(config))[1].folder != cache.folder
    more = config.model_copy(update={"data": config.data.model_copy(update={"cache_views": 2})})
    full = SimpleNamespace(total=10**9, used=10**9 - 10**6, free=10**6)
    monkeypatch.setattr(frame_cache.shutil, "disk_usage", lambda path: full)
    with pytest.raises(UserError, match="make room"):
        filled(more)
    # Complete ones need no room.
    filled(config)
    first.write_bytes(b"cut off")
    with pytest.raises(UserError, match="damaged"):
        cache.clip(0)


def test_a_run_trains_from_its_cache(config: TrainingConfig) -> None:
    data = config.data.model_copy(update={"cache": config.out.with_name("kept")})
    config = plain(config).model_copy(update={"data": data})
    torch.manual_seed(0)
    start = config.out.with_name("start")
    build_pipeline(config.model).save_pretrained(str(start))
    folder = run_training(config.model_copy(update={"initial": start}))
    assert load_pipeline(str(folder)).sample_size == 32
    assert len(list((config.out.with_name("kept")).glob("*/0000/*.safetensors"))) == 2
