"""Random cameras and boxes in front of them, as hypothesis strategies."""

import math

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neural_assets_core.geometry import Box, Camera


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    """A camera above the ground that looks down at the origin, its principal point anywhere."""
    heading = draw(st.floats(-math.pi, math.pi))
    elevation = draw(st.floats(math.radians(12), math.radians(75)))
    distance = draw(st.floats(2.0, 15.0))
    eye = (
        distance * math.cos(elevation) * math.cos(heading),
        distance * math.cos(elevation) * math.sin(heading),
        distance * math.sin(elevation),
    )
    fov = draw(st.floats(0.3, 1.2))
    camera = Camera.looking_at(eye, (0.0, 0.0, 0.0), 800, 600, fov)
    k = camera.k
    k[0, 2] += draw(st.floats(-200, 200))
    k[1, 2] += draw(st.floats(-150, 150))
    return Camera.from_matrices(800, 600, k, camera.extrinsics)


@st.composite
def any_cameras(draw: st.DrawFn) -> Camera:
    """A camera that sees the origin from anywhere: from below, from above, rolled."""
    pose = np.eye(4)
    pose[:3, :3] = draw(rotations()).as_matrix()
    pose[:3, 3] = [draw(st.floats(-0.5, 0.5)), draw(st.floats(-0.5, 0.5)), draw(st.floats(3, 15))]
    focal = draw(st.floats(500, 2000))
    center = draw(st.floats(200, 600)), draw(st.floats(150, 450))
    k = np.array([[focal, 0, center[0]], [0, focal, center[1]], [0, 0, 1.0]])
    return Camera.from_matrices(800, 600, k, pose)


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    """Any rotation: first about the vertical, then a tilt in any direction."""
    heading, toward = draw(st.floats(-math.pi, math.pi)), draw(st.floats(-math.pi, math.pi))
    tilt = draw(st.floats(0.0, math.pi))
    axis = np.array([math.cos(toward), math.sin(toward), 0.0])
    return Rotation.from_rotvec(tilt * axis) * Rotation.from_rotvec([0.0, 0.0, heading])


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """A box near the origin, upright, turned anyhow."""
    at = [draw(st.floats(-0.5, 0.5)) for _ in range(3)]
    size = [draw(st.floats(0.05, 1.0)) for _ in range(3)]
    yaw = draw(st.floats(-math.pi, math.pi))
    box = Box(center=tuple(at), size=tuple(size))
    return box.rotated((0.0, 0.0, 1.0), yaw)


@st.composite
def tilted_boxes(draw: st.DrawFn) -> Box:
    """A box near the origin, turned in all three ways."""
    return draw(boxes()).with_rotation(draw(rotations()).as_quat(scalar_first=True))


def pixel_of(camera: Camera, point: np.ndarray) -> np.ndarray:
    return camera.project(np.asarray(point))[:2]
