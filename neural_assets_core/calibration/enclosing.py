"""Boxes around the pixels of an object: square things, and round ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from neural_assets_core.calibration.boxes import FLATTEST, box_from_rectangle, filled_box
from neural_assets_core.calibration.ground import ground_point
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.outlines import Ellipse, completed, ellipse_of, seen_outline
from neural_assets_core.scene import Picture

Mask = NDArray[np.bool_]

DEPTHS = (1.0, 0.8, 1.25, 0.6, 1.6)
"""Extents away from the camera that an object may have, in widths."""

UNUSUAL = 0.15
"""What a depth of e times the width, or the inverse, costs in overlap."""

TAPERS = (1.0, 0.75, 0.5)
"""Radii at the foot of something round, as shares of those at its top."""

FITS = 0.88
"""Overlap from which on the outline of something round is believed: few things have just that."""

PROMISING, NEARLY = 0.8, 0.05
"""The same of what is worth to be looked at more closely, and by how much less than a box's."""

CLEARER = 0.08
"""By how much more than a box's it is believed, too, if it is promising."""

WORKING_SIDE = 240
"""Pixels a side on which outlines are compared, at most."""

CLOSE_TO, STEPS, FEWEST_POINTS = (0.04, 0.01), 20, 24
"""Of an outline, in widths, and steps to come so close to it."""

DISH = 0.13
"""Height of a plate, and the least of anything round, in widths."""

LEVEL = 0.12
"""By how much the flatness of a level rim may be misjudged."""

AROUND = 32
"""Points on a circle."""


@dataclass(frozen=True)
class Enclosing:
    """A box around an object.

    Attributes
    ----------
    box : Box
    taper : float or None
        Of something turned on a lathe that fills the box, if the object looks like that: radius
        at its foot, as a share of that at its top.
    """

    box: Box
    taper: float | None = None


def box_around_mask(
    camera: Camera,
    mask: Picture,
    hidden: Mask | None = None,
    depths: Sequence[float] = DEPTHS,
) -> Enclosing:
    """The box on the ground, turned to the camera, that encloses an object's pixels.

    If these look like something round, as a plate or a cup does, that fills the box. Else the
    box fills the rectangle around the pixels, and is as deep as their outline suggests: about as
    deep as wide, if that says little.

    Parameters
    ----------
    camera : Camera
    mask : Picture
        255 inside.
    hidden : bool array (height, width), optional
        Where other things stand before the object.
    depths : sequence of float
        Extents away from the camera that it may have, in widths, the usual first. Without a
        depth of 1 it is nothing round.

    Raises
    ------
    UserError
        If the mask is empty, or no box on the ground can be where it is.
    """
    inside = mask.pixels > 127
    if hidden is None:
        hidden = np.zeros(inside.shape, dtype=bool)
    line = seen_outline(inside, hidden)
    inside = completed(inside, hidden)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        raise UserError("The rectangle is empty: drag it over the whole object.")
    wanted = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=np.float64)
    left, top, right, bottom = wanted.tolist()
    best, highest = box_from_rectangle(camera, left, top, right, bottom, depths[0]), -math.inf
    for depth in depths:
        box = filled_box(camera, wanted, depth)
        if box is None or box.size[2] < FLATTEST * box.size[0] or behind_camera(camera, box):
            continue
        value = _shared(camera, box.corners(), inside, hidden, wanted)
        value -= UNUSUAL * abs(math.log(depth))
        if value > highest:
            best, highest = box, value
    if 1.0 not in depths:
        return Enclosing(best)
    dish = _dish(camera, inside)
    if dish is not None:
        inside = inside | (dish.filled(inside.shape) & hidden)
        wanted = np.concatenate([dish.center - dish.half, dish.center + dish.half])
    turned = _turned(camera, inside, hidden, wanted)
    if turned is None:
        # Too flat for its width, as what is hidden in part may be: low, for a start.
        turned = _low(camera, wanted), 1.0, 1.0
    round_box, taper, value = turned
    if value < (0.0 if dish is not None else max(highest - NEARLY, PROMISING)):
        return Enclosing(best)
    round_box = _settled(camera, round_box, taper, line, dish=dish is not None)
    if behind_camera(camera, round_box):
        return Enclosing(best)
    value = _shared(camera, rings(round_box, taper), inside, hidden, wanted)
    fits = value > max(highest, FITS) or value > max(highest + CLEARER, PROMISING)
    return Enclosing(round_box, taper) if fits else Enclosing(best)


def _turned(
    camera: Camera, inside: Mask, hidden: Mask, wanted: Float
) -> tuple[Box, float, float] | None:
    """The box of the likeliest of round things that fill a rectangle, its taper and its overlap."""
    best: tuple[Box, float, float] | None = None
    for taper in TAPERS:
        box = filled_box(camera, wanted, 1.0, _rings(taper))
        if box is None or behind_camera(camera, box):
            continue
        value = _shared(camera, rings(box, taper), inside, hidden, wanted)
        if best is None or value > best[2]:
            best = box, taper, value
    return best


