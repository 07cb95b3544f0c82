"""A camera's pose as the numbers that people think in: where it stands and which way it looks."""

from __future__ import annotations

import math
import warnings

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.geometry.box import Vector3
from neural_assets_core.geometry.camera import Camera

_LEVEL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Camera to world for a level camera that looks along +x: columns right, down, forward."""


def camera_angles(camera: Camera) -> Vector3:
    """Heading, tilt and roll in degrees.

    Returns
    -------
    heading : float
        Over the ground: 0 looks along +x, 90 along +y.
    tilt : float
        Up from level.
    roll : float
        The picture's content turns counter-clockwise for a positive roll of the camera.
    """
    relative = Rotation.from_matrix(_LEVEL.T @ camera.camera_to_world[:3, :3])
    with warnings.catch_warnings():
        # Straight up or down heading and roll are one; scipy then says that roll is 0.
        warnings.simplefilter("ignore", UserWarning)
        turn, tilt, roll = (float(angle) for angle in relative.as_euler("YXZ", degrees=True))
    # Rounding noise would show as -0.0.
    heading, tilt, roll = (0.0 if abs(a) < 1e-9 else a for a in (-turn, tilt, roll))
    return heading, tilt, roll


def placed_camera(camera: Camera, position: Vector3, angles: Vector3) -> Camera:
    """The same camera, intrinsics and all, somewhere else.

    Parameters
    ----------
    camera : Camera
    position : tuple of 3 floats
        Centre of projection, world metres.
    angles : tuple of 3 floats
        Heading, tilt and roll in degrees, as `camera_angles` gives them.
    """
    heading, tilt, roll = (math.remainder(angle, 360.0) for angle in angles)
    turned = Rotation.from_euler("YXZ", [-heading, tilt, roll], degrees=True)
    rotation = (_LEVEL @ turned.as_matrix()).T
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ np.asarray(position, dtype=np.float64)
    return Camera.from_matrices(camera.width, camera.height, camera.k, pose)
