from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch._utils import ExceptionWrapper
from torch.utils.data import Dataset

from neural_assets_core.data.dataset import ClipDataset
from neural_assets_core.data.made import make_dataset
from neural_assets_core.errors import UserError
from neural_assets_core.model.build import (
    LifterConfig,
    ModelConfig,
    UNetConfig,
    build_pipeline,
)
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.resources import TRAINING_CONFIGS
from neural_assets_core.training import decoder_stage, lifting_stage
from neural_assets_core.training.config import (
    DataConfig,
    DecoderStageConfig,
    StageConfig,
    TrainingConfig,
    read_config,
)
from neural_assets_core.training.loop import (
    Checkpoints,
    Clock,
    descend,
    sample_loader,
    save_whole,
)
from neural_assets_core.training.publish import publish
from neural_assets_core.training.run import run_training
from neural_assets_core.training.samples import PairDataset, SampleShape, draw_pair


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "made"
    make_dataset(folder, 3, 3, 48, 5, "train")
    make_dataset(folder.with_name("made-heldout"), 2, 2, 48, 5, "heldout")
    return folder


@pytest.fixture
def config(data: Path, tiny_model: ModelConfig, tmp_path: Path) -> TrainingConfig:
    return TrainingConfig(
        out=tmp_path / "run",
        precision="no",
        validation_pairs=1,
        data=DataConfig(path=data, scenes=3, frames=3, size=48, seed=5, heldout_scenes=2,
                        workers=0),
        model=tiny_model,
        vae=StageConfig(batch_size=4, steps=6, warmup_steps=1, learning_rate=1e-3),
        lifter=StageConfig(batch_size=2, steps=4, warmup_steps=1, learning_rate=1e-3),
        decoder=DecoderStageConfig(batch_size=4, steps=5, warmup_steps=1, learning_rate=1e-3),
    )


