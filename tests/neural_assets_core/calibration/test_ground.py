"""Horizons, guesses and known lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.calibration import (
    Photograph,
    camera_from_horizon,
    cuboid_from_clicks,
    guessed_camera,
    horizon,
    scaled_to_length,
)
from neural_assets_core.calibration.ground import at_height
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.scene import Picture
from tests.neural_assets_core.calibration.views import SIZE, standing_cameras

HEIGHTS = st.floats(-900, 1200)


@given(st.floats(300, 3000), HEIGHTS, HEIGHTS)
def test_the_horizon_is_where_it_was_put(focal: float, left: float, right: float) -> None:
    camera = camera_from_horizon(SIZE, focal, left, right, height=2.0)
    assert horizon(camera) == pytest.approx((left, right), abs=1e-6)
    assert camera.position == pytest.approx([0.0, 0.0, 2.0])
    # What is level and infinitely far is on it.
    far = camera.project(camera.position + np.array([0.3e9, 1e9, 0.0]))
    share = far[0] / SIZE[0]
    assert far[1] == pytest.approx(left + share * (right - left), abs=1e-3)


def test_a_horizon_above_the_middle_is_a_look_down() -> None:
    camera = camera_from_horizon(SIZE, 1000.0, 200.0, 200.0)
    heading, tilt, roll = camera_angles(camera)
    assert (heading, roll) == pytest.approx((90.0, 0.0), abs=1e-9)
    assert tilt == pytest.approx(-math.degrees(math.atan(0.1)))


def test_looking_straight_down_has_no_horizon_near() -> None:
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[2, 3] = 2.0
    camera = Camera.from_matrices(*SIZE, np.diag([900.0, 900.0, 1.0]), pose)
    assert max(horizon(camera)) < -1e8


@pytest.mark.parametrize("bad", [(0.0, 1, 1), (math.inf, 1, 1), (900.0, math.nan, 1)])
def test_impossible_horizons_are_refused(bad: tuple) -> None:
    with pytest.raises(UserError):
        camera_from_horizon(SIZE, *bad)


@settings(max_examples=40, deadline=None)
@given(standing_cameras(), st.floats(0.05, 20.0))
def test_a_known_length_sets_the_scale(camera: Camera, metres: float) -> None:
    a, b = (300.0, 500.0), (600.0, 540.0)
    scaled = scaled_to_length(camera, a, b, metres)
    assert cuboid_from_clicks(scaled, [a, b]).size[0] == pytest.approx(metres)
    assert horizon(scaled) == pytest.approx(horizon(camera))


def test_impossible_lengths_are_refused() -> None:
    camera = camera_from_horizon(SIZE, 900.0, 200.0, 200.0)
    for a, b, metres in (
        ((300, 500), (300, 500), 1.0),
        ((300, 500), (400, 100), 1.0),
        ((300, 500), (400, 500), 0.0),
        ((300, 500), (400, 500), 1e12),
    ):
        with pytest.raises(UserError):
            scaled_to_length(camera, a, b, metres)
    with pytest.raises(UserError, match="above the ground"):
        at_height(camera, 0.0)


def test_the_guess_takes_what_the_file_knows() -> None:
    picture = Picture(np.zeros((600, 900, 3), np.uint8))
    plain = guessed_camera(Photograph(picture))
    assert plain.k[0, 0] == pytest.approx(50 / 43.27 * math.hypot(*SIZE))
    assert camera_angles(plain)[1] == pytest.approx(-10.0)
    assert guessed_camera(Photograph(picture, focal=700.0)).k[0, 0] == 700.0
    assert guessed_camera(Photograph(picture, camera=plain)) is plain
    tiny = guessed_camera(Photograph(Picture(np.zeros((1, 1, 3), np.uint8))))
    assert (tiny.width, tiny.height) == (1, 1)
