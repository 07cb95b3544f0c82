"""Boxes drawn over a photograph: by four clicks, or around a rectangle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neural_assets_core.calibration.ground import ground_point
from neural_assets_core.calibration.lines import Point
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.box import CORNER_SIGNS, Float
from neural_assets_core.geometry.checks import behind_camera

UP = np.array([0.0, 0.0, 1.0])
CLICKS = (2, 3, 4)

TALLEST = 100.0
"""Camera heights, or widths of its base, whichever is more: a click on an upright edge that is
seen end on must not make a tower."""

FLATTEST = 0.1
"""Least height of a box in a rectangle, as a share of its width, while it can be less deep."""

STEPS = 25
CLOSE = 1e-9
"""Pixels, as a share of the rectangle, at which it counts as filled."""


def cuboid_from_clicks(camera: Camera, clicks: Sequence[Point]) -> Box:
    """The box on the ground that two to four clicks say.

    Parameters
    ----------
    camera : Camera
    clicks : 2 to 4 of (float, float)
        Pixels. The first two are the ends of one edge of the base, the third says how far the
        base reaches to either side of that edge, the fourth is the upper end of any of the four
        upright edges (the one that is nearest to it in the picture counts). With two the box
        is a thin bar, with three a thin plate: the preview.

    Returns
    -------
    Box
        Its x goes from the first click to the second.

    Raises
    ------
    UserError
        If one of the first three clicks is above the horizon or close below it, the first two
        are in one place, or the box would reach behind the camera.
    """
    if len(clicks) not in CLICKS:
        raise UserError(f"A box takes two to four clicks, not {len(clicks)}.")
    if not np.isfinite(np.asarray(clicks, dtype=np.float64)).all():
        raise UserError("A click is nowhere in the picture: click again.")
    start, end = (ground_point(camera, click) for click in clicks[:2])
    width = float(np.linalg.norm(end - start))
    if width < MINIMUM_EXTENT:
        raise UserError("The base's first two corners are in one place: set them apart.")
    along = (end - start) / width
    across = np.cross(UP, along)
    depth = 0.0
    if len(clicks) > 2:
        depth = float((ground_point(camera, clicks[2]) - start) @ across)
    height = 0.0
    if len(clicks) > 3:
        corners = [start, end, start + depth * across, end + depth * across]
        height = _height(camera, np.array(corners), clicks[3])
    size = np.maximum([width, abs(depth), height], MINIMUM_EXTENT)
    middle = 0.5 * (start + end) + 0.5 * math.copysign(size[1], depth) * across
    yaw = math.atan2(along[1], along[0])
    return _checked(camera, _upright(middle, size, yaw))


def _height(camera: Camera, corners: Float, click: Point) -> float:
    """Metres of the upright edge whose picture is nearest to a click, up to the click."""
    origin, direction = camera.rays(np.asarray(click, dtype=np.float64))
    direction = direction / np.linalg.norm(direction)
    # Where each upright line comes closest to the ray; the part of the ray that is level decides.
    slope = float(direction[2])
    level = 1.0 - slope**2
    if level < 1e-6:
        raise UserError("The height cannot be told from right above: look from the side.")
    from_eye = corners - origin
    heights = (slope * (from_eye @ direction) - from_eye[:, 2]) / level
    tops = camera.project(corners + heights[:, None] * UP)
    away = np.linalg.norm(tops[:, :2] - np.asarray(click), axis=1)
    nearest = int(np.where(np.isnan(away), np.inf, away).argmin())
    tallest = TALLEST * max(float(origin[2]), float(np.linalg.norm(corners[1] - corners[0])))
    return float(np.clip(heights[nearest], 0.0, tallest))


def box_from_rectangle(
    camera: Camera,
    left: float,
    top: float,
    right: float,
    bottom: float,
    depth_ratio: float = 1.0,
) -> Box:
    """The box on the ground, turned to the camera, that just fills a rectangle of the picture.

    Parameters
    ----------
    camera : Camera
    left, top, right, bottom : float
        Pixels.
    depth_ratio : float
        Extent away from the camera, as a share of the width. Less is used where so deep a box
        would not fit into the rectangle.

    Returns
    -------
    Box
        Its x is level in the picture and goes to the right, its y goes away from the camera.

    Raises
    ------
    UserError
        If the rectangle is empty, or its bottom is above the horizon or close below it.
    """
    wanted = np.array([left, top, right, bottom], dtype=np.float64)
    if not (np.isfinite(wanted).all() and right - left >= 1.0 and bottom - top >= 1.0):
        raise UserError("The rectangle is empty: drag it over the whole object.")
    if not (math.isfinite(depth_ratio) and depth_ratio > 0):
        raise UserError(f"The depth must be more than 0 widths, not {depth_ratio:g}.")
    box = filled_box(camera, wanted, depth_ratio)
    if box is None or box.size[2] < FLATTEST * box.size[0]:
        box = filled_box(camera, wanted, depth_ratio, flat=True)
    if box is None:
        raise UserError("No box on the ground fills this rectangle: draw its base by clicks.")
    return _checked(camera, box)


def filled_box(
    camera: Camera,
    wanted: Float,
    depth_ratio: float,
    outline: Float = CORNER_SIGNS,
    *,
    flat: bool = False,
) -> Box | None:
    """The box of a given depth, or of the least height (`flat`), that fills a rectangle.

    Newton's method on the place of its front, its width, and its height or depth: the sizes as
    logarithms, so that they stay positive.

    Parameters
    ----------
    camera : Camera
    wanted : array (4,)
        Left, top, right and bottom, pixels.
    depth_ratio : float
        Extent away from the camera, in widths.
    outline : array (n, 3)
        What in the box reaches to the sides of the rectangle, in the box's own frame.
    flat : bool

    Raises
    ------
    UserError
        If the rectangle's bottom is above the horizon or close below it.
    """
    left, top, right, bottom = wanted
    start, end = (ground_point(camera, (x, bottom)) for x in (left, right))
    front, width = 0.5 * (start + end), float(np.linalg.norm(end - start))
    if width < MINIMUM_EXTENT:
        return None
    side = (end - start) / width
    ahead = np.cross(UP, side)

    axes = np.stack([side, ahead, UP])

    def sized(numbers: Float) -> tuple[Float, Float]:
        """(..., 3) middles of bases and sizes."""
        wide, third = width * np.exp(np.moveaxis(numbers[..., 2:].clip(-12.0, 12.0), -1, 0))
        deep, tall = (third, FLATTEST * wide) if flat else (depth_ratio * wide, third)
        size = np.maximum(np.stack([wide, deep, tall], axis=-1), MINIMUM_EXTENT)
        along = width * numbers[..., :2] + np.stack([0.5 * size[..., 1], 0.0 * wide], axis=-1)
        return front + along @ np.stack([ahead, side]), size

    def reach(numbers: Float) -> Float:
        """(..., 4) left, top, right and bottom."""
        foot, size = sized(numbers)
        local = 0.5 * size[..., None, :] * (outline + [0.0, 0.0, 1.0])
        points = camera.project(foot[..., None, :] + local @ axes)[..., :2]
        return np.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)

    third = 0.5 * depth_ratio if flat else (bottom - top) / (right - left)
    numbers = np.array([0.0, 0.0, 0.0, math.log(third)])
    scale = max(right - left, bottom - top)
    for _ in range(STEPS):
        reached = reach(numbers + 1e-6 * np.eye(5, 4, -1))
        missing = reached[0] - wanted
        if not np.isfinite(reached).all():
            return None
        if np.abs(missing).max() < CLOSE * scale:
            break
        slopes = (reached[1:] - reached[0]).T / 1e-6
        step = np.linalg.lstsq(slopes, -missing, rcond=None)[0]
        numbers = numbers + np.clip(step, -0.5, 0.5)
    # Written so that NaN fails too.
    if not np.abs(reach(numbers) - wanted).max() < 0.01 * scale:
        return None
    return _upright(*sized(numbers), math.atan2(side[1], side[0]))


def _upright(foot: Float, size: Float, yaw: float) -> Box:
    """A box that stands on the ground, (foot x, foot y) its middle."""
    x, y = float(foot[0]), float(foot[1])
    wide, deep, tall = (float(side) for side in size)
    return Box(
        center=(x, y, 0.5 * tall),
        size=(wide, deep, tall),
        rotation=(math.cos(0.5 * yaw), 0.0, 0.0, math.sin(0.5 * yaw)),
    )


def _checked(camera: Camera, box: Box) -> Box:
    if behind_camera(camera, box):
        raise UserError("The box would reach behind the camera: keep it in front of it.")
    return box