def test_from_nothing_to_a_checkpoint_and_on(
    config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All that there is to see is seen in a few.
    monkeypatch.setattr(decoder_stage, "RESIDUAL_SAMPLES", 12)
    monkeypatch.setattr(lifting_stage, "HELDOUT_PAIRS", 8)
    folder = run_training(config)
    pipeline = load_pipeline(str(folder))
    assert pipeline.sample_size == 32
    assert pipeline.vae.config.scaling_factor != 1.0
    assert pipeline.config.residual_scale > 1.0
    assert pipeline.lifter is not None
    assert list((config.out / "validation").glob("step-*.png"))
    assert list((config.out / "logs").iterdir())
    states = {path.name for path in (config.out / "decoder-training").iterdir()}
    assert states == {"checkpoint-5"}

    # Four more steps: the VAE is not trained again, the decoder goes on from its last step.
    before = (config.out / "vae" / "diffusion_pytorch_model.safetensors").read_bytes()
    longer = config.model_copy(
        update={"decoder": config.decoder.model_copy(update={"steps": 9})}
    )
    run_training(longer, resume=True)
    after = (config.out / "vae" / "diffusion_pytorch_model.safetensors").read_bytes()
    assert before == after
    # Begun anew by mistake, with other settings: what is known of the first run stays.
    told = (config.out / "config.json").read_bytes()
    for again in (config, longer):
        with pytest.raises(UserError, match=r"holds an earlier run.*--resume"):
            run_training(again)
    assert (config.out / "config.json").read_bytes() == told
    clock = json.loads((config.out / "decoder-training/checkpoint-9/clock.json").read_text())
    assert clock["step"] == 9

    # Made small, with a card that says how to make it again; nothing else is replaced by it.
    figures, shipped = config.out / "evaluation", config.out / "shipped"
    figures.mkdir()
    (figures / "report.json").write_text("{}")
    (figures / "report.md").write_text("30 dB")
    recipe = str(TRAINING_CONFIGS / "two-cores.toml")
    publish(config.out, figures, shipped, recipe, "a machine")
    card = (shipped / "README.md").read_text()
    assert "9 steps of 4" in card
    assert "--checkpoint out/two-cores/pipeline" in card
    assert load_pipeline(str(shipped)).sample_size == 32
    with pytest.raises(UserError, match="is no checkpoint"):
        publish(config.out, figures, config.out / "logs", recipe, "a machine")


def test_the_decoder_learns_one_sample(config: TrainingConfig, data: Path) -> None:
    """Enough steps on the same few samples must bring the loss down."""
    from neural_assets_core.training.decoder_stage import Denoiser, _step_loss

    torch.manual_seed(0)
    pipeline = build_pipeline(config.model)
    model = Denoiser(pipeline)
    pairs = PairDataset(ClipDataset(data), config.data, SampleShape(32, 32, 8), 10, seed=1)
    samples = [pairs[index] for index in range(4)]
    batch = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    accelerator = Accelerator(cpu=True)
    losses = []
    for _ in range(60):
        loss = _step_loss(model, pipeline, batch, config, accelerator)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.75 * sum(losses[:10])
    untouched = [name for name, p in model.named_parameters() if p.abs().max() == 0]
    assert not untouched


def test_every_trained_part_gets_gradients(config: TrainingConfig, data: Path) -> None:
    from neural_assets_core.training.decoder_stage import Denoiser, _step_loss

    torch.manual_seed(0)
    pipeline = build_pipeline(config.model)
    model = Denoiser(pipeline)
    pairs = PairDataset(ClipDataset(data), config.data, SampleShape(32, 32, 8), 10, seed=1)
    samples = [pairs[index] for index in range(4)]
    batch = {key: torch.stack([sample[key] for sample in samples]) for key in samples[0]}
    _step_loss(model, pipeline, batch, config, Accelerator(cpu=True)
               ).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert not without
    assert all(p.grad is None for p in pipeline.vae.parameters() if not p.requires_grad)


def test_samples_do_not_depend_on_who_makes_them(config: TrainingConfig, data: Path) -> None:
    shape = SampleShape(32, 32, 8)
    first = PairDataset(ClipDataset(data), config.data, shape, 10, seed=3)[7]
    again = PairDataset(ClipDataset(data), config.data, shape, 10, seed=3)[7]
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert first["target"].shape == (32, 32, 3)
    assert first["layout"].shape == (8, 8, 8)


def test_a_lone_frame_is_its_own_pair_or_none() -> None:
    rng = np.random.default_rng(0)
    assert draw_pair(1, 3, rng, paired=False) == (0, 0)
    with pytest.raises(UserError, match="one frame only"):
        draw_pair(1, 3, rng, paired=True)


@pytest.mark.parametrize("name", ["two-cores", "large-gpu", "paper"])
def test_shipped_configurations_are_valid(name: str) -> None:
    config = read_config(TRAINING_CONFIGS / f"{name}.toml")
    assert config.model.sample_size in (128, 256)


def test_bad_configurations_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    with pytest.raises(UserError, match="no training configuration"):
        read_config(str(path))
    path.write_text("out = ")
    with pytest.raises(UserError, match="not valid TOML"):
        read_config(path)
    path.write_text('out = "x"\nspeed = 3\n[data]\npath = "d"\nscenes = 1\n')
    with pytest.raises(UserError, match="speed"):
        read_config(path)
    path.write_text('out = "x"\n[data]\npath = "d"\nscenes = 1\n[decoder]\ndropout = 2\n')
    with pytest.raises(UserError, match=r"decoder\.dropout"):
        read_config(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sample_size": 33}, "multiple of 4"),
        ({"unet": UNetConfig(heads=(1,))}, "num_attention_heads"),
        ({"lifter": LifterConfig(initial="default", depth=3)}, "`depth`"),
    ],
)
def test_a_model_that_cannot_be_built_is_told_before_anything_else(
    config: TrainingConfig, change: dict, reason: str
) -> None:
    impossible = config.model_copy(update={"model": config.model.model_copy(update=change)})
    with pytest.raises(UserError, match=reason):
        run_training(impossible)
    assert not config.out.exists()


class Stubborn(Dataset):
    """Fails as in a loader's process."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> torch.Tensor:
        try:
            raise UserError("The clip is damaged: render it again.")
        except UserError:
            ExceptionWrapper(where="in a process").reraise()
        raise AssertionError


def test_what_is_wrong_with_the_data_is_one_sentence() -> None:
    with pytest.raises(UserError) as told:
        next(iter(sample_loader(Stubborn(), 1, 0)))
    assert str(told.value) == "The clip is damaged: render it again."


def test_a_full_disk_costs_nothing_that_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    folder.mkdir()
    with pytest.raises(UserError, match=r"pipeline \(the disk is full\): free some space"):
        save_whole(lambda _: Path("/dev/full").write_text("weights"), folder)
    assert folder.is_dir()


def test_a_training_that_diverges_ends_and_saves_nothing(tmp_path: Path) -> None:
    accelerator, stage = Accelerator(cpu=True), StageConfig(steps=3, minutes=1)
    layer = torch.nn.Linear(1, 1)
    model, optimizer = accelerator.prepare(layer, torch.optim.SGD(layer.parameters(), lr=1))
    checkpoints = Checkpoints(accelerator, tmp_path, Clock(stage, accelerator), None)
    batches = [torch.full((1, 1), value) for value in (1.0, float("nan"), 1.0)]

    def train() -> None:
        for _ in descend(
            batches, lambda batch: model(batch).sum(), model, optimizer, [1.0], checkpoints, 60.0
        ):
            pass

    with pytest.raises(UserError, match="step 3: lower"):
        train()
    assert not list(tmp_path.iterdir())
