"""A free camera that circles a point and stays level, for looking at a scene from all sides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from neural_assets_core.geometry.box import Float, Vector3
from neural_assets_core.geometry.camera import Camera

FIELD_OF_VIEW = math.radians(40.0)
"""Vertical."""

NEAREST, FARTHEST = 0.02, 2000.0
"""Distances to the target in metres."""

_ROOM = 1.15
"""Left around what is framed."""


@dataclass(frozen=True)
class Turntable:
    """Where a level camera looks, from which side and how far away.

    Attributes
    ----------
    target : tuple of 3 floats
        World metres; always in the middle of the view.
    distance : float
        From the camera to the target, metres.
    yaw : float
        Heading of the viewing direction over the ground, radians; 0 looks along +x, pi/2
        along +y.
    pitch : float
        How far it looks down, radians; pi/2 is straight down.
    """

    target: Vector3
    distance: float
    yaw: float
    pitch: float

    @classmethod
    def framing(cls, points: Float, yaw: float, pitch: float, aspect: float) -> Turntable:
        """The nearest view from a given side that shows all points with some room around them.

        Parameters
        ----------
        points : array (N, 3)
            World metres, at least one.
        yaw, pitch : float
            Radians.
        aspect : float
            Width of the view over its height.
        """
        center = 0.5 * (points.min(axis=0) + points.max(axis=0))
        radius = float(np.linalg.norm(points - center, axis=1).max())
        half = math.atan(math.tan(0.5 * FIELD_OF_VIEW) * min(1.0, aspect))
        distance = _ROOM * radius / math.sin(half)
        return cls(_vector(center), _clamped(distance), yaw, pitch)

    @property
    def axes(self) -> Float:
        """(3, 3) rows: the camera's right, down and forward as unit vectors in the world."""
        level = np.array([math.cos(self.yaw), math.sin(self.yaw), 0.0])
        # From the heading alone, so that it is known when looking straight down too.
        right = np.array([math.sin(self.yaw), -math.cos(self.yaw), 0.0])
        forward = math.cos(self.pitch) * level - math.sin(self.pitch) * np.array([0.0, 0.0, 1.0])
        return np.stack([right, np.cross(forward, right), forward])

    def camera(self, width: int, height: int) -> Camera:
        """The camera for a screen of `width` x `height` pixels."""
        rotation = self.axes
        eye = np.asarray(self.target) - self.distance * rotation[2]
        pose = np.eye(4)
        pose[:3, :3] = rotation
        pose[:3, 3] = -rotation @ eye
        focal = _focal(height)
        k = np.array([[focal, 0.0, 0.5 * width], [0.0, focal, 0.5 * height], [0.0, 0.0, 1.0]])
        return Camera.from_matrices(width, height, k, pose)

    def turned(self, yaw: float, pitch: float) -> Turntable:
        """Circled round the target by these angles in radians; never over the top."""
        limit = 0.5 * math.pi
        # Full turns are taken away: after hours of circling an angle is still exact.
        heading = math.remainder(self.yaw + yaw, 2.0 * math.pi)
        return replace(self, yaw=heading, pitch=min(max(self.pitch + pitch, -limit), limit))

    def panned(self, dx: float, dy: float, height: int) -> Turntable:
        """Shifted sideways, so that what is at the target's depth follows by (dx, dy) pixels."""
        right, down, _ = self.axes
        metres = self.distance / _focal(height)
        return replace(
            self, target=_vector(np.asarray(self.target) - metres * (dx * right + dy * down))
        )

    def zoomed(self, factor: float, dx: float, dy: float, height: int) -> Turntable:
        """Nearer by `factor`.

        What is at the target's depth, (dx, dy) pixels from the middle of the view, stays there.
        """
        distance = _clamped(self.distance / factor)
        kept = 1.0 - distance / self.distance
        right, down, _ = self.axes
        metres = kept * self.distance / _focal(height)
        target = np.asarray(self.target) + metres * (dx * right + dy * down)
        return replace(self, target=_vector(target), distance=distance)


def seen_from(camera: Camera, distance: float) -> Turntable:
    """The view from where a camera is, along its direction, about a point `distance` ahead."""
    forward = camera.forward
    return Turntable(
        _vector(camera.position + distance * forward),
        _clamped(distance),
        math.atan2(forward[1], forward[0]),
        math.asin(min(max(-float(forward[2]), -1.0), 1.0)),
    )


def _focal(height: int) -> float:
    """Focal length in pixels."""
    return 0.5 * height / math.tan(0.5 * FIELD_OF_VIEW)


def _clamped(distance: float) -> float:
    return min(max(distance, NEAREST), FARTHEST)


def _vector(point: Float) -> Vector3:
    x, y, z = (float(side) for side in point)
    return x, y, z
