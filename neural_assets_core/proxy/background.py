"""The background: the source picture without its objects, carried to the camera of the scene."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR
from neural_assets_core.proxy.sampling import grown_mask, shrinkage, shrunk
from neural_assets_core.scene import Appearance, Background, Scene, View

FAR = 60.0
"""Metres beyond which the ground counts as infinitely far when the camera moves."""


def is_untouched(scene: Scene, appearance: Appearance) -> bool:
    """Whether the object seen there still stands exactly where the background view shows it."""
    return bool(untouched(scene, (appearance,)))


def untouched(scene: Scene, appearances: Iterable[Appearance]) -> frozenset[Appearance]:
    """Those of some objects that still stand exactly where the background view shows them."""
    if scene.camera.world_to_camera != scene.background.view.camera.world_to_camera:
        return frozenset()
    standing = {(item.box, item.appearance) for item in scene.objects}
    return frozenset(one for one in appearances if (one.box, one) in standing)


def draw_background(
    background: Background, camera: Camera, untouched: Collection[Appearance], plate: View
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """A plate of the background seen by `camera`, where it is made up, and where it shows objects.

    `untouched` are those of the background's objects that still stand where it shows them. What
    lies beyond the plate's edges is filled from the nearest background.
    """
    view = background.view
    source = shrunk(plate, shrinkage(view.camera, camera))
    hidden = np.zeros(source.pixels.shape[:2], dtype=np.uint8)
    shown = np.zeros_like(hidden)
    for occluder in background.occluders:
        mask = grown_mask(occluder, source.pixels.shape[1], source.pixels.shape[0])
        if occluder in untouched:
            shown |= mask
        else:
            hidden |= mask
    if camera == view.camera:
        # Nothing to carry anywhere: the source's own pixels, and no work on large photographs.
        return source.pixels.copy(), hidden > 64, shown > 64
    maps = _maps(view.camera, camera, source.pixels)
    picture = cv2.remap(
        source.pixels, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    unseen = cv2.remap(hidden, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = np.asarray(
        cv2.remap(np.full_like(hidden, 255), maps, None, cv2.INTER_LINEAR)
    ) > 190
    objects = np.asarray(cv2.remap(shown, maps, None, cv2.INTER_LINEAR)) > 64
    # No object bleeds into what is beyond the edges.
    filled = fill_holes(np.asarray(picture, dtype=np.uint8), ~inside, ~inside | objects)
    return filled, (np.asarray(unseen) > 64) | ~inside, objects


def seen_from(
    plate: NDArray[np.uint8], made_up: NDArray[np.float32], source: Camera, camera: Camera
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A background (h, w, 3) without objects as `camera` sees it, and what is not known of it.

    The latter is 255 beyond the background's edges, and up to 254 where `made_up`, which may be
    of another size, is 1.
    """
    factor = shrinkage(source, camera)
    if factor < 0.9:
        size = tuple(max(1, round(side * factor)) for side in plate.shape[1::-1])
        plate = np.asarray(cv2.resize(plate, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    picture = cv2.remap(
        plate, _maps(source, camera, plate), None, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    doubtful = np.round(254 * made_up.clip(0, 1)).astype(np.uint8)
    unknown = cv2.remap(
        doubtful, _maps(source, camera, doubtful), None, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=255,
    )
    return np.asarray(picture, dtype=np.uint8), np.asarray(unknown, dtype=np.uint8)


def _maps(
    source: Camera, camera: Camera, image: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """(h, w, 2) where in an image of the source's view each pixel of `camera` looks."""
    where = _background_pixels(source, camera)
    where *= np.asarray([image.shape[1] / source.width, image.shape[0] / source.height])
    return where.astype(np.float32) - np.float32(0.5)


def _background_pixels(source: Camera, target: Camera) -> Float:
    """(h, w, 2) source pixel that shows what each target pixel sees of the background.

    The background is the ground plane z = 0 and, above the horizon, what is infinitely far.
    """
    origin, directions = target.rays(target.pixel_centers())
    rotation = source.extrinsics[:3, :3]
    local = directions @ rotation.T
    if source.world_to_camera != target.world_to_camera:
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = -origin[2] / directions[..., 2]
        on_ground = (reach > NEAR) & (reach < FAR)
        ground = source.to_camera(origin + np.where(on_ground, reach, 1.0)[..., None] * directions)
        local = np.where(on_ground[..., None], ground, local)
    depth = local[..., 2]
    ahead = depth > 1e-6
    scaled = local[..., :2] / np.where(ahead, depth, 1.0)[..., None]
    pixels = scaled * [source.k[0, 0], source.k[1, 1]] + source.k[:2, 2]
    # Behind the source camera: far outside of its picture.
    return np.clip(np.where(ahead[..., None], pixels, -1e4), -1e4, 1e5)


def fill_holes(
    picture: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    unusable: NDArray[np.bool_],
    working_side: int = 96,
) -> NDArray[np.uint8]:
    """Fill the hole from its surroundings (Telea's inpainting, OpenCV).

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    hole : bool (h, w)
        Pixels to fill; all others stay.
    unusable : bool (h, w)
        Pixels that show nothing to fill from: the hole, and whatever must not bleed into it.
    working_side : int
        The filling is computed at no more than this many pixels a side: what is made up is
        smooth anyway, and the time grows with the hole's area.
    """
    if not hole.any():
        return picture
    if unusable.all():
        return np.where(hole[..., None], np.uint8(128), picture)
    height, width = hole.shape
    shrink = min(1.0, working_side / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    known = (~unusable).astype(np.float32)
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    small = (colour / np.maximum(weight, 1e-6)[..., None]).astype(np.uint8)
    unknown = (weight < 0.25).astype(np.uint8)
    filled = cv2.inpaint(small, unknown, 3, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], large, picture).astype(np.uint8)
