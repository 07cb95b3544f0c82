"""Every handle, for any camera: where it is, and that it stays under the pointer."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.viewport.gestures import from_handle
from app.viewport.gizmo import TOOLS, carried, frame_axes, handle_under, handles
from app.viewport.grab import Grab
from app.viewport.style import HANDLE_LENGTH, PICK_DISTANCE
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.manipulation import ALONG_VIEW, EDGE_ON, MINIMUM_SCALE
from tests.neural_assets_core.geometry.views import any_cameras, pixel_of, tilted_boxes

CAMERA = Camera.looking_at((2.0, -6.0, 3.0), (0.0, 0.0, 0.3), 800, 600, 0.6)
BOX = Box(center=(0.1, 0.2, 0.4), size=(0.6, 0.5, 0.8)).rotated((0, 0, 1), -0.4)
ALL = {"move": 7, "turn": 4, "scale": 8, "box": 14}
frames = st.sampled_from(["ground", "world", "local"])
shifts = st.tuples(st.floats(-60, 60), st.floats(-60, 60)).map(np.array)
quick = settings(max_examples=120, deadline=None)


def named(found, name):
    return next(handle for handle in found if handle.name == name)


def angle_to_view(camera, point, axis):
    view = point - camera.position
    return math.acos(min(1.0, abs(float(np.dot(view, axis))) / float(np.linalg.norm(view))))


def dragged(camera, box, handle, start, end):
    """The box after a drag, and the proof that the way back is exact."""
    gesture = from_handle(Grab(camera, {"it": box}, start), handle)
    boxes, _ = gesture.drag(end, 0.0)
    assert gesture.drag(start, 0.0)[0]["it"] == box
    assert gesture.drag(end, 0.0)[0]["it"] == boxes["it"]
    return boxes["it"]


def off_line(camera, point, axis, pixel):
    """Pixels along a line's image between a point of it and the foot of the pointer."""
    along = pixel_of(camera, point + 1e-5 * axis) - pixel_of(camera, point)
    return abs(float(np.dot(pixel - pixel_of(camera, point), along / np.linalg.norm(along))))


def in_reach(camera, box, point):
    """Whether a drag got there without meeting its limit in depth."""
    depth, there = camera.project(box.base_center())[2], camera.project(point)[2]
    return depth / 4 < there < depth * 4


# -- which ones --------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ALL)
def test_each_tool_shows_all_of_its_own(tool):
    found = handles(CAMERA, BOX, tool)
    assert len(found) == ALL[tool]
    assert len({handle.name for handle in found}) == len(found)


def test_select_shows_a_calm_choice():
    names = [handle.name for handle in handles(CAMERA, BOX, "select")]
    corners = {f"scale {c}" for c in (1, 3, 5, 7)}
    assert set(names) == {"turn z", "move ground", "move x", "move y", "move z"} | corners
    small = BOX.scaled(0.1)
    assert not corners & {handle.name for handle in handles(CAMERA, small, "select")}
    # Of a box that lies on its side, too, those corners that leave it on the ground.
    lying = BOX.rotated((0, 1, 0), math.pi / 2, BOX.center)
    upper = [h.anchor[2] for h in handles(CAMERA, lying, "select") if h.kind == "scale"]
    assert min(upper) > lying.center[2]


