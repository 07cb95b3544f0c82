"""fSpy projects: a photograph with a camera that was found for it in another program.

::

    "fspy"         magic
    uint32 x 3     version, bytes of JSON, bytes of picture; little endian
    JSON           of which only `cameraParameters` and the unit of length matter here
    picture        an ordinary picture file

fSpy's cameras look along -z with y up; its image plane has the origin in the middle, y up, and
the longer side from -1 to 1.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np

from neural_assets_core.calibration.solve import DEFAULT_HEIGHT
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Picture
from neural_assets_core.scene.picture import read_image

MAGIC = b"fspy"
HEADER = struct.Struct("<4sIII")
VERSION = 1
MAXIMUM_JSON = 4 * 2**20

METRES = {
    "Millimeters": 0.001,
    "Centimeters": 0.01,
    "Meters": 1.0,
    "Kilometers": 1000.0,
    "Inches": 0.0254,
    "Feet": 0.3048,
    "Miles": 1609.344,
}
"""Of the units; without one, lengths are taken to be metres."""


def read_project(content: bytes, name: str) -> tuple[Picture, Camera | None]:
    """The picture of an fSpy project, and its camera if it has one.

    The world is turned so that its axis that is closest to the vertical of the picture points up,
    whichever fSpy called so. A camera at or below the origin's height, for which the project has
    no ground, is put at the usual height.

    Parameters
    ----------
    content : bytes
    name : str
        What errors call it.

    Raises
    ------
    UserError
        If the project is damaged, of another version, or without a picture.
    """
    try:
        _, version, json_size, picture_size = HEADER.unpack_from(content)
        if version != VERSION:
            raise UserError(
                f"{name} is an fSpy project of version {version}: only version {VERSION} is known."
            )
        end = HEADER.size + json_size
        if json_size > MAXIMUM_JSON or len(content) < end + picture_size:
            raise ValueError("it is cut off")
        state = json.loads(content[HEADER.size : end])
        parameters = state["cameraParameters"]
        if picture_size == 0:
            raise UserError(f"{name} holds no picture: open one in fSpy and save it again.")
        picture, _ = read_image(content[end : end + picture_size], f"The picture in {name}")
        if parameters is None:
            return picture, None
        unit = METRES.get(state["calibrationSettingsBase"]["referenceDistanceUnit"], 1.0)
        return picture, _camera(parameters, unit, picture)
    except (ValueError, LookupError, TypeError, ArithmeticError, struct.error, RecursionError) as e:
        reason = " ".join(str(e).split())[:120] or type(e).__name__
        raise UserError(
            f"{name} is no fSpy project that can be read ({reason}): save it again in fSpy."
        ) from None


def _camera(parameters: dict[str, Any], unit: float, picture: Picture) -> Camera:
    """Raises ValueError, LookupError or TypeError if the parameters are not as they should be."""
    width, height = int(parameters["imageWidth"]), int(parameters["imageHeight"])
    if (width, height) != (picture.width, picture.height):
        raise ValueError(f"its camera is for {width} x {height} pixels")
    focal = 0.5 * width / math.tan(0.5 * float(parameters["horizontalFieldOfView"]))
    center = parameters["principalPoint"]
    scale = 0.5 * max(width, height)
    k = np.array(
        [
            [focal, 0.0, 0.5 * width + scale * float(center["x"])],
            [0.0, focal, 0.5 * height - scale * float(center["y"])],
            [0.0, 0.0, 1.0],
        ]
    )
    pose = np.array(parameters["cameraTransform"]["rows"], dtype=np.float64)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise ValueError("its camera is nowhere")
    left, sizes, right = np.linalg.svd(pose[:3, :3])
    if np.abs(sizes - 1.0).max() > 1e-3 or np.linalg.det(pose[:3, :3]) < 0:
        raise ValueError("its camera is not a rotation")
    turn = _to_upright(left @ right)
    position = unit * (turn @ pose[:3, 3])
    if position[2] <= 0:
        position[2] = DEFAULT_HEIGHT
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = np.diag([1.0, -1.0, -1.0]) @ (turn @ left @ right).T
    extrinsics[:3, 3] = -extrinsics[:3, :3] @ position
    return Camera.from_matrices(width, height, k, extrinsics)


def _to_upright(camera_axes: Float) -> Float:
    """(3, 3) the turn of the world by right angles that makes z what is up in the picture.

    `camera_axes` has the camera's right, up and backward in the world for columns.
    """
    # Who looks straight down sees nothing of the vertical but that it comes from behind.
    likely = camera_axes @ [0.0, 1.0, 0.3]
    axis = int(np.abs(likely).argmax())
    if axis == 2 and likely[2] > 0:
        return np.eye(3)
    up = np.eye(3)[axis] * math.copysign(1.0, likely[axis])
    first = np.eye(3)[0 if axis != 0 else 1]
    return np.stack([first, np.cross(up, first), up])
