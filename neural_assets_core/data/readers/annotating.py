"""What all readers share: annotated frames from pictures, cameras and boxes; numbers checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from neural_assets_core.data.dataset import (
    GROUND,
    AnnotatedFrame,
    FrameClip,
    ObjectAnnotation,
    visible_region,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import CORNER_SIGNS, MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.scene.validation import describe

ClipKind = TypeVar("ClipKind", bound=FrameClip)

OPENGL_TO_OURS = np.diag([1.0, -1.0, -1.0])
"""Camera axes x right, y up, z backward to x right, y down, z forward; its own inverse."""

MAXIMUM_IDS = 255
"""Mask pixels have 8 bits."""


@dataclass(frozen=True)
class Item:
    """An object of one frame; `id` is the same in all frames of a clip, from 1."""

    id: int
    name: str
    category: str
    box: Box


class ClipList(Generic[ClipKind]):
    """Clips of one data set, in a fixed order."""

    def __init__(self, clips: Sequence[ClipKind]) -> None:
        self._clips = tuple(clips)

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> ClipKind:
        return self._clips[index]

    def __iter__(self) -> Iterator[ClipKind]:
        return iter(self._clips)


def annotated(
    image: NDArray[np.uint8],
    camera: Camera,
    items: Sequence[Item],
    mask: NDArray[np.uint8] | None = None,
    ground: tuple[float, float, float, float] = GROUND,
) -> AnnotatedFrame:
    """An annotated frame of what is in front of the camera.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
    camera : Camera
        Of the image's size.
    items : sequence of Item
        Those that reach behind the camera are left out.
    mask : uint8 array (height, width), optional
        Pixel value = object id. Without it the boxes' silhouettes, the nearest first.
    ground : tuple of 4 floats
        See `AnnotatedFrame`.
    """
    seen = [item for item in items if not behind_camera(camera, item.box)]
    silhouettes = np.zeros((camera.height, camera.width), dtype=np.uint8)
    depth = np.full(silhouettes.shape, np.inf)
    whole: dict[int, int] = {}
    for item in seen:
        hits = cast_box(camera, item.box)
        at = hits.rect.slices
        whole[item.id] = int(hits.hit.sum())
        nearer = hits.hit & (hits.entry_depth < depth[at])
        depth[at][nearer] = hits.entry_depth[nearer]
        silhouettes[at][nearer] = item.id
    ids = silhouettes if mask is None else mask
    return AnnotatedFrame(
        image=image,
        mask=ids,
        camera=camera,
        objects=tuple(
            ObjectAnnotation(
                id=item.id,
                name=item.name,
                category=item.category,
                box=item.box,
                region=visible_region(ids, item.id),
                # An object fills some of its box: this is at most too low.
                visible_fraction=min(1.0, int((ids == item.id).sum()) / max(whole[item.id], 1)),
            )
            for item in seen
        ),
        ground=ground,
        measured=mask is not None,
    )


def placed_box(center: Float, size: Float, rotation: Float) -> Box:
    """A box from its centre (3,), full extents (3,) and box-to-world rotation (3, 3).

    Extents under the smallest that a box may have are raised to it.
    """
    quaternion = Rotation.from_matrix(rotation).as_quat(scalar_first=True)
    return Box(
        center=_three(center),
        size=_three(np.maximum(size, MINIMUM_EXTENT)),
        rotation=(
            float(quaternion[0]),
            float(quaternion[1]),
            float(quaternion[2]),
            float(quaternion[3]),
        ),
    )


def box_around(corners: Float, rotation: Float) -> Box:
    """The box with these corners (8, 3) in our order, and the axes of `rotation` (3, 3).

    Raises
    ------
    ValueError
        If the corners are not those of such a box: another order, or another rotation.
    """
    center = corners.mean(axis=0)
    local = (corners - center) @ rotation
    half = np.abs(local).max(axis=0)
    if not np.allclose(local, CORNER_SIGNS * half, atol=0.02 * float(half.max()) + 1e-6):
        raise ValueError("the corners of a box are not in order, or do not fit its rotation")
    return placed_box(center, 2 * half, rotation)


def posed_camera(width: int, height: int, k: Float, camera_to_world: Float) -> Camera:
    """A camera from the pose (4, 4) of our camera axes in the world; rounding is cleaned away."""
    left, _, right = np.linalg.svd(camera_to_world[:3, :3])
    rotation = left @ right
    if not np.allclose(rotation, camera_to_world[:3, :3], atol=1e-2):
        raise ValueError("a camera's pose is no rotation and shift")
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = rotation.T
    extrinsics[:3, 3] = -rotation.T @ camera_to_world[:3, 3]
    return Camera.from_matrices(width, height, k, extrinsics)


def names_of(categories: Sequence[str]) -> list[str]:
    """Names that are unique in a clip: "cup 1", "cup 2", "shoe 1"."""
    seen: dict[str, int] = {}
    names = []
    for category in categories:
        seen[category] = seen.get(category, 0) + 1
        names.append(f"{category} {seen[category]}")
    return names


def at_index(index: int, count: int) -> int:
    """A frame's number from 0, of an index that may count from the end."""
    if not -count <= index < count:
        raise IndexError(index)
    return index % count


def damaged(what: object, reason: object) -> UserError:
    """A file that is not what it should be."""
    told = describe(reason) if isinstance(reason, ValidationError) else str(reason)
    told = " ".join(told.split())[:200]
    return UserError(
        f"{what} is damaged or of another format ({told}): correct it, or fetch it again."
    )


def _three(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return (x, y, z)
