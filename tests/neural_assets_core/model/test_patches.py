from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neural_assets_core.model.latents import decode_latents, encode_latents, latent_factor
from neural_assets_core.model.patches import PatchAutoencoder


@pytest.mark.parametrize("patch", [2, 4, 8])
def test_nothing_is_lost(patch: int) -> None:
    vae = PatchAutoencoder(patch, 3 * patch**2, scaling_factor=1.7)
    pixels = torch.rand(2, 3, 4 * patch, 2 * patch) * 2 - 1
    latents = encode_latents(vae, pixels)
    assert latents.shape == (2, 3 * patch**2, 4, 2)
    assert torch.allclose(decode_latents(vae, latents), pixels, atol=1e-5)
    # Orthonormal: errors weigh the same on both sides.
    assert torch.isclose(latents.square().sum(), 1.7**2 * pixels.square().sum(), rtol=1e-4)
    assert latent_factor(vae) == patch


def test_the_first_channels_are_mean_colours() -> None:
    vae = PatchAutoencoder()
    pixels = torch.rand(1, 3, 8, 8)
    means = torch.nn.functional.avg_pool2d(pixels, 4)
    assert torch.allclose(encode_latents(vae, pixels)[:, :3], 4 * means, atol=1e-5)


def test_it_is_saved_like_any_part(tmp_path: Path) -> None:
    vae = PatchAutoencoder(2, 12, scaling_factor=0.5)
    vae.save_pretrained(str(tmp_path))
    again = PatchAutoencoder.from_pretrained(str(tmp_path))
    assert again.config.scaling_factor == 0.5
    assert torch.equal(again.basis, vae.basis)


def test_channels_must_fit() -> None:
    with pytest.raises(ValueError, match="48"):
        PatchAutoencoder(4, 12)
