"""What is encoded for the cache of frames: pictures through fixed windows, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from neural_assets_core.data.dataset import AnnotatedFrame, Clips, ObjectAnnotation
from neural_assets_core.data.frames import scene_from_frame
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.model.conditioning import region, source_inputs
from neural_assets_core.training.config import DataConfig
from neural_assets_core.training.loop import start_worker
from neural_assets_core.training.samples import (
    Sample,
    SampleShape,
    covered_cells,
    through_window,
)

CHUNK = 8
"""Frames at a time: clips may be long."""


@dataclass(frozen=True)
class FixedView:
    """A square window, the same in all frames.

    Attributes
    ----------
    x, y : float
        Share of the free room that lies left of and above it.
    side : float
        As a fraction of the picture's shorter side.
    """

    x: float = 0.5
    y: float = 0.5
    side: float = 1.0

    def camera(self, camera: Camera) -> Camera:
        """The part of the camera's picture, in whole pixels."""
        side = round(self.side * min(camera.width, camera.height))
        left, top = round(self.x * (camera.width - side)), round(self.y * (camera.height - side))
        return camera.cropped(float(left), float(top), side, side)


def fixed_views(count: int, smallest: float, seed: int) -> tuple[FixedView, ...]:
    """The whole picture (of an oblong one its middle), and windows for the rest of the views."""
    rng = np.random.default_rng((seed, 3))
    windows = [
        FixedView(*(round(float(value), 3) for value in (*rng.random(2), rng.uniform(smallest, 1))))
        for _ in range(count - 1)
    ]
    return (FixedView(), *windows)


def known_objects(frame: AnnotatedFrame, most: int) -> tuple[ObjectAnnotation, ...]:
    """The objects of a source frame that samples may show: in front of the camera, the largest."""

    def area(item: ObjectAnnotation) -> float:
        x0, y0, x1, y1 = item.region
        return (x1 - x0) * (y1 - y0)

    seen = [item for item in frame.objects if not behind_camera(frame.camera, item.box)]
    return tuple(sorted(seen, key=lambda item: (-area(item), item.id))[:most])


def is_masked(data: DataConfig, number: int, frame: int) -> bool:
    """Whether a source frame's objects come with masks, drawn once for each frame."""
    rng = np.random.default_rng((data.seed, 4, number, frame))
    return bool(rng.random() >= data.unmasked_share)


def chunk_loader(
    clips: Clips,
    numbers: list[int],
    data: DataConfig,
    shape: SampleShape,
    views: tuple[FixedView, ...],
    frozen: bool,
) -> DataLoader[Sample]:
    """Chunks of the clips with these numbers, those of a clip in order, made by `data.workers`."""
    workers = min(data.workers, len(numbers))
    return DataLoader(
        _Chunks(clips, numbers, data, shape, views, frozen),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=start_worker,
        multiprocessing_context="spawn" if workers else None,
    )


class _Chunks(IterableDataset[Sample]):
    def __init__(
        self,
        clips: Clips,
        numbers: list[int],
        data: DataConfig,
        shape: SampleShape,
        views: tuple[FixedView, ...],
        frozen: bool,
    ) -> None:
        self.clips, self.numbers, self.data = clips, numbers, data
        self.shape, self.views, self.frozen = shape, views, frozen

    def __iter__(self) -> Iterator[Sample]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for number in self.numbers[first::step]:
            clip = self.clips[number]
            count = len(clip)
            for start in range(0, count, CHUNK):
                indices = range(start, min(start + CHUNK, count))
                frames = [self._frame(clip[index], number, index) for index in indices]
                boxes = {
                    name: torch.cat([frame.pop(name) for frame in frames])
                    for name in ("boxes", "box_ids")
                }
                stacked = {name: torch.stack([f[name] for f in frames]) for name in frames[0]}
                told = {"number": torch.tensor(number), "frames": torch.tensor(count)}
                yield {**stacked, **boxes, **told}

    def _frame(self, frame: AnnotatedFrame, number: int, index: int) -> Sample:
        shape, camera = self.shape, frame.camera
        windows = [view.camera(camera).resized(shape.target, shape.target) for view in self.views]
        known = known_objects(frame, shape.objects)
        ids = np.zeros(shape.objects, dtype=np.int16)
        ids[: len(known)] = [item.id for item in known]
        pictures = [through_window(frame.image, camera, window) for window in windows]
        covered = [covered_cells(frame.mask, camera, w, shape.latent) for w in windows]
        size = [camera.width, camera.height]
        found: dict[str, NDArray[np.generic]] = {
            "pictures": np.stack(pictures),
            "covered": np.stack(covered),
            "ids": ids,
            "cameras": np.concatenate([size, camera.k.ravel(), camera.extrinsics.ravel()]),
            "boxes": np.array(
                [[*o.box.center, *o.box.size, *o.box.rotation] for o in frame.objects], dtype=float
            ).reshape(-1, 10),
            "box_ids": np.array([item.id for item in frame.objects], dtype=np.int16),
            "counts": np.array(len(frame.objects)),
        }
        if self.frozen:
            found |= self._source(frame, known, number, index)
        return {name: torch.from_numpy(np.array(value)) for name, value in found.items()}

    def _source(
        self, frame: AnnotatedFrame, known: tuple[ObjectAnnotation, ...], number: int, index: int
    ) -> dict[str, NDArray[np.generic]]:
        """What the visual encoder sees of the frame, and where it is pooled."""
        scene = scene_from_frame(
            replace(frame, objects=known), masked=is_masked(self.data, number, index)
        )
        sources = source_inputs(
            scene.background.view, scene.background.occluders, self.shape.encoder
        )
        regions = np.zeros((self.shape.objects, 4), dtype=np.float32)
        for slot, item in enumerate(scene.objects):
            regions[slot] = region(item.appearance)
        return {
            "foreground": sources.foreground,
            "background": sources.background,
            "regions": regions,
            "windows": np.stack([_seen(view, frame.camera) for view in self.views]),
        }


def _seen(view: FixedView, camera: Camera) -> NDArray[np.float32]:
    """(x0, y0, x1, y1) of a view as fractions of the picture."""
    # The centre tells where the window was cut out.
    window = view.camera(camera)
    left, top = camera.k[:2, 2] - window.k[:2, 2]
    corners = [left, top, left + window.width, top + window.height]
    size = np.array([camera.width, camera.height])
    return np.asarray(np.array(corners) / np.tile(size, 2), dtype=np.float32)
