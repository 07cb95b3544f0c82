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
    drop_to_ground,
    grabbed_on_axis,
    grabbed_on_plane,
    pulled_face,
    scale_by_distance,
    snap,
    stretched,
)
from tests.neural_assets_core.geometry.views import (
    any_cameras,
    boxes,
    cameras,
    pixel_of,
    tilted_boxes,
)

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
    assume(_angle_to_view(camera, anchor, UP) < 86)
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


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 2), st.floats(-math.pi, math.pi))
def test_a_ring_follows_the_pointer_about_any_axis(camera, box, index, turn):
    center, axes = box.base_center(), box.rotation_matrix().T
    axis, arm = axes[index], 0.4 * axes[index - 1]
    assume(_angle_to_view(camera, center, axis) < 79)
    turned = Box(center=arm, size=(1.0, 1.0, 1.0)).rotated(axis, turn, (0, 0, 0)).center
    start, pixel = pixel_of(camera, center + arm), pixel_of(camera, center + turned)
    angle = drag_ring(camera, center, axis, 0.4, start, pixel)
    assert abs(math.degrees(math.remainder(angle - turn, math.tau))) < 0.1


@quick
@given(tilted_boxes(), st.integers(0, 2), st.integers(-3, 3))
def test_whole_turns_leave_the_very_same_box(box, index, turns):
    axis = box.rotation_matrix().T[index]
    assert box.rotated(axis, turns * math.tau, (0.3, -2.0, 1.0)) == box
    # However many there are: the rest counts.
    assert box.rotated(axis, 1e300) == box.rotated(axis, math.remainder(1e300, math.tau))


@quick
@given(any_cameras(), tilted_boxes(), st.integers(-3, 3), shifts)
def test_back_at_the_press_a_ring_has_made_whole_turns_exactly(camera, box, turns, shift):
    center, start = box.base_center(), pixel_of(camera, box.base_center()) + shift
    assume(_angle_to_view(camera, center, UP) < 79)
    angle = drag_ring(camera, center, UP, 0.4, start, start, math.tau * turns + 0.5)
    assert math.remainder(angle, math.tau) == 0.0
    assert angle == pytest.approx(math.tau * turns)


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 2), shifts, st.floats(-60, 60))
def test_what_is_grabbed_on_any_line_or_plane_follows_the_pointer(camera, box, index, shift, by):
    origin, axis = box.base_center(), box.rotation_matrix()[:, index]
    start, depth = pixel_of(camera, origin) + shift, camera.project(origin)[2]
    angle = _angle_to_view(camera, origin, axis)
    if angle < 84:
        grabbed = grabbed_on_plane(camera, origin, axis, start)
        pixel = start + shift[::-1]
        held = grabbed + drag_on_plane(camera, origin, axis, start, pixel)
        if all(depth / 9.9 < camera.project(p)[2] < 9.9 * depth for p in (grabbed, held)):
            assert np.allclose(pixel_of(camera, grabbed), start, atol=0.01)
            assert np.allclose(pixel_of(camera, held), pixel, atol=0.5)
    if angle > 6:
        grabbed = grabbed_on_axis(camera, origin, axis, start)
        assume(depth / 9.9 < camera.project(grabbed)[2] < 9.9 * depth)
        foot = pixel_of(camera, grabbed)
        along = pixel_of(camera, grabbed + 1e-4 * axis) - foot
        along /= np.linalg.norm(along)
        assert abs(np.dot(start - foot, along)) < 0.01
        held = grabbed + axis * drag_along_axis(camera, origin, axis, start, start + by * along)
        assume(depth / 9.9 < camera.project(held)[2] < 9.9 * depth)
        assert np.allclose(pixel_of(camera, held), foot + by * along, atol=0.5)


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


@pytest.mark.parametrize("height", [-0.05, 0.0, 0.05])
def test_a_plane_seen_edge_on_is_followed_sideways_and_gently_into_the_depth(height):
    anchor = np.array([0.0, 0.0, GROUND.position[2] - height])
    start = pixel_of(GROUND, anchor)
    right = drag_on_plane(GROUND, anchor, UP, start, start + RIGHT)
    assert np.allclose(pixel_of(GROUND, anchor + right), start + RIGHT, atol=0.5)
    assert np.allclose(right[1:], 0.0, atol=1e-6)
    # The far part of a plane below the eye is higher up in the picture; above the eye, lower.
    up = -DOWN if height >= 0 else DOWN
    away = drag_on_plane(GROUND, anchor, UP, start, start + 5.0 * up)
    assert 0.1 < away[1] < 2.0
    assert away[2] == pytest.approx(0.0, abs=1e-9)
    wild = drag_on_plane(GROUND, anchor, UP, start, start + 5000.0 * up)
    assert GROUND.project(anchor + wild)[2] <= 11 * GROUND.project(anchor)[2]
    near = drag_on_plane(GROUND, anchor, UP, start, start - 5000.0 * up)
    assert GROUND.project(anchor + near)[2] > 0


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


@given(tilted_boxes(), st.integers(0, 2), st.floats(0.2, 4.0))
def test_stretching_along_an_own_axis_changes_that_size_only(box, index, factor):
    pivot = box.base_center()
    grown = stretched(box, box.rotation_matrix().T[[index]], np.array([factor]), pivot)
    others = [i for i in range(3) if i != index]
    assert [grown.size[i] for i in others] == [box.size[i] for i in others]
    assert grown.size[index] == pytest.approx(max(factor * box.size[index], MINIMUM_EXTENT))
    assert grown.rotation == box.rotation
    assert np.allclose(grown.base_center(), pivot, atol=1e-9)


@given(tilted_boxes(), st.floats(0.2, 4.0), units)
def test_stretching_along_all_axes_is_scaling(box, factor, pivot):
    assume(factor * min(box.size) > MINIMUM_EXTENT)
    one = stretched(box, np.eye(3), np.full(3, factor), pivot)
    other = box.scaled(factor, pivot)
    assert np.allclose(one.size, other.size)
    assert np.allclose(one.center, other.center)


@given(tilted_boxes())
def test_a_dropped_box_stands_on_the_ground_with_its_lowest_corner(box):
    dropped = drop_to_ground(box)
    assert dropped.corners()[:, 2].min() == pytest.approx(0.0, abs=1e-12)
    assert dropped.center[:2] == box.center[:2]
    assert (dropped.size, dropped.rotation) == (box.size, box.rotation)


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
