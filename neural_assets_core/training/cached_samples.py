"""Training samples whose targets, and of a frozen encoder the appearances, come from disk."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from neural_assets_core.data.dataset import AnnotatedFrame, Clips, ObjectAnnotation
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.raycast import bounding_rect
from neural_assets_core.model.conditioning import (
    PROXY_MASK_CHANNELS,
    layout_map,
    pose_corners,
    relative_camera_pose,
)
from neural_assets_core.proxy import CARVER, Lifter
from neural_assets_core.training.cache_input import is_masked
from neural_assets_core.training.config import DataConfig
from neural_assets_core.training.frame_cache import CachedClip, FrameCache
from neural_assets_core.training.samples import (
    COVERED,
    Sample,
    SampleShape,
    condition_sample,
    draw_pair,
)


class CachedPairs(Dataset[Sample]):
    """As `PairDataset`, through the cache's views; "latents" stand in the place of "target".

    The target's pictures are never read. Where appearances are kept and no proxy is drawn, the
    source's are not either: a sample is then boxes and cameras and a few thousand kept numbers.

    Parameters
    ----------
    cache : FrameCache
        Of `clips`.
    clips : Clips
    config : DataConfig
    shape : SampleShape
    seed : int
        Sample k is the same for the same seed, whichever process makes it.
    lifter : Lifter
        As the pipeline's.
    own : range, optional
        Numbers of the clips that are drawn from; all without it.
    """

    def __init__(
        self,
        cache: FrameCache,
        clips: Clips,
        config: DataConfig,
        shape: SampleShape,
        seed: int,
        lifter: Lifter = CARVER,
        own: range | None = None,
    ) -> None:
        self.cache, self.clips, self.config = cache, clips, config
        self.shape, self.seed, self.lifter = shape, seed, lifter
        self.own = range(len(clips)) if own is None else own

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, index: int) -> Sample:
        cv2.setNumThreads(0)
        rng = np.random.default_rng((self.seed, index // 2))
        number = self.own[int(rng.integers(len(self.own)))]
        # Drawn once for each frame here; the pairs are those of `PairDataset` all the same.
        rng.random()
        kept = self.cache.clip(number)
        first, second = draw_pair(len(kept), index, rng, paired=self.config.paired)
        source, target = kept.annotation(first), kept.annotation(second)
        objects = _known(kept, first, source)
        targets = {item.id: item for item in target.objects}
        pairs = [
            (item, targets[item.id])
            for item in objects
            if item.id in targets and not behind_camera(target.camera, targets[item.id].box)
        ]
        ids = [item.id for item, _ in pairs]
        target = replace(target, objects=tuple(there for _, there in pairs))
        view = self._view(target, np.random.default_rng((self.seed, index, 1)))
        window = self.cache.views[view].camera(target.camera)
        if self.cache.features and not self.shape.proxy:
            sample = _posed(source, target, window, self.shape)
        else:
            picture = self.clips[number][first]
            seen = {item.id: item for item in picture.objects}
            picture = replace(picture, objects=tuple(seen[item.id] for item in objects))
            masked = is_masked(self.config, number, first)
            scene = scene_from_pair(picture, target, masked=masked)
            sample = condition_sample(scene, window, self.shape, self.lifter)
        if self.cache.features:
            for unneeded in ("foreground", "background", "regions", "background_region"):
                sample.pop(unneeded, None)
            sample |= _features(kept, first, view, ids, self.shape.objects)
        covered = kept.part("covered", second, view)
        sample["latents"] = kept.part("latents", second, view)
        sample["changed"] = sample["changed"] | (covered > COVERED)
        return sample

    def _view(self, target: AnnotatedFrame, rng: np.random.Generator) -> int:
        """The whole picture, or one of the windows in which some object can be seen."""
        if rng.random() >= self.config.window_share:
            return 0
        showing = [
            number
            for number, view in enumerate(self.cache.views)
            if number and _shows(view.camera(target.camera), target)
        ]
        return showing[int(rng.integers(len(showing)))] if showing else 0


def _known(
    kept: CachedClip, frame: int, source: AnnotatedFrame
) -> tuple[ObjectAnnotation, ...]:
    """The source's objects that samples may show."""
    ids = set(kept.part("ids", frame).tolist())
    return tuple(item for item in source.objects if item.id in ids)


def _shows(window: Camera, frame: AnnotatedFrame) -> bool:
    for item in frame.objects:
        rect = bounding_rect(window, item.box)
        if rect.right > rect.left and rect.bottom > rect.top:
            return True
    return not frame.objects


def _features(
    kept: CachedClip, frame: int, view: int, ids: list[int], most: int
) -> Sample:
    every = kept.part("appearances", frame)
    slots = kept.part("ids", frame).tolist()
    objects = every.new_zeros(most, *every.shape[1:])
    for place, number in enumerate(ids):
        objects[place] = every[slots.index(number)]
    background = kept.part("backgrounds", frame, view)
    return {"object_features": objects, "background_features": background}


def _posed(
    source: AnnotatedFrame, target: AnnotatedFrame, window: Camera, shape: SampleShape
) -> Sample:
    """What `condition_sample` says of poses, of cameras and boxes alone."""
    camera = window.resized(shape.target, shape.target)
    boxes = [item.box for item in target.objects]
    corners = np.zeros((shape.objects, 4, 3), dtype=np.float32)
    for place, box in enumerate(boxes):
        corners[place] = pose_corners(box, camera)
    layout, nearest = layout_map(boxes, camera.resized(shape.latent, shape.latent))
    return {
        "present": torch.arange(shape.objects) < len(boxes),
        "corners": torch.from_numpy(corners),
        "background_pose": torch.from_numpy(relative_camera_pose(source.camera, camera)),
        "layout": torch.from_numpy(layout),
        "nearest": torch.from_numpy(nearest),
        "proxy_masks": torch.zeros(PROXY_MASK_CHANNELS, shape.latent, shape.latent),
        "changed": torch.from_numpy(nearest >= 0),
    }
