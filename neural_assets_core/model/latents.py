"""Pixels to latents and back, for the VAE classes of diffusers that we use."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from numpy.typing import NDArray

from neural_assets_core.model.patches import PatchAutoencoder

VAE: TypeAlias = AutoencoderTiny | AutoencoderKL | PatchAutoencoder


def to_pixels(images: NDArray[np.uint8] | torch.Tensor) -> torch.Tensor:
    """uint8 (b, h, w, 3) to float32 (b, 3, h, w) in [-1, 1], which is what VAEs expect."""
    tensor = torch.as_tensor(images)
    return tensor.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


def to_images(pixels: torch.Tensor) -> NDArray[np.uint8]:
    """The inverse of `to_pixels`, clipped and rounded."""
    scaled = pixels.float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy()


def encode_latents(vae: VAE, pixels: torch.Tensor) -> torch.Tensor:
    """(b, 3, H, W) in [-1, 1] to latents of about unit deviation; a KL VAE gives its mode."""
    encoded = vae.encode(pixels)
    raw = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
    scaled: torch.Tensor = raw * vae.config.scaling_factor
    return scaled


def decode_latents(vae: VAE, latents: torch.Tensor) -> torch.Tensor:
    """Latents as `encode_latents` gives them to pixels (b, 3, H, W) in about [-1, 1]."""
    sample: torch.Tensor = vae.decode(latents / vae.config.scaling_factor).sample
    return sample


def latent_factor(vae: VAE) -> int:
    """How many pixels a side make one latent cell."""
    if isinstance(vae, PatchAutoencoder):
        return int(vae.config.patch_size)
    if isinstance(vae, AutoencoderTiny):
        return int(2 ** (len(vae.config.encoder_block_out_channels) - 1))
    return int(2 ** (len(vae.config.block_out_channels) - 1))
