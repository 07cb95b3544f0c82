"""Boxes out of the picture, in each other, at the camera."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.checks import (
    TOUCHING,
    behind_camera,
    intersecting,
    outside_picture,
)
from tests.neural_assets_core.geometry.views import tilted_boxes

CAMERA = Camera.looking_at((0.0, -6.0, 2.0), (0.0, 0.0, 0.5), 800, 600, 0.8)
ONE = Box(center=(0.0, 0.0, 0.5), size=(1.0, 1.0, 1.0))
shares = np.array(list(itertools.product(np.linspace(-1, 1, 9), repeat=3)))


def test_a_box_leaves_the_picture_with_its_middle():
    assert not outside_picture(CAMERA, ONE)
    assert not outside_picture(CAMERA, ONE.translated((3.0, 0.0, 0.0)))
    assert outside_picture(CAMERA, ONE.translated((4.0, 0.0, 0.0)))
    assert outside_picture(CAMERA, ONE.translated((0.0, 0.0, 5.0)))
    assert outside_picture(CAMERA, ONE.translated((0.0, -20.0, 0.0)))


def test_a_box_that_reaches_the_camera_plane_is_behind_it():
    assert not behind_camera(CAMERA, ONE)
    assert behind_camera(CAMERA, ONE.with_size((1.0, 14.0, 1.0)))
    assert behind_camera(CAMERA, ONE.with_center(CAMERA.position))
    assert behind_camera(CAMERA, ONE.translated((0.0, -20.0, 0.0)))


def test_boxes_that_touch_do_not_intersect():
    beside, upon = ONE.translated((1.0, 0.0, 0.0)), ONE.translated((0.0, 0.0, 1.0))
    assert intersecting([ONE, beside, upon]) == set()
    assert intersecting([ONE, upon.translated((0.0, 0.0, -2 * TOUCHING))]) == {(0, 1)}
    assert intersecting([]) == intersecting([ONE]) == set()


def test_a_box_inside_another_intersects_it():
    assert intersecting([ONE.with_size((0.1, 0.1, 0.1)), ONE, ONE]) == {(0, 1), (0, 2), (1, 2)}


def test_edges_that_pass_each_other_across_do_not_intersect():
    # Only the direction across two edges tells these apart: no face does.
    one = Box(center=(0, 0, 0), size=(2.0, 0.2, 0.2)).rotated((1, 0, 0), np.pi / 4)
    other = Box(center=(0, 0, 0), size=(0.2, 2.0, 0.2)).rotated((0, 1, 0), np.pi / 4)
    gap = 0.2 * np.sqrt(2)
    assert intersecting([one, other.translated((0, 0, gap + 0.01))]) == set()
    assert intersecting([one, other.translated((0, 0, gap - 0.01))]) == {(0, 1)}


@settings(max_examples=150, deadline=None)
@given(tilted_boxes(), tilted_boxes(), st.tuples(*[st.floats(-1, 1)] * 3))
def test_boxes_with_a_point_in_common_intersect(box, other, shift):
    other = other.translated(shift)
    deep = 1.0 - 4 * TOUCHING / np.minimum(np.array(box.size), min(other.size))
    points = box.to_world(shares * deep)
    inner = 1.0 - 4 * TOUCHING / np.array(other.size)
    common = (np.abs(other.to_local(points)) < inner).all(axis=1).any()
    found = intersecting([box, other])
    assert found == intersecting([other, box])
    if common:
        assert found == {(0, 1)}
    # Far enough along any axis nothing meets.
    apart = other.translated((0.0, 0.0, 5.0))
    assert intersecting([box, apart]) == set()


@pytest.mark.parametrize("count", [50])
def test_each_pair_is_named_once_smaller_first(count):
    row = [ONE.translated((0.9 * i, 0.0, 0.0)) for i in range(count)]
    assert intersecting(row) == {(i, i + 1) for i in range(count - 1)}
