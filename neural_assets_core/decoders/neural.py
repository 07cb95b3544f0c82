"""The neural decoder: the pipeline on a window around the edit, put back into the picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.decoders.base import (
    Generation,
    Progress,
    ProgressCallback,
    check_cancelled,
)
from neural_assets_core.decoders.window import Window, edit_window, put_back, touched_pixels
from neural_assets_core.device_faults import device_faults
from neural_assets_core.model.cache import TensorCache
from neural_assets_core.model.kept_tokens import encoded_again
from neural_assets_core.model.loading import (
    load_pipeline,
    placement,
    quick_unet,
    shared_lifter,
)
from neural_assets_core.model.openvino_unet import OpenVINORuntime
from neural_assets_core.model.pipeline import NeuralAssetsPipeline, steps_taken
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.proxy import check_boxes, proxy_picture
from neural_assets_core.scene import Appearance, Picture, Scene


class NeuralDecoder:
    """A `NeuralAssetsPipeline` behind the decoders' interface.

    Parameters
    ----------
    pipeline : NeuralAssetsPipeline
        Used from one thread at a time.
    place_window : callable
        The square part of the picture that the pipeline draws, given the touched pixels.
    """

    def __init__(
        self,
        pipeline: NeuralAssetsPipeline,
        place_window: Callable[[NDArray[np.float32]], Window] = edit_window,
    ) -> None:
        self.pipeline = pipeline
        self.place_window = place_window
        self._encoded = TensorCache()
        self._notes: list[str] = []
        self._runtime: OpenVINORuntime | None = None

    @classmethod
    def open(cls, checkpoint: str, preferences: Preferences | None = None) -> NeuralDecoder:
        """Load a checkpoint, where and as these preferences say, by default the stored ones.

        Raises
        ------
        UserError
            If it is missing or its weights do not match its configuration.
        DeviceFault
            If there is not enough memory for it.
        """
        preferences = preferences or load_preferences()
        device, dtype = placement(preferences)
        with device_faults():
            lifter = shared_lifter(checkpoint, device)
            decoder = cls(load_pipeline(checkpoint, device, dtype, lifter))
        decoder._runtime = quick_unet(decoder.pipeline, checkpoint, preferences)
        decoder._encoded.limit = preferences.memory * 2**20
        return decoder

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
        with device_faults():
            picture = self._draw(scene, progress or (lambda _: None), cancel)
        check_cancelled(cancel)
        if self._runtime is not None:
            self._runtime.prepare()
        notes, self._notes = tuple(self._notes), []
        return Generation(scene, picture, time.perf_counter() - started, notes)

    def _draw(
        self, scene: Scene, report: ProgressCallback, cancel: threading.Event | None
    ) -> Picture:
        touched, keep = touched_pixels(scene), scene.settings.keep_source
        if not keep:
            touched = np.ones_like(touched)
        elif not touched.any():
            return scene.background.view.picture
        steps = steps_taken(scene.settings.steps, scene.settings.strength)

        def begin(phase: str, done: int = 0) -> None:
            check_cancelled(cancel)
            report(Progress(phase, done, steps))
            # Once more: whoever was told may have had enough.
            check_cancelled(cancel)

        def after_step(
            pipeline: Any, step: int, timestep: int, tensors: dict[str, torch.Tensor]
        ) -> dict[str, torch.Tensor]:
            done = step + 1
            begin("denoising" if done < steps else "decoding", done)
            return tensors

        def tell_foreign(appearance: Appearance) -> None:
            name = next(item.name for item in scene.objects if item.appearance == appearance)
            # Told with the next picture that is delivered, should this one be cancelled.
            self._notes.append(encoded_again(name))

        assets = self.pipeline.encode_assets(
            scene, self._encoded, lambda: begin("encoding"), tell_foreign
        )
        begin("preparing")
        window = self.place_window(touched)
        layers = proxy_picture(scene, self.pipeline.proxy_lifter)
        check_cancelled(cancel)
        # Not enlarged: where the network sees more than the picture has, it is drawn for it.
        fine = window.side >= self.pipeline.sample_size
        conditions = self.pipeline.prepare_conditions(
            scene, window.camera(scene.camera), assets, window.cut_from(layers) if fine else None
        )
        begin("denoising")
        output: Any = self.pipeline(
            scene,
            conditions=conditions,
            num_inference_steps=scene.settings.steps,
            strength=scene.settings.strength,
            guidance_scale=scene.settings.guidance,
            generator=torch.Generator("cpu").manual_seed(scene.settings.seed),
            callback_on_step_end=after_step,
        )
        check_cancelled(cancel)
        # Texture of the background is known outside the hole, texture of objects as far as the
        # proxy trusts itself.
        known = layers.confidence + (1 - layers.coverage) * ~layers.hole
        proxy = None if output.proxies is None else output.proxies[0]
        if not keep:
            known, proxy = np.zeros_like(known), None
        elif scene.camera == scene.background.view.camera:
            touched[layers.settled(scene.background.view.picture.pixels)] = 0.0
        picture = put_back(layers.picture, output.images[0], window, touched, known, proxy)
        return Picture(picture)
