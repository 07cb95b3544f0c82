"""First stage: the autoencoder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from neural_assets_core.data.dataset import Clips
from neural_assets_core.errors import UserError
from neural_assets_core.model.build import build_vae
from neural_assets_core.model.latents import VAE, decode_latents, encode_latents, to_pixels
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.loop import (
    LOOKED_AT,
    Checkpoints,
    Clock,
    descend,
    sample_loader,
    sample_seed,
    save_whole,
)

log = logging.getLogger(__name__)

EDGE_WEIGHT = 1.0
"""Weight of the gradient difference: it keeps small things sharp where plain error blurs."""

KL_WEIGHT = 1e-6
"""Weight of a KL autoencoder's divergence from the unit normal, a mean over numbers."""


class _Reconstruction(nn.Module):
    # Not the autoencoder's own forward: AutoencoderTiny's rounds the latents to bytes on the way,
    # and no gradient gets past that.
    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | float]:
        encoded = self.vae.encode(pixels)
        if hasattr(encoded, "latents"):
            return self.vae.decode(encoded.latents).sample, 0.0
        posterior = encoded.latent_dist
        return self.vae.decode(posterior.sample()).sample, posterior.kl().mean()


class FrameWindows(Dataset[torch.Tensor]):
    """Random windows of random frames, uint8 (size, size, 3)."""

    def __init__(self, clips: Clips, size: int, length: int, seed: int) -> None:
        self.clips, self.size, self.length, self.seed = clips, size, length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> torch.Tensor:
        cv2.setNumThreads(0)
        rng = np.random.default_rng((self.seed, index, 1))
        clip = self.clips[int(rng.integers(len(self.clips)))]
        image = clip[int(rng.integers(len(clip)))].image
        most = min(image.shape[:2])
        side = int(rng.integers(min(max(1, self.size // 2), most), most + 1))
        top, left = (int(rng.integers(n - side + 1)) for n in image.shape[:2])
        window = image[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > self.size else cv2.INTER_CUBIC
        resized = np.asarray(cv2.resize(window, (self.size, self.size), interpolation=method))
        return torch.from_numpy(resized)


def train_vae(
    config: TrainingConfig,
    clips: Clips,
    heldout: Clips,
    accelerator: Accelerator,
    *,
    resume: bool,
) -> VAE:
    """Train the autoencoder and save it to `out`/vae.

    Returns
    -------
    VAE
        In evaluation mode, its `scaling_factor` such that latents have unit deviation.
    """
    stage, out = config.vae, config.out / "vae-training"
    torch.manual_seed(config.seed)
    vae = build_vae(config.model.vae)
    if config.model.vae.initial is not None or not any(True for _ in vae.parameters()):
        # Nothing to learn.
        if accelerator.is_main_process:
            scale_latents(vae, clips, config.model.sample_size)
            save_whole(vae.save_pretrained, config.out / "vae")
        accelerator.wait_for_everyone()
        return vae
    out.mkdir(parents=True, exist_ok=True)
    vae.train()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=stage.learning_rate, weight_decay=1e-4)
    clock = Clock(stage, accelerator)
    model, optimizer = accelerator.prepare(
        _Reconstruction(vae.to(memory_format=torch.channels_last)), optimizer
    )
    checkpoints = Checkpoints(accelerator, out, clock, None)
    checkpoints.begin(resume=resume)
    seed = sample_seed(config.seed, accelerator)
    frames = FrameWindows(clips, config.model.sample_size, 10**9, seed)
    start = clock.step * stage.batch_size
    loader = sample_loader(frames, stage.batch_size, config.data.workers, start=start)
    writer = SummaryWriter(str(config.out / "logs")) if accelerator.is_main_process else None

    def loss_of(images: torch.Tensor) -> torch.Tensor:
        pixels = to_pixels(images).to(accelerator.device, memory_format=torch.channels_last)
        with accelerator.autocast():
            restored, divergence = model(pixels)
        loss: torch.Tensor = _loss(restored.float(), pixels) + KL_WEIGHT * divergence
        return loss

    peaks, minutes = [stage.learning_rate], config.checkpoint_minutes
    for loss in descend(loader, loss_of, model, optimizer, peaks, checkpoints, minutes):
        if clock.step % LOOKED_AT == 0 and writer is not None:
            writer.add_scalar("vae/loss", loss.item(), clock.step)
            log.info(
                "vae step %d (%.0f %%): loss %.4f", clock.step, 100 * clock.fraction, loss.item()
            )
    checkpoints.save()
    if writer is None:
        # The main process measures and saves; the others need only the weights.
        return accelerator.unwrap_model(model).vae.eval()
    finished: VAE = accelerator.unwrap_model(model).vae.eval()
    scale_latents(finished, clips, config.model.sample_size)
    psnr = reconstruction_psnr(finished, heldout, config.model.sample_size)
    writer.add_scalar("vae/heldout_psnr", psnr, clock.step)
    writer.close()
    log.info("vae: %d steps, held-out PSNR %.2f dB", clock.step, psnr)
    save_whole(finished.save_pretrained, config.out / "vae")
    return finished


def load_vae(folder: Path, config: TrainingConfig) -> VAE:
    """The autoencoder that `train_vae` saved.

    Raises
    ------
    UserError
        If there is none.
    """
    if not (folder / "config.json").is_file():
        raise UserError(f"There is no autoencoder in {folder}: train it first, with --stage vae.")
    kind: Any = type(build_vae(config.model.vae))
    vae: VAE = kind.from_pretrained(str(folder)).eval()
    return vae


@torch.no_grad()
def scale_latents(vae: VAE, clips: Clips, size: int, count: int = 128) -> None:
    """Set `scaling_factor` so that latents of training pictures have unit deviation."""
    vae.register_to_config(scaling_factor=1.0)
    deviation = encode_latents(vae, _windows(clips, size, count).to(vae.device)).std().item()
    vae.register_to_config(scaling_factor=1.0 / deviation)


@torch.no_grad()
def reconstruction_psnr(vae: VAE, clips: Clips, size: int, count: int = 64) -> float:
    """Mean PSNR in dB over windows of `clips`."""
    pixels = _windows(clips, size, count).to(vae.device)
    restored = decode_latents(vae, encode_latents(vae, pixels)).clamp(-1, 1)
    error = (restored - pixels).square().mean(dim=(1, 2, 3)) / 4
    return float((-10 * error.log10()).mean())


def _windows(clips: Clips, size: int, count: int) -> torch.Tensor:
    frames = FrameWindows(clips, size, count, seed=7)
    return to_pixels(torch.stack([frames[index] for index in range(count)]))


def _loss(restored: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    difference = restored - pixels
    plain = difference.abs().mean() + difference.square().mean()
    edges = F.l1_loss(difference[..., 1:], difference[..., :-1]) + F.l1_loss(
        difference[..., 1:, :], difference[..., :-1, :]
    )
    return plain + EDGE_WEIGHT * edges
