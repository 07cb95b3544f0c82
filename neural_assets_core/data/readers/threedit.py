"""OBJect, the data set of 3DIT: pictures before and after one edit of one object.

Layout as published: `DIR/TASK/train/UID` and `DIR/TASK/{val,test}/{seen,unseen}/UID`, each with
`1.png`, `2.png`, `1_mask.png`, `2_mask.png` and `metadata.json`; tasks are translate, rotate and
remove. A clip is one such pair: frame 0 before, frame 1 after.

Mask colours are those of the qualitative palette "Set1": the first is the background, the second
the edited object, `object_data[0]`, the others follow `object_data`. Of `metadata.json`
`object_data[].category` and `rotation_angle` (degrees about the vertical) are read.

**Neither cameras nor 3D boxes are published.** Boxes are estimated: a camera with Blender's
default lens (50 mm on 36 mm) that looks down by 30 degrees, objects that stand on the ground,
upright and facing the camera; each box fills its mask's rectangle and is as deep as it is wide.
The size found before the edit is kept after it. Lengths are relative: the camera is 2 m above the
ground. Fit for training on these pairs and for 2D measures; not for anything in metres.

Source: github.com/allenai/object-edit.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neural_assets_core.data.dataset import AnnotatedFrame, visible_region
from neural_assets_core.data.readers.annotating import (
    ClipList,
    Item,
    annotated,
    at_index,
    damaged,
    names_of,
    placed_box,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float

TASKS = ("translate", "rotate", "remove")
SPLITS = {"train": ("train",), "heldout": ("val/seen", "val/unseen")}

PALETTE = np.array(
    [
        (228, 26, 28), (55, 126, 184), (77, 175, 74), (152, 78, 163), (255, 127, 0),
        (255, 255, 51), (166, 86, 40), (247, 129, 191), (153, 153, 153),
    ]
)  # fmt: skip
"""Mask colours: background, then objects."""

LENS = 50.0 / 36.0
"""Focal length over the picture's longer side."""
PITCH = math.radians(30.0)
CAMERA_HEIGHT = 2.0
_FARTHEST = 40.0
_SMALLEST = 4
"""Fewest mask pixels a side of an object whose box can be told."""


class EditClip:
    """One sample: the picture before and the picture after."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> AnnotatedFrame:
        index = at_index(index, 2)
        try:
            before = _mask(self.folder / "1_mask.png")
            ids = before if index == 0 else _mask(self.folder / "2_mask.png")
            with Image.open(self.folder / f"{index + 1}.png") as opened:
                image = np.array(opened.convert("RGB"), dtype=np.uint8)
            if image.shape[:2] != ids.shape:
                raise ValueError("a mask has another size than its picture")
            metadata = json.loads((self.folder / "metadata.json").read_text(encoding="utf-8"))
            return annotated(image, nominal_camera(*image.shape[1::-1]),
                             _items(metadata, before, ids, after=index == 1), ids)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(self.folder, error) from None


class EditClips(ClipList[EditClip]):
    """The samples of all tasks of one split that are there.

    Raises
    ------
    UserError
        If there are none.
    """

    def __init__(self, path: Path, split: str) -> None:
        clips = []
        for task in TASKS:
            for part in SPLITS[split]:
                files = sorted((path / task / part).glob("*/metadata.json"))
                clips += [EditClip(file.parent, f"{task}/{file.parent.name}") for file in files]
        if not clips:
            parts = " or ".join(SPLITS[split])
            raise UserError(f"{path} has no TASK/{parts}/UID/metadata.json: unpack the archives.")
        super().__init__(clips)


def nominal_camera(width: int, height: int) -> Camera:
    """The camera that is assumed of every picture."""
    focal = LENS * max(width, height)
    fov = 2 * math.atan(height / (2 * focal))
    ahead = CAMERA_HEIGHT / math.tan(PITCH)
    return Camera.looking_at((0.0, -ahead, CAMERA_HEIGHT), (0.0, 0.0, 0.0), width, height, fov)


def estimated_box(
    camera: Camera, region: tuple[float, float, float, float], size: Float | None = None
) -> Box | None:
    """The upright box that stands on the ground and fills a rectangle.

    Parameters
    ----------
    camera : Camera
    region : tuple of 4 floats
        (x0, y0, x1, y1) as fractions of the picture.
    size : array (3,), optional
        Known already: then the rectangle says where it stands.

    Returns
    -------
    Box or None
        None if the rectangle lies above the horizon or too far away.
    """
    x0, y0, x1, y1 = np.asarray(region) * np.tile([camera.width, camera.height], 2)
    middle = (x0 + x1) / 2
    origin, rays = camera.rays(np.array([[middle, y1], [x0, y1], [x1, y1], [middle, y0]]))
    if rays[0, 2] >= 0 or -origin[2] / rays[0, 2] > _FARTHEST:
        return None
    foot = origin - origin[2] / rays[0, 2] * rays[0]
    # What touches the rectangle's lower edge is the box's front edge on the ground.
    if size is None:
        distance = foot[1] - origin[1]
        across = rays[1:3, 0] / rays[1:3, 1] * distance
        width = float(across[1] - across[0])
        back = distance + width
        # The upper edge is the back's if it is seen from above, else the front's.
        top = origin[2] + rays[3, 2] / rays[3, 1] * (back if rays[3, 2] < 0 else distance)
        size = np.array([width, width, max(float(top), 0.1 * width)])
    center = np.array([foot[0], foot[1] + size[1] / 2, size[2] / 2])
    return placed_box(center, size, np.eye(3))


def _items(
    metadata: dict[str, Any], before: NDArray[np.uint8], ids: NDArray[np.uint8], *, after: bool
) -> list[Item]:
    categories = [str(item.get("category", "object")) for item in metadata["object_data"]]
    camera = nominal_camera(ids.shape[1], ids.shape[0])
    items = []
    for number, name in enumerate(names_of(categories), start=1):
        first = _box(camera, before, number)
        box = _box(camera, ids, number, None if first is None else np.asarray(first.size))
        if box is None:
            continue
        if after and number == 1 and first is not None and "rotation_angle" in metadata:
            # It turns on the spot; its outline changes all the same.
            box = first.rotated((0, 0, 1), math.radians(float(metadata["rotation_angle"])))
        items.append(Item(number, name, categories[number - 1], box))
    return items


def _box(
    camera: Camera, ids: NDArray[np.uint8], number: int, size: Float | None = None
) -> Box | None:
    region = visible_region(ids, number)
    x0, y0, x1, y1 = region
    if (x1 - x0) * camera.width < _SMALLEST or (y1 - y0) * camera.height < _SMALLEST:
        return None
    return estimated_box(camera, region, size)


def _mask(path: Path) -> NDArray[np.uint8]:
    """Object ids of a mask in colours; what is transparent is background."""
    with Image.open(path) as opened:
        pixels = np.array(opened.convert("RGBA"), dtype=np.int32)
    difference = pixels[..., None, :3] - PALETTE
    nearest: NDArray[np.uint8] = np.square(difference).sum(-1).argmin(-1).astype(np.uint8)
    nearest[pixels[..., 3] < 128] = 0
    return nearest
