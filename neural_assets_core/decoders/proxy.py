"""The geometric proxy: the edit drawn by arithmetic alone, on any picture, without weights.

Every target pixel whose ray enters an object's box walks through the box; the first point that
the object's mask shows in the source view gives the colour (without a mask: the entry point).
If the face through which the ray enters cannot be seen from the source camera, the ray is
mirrored through the box along that face's axis, so that the opposite, visible side completes
the object. The background is the source picture with the objects cut out, carried over the
ground plane if the camera moved. Holes are filled by inpainting.

It is the live preview under the hand, a decoder of its own, a baseline to beat, and the
strongest condition of the neural decoder.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.decoders.base import (
    Generation,
    Progress,
    ProgressCallback,
    check_cancelled,
    enough_memory,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR, PixelRect, cast_box, silhouette
from neural_assets_core.scene import Appearance, Picture, Scene, View

MARCH_SAMPLES = 8
"""Points looked at along a ray inside a box; more only matters for very thin parts."""

MIRRORED_CONFIDENCE = 0.5
GUESSED_CONFIDENCE = 0.25
FARTHEST = 10_000.0
"""Greatest depth of a box in metres; beyond it half-precision numbers end."""

FAR = 60.0
"""Metres beyond which the ground counts as infinitely far when the camera moves."""


@dataclass(frozen=True)
class ProxyLayers:
    """What the proxy knows of a picture; all arrays are (height, width[, 3]).

    Attributes
    ----------
    picture : uint8 (h, w, 3)
        Objects over background, the hole filled.
    hole : bool (h, w)
        Nothing in the sources shows what is here: made up from the surroundings.
    coverage : float32 (h, w)
        1 where an object was drawn.
    confidence : float32 (h, w)
        1 where an object's visible side was carried over, less where it was mirrored or guessed.
    """

    picture: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    coverage: NDArray[np.float32]
    confidence: NDArray[np.float32]


class ProxyDecoder:
    """`render_proxy` as a decoder."""

    def generate(
        self,
        scene: Scene,
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """See `Decoder.generate`; takes milliseconds, so it is one step."""
        started = time.perf_counter()
        check_cancelled(cancel)
        with enough_memory():
            layers = render_proxy(scene, scene.camera)
        check_cancelled(cancel)
        picture = Picture(layers.picture)
        if progress is not None:
            progress(Progress("drawing", 1, 1))
        check_cancelled(cancel)
        return Generation(scene, picture, time.perf_counter() - started)


def render_proxy(scene: Scene, camera: Camera) -> ProxyLayers:
    """Draw the scene as `camera` sees it.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        `scene.camera`, or a window of it at another resolution.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    check_boxes(scene)
    picture, hole, objects = _background(scene, camera)
    # Filled before the objects are drawn, and from background alone: no object bleeds into it.
    picture = fill_holes(picture, hole, hole | objects)
    depth = np.full(hole.shape, np.inf)
    confidence = np.zeros(hole.shape, dtype=np.float32)
    for item in scene.objects:
        _draw_object(item.box, item.appearance, camera, picture, depth, confidence)
    drawn = np.isfinite(depth)
    return ProxyLayers(picture, hole & ~drawn, drawn.astype(np.float32), confidence)


def check_boxes(scene: Scene) -> None:
    """Refuse boxes that the camera cannot see in front of it.

    Raises
    ------
    UserError
        Names the first object whose box reaches behind the camera, or is absurdly far away.
    """
    for item in scene.objects:
        with np.errstate(all="ignore"):
            depth = scene.camera.to_camera(item.box.corners())[:, 2]
        if np.any(depth <= NEAR):
            raise UserError(
                f"The box of {item.name!r} reaches behind the camera: move it into the picture."
            )
        # Written so that NaN fails too.
        if not np.all(depth < FARTHEST):
            raise UserError(
                f"The box of {item.name!r} is more than {FARTHEST:.0f} m away: move it into the "
                "picture."
            )


def is_untouched(scene: Scene, appearance: Appearance) -> bool:
    """Whether the object seen there still stands exactly where the background view shows it."""
    if scene.camera.world_to_camera != scene.background.view.camera.world_to_camera:
        return False
    return any(
        item.box == appearance.box and item.appearance == appearance for item in scene.objects
    )


