"""What is under the pointer, found without a screen: pixel distances and ray-box hits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import EDGES, Box, Float
from neural_assets_core.geometry.camera import Camera
from neural_assets_core.geometry.rays import intersect_boxes, project_segments

_EDGES = np.array(EDGES)


def distance_to_segments(segments: Float, pixel: Float) -> Float:
    """Distances in pixels from `pixel` (2,) to line segments (N, 2, 2), as an array (N,)."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    length = np.einsum("ni,ni->n", along, along)
    share = np.einsum("ni,ni->n", pixel - start, along) / np.where(length > 0, length, 1.0)
    foot = start + np.clip(share, 0.0, 1.0)[:, None] * along
    return np.asarray(np.linalg.norm(foot - pixel, axis=1))


def meets_rectangle(segments: Float, low: Float, high: Float) -> NDArray[np.bool_]:
    """Which line segments (N, 2, 2) have a part in the rectangle from `low` to `high`.

    These are (2,), or (N, 2): for each segment a rectangle of its own.
    """
    begin, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    along = np.where(np.abs(along) < 1e-12, 1e-12, along)
    # Where along each segment its two coordinates come into the rectangle's range, and leave it.
    limits = np.stack([(low - begin) / along, (high - begin) / along])
    enter = np.maximum(limits.min(axis=0).max(axis=1), 0.0)
    leave = np.minimum(limits.max(axis=0).min(axis=1), 1.0)
    return np.asarray(enter <= leave)


def inside_polygon(corners: Float, pixel: Float) -> bool:
    """Whether `pixel` (2,) is inside a convex polygon (N, 2), either way round."""
    sides, reach = np.roll(corners, -1, axis=0) - corners, pixel - corners
    turns = sides[:, 0] * reach[:, 1] - sides[:, 1] * reach[:, 0]
    return bool((turns >= 0).all() or (turns <= 0).all())


def boxes_under(
    camera: Camera, boxes: Sequence[Box], pixel: Float, tolerance: float = 0.0
) -> list[int]:
    """The boxes under a position of the picture, nearest first.

    Parameters
    ----------
    camera : Camera
    boxes : sequence of Box
    pixel : array (2,)
    tolerance : float
        Boxes with an edge within this many pixels follow those that are truly hit: a thin or
        distant box can still be clicked.

    Returns
    -------
    list of int
        Indices into `boxes`.
    """
    if not boxes:
        return []
    distances = intersect_boxes(*camera.rays(pixel), boxes)
    order = np.argsort(distances, kind="stable")
    hits = [int(i) for i in order if np.isfinite(distances[i])]
    if tolerance <= 0:
        return hits
    corners = np.stack([box.corners() for box in boxes])
    edges = corners[:, _EDGES].reshape(-1, 2, 3)
    segments, visible = project_segments(camera, edges[:, 0], edges[:, 1])
    gaps = np.where(visible, distance_to_segments(segments, pixel), np.inf)
    nearest = gaps.reshape(len(boxes), -1).min(axis=1)
    close = [int(i) for i in np.argsort(nearest, kind="stable") if nearest[i] <= tolerance]
    return hits + [i for i in close if i not in hits]
