"""One's own footage made training data: frames of a clip, and a few of them boxed in the studio.

A scene file whose photograph is one of the frames is a key: its boxes hold in that frame, and
between two keys boxes (and cameras, if they differ) are interpolated. What comes of it is a
folder of footage as `data.readers.folder` describes it, which may be written by hand just as well:

    OUT/NAME/clip.json, 0000.png, 0000_mask.png, ...      to train on
    OUT-heldout/NAME/...                                  the last frames, to measure with

All keys must be of one world. With a camera that stood still that is so when all of them have
the same camera (`neural-assets photo FRAME --camera-of FIRST.nascene`).
"""

from __future__ import annotations

import bisect
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neural_assets_core.animation.keyframes import blended_box, blended_camera
from neural_assets_core.data.readers import heldout_folder
from neural_assets_core.data.readers.folder import CLIP_FORMAT
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.scene import Picture, Scene, SceneObject, View
from neural_assets_core.segmentation import segment

LARGEST = 1024
"""Pixels of the frames' longer side, at most: training looks at smaller windows yet."""

HELDOUT = 0.1
"""Share of the frames that is not trained on."""

FEWEST = 2
"""Frames of a clip: samples are pairs."""

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".heic"})


def find_frames(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names.

    Raises
    ------
    UserError
        If there is no such folder, or fewer than two pictures in it.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: give the folder of the clip's frames.")
    frames = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if len(frames) < FEWEST:
        raise UserError(f"{folder} holds fewer than {FEWEST} pictures: give a clip's frames.")
    return frames


def keys_of(frames: Sequence[Path], scenes: Mapping[str, Scene]) -> dict[int, Scene]:
    """Which frame each scene is about: the one that is its photograph.

    Parameters
    ----------
    frames : sequence of Path
    scenes : mapping of str to Scene
        By what errors call them.

    Raises
    ------
    UserError
        If a scene's photograph is none of the frames, or two scenes are about one.
    """
    wanted = {scene.background.view.picture.sha256: name for name, scene in scenes.items()}
    keys: dict[int, Scene] = {}
    for number, path in enumerate(frames):
        name = wanted.pop(Picture.open(path).sha256, None)
        if name is not None:
            keys[number] = scenes[name]
    if len(keys) < len(scenes):
        name = next(iter(wanted.values()), list(scenes)[-1])
        raise UserError(
            f"{name} is not about one of these frames, or about the same one as another: make it "
            "of a frame's file."
        )
    return keys


def write_footage(
    frames: Sequence[Path],
    keys: Mapping[int, Scene],
    out: Path,
    name: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[int, int]:
    """Write the frames between the first and the last key as training data.

    Parameters
    ----------
    frames : sequence of Path
        Pictures, in their order.
    keys : mapping of int to Scene
        By the number of their frame, from 0.
    out : Path
        The data set's folder; other clips in it stay.
    name : str
        Of the clip.
    progress : callable
        Told (frames done, frames in all).

    Returns
    -------
    trained, heldout : int
        Frames in each part.

    Raises
    ------
    UserError
        If there are too few frames between keys or no objects, or files cannot be written.
    """
    numbers = range(min(keys), max(keys) + 1) if keys else range(0)
    if len(numbers) < 2 * FEWEST:
        raise UserError(
            f"There are {len(numbers)} frames from the first scene to the last, and at least "
            f"{2 * FEWEST} are needed: draw boxes in frames further apart."
        )
    if not any(scene.objects for scene in keys.values()):
        raise UserError("No scene has an object: draw boxes first.")
    split = numbers.stop - max(FEWEST, round(HELDOUT * len(numbers)))
    done = 0
    for folder, part in (
        (out, range(numbers.start, split)),
        (heldout_folder(out), range(split, numbers.stop)),
    ):
        final, work = folder / name, folder / f".{name}.partial"
        try:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            records = []
            for number in part:
                records.append(_write_frame(work, frames[number], number, keys))
                done += 1
                progress(done, len(numbers))
            text = json.dumps({"format": CLIP_FORMAT, "frames": records}, indent=1)
            (work / "clip.json").write_text(text + "\n", encoding="utf-8")
            shutil.rmtree(final, ignore_errors=True)
            os.replace(work, final)
        except OSError as error:
            raise UserError(
                f"{final} cannot be written ({error.strerror}): choose another folder."
            ) from None
    return split - numbers.start, numbers.stop - split


def _write_frame(
    folder: Path, path: Path, number: int, keys: Mapping[int, Scene]
) -> dict[str, Any]:
    """Write a frame's files; returns its record."""
    camera, boxes = _between(keys, number)
    picture = Picture.open(path)
    if (picture.width, picture.height) != (camera.width, camera.height):
        raise UserError(
            f"{path} has {picture.width} x {picture.height} pixels, unlike the scenes "
            f"({camera.width} x {camera.height}): all frames of a clip need one size."
        )
    shrink = min(1.0, LARGEST / max(camera.width, camera.height))
    camera = camera.resized(
        max(1, round(camera.width * shrink)), max(1, round(camera.height * shrink))
    )
    pixels = _resized(picture.pixels, camera)
    view = View(picture=Picture(pixels), camera=camera)
    names = _names(keys)
    seen = {one: box for one, box in boxes.items() if not behind_camera(camera, box)}
    masks = _own_masks(keys[number], camera) if number in keys else {}
    ids = np.zeros(pixels.shape[:2], dtype=np.uint8)
    ordered = list(seen)
    for index in back_to_front(camera, list(seen.values())):
        one = ordered[index]
        mask = masks[one] if one in masks else segment(view, seen[one]).pixels
        ids[mask > 127] = names[one]
    stem = f"{number:05d}"
    Image.fromarray(pixels).save(folder / f"{stem}.png", compress_level=4)
    Image.fromarray(ids).save(folder / f"{stem}_mask.png")
    return {
        "picture": f"{stem}.png",
        "mask": f"{stem}_mask.png",
        "camera": {
            "intrinsics": camera.intrinsics,
            "world_to_camera": camera.world_to_camera,
        },
        "objects": [
            {
                "name": one,
                "category": _category(keys, one),
                "mask_value": names[one],
                **box.model_dump(mode="json"),
            }
            for one, box in seen.items()
        ],
    }


def _between(keys: Mapping[int, Scene], number: int) -> tuple[Camera, dict[str, Box]]:
    """The camera of a frame, and the boxes of its objects, as the keys around it say."""
    known = sorted(keys)
    after = known[min(bisect.bisect_left(known, number), len(known) - 1)]
    before = known[max(bisect.bisect_right(known, number) - 1, 0)]
    first, second = keys[before].background.view.camera, keys[after].background.view.camera
    share = (number - before) / max(after - before, 1)
    camera = first if first == second else blended_camera(first, second, share)
    boxes = {}
    for name in _names(keys):
        # Each object has keys of its own: it may be missing in some.
        there = {at: _seen(keys[at], name) for at in known}
        places = {at: box for at, box in there.items() if box is not None}
        earlier = [at for at in places if at <= number]
        later = [at for at in places if at >= number]
        if earlier and later:
            start, end = max(earlier), min(later)
            share = (number - start) / max(end - start, 1)
            boxes[name] = blended_box(places[start], places[end], share)
    return camera, boxes


def _seen(scene: Scene, name: str) -> Box | None:
    """Where the photograph shows an object; edits of the scene do not count."""
    for item in scene.objects:
        if item.name == name and _own(scene, item):
            return item.appearance.box
    return None


def _own(scene: Scene, item: SceneObject) -> bool:
    return item.appearance.view == scene.background.view


def _own_masks(scene: Scene, camera: Camera) -> dict[str, NDArray[np.uint8]]:
    """The masks that were found or painted in the studio, at the frame's size."""
    return {
        item.name: _resized(item.appearance.mask.pixels, camera)
        for item in scene.objects
        if item.appearance.mask is not None and _own(scene, item)
    }


def _names(keys: Mapping[int, Scene]) -> dict[str, int]:
    """Mask values from 1, by the objects' names."""
    names = dict.fromkeys(
        item.name for _, scene in sorted(keys.items()) for item in scene.objects
    )
    return {name: value for value, name in enumerate(names, start=1)}


def _category(keys: Mapping[int, Scene], name: str) -> str:
    """What is said of an object anywhere, else its name."""
    for scene in keys.values():
        for item in scene.objects:
            if item.name == name and item.category:
                return item.category
    return name


def _resized(pixels: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    size = camera.width, camera.height
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
