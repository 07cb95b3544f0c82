"""Rays against boxes, and which box a click means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.picking import boxes_under, distance_to_segments
from neural_assets_core.geometry.rays import (
    NEAR,
    intersect_boxes,
    intersect_plane,
    project_segments,
)
from tests.neural_assets_core.geometry.views import boxes, cameras, pixel_of

CAMERA = Camera.looking_at((0.0, -6.0, 2.0), (0.0, 0.0, 0.5), 800, 600, 0.8)
ONE = Box(center=(0.0, 0.0, 0.5), size=(1.0, 1.0, 1.0))
inside = st.tuples(*[st.floats(-0.95, 0.95)] * 3).map(np.array)


@settings(max_examples=150, deadline=None)
@given(cameras(), boxes(), inside)
def test_a_ray_through_a_point_inside_enters_through_the_surface(camera, box, point):
    origin, direction = camera.rays(pixel_of(camera, box.to_world(point)))
    (met,) = intersect_boxes(origin, direction, [box])
    assert np.abs(box.to_local(origin + met * direction)).max() == pytest.approx(1.0)
    assert met <= camera.project(box.to_world(point))[2]


def test_a_ray_past_the_box_or_away_from_it_misses():
    origin, direction = np.array([0.0, -5.0, 0.5]), np.array([0.0, 1.0, 0.0])
    assert intersect_boxes(origin, direction, [ONE])[0] == pytest.approx(4.5)
    assert intersect_boxes(origin, -direction, [ONE])[0] == np.inf
    assert intersect_boxes(origin + 2.0, direction, [ONE])[0] == np.inf


def test_a_ray_from_inside_leaves():
    origin, direction = np.array([0.0, 0.0, 0.5]), np.array([0.0, 1.0, 0.0])
    assert intersect_boxes(origin, direction, [ONE])[0] == pytest.approx(0.5)


def test_a_ray_in_a_face_counts_as_a_hit():
    origin, direction = np.array([0.5, -5.0, 0.5]), np.array([0.0, 1.0, 0.0])
    assert intersect_boxes(origin, direction, [ONE])[0] == pytest.approx(4.5)


def test_a_parallel_plane_is_never_met():
    up = np.array([0.0, 0.0, 1.0])
    origin = np.array([0.0, 0.0, 1.0])
    assert intersect_plane(origin, np.array([1.0, 0.0, 0.0]), np.zeros(3), up) == np.inf
    assert intersect_plane(origin, np.array([0.0, 0.0, 1.0]), np.zeros(3), up) == -1.0


def test_the_nearest_box_comes_first_then_what_lies_behind():
    behind = ONE.translated((0.0, 2.0, 0.0))
    aside = ONE.translated((3.0, 0.0, 0.0))
    at = pixel_of(CAMERA, np.array([0.0, 0.5, 0.95]))
    assert boxes_under(CAMERA, [behind, aside, ONE], at) == [2, 0]
    assert boxes_under(CAMERA, [behind, aside, ONE], np.array([5.0, 5.0])) == []
    assert boxes_under(CAMERA, [], at) == []


def test_a_sheet_seen_from_its_edge_can_be_clicked():
    camera = Camera.looking_at((0.0, -6.0, 0.5), (0.0, 0.0, 0.5), 800, 600, 0.8)
    sheet = Box(center=(0.0, 0.0, 0.5), size=(1.0, 1.0, 0.001))
    at = pixel_of(camera, np.array([0.0, -0.5, 0.5])) + np.array([0.0, 3.0])
    assert boxes_under(camera, [sheet], at) == []
    assert boxes_under(camera, [sheet], at, tolerance=4.0) == [0]


def test_segments_are_cut_at_the_near_plane():
    eye, forward = CAMERA.position, CAMERA.forward
    starts = np.array([eye + forward, eye - forward, eye + forward])
    ends = np.array([eye + 2 * forward, eye - 2 * forward, eye - forward + 0.1])
    pixels, visible = project_segments(CAMERA, starts, ends)
    assert visible.tolist() == [True, False, True]
    assert np.isfinite(pixels).all()
    depth = CAMERA.project(starts[2] + (ends[2] - starts[2]) * np.linspace(0, 1, 5)[:, None])
    assert depth[-1, 2] < NEAR
    assert np.allclose(pixels[0], [400.0, 300.0])


def test_distance_to_segments():
    segments = np.array([[[0.0, 0.0], [10.0, 0.0]], [[10.0, 0.0], [10.0, 10.0]], [[5.0, 5.0]] * 2])
    distances = distance_to_segments(segments, np.array([13.0, 4.0]))
    assert distances == pytest.approx([5.0, 3.0, np.sqrt(65.0)])
