"""Waymo Open Dataset v2: Parquet component tables, the front camera's pictures.

`DIR/training/COMPONENT/SEGMENT.parquet` (`validation` is held out), or a folder that holds the
components themselves. Read are `camera_image`, `camera_calibration`, `lidar_box` and, where it is
there, `lidar_camera_synced_box`, whose boxes are moved to when the camera saw them.

Vehicle frame: x forward, y left, z up, metres; a box's heading turns its own x (its length) about
z. Camera frame: x forward, y left, z up; `extrinsic` is camera to vehicle, row-major. The world is
the vehicle frame of the clip's first picture. Pictures are undistorted, by the calibration's
coefficients (OpenCV's), to the pinhole camera with the same focal lengths and centre. Pixel
positions count from the picture's corner.

Source: github.com/waymo-research/waymo-open-dataset, waymo_open_dataset/v2/perception.
"""

from __future__ import annotations

import io
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray
from PIL import Image

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.readers.annotating import (
    MAXIMUM_IDS,
    ClipList,
    Item,
    annotated,
    at_index,
    damaged,
    placed_box,
    posed_camera,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.checks import behind_camera, outside_picture

FRONT = 1
SPLITS = {"train": "training", "heldout": "validation"}
CATEGORIES = {1: "vehicle", 2: "pedestrian", 3: "sign", 4: "cyclist"}

CAMERA_AXES = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Columns: right, down and forward in axes x forward, y left, z up."""

_IMAGE = "[CameraImageComponent]"
_CALIBRATION = "[CameraCalibrationComponent]"
_LIDAR = "[LiDARBoxComponent]"
_SYNCED = "[LiDARCameraSyncedBoxComponent]"
_TIME, _CAMERA, _OBJECT = "key.frame_timestamp_micros", "key.camera_name", "key.laser_object_id"
_BOX = ("center.x", "center.y", "center.z", "size.x", "size.y", "size.z", "heading")

Rows = list[dict[str, Any]]


class WaymoClip:
    """What the front camera saw in one segment."""

    def __init__(self, folder: Path, segment: str) -> None:
        self.folder, self.name = folder, segment

    def __len__(self) -> int:
        return len(self._poses())

    def __getitem__(self, index: int) -> AnnotatedFrame:
        poses = self._poses()
        times = sorted(poses)
        time = times[at_index(index, len(times))]
        try:
            # Vehicle to world.
            vehicle = np.linalg.inv(poses[times[0]]) @ poses[time]
            image, camera = self._picture(time, vehicle)
            items = self._items(time, vehicle, camera)
            return annotated(image, camera, items)
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise damaged(f"Segment {self.name} in {self.folder}", error) from None

    def _poses(self) -> dict[int, Float]:
        """Vehicle to global (4, 4), by the time of the front camera's pictures."""
        return _poses(self.folder / "camera_image" / f"{self.name}.parquet")

    def _picture(self, time: int, vehicle: Float) -> tuple[NDArray[np.uint8], Camera]:
        row = _rows(
            self.folder / "camera_image" / f"{self.name}.parquet",
            [f"{_IMAGE}.image"],
            [(_CAMERA, "=", FRONT), (_TIME, "=", time)],
        )[0]
        with Image.open(io.BytesIO(row[f"{_IMAGE}.image"])) as opened:
            image = np.array(opened.convert("RGB"), dtype=np.uint8)
        told = _calibration(self.folder / "camera_calibration" / f"{self.name}.parquet")
        width, height = int(told["width"]), int(told["height"])
        if image.shape[:2] != (height, width):
            raise ValueError(f"a picture of {image.shape[1]} x {image.shape[0]} pixels")
        k = np.eye(3)
        k[0, 0], k[1, 1] = told["intrinsic.f_u"], told["intrinsic.f_v"]
        k[:2, 2] = told["intrinsic.c_u"], told["intrinsic.c_v"]
        distortion = [told[f"intrinsic.{name}"] for name in ("k1", "k2", "p1", "p2", "k3")]
        extrinsic = _matrix(told["extrinsic.transform"])
        extrinsic[:3, :3] = extrinsic[:3, :3] @ CAMERA_AXES
        camera = posed_camera(width, height, k, vehicle @ extrinsic)
        return _undistorted(image, k, np.array(distortion)), camera

    def _items(self, time: int, vehicle: Float, camera: Camera) -> list[Item]:
        numbers = _numbers(self.folder, self.name)
        items = []
        for key, category, box in _boxes(self.folder, self.name).get(time, []):
            if key not in numbers:
                continue
            placed = _moved(box, vehicle)
            if not behind_camera(camera, placed) and not outside_picture(camera, placed):
                number = numbers[key]
                items.append(Item(number, f"{category} {number}", category, placed))
        return items


class WaymoClips(ClipList[WaymoClip]):
    """The segments of one split.

    Raises
    ------
    UserError
        If a component or all segments are missing.
    """

    def __init__(self, path: Path, split: str) -> None:
        folder = path / SPLITS[split]
        if not folder.is_dir():
            folder = path
        for component in ("camera_image", "camera_calibration", "lidar_box"):
            if not (folder / component).is_dir():
                raise UserError(f"{folder} has no component {component}: fetch it.")
        segments = sorted(file.stem for file in (folder / "camera_image").glob("*.parquet"))
        if not segments:
            raise UserError(f"{folder / 'camera_image'} has no Parquet files: fetch some.")
        super().__init__([WaymoClip(folder, segment) for segment in segments])


def _rows(path: Path, columns: list[str], filters: list[tuple[str, str, int]]) -> Rows:
    try:
        table = pyarrow.parquet.read_table(path, columns=columns, filters=filters or None)
    except FileNotFoundError:
        raise UserError(f"There is no {path}: fetch it.") from None
    except (pyarrow.ArrowException, OSError, KeyError, ValueError) as error:
        raise damaged(path, error) from None
    missing = set(columns) - set(table.column_names)
    if missing:
        raise damaged(path, f"it has no column {min(missing)}")
    rows: Rows = table.to_pylist()
    return rows


@lru_cache(maxsize=256)
def _poses(path: Path) -> dict[int, Float]:
    rows = _rows(path, [_TIME, f"{_IMAGE}.pose.transform"], [(_CAMERA, "=", FRONT)])
    if not rows:
        raise damaged(path, "no picture of the front camera")
    return {int(row[_TIME]): _matrix(row[f"{_IMAGE}.pose.transform"]) for row in rows}


@lru_cache(maxsize=256)
def _calibration(path: Path) -> dict[str, Any]:
    numbers = [
        *(f"intrinsic.{name}" for name in ("f_u", "f_v", "c_u", "c_v")),
        *(f"intrinsic.{name}" for name in ("k1", "k2", "p1", "p2", "k3")),
        "extrinsic.transform", "width", "height",
    ]  # fmt: skip
    rows = _rows(path, [f"{_CALIBRATION}.{name}" for name in numbers], [(_CAMERA, "=", FRONT)])
    if not rows:
        raise damaged(path, "no front camera")
    return {name: rows[0][f"{_CALIBRATION}.{name}"] for name in numbers}


@lru_cache(maxsize=16)
def _boxes(folder: Path, segment: str) -> dict[int, list[tuple[str, str, Box]]]:
    """By time: id, category and box in the vehicle's frame."""
    name = f"{segment}.parquet"
    kinds, columns = f"{_LIDAR}.type", [f"{_LIDAR}.box.{part}" for part in _BOX]
    rows = _rows(folder / "lidar_box" / name, [_TIME, _OBJECT, kinds, *columns], [])
    kind = {row[_OBJECT]: CATEGORIES.get(int(row[kinds]), "object") for row in rows}
    if (folder / "lidar_camera_synced_box" / name).is_file():
        columns = [f"{_SYNCED}.camera_synced_box.{part}" for part in _BOX]
        rows = _rows(
            folder / "lidar_camera_synced_box" / name,
            [_TIME, _OBJECT, *columns],
            [(f"{_SYNCED}.most_visible_camera_name", "=", FRONT)],
        )
    found: dict[int, list[tuple[str, str, Box]]] = {}
    for row in rows:
        values = np.array([row[column] for column in columns], dtype=np.float64)
        box = placed_box(values[:3], values[3:6], _heading(values[6]))
        entry = (row[_OBJECT], kind.get(row[_OBJECT], "object"), box)
        found.setdefault(int(row[_TIME]), []).append(entry)
    return found


@lru_cache(maxsize=16)
def _numbers(folder: Path, segment: str) -> dict[str, int]:
    """Ids from 1; where there are too many for a mask, of those that are there for longest."""
    seen = Counter(key for boxes in _boxes(folder, segment).values() for key, _, _ in boxes)
    kept = sorted(seen, key=lambda key: (-seen[key], key))[:MAXIMUM_IDS]
    return {key: number for number, key in enumerate(sorted(kept), start=1)}


def _moved(box: Box, transform: Float) -> Box:
    center = transform[:3, :3] @ np.asarray(box.center) + transform[:3, 3]
    return placed_box(center, np.asarray(box.size), transform[:3, :3] @ box.rotation_matrix())


def _heading(angle: float) -> Float:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _matrix(values: Any) -> Float:
    return np.array(values, dtype=np.float64).reshape(4, 4)


def _undistorted(image: NDArray[np.uint8], k: Float, distortion: Float) -> NDArray[np.uint8]:
    if not distortion.any():
        return image
    # OpenCV counts from the middle of the first pixel.
    centered = k.copy()
    centered[:2, 2] -= 0.5
    return np.asarray(cv2.undistort(image, centered, distortion), dtype=np.uint8)