def appearance_mask(appearance: Appearance) -> NDArray[np.uint8]:
    """(height, width) of the source view, 255 where the object is seen."""
    if appearance.mask is not None:
        return appearance.mask.pixels
    return silhouette(appearance.view.camera, appearance.box).astype(np.uint8) * np.uint8(255)


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


# -- background ------------------------------------------------------------------------------


def _background(
    scene: Scene, camera: Camera
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """The background view seen by `camera`, where it is unknown, and where it shows objects."""
    view = scene.background.view
    source = _shrunk(view, _shrinkage(view.camera, camera))
    hidden = np.zeros(source.pixels.shape[:2], dtype=np.uint8)
    shown = np.zeros_like(hidden)
    for occluder in scene.background.occluders:
        mask = _grown_mask(occluder, source.pixels.shape[1], source.pixels.shape[0])
        if is_untouched(scene, occluder):
            shown |= mask
        else:
            hidden |= mask
    if camera == view.camera:
        # Nothing to carry anywhere: the source's own pixels, and no work on large photographs.
        return source.pixels.copy(), hidden > 64, shown > 64
    where = _background_pixels(view.camera, camera)
    where *= np.asarray([source.pixels.shape[1] / view.camera.width,
                         source.pixels.shape[0] / view.camera.height])
    maps = where.astype(np.float32) - np.float32(0.5)
    picture = cv2.remap(
        source.pixels, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    # Outside the source picture everything is hidden.
    unseen = cv2.remap(
        hidden, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=255
    )
    objects = cv2.remap(shown, maps, None, cv2.INTER_LINEAR)
    return (
        np.asarray(picture, dtype=np.uint8),
        np.asarray(unseen) > 64,
        np.asarray(objects) > 64,
    )


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


# -- objects -----------------------------------------------------------------------------------


def _draw_object(
    box: Box,
    appearance: Appearance,
    camera: Camera,
    picture: NDArray[np.uint8],
    depth: Float,
    confidence: NDArray[np.float32],
) -> None:
    """Draw one object into `picture`, `depth` and `confidence`, nearest first."""
    hits = cast_box(camera, box)
    rows, columns = np.nonzero(hits.hit)
    if rows.size == 0:
        return
    entry, leave = hits.entry[rows, columns], hits.exit[rows, columns]
    signs, trust = _mirror_signs(entry, appearance)
    fraction, found, pixels = _first_seen(entry * signs, leave * signs, appearance)
    near, far = hits.entry_depth[rows, columns], hits.exit_depth[rows, columns]
    reached = near + fraction * (far - near)
    top, left = hits.rect.top, hits.rect.left
    nearer = found & (reached < depth[rows + top, columns + left])
    if not nearer.any():
        return
    rows, columns = rows[nearer] + top, columns[nearer] + left
    view = appearance.view
    source = _shrunk(view, _shrinkage_of_box(appearance, camera, box))
    scale = [source.pixels.shape[1] / view.camera.width,
             source.pixels.shape[0] / view.camera.height]
    picture[rows, columns] = _sample(source.pixels, pixels[nearer] * scale)
    depth[rows, columns] = reached[nearer]
    confidence[rows, columns] = (trust * (1.0 - 0.5 * fraction))[nearer]


def _mirror_signs(entry: Float, appearance: Appearance) -> tuple[Float, Float]:
    """How to mirror each ray, and how far to trust what it then finds.

    Parameters
    ----------
    entry : array (n, 3)
        Entry points in the box's frame.

    Returns
    -------
    signs : array (n, 3)
        -1 along the axis of an entry face that the source camera cannot see, else 1.
    trust : array (n,)
    """
    eye = appearance.box.to_local(appearance.view.camera.position)
    axis = np.abs(entry).argmax(axis=1)
    side = np.sign(np.take_along_axis(entry, axis[:, None], axis=1)[:, 0])
    facing = eye[axis] * side
    mirrored = facing < -1.0
    signs = np.ones_like(entry)
    signs[mirrored, axis[mirrored]] = -1.0
    trust = np.where(facing > 1.0, 1.0, np.where(mirrored, MIRRORED_CONFIDENCE, GUESSED_CONFIDENCE))
    return signs, trust


def _first_seen(
    entry: Float, leave: Float, appearance: Appearance
) -> tuple[Float, NDArray[np.bool_], Float]:
    """Walk from entry to exit until the source view shows the object.

    Returns
    -------
    fraction : array (n,)
        How far through the box, in [0, 1].
    found : bool array (n,)
    pixels : array (n, 2)
        Source position in pixels.
    """
    camera = appearance.view.camera
    count = len(entry)
    fraction = np.zeros(count)
    pixels = np.zeros((count, 2))
    open_rays = np.arange(count)
    mask = None if appearance.mask is None else appearance.mask.pixels
    for step in np.linspace(0.0, 1.0, MARCH_SAMPLES):
        points = entry[open_rays] + step * (leave[open_rays] - entry[open_rays])
        projected = camera.project(appearance.box.to_world(points))
        seen = _inside(projected, camera.width, camera.height)
        if mask is not None:
            at = projected[seen, :2].astype(np.intp)
            seen[seen] = mask[at[:, 1], at[:, 0]] > 127
        fraction[open_rays[seen]] = step
        pixels[open_rays[seen]] = projected[seen, :2]
        open_rays = open_rays[~seen]
        if open_rays.size == 0:
            break
    found = np.ones(count, dtype=bool)
    found[open_rays] = False
    return fraction, found, pixels


def _inside(projected: Float, width: int, height: int) -> NDArray[np.bool_]:
    u, v, depth = projected.T
    with np.errstate(invalid="ignore"):
        inside = (depth > NEAR) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    return np.asarray(inside)


# -- sampling ----------------------------------------------------------------------------------


def _sample(image: NDArray[np.uint8], pixels: Float) -> NDArray[np.uint8]:
    """Bilinear colours (n, 3) at pixel positions (n, 2)."""
    maps = (pixels - 0.5).astype(np.float32)
    # OpenCV limits a map's sides to 32767: fold the list into rows.
    width = 4096
    rows = -(-len(maps) // width)
    padded = np.zeros((rows * width, 2), dtype=np.float32)
    padded[: len(maps)] = maps
    colours = cv2.remap(
        image, padded.reshape(rows, width, 2), None, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(colours).reshape(-1, 3)[: len(maps)]


def _shrinkage(source: Camera, target: Camera) -> float:
    """By how much the source should be scaled down first, so that sampling does not alias."""
    return min(1.0, *(float(target.k[axis, axis] / source.k[axis, axis]) for axis in (0, 1)))


def _shrinkage_of_box(appearance: Appearance, camera: Camera, box: Box) -> float:
    """The same for one object, whose distance and size may have changed too."""
    source = appearance.view.camera
    before = source.to_camera(np.asarray(appearance.box.center))[2]
    after = camera.to_camera(np.asarray(box.center))[2]
    if before <= NEAR or after <= NEAR:
        return _shrinkage(source, camera)
    growth = float(max(box.size) / max(appearance.box.size) * before / after)
    ratios = (float(camera.k[axis, axis] / source.k[axis, axis]) for axis in (0, 1))
    return min(1.0, growth * min(ratios))


def _shrunk(view: View, factor: float) -> Picture:
    # Steps of a quarter octave: a drag must not fill the cache with a picture for every pixel.
    level = int(np.floor(-4.0 * np.log2(max(factor, 1e-3)) + 1e-6))
    return view.picture if level < 1 else _resized(view.picture, 2.0 ** (-level / 4.0))


@lru_cache(maxsize=16)
def _resized(picture: Picture, factor: float) -> Picture:
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    return Picture(np.asarray(pixels, dtype=np.uint8))


@lru_cache(maxsize=64)
def _grown_mask(appearance: Appearance, width: int, height: int) -> NDArray[np.uint8]:
    """The object's mask with a margin of about 1.5 %, at the given size; 255 inside."""
    mask = appearance_mask(appearance)
    if mask.shape != (height, width):
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA))
    radius = max(1, round(0.015 * max(width, height)))
    return np.where(grown(mask > 32, radius), np.uint8(255), np.uint8(0))


def grown(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """The mask and all pixels within `radius` of it; the time does not depend on the radius."""
    if not mask.any():
        return mask
    outside = np.where(mask, 0, 255).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 5)) <= radius


__all__ = [
    "PixelRect",
    "ProxyDecoder",
    "ProxyLayers",
    "appearance_mask",
    "check_boxes",
    "fill_holes",
    "grown",
    "is_untouched",
    "render_proxy",
]
