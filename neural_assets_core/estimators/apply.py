"""What estimators tell, put into a scene."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.calibration import (
    box_from_rectangle,
    camera_from_horizon,
    recalibrated,
    with_drawn_object,
)
from neural_assets_core.calibration.ground import horizon
from neural_assets_core.errors import UserError
from neural_assets_core.estimators.base import (
    CameraEstimate,
    DepthMap,
    MaskProposer,
    ModelSegmenter,
)
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy import appearance_mask, grown
from neural_assets_core.proxy.relief import relief
from neural_assets_core.scene import Appearance, Picture, Scene, View
from neural_assets_core.segmentation import with_mask

SIDE = 256
"""Pixels a side on which an object's depth is fitted into its box."""

INNER = (5.0, 95.0)
"""Percentiles of an object's depths that are believed."""

SMALLEST, LARGEST = 0.002, 0.5
"""Share of the picture that a proposed object covers."""

KNOWN = 0.4
"""Share of a proposal that a known object covers, or it of that, from which on it is no news."""

DEEPEST = 3.0
"""Extent away from the camera of a proposed box, in widths, at most."""


def with_model_masks(scene: Scene, names: Iterable[str], proposer: MaskProposer) -> Scene:
    """Objects of the background's photograph cut out as a model sees them.

    Raises
    ------
    UserError
        If there is no such object, or its box is outside the picture.
    """
    segmenter = ModelSegmenter(proposer)
    for name in names:
        looks = scene.object(name).appearance
        mask = segmenter(looks.view, looks.box)
        if mask.pixels.any():
            scene = with_mask(scene, name, mask)
    return scene


def with_relief(scene: Scene, names: Iterable[str], depth: DepthMap) -> Scene:
    """Objects of the background's photograph given the shape that a depth map shows.

    Objects whose looks are from another picture, and those whose depth is all the same in the
    map, stay as they are.

    Parameters
    ----------
    scene : Scene
    names : iterable of str
    depth : DepthMap
        Of the background's view.

    Raises
    ------
    UserError
        If there is no such object.
    """
    for name in names:
        before = scene.object(name).appearance
        shape = object_relief(before, depth) if before.view == scene.background.view else None
        if shape is None:
            continue
        after = Appearance.model_validate({**dict(before), "relief": shape})
        for item in scene.objects:
            if item.appearance == before:
                scene = scene.with_appearance(item.name, after)
        hidden = tuple(after if one == before else one for one in scene.background.occluders)
        scene = scene.with_background(
            scene.background.model_copy(update={"occluders": hidden})
        )
    return scene


def object_relief(looks: Appearance, depth: DepthMap) -> Picture | None:
    """The front of an object in its box, see `Appearance.relief`; None if the map is flat there.

    Models tell depth up to a scale and a shift. These are chosen so that the object is as deep
    as the solid that fits its box and mask best.
    """
    mask = appearance_mask(looks) > 127
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if width == 0:
        return None
    scale = min(1.0, SIDE / max(width, height))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    camera = looks.view.camera.cropped(x, y, width, height).resized(*size)
    inside = _resized(mask[y : y + height, x : x + width].astype(np.float32), size) > 0.5
    told = _resized(
        depth.at((looks.view.picture.width, looks.view.picture.height))[
            y : y + height, x : x + width
        ],
        size,
    )
    # At the object's edge the map mixes it with what is behind it.
    grain = scale * looks.view.picture.width / depth.values.shape[1]
    told = _continued(told, grown(~inside | ~np.isfinite(told), 1.5 * grain))
    sure = inside & np.isfinite(told)
    if sure.sum() < 16:
        return None
    guess = relief(camera, looks.box, inside, np.ones_like(inside)).front
    # What is straight in the map's own terms: depth, or its inverse.
    wanted = guess if depth.kind == "depth" else 1.0 / guess
    low, high = np.percentile(told[sure], INNER)
    near_end, far_end = np.percentile(wanted[sure], INNER)
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-12):
        return None
    straight = near_end + (told - low) * (far_end - near_end) / (high - low)
    depths = looks.view.camera.to_camera(looks.box.corners())[:, 2]
    near, far = max(float(depths.min()), 1e-3), float(depths.max())
    if depth.kind == "inverse":
        straight = 1.0 / np.maximum(straight, 1.0 / (2.0 * far))
    share = np.clip((straight - near) / max(far - near, 1e-9), 0.0, 1.0)
    levels = np.where(sure, 1.0 + 254.0 * np.where(sure, share, 0.0), 0.0)
    out = np.zeros(mask.shape, dtype=np.uint8)
    # To the nearest, so that nothing is mixed with what is not known.
    part = cv2.resize(np.round(levels), (width, height), interpolation=cv2.INTER_NEAREST)
    out[y : y + height, x : x + width] = np.asarray(part).astype(np.uint8)
    return Picture(out)


