"""The inpainting decoder: the proxy, and what it had to make up painted by Stable Diffusion."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import (
    AsymmetricAutoencoderKL,
    AutoencoderKL,
    StableDiffusionInpaintPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextModel

from neural_assets_core.decoders.base import (
    Generation,
    Progress,
    ProgressCallback,
    check_cancelled,
)
from neural_assets_core.decoders.inpainting_checkpoint import (
    ADVICE,
    InpaintingCheckpoint,
    find_inpainting,
)
from neural_assets_core.decoders.inpainting_mask import (
    U8,
    Mask,
    crops,
    doubtful_pixels,
    put_in,
    shown,
    shown_mask,
)
from neural_assets_core.device_faults import device_faults
from neural_assets_core.errors import UserError
from neural_assets_core.model.loading import FAULTS, placement
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.proxy import draw_photograph
from neural_assets_core.scene import GenerationSettings, Picture, Scene

log = logging.getLogger(__name__)

Report = Callable[[str, int, int], None]


class InpaintingDecoder:
    """A `StableDiffusionInpaintPipeline` behind the decoders' interface.

    The proxy draws; its holes, seams and guessed parts are painted anew in windows of the
    checkpoint's own resolution; every other pixel stays the photograph's.

    Parameters
    ----------
    pipeline : StableDiffusionInpaintPipeline
        Used from one thread at a time.
    """

    def __init__(self, pipeline: StableDiffusionInpaintPipeline) -> None:
        self.pipeline = pipeline
        self._cancel: threading.Event | None = None
        pipeline.set_progress_bar_config(disable=True)
        # A step of a large model takes long: one may have enough in the midst of it.
        for part in (pipeline.text_encoder, pipeline.vae, pipeline.unet):
            for module in part.modules():
                module.register_forward_pre_hook(lambda *_: check_cancelled(self._cancel))

    @classmethod
    def open(cls, checkpoint: str, preferences: Preferences | None = None) -> InpaintingDecoder:
        """Load a checkpoint, where and as these preferences say, by default the stored ones.

        Raises
        ------
        UserError
            If it is missing, of another kind, or damaged.
        DeviceFault
            If there is not enough memory for it.
        """
        found = find_inpainting(checkpoint)
        device, dtype = placement(preferences or load_preferences())
        with device_faults():
            try:
                # Inside: no memory for the weights does not mean that they are damaged.
                with device_faults():
                    pipeline = _loaded(found, dtype)
            except UserError:
                raise
            except FAULTS as error:
                raise _unusable(found, error) from None
            pipeline.to(device)
        return cls(pipeline)

    @property
    def device(self) -> str:
        """Where it computes, "cuda:0" or "cpu"."""
        return str(self.pipeline.device)

    def generate(
        self,
        scene: Scene,
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """See `Decoder.generate`; `cancel` is looked at within steps too."""
        started = time.perf_counter()
        check_cancelled(cancel)

        def report(phase: str, step: int, steps: int) -> None:
            check_cancelled(cancel)
            if progress is not None:
                progress(Progress(phase, step, steps))
            # Once more: whoever was told may have had enough.
            check_cancelled(cancel)

        self._cancel = cancel
        try:
            with device_faults():
                pixels = self._draw(scene, report)
        finally:
            self._cancel = None
        check_cancelled(cancel)
        return Generation(scene, Picture(pixels), time.perf_counter() - started)

    def _draw(self, scene: Scene, report: Report) -> U8:
        report("preparing", 0, scene.settings.steps)
        layers = draw_photograph(scene, scene.camera)
        mask = doubtful_pixels(scene, layers)
        if not mask.any():
            return layers.picture
        config, scale = self.pipeline.unet.config, self.pipeline.vae_scale_factor
        side = config.sample_size * scale
        # The U-Net halves its latents between any two of its levels.
        multiple = scale * 2 ** (len(config.block_out_channels) - 1)
        windows = crops(mask, side * side, multiple)
        count, each = self._steps(scene.settings)
        picture = layers.picture.copy()
        for index, window in enumerate(windows):

            def told(done: int, before: int = index * each) -> None:
                total = len(windows) * each
                phase = "denoising" if before + done < total else "decoding"
                report(phase, before + done, total)

            told(0)
            painted = self._paint(
                shown(picture, window), shown_mask(mask, window), scene.settings, count, told
            )
            put_in(picture, painted, mask, window)
        return picture

    def _steps(self, settings: GenerationSettings) -> tuple[int, int]:
        """Steps to ask the pipeline for, and those that it then takes in a window."""
        # A strength of a third takes every third step, and at least one is needed.
        count = max(settings.steps, math.ceil(1 / settings.strength))
        self.pipeline.scheduler.set_timesteps(count)
        taken, _ = self.pipeline.get_timesteps(count, settings.strength, "cpu")
        return count, len(taken)

    def _paint(
        self,
        picture: U8,
        mask: Mask,
        settings: GenerationSettings,
        count: int,
        told: Callable[[int], None],
    ) -> U8:
        """(h, w, 3) the window with the mask's pixels painted; sizes as the model needs them."""

        def after_step(
            pipeline: Any, step: int, timestep: int, tensors: dict[str, torch.Tensor]
        ) -> dict[str, torch.Tensor]:
            told(step + 1)
            return tensors

        height, width = mask.shape
        output: Any = self.pipeline(
            prompt=settings.prompt,
            image=Image.fromarray(picture),
            mask_image=Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)),
            height=height,
            width=width,
            strength=settings.strength,
            num_inference_steps=count,
            # Without words there is nothing to be guided by, and half of the work can be saved.
            guidance_scale=settings.guidance if settings.prompt else 1.0,
            generator=torch.Generator("cpu").manual_seed(settings.seed),
            callback_on_step_end=after_step,
        )
        if any(output.nsfw_content_detected or ()):
            raise UserError(
                "The checkpoint's own safety checker rejected what it painted: try another seed "
                "or prompt, or use the proxy."
            )
        return np.asarray(output.images[0].convert("RGB"), dtype=np.uint8)


