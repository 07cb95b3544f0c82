"""Which way a camera is turned, from the directions in which it sees the world's axes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from neural_assets_core.calibration.lines import Axis
from neural_assets_core.geometry.box import Float

RIGHT, DOWN, FORWARD = np.eye(3)

SIDEWAYS = 0.1
"""A single vanishing point this close to the camera's right says nothing about its tilt."""


def rotation_of(up: Float, heading: Float) -> Float:
    """(3, 3) world to camera: its columns are x, y and z, `up` being z and `heading` about y.

    Parameters
    ----------
    up, heading : arrays (3,)
        Camera directions; not parallel.
    """
    up = up / np.linalg.norm(up)
    x = np.cross(heading, up)
    x = x / np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up], axis=1)


def upward(direction: Float) -> Float:
    """The direction or its opposite, whichever is more likely to be up.

    A camera that looks down steeply is more usual than one that looks up so.
    """
    return direction if direction @ (-DOWN - 0.3 * FORWARD) > 0 else -direction


def ahead(up: Float) -> Float:
    """(3,) over the ground, away from the camera or, if it looks down, up in the picture."""
    level = np.cross(up, RIGHT)
    length = float(np.linalg.norm(level))
    # A camera on its side: its right is the vertical.
    return level / length if length > 1e-6 else np.cross(up, -DOWN)


def first_rotation(directions: Mapping[Axis, Float]) -> Float:
    """(3, 3) world to camera, from camera directions of one, two or three axes.

    Their signs do not matter: x is what goes rather to the right and away than to the left and
    towards the camera. With one direction over the ground the camera is taken to be level from
    side to side; with the vertical alone, y is ahead.

    Parameters
    ----------
    directions : mapping of Axis to array (3,)
        Unit vectors, about perpendicular to each other.
    """
    seen = {axis: np.asarray(direction) for axis, direction in directions.items()}
    if "z" not in seen:
        seen["z"] = _vertical(*(seen[axis] for axis in ("x", "y") if axis in seen))
    up = upward(seen["z"])
    if "x" not in seen and "y" not in seen:
        return rotation_of(up, ahead(up))
    if "x" not in seen:
        seen["x"] = np.cross(seen["y"], up)
    if "y" not in seen:
        seen["y"] = np.cross(up, seen["x"])
    x, y = seen["x"], seen["y"]
    if np.cross(x, y) @ up < 0:
        y = -y
    # The nearest rotation to what is only about perpendicular.
    left, _, right = np.linalg.svd(np.stack([x, y, up], axis=1))
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    # Of the two ways round, the one that stays the same in all usual views: x along the depth of
    # a corridor, across it, or along either wall of a corner.
    forward = ahead(rotation[:, 2])
    side = np.cross(forward, rotation[:, 2])
    toward = math.cos(math.radians(30)) * side + math.sin(math.radians(30)) * forward
    if rotation[:, 0] @ toward < 0:
        rotation = rotation * [-1.0, -1.0, 1.0]
    return np.asarray(rotation)


def _vertical(first: Float, second: Float | None = None) -> Float:
    """(3,) the vertical, up or down, from one or two directions over the ground."""
    if second is not None:
        return np.cross(first, second)
    level = np.cross(RIGHT, first)
    if np.linalg.norm(level) < SIDEWAYS:
        level = np.cross(first, FORWARD)
    return np.asarray(level / np.linalg.norm(level))
