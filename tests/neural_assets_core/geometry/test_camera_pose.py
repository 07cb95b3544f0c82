"""Cameras as numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.camera_pose import camera_angles, placed_camera

CAMERA = Camera.looking_at((0.0, -3.0, 1.0), (0.0, 0.0, 1.0), 640, 480, 0.7)
metres = st.floats(-50, 50)
positions = st.tuples(metres, metres, metres)
angles = st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179))


def test_a_level_camera_that_looks_along_y():
    assert camera_angles(CAMERA) == pytest.approx((90.0, 0.0, 0.0), abs=1e-9)


@given(positions, angles)
def test_there_and_back(position, turned):
    placed = placed_camera(CAMERA, position, turned)
    assert placed.position == pytest.approx(np.array(position), abs=1e-9)
    assert camera_angles(placed) == pytest.approx(turned, abs=1e-6)
    assert placed.intrinsics == CAMERA.intrinsics


def test_tilting_up_lowers_the_horizon_in_the_picture():
    point = np.array([0.0, 0.0, 1.0])
    tilted = placed_camera(CAMERA, (0.0, -3.0, 1.0), (90.0, 10.0, 0.0))
    assert tilted.project(point)[1] > CAMERA.project(point)[1]


def test_a_larger_heading_looks_further_left():
    point = np.array([0.0, 0.0, 1.0])
    turned = placed_camera(CAMERA, (0.0, -3.0, 1.0), (100.0, 0.0, 0.0))
    assert turned.project(point)[0] > CAMERA.project(point)[0]


def test_rolling_turns_the_content_counter_clockwise():
    # To the right of the middle, on the horizon: it rises.
    point = np.array([0.5, 0.0, 1.0])
    rolled = placed_camera(CAMERA, (0.0, -3.0, 1.0), (90.0, 0.0, 10.0))
    assert rolled.project(point)[1] < CAMERA.project(point)[1]


def test_straight_down_is_no_trouble():
    down = placed_camera(CAMERA, (0.0, 0.0, 5.0), (30.0, -90.0, 0.0))
    assert np.isfinite(camera_angles(down)).all()
    assert down.forward == pytest.approx([0.0, 0.0, -1.0], abs=1e-9)