def _low(camera: Camera, wanted: Float) -> Box:
    """Something round and low that reaches to a rectangle's sides and to its bottom."""
    left, _, right, bottom = wanted
    start, end = (ground_point(camera, (x, bottom)) for x in (left, right))
    width = max(float(np.linalg.norm(end - start)), MINIMUM_EXTENT)
    side = (end - start) / width
    ahead, yaw = np.cross([0.0, 0.0, 1.0], side), math.atan2(side[1], side[0])

    def sized(numbers: Float) -> Box:
        wide = max(width * math.exp(float(numbers[2].clip(-3.0, 3.0))), MINIMUM_EXTENT)
        tall = max(DISH * wide, MINIMUM_EXTENT)
        foot = 0.5 * (start + end) + width * (numbers[0] * side + numbers[1] * ahead)
        x, y, z = (foot + [0.0, 0.0, 0.5 * tall]).tolist()
        return Box(center=(x, y, z), size=(wide, wide, tall)).rotated((0.0, 0.0, 1.0), yaw)

    def missed(numbers: Float) -> Float:
        points = np.nan_to_num(camera.project(rings(sized(numbers)))[:, :2].clip(-1e6, 1e6))
        reached = [points[:, 0].min(), points[:, 0].max(), points[:, 1].max()]
        return np.asarray((np.array(reached) - [left, right, bottom]) / (right - left))

    return sized(least_squares(missed, np.array([0.0, 0.5, 0.0]), max_nfev=STEPS).x)


def is_dish(camera: Camera, inside: Mask) -> bool:
    """Whether the outline of a mask (height, width) is that of a level disc, a plate say."""
    return _dish(camera, inside) is not None


def _dish(camera: Camera, inside: Mask) -> Ellipse | None:
    """The ellipse that is the outline of a mask, if it looks like a level disc."""
    ellipse = ellipse_of(inside)
    if ellipse is None:
        return None
    _, ray = camera.rays(ellipse.center)
    steepness = -float(ray[2]) / float(np.linalg.norm(ray))
    level = abs(steepness - float(ellipse.half[1] / ellipse.half[0])) < LEVEL
    return ellipse if level else None


def _settled(camera: Camera, box: Box, taper: float, line: Float, *, dish: bool) -> Box:
    """The box of something round moved and scaled until its outline is on most of a line (n, 2).

    Handles and spouts stick out of it. From above, a `dish` looks like its rim alone: how high
    it is, is not seen.
    """
    width = float(np.ptp(line[:, 0])) if len(line) else 0.0
    if len(line) < FEWEST_POINTS or width == 0.0:
        return box
    side, ahead = box.rotation_matrix()[:, 0], box.rotation_matrix()[:, 1]

    def moved(numbers: Float) -> tuple[Float, Float]:
        """(3,) middle of the base and size."""
        grown, taller = np.exp(numbers[2:].clip(-1.0, 1.0))
        wide = box.size[0] * grown
        tall = DISH * wide if dish else max(box.size[2] * taller, DISH * wide)
        foot = box.base_center() + box.size[0] * (numbers[0] * side + numbers[1] * ahead)
        return foot, np.maximum([wide, wide, tall], MINIMUM_EXTENT)

    turn, ring = box.rotation_matrix(), _rings(taper) + [0.0, 0.0, 1.0]

    def missed(numbers: Float) -> Float:
        foot, size = moved(numbers)
        points = foot + (0.5 * size * ring) @ turn.T
        return _outside(camera.project(points)[:, :2], line)

    numbers = np.zeros(4)
    for close in CLOSE_TO:
        found = least_squares(
            missed, numbers, loss="cauchy", f_scale=close * width, max_nfev=STEPS
        )
        numbers = found.x
    foot, size = moved(numbers)
    return box.with_size(size).with_center(foot + [0.0, 0.0, 0.5 * size[2]])


def _outside(points: Float, line: Float) -> Float:
    """(n,) by how much pixels `line` (n, 2) are outside of the convex hull of `points`."""
    hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    edge = np.roll(hull, -1, axis=0) - hull
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    # Which way round OpenCV goes does not matter.
    normal *= np.sign(((hull - hull.mean(axis=0)) * normal).sum())
    return np.asarray((line @ normal.T - (hull * normal).sum(axis=1)).max(axis=1))


def rings(box: Box, taper: float = 1.0) -> Float:
    """(n, 3) world points of the lower and the upper rim of something round that fills a box.

    The lower one is smaller by the factor `taper`.
    """
    return box.to_world(_rings(taper))


def _rings(taper: float) -> Float:
    """The same in the box's own frame."""
    angle = np.arange(AROUND) * (2.0 * np.pi / AROUND)
    ring = np.stack([np.cos(angle), np.sin(angle), np.ones(AROUND)], axis=1)
    return np.concatenate([ring * [taper, taper, -1.0], ring])


def _shared(camera: Camera, points: Float, inside: Mask, hidden: Mask, edges: Float) -> float:
    """Overlap (IoU) of a mask, whose `edges` are known, with the convex hull of world points.

    Where other things hide it, nothing is known.
    """
    seen = camera.project(points)[:, :2]
    low = np.minimum(edges[:2], seen.min(axis=0))
    high = np.maximum(edges[2:], seen.max(axis=0))
    low, high = low.clip(0, inside.shape[::-1]), high.clip(0, inside.shape[::-1])
    left, top, right, bottom = (int(value) for value in (*np.floor(low), *np.ceil(high)))
    part = inside[top:bottom, left:right] + 2 * hidden[top:bottom, left:right].astype(np.uint8)
    scale = min(1.0, WORKING_SIDE / max(part.shape))
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    small = cv2.resize(part, size, interpolation=cv2.INTER_NEAREST)
    hull = np.zeros(small.shape, dtype=np.uint8)
    at = (seen - [left, top]) * scale - 0.5
    outline = cv2.convexHull(np.round(16 * at).clip(-1e6, 1e6).astype(np.int32))
    cv2.fillConvexPoly(hull, outline, 1, cv2.LINE_8, 4)
    covered, own, known = hull > 0, small == 1, small < 2
    return float((covered & own).sum() / max(int(((covered | own) & known).sum()), 1))
