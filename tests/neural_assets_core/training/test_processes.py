"""Several processes train one model, each with all of its weights or with a share of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.training.config import (
    DataConfig,
    DecoderStageConfig,
    StageConfig,
    TrainingConfig,
)
from tests.neural_assets_core.data.readers.drawn import write_movi


@pytest.fixture(scope="module")
def runs(tiny_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders that `together` leaves."""
    folder = tmp_path_factory.mktemp("together")
    write_movi(folder / "movi")
    torch.manual_seed(0)
    model = tiny_model.model_copy(update={"lifter": None})
    build_pipeline(model).save_pretrained(str(folder / "start"))
    config = TrainingConfig(
        out=folder,
        initial=folder / "start",
        precision="no",
        validation_pairs=1,
        checkpoint_minutes=1e-9,
        data=DataConfig(path=folder / "movi", scenes=1, workers=0),
        model=tiny_model,
        vae=StageConfig(batch_size=2, steps=1),
        lifter=StageConfig(batch_size=1, steps=1),
        decoder=DecoderStageConfig(
            batch_size=2, steps=2, warmup_steps=1, accumulation=2, gradient_checkpointing=True
        ),
    )
    (folder / "config.json").write_text(config.model_dump_json())
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    worker = ["-m", "tests.neural_assets_core.training.together", str(folder / "config.json")]
    done = subprocess.run(
        [*launcher, *worker],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def weights(run: Path) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted((run / "pipeline").glob("*/*.safetensors")):
        for name, value in load_file(file).items():
            found[f"{file.parent.name}/{name}"] = value
    return found


def test_sharded_weights_learn_what_whole_ones_do(runs: Path) -> None:
    before = load_file(runs / "start" / "unet" / "diffusion_pytorch_model.safetensors")
    whole, sharded = weights(runs / "whole"), weights(runs / "sharded")
    assert whole.keys() == sharded.keys()
    for name, value in whole.items():
        torch.testing.assert_close(sharded[name], value, rtol=1e-4, atol=2e-5, msg=name)
    assert any(not torch.equal(whole[f"unet/{name}"], value) for name, value in before.items())
    assert load_pipeline(str(runs / "sharded" / "pipeline")).sample_size == 32


def test_a_killed_sharded_run_goes_on_as_if_nothing_had_been(runs: Path) -> None:
    whole, resumed = weights(runs / "sharded"), weights(runs / "resumed")
    assert whole.keys() == resumed.keys()
    assert [name for name in whole if not torch.equal(whole[name], resumed[name])] == []


def test_each_process_keeps_its_own_part(runs: Path) -> None:
    state = runs / "sharded" / "decoder-training" / "checkpoint-2"
    assert len(list((state / "pytorch_model_fsdp_0").glob("*.distcp"))) == 2
    assert len(list((state / "optimizer_0").glob("*.distcp"))) == 2
    # Each process has its own random numbers, so each sees other samples.
    assert len(list(state.glob("random_states_*.pkl"))) == 2
    assert len(list((runs / "sharded" / "logs").iterdir())) == 1


def test_the_other_stages_are_trained_together_too(runs: Path) -> None:
    for part in ("vae", "lifter"):
        assert (runs / "parts" / part / "config.json").is_file()
        state = runs / "parts" / f"{part}-training" / "checkpoint-1"
        assert len(list(state.glob("random_states_*.pkl"))) == 2
