"""Pictures and figures of held-out pairs while a decoder trains."""

from __future__ import annotations

import logging
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image as PILImage
from torch.utils.tensorboard import SummaryWriter

from neural_assets_core.data.dataset import AnnotatedFrame, Clips, FrameClip
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.evaluation.metrics import psnr
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import GenerationSettings
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.samples import LONGEST_GAP, trainable_pair

log = logging.getLogger(__name__)


class Validation:
    """The same held-out pairs each time: source, truth, picture in a sheet, PSNR in dB.

    Parameters
    ----------
    clips : Clips
        Held-out clips; the first frame of each and one as far from it as in training are a pair.
    config : TrainingConfig
    writer : SummaryWriter
    """

    def __init__(self, clips: Clips, config: TrainingConfig, writer: SummaryWriter) -> None:
        self.writer = writer
        # As a user gets them who changes nothing.
        self.settings = GenerationSettings()
        self.folder = config.out / "validation"
        count = min(config.validation_pairs, len(clips))
        self.pairs = [self._pair(clips[index], config) for index in range(count)]

    @staticmethod
    def _pair(clip: FrameClip, config: TrainingConfig) -> tuple[AnnotatedFrame, AnnotatedFrame]:
        last = min(len(clip) - 1, LONGEST_GAP)
        return trainable_pair(clip[0], clip[last], config.data.objects)

    def run(self, pipeline: NeuralAssetsPipeline, step: int) -> float:
        """Generate all pairs, write a sheet, log figures; returns the mean PSNR in dB."""
        rows, scores = [], []
        pipeline.set_progress_bar_config(disable=True)
        for source, target in self.pairs:
            scene = scene_from_pair(source, target)
            generator = torch.Generator().manual_seed(0)
            output: Any = pipeline(
                scene,
                num_inference_steps=self.settings.steps,
                guidance_scale=self.settings.guidance,
                generator=generator,
            )
            image = output.images[0]
            size = (pipeline.sample_size,) * 2
            before, truth = (
                np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
                for frame in (source, target)
            )
            scores.append(psnr(image, truth))
            rows.append(np.concatenate([before, truth, image], axis=1))
        mean = float(np.mean(scores))
        sheet = np.concatenate(rows)
        self.folder.mkdir(parents=True, exist_ok=True)
        PILImage.fromarray(sheet).save(self.folder / f"step-{step}.png")
        self.writer.add_scalar("heldout/psnr", mean, step)
        self.writer.add_image("heldout/source_truth_picture", sheet, step, dataformats="HWC")
        log.info("validation at step %d: PSNR %.2f dB", step, mean)
        return mean