@quick
@given(any_cameras(), tilted_boxes(), st.sampled_from(TOOLS), frames)
def test_a_handle_is_found_where_it_is_drawn(camera, box, tool, frame):
    found = handles(camera, box, tool, frame=frame)
    for handle in found:
        for start, end in handle.segments[:: max(len(handle.segments) // 4, 1)]:
            at = 0.5 * (start + end)
            assert handle_under([handle], at) is handle
            under = handle_under(found, at)
            assert under is not None
    far = np.array([-5000.0, 4000.0])
    assert handle_under(found, far) is None


@quick
@given(any_cameras(), tilted_boxes(), frames)
def test_squares_seen_edge_on_are_hidden(camera, box, frame):
    shown = {h.index for h in handles(camera, box, "move", frame=frame) if h.kind == "plane"}
    for index, normal in enumerate(frame_axes(box, frame)):
        facing = math.cos(angle_to_view(camera, box.base_center(), normal))
        assume(abs(facing - 0.2) > 1e-6)
        assert (index in shown) == (facing > 0.2)


@quick
@given(any_cameras(), tilted_boxes(), st.floats(0.2, 3.0))
def test_sizes_on_the_screen_do_not_depend_on_distance(camera, box, share):
    k = np.diag([share, share, 1.0]) @ camera.k
    zoomed = Camera.from_matrices(camera.width, camera.height, k, camera.extrinsics)
    for view in (camera, zoomed):
        (ring,) = [h for h in handles(view, box, "turn") if h.name == "turn view"]
        radii = np.linalg.norm(ring.segments[:, 0] - pixel_of(view, box.base_center()), axis=1)
        # A circle, also far from the picture's middle.
        assert np.allclose(radii, 1.45 * HANDLE_LENGTH, rtol=1e-6)


def test_inside_a_square_counts_and_dots_win_over_lines():
    found = handles(CAMERA, BOX, "move")
    square = named(found, "move ground")
    assert handle_under(found, square.segments[:, 0].mean(axis=0)) is square
    center = named(found, "move view")
    assert handle_under(found, center.segments[0, 0] + [4.0, -3.0]) is center
    assert handle_under(found, center.segments[0, 0] + [0.0, 3 * PICK_DISTANCE]) is None


def test_the_near_one_of_two_dots_that_cover_each_other_is_meant():
    level = Camera.looking_at((0.0, -6.0, 0.4), (0.0, 0.0, 0.4), 800, 600, 0.6)
    box = Box(center=(0.0, 0.0, 0.4), size=(0.6, 0.01, 0.8))
    found = handles(level, box, "scale")
    far = named(found, "scale 7").segments[0, 0]
    assert np.linalg.norm(named(found, "scale 5").segments[0, 0] - far) < 1.0
    assert handle_under(found, far).name == "scale 5"


@pytest.mark.parametrize("tool", ["select", "move"])
@pytest.mark.parametrize(
    "size", [(0.5, 0.5, 0.5), (0.2, 0.2, 1.1), (0.9, 0.4, 0.15), (0.3, 0.2, 0.3)]
)
def test_a_small_box_leaves_its_middle_free(tool, size):
    box = Box(center=(0.1, 0.2, size[2] / 2), size=size).rotated((0, 0, 1), -0.4)
    found = handles(CAMERA, box, tool)
    middle = pixel_of(CAMERA, np.array(box.center))
    for aside in ((0, 0), (0, 4), (0, -4)):
        assert handle_under(found, middle + aside) is None
    # All that a large box has, at its side.
    assert {"move x", "move y", "move z", "move ground"} <= {handle.name for handle in found}


def test_it_leaves_a_box_by_and_by_while_the_view_is_zoomed():
    box, places = Box(center=(0.0, 0.0, 0.4), size=(0.8, 0.8, 0.8)), []
    for step in range(60):
        share = 0.6 * 1.03**step
        k = np.diag([share, share, 1.0]) @ CAMERA.k
        zoomed = Camera.from_matrices(800, 600, k, CAMERA.extrinsics)
        anchor = named(handles(zoomed, box, "select"), "move x").anchor
        places.append(np.linalg.norm(anchor - box.base_center()))
    assert (places[0], places[-1]) == (pytest.approx(0.4), 0.0)
    assert np.ptp(np.diff(places)) < 0.1 * 0.8


def test_there_are_none_behind_the_camera():
    for depth in (-1.0, -3.0):
        box = BOX.with_center(CAMERA.position + depth * CAMERA.forward)
        assert all(handles(CAMERA, box, tool) == [] for tool in TOOLS)


def test_the_gizmo_can_stand_at_another_pivot():
    pivot = np.array([0.5, 0.5, 0.0])
    for handle in handles(CAMERA, BOX, "turn", origin=pivot):
        assert np.array_equal(handle.anchor, pivot)


# -- under the pointer -------------------------------------------------------------------------


@quick
@given(any_cameras(), tilted_boxes(), frames, st.data(), shifts)
def test_arrows_follow_the_foot_of_the_pointer(camera, box, frame, data, shift):
    arrows = [h for h in handles(camera, box, "move", frame=frame) if h.kind == "arrow"]
    handle = data.draw(st.sampled_from(arrows))
    assume(angle_to_view(camera, handle.anchor, handle.axis) > ALONG_VIEW * 1.01)
    tail, tip = handle.segments[0]
    start = tail + data.draw(st.floats(0, 1)) * (tip - tail)
    moved = dragged(camera, box, handle, start, start + shift)
    offset = np.subtract(moved.center, box.center)
    assert np.linalg.norm(np.cross(offset, handle.axis)) < 1e-9
    share = np.linspace(0, 1, 2)[:, None] * handle.length * handle.axis + handle.anchor
    # The world point of the arrow under the pointer at the press, by bisection.
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        at = pixel_of(camera, share[0] + middle * (share[1] - share[0]))
        low, high = (middle, high) if np.dot(start - at, tip - tail) > 0 else (low, middle)
    held = share[0] + low * (share[1] - share[0]) + offset
    assume(in_reach(camera, box, held))
    assert off_line(camera, held, handle.axis, start + shift) < 0.5


@quick
@given(any_cameras(), tilted_boxes(), frames, st.data(), shifts)
def test_squares_stay_under_the_pointer(camera, box, frame, data, shift):
    squares = [h for h in handles(camera, box, "move", frame=frame) if h.kind == "plane"]
    assume(squares)
    handle = data.draw(st.sampled_from(squares))
    start = handle.segments[:, 0].mean(axis=0)
    origin, ray = camera.rays(start)
    held = origin + ray * np.dot(handle.axis, handle.anchor - origin) / np.dot(handle.axis, ray)
    moved = dragged(camera, box, handle, start, start + shift)
    offset = np.subtract(moved.center, box.center)
    assert abs(np.dot(offset, handle.axis)) < 1e-9
    assume(in_reach(camera, box, held + offset))
    assert np.linalg.norm(pixel_of(camera, held + offset) - start - shift) < 0.5


@quick
@given(any_cameras(), tilted_boxes(), shifts)
def test_the_centre_dot_stays_under_the_pointer(camera, box, shift):
    handle = named(handles(camera, box, "move"), "move view")
    start = handle.segments[0, 0]
    moved = dragged(camera, box, handle, start, start + shift)
    held = handle.anchor + np.subtract(moved.center, box.center)
    assert np.linalg.norm(pixel_of(camera, held) - start - shift) < 0.5
    depths = camera.project(np.array([box.base_center(), moved.base_center()]))[:, 2]
    assert depths[0] == pytest.approx(depths[1])


@quick
@given(any_cameras(), tilted_boxes(), frames, st.data(), shifts)
def test_rings_stay_under_the_pointer(camera, box, frame, data, shift):
    handle = data.draw(st.sampled_from(handles(camera, box, "turn", frame=frame)))
    assume(math.pi / 2 - angle_to_view(camera, handle.anchor, handle.axis) > EDGE_ON * 1.01)
    start = handle.segments[len(handle.segments) // 2, 0]
    turned = dragged(camera, box, handle, start, start + shift)
    arms = []
    for pixel in (start, start + shift):
        origin, ray = camera.rays(pixel)
        reach = np.dot(handle.axis, handle.anchor - origin) / np.dot(handle.axis, ray)
        assume(reach > 0)
        arms.append(origin + reach * ray - handle.anchor)
        assume(in_reach(camera, box, handle.anchor + arms[-1]))
    held = turned.rotation_matrix() @ box.rotation_matrix().T @ arms[0]
    cosine = np.dot(held, arms[1]) / np.linalg.norm(held) / np.linalg.norm(arms[1])
    assert math.degrees(math.acos(min(cosine, 1.0))) < 0.1
    # About the axis through the ring's centre, and nothing else.
    change = turned.rotation_matrix() @ box.rotation_matrix().T
    assert np.allclose(change @ handle.axis, handle.axis)
    assert np.allclose(turned.base_center(), box.base_center(), atol=1e-9)


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 7), shifts)
def test_corners_follow_the_foot_of_the_pointer(camera, box, corner, shift):
    handle = named(handles(camera, box, "box"), f"scale {corner}")
    assume(angle_to_view(camera, handle.anchor, handle.axis) > ALONG_VIEW * 1.01)
    start = handle.segments[0, 0]
    scaled = dragged(camera, box, handle, start, start + shift)
    assert np.allclose(scaled.corners()[7 - corner], box.corners()[7 - corner], atol=1e-9)
    factor = scaled.size[0] / box.size[0]
    assert np.allclose(np.divide(scaled.size, box.size), factor)
    assume(factor > 1.01 * MINIMUM_SCALE and min(scaled.size) > 1.01 * MINIMUM_EXTENT)
    held = scaled.corners()[corner]
    assume(in_reach(camera, box, held))
    assert off_line(camera, held, handle.axis, start + shift) < 0.5


@quick
@given(any_cameras(), tilted_boxes(), st.data(), shifts)
def test_pulled_faces_follow_the_foot_of_the_pointer(camera, box, data, shift):
    pulls = [h for h in handles(camera, box, "box") if h.kind == "pull"]
    handle = data.draw(st.sampled_from(pulls))
    start = handle.segments[0, 0]
    pulled = dragged(camera, box, handle, start, start + shift)
    axis, sign = handle.index // 2, 2 * (handle.index % 2) - 1
    kept = -sign * np.eye(3)[axis]
    assert np.allclose(pulled.to_world(kept), box.to_world(kept), atol=1e-9)
    others = [i for i in range(3) if i != axis]
    assert [pulled.size[i] for i in others] == [box.size[i] for i in others]
    assume(pulled.size[axis] > 1.01 * MINIMUM_EXTENT)
    held = pulled.to_world(-kept)
    assume(in_reach(camera, box, held))
    assert off_line(camera, held, handle.axis, start + shift) < 0.5


# -- while in use ------------------------------------------------------------------------------


@quick
@given(any_cameras(), tilted_boxes(), st.sampled_from(TOOLS), st.data())
def test_a_handle_in_use_keeps_its_directions_and_goes_along(camera, box, tool, data):
    found = handles(camera, box, tool)
    assume(found)
    handle = data.draw(st.sampled_from(found))
    same = carried(camera, handle, box, box)
    assert np.allclose(same.segments, handle.segments, atol=1e-6)
    now = box.translated((0.1, -0.2, 0.15))
    taken = carried(camera, handle, box, now)
    assert (taken.name, taken.length) == (handle.name, handle.length)
    assert np.array_equal(taken.axis, handle.axis)
    if handle.kind != "ring":
        assert np.allclose(taken.anchor - handle.anchor, (0.1, -0.2, 0.15))
