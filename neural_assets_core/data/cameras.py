"""Cameras of made scenes: planned for a unit-less square picture, resized on rendering."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.families import MadeObject
from neural_assets_core.data.families.parts import Float
from neural_assets_core.geometry import CORNER_SIGNS, Camera

Rng = np.random.Generator

FOCAL_LENGTHS = (24.0, 85.0)
"""Millimetres on a sensor `SENSOR` wide."""
SENSOR = 36.0


def corners_of(item: MadeObject, position: Float, rotation: Float) -> Float:
    """(8, 3) world corners of an object's box."""
    turn = Rotation.from_quat(rotation, scalar_first=True)
    return np.asarray(position + turn.apply(item.center + 0.5 * CORNER_SIGNS * item.size))


def in_picture(camera: Camera, points: Float) -> Float:
    """(N, 2) positions in the picture, (0, 0) the middle and +-1 the borders."""
    projected = camera.project(points)
    projected[projected[:, 2] < 0.05] = np.nan
    return np.asarray(projected[:, :2] / (0.5 * camera.width) - 1.0)


def well_seen(camera: Camera, corners: Float) -> bool:
    """Inside the picture for the most part, neither tiny nor filling it."""
    at = in_picture(camera, corners)
    if not np.isfinite(at).all():
        return False
    width = float(np.ptp(at[:, 0])) / 2
    middle = float(np.abs(at.mean(axis=0)).max())
    return 0.08 <= width <= 0.62 and middle <= 0.84 and float(np.abs(at).max()) <= 1.25


def first_camera(rng: Rng, objects: list[MadeObject], positions: Float, rotations: Float) -> Camera:
    """Looks at the group from a distance at which it fills most of the picture."""
    corners = np.concatenate(
        [corners_of(item, p, r) for item, p, r in zip(objects, positions, rotations, strict=True)]
    )
    azimuth = float(rng.uniform(-math.pi, math.pi))
    elevation = math.radians(float(rng.triangular(4, 22, 60)))
    focal = math.exp(float(rng.uniform(*np.log(FOCAL_LENGTHS))))
    fov = 2 * math.atan(0.5 * SENSOR / focal)
    fill = float(rng.uniform(*{1: (0.40, 0.72), 2: (0.64, 0.90)}.get(len(objects), (0.76, 0.98))))
    middle = 0.5 * (corners.min(axis=0) + corners.max(axis=0)) + rng.normal(0, 0.015, 3)
    away = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    for _ in range(3):
        # From one metre away; backing off only adds to the depths.
        local = _looking(middle + away, middle, fov, 0.0).to_camera(corners)
        sides = np.abs(local[:, :2]).max(axis=1)
        near, far = 0.3, 9.0
        for _ in range(16):
            distance = 0.5 * (near + far)
            depth = local[:, 2] + distance - 1
            if (depth > 0.05).all() and (sides / depth).max() <= fill * math.tan(fov / 2):
                far = distance
            else:
                near = distance
        # Aim at the middle of what is seen: perspective shifts it from the middle in space.
        camera = _looking(middle + far * away, middle, fov, 0.0)
        at = in_picture(camera, corners)
        right, down = 0.5 * (at.min(axis=0) + at.max(axis=0)) * far * math.tan(fov / 2)
        middle = middle + right * camera.extrinsics[0, :3] + down * camera.extrinsics[1, :3]
    return _looking(middle + far * away, middle, fov, math.radians(float(rng.normal(0, 1.2))))


def _looking(eye: Float, target: Float, fov: float, roll: float) -> Camera:
    ex, ey, ez = (float(v) for v in eye)
    tx, ty, tz = (float(v) for v in target)
    camera = Camera.looking_at((ex, ey, ez), (tx, ty, tz), 1000, 1000, fov)
    return _turned(camera, np.zeros(3), np.array([0.0, 0.0, roll]))


def _turned(camera: Camera, shift: Float, turn: Float) -> Camera:
    """Shifted by `shift` (metres, camera axes) and turned by the rotation vector `turn`."""
    step = np.eye(4)
    step[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    step[:3, 3] = -step[:3, :3] @ shift
    return Camera.from_matrices(camera.width, camera.height, camera.k, step @ camera.extrinsics)


def moved_camera(rng: Rng, camera: Camera, positions: Float, objects: list[MadeObject]) -> Camera:
    """The first camera itself, one close to it, or one that went some way around the group."""
    kind = float(rng.random())
    if kind < 0.4:
        return camera
    middles = positions + np.array([item.center for item in objects])
    distance = float(np.median(camera.project(middles)[:, 2]))
    for _ in range(12):
        start = camera if kind < 0.75 else _orbited(rng, camera, middles.mean(axis=0))
        shift = rng.uniform(-1, 1, 3) * distance * 0.09
        turn = np.radians(rng.normal(0, 1, 3) * (2.2, 2.2, 1.0))
        candidate = _turned(start, shift, turn)
        at = in_picture(candidate, middles)
        if (
            candidate.position[2] > 0.08
            and np.isfinite(at).all()
            and float(np.abs(at).max()) < 0.92
        ):
            return candidate
    return camera


def _orbited(rng: Rng, camera: Camera, middle: Float) -> Camera:
    """The camera carried around the vertical through `middle`, still turned towards it."""
    angle = math.radians(float(rng.uniform(6, 28))) * float(rng.choice([-1, 1]))
    carry = np.eye(4)
    carry[:3, :3] = Rotation.from_rotvec([0, 0, angle]).as_matrix()
    carry[:3, 3] = middle - carry[:3, :3] @ middle
    pose = camera.extrinsics @ np.linalg.inv(carry)
    return Camera.from_matrices(camera.width, camera.height, camera.k, pose)
