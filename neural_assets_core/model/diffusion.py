"""Both ways of a diffusion model: noise is added to learn from, and taken away to draw."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def noised(
    scheduler: DDIMScheduler, clean: torch.Tensor, bias: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Add random noise, of each sample another amount.

    Parameters
    ----------
    scheduler : DDIMScheduler
    clean : tensor (b, c, h, w)
    bias : float
        The higher, the more noise; at 1 all amounts are equally frequent. See `noise_bias` of
        the training configuration.

    Returns
    -------
    noisy : tensor (b, c, h, w)
    timesteps : int64 tensor (b,)
    truth : tensor (b, c, h, w)
        What is to be predicted from them: noise or velocity, as the scheduler says.
    """
    noise = torch.randn_like(clean)
    rows, total = len(clean), scheduler.config.num_train_timesteps
    # One timestep from each of `rows` equal parts: the loss varies less from step to step.
    parts = (torch.arange(rows, device=clean.device) + torch.rand(rows, device=clean.device)) / rows
    timesteps = (parts ** (1 / bias) * total).long().clamp(max=total - 1)
    noisy = scheduler.add_noise(clean, noise, timesteps)
    velocity = scheduler.config.prediction_type == "v_prediction"
    truth = scheduler.get_velocity(clean, noise, timesteps) if velocity else noise
    return noisy, timesteps, truth


def drawing_timesteps(scheduler: DDIMScheduler, steps: int, device: torch.device) -> torch.Tensor:
    """Prepare the scheduler for so many steps; int64 (steps,), from noise to nearly none."""
    scheduler.set_timesteps(steps, device=device)
    # For some numbers of steps rounding gives "trailing" spacing one timestep too many.
    timesteps: torch.Tensor = scheduler.timesteps[:steps]
    return timesteps


def denoised(
    scheduler: DDIMScheduler,
    latents: torch.Tensor,
    timestep: torch.Tensor,
    guidance: float,
    predict: Predict,
) -> torch.Tensor:
    """Take one step.

    Parameters
    ----------
    scheduler : DDIMScheduler
        Prepared by `drawing_timesteps`.
    latents : tensor (b, c, h, w)
    timestep : int64 tensor ()
    guidance : float
        Of classifier-free guidance; 1 is none.
    predict : callable
        Predicts noise or velocity from (latents, timestep). Guided, it is asked for (2b, c, h, w):
        the first half told nothing, then the same latents with all that there is to tell.

    Returns
    -------
    tensor (b, c, h, w)
    """
    guided = guidance != 1.0
    noisy = torch.cat([latents] * (2 if guided else 1))
    prediction = predict(scheduler.scale_model_input(noisy, timestep), timestep).float()
    if guided:
        free, told = prediction.chunk(2)
        prediction = free + guidance * (told - free)
    # As a number: looked up with a tensor, its tables take half as long again as the step itself.
    less_noisy: torch.Tensor = scheduler.step(prediction, int(timestep), latents).prev_sample
    return less_noisy