def _loaded(found: InpaintingCheckpoint, dtype: torch.dtype) -> StableDiffusionInpaintPipeline:
    folder = found.folder
    vae_class = AutoencoderKL.load_config(str(folder / "vae"), local_files_only=True)
    asymmetric = vae_class.get("_class_name") == "AsymmetricAutoencoderKL"
    classes = {
        "unet": UNet2DConditionModel,
        "vae": AsymmetricAutoencoderKL if asymmetric else AutoencoderKL,
        "text_encoder": CLIPTextModel,
    }
    # Weights that a file lacks would stay random numbers: each part tells what it did not find.
    parts: dict[str, Any] = {}
    for name, kind in classes.items():
        model, told = kind.from_pretrained(
            str(folder / name),
            dtype=dtype,
            variant=found.variant,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **({} if name == "text_encoder" else {"low_cpu_mem_usage": False}),
        )
        if told["missing_keys"]:
            raise ValueError(f"{name} lacks {min(told['missing_keys'])}")
        parts[name] = model.eval()
    if not found.checked:
        parts |= {"safety_checker": None, "requires_safety_checker": False}
    return StableDiffusionInpaintPipeline.from_pretrained(
        str(folder),
        **parts,
        dtype=dtype,
        variant=found.variant,
        use_safetensors=True,
        local_files_only=True,
        low_cpu_mem_usage=False,
    )


def _unusable(found: InpaintingCheckpoint, error: Exception) -> UserError:
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    log.warning("loading %s failed: %s", found.folder, error)
    return UserError(
        f"The checkpoint {found.folder} cannot be loaded ({first_line[:200]}): fetch it again, or "
        f"{ADVICE}."
    )
