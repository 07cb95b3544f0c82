"""Viewing rays against planes and boxes, and world segments as they appear in a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from neural_assets_core.geometry.box import Box, Float
from neural_assets_core.geometry.camera import Camera

NEAR = 1e-2
"""Depth in metres at which segments are cut: nothing nearer is drawn or picked."""


def intersect_plane(origin: Float, direction: Float, point: Float, normal: Float) -> float:
    """Where a ray meets a plane.

    Parameters
    ----------
    origin, direction : arrays (3,)
        The ray, world metres; `direction` need not be of unit length.
    point, normal : arrays (3,)
        The plane, world metres.

    Returns
    -------
    float
        The t of `origin + t * direction`; negative behind the origin, inf if they never meet.
    """
    slope = float(np.dot(normal, direction))
    if slope == 0.0:
        return float("inf")
    return float(np.dot(normal, point - origin)) / slope


def intersect_boxes(origin: Float, direction: Float, boxes: Sequence[Box]) -> Float:
    """Where a ray enters each of several boxes.

    Parameters
    ----------
    origin, direction : arrays (3,)
        The ray, world metres.
    boxes : sequence of N Box

    Returns
    -------
    array (N,)
        The t of `origin + t * direction` on the box's surface, inf for a miss. A box that
        holds the origin is met where the ray leaves it.
    """
    if not boxes:
        return np.empty(0)
    quaternions = np.array([box.rotation for box in boxes])
    rotations = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
    half = 0.5 * np.array([box.size for box in boxes])
    start = np.einsum("nij,ni->nj", rotations, origin - np.array([box.center for box in boxes]))
    along = np.einsum("nij,i->nj", rotations, direction)
    # Slabs: a ray parallel to a slab divides by zero and gets the right infinities, except
    # exactly on its surface (0 / 0), which counts as inside.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        one, other = (-half - start) / along, (half - start) / along
    low, high = np.minimum(one, other), np.maximum(one, other)
    enter = np.where(np.isnan(low), -np.inf, low).max(axis=1)
    leave = np.where(np.isnan(high), np.inf, high).min(axis=1)
    met = np.where(enter >= 0, enter, leave)
    return np.where(leave >= np.maximum(enter, 0.0), met, np.inf)


def project_segments(camera: Camera, starts: Float, ends: Float) -> tuple[Float, NDArray[np.bool_]]:
    """World segments in the picture, cut at the near plane before projecting.

    Parameters
    ----------
    camera : Camera
    starts, ends : arrays (N, 3)
        World metres.

    Returns
    -------
    pixels : array (N, 2, 2)
        Both ends of each segment in pixels; zeros where nothing is in front of the camera.
    visible : bool array (N,)
    """
    a, b = camera.to_camera(starts), camera.to_camera(ends)
    visible = np.maximum(a[:, 2], b[:, 2]) > NEAR
    a, b = _cut(a, b), _cut(b, a)
    ends_in_camera = np.where(visible[:, None, None], np.stack([a, b], axis=1), [0.0, 0.0, 1.0])
    focal, center = camera.k[[0, 1], [0, 1]], camera.k[:2, 2]
    pixels = ends_in_camera[..., :2] / ends_in_camera[..., 2:] * focal + center
    return np.where(visible[:, None, None], pixels, 0.0), visible


def _cut(moved: Float, fixed: Float) -> Float:
    """The ends `moved` (N, 3), those nearer than the near plane slid along to it."""
    rise = fixed[:, 2] - moved[:, 2]
    share = np.clip((NEAR - moved[:, 2]) / np.where(rise == 0, 1.0, rise), 0.0, 1.0)
    near = (moved[:, 2] < NEAR)[:, None]
    return np.where(near, moved + share[:, None] * (fixed - moved), moved)