def with_proposals(
    scene: Scene,
    proposer: MaskProposer,
    depth: DepthMap | None = None,
    limit: int = 8,
    cancel: threading.Event | None = None,
) -> Scene:
    """The scene with boxes and masks for what a model sees in it besides its objects.

    Parameters
    ----------
    scene : Scene
        Its camera is calibrated: boxes stand on its ground.
    proposer : MaskProposer
    depth : DepthMap, optional
        Of the background's view: tells how deep the boxes are.
    limit : int
        New objects, at most.
    cancel : threading.Event, optional

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    view = scene.background.view
    known = [appearance_mask(one) > 127 for one in scene.background.occluders]
    found = 0
    for proposal in proposer.everything(view.picture, cancel):
        mask = proposal.mask > 127
        if found >= limit:
            break
        if not SMALLEST <= mask.mean() <= LARGEST or _surrounds(mask):
            continue
        if any(_covers(mask, one) for one in known):
            continue
        try:
            box = proposed_box(view, mask, depth)
            scene = with_drawn_object(scene, box, "object", mask=Picture(proposal.mask))
        except UserError:
            # Nothing on the ground looks so: a cloud, say.
            continue
        known.append(mask)
        found += 1
    return scene


def proposed_box(view: View, mask: NDArray[np.bool_], depth: DepthMap | None = None) -> Box:
    """The box on the ground of what a mask shows.

    Parameters
    ----------
    view : View
    mask : bool (height, width)
    depth : DepthMap, optional

    Raises
    ------
    UserError
        If nothing on the ground looks so.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    bounds = (float(x), float(y), float(x + width), float(y + height))
    box = box_from_rectangle(view.camera, *bounds)
    ratio = None if depth is None else _depth_ratio(view.camera, mask, box, depth)
    if ratio is None:
        return box
    try:
        return box_from_rectangle(view.camera, *bounds, depth_ratio=ratio)
    except UserError:
        return box


def with_estimated_camera(scene: Scene, estimate: CameraEstimate) -> Scene:
    """The scene's photograph seen by the camera that a model told, as far as it did.

    What it did not tell stays: the focal length, the horizon, the height above the ground.

    Raises
    ------
    UserError
        If the camera is impossible, or a box would stand above its horizon.
    """
    camera = scene.background.view.camera
    size = camera.width, camera.height
    focal = float(camera.k[0, 0]) if estimate.focal is None else estimate.focal
    left, right = horizon(camera)
    if estimate.up is not None:
        x, y, z = estimate.up
        if not abs(y) > 1e-6 * math.hypot(x, y, z):
            raise UserError("The model sees no horizon in this picture: calibrate it by hand.")
        # The horizon is where rays are level: up · ((u - cx) / f, (v - cy) / f, 1) = 0.
        left, right = (
            0.5 * size[1] - (x * (u - 0.5 * size[0]) + z * focal) / y
            for u in (0.0, float(size[0]))
        )
    elif estimate.focal is not None:
        # The same vertical, through another lens.
        grown = focal / float(camera.k[0, 0])
        left, right = (0.5 * size[1] + grown * (edge - 0.5 * size[1]) for edge in (left, right))
    return recalibrated(
        scene, camera_from_horizon(size, focal, left, right, float(camera.position[2]))
    )


def _continued(values: NDArray[np.float32], doubtful: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(h, w) the values, doubtful ones as their nearest neighbour that is not; NaN if all are."""
    if doubtful.all():
        return np.full_like(values, np.nan)
    _, labels = cv2.distanceTransformWithLabels(
        doubtful.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    table[labels[~doubtful]] = values[~doubtful]
    return np.asarray(table[labels], dtype=np.float32)


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    smaller = size[0] < values.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=method), dtype=np.float32)


def _covers(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    both = float((mask & other).sum())
    return both > KNOWN * float(min(mask.sum(), other.sum()))


def _surrounds(mask: NDArray[np.bool_]) -> bool:
    """Whether it reaches three sides of the picture: sky, a wall or the floor."""
    sides = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    return sum(bool(side.any()) for side in sides) >= 3


def _depth_ratio(
    camera: Camera, mask: NDArray[np.bool_], box: Box, depth: DepthMap
) -> float | None:
    """How deep the object is, in widths; None if the map does not tell.

    The map is scaled by the ground beside the object, whose depth the camera knows.
    """
    height, width = mask.shape
    scale = min(1.0, 2 * SIDE / max(mask.shape))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    small = camera.resized(*size)
    inside = _resized(mask.astype(np.float32), size) > 0.5
    told = depth.at(size)
    origin, rays = small.rays(small.pixel_centers())
    reach = -origin[2] / np.where(np.abs(rays[..., 2]) < 1e-9, 1e-9, rays[..., 2])
    foot = float(small.to_camera(box.base_center())[2])
    # Not too far away: there a pixel is metres.
    ground = ~inside & np.isfinite(told) & (reach > 0) & (reach < 3.0 * foot)
    if ground.sum() < 64 or not (inside & np.isfinite(told)).any():
        return None
    wanted = reach if depth.kind == "depth" else 1.0 / np.where(ground, reach, 1.0)
    slope, offset = _line(told[ground], wanted[ground])
    if slope <= 0:
        return None
    straight = slope * told[inside & np.isfinite(told)] + offset
    if depth.kind == "inverse":
        straight = 1.0 / np.maximum(straight, 1e-3 / foot)
    points = origin + straight[:, None] * rays[inside & np.isfinite(told)]
    away = (points - np.asarray(box.center)) @ box.rotation_matrix()[:, 1]
    low, high = np.percentile(away, INNER)
    ratio = float(high - low) / box.size[0]
    return min(max(ratio, 1.0 / DEEPEST), DEEPEST) if math.isfinite(ratio) else None


def _line(x: NDArray[np.float32], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset that most points agree with: most of what is around is ground, not all."""
    weight = np.ones(x.shape)
    slope = offset = 0.0
    for _ in range(8):
        slope, offset = np.polyfit(x.astype(np.float64), y, 1, w=np.sqrt(weight))
        miss = np.abs(slope * x + offset - y)
        usual = max(float(np.median(miss)), 1e-9)
        weight = 1.0 / np.maximum(miss / usual, 1.0)
    return float(slope), float(offset)
