"""One answer in the making: painters that are asked one after the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray

from neural_assets_core.decoders.base import Progress, ProgressCallback, check_cancelled
from neural_assets_core.model.diffusion import denoised, drawing_timesteps
from neural_assets_core.model.latents import VAE
from neural_assets_core.rivals.changes import F32, padded
from neural_assets_core.rivals.painter import Painter, split_mask, with_mask
from neural_assets_core.scene import GenerationSettings


class Painting:
    """Random numbers, progress and cancellation of all the pictures that an answer takes.

    Parameters
    ----------
    vae : autoencoder
    settings : GenerationSettings
        Seed, steps and guidance.
    pictures : int
        How many will be painted.
    progress : callable, optional
    cancel : threading.Event, optional
    """

    def __init__(
        self,
        vae: VAE,
        settings: GenerationSettings,
        pictures: int,
        progress: ProgressCallback | None,
        cancel: threading.Event | None,
    ) -> None:
        self.vae, self.settings = vae, settings
        self.progress, self.cancel = progress, cancel
        self.generator = torch.Generator("cpu").manual_seed(settings.seed)
        self._done, self._steps = 0, pictures * settings.steps

    @torch.no_grad()
    def paint(
        self,
        painter: Painter,
        known: NDArray[np.uint8],
        mask: NDArray[np.uint8] | None = None,
        rows: Sequence[F32] = (),
    ) -> tuple[NDArray[np.uint8], F32]:
        """Denoise one picture, and its mask if the painter paints one.

        Parameters
        ----------
        painter : Painter
        known : uint8 (s, s, 3)
            What it sees, at its own size.
        mask : uint8 (s, s), optional
            The mask that belongs to it.
        rows : sequence of float32 (p,)
            Its tokens' numbers.

        Returns
        -------
        uint8 (s, s, 3), float32 (s, s)
            The mask is 1 everywhere if none was painted.

        Raises
        ------
        Cancelled
            Between any two steps.
        """
        device, settings = painter.device, self.settings
        numbers, real = padded(rows, max(1, len(rows)))
        poses = torch.from_numpy(numbers)[None].to(device, painter.dtype)
        present = torch.from_numpy(real)[None].to(device)
        masks = None if mask is None else torch.from_numpy(np.ascontiguousarray(mask))[None]
        seen = with_mask(self.vae, torch.from_numpy(np.array(known))[None], masks)
        shape = (1, painter.painted_channels, *seen.shape[-2:])
        latents = randn_tensor(shape, generator=self.generator, device=device)
        dropped = torch.tensor([True, False], device=device)
        # What is told nothing but a picture with a hole has nothing to be guided by.
        guidance = 1.0 if painter.pose is None else settings.guidance

        def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
            copies = len(noisy)
            prediction: torch.Tensor = painter(
                noisy.to(painter.dtype),
                timestep,
                seen.expand(copies, -1, -1, -1),
                poses.expand(copies, -1, -1),
                present.expand(copies, -1),
                dropped[-copies:],
            )
            return prediction

        for timestep in drawing_timesteps(painter.scheduler, settings.steps, device):
            self._tell()
            latents = denoised(painter.scheduler, latents, timestep, guidance, predict)
        return split_mask(self.vae, latents)

    def _tell(self) -> None:
        check_cancelled(self.cancel)
        if self.progress is not None:
            self.progress(Progress("denoising", self._done, self._steps))
        self._done += 1
