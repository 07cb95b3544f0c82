"""What is grabbed stays under the pointer, for any camera; the way back is exact."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.manipulation import (
    MAXIMUM_DEPTH_RATIO,
    MINIMUM_SCALE,
    drag_along_axis,
    drag_on_plane,
    drag_ring,
    drag_scale,
    pulled_face,
    scale_by_distance,
    snap,
)
from tests.neural_assets_core.geometry.views import boxes, cameras, pixel_of

UP = np.array([0.0, 0.0, 1.0])
RIGHT, DOWN = np.array([30.0, 0.0]), np.array([0.0, 1.0])
GROUND = Camera.looking_at((0.0, -6.0, 2.0), (0.0, 0.0, 0.5), 800, 600, 0.8)
shifts = st.tuples(st.floats(-60, 60), st.floats(-60, 60)).map(np.array)
units = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.1)
quick = settings(max_examples=150, deadline=None)


def _angle_to_view(camera: Camera, point: np.ndarray, axis: np.ndarray) -> float:
    view = point - camera.position
    return math.degrees(math.acos(min(1.0, abs(np.dot(view, axis)) / np.linalg.norm(view))))


@quick
@given(cameras(), boxes(), shifts)
def test_a_point_on_a_plane_follows_the_pointer(camera, box, shift):
    anchor = box.base_center()
    start = pixel_of(camera, anchor)
    offset = drag_on_plane(camera, anchor, UP, start, start + shift)
    moved = camera.project(anchor + offset)
    depth = camera.project(anchor)[2]
    assume(depth / 9.9 < moved[2] < depth * 9.9)
    assert np.allclose(moved[:2], start + shift, atol=0.01)
    assert abs(offset[2]) < 1e-9


@quick
@given(cameras(), boxes(), units, st.floats(-80, 80), st.floats(-0.3, 0.3))
def test_a_handle_on_an_axis_follows_the_pointer(camera, box, axis, pixels, grip):
    axis = axis / np.linalg.norm(axis)
    origin = box.base_center()
    assume(_angle_to_view(camera, origin, axis) > 6)
    grabbed = origin + grip * axis
    start = pixel_of(camera, grabbed)
    along = pixel_of(camera, grabbed + 1e-4 * axis) - start
    pixel = start + pixels * along / np.linalg.norm(along)
    moved = drag_along_axis(camera, origin, axis, start, pixel)
    there = camera.project(grabbed + moved * axis)
    depth = camera.project(origin)[2]
    assume(depth / 9.9 < there[2] < depth * 9.9)
    assert np.linalg.norm(there[:2] - pixel) < 0.5


@quick
@given(cameras(), boxes(), st.floats(-math.pi, math.pi), st.floats(-3.1, 3.1))
def test_a_handle_on_a_ring_follows_the_pointer(camera, box, grip, turn):
    center, radius = box.base_center(), 0.5
    assume(_angle_to_view(camera, center, UP) < 79)

    def on_ring(angle: float) -> np.ndarray:
        offset = np.array([math.cos(grip + angle), math.sin(grip + angle), 0.0])
        return pixel_of(camera, center + radius * offset)

    angle = drag_ring(camera, center, UP, radius, on_ring(0.0), on_ring(turn))
    assert abs(math.degrees(angle - turn)) < 0.1


def test_a_ring_counts_whole_turns():
    center, angle = np.zeros(3), 0.0
    path = [np.array([math.cos(a), math.sin(a), 0.0]) for a in np.linspace(0, 5 * math.pi, 60)]
    for point in path:
        angle = drag_ring(
            GROUND, center, UP, 1.0, pixel_of(GROUND, path[0]), pixel_of(GROUND, point), angle
        )
    assert angle == pytest.approx(5 * math.pi)


def test_a_ring_seen_edge_on_turns_with_the_near_side():
    camera = Camera.looking_at((0.0, -10.0, 0.3), (0.0, 0.0, 0.0), 800, 600, 0.6)
    start = pixel_of(camera, np.zeros(3))
    angle = drag_ring(camera, np.zeros(3), UP, 1.0, start, start + RIGHT)
    # The near side moves right: counter-clockwise seen from above.
    assert 0.0 < angle < math.pi / 2
    back = drag_ring(camera, np.zeros(3), UP, 1.0, start, start - RIGHT)
    assert back == pytest.approx(-angle)


@quick
@given(cameras(), boxes(), st.integers(0, 7), st.floats(0.3, 2.0))
def test_a_scale_handle_follows_the_pointer(camera, box, corner, factor):
    pivot, grabbed = box.base_center(), box.corners()[corner]
    axis = (grabbed - pivot) / np.linalg.norm(grabbed - pivot)
    assume(_angle_to_view(camera, grabbed, axis) > 6)
    there = pivot + factor * (grabbed - pivot)
    start, pixel = pixel_of(camera, grabbed), pixel_of(camera, there)
    found = drag_scale(camera, pivot, grabbed, start, pixel)
    corner_now = box.scaled(found, pivot).corners()[corner]
    assume(min(box.size) * found > MINIMUM_EXTENT)
    assert np.linalg.norm(pixel_of(camera, corner_now) - pixel) < 0.5


@quick
@given(cameras(), boxes(), units, shifts)
def test_no_motion_changes_nothing_at_all(camera, box, axis, shift):
    axis = axis / np.linalg.norm(axis)
    anchor = box.base_center()
    pixel = pixel_of(camera, anchor) + shift
    assert not drag_on_plane(camera, anchor, UP, pixel, pixel).any()
    assert drag_along_axis(camera, anchor, axis, pixel, pixel) == 0.0
    assert drag_ring(camera, anchor, UP, 0.5, pixel, pixel) == 0.0
    assert drag_scale(camera, anchor, anchor + 0.3 * axis, pixel, pixel) == 1.0
    assert scale_by_distance(anchor[:2], pixel, pixel) == 1.0
    assert pulled_face(box, 0, 1, 0.0) == box


@quick
@given(boxes(), shifts.map(lambda s: s * 100), units)
def test_wild_motions_stay_finite(box, shift, axis):
    axis = axis / np.linalg.norm(axis)
    anchor = box.base_center()
    start = pixel_of(GROUND, anchor)
    depth = GROUND.project(anchor)[2]
    limit = MAXIMUM_DEPTH_RATIO * depth * (1 + 1e-9)
    moved = GROUND.project(anchor + drag_on_plane(GROUND, anchor, UP, start, start + shift))
    assert depth / MAXIMUM_DEPTH_RATIO * (1 - 1e-9) <= moved[2] <= limit
    along = drag_along_axis(GROUND, anchor, axis, start, start + shift)
    assert math.isfinite(along)
    if _angle_to_view(GROUND, anchor, axis) > 5.1:
        assert GROUND.project(anchor + along * axis)[2] <= limit


def test_dragging_above_the_horizon_goes_far_in_the_pointers_direction():
    anchor = np.zeros(3)
    start = pixel_of(GROUND, anchor)
    offset = drag_on_plane(GROUND, anchor, UP, start, np.array([start[0] + 50.0, -200.0]))
    assert offset[1] > 20
    assert offset[0] > 0


def test_a_plane_through_the_camera_moves_nothing():
    at_eye_level = np.array([0.0, 0.0, GROUND.position[2]])
    start = pixel_of(GROUND, at_eye_level)
    assert not drag_on_plane(GROUND, at_eye_level, UP, start, start + 40.0).any()


def test_an_axis_seen_end_on_follows_the_pointer_up():
    axis = GROUND.forward
    start = pixel_of(GROUND, np.array([0.0, 0.0, 0.5]))
    origin = np.array([0.0, 0.0, 0.5])
    assert drag_along_axis(GROUND, origin, axis, start, start - 20.0 * DOWN) > 0
    assert drag_along_axis(GROUND, origin, axis, start, start + RIGHT) == 0


@given(boxes(), st.integers(0, 2), st.sampled_from([-1, 1]), st.floats(-3, 3))
def test_pulling_a_face_keeps_the_opposite_one(box, axis, sign, distance):
    pulled = pulled_face(box, axis, sign, distance)
    opposite = np.zeros(3)
    opposite[axis] = -sign
    assert np.allclose(pulled.to_world(opposite), box.to_world(opposite), atol=1e-9)
    assert pulled.size[axis] == pytest.approx(max(box.size[axis] + distance, MINIMUM_EXTENT))


def test_scales_have_a_floor():
    box = Box(center=(0.0, 0.0, 0.5), size=(1.0, 1.0, 1.0))
    start = pixel_of(GROUND, box.corners()[7])
    far_past = start + 50 * (pixel_of(GROUND, box.base_center()) - start)
    found = drag_scale(GROUND, box.base_center(), box.corners()[7], start, far_past)
    assert found == MINIMUM_SCALE


def test_snapping():
    assert snap(0.26, 0.1) == pytest.approx(0.3)
    assert snap(-0.26, 0.1) == pytest.approx(-0.3)
    assert snap(0.26, 0.0) == 0.26
