"""The diffusion network that all rivals share: paints latents, given other latents and poses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from torch import nn

from neural_assets_core.errors import UserError
from neural_assets_core.model.build import ModelConfig, UNetConfig, build_scheduler, build_unet
from neural_assets_core.model.latents import (
    VAE,
    decode_latents,
    encode_latents,
    latent_factor,
    to_images,
    to_pixels,
)
from neural_assets_core.model.loading import FAULTS
from neural_assets_core.training.loop import channels_last


class Painter(ModelMixin, ConfigMixin):
    """A U-Net that sees other latents beside the noisy ones and reads poses as tokens.

    Parameters
    ----------
    unet_config : dict
        A `UNetConfig`.
    size : int
        Latent cells a side.
    latent_channels, factor : int
        Of the autoencoder: its channels, and how many pixels a side make one cell.
    pose_numbers, pose_hidden_dim : int
        Numbers that make a token, and the width of the network that makes it; without numbers
        there is but the token that is always there.
    known_mask, painted_mask : bool
        Whether a mask belongs to what it sees, and to what it paints. Masks keep their
        resolution: the pixels of a cell are its channels.
    """

    @register_to_config
    def __init__(
        self,
        unet_config: dict[str, Any],
        size: int,
        latent_channels: int,
        factor: int,
        pose_numbers: int,
        pose_hidden_dim: int = 512,
        known_mask: bool = False,
        painted_mask: bool = False,
    ) -> None:
        super().__init__()
        shape = UNetConfig.model_validate(unet_config)
        width = shape.cross_attention_dim
        known = latent_channels + known_mask * factor**2
        painted = latent_channels + painted_mask * factor**2
        self.unet = build_unet(shape, size, known + painted, painted)
        self.start = nn.Parameter(torch.zeros(width))
        self.pose = (
            nn.Sequential(
                nn.Linear(pose_numbers, pose_hidden_dim), nn.GELU(),
                nn.Linear(pose_hidden_dim, width),
            )
            if pose_numbers
            else None
        )
        self.scheduler = build_scheduler(shape)

    @property
    def painted_channels(self) -> int:
        """Channels of what it paints."""
        return int(self.unet.config.out_channels)

    @property
    def side(self) -> int:
        """Side of its pictures in pixels."""
        return int(self.config.size * self.config.factor)

    def forward(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        known: torch.Tensor,
        poses: torch.Tensor,
        present: torch.Tensor,
        dropped: torch.Tensor,
    ) -> torch.Tensor:
        """Predict noise or velocity.

        Parameters
        ----------
        noisy, known : tensors (b, c, h, h), (b, k, h, h)
        timesteps : int64 tensor (b,)
        poses : tensor (b, n, pose_numbers)
        present : bool tensor (b, n)
            False for padding.
        dropped : bool tensor (b,)
            Rows that are told nothing, for classifier-free guidance.
        """
        rows = len(noisy)
        tokens = self.start.expand(rows, 1, -1)
        mask = torch.ones(rows, 1, dtype=torch.bool, device=noisy.device)
        if self.pose is not None:
            tokens = torch.cat([tokens, self.pose(poses)], dim=1)
            mask = torch.cat([mask, present & ~dropped[:, None]], dim=1)
        known = known.masked_fill(dropped.view(-1, 1, 1, 1), 0.0)
        prediction: torch.Tensor = self.unet(
            torch.cat([noisy, known.to(noisy.dtype)], dim=1),
            timesteps,
            encoder_hidden_states=tokens.to(noisy.dtype),
            encoder_attention_mask=mask,
        ).sample
        return prediction


def build_painter(
    config: ModelConfig,
    vae: VAE,
    *,
    pose_numbers: int,
    known_mask: bool = False,
    painted_mask: bool = False,
) -> Painter:
    """An untrained painter as large as the U-Net of `config`."""
    factor = latent_factor(vae)
    painter: Painter = Painter(
        unet_config=config.unet.model_dump(mode="json"),
        size=config.sample_size // factor,
        latent_channels=int(vae.config.latent_channels),
        factor=factor,
        pose_numbers=pose_numbers,
        pose_hidden_dim=config.tokenizer.pose_hidden_dim,
        known_mask=known_mask,
        painted_mask=painted_mask,
    )
    return painter


def load_painter(folder: Path, placed: tuple[str, torch.dtype]) -> Painter:
    """A painter that `save_pretrained` wrote, on its device.

    Raises
    ------
    UserError
        If it is missing, or its weights do not match its configuration.
    """
    device, dtype = placed
    try:
        painter: Painter = Painter.from_pretrained(
            str(folder), torch_dtype=dtype, use_safetensors=True, local_files_only=True,
            low_cpu_mem_usage=False,
        )
    except FAULTS as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{folder} cannot be loaded: train it again. ({first[:200]})") from None
    placed_painter: Painter = painter.eval().to(device)
    return channels_last(placed_painter)


# -- to and from latents -----------------------------------------------------------------------


def with_mask(
    vae: VAE, pictures: torch.Tensor, masks: torch.Tensor | None
) -> torch.Tensor:
    """Latents of uint8 pictures (b, s, s, 3); of masks (b, s, s), 255 inside, too."""
    pixels = to_pixels(pictures).to(vae.device, vae.dtype, memory_format=torch.channels_last)
    latents = encode_latents(vae, pixels)
    if masks is None:
        return latents
    signed = masks[:, None].to(latents) / 127.5 - 1.0
    return torch.cat([latents, F.pixel_unshuffle(signed, latent_factor(vae))], dim=1)


def split_mask(
    vae: VAE, painted: torch.Tensor
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The inverse for a batch of one: picture (s, s, 3), and mask (s, s) in [0, 1].

    The mask is 1 everywhere if there is none.
    """
    channels = int(vae.config.latent_channels)
    picture = to_images(decode_latents(vae, painted[:, :channels].to(vae.dtype)))[0]
    if painted.shape[1] == channels:
        return picture, np.ones(picture.shape[:2], dtype=np.float32)
    signed = F.pixel_shuffle(painted[:, channels:].float(), latent_factor(vae))[0, 0]
    return picture, np.asarray(((signed + 1) / 2).clamp(0, 1).cpu().numpy())
