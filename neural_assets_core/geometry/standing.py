"""What stands on what: boxes over boxes."""

from __future__ import annotations

import numpy as np

from neural_assets_core.geometry.box import MINIMUM_EXTENT, Box, Float
from neural_assets_core.geometry.camera import Camera

LIFTED = 1.3
"""Up to where above the middle of a box something still stands on it, in half heights."""

SUNK = 0.3
"""How deep a cup is in its saucer, at most, in heights of the cup."""

FAR, BEYOND = 0.6, 1.2
"""How far from the middle of a base a foot on it may be, away from the camera and otherwise; in
half-sides."""

ASIDE = 0.3
"""How wide a foot is, in half-sides."""

RINGS = ((0.0, 1), (0.4, 8), (0.8, 16))
"""Points of a base that are looked at: on circles of these shares of its half-sides, so many."""


def lowest(box: Box) -> float:
    """Metres of a box's lowest corner over the ground."""
    return float(box.corners()[:, 2].min())


def stands_on(box: Box, below: Box) -> bool:
    """Whether the middle of a box's base is in another box, or just above that."""
    inside = np.abs(below.to_local(box.base_center())) < [1.0, 1.0, LIFTED]
    return bool(inside.all() and below.center[2] < box.center[2])


def rests_in(box: Box, below: Box) -> bool:
    """Whether a box stands on another and sinks into it no deeper than a cup into its saucer."""
    corners, others = box.corners()[:, 2], below.corners()[:, 2]
    sunk = float(others.max() - corners.min())
    return sunk < SUNK * float(np.ptp(corners)) and stands_on(box, below)


def foot_is_over(camera: Camera, box: Box, below: Box) -> bool:
    """Whether the side of a box's base that is nearest to a camera is over another box's base.

    How far something reaches away from the camera is hardly seen; where its foot begins, is. What
    stands behind `below` begins at the far edge of that, or is hidden by it.
    """
    foot = below.to_local(box.to_world(_nearest_side(camera, box)))[:, :2]
    toward = _toward(camera, below)
    return bool(np.abs(foot).max() < BEYOND and (foot @ -toward).max() < FAR)


def _toward(camera: Camera, box: Box) -> Float:
    """(2,) unit vector to a camera over a box's base, in the box's own frame."""
    eye = box.to_local(camera.position)[:2]
    return np.asarray(eye / max(float(np.linalg.norm(eye)), 1e-9))


def _nearest_side(camera: Camera, box: Box) -> Float:
    """(n, 3) points of a base near where that is nearest to a camera, in the box's own frame."""
    x, y = _toward(camera, box)
    along = np.linspace(-ASIDE, ASIDE, 5)
    return np.stack([0.9 * x - y * along, 0.9 * y + x * along, np.full(5, -1.0)], axis=1)


def seen_at_height(camera: Camera, box: Box, height: float) -> Box | None:
    """The box that looks the same to a camera, its lowest corner at `height` metres.

    It is nearer to the camera, and smaller, the higher it stands; None if it would be no box:
    above the camera, or too small.
    """
    eye = camera.position
    room = float(eye[2]) - lowest(box)
    factor = (float(eye[2]) - height) / room if room > 0 else 0.0
    return nearer(camera, box, factor)


def nearer(camera: Camera, box: Box, factor: float) -> Box | None:
    """The box that looks the same to a camera from `factor` times as far; None if too near."""
    if not factor > 1e-6:
        return None
    size = factor * np.asarray(box.size)
    if size.min() < MINIMUM_EXTENT:
        return None
    center = camera.position + factor * (np.asarray(box.center) - camera.position)
    return box.with_size(size).with_center(center)


def base_points(box: Box, reach: float) -> Float:
    """(n, 3) world points of a box's base, on ellipses up to `reach` of that which fills it."""
    points = [
        (share * reach * np.cos(angle), share * reach * np.sin(angle), -1.0)
        for share, count in RINGS
        for angle in np.arange(count) * (2.0 * np.pi / count)
    ]
    return box.to_world(np.array(points))
