"""Noise that is added to learn from, and taken away to draw."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler

from neural_assets_core.model.build import UNetConfig, build_scheduler
from neural_assets_core.model.diffusion import denoised, drawing_timesteps, noised


@pytest.fixture(params=["epsilon", "v_prediction"])
def scheduler(request: pytest.FixtureRequest) -> DDIMScheduler:
    # Nothing but noise, at first, holds no picture that could be told from a prediction of noise.
    from_nothing = request.param == "v_prediction"
    config = UNetConfig(prediction_type=request.param, zero_terminal_snr=from_nothing)
    return build_scheduler(config)


def test_what_is_to_be_predicted_gives_the_clean_picture_back(scheduler: DDIMScheduler) -> None:
    torch.manual_seed(0)
    clean = torch.randn(8, 2, 3, 3)
    noisy, timesteps, truth = noised(scheduler, clean, 1.0)
    kept = scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    signal, noise = kept.sqrt(), (1 - kept).sqrt()
    if scheduler.config.prediction_type == "epsilon":
        assert torch.allclose((noisy - noise * truth) / signal, clean, atol=1e-3)
    else:
        assert torch.allclose(signal * noisy - noise * truth, clean, atol=1e-5)
    # Every sample has its own part of the amounts.
    assert (timesteps // (scheduler.config.num_train_timesteps // 8)).tolist() == list(range(8))
    torch.manual_seed(0)
    assert (noised(scheduler, clean, 2.0)[1] > timesteps).all()


def test_one_who_knows_draws_the_picture(scheduler: DDIMScheduler) -> None:
    torch.manual_seed(0)
    clean, noise = torch.randn(2, 1, 2, 3, 3)
    # Of 61 steps diffusers makes 62 timesteps.
    assert len(drawing_timesteps(scheduler, 61, torch.device("cpu"))) == 61
    timesteps = drawing_timesteps(scheduler, 20, torch.device("cpu"))
    latents = scheduler.add_noise(clean, noise, timesteps[:1])
    asked = []

    def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        asked.append(len(noisy))
        if scheduler.config.prediction_type == "epsilon":
            told = noise
        else:
            told = scheduler.get_velocity(clean, noise, timestep)
        # Guided by 2, twice the way from what is drawn without being told anything.
        return torch.cat([torch.zeros_like(told), told / 2])[-len(noisy) :]

    for timestep in timesteps:
        latents = denoised(scheduler, latents, timestep, 2.0, predict)
    assert torch.allclose(latents, clean, atol=1e-3)
    denoised(scheduler, latents, timesteps[-1], 1.0, predict)
    assert set(asked[:-1]) == {2}
    assert asked[-1] == 1
