"""MOVi-A to MOVi-F as published by Kubric: tfds shards, read without TensorFlow.

A folder with `dataset_info.json` and shards like `movi_e-train.tfrecord-00003-of-01024`, or one
that holds such a folder further down (`movi_e/256x256/1.0.0`). What is read of an example, with s
frames and n instances:

=================================  ================================================================
`video`, `segmentations`           s PNG pictures each; a segment's value is its instance + 1
`camera/focal_length`              millimetres, as is `camera/sensor_width`
`camera/positions`, `.../quaternions`  (s, 3), (s, 4): camera to world, axes x right, y up, looking
                                   along -z; quaternions are (w, x, y, z)
`instances/bboxes_3d`              (n, s, 8, 3) corners in the world, x slowest, z fastest
`instances/quaternions`            (n, s, 4)
`instances/category`               (n,) a label's number; `shape_label` in MOVi-A and MOVi-B
=================================  ================================================================

World: z up, the floor at z = 0, as ours. Source: github.com/google-research/kubric,
challenges/movi.
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.readers.annotating import (
    MAXIMUM_IDS,
    OPENGL_TO_OURS,
    ClipList,
    Item,
    annotated,
    at_index,
    box_around,
    damaged,
    names_of,
    posed_camera,
)
from neural_assets_core.data.readers.tfrecord import (
    Feature,
    map_record,
    read_example,
    record_offsets,
    verify_record,
)
from neural_assets_core.errors import UserError

SPLITS = {"train": ("train",), "heldout": ("validation", "test")}
"""Names of tfds by ours, the first that is there."""

CATEGORIES = (
    "Action Figures", "Bag", "Board Games", "Bottles and Cans and Cups", "Camera", "Car Seat",
    "Consumer Goods", "Hat", "Headphones", "Keyboard", "Legos", "Media Cases", "Mouse", "None",
    "Shoe", "Stuffed Toys", "Toys",
)  # fmt: skip
"""Labels of MOVi-C to MOVi-F, where no file of labels lies beside the shards."""

SHAPES = (
    "cube", "cylinder", "sphere", "cone", "torus", "gear", "torus_knot", "sponge", "spot",
    "teapot", "suzanne",
)  # fmt: skip
"""Labels of MOVi-B; MOVi-A has the first three."""

_LABELS = ("category", "shape_label")
_WANTED = frozenset(
    {
        "video", "segmentations", "camera/focal_length", "camera/sensor_width", "camera/positions",
        "camera/quaternions", "instances/bboxes_3d",
        "instances/quaternions", *(f"instances/{label}" for label in _LABELS),
    }
)  # fmt: skip


def movi_folder(path: Path) -> Path | None:
    """The folder with the shards in or under `path`; None if there is none."""
    for pattern in ("", "*/", "*/*/", "*/*/*/"):
        found = sorted(path.glob(f"{pattern}*.tfrecord*"))
        if found:
            return found[0].parent
    return None


class MoviClip:
    """One video, by its place in a shard."""

    def __init__(self, shard: Path, number: int, labels: dict[str, tuple[str, ...]]) -> None:
        self.shard, self.number, self.labels = shard, number, labels
        self.name = f"{shard.name}#{number}"

    def __len__(self) -> int:
        return len(self._example()["video"])

    def __getitem__(self, index: int) -> AnnotatedFrame:
        example = self._example()
        index = at_index(index, len(example["video"]))
        try:
            return self._frame(example, index)
        except (KeyError, ValueError, OSError, IndexError) as error:
            raise damaged(f"Clip {self.number} of {self.shard}", error) from None

    def verify(self) -> None:
        """Read all of the record, which frames alone do not, and compare its checksum.

        Raises
        ------
        UserError
            If it is damaged.
        """
        try:
            verify_record(self.shard, *_offsets(self.shard)[self.number])
        except (OSError, ValueError, IndexError) as error:
            raise damaged(self.shard, error) from None

    def _example(self) -> dict[str, Feature]:
        return _read(self.shard, self.number)

    def _frame(self, example: dict[str, Any], index: int) -> AnnotatedFrame:
        image = _picture(example["video"][index])
        mask = _picture(example["segmentations"][index], "L")
        height, width = mask.shape
        frames = len(example["video"])
        corners = np.asarray(example["instances/bboxes_3d"]).reshape(-1, frames, 8, 3)[:, index]
        turns = np.asarray(example["instances/quaternions"]).reshape(-1, frames, 4)[:, index]
        if len(corners) > MAXIMUM_IDS:
            raise ValueError("more instances than a mask can tell apart")
        categories = self._categories(example, len(corners))
        items = [
            Item(number, name, category, box_around(points, _matrix(turn)))
            for number, (name, category, points, turn) in enumerate(
                zip(names_of(categories), categories, corners, turns, strict=True), start=1
            )
        ]
        # Square pixels: the sensor is as high as the picture's proportions ask.
        focal = float(example["camera/focal_length"][0] / example["camera/sensor_width"][0]) * width
        pose = np.eye(4)
        quaternion = np.asarray(example["camera/quaternions"]).reshape(frames, 4)[index]
        pose[:3, :3] = _matrix(quaternion) @ OPENGL_TO_OURS
        pose[:3, 3] = np.asarray(example["camera/positions"]).reshape(frames, 3)[index]
        k = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        return annotated(image, posed_camera(width, height, k, pose), items, mask)

    def _categories(self, example: dict[str, Any], count: int) -> list[str]:
        for label in _LABELS:
            numbers = example.get(f"instances/{label}")
            if numbers is not None and len(numbers) == count:
                return [self.labels[label][int(number)] for number in numbers]
        return ["object"] * count


class MoviClips(ClipList[MoviClip]):
    """The videos of one split.

    Parameters
    ----------
    path : Path
        See `movi_folder`.
    split : {"train", "heldout"}

    Raises
    ------
    UserError
        If the split is not there or a shard is missing or damaged.
    """

    def __init__(self, path: Path, split: str) -> None:
        folder = movi_folder(path) or path
        shards: list[Path] = []
        for name in SPLITS[split]:
            shards = shards or sorted(folder.glob(f"*-{name}.tfrecord*"))
        if not shards:
            raise UserError(
                f"{folder} has no shards of the split {' or '.join(SPLITS[split])!r}: fetch them."
            )
        _check_shards(shards)
        lengths = _shard_lengths(folder, shards)
        labels = _labels(folder)
        super().__init__(
            [
                MoviClip(shard, number, labels)
                for shard, length in zip(shards, lengths, strict=True)
                for number in range(length)
            ]
        )


def _check_shards(shards: list[Path]) -> None:
    _, _, total = shards[0].name.rpartition("-of-")
    if total.isdigit() and int(total) != len(shards):
        raise UserError(
            f"{shards[0].parent} holds {len(shards)} of {int(total)} shards: fetch the rest."
        )


def _shard_lengths(folder: Path, shards: list[Path]) -> list[int]:
    """Records in each shard: as `dataset_info.json` says, else as counted."""
    split = shards[0].name.split(".tfrecord")[0].rpartition("-")[2]
    try:
        info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
        found = next(item for item in info["splits"] if item["name"] == split)
        lengths = [int(length) for length in found["shardLengths"]]
    except (OSError, ValueError, KeyError, StopIteration, TypeError):
        lengths = []
    if len(lengths) == len(shards):
        return lengths
    return [len(_offsets(shard)) for shard in shards]


def _labels(folder: Path) -> dict[str, tuple[str, ...]]:
    labels = {"category": CATEGORIES, "shape_label": SHAPES}
    for label in _LABELS:
        file = folder / f"instances-{label}.labels.txt"
        if file.is_file():
            labels[label] = tuple(file.read_text(encoding="utf-8").splitlines())
    return labels


@lru_cache(maxsize=4096)
def _offsets(shard: Path) -> list[tuple[int, int]]:
    try:
        return record_offsets(shard)
    except (OSError, ValueError) as error:
        raise damaged(shard, error) from None


@lru_cache(maxsize=2)
def _read(shard: Path, number: int) -> dict[str, Feature]:
    """The example, kept for the other frames that are asked for next.

    A record holds tens of megabytes of depth and flow besides: only what is asked for is read.
    """
    offsets = _offsets(shard)
    if number >= len(offsets):
        raise damaged(shard, f"it has {len(offsets)} records")
    try:
        example = read_example(map_record(shard, *offsets[number]), _WANTED)
    except (OSError, ValueError) as error:
        raise damaged(shard, error) from None
    missing = _WANTED - example.keys() - {f"instances/{label}" for label in _LABELS}
    if missing:
        raise damaged(shard, f"record {number} has no {min(missing)}")
    return example


def _picture(data: memoryview, mode: str = "RGB") -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as opened:
        return np.array(opened.convert(mode), dtype=np.uint8)


def _matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(Rotation.from_quat(quaternion, scalar_first=True).as_matrix())
