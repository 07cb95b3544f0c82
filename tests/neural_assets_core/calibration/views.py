"""Cameras above the ground and exact lines in their pictures, as hypothesis strategies."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from neural_assets_core.calibration import Axis, Segment
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.camera_pose import placed_camera

SIZE = (900, 600)
MIDDLES = np.array([[150.0, 520.0], [750.0, 500.0], [450.0, 150.0], [400.0, 400.0]])


@st.composite
def standing_cameras(
    draw: st.DrawFn, *, roll: float = 8.0, tilt: tuple[float, float] = (-40.0, -12.0)
) -> Camera:
    """At (0, 0, height), looking down between two of the world's axes."""
    focal = draw(st.floats(500.0, 1500.0))
    k = np.array([[focal, 0, 450.0], [0, focal, 300.0], [0, 0, 1.0]])
    camera = Camera.from_matrices(*SIZE, k, np.eye(4))
    heading = draw(st.floats(25.0, 65.0)) + draw(st.sampled_from([0.0, 90.0, 180.0, 270.0]))
    angles = (heading, draw(st.floats(*tilt)), draw(st.floats(-roll, roll)))
    return placed_camera(camera, (0.0, 0.0, draw(st.floats(0.5, 3.0))), angles)


def exact_lines(camera: Camera, axis: Axis, count: int = 3) -> list[Segment]:
    """Lines along a world axis as the camera sees them, far from each other."""
    x, y, w = camera.k @ camera.extrinsics[:3, "xyz".index(axis)]
    lines = []
    for middle in MIDDLES[:count]:
        toward = np.array([x, y]) - w * middle
        half = 140.0 * toward / np.linalg.norm(toward)
        (x0, y0), (x1, y1) = (middle - half).tolist(), (middle + half).tolist()
        lines.append(Segment((x0, y0), (x1, y1)))
    return lines


@st.composite
def seen_boxes(draw: st.DrawFn, camera: Camera) -> Box:
    """A box on the ground, in the lower half of the picture."""
    pixel = draw(st.floats(250.0, 650.0)), draw(st.floats(420.0, 560.0))
    origin, ray = camera.rays(np.array(pixel))
    foot = origin - ray * origin[2] / ray[2]
    scale = float(np.linalg.norm(foot - origin))
    size = tuple(draw(st.floats(0.05, 0.25)) * scale for _ in range(3))
    half = 0.5 * draw(st.floats(-math.pi, math.pi))
    return Box(
        center=(float(foot[0]), float(foot[1]), 0.5 * size[2]),
        size=size,
        rotation=(math.cos(half), 0.0, 0.0, math.sin(half)),
    )
