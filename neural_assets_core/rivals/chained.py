"""A chain of single-purpose networks: novel view of the object, hole filled, object pasted.

Source: the baseline "Chained" of Wu et al., Neural Assets (NeurIPS 2024), which is made of
Zero-1-to-3 (Liu et al., 2023) and an inpainting diffusion model. Here both networks are trained
from nothing on the same clips as everything else.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.data.dataset import AnnotatedFrame, ObjectAnnotation
from neural_assets_core.decoders.base import Generation, ProgressCallback, check_cancelled
from neural_assets_core.device_faults import device_faults
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.conditioning import GREY
from neural_assets_core.model.latents import VAE
from neural_assets_core.model.loading import load_autoencoder
from neural_assets_core.proxy import appearance_mask, check_boxes, grown
from neural_assets_core.rivals.changes import (
    F32,
    Change,
    camera_changed,
    change_numbers,
    changes_of,
    distance,
    object_camera,
    padded,
    put_into,
    seen_through,
)
from neural_assets_core.rivals.painter import Painter, load_painter
from neural_assets_core.rivals.painting import Painting
from neural_assets_core.rivals.samples import DrawnSamples, make_sample, random_pair, squared
from neural_assets_core.scene import Appearance, Picture, Scene
from neural_assets_core.training.samples import Sample

VIEW, INPAINTING = "view", "inpainting"

SMALLEST_AREA = 0.004
"""Share of both pictures that an object covers at least to be learnt from."""
SMALLEST_SHARE = 0.6
"""Of an object that can be seen, likewise."""
MARGIN = 0.02
"""Around an object's mask, in sides of the picture: its soft edge is not to be left behind."""
ATTEMPTS = 20


class ViewDataset(DrawnSamples):
    """One object cut out of two frames: how it looks before, and after its pose has changed."""

    def draw(self, rng: np.random.Generator) -> Sample:
        """See `DrawnSamples.draw`."""
        source, target, number = self._object(rng)
        known, known_mask, seen_by = _framed(source, number, self.size)
        picture, mask, camera = _framed(target, number, self.size)
        before, after = (
            next(item.box for item in frame.objects if item.id == number)
            for frame in (source, target)
        )
        poses, present = padded([change_numbers(before, seen_by, after, camera)], 1)
        return make_sample(picture, mask, known, known_mask, poses, present)

    def _object(self, rng: np.random.Generator) -> tuple[AnnotatedFrame, AnnotatedFrame, int]:
        """Two frames and the id of an object that can be seen well in both."""
        hidden = None
        for _ in range(ATTEMPTS):
            source, target = random_pair(self.clips, self.config, rng)
            for number in rng.permutation([item.id for item in source.objects]):
                pair = [
                    (frame, item)
                    for frame in (source, target)
                    for item in frame.objects
                    if item.id == number
                ]
                if len(pair) == 2:
                    hidden = source, target, int(number)
                    if all(_well_seen(*seen) for seen in pair):
                        return hidden
        if hidden is None:
            raise UserError("The clips show no object in two frames: choose other data.")
        # Small or covered objects everywhere: better those than none.
        return hidden


def _well_seen(frame: AnnotatedFrame, item: ObjectAnnotation) -> bool:
    share = float(np.mean(frame.mask == item.id))
    return share >= SMALLEST_AREA and item.visible_fraction >= SMALLEST_SHARE


def _framed(
    frame: AnnotatedFrame, number: int, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Camera]:
    item = next(item for item in frame.objects if item.id == number)
    mask = np.where(frame.mask == number, 255, 0).astype(np.uint8)
    window = object_camera(frame.camera, item.box, size)
    return (*cut_out(frame.image, mask, frame.camera, window), window)


