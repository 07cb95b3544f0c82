"""Training at scale: killed runs, small memories, frozen parts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from neural_assets_core.data.readers import open_clips
from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.training import loop
from neural_assets_core.training.config import DataConfig, DecoderStageConfig, TrainingConfig
from neural_assets_core.training.decoder_stage import Denoiser, _step_loss, prepare_training
from neural_assets_core.training.estimate import estimate
from neural_assets_core.training.run import run_training
from neural_assets_core.training.samples import PairDataset, SampleShape
from tests.neural_assets_core.data.readers.drawn import write_movi
from tests.neural_assets_core.model.test_paper import PAPER, reduced


@pytest.fixture
def config(tiny_model, tmp_path: Path) -> TrainingConfig:
    write_movi(tmp_path / "movi")
    model = tiny_model.model_copy(update={"lifter": None})
    build_pipeline(model).save_pretrained(str(tmp_path / "start"))
    return TrainingConfig(
        out=tmp_path / "run",
        initial=tmp_path / "start",
        precision="no",
        validation_pairs=1,
        checkpoint_minutes=1e-9,
        data=DataConfig(path=tmp_path / "movi", scenes=1, workers=0),
        decoder=DecoderStageConfig(batch_size=2, steps=4, warmup_steps=1, accumulation=2),
    )


def weights(config: TrainingConfig) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted((config.out / "pipeline").glob("*/*.safetensors")):
        for name, value in load_file(file).items():
            found[f"{file.parent.name}/{name}"] = value
    return found


def test_a_killed_run_goes_on_as_if_nothing_had_been(
    config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same samples, noise, learning rates and average: the same weights, bit for bit."""
    monkeypatch.setattr(loop, "KEPT_CHECKPOINTS", 10)
    run_training(config)
    whole = weights(config)
    states = config.out / "decoder-training"
    assert {path.name for path in states.iterdir()} == {f"checkpoint-{n}" for n in (1, 2, 3, 4)}
    for late in ("checkpoint-3", "checkpoint-4"):
        shutil.rmtree(states / late)
    run_training(config, resume=True)
    resumed = weights(config)
    assert whole.keys() == resumed.keys()
    different = [name for name in whole if not torch.equal(whole[name], resumed[name])]
    assert different == []
    assert any(
        not torch.equal(value, whole[f"unet/{name}"])
        for name, value in load_file(
            config.initial / "unet" / "diffusion_pytorch_model.safetensors"
        ).items()
    )


def test_checkpointing_and_freezing_change_what_they_should(tmp_path: Path) -> None:
    """The same gradients from less memory; none for a frozen encoder."""
    write_movi(tmp_path)
    data = DataConfig(path=tmp_path, scenes=1)
    shape = SampleShape(64, 56, 8, proxy=False)
    pairs = PairDataset(open_clips(tmp_path), data, shape, 2, seed=0)
    batch = {key: value[None] for key, value in pairs[0].items()}
    assert batch["proxy"].count_nonzero() == 0

    def gradients(**stage: bool) -> tuple[dict[str, torch.Tensor], int]:
        torch.manual_seed(0)
        pipeline = build_pipeline(reduced(PAPER.model))
        decoder = PAPER.decoder.model_copy(update=stage)
        config = PAPER.model_copy(update={"decoder": decoder})
        denoiser = Denoiser(pipeline).train()
        prepare_training(denoiser, config)
        kept = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal kept
            kept += tensor.numel()
            return tensor

        torch.manual_seed(1)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = _step_loss(denoiser, pipeline, batch, config, Accelerator(cpu=True))
        loss.backward()
        named = denoiser.named_parameters()
        return {name: p.grad for name, p in named if p.grad is not None}, kept

    plain, memory = gradients()
    again, less = gradients(gradient_checkpointing=True)
    assert less < 0.6 * memory
    assert plain.keys() == again.keys()
    for name, value in plain.items():
        torch.testing.assert_close(again[name], value, rtol=1e-4, atol=1e-6)
    frozen, _ = gradients(frozen_encoder=True)
    assert plain.keys() - frozen.keys() == {n for n in plain if n.startswith("visual_encoder.")}


def test_an_estimate_counts_what_a_step_keeps(config: TrainingConfig) -> None:
    """Activations by tracing shapes alone, against those of a real step."""
    half = config.model_copy(update={"precision": "bf16"})
    reckoned = estimate(half, torch.device("cpu"))
    pipeline = load_pipeline(str(config.initial), "cpu", torch.float32)
    denoiser = Denoiser(pipeline).train()
    assert reckoned.trained == sum(p.numel() for p in denoiser.parameters())
    assert reckoned.frozen == sum(p.numel() for p in pipeline.vae.parameters())
    assert reckoned.sample_seconds > 0
    assert 0 < reckoned.busy < 1
    pairs = PairDataset(open_clips(config.data.path), config.data, SampleShape(32, 32, 8), 9, 0)

    def kept(rows: int) -> int:
        batch = {key: torch.stack([value] * rows) for key, value in pairs[0].items()}
        storages: dict[int, torch.UntypedStorage] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            if not isinstance(tensor, torch.nn.Parameter):
                storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
            return tensor

        latents, never = torch.zeros(rows, 4, 8, 8), torch.zeros(rows, dtype=torch.bool)
        times = torch.zeros(rows, dtype=torch.int64)
        with (
            torch.autocast("cpu", torch.bfloat16),
            torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        ):
            denoiser(latents, times, batch, latents, never).float().square().mean()
        return sum(storage.nbytes() for storage in storages.values())

    assert reckoned.sample_bytes == pytest.approx((kept(6) - kept(2)) / 4, rel=0.2)
    words = "\n".join(replace(reckoned, memory_bytes=10**6).lines())
    assert "does not fit" in words
    roomy = replace(reckoned, memory_bytes=10**12, batch=1000)
    assert roomy.fitting_batch > 1000
    assert "fit" not in "\n".join(roomy.lines())
    tensors = roomy.state_bytes + 100.5 * roomy.sample_bytes
    needed = roomy.process_bytes + roomy.overhead * tensors
    short = replace(roomy, memory_bytes=int(needed / 0.9))
    assert short.fitting_batch == 100
    assert short.sharded_bytes(8) < short.total_bytes
    assert f"batch_size to {short.fitting_batch} and accumulation" in "\n".join(short.lines())
