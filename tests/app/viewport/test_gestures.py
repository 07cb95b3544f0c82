"""Constraints, typed numbers and pivots: the same gestures without a hand on the mouse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.viewport.gestures import constrained, from_body, from_handle, from_key
from app.viewport.gizmo import handles
from app.viewport.grab import Grab
from neural_assets_core.geometry import Box, Camera
from tests.neural_assets_core.geometry.views import any_cameras, pixel_of, tilted_boxes

CAMERA = Camera.looking_at((2.0, -6.0, 3.0), (0.0, 0.0, 0.3), 800, 600, 0.6)
START = np.array([430.25, 310.75])
ONE = Box(center=(-0.6, 0.2, 0.4), size=(0.6, 0.5, 0.8)).rotated((0, 0, 1), 0.4)
TWO = Box(center=(0.5, 0.1, 0.3), size=(0.4, 0.5, 0.6)).rotated((0.3, 1, 0.2), 0.7)
KINDS = ("move", "turn", "scale")
kinds, frames = st.sampled_from(KINDS), st.sampled_from(["world", "local"])
shifts = st.tuples(st.floats(-200, 200), st.floats(-200, 200)).map(np.array)
quick = settings(max_examples=100, deadline=None)


def grab(pivot="active", camera=CAMERA, **boxes):
    return Grab(camera, boxes or {"one": ONE, "two": TWO}, START, pivot)


def own_axes(box):
    return np.asarray(box.rotation_matrix()).T


# -- there and back ----------------------------------------------------------------------------


@quick
@given(
    any_cameras(), tilted_boxes(), tilted_boxes(), kinds, st.sampled_from([None, 0, 1, 2]),
    frames, st.booleans(), st.sampled_from(["active", "common", "each"]), st.lists(shifts),
)  # fmt: skip
def test_back_at_the_press_everything_is_exactly_as_it_was(
    camera, one, two, kind, index, frame, plane, pivot, path
):
    gesture = from_key(kind, grab(pivot, camera, one=one, two=two), free=plane)
    if index is not None:
        gesture = constrained(gesture, index, frame, plane)
    for shift in path:
        for box in gesture.drag(START + shift, 0.0)[0].values():
            assert np.isfinite([*box.center, *box.size]).all()
    assert gesture.drag(START, 0.0)[0] == {"one": one, "two": two}
    assert gesture.typed(())[0] == {"one": one, "two": two}


def test_a_whole_turn_changes_nothing_at_all():
    gesture = from_key("turn", grab())
    assert gesture.typed((360.0,)) == (gesture.grab.boxes, "+360.0°")
    around = [START + 150 * np.array([math.cos(a), math.sin(a)]) for a in np.linspace(0, 7, 40)]
    for pixel in around:
        gesture.drag(pixel, 0.0)
    boxes, text = gesture.drag(START, 0.0)
    assert boxes == gesture.grab.boxes
    assert abs(float(text.rstrip("°"))) in (0.0, 360.0)


# -- constraints -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "frame", "plane", "title"),
    [
        ("move", "local", False, "Move along local X"),
        ("move", "world", True, "Move in YZ"),
        ("turn", "world", False, "Turn about X"),
        ("turn", "local", True, "Turn about local X"),
        ("scale", "local", True, "Scale in local YZ"),
        ("scale", "world", False, "Scale along X"),
    ],
)
def test_titles_name_the_constraint(kind, frame, plane, title):
    gesture = from_key(kind, grab())
    once = constrained(gesture, 2, "world", False)
    assert constrained(once, 0, frame, plane).title == title
    assert type(constrained(once, 0, frame, plane)) is type(gesture)
    assert len(constrained(once, 0, frame, plane).guides) == (2 if plane and kind != "turn" else 1)


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 2), frames, st.booleans(), shifts)
def test_a_constrained_move_stays_on_its_axis_or_plane(camera, box, index, frame, plane, shift):
    free = from_key("move", grab(camera=camera, it=box))
    moved, _ = constrained(free, index, frame, plane).drag(START + shift, 0.0)
    axes = own_axes(box) if frame == "local" else np.eye(3)
    steps = axes @ np.subtract(moved["it"].center, box.center)
    still = [index] if plane else [i for i in range(3) if i != index]
    assert np.allclose(steps[still], 0.0, atol=1e-9)


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 2), shifts)
def test_scaling_along_a_local_axis_changes_that_size_only(camera, box, index, shift):
    free = from_key("scale", grab(camera=camera, it=box))
    scaled = constrained(free, index, "local", False).drag(START + shift, 0.0)[0]["it"]
    others = [i for i in range(3) if i != index]
    assert [scaled.size[i] for i in others] == [box.size[i] for i in others]
    assert scaled.rotation == box.rotation
    assert np.allclose(scaled.base_center(), box.base_center(), atol=1e-9)


@quick
@given(any_cameras(), tilted_boxes(), st.integers(0, 2), frames, shifts)
def test_a_constrained_turn_keeps_its_axis(camera, box, index, frame, shift):
    axes = own_axes(box) if frame == "local" else np.eye(3)
    free = from_key("turn", grab(camera=camera, it=box))
    turned = constrained(free, index, frame, False).drag(START + shift, 0.0)[0]["it"]
    change = turned.rotation_matrix() @ box.rotation_matrix().T
    assert np.allclose(change @ axes[index], axes[index], atol=1e-9)


def test_free_gestures_are_those_of_the_view():
    moved, _ = from_key("move", grab(), free=True).drag(START + [40.0, -25.0], 0.0)
    shift = pixel_of(CAMERA, moved["two"].base_center()) - pixel_of(CAMERA, TWO.base_center())
    assert np.allclose(shift, [40.0, -25.0], atol=1e-6)
    turn = from_key("turn", grab(), free=True)
    turned = turn.typed((30.0,))[0]["two"]
    change = turned.rotation_matrix() @ TWO.rotation_matrix().T
    assert np.allclose(change @ CAMERA.forward, CAMERA.forward)
    # Counter-clockwise on the screen.
    x_axis = CAMERA.extrinsics[0, :3]
    assert np.dot(change @ x_axis, -CAMERA.extrinsics[1, :3]) > 0.4
    hit = np.array(TWO.center)
    body = from_body(grab(), hit, free=True).drag(START + [10.0, 20.0], 0.0)[0]["two"]
    assert np.allclose(pixel_of(CAMERA, body.center) - pixel_of(CAMERA, hit), [10.0, 20.0])


def test_a_box_is_dragged_by_what_is_seen_of_it_though_its_base_is_behind_the_camera():
    seen = CAMERA.position + 1.5 * CAMERA.forward
    tall = Box(center=tuple(seen), size=(0.4, 0.4, 9.0)).rotated((1, 0, 0), math.pi)
    assert CAMERA.project(tall.base_center())[2] < 0
    body = from_body(grab(it=tall), np.array(tall.center))
    axis, plane = constrained(body, 0, "world", False), constrained(body, 2, "local", True)
    for gesture in (body, axis, plane):
        moved = gesture.drag(START + [25.0, 10.0], 0.0)[0]["it"]
        assert moved != tall
        assert np.isfinite(moved.center).all()
        assert gesture.drag(START, 0.0)[0]["it"] == tall


# -- typed numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("free", [False, True])
def test_typed_moves_go_along_the_worlds_axes(free):
    gesture = from_key("move", grab(), free)
    assert gesture.fields == ("X", "Y", "Z")
    boxes, text = gesture.typed((0.5, None, -0.25))
    assert np.allclose(np.subtract(boxes["one"].center, ONE.center), (0.5, 0.0, -0.25))
    assert text == "X +0.500 m   Y +0.000 m   Z -0.250 m"


def test_typed_moves_keep_to_the_constraint():
    axis = constrained(from_key("move", grab()), 0, "local", False)
    assert axis.fields == ("X",)
    moved = np.subtract(axis.typed((0.2,))[0]["one"].center, ONE.center)
    assert np.allclose(moved, 0.2 * own_axes(TWO)[0])
    plane = constrained(from_key("move", grab()), 1, "world", True)
    assert plane.fields == ("X", "Z")
    moved = np.subtract(plane.typed((0.2, 0.3))[0]["one"].center, ONE.center)
    assert np.allclose(moved, (0.2, 0.0, 0.3))


def test_typed_degrees():
    boxes, text = constrained(from_key("turn", grab()), 0, "local", False).typed((-45.0,))
    change = boxes["two"].rotation_matrix() @ TWO.rotation_matrix().T
    expected = TWO.rotated(own_axes(TWO)[0], math.radians(-45)).rotation_matrix()
    assert np.allclose(change, expected @ TWO.rotation_matrix().T)
    assert text == "-45.0°"


def test_typed_factors():
    gesture = from_key("scale", grab())
    assert np.allclose(gesture.typed((2.0,))[0]["two"].size, 2 * np.array(TWO.size))
    assert gesture.fields == ("X", "Y", "Z")
    sides, text = gesture.typed((2.0, None, 0.5))
    assert np.allclose(sides["two"].size, np.array(TWO.size) * (2.0, 1.0, 0.5))
    assert text == "X x 2.000   Y x 1.000   Z x 0.500"
    local = constrained(gesture, 1, "local", False).typed((3.0,))[0]["two"]
    assert np.allclose(local.size, np.array(TWO.size) * (1.0, 3.0, 1.0))
    assert min(gesture.typed((-4.0,))[0]["two"].size) > 0


def test_typed_metres_of_a_pulled_face():
    at = grab(one=ONE)
    handle = next(h for h in handles(CAMERA, ONE, "box") if h.name == "pull +z")
    boxes, text = from_handle(at, handle).typed((0.15,))
    assert boxes["one"].size[2] == pytest.approx(0.95)
    assert np.allclose(boxes["one"].base_center(), ONE.base_center())
    assert text == "0.950 m (+0.150 m)"


# -- snapping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_snapping_steps(share):
    end = START + [83.0, -41.0]
    moved, _ = from_key("move", grab()).drag(end, share)
    steps = np.subtract(moved["two"].center, TWO.center) / (0.1 * share)
    assert np.allclose(steps, np.round(steps), atol=1e-6)
    _, text = from_key("turn", grab()).drag(end, share)
    steps = float(text.rstrip("°")) / (15 * share)
    assert steps == pytest.approx(round(steps))
    assert steps != 0
    scaled, _ = from_key("scale", grab()).drag(end, share)
    steps = scaled["two"].size[0] / TWO.size[0] / (0.1 * share)
    assert steps == pytest.approx(round(steps))


# -- pivots ------------------------------------------------------------------------------------


def test_pivots():
    middle = 0.5 * (ONE.base_center() + TWO.base_center())
    kept = {
        "active": [TWO.base_center()] * 2,
        "common": [middle] * 2,
        "each": [ONE.base_center(), TWO.base_center()],
    }
    for pivot, points in kept.items():
        for kind, values in (("turn", (70.0,)), ("scale", (1.5,)), ("scale", (1.5, 1.5, 1.5))):
            boxes, _ = from_key(kind, grab(pivot)).typed(values)
            for name, before, point in zip(("one", "two"), (ONE, TWO), points, strict=True):
                local = before.to_local(point)
                assert np.allclose(boxes[name].to_world(local), point, atol=1e-9), (pivot, kind)


def test_corners_scale_all_about_the_active_ones_opposite_or_each_about_its_own():
    handle = next(h for h in handles(CAMERA, TWO, "scale") if h.name == "scale 6")
    for pivot in ("common", "each"):
        boxes, _ = from_handle(grab(pivot), handle).typed((1.3,))
        assert np.allclose(boxes["two"].corners()[1], TWO.corners()[1])
        apart = boxes["one"].corners()[1] - ONE.corners()[1]
        assert np.allclose(apart, 0.0) == (pivot == "each")


def test_a_middle_behind_the_camera_is_no_pivot():
    behind = ONE.with_center(CAMERA.position - 30 * CAMERA.forward)
    gesture = from_key("turn", grab("common", far=behind, two=TWO))
    assert np.allclose(gesture.anchor, TWO.base_center())
    assert np.isfinite(gesture.drag(START + [50.0, 0.0], 0.0)[0]["two"].center).all()
