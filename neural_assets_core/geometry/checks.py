"""What an artist should be warned of: boxes out of the picture, in each other, at the camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import Box, Float
from neural_assets_core.geometry.camera import Camera
from neural_assets_core.geometry.raycast import NEAR

TOUCHING = 1e-3
"""Boxes may reach this far into each other, metres: what stands on a table touches it."""


def outside_picture(camera: Camera, box: Box) -> bool:
    """Whether a box has left the picture: its middle lies beyond the border, or behind.

    A box that the border merely cuts is no fault: photographs crop things all the time.
    """
    u, v, depth = camera.project(np.asarray(box.center))
    return not (depth > NEAR and 0.0 <= u <= camera.width and 0.0 <= v <= camera.height)


def behind_camera(camera: Camera, box: Box) -> bool:
    """Whether any part of a box is at or behind the camera's plane: no picture can be made."""
    return bool(camera.to_camera(box.corners())[:, 2].min() <= NEAR)


def intersecting(boxes: Sequence[Box]) -> set[tuple[int, int]]:
    """Which boxes reach into each other; boxes that only touch do not.

    Parameters
    ----------
    boxes : sequence of Box

    Returns
    -------
    set of (int, int)
        Pairs of indices into `boxes`, the smaller one first.
    """
    if len(boxes) < 2:
        return set()
    centers = np.array([box.center for box in boxes])
    half = 0.5 * np.array([box.size for box in boxes])
    axes = np.array([box.rotation_matrix().T for box in boxes])
    first, second = np.triu_indices(len(boxes), 1)
    # Most boxes are far apart: spheres around them rule those out at once.
    reach = np.linalg.norm(half, axis=1)
    apart = np.linalg.norm(centers[second] - centers[first], axis=1)
    near = apart < reach[first] + reach[second]
    first, second = first[near], second[near]
    edges = axes * half[..., None]
    overlap = _overlaps(
        centers[second] - centers[first], axes[first], axes[second], edges[first], edges[second]
    )
    meet: NDArray[np.bool_] = overlap > TOUCHING
    return {(int(i), int(j)) for i, j in zip(first[meet], second[meet], strict=True)}


def _overlaps(
    between: Float, axes: Float, others: Float, edges: Float, other_edges: Float
) -> Float:
    """(P,) metres that pairs of boxes must part to be free, negative for a gap.

    Separating axes: the three of each box, and the nine across an edge of both.

    Parameters
    ----------
    between : array (P, 3)
        From the first box's centre to the second's.
    axes, others : arrays (P, 3, 3)
        Rows: the boxes' unit axes.
    edges, other_edges : arrays (P, 3, 3)
        Rows: from the centre to the faces.
    """
    across = np.cross(axes[:, :, None], others[:, None, :]).reshape(-1, 9, 3)
    length = np.linalg.norm(across, axis=2, keepdims=True)
    parallel = length < 1e-6
    across = across / np.where(parallel, 1.0, length)
    directions = np.concatenate([axes, others, across], axis=1)
    shadows = [np.abs(directions @ e.transpose(0, 2, 1)).sum(axis=2) for e in (edges, other_edges)]
    overlap = shadows[0] + shadows[1] - np.abs(np.einsum("pij,pj->pi", directions, between))
    # Parallel edges make no direction of their own.
    overlap[:, 6:][parallel[..., 0]] = np.inf
    return np.asarray(overlap.min(axis=1))
