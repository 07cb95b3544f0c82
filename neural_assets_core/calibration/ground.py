"""Cameras without lines: by the horizon, by guess, by a rim, and scaled by a known length."""

from __future__ import annotations

import math

import numpy as np

from neural_assets_core.calibration.lines import Point
from neural_assets_core.calibration.orientation import ahead, rotation_of, upward
from neural_assets_core.calibration.photograph import Photograph
from neural_assets_core.calibration.solve import (
    DEFAULT_HEIGHT,
    FARTHEST,
    check_numbers,
    standing,
)
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.outlines import Ellipse

USUAL_FOCAL = 50.0 / 43.27
"""Of a 50 mm lens on 36 x 24 mm, diagonals of the picture."""

USUAL_TILT = math.radians(10.0)
"""A photograph of things on the ground looks down so much."""

FLATTEST, ROUNDEST = 0.2, 0.88
"""Heights over widths of rims that tell how steeply a camera looks down: a ball is no rim."""

SHALLOWEST = 0.01
"""Least slope of a ray that meets the ground: there it is 100 camera heights away."""


def camera_from_horizon(
    size: tuple[int, int],
    focal: float,
    left_y: float,
    right_y: float,
    height: float = DEFAULT_HEIGHT,
) -> Camera:
    """A camera from its focal length and where the horizon crosses the picture's sides.

    It stands at (0, 0, height) and looks along +y; x goes to the right.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture, pixels.
    focal : float
        Pixels.
    left_y, right_y : float
        The horizon's y at the left and at the right edge, pixels; may lie outside the picture.
    height : float
        Of the camera above the ground, metres.

    Raises
    ------
    UserError
        If a number is not finite, or the focal length or the height not positive.
    """
    check_numbers(size, focal, height)
    # Written so that NaN fails too.
    if not (abs(left_y) <= FARTHEST and abs(right_y) <= FARTHEST):
        raise UserError("The horizon is too far away: give its heights at both sides in pixels.")
    width, tall = size
    k = np.array([[focal, 0, 0.5 * width], [0, focal, 0.5 * tall], [0, 0, 1.0]])
    # The plane through the camera that holds the horizon is level: its normal is the vertical.
    line = np.cross([0.0, left_y, 1.0], [float(width), right_y, 1.0])
    up = upward(k.T @ (line / np.linalg.norm(line)))
    return standing(size, k, rotation_of(up, ahead(up)), height)


def horizon(camera: Camera) -> tuple[float, float]:
    """Where the horizon crosses the lines x = 0 and x = width, pixels; at most 1e9 away."""
    a, b, c = np.linalg.inv(camera.k).T @ camera.extrinsics[:3, 2]
    # Who looks straight down has it above the picture, infinitely far.
    b = b if abs(b) > 1e-15 else -1e-15
    left, right = (-(a * x + c) / b for x in (0.0, float(camera.width)))
    return (
        float(np.clip(left, -FARTHEST, FARTHEST)),
        float(np.clip(right, -FARTHEST, FARTHEST)),
    )


def guessed_camera(photograph: Photograph, focal: float | None = None) -> Camera:
    """A camera to begin with: the file's own, or its focal length and a slight look down.

    Parameters
    ----------
    photograph : Photograph
    focal : float, optional
        Pixels, if it is known better than by the file.
    """
    if photograph.camera is not None and focal is None:
        return photograph.camera
    size = photograph.size
    if focal is None:
        focal = photograph.focal or USUAL_FOCAL * math.hypot(*size)
    return _usual(size, focal, DEFAULT_HEIGHT)


def is_guessed(camera: Camera) -> bool:
    """Whether a photograph's camera is nothing but the guess to begin with, at any height."""
    size, height = (camera.width, camera.height), float(camera.position[2])
    if not height > 0:
        return False
    usual = _usual(size, float(camera.k[0, 0]), height)
    return bool(
        np.allclose(camera.k, usual.k) and np.allclose(camera.extrinsics, usual.extrinsics)
    )


def _usual(size: tuple[int, int], focal: float, height: float) -> Camera:
    y = 0.5 * size[1] - focal * math.tan(USUAL_TILT)
    return camera_from_horizon(size, focal, y, y, height)


def camera_by_rim(camera: Camera, rim: Ellipse) -> Camera | None:
    """The camera tilted so that the rim of something round is level; None if that tells nothing.

    Cups, plates, pots and wheels that lie down have rims that are circles; a camera sees them as
    ellipses, the flatter the lower it looks. For a photograph of which nothing else is known that
    is a far better guess than any usual tilt.

    Parameters
    ----------
    camera : Camera
        Whose focal length and height are kept.
    rim : Ellipse
        In its picture.
    """
    flatness = float(rim.half[1] / rim.half[0])
    if not FLATTEST <= flatness <= ROUNDEST:
        return None
    focal, middle = float(camera.k[1, 1]), float(camera.k[1, 2])
    tilt = math.asin(flatness) - math.atan((float(rim.center[1]) - middle) / focal)
    horizon = middle - focal * math.tan(min(max(tilt, 0.02), 1.4))
    size = (camera.width, camera.height)
    return camera_from_horizon(size, focal, horizon, horizon, float(camera.position[2]))


def scaled_to_length(camera: Camera, a: Point, b: Point, metres: float) -> Camera:
    """The same camera at the height from which two points of the ground are so far apart.

    Parameters
    ----------
    camera : Camera
    a, b : (float, float)
        What shows the two points of the ground, pixels.
    metres : float
        Their true distance.

    Raises
    ------
    UserError
        If a point is not on the ground, both are the same, or the length is not positive.
    """
    if not (math.isfinite(metres) and metres > 0):
        raise UserError(f"The known length must be more than 0 m, not {metres:g} m.")
    length = float(np.linalg.norm(ground_point(camera, b) - ground_point(camera, a)))
    # About what two clicks in one place come to.
    if length < 1e-6 * camera.position[2]:
        raise UserError("The known length's ends are in one place: set them apart.")
    return at_height(camera, float(camera.position[2]) * metres / length)


def at_height(camera: Camera, height: float) -> Camera:
    """The same camera so many metres above the ground, with the same look of the ground.

    Raises
    ------
    UserError
        If the height is not positive, or the camera was not above the ground.
    """
    check_numbers((camera.width, camera.height), None, height)
    if camera.position[2] <= 0:
        raise UserError("The camera is not above the ground: calibrate it first.")
    pose = camera.extrinsics
    pose[:3, 3] *= height / camera.position[2]
    return Camera.from_matrices(camera.width, camera.height, camera.k, pose)


def ground_point(camera: Camera, pixel: Point) -> Float:
    """(3,) the point of the ground that a pixel shows, world metres.

    Raises
    ------
    UserError
        If the pixel is above the horizon or so close below it that a pixel is metres.
    """
    origin, direction = camera.rays(np.asarray(pixel, dtype=np.float64))
    slope = -float(direction[2]) / float(np.linalg.norm(direction))
    if origin[2] <= 0:
        raise UserError("The camera is not above the ground: set its height first.")
    # Written so that NaN fails too.
    if not slope > SHALLOWEST:
        raise UserError(
            "This point is above the horizon or too close to it: choose one on the ground, below, "
            "or calibrate the camera first."
        )
    return np.asarray(origin - direction * (origin[2] / direction[2])) * [1.0, 1.0, 0.0]