def cut_out(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], camera: Camera, window: Camera
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What `window` shows of an object, on grey, and of its mask."""
    inside = seen_through(mask, camera, window, 0)
    alpha = inside[..., None] / 255.0
    colour = seen_through(image, camera, window, GREY)
    return np.round(alpha * colour + (1 - alpha) * GREY).astype(np.uint8), inside


class HoleDataset(DrawnSamples):
    """Frames with a hole of an object's shape somewhere in their background."""

    def draw(self, rng: np.random.Generator) -> Sample:
        """See `DrawnSamples.draw`."""
        clip = self.clips[int(rng.integers(len(self.clips)))]
        frame = clip[int(rng.integers(len(clip)))]
        for _ in range(ATTEMPTS):
            hole = self._hole(frame, rng)
            if np.mean(hole > 0) >= SMALLEST_AREA:
                break
        size = (self.size, self.size)
        picture = np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
        hole = np.asarray(cv2.resize(hole, size, interpolation=cv2.INTER_NEAREST))
        known = with_hole(picture, hole > 0)
        return make_sample(picture, hole, known, hole, *padded([], 1))

    @staticmethod
    def _hole(frame: AnnotatedFrame, rng: np.random.Generator) -> NDArray[np.uint8]:
        """255 inside: an object's shape, turned over or not, where no object is."""
        height, width = frame.mask.shape
        ids = [item.id for item in frame.objects if (frame.mask == item.id).any()]
        if ids:
            shape = frame.mask == int(rng.choice(ids))
            rows, columns = np.nonzero(shape)
            shape = shape[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        else:
            shape = np.ones((height // 4, width // 4), dtype=bool)
        shape = shape[:, :: int(rng.choice([-1, 1]))]
        hole = np.zeros((height, width), dtype=bool)
        top = int(rng.integers(height - shape.shape[0] + 1))
        left = int(rng.integers(width - shape.shape[1] + 1))
        hole[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        hole = grown(hole, MARGIN * max(height, width)) & (frame.mask == 0)
        return np.where(hole, 255, 0).astype(np.uint8)


def with_hole(picture: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture, grey inside the hole."""
    return np.where(hole[..., None], np.uint8(GREY), picture)


class ChainedEditor:
    """Edits one object after the other; a `Decoder`.

    The background stays where it is: if the camera moves, all objects are drawn anew as it sees
    them, before the source's background.

    Parameters
    ----------
    view : Painter
        Draws an object's cut-out from another side.
    inpainting : Painter
        Fills the hole that it leaves.
    vae : autoencoder
    """

    def __init__(self, view: Painter, inpainting: Painter, vae: VAE) -> None:
        self.view, self.inpainting, self.vae = view, inpainting, vae

    @classmethod
    def open(cls, folder: Path, placed: tuple[str, torch.dtype]) -> ChainedEditor:
        """Load what training wrote; raises `UserError`."""
        view, inpainting = (load_painter(folder / part, placed) for part in (VIEW, INPAINTING))
        return cls(view, inpainting, load_autoencoder(folder / "vae").to(*placed))

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
        camera, size = scene.camera, (scene.camera.width, scene.camera.height)
        changes = drawn_changes(scene)
        pictures = sum((c.before is not None) + (c.after is not None) for c in changes)
        painting = Painting(self.vae, scene.settings, pictures, progress, cancel)
        pixels = scene.background.view.picture.pixels
        if pixels.shape[1::-1] != size:
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        with device_faults():
            for change in changes:
                if change.before is not None:
                    pixels = self._without(change.appearance, pixels, painting)
                if change.after is not None:
                    pixels = self._with(change.appearance, change.after, camera, pixels, painting)
        check_cancelled(cancel)
        return Generation(scene, Picture(pixels), time.perf_counter() - started)

    def _without(
        self, appearance: Appearance, pixels: NDArray[np.uint8], painting: Painting
    ) -> NDArray[np.uint8]:
        """The picture with background in an object's place."""
        size, side = pixels.shape[1::-1], self.inpainting.side
        mask = np.asarray(cv2.resize(appearance_mask(appearance), size)) > 0
        hole = np.where(grown(mask, MARGIN * max(size)), 255, 0).astype(np.uint8)
        small = np.asarray(cv2.resize(hole, (side, side), interpolation=cv2.INTER_NEAREST))
        known = with_hole(squared(pixels, side), small > 0)
        filled, _ = painting.paint(self.inpainting, known, small)
        large = cv2.resize(filled, size, interpolation=cv2.INTER_CUBIC)
        return np.where(hole[..., None] > 0, large, pixels).astype(np.uint8)

    def _with(
        self,
        appearance: Appearance,
        box: Box,
        camera: Camera,
        pixels: NDArray[np.uint8],
        painting: Painting,
    ) -> NDArray[np.uint8]:
        """The picture with an object laid over it."""
        view, side = appearance.view, self.view.side
        seen_by = object_camera(view.camera, appearance.box, side)
        window = object_camera(camera, box, side)
        known, mask = cut_out(
            view.picture.pixels, appearance_mask(appearance), view.camera, seen_by
        )
        row = change_numbers(appearance.box, seen_by, box, window)
        part, cover = painting.paint(self.view, known, mask, [row])
        return put_into(pixels, camera, part, _crisp(cover), window)


def drawn_changes(scene: Scene) -> list[Change]:
    """The changes that have to be drawn: if the camera moved, of all objects that remain."""
    changes = changes_of(scene)
    if not camera_changed(scene):
        return changes
    changed = {change.name for change in changes}
    still = [
        Change(item.name, item.appearance, item.appearance.box, item.box)
        for item in scene.objects
        if item.name not in changed
    ]
    # Far ones first, what is removed before all of them.
    return sorted([*changes, *still], key=lambda change: distance(change, scene.camera))


def _crisp(cover: F32) -> F32:
    """The painted mask with a narrower edge and without faint clouds."""
    return np.asarray(np.clip(2.0 * cover - 0.5, 0.0, 1.0), dtype=np.float32)
