"""An autoencoder that loses nothing and learns nothing: cosine transforms of small patches.

With it the decoder works on pixels, a patch to a cell. A small model on small pictures gains
more from a picture without an autoencoder's losses than from fewer channels; large ones want
a trained autoencoder.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.autoencoders.vae import DecoderOutput
from scipy.fft import dct


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """Patches of (3, p, p) pixels to 3 p^2 coefficients of an orthonormal cosine transform.

    Latents are ordered by frequency, the mean colours first.

    Parameters
    ----------
    patch_size : int
        Pixels a side, p.
    latent_channels : int
        3 p^2; here so that all autoencoders have it.
    scaling_factor : float
        Makes latents of pictures have about unit deviation.
    """

    @register_to_config
    def __init__(
        self, patch_size: int = 4, latent_channels: int = 48, scaling_factor: float = 1.0
    ) -> None:
        super().__init__()
        if latent_channels != 3 * patch_size**2:
            raise ValueError(f"patches of {patch_size} need {3 * patch_size**2} latent channels")
        self.register_buffer("basis", _basis(patch_size))

    def encode(self, pixels: torch.Tensor) -> AutoencoderTinyOutput:
        """(b, 3, h p, w p) to latents (b, 3 p^2, h, w)."""
        return AutoencoderTinyOutput(F.conv2d(pixels, self.basis, stride=self.config.patch_size))

    def decode(self, latents: torch.Tensor) -> DecoderOutput:
        """The exact inverse of `encode`."""
        return DecoderOutput(
            F.conv_transpose2d(latents, self.basis, stride=self.config.patch_size)
        )


def _basis(side: int) -> torch.Tensor:
    """(3 side^2, 3, side, side), orthonormal, low frequencies first."""
    waves = dct(np.eye(side), axis=0, norm="ortho")
    planes = np.einsum("ay,bx->abyx", waves, waves).reshape(side * side, side, side)
    order = np.argsort([row + column for row in range(side) for column in range(side)],
                       kind="stable")
    basis = np.einsum("kyx,cd->kcdyx", planes[order], np.eye(3)).reshape(-1, 3, side, side)
    return torch.from_numpy(basis).float()
