"""The rims of round things, and cameras by them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from neural_assets_core.calibration import camera_from_horizon
from neural_assets_core.calibration.ground import camera_by_rim
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.scene import Picture
from neural_assets_core.segmentation.rims import rim_of

SIZE = (400, 300)
FOCAL = 500.0


def looking_down(degrees: float) -> Camera:
    y = 150.0 - FOCAL * math.tan(math.radians(degrees))
    return camera_from_horizon(SIZE, FOCAL, y, y)


def pot(camera: Camera, radius: float = 0.3, height: float = 0.35) -> tuple[Picture, Picture]:
    """A dark pot, bright inside, on grey ground; and its mask."""
    middle = camera.position + camera.camera_to_world[:3, 2] * 2.5
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * radius
    top, bottom = (
        camera.project(ring + middle + [0.0, 0.0, up * height])[:, :2] for up in (0.5, -0.5)
    )
    pixels, mask = np.full((300, 400, 3), 128, np.uint8), np.zeros((300, 400), np.uint8)
    hull = cv2.convexHull(np.concatenate([top, bottom]).astype(np.float32)).astype(np.int32)
    for image, colour in ((pixels, (60, 40, 30)), (mask, 255)):
        cv2.fillPoly(image, [hull], colour)
    cv2.fillPoly(pixels, [np.round(top).astype(np.int32)], (220, 210, 190), cv2.LINE_AA)
    return Picture(pixels), Picture(mask)


def found_by(picture: Picture, mask: Picture) -> Camera | None:
    rim = rim_of(picture, mask)
    return None if rim is None else camera_by_rim(looking_down(10.0), rim)


@pytest.mark.parametrize("degrees", [20.0, 35.0, 50.0])
def test_a_rim_tells_the_tilt(degrees: float) -> None:
    true = looking_down(degrees)
    found = found_by(*pot(true))
    assert found is not None
    assert camera_angles(found)[1] == pytest.approx(camera_angles(true)[1], abs=4.0)
    assert found.position[2] == pytest.approx(1.6)
    assert found.k == pytest.approx(true.k)


def test_a_ball_and_a_crate_have_none() -> None:
    pixels, mask = np.full((300, 400, 3), 128, np.uint8), np.zeros((300, 400), np.uint8)
    for image, colour in ((pixels, (200, 60, 40)), (mask, 255)):
        cv2.circle(image, (200, 150), 70, colour, -1)
    assert found_by(Picture(pixels), Picture(mask)) is None
    pixels, mask = np.full((300, 400, 3), 128, np.uint8), np.zeros((300, 400), np.uint8)
    for image, colour in ((pixels, (200, 60, 40)), (mask, 255)):
        cv2.rectangle(image, (120, 90), (280, 220), colour, -1)
    assert found_by(Picture(pixels), Picture(mask)) is None
    plain = Picture(np.full((300, 400, 3), 128, np.uint8))
    assert found_by(plain, Picture(mask)) is None
    nothing = Picture(np.zeros((300, 400), np.uint8))
    assert found_by(plain, nothing) is None
