"""An edit as changes of one object each: what methods that know no whole scenes are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.conditioning import pose_corners
from neural_assets_core.scene import Appearance, Scene

F32 = NDArray[np.float32]

CHANGE_NUMBERS = 39
"""Corners before (12) and after (12), rotation (9) and shift (3) between, what it is (3)."""

MOVED, REMOVED, CAMERA = np.eye(3, dtype=np.float32)

CONTEXT = 1.15
"""Side of the square that shows an object, in longer sides of what its box covers."""


@dataclass(frozen=True)
class Change:
    """What happens to one object.

    Attributes
    ----------
    name : str
        For messages.
    appearance : Appearance
    before : Box or None
        Where the background's picture shows it; None if it does not.
    after : Box or None
        Where it is to stand; None if it is removed.
    """

    name: str
    appearance: Appearance
    before: Box | None
    after: Box | None


def changes_of(scene: Scene) -> list[Change]:
    """The changes that turn the scene's source picture into the scene; its camera's is none.

    Removals come first, then the others from far to near, so that the near ones end up on top.
    """
    there = list(scene.background.occluders)
    placed, came = [], []
    for item in scene.objects:
        if item.appearance in there:
            # A copy of it is a further object, that nothing shows yet.
            there.remove(item.appearance)
            if item.box != item.appearance.box:
                placed.append(
                    Change(item.name, item.appearance, item.appearance.box, item.box)
                )
        else:
            came.append(Change(item.name, item.appearance, None, item.box))
    gone = [Change("a removed object", old, old.box, None) for old in there]
    # Sorting leaves what is equally far in its order.
    return sorted([*gone, *placed, *came], key=lambda change: distance(change, scene.camera))


def distance(change: Change, camera: Camera) -> float:
    """A key that sorts changes from far to near, removals first."""
    if change.after is None:
        return -np.inf
    return -float(camera.to_camera(np.asarray(change.after.center))[2])


def camera_changed(scene: Scene) -> bool:
    """Whether the scene is seen by another camera than its source picture was."""
    return scene.camera != scene.background.view.camera


def change_numbers(
    before: Box, seen_by: Camera, after: Box | None, camera: Camera
) -> F32:
    """(39,) one object's change: its box as `seen_by` sees it, and as `camera` is to see it."""
    corners = pose_corners(before, seen_by).ravel()
    if after is None:
        return np.concatenate([corners, np.zeros(24, dtype=np.float32), REMOVED])
    first = seen_by.extrinsics[:3, :3] @ before.rotation_matrix()
    second = camera.extrinsics[:3, :3] @ after.rotation_matrix()
    shift = camera.to_camera(np.asarray(after.center)) - seen_by.to_camera(
        np.asarray(before.center)
    )
    relative = np.concatenate([(second @ first.T).ravel(), shift]).astype(np.float32)
    return np.concatenate([corners, pose_corners(after, camera).ravel(), relative, MOVED])


def camera_numbers(source: Camera, target: Camera) -> F32:
    """(39,) the camera's change, in the same form."""
    relative = target.extrinsics @ source.camera_to_world
    pose = np.concatenate([relative[:3, :3].ravel(), relative[:3, 3]]).astype(np.float32)
    return np.concatenate([np.zeros(24, dtype=np.float32), pose, CAMERA])


def padded(rows: Sequence[F32], most: int) -> tuple[F32, NDArray[np.bool_]]:
    """`rows` (at most `most`) as (most, 39), and which of them are real."""
    numbers = np.zeros((most, CHANGE_NUMBERS), dtype=np.float32)
    for index, row in enumerate(rows):
        numbers[index] = row
    return numbers, np.arange(most) < len(rows)


# -- an object's own picture ---------------------------------------------------------------------


def object_camera(camera: Camera, box: Box, size: int) -> Camera:
    """The square part of the camera's picture around a box, at `size` pixels a side."""
    corners = camera.project(box.corners())[:, :2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = max(2, int(np.ceil(CONTEXT * float((high - low).max()))))
    left, top = (low + high - side) / 2
    return camera.cropped(float(left), float(top), side, side).resized(size, size)


def seen_through(
    image: NDArray[np.uint8], camera: Camera, window: Camera, beyond: int
) -> NDArray[np.uint8]:
    """What `window` (a part of `camera`'s view) shows of the camera's picture.

    Beyond the picture's edges everything is `beyond`.
    """
    # More samples first, then means of them: a picture made smaller would alias otherwise.
    factor = (camera.k @ np.linalg.inv(window.k))[0, 0]
    more = max(1, min(4, int(np.ceil(factor))))
    fine = window.resized(more * window.width, more * window.height)
    matrix = _pixel_map(fine, camera)
    border = (beyond,) * (1 if image.ndim == 2 else 3)
    warped = cv2.warpAffine(
        image, matrix, (fine.width, fine.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=border,
    )
    size = (window.width, window.height)
    return np.asarray(cv2.resize(warped, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def put_into(
    picture: NDArray[np.uint8],
    camera: Camera,
    part: NDArray[np.uint8],
    alpha: F32,
    window: Camera,
) -> NDArray[np.uint8]:
    """The camera's picture with `part`, what `window` shows, laid over it by `alpha` (h, w)."""
    matrix, size = _pixel_map(camera, window), (camera.width, camera.height)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colour = cv2.warpAffine(part, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(alpha, matrix, size, flags=flags, borderValue=0.0)[..., None]
    return np.asarray(np.round(cover * colour + (1 - cover) * picture), dtype=np.uint8)


def _pixel_map(source: Camera, target: Camera) -> NDArray[np.float64]:
    """(2, 3) from pixels of `source` to those of `target`, both of one view.

    OpenCV takes pixel centres as whole numbers.
    """
    matrix = (target.k @ np.linalg.inv(source.k))[:2]
    matrix[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5
    return np.asarray(matrix)
