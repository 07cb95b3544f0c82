"""Training of the rivals, by the clock, data and settings of the second stage of training."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.utils.data import Dataset

from neural_assets_core.data.readers import open_clips
from neural_assets_core.model.diffusion import noised
from neural_assets_core.model.latents import VAE
from neural_assets_core.rivals.chained import INPAINTING, VIEW, HoleDataset, ViewDataset
from neural_assets_core.rivals.changes import CHANGE_NUMBERS
from neural_assets_core.rivals.painter import Painter, build_painter, with_mask
from neural_assets_core.rivals.threedit import PAINTER, ChangeDataset
from neural_assets_core.training.averaging import Average
from neural_assets_core.training.config import DecoderStageConfig, TrainingConfig
from neural_assets_core.training.loop import (
    LOOKED_AT,
    Checkpoints,
    Clock,
    channels_last,
    descend,
    sample_loader,
    sample_seed,
    save_whole,
    to_device,
)
from neural_assets_core.training.samples import Sample
from neural_assets_core.training.vae_stage import load_vae

log = logging.getLogger(__name__)

Rival = Literal["3dit", "chained"]


def train_rival(kind: Rival, config: TrainingConfig, *, resume: bool) -> Path:
    """Train an editor of its own kind into `config.out`.

    What two networks make up shares the stage's time and steps between them.

    Parameters
    ----------
    kind : {"3dit", "chained"}
    config : TrainingConfig
        Data, sizes and the `decoder` stage, as for the method itself. The autoencoder is the one
        in `out`/vae.
    resume : bool
        Go on from the newest checkpoints.
    """
    out = config.out
    clips, size = open_clips(config.data.path), config.model.sample_size
    vae = load_vae(out / "vae", config)
    accelerator = _accelerator(config)
    seed = sample_seed(config.seed, accelerator)
    torch.manual_seed(config.seed)
    if kind == "3dit":
        painter = build_painter(config.model, vae, pose_numbers=CHANGE_NUMBERS)
        samples = ChangeDataset(clips, config.data, size, seed)
        _train(painter, vae, samples, config, config.decoder, out / PAINTER, accelerator, resume)
        return out
    half = halved(config.decoder)
    view = build_painter(
        config.model, vae, pose_numbers=CHANGE_NUMBERS, known_mask=True, painted_mask=True
    )
    views = ViewDataset(clips, config.data, size, seed)
    _train(view, vae, views, config, half, out / VIEW, accelerator, resume)
    inpainting = build_painter(config.model, vae, pose_numbers=0, known_mask=True)
    holes = HoleDataset(clips, config.data, size, seed)
    accelerator = _accelerator(config)
    _train(inpainting, vae, holes, config, half, out / INPAINTING, accelerator, resume)
    return out


def halved(stage: DecoderStageConfig) -> DecoderStageConfig:
    """Half of the stage's steps and minutes."""
    return stage.model_copy(
        update={"steps": max(1, stage.steps // 2), "minutes": stage.minutes / 2}
    )


def _accelerator(config: TrainingConfig) -> Accelerator:
    # A new one for each network: its saved states must hold nothing of another.
    return Accelerator(
        cpu=not torch.cuda.is_available(),
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.decoder.accumulation,
    )


def _train(
    painter: Painter,
    vae: VAE,
    samples: Dataset[Sample],
    config: TrainingConfig,
    stage: DecoderStageConfig,
    folder: Path,
    accelerator: Accelerator,
    resume: bool,
) -> None:
    """Train one painter and save it, with averaged weights, to `folder`."""
    states = folder.with_name(f"{folder.name}-training")
    states.mkdir(parents=True, exist_ok=True)
    if accelerator.device.type == "cpu":
        # The fused kernel's backward pass is slow on processors; decoding keeps it.
        painter.unet.set_attn_processor(AttnProcessor())
    if stage.gradient_checkpointing:
        painter.unet.enable_gradient_checkpointing()
    vae.requires_grad_(False).to(accelerator.device)
    painter = channels_last(painter.train())
    optimizer = torch.optim.AdamW(painter.parameters(), lr=stage.learning_rate, weight_decay=1e-2)
    clock = Clock(stage, accelerator)
    model, optimizer = accelerator.prepare(painter, optimizer)
    average = Average(model, accelerator, stage.ema_decay, None)
    checkpoints = Checkpoints(accelerator, states, clock, average)
    checkpoints.begin(resume=resume)
    if clock.step == 0:
        torch.manual_seed(sample_seed(config.seed, accelerator))
    start = clock.step * stage.batch_size * stage.accumulation
    loader = sample_loader(samples, stage.batch_size, config.data.workers, start=start)

    def loss_of(batch: Sample) -> torch.Tensor:
        batch = to_device(batch, accelerator.device)
        return _loss(model, painter, vae, batch, stage, accelerator)

    peaks, minutes = [stage.learning_rate], config.checkpoint_minutes
    for loss in descend(loader, loss_of, model, optimizer, peaks, checkpoints, minutes):
        if clock.step % LOOKED_AT == 0 and accelerator.is_main_process:
            log.info(
                "%s step %d (%.1f %%): loss %.4f",
                folder.name, clock.step, 100 * clock.fraction, loss.item(),
            )
    checkpoints.save()
    average.apply()
    if accelerator.is_main_process:
        save_whole(accelerator.unwrap_model(model).save_pretrained, folder)
    accelerator.wait_for_everyone()


def _loss(
    model: nn.Module,
    painter: Painter,
    vae: VAE,
    batch: Sample,
    stage: DecoderStageConfig,
    accelerator: Accelerator,
) -> torch.Tensor:
    """Mean square of the prediction's error on one batch."""
    config = painter.config
    with torch.no_grad(), accelerator.autocast():
        masks = batch["target_mask"] if config.painted_mask else None
        clean = with_mask(vae, batch["target"], masks).float()
        masks = batch["known_mask"] if config.known_mask else None
        known = with_mask(vae, batch["known"], masks).float()
    noisy, timesteps, truth = noised(painter.scheduler, clean, stage.noise_bias)
    dropped = torch.rand(len(clean), device=clean.device) < stage.dropout
    if painter.pose is None:
        # Never guided: it is always told.
        dropped = torch.zeros_like(dropped)
    with accelerator.autocast():
        prediction = model(
            noisy, timesteps, known, batch["poses"], batch["present"], dropped
        ).float()
    return F.mse_loss(prediction, truth)
