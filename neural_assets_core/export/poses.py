"""Cameras of a film's frames, for programs that learn a scene from them.

All of these count as we do: the centre of the upper left pixel is at (0.5, 0.5).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Scene

TRANSFORMS = "transforms.json"
COLMAP = ("cameras.txt", "images.txt", "points3D.txt")

_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""From our camera's axes (y down, z ahead) to OpenGL's (y up, z back)."""


def frame_cameras(scenes: Sequence[Scene], name: str | None = None) -> list[Camera]:
    """The frames' cameras; with an object's name, as that object sees them if it rests.

    Parameters
    ----------
    scenes : sequence of Scene
    name : str, optional
        In a turntable, the object that turns: for it, the camera circles around it.
    """
    if name is None:
        return [scene.camera for scene in scenes]
    rest = _pose(scenes[0].object(name).box)
    cameras = []
    for scene in scenes:
        camera = scene.camera
        moved = camera.extrinsics @ _pose(scene.object(name).box) @ np.linalg.inv(rest)
        cameras.append(Camera.from_matrices(camera.width, camera.height, camera.k, moved))
    return cameras


def write_poses(cameras: Sequence[Camera], files: Sequence[str], folder: str | Path) -> None:
    """Write nerfstudio's `transforms.json` and COLMAP's text model, the latter into `colmap`.

    Parameters
    ----------
    cameras : sequence of Camera
    files : sequence of str
        Names of the frames' pictures, relative to `folder`.
    folder : str or Path

    Raises
    ------
    UserError
        If they cannot be written.
    """
    folder = Path(folder)
    text = json.dumps(transforms(cameras, files), indent=1)
    write_atomically(folder / TRANSFORMS, text.encode())
    model = folder / "colmap"
    try:
        model.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot write {model} ({error.strerror}).") from None
    for name, content in zip(COLMAP, colmap(cameras, files), strict=True):
        write_atomically(model / name, content.encode())


def transforms(cameras: Sequence[Camera], files: Sequence[str]) -> dict[str, Any]:
    """The content of nerfstudio's `transforms.json`: intrinsics a frame, camera to world."""
    frames = []
    for camera, file in zip(cameras, files, strict=True):
        k = camera.k
        frames.append(
            {
                "file_path": file,
                "fl_x": k[0, 0],
                "fl_y": k[1, 1],
                "cx": k[0, 2],
                "cy": k[1, 2],
                "w": camera.width,
                "h": camera.height,
                "transform_matrix": (camera.camera_to_world @ _OPENGL).tolist(),
            }
        )
    return {"camera_model": "OPENCV", "frames": frames}


def cameras_from_transforms(document: dict[str, Any]) -> list[Camera]:
    """The cameras of a `transforms.json` without distortion; intrinsics a frame or for all."""
    cameras = []
    for frame in document["frames"]:
        told = {**document, **frame}
        k = np.array(
            [[told["fl_x"], 0, told["cx"]], [0, told["fl_y"], told["cy"]], [0, 0, 1.0]]
        )
        pose = np.asarray(frame["transform_matrix"], dtype=np.float64) @ _OPENGL
        cameras.append(Camera.from_matrices(told["w"], told["h"], k, _inverse(pose)))
    return cameras


def colmap(cameras: Sequence[Camera], files: Sequence[str]) -> tuple[str, str, str]:
    """COLMAP's text model: the contents of `COLMAP`; there are no points."""
    models: dict[str, int] = {}
    images = ["# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME"]
    for number, (camera, file) in enumerate(zip(cameras, files, strict=True), start=1):
        k = camera.k
        values = " ".join(repr(float(v)) for v in (k[0, 0], k[1, 1], k[0, 2], k[1, 2]))
        model = models.setdefault(
            f"PINHOLE {camera.width} {camera.height} {values}", len(models) + 1
        )
        pose = camera.extrinsics
        turn = Rotation.from_matrix(pose[:3, :3]).as_quat(scalar_first=True)
        told = " ".join(repr(float(v)) for v in (*turn, *pose[:3, 3]))
        # The second line of an image lists its points.
        images += [f"{number} {told} {model} {file}", ""]
    lines = ["# CAMERA_ID, MODEL, WIDTH, HEIGHT, FX, FY, CX, CY"]
    lines += [f"{number} {model}" for model, number in models.items()]
    points = "# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[]\n"
    return "\n".join(lines) + "\n", "\n".join(images) + "\n", points


def cameras_from_colmap(models: str, images: str) -> list[Camera]:
    """The cameras of a text model with PINHOLE cameras only, in the order of its images."""
    known: dict[str, tuple[int, int, list[float]]] = {}
    for line in models.splitlines():
        if line and not line.startswith("#"):
            number, kind, width, height, *values = line.split()
            if kind != "PINHOLE":
                raise UserError(f"COLMAP's camera model {kind} is not known: undistort first.")
            known[number] = (int(width), int(height), [float(value) for value in values])
    cameras = []
    lines = [line for line in images.splitlines() if not line.startswith("#")]
    for line in lines[::2]:
        fields = line.split()
        columns, rows, (fx, fy, cx, cy) = known[fields[8]]
        turn = Rotation.from_quat([float(v) for v in fields[1:5]], scalar_first=True)
        pose = np.eye(4)
        pose[:3, :3] = turn.as_matrix()
        pose[:3, 3] = [float(v) for v in fields[5:8]]
        k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
        cameras.append(Camera.from_matrices(columns, rows, k, pose))
    return cameras


def _pose(box: Box) -> Float:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = box.rotation_matrix(), box.center
    return pose


def _inverse(pose: Float) -> Float:
    rotation = pose[:3, :3].T
    inverse = np.eye(4)
    inverse[:3, :3], inverse[:3, 3] = rotation, -rotation @ pose[:3, 3]
    return inverse
