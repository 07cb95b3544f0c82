"""The neural decoder: the pipeline on a window around the edit, put back into the picture."""

from __future__ import annotations

import threading
import time
from typing import Any

import torch

from neural_assets_core.decoders.base import (
    Generation,
    Progress,
    ProgressCallback,
    check_cancelled,
    enough_memory,
)
from neural_assets_core.decoders.window import edit_window, put_back, touched_pixels
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.model.pipeline import EncodedAssets, NeuralAssetsPipeline
from neural_assets_core.proxy import check_boxes, render_proxy
from neural_assets_core.scene import Picture, Scene


class NeuralDecoder:
    """A `NeuralAssetsPipeline` behind the decoders' interface.

    Parameters
    ----------
    pipeline : NeuralAssetsPipeline
        Used from one thread at a time.
    """

    def __init__(self, pipeline: NeuralAssetsPipeline) -> None:
        self.pipeline = pipeline
        self._assets: EncodedAssets | None = None
        self._encoded_from: tuple[object, ...] = ()

    @classmethod
    def open(cls, checkpoint: str) -> NeuralDecoder:
        """Load a checkpoint.

        Raises
        ------
        UserError
            If it is missing or its weights do not match its configuration.
        """
        return cls(load_pipeline(checkpoint))

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
        """See `Decoder.generate`."""
        started = time.perf_counter()
        check_cancelled(cancel)
        check_boxes(scene)
        with enough_memory():
            picture = self._draw(scene, progress or (lambda _: None), cancel)
        check_cancelled(cancel)
        return Generation(scene, picture, time.perf_counter() - started)

    def _draw(
        self, scene: Scene, report: ProgressCallback, cancel: threading.Event | None
    ) -> Picture:
        touched = touched_pixels(scene)
        if not touched.any():
            return scene.background.view.picture
        steps = scene.settings.steps
        report(Progress("encoding", 0, steps))
        assets = self._encode(scene)

        def after_step(
            pipeline: Any, step: int, timestep: int, tensors: dict[str, torch.Tensor]
        ) -> dict[str, torch.Tensor]:
            check_cancelled(cancel)
            done = step + 1
            report(Progress("denoising" if done < steps else "decoding", done, steps))
            # Once more: whoever was told may have had enough.
            check_cancelled(cancel)
            return tensors

        check_cancelled(cancel)
        window = edit_window(touched)
        output: Any = self.pipeline(
            scene,
            camera=window.camera(scene.camera),
            assets=assets,
            num_inference_steps=steps,
            guidance_scale=scene.settings.guidance,
            generator=torch.Generator("cpu").manual_seed(scene.settings.seed),
            callback_on_step_end=after_step,
        )
        check_cancelled(cancel)
        layers = render_proxy(scene, scene.camera, self.pipeline.proxy_lifter)
        # Texture of the background is known outside the hole, texture of objects as far as the
        # proxy trusts itself.
        known = layers.confidence + (1 - layers.coverage) * ~layers.hole
        proxy = None if output.proxies is None else output.proxies[0]
        picture = put_back(layers.picture, output.images[0], window, touched, known, proxy)
        return Picture(picture)

    def _encode(self, scene: Scene) -> EncodedAssets:
        """Assets of the scene; a pose-only edit finds them ready."""
        sources = (scene.background, *(item.appearance for item in scene.objects))
        if self._assets is None or set(sources) - set(self._encoded_from):
            self._assets = self.pipeline.encode_assets(scene)
            self._encoded_from = sources
        return self._assets
