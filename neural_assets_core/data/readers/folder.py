"""A plain folder of one's own footage.

Layout::

    DIR/CLIP/clip.json     one for each clip; the folder's name is the clip's
    DIR/CLIP/...           pictures, masks, or a video

`clip.json`, in metres, the world right-handed with z up::

    {
      "format": "neural-assets-clip",
      "video": "walk.mp4",                      only without pictures
      "camera": {                               for all frames; a frame may have its own
        "intrinsics": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]],
        "world_to_camera": [[4 numbers] x 4]
      },
      "objects": [                              for all frames; a frame may have its own
        {"name": "cup", "category": "cup", "mask_value": 1,
         "center": [x, y, z], "size": [x, y, z], "rotation": [w, x, y, z]}
      ],
      "frames": [
        {"picture": "0001.jpg", "mask": "0001.png", "camera": {...}, "objects": [...]}
      ]
    }

Intrinsics are in pixels of the picture, counted from its corner: the middle of the first pixel is
(0.5, 0.5). Camera axes are x right, y down, z forward, and `camera_to_world` may stand in the
place of `world_to_camera`. `size` are full extents along the box's own axes. A mask is an 8-bit
picture whose pixels hold `mask_value`, 0 for the background; without masks, a box's silhouette
counts as its object. An object is the same in all frames by its name. In a frame of a video,
"number" counts its frames from 0.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.readers.annotating import (
    MAXIMUM_IDS,
    ClipList,
    Item,
    annotated,
    at_index,
    damaged,
    posed_camera,
)
from neural_assets_core.data.readers.video import video_frame
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Quaternion, Vector3
from neural_assets_core.geometry.camera import Matrix3, Matrix4
from neural_assets_core.scene.validation import describe

CLIP_FORMAT = "neural-assets-clip"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Camera(_Part):
    intrinsics: Matrix3
    world_to_camera: Matrix4 | None = None
    camera_to_world: Matrix4 | None = None

    @model_validator(mode="after")
    def _one_pose(self) -> _Camera:
        if (self.world_to_camera is None) == (self.camera_to_world is None):
            raise ValueError("a camera needs world_to_camera or camera_to_world")
        return self

    def of_size(self, width: int, height: int) -> Camera:
        if self.camera_to_world is not None:
            pose = np.asarray(self.camera_to_world, dtype=np.float64)
        else:
            pose = np.linalg.inv(np.asarray(self.world_to_camera, dtype=np.float64))
        return posed_camera(width, height, np.asarray(self.intrinsics), pose)


class _Object(_Part):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    category: str = "object"
    mask_value: Annotated[int, Field(ge=1, le=MAXIMUM_IDS)] | None = None
    center: Vector3
    size: Vector3
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)


class _Frame(_Part):
    picture: str | None = None
    number: Annotated[int, Field(ge=0)] | None = None
    mask: str | None = None
    camera: _Camera | None = None
    objects: tuple[_Object, ...] | None = None


class _Clip(_Part):
    format: Literal["neural-assets-clip"]
    video: str | None = None
    camera: _Camera | None = None
    objects: tuple[_Object, ...] = ()
    frames: Annotated[tuple[_Frame, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> _Clip:
        for number, frame in enumerate(self.frames):
            if self.camera is None and frame.camera is None:
                raise ValueError(f"frame {number} has no camera")
            if frame.picture is None and (self.video is None or frame.number is None):
                raise ValueError(f"frame {number} has neither a picture nor a number in a video")
        return self


class FolderClip:
    """One folder of footage."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name

    def __len__(self) -> int:
        return len(_read(self.path).frames)

    def __getitem__(self, index: int) -> AnnotatedFrame:
        clip = _read(self.path)
        frame = clip.frames[at_index(index, len(clip.frames))]
        try:
            image = self._image(clip, frame)
            height, width = image.shape[:2]
            told = frame.camera or clip.camera
            assert told is not None
            camera = told.of_size(width, height)
            objects = clip.objects if frame.objects is None else frame.objects
            numbers = _numbers(self.path)
            items = [
                Item(
                    numbers[item.name],
                    item.name,
                    item.category,
                    Box(center=item.center, size=item.size, rotation=item.rotation),
                )
                for item in objects
            ]
            mask = None if frame.mask is None else self._mask(frame.mask, objects, (height, width))
            return annotated(image, camera, items, mask)
        except (ValueError, OSError) as error:
            raise damaged(self.path / "clip.json", error) from None

    def _image(self, clip: _Clip, frame: _Frame) -> NDArray[np.uint8]:
        if frame.picture is not None:
            with Image.open(self._inside(frame.picture)) as opened:
                return np.array(opened.convert("RGB"), dtype=np.uint8)
        assert clip.video is not None
        assert frame.number is not None
        pixels, quarters = video_frame(self._inside(clip.video), frame.number)
        return np.ascontiguousarray(np.rot90(pixels, -quarters))

    def _mask(
        self, name: str, objects: tuple[_Object, ...], shape: tuple[int, int]
    ) -> NDArray[np.uint8]:
        with Image.open(self._inside(name)) as opened:
            values = np.array(opened.convert("L") if opened.mode != "P" else opened)
        if values.shape != shape:
            raise ValueError(f"{name} has another size than its picture")
        ids = np.zeros(shape, dtype=np.uint8)
        for item in objects:
            if item.mask_value is not None:
                ids[values == item.mask_value] = _numbers(self.path)[item.name]
        return ids

    def _inside(self, name: str) -> Path:
        file = (self.path / name).resolve()
        if not file.is_relative_to(self.path.resolve()):
            raise ValueError(f"{name} lies outside of the clip's folder")
        if not file.is_file():
            raise UserError(f"There is no {file}, which {self.path / 'clip.json'} names: add it.")
        return file


class FolderClips(ClipList[FolderClip]):
    """All clips of a folder.

    Raises
    ------
    UserError
        If there is none.
    """

    def __init__(self, path: Path) -> None:
        folders = sorted(file.parent for file in path.glob("*/clip.json"))
        if not folders:
            raise UserError(f"{path} has no CLIP/clip.json: see the documentation of the format.")
        super().__init__([FolderClip(folder) for folder in folders])


@lru_cache(maxsize=64)
def _read(path: Path) -> _Clip:
    file = path / "clip.json"
    try:
        return _Clip.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"There is no {file}: check the folder.") from None
    except ValidationError as error:
        raise UserError(f"{file}: {describe(error)}: correct it.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}): correct it.") from None


@lru_cache(maxsize=64)
def _numbers(path: Path) -> dict[str, int]:
    """Ids from 1, by name, the same in all frames."""
    clip = _read(path)
    every = [clip.objects, *(frame.objects or () for frame in clip.frames)]
    names = dict.fromkeys(item.name for objects in every for item in objects)
    if len(names) > MAXIMUM_IDS:
        raise UserError(f"{path / 'clip.json'} has more than {MAXIMUM_IDS} objects: split it.")
    return {name: number for number, name in enumerate(names, start=1)}
