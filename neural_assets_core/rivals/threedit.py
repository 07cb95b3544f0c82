"""A 3DIT-like editor: the source's latents beside the noisy ones, one change told as a token.

Source: Michel et al., Object 3DIT: Language-guided 3D-aware image editing (NeurIPS 2023). In the
place of words for an object and of one angle or place it is told the object's box before and after.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.decoders.base import Generation, ProgressCallback, check_cancelled
from neural_assets_core.device_faults import device_faults
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.model.latents import VAE
from neural_assets_core.model.loading import load_autoencoder
from neural_assets_core.proxy import check_boxes
from neural_assets_core.rivals.changes import (
    F32,
    camera_changed,
    camera_numbers,
    change_numbers,
    changes_of,
    padded,
)
from neural_assets_core.rivals.painter import Painter, load_painter
from neural_assets_core.rivals.painting import Painting
from neural_assets_core.rivals.samples import DrawnSamples, make_sample, random_pair, squared
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.training.samples import Sample

PAINTER = "painter"
REMOVED_SHARE = 0.2
"""Share of the samples that show a removal."""


class ChangeDataset(DrawnSamples):
    """Any two frames of any clip; what changes between them is told, a token for each object.

    Frames change in several objects, and in the camera, at once: all of it is told. No clip shows
    a removal: in a part of the samples the cut-out of another clip's object is laid into the
    source, and told as removed.
    """

    def draw(self, rng: np.random.Generator) -> Sample:
        """See `DrawnSamples.draw`."""
        source, target = random_pair(self.clips, self.config, rng)
        before = {item.id: item.box for item in source.objects}
        rows = [
            change_numbers(before[item.id], source.camera, item.box, target.camera)
            for item in target.objects
            if item.id in before and item.box != before[item.id]
        ]
        if source.camera != target.camera:
            rows.append(camera_numbers(source.camera, target.camera))
        picture = source.image
        if rng.random() < REMOVED_SHARE:
            other, _ = random_pair(self.clips, self.config, rng)
            added = _cut_out(other, picture, rng)
            if added is not None:
                picture, row = added
                rows.append(row)
        after, known = (squared(image, self.size) for image in (target.image, picture))
        empty = np.zeros((self.size, self.size), dtype=np.uint8)
        return make_sample(after, empty, known, empty, *padded(rows, self.config.objects + 2))


def _cut_out(
    other: AnnotatedFrame, picture: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], F32] | None:
    """The picture with an object of another frame laid into it, and that object's removal."""
    seen = [item for item in other.objects if (other.mask == item.id).any()]
    if not seen or other.image.shape != picture.shape:
        return None
    item = seen[int(rng.integers(len(seen)))]
    inside = (other.mask == item.id)[..., None]
    row = change_numbers(item.box, other.camera, None, other.camera)
    return np.where(inside, other.image, picture), row


class ThreeDITEditor:
    """Applies an edit object by object; a `Decoder`.

    Parameters
    ----------
    painter : Painter
    vae : autoencoder
    """

    def __init__(self, painter: Painter, vae: VAE) -> None:
        self.painter, self.vae = painter, vae

    @classmethod
    def open(cls, folder: Path, placed: tuple[str, torch.dtype]) -> ThreeDITEditor:
        """Load what training wrote; raises `UserError`."""
        vae = load_autoencoder(folder / "vae").to(*placed)
        return cls(load_painter(folder / PAINTER, placed), vae)

    def generate(
        self,
        scene: Scene,
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """See `Decoder.generate`; objects that the source does not show cannot be added."""
        started = time.perf_counter()
        check_cancelled(cancel)
        check_boxes(scene)
        source = scene.background.view
        rows, left_out = [], []
        for change in changes_of(scene):
            if change.before is None:
                left_out.append(f"{change.name!r} is not in the source picture: it is left out.")
                continue
            if change.after is not None and behind_camera(source.camera, change.after):
                left_out.append(f"{change.name!r} would be behind the source's camera: it stays.")
                continue
            rows.append(change_numbers(change.before, source.camera, change.after, source.camera))
        if camera_changed(scene):
            rows.append(camera_numbers(source.camera, scene.camera))
        pixels = source.picture.pixels
        painting = Painting(self.vae, scene.settings, len(rows), progress, cancel)
        with device_faults():
            for row in rows:
                pixels, _ = painting.paint(
                    self.painter, squared(pixels, self.painter.side), rows=[row]
                )
        check_cancelled(cancel)
        size = (scene.camera.width, scene.camera.height)
        if pixels.shape[1::-1] != size:
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC))
        picture = Picture(pixels)
        return Generation(scene, picture, time.perf_counter() - started, tuple(left_out))
