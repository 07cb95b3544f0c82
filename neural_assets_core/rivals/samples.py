"""What rivals are taught with: samples drawn at random from clips, all of one layout."""

from __future__ import annotations

from abc import ABC, abstractmethod

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from neural_assets_core.data.dataset import AnnotatedFrame, Clips
from neural_assets_core.rivals.changes import F32
from neural_assets_core.training.config import DataConfig
from neural_assets_core.training.samples import LONGEST_GAP, Sample, trainable_pair


class DrawnSamples(Dataset[Sample], ABC):
    """Samples without end.

    Parameters
    ----------
    clips : Clips
    config : DataConfig
    size : int
        Pixels a side.
    seed : int
        Sample k is the same for the same seed.
    """

    def __init__(self, clips: Clips, config: DataConfig, size: int, seed: int) -> None:
        self.clips, self.config, self.size, self.seed = clips, config, size, seed

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> Sample:
        cv2.setNumThreads(0)
        return self.draw(np.random.default_rng((self.seed, index)))

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a sample, as `make_sample` lays it out."""


def make_sample(
    target: NDArray[np.uint8],
    target_mask: NDArray[np.uint8],
    known: NDArray[np.uint8],
    known_mask: NDArray[np.uint8],
    poses: F32,
    present: NDArray[np.bool_],
) -> Sample:
    """What is to be painted, what is seen of it, and what is told, as tensors."""
    return {
        "target": torch.from_numpy(target),
        "target_mask": torch.from_numpy(target_mask),
        "known": torch.from_numpy(known),
        "known_mask": torch.from_numpy(known_mask),
        "poses": torch.from_numpy(poses),
        "present": torch.from_numpy(present),
    }


def random_pair(
    clips: Clips, config: DataConfig, rng: np.random.Generator
) -> tuple[AnnotatedFrame, AnnotatedFrame]:
    """Two frames of one clip, as the second stage of training draws them."""
    clip = clips[int(rng.integers(len(clips)))]
    near = min(len(clip), LONGEST_GAP + 1)
    start = int(rng.integers(len(clip) - near + 1))
    first, second = start + rng.choice(near, size=2, replace=False)
    return trainable_pair(clip[int(first)], clip[int(second)], config.objects)


def squared(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture at the painter's size; an oblong one is squeezed."""
    if picture.shape[:2] == (side, side):
        return np.ascontiguousarray(picture)
    method = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=method), dtype=np.uint8)
