"""Cameras from lines: exact ones give the camera back, bad ones a sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neural_assets_core.calibration import Calibration, Segment, calibrate
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.calibration import focal_error, turn_error
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.camera_pose import placed_camera
from tests.neural_assets_core.calibration.views import SIZE, exact_lines, standing_cameras

QUICK = settings(max_examples=40, deadline=None)


def found(camera: Camera, axes: str, count: int = 3, **known: object) -> Calibration:
    lines = {axis: exact_lines(camera, axis, count) for axis in axes}
    height = float(camera.position[2])
    return calibrate((camera.width, camera.height), lines, height=height, **known)


@QUICK
@given(standing_cameras(), st.sampled_from(["xy", "xz", "yz"]), st.integers(3, 4))
def test_two_vanishing_points_give_back_the_camera(camera: Camera, axes: str, count: int) -> None:
    result = found(camera, axes, count)
    # But for the little that the usual has to say.
    assert focal_error(result.camera, camera) < 0.5
    assert turn_error(result.camera, camera) < 0.2
    assert result.camera.position == pytest.approx(camera.position)
    assert max(max(misses) for misses in result.residuals.values()) < 0.1
    for axis, point in result.vanishing_points.items():
        for start, end in exact_lines(camera, axis):
            # On the way to its vanishing point.
            a, b = np.subtract(end, start), np.subtract(point, start)
            assert abs(a[0] * b[1] - a[1] * b[0]) < 0.01 * np.linalg.norm(a) * np.linalg.norm(b)


@QUICK
@given(standing_cameras(tilt=(-40.0, -25.0)), st.floats(-70, 70), st.floats(-50, 50))
def test_three_give_the_principal_point_too(camera: Camera, right: float, down: float) -> None:
    crop = camera.cropped(right, down, *SIZE)
    result = found(crop, "xyz", 4)
    # Drawn to the middle as far as the lines leave that open, and never away from the truth.
    off = np.abs(result.camera.k[:2, 2] - crop.k[:2, 2])
    assert np.linalg.norm(off) < np.hypot(right, down) + 2.0
    assert focal_error(result.camera, crop) < 1.5
    assert turn_error(result.camera, crop) < 3.0


def test_what_wide_lines_tell_of_a_crop_is_believed() -> None:
    half = math.radians(20.0)
    ahead = (math.cos(half), math.sin(half), 1.0 - math.tan(math.radians(25.0)))
    crop = Camera.looking_at((0.0, 0.0, 1.0), ahead, *SIZE, 1.17).cropped(60.0, 40.0, *SIZE)
    result = found(crop, "xyz", 4)
    assert result.camera.k[:2, 2] == pytest.approx(crop.k[:2, 2], abs=2.0)
    assert turn_error(result.camera, crop) < 0.2


def test_what_no_whole_picture_can_show_is_a_crop() -> None:
    # The middle is beyond the vanishing point of x: that of y would be on the same side of it.
    k = np.array([[1100.0, 0, 450.0], [0, 1100.0, 300.0], [0, 0, 1.0]])
    whole = Camera.from_matrices(*SIZE, k, np.eye(4))
    crop = placed_camera(whole, (0.0, 0.0, 1.6), (2.0, -20.0, 0.0)).cropped(120.0, 0.0, *SIZE)
    result = found(crop, "xy", 4)
    assert result.camera.k[0, 2] < 400.0
    assert max(max(misses) for misses in result.residuals.values()) < 0.5


def test_a_camera_is_held_level_as_far_as_lines_leave_that_open() -> None:
    camera = Camera.looking_at((4.0, -5.0, 2.5), (0.0, 0.0, 0.3), *SIZE, 0.7)
    x, y, w = camera.k @ camera.extrinsics[:3, 1]
    lines = []
    # Short lines, close to each other, an end of one is off by 2 pixels.
    for start, off in (((700.0, 400.0), 0.0), ((700.0, 430.0), -2.0)):
        toward = np.array([x / w, y / w]) - start
        end = start + 120.0 * toward / np.linalg.norm(toward)
        lines.append(Segment((start[0], start[1] + off), tuple(end.tolist())))
    result = calibrate(SIZE, {"x": exact_lines(camera, "x", 4), "y": lines})
    assert abs(math.degrees(math.asin(result.camera.extrinsics[0, 2]))) < 2.0


@QUICK
@given(standing_cameras(), st.floats(-200, 200), st.floats(-150, 150))
def test_a_known_principal_point_is_kept(camera: Camera, right: float, down: float) -> None:
    crop = camera.cropped(right, down, *SIZE)
    center = tuple(crop.k[:2, 2].tolist())
    result = found(crop, "xy", principal_point=center)
    assert result.camera.k[:2, 2].tolist() == pytest.approx(list(center))
    assert focal_error(result.camera, crop) < 0.5


@QUICK
@given(standing_cameras(roll=0.0), st.sampled_from("xy"))
def test_one_is_enough_for_a_level_camera_of_known_focal_length(camera: Camera, axis: str) -> None:
    result = found(camera, axis, focal=float(camera.k[0, 0]))
    assert turn_error(result.camera, camera) < 1e-3
    assert result.camera.k == pytest.approx(camera.k)


def test_the_vertical_alone_tells_tilt_and_roll() -> None:
    camera = Camera.looking_at((0.0, 0.0, 1.6), (0.0, 4.0, 0.0), *SIZE, 0.7)
    result = found(camera, "z", focal=float(camera.k[0, 0]))
    assert turn_error(result.camera, camera) < 1e-3


@QUICK
@given(standing_cameras(roll=0.0))
def test_the_world_is_the_same_from_all_four_sides(camera: Camera) -> None:
    turn = found(camera, "xy").camera.extrinsics[:3, :3]
    right, forward = turn[0, 0], turn[2, 0] / math.sqrt(1.0 - turn[2, 2] ** 2)
    # x goes rather to the right and away than to the left and towards the camera.
    assert right * math.cos(math.pi / 6) + forward * math.sin(math.pi / 6) > 0
    assert turn[1, 2] < 0


def test_a_line_that_goes_astray_is_named_and_hardly_counts() -> None:
    camera = Camera.looking_at((4.0, -5.0, 2.5), (0.0, 0.0, 0.3), *SIZE, 0.7)
    lines = {axis: exact_lines(camera, axis, 4) for axis in "xy"}
    (x0, y0), end = lines["x"][1]
    lines["x"][1] = Segment((x0, y0 + 25.0), end)
    result = calibrate(SIZE, lines)
    assert focal_error(result.camera, camera) < 5.0
    assert result.residuals["x"][1] > 5.0
    assert any("Line 2 along x" in text for text in result.warnings)


def test_parallel_lines_leave_the_usual_focal_length_and_say_so() -> None:
    lines = {
        "x": [Segment((100, 150), (800, 150)), Segment((100, 520), (800, 520))],
        "y": [Segment((200, 580), (400, 350)), Segment((700, 580), (500, 350))],
    }
    result = calibrate(SIZE, lines)
    assert result.camera.k[0, 0] == pytest.approx(50 / 43.27 * math.hypot(*SIZE), rel=0.01)
    assert any("along x are nearly parallel" in text for text in result.warnings)
    flat = {axis: [Segment((100, y), (700, y)) for y in (150, 420)] for axis in "yz"}
    steep = [Segment((x, 90), (x, 500)) for x in (90, 600)]
    told = calibrate(SIZE, {"x": steep, **flat}).warnings
    assert any("along x, y and z are nearly parallel" in text for text in told)
    known = calibrate(SIZE, lines, focal=700.0)
    assert known.camera.k[0, 0] == pytest.approx(700.0)
    assert not any("parallel" in text for text in known.warnings)


def test_a_focal_length_that_the_lines_contradict_is_kept_and_told() -> None:
    camera = Camera.looking_at((4.0, -5.0, 2.5), (0.0, 0.0, 0.3), *SIZE, 0.7)
    wrong = 2.0 * float(camera.k[0, 0])
    result = found(camera, "xy", 4, focal=wrong)
    assert result.camera.k[0, 0] == pytest.approx(wrong)
    assert any("better than" in text for text in result.warnings)


def test_two_lines_each_are_enough() -> None:
    camera = Camera.looking_at((4.0, -5.0, 3.5), (0.0, 0.0, 0.3), *SIZE, 0.7)
    result = found(camera, "xy", 2)
    assert focal_error(result.camera, camera) < 0.05
    assert turn_error(result.camera, camera) < 0.05


def test_lines_that_are_one_and_the_same_are_made_up_for_by_two_other_axes() -> None:
    camera = Camera.looking_at((4.0, -5.0, 2.5), (0.0, 0.0, 0.3), *SIZE, 0.7)
    lines = {axis: exact_lines(camera, axis, 4) for axis in "xyz"}
    result = calibrate(SIZE, {**lines, "y": lines["y"][:1] * 2})
    assert focal_error(result.camera, camera) < 0.1
    assert turn_error(result.camera, camera) < 0.1
    assert ["along y are one and the same" in text for text in result.warnings] == [True]


TO_THE_RIGHT = [Segment((100, 100), (500, 200)), Segment((100, 500), (500, 400))]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ({}, "Too few lines"),
        ({"x": TO_THE_RIGHT[:1]}, "Too few lines"),
        ({"x": TO_THE_RIGHT}, "focal length"),
        ({"x": [TO_THE_RIGHT[0]] * 2, "y": TO_THE_RIGHT}, "one and the same"),
        (
            {
                "x": TO_THE_RIGHT,
                "y": [Segment((100, 120), (500, 180)), Segment((100, 480), (500, 420))],
            },
            "same side",
        ),
        ({"x": TO_THE_RIGHT, "y": TO_THE_RIGHT}, "x and y meet in the same point"),
        ({"x": [Segment((math.nan, 0), (1, 1))] * 2}, "outside"),
        ({"x": [Segment((1e300, 0), (1, 1))] * 2}, "outside"),
        ({"up": TO_THE_RIGHT}, "not 'up'"),
    ],
)
def test_what_no_camera_can_see_is_one_sentence(lines: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        calibrate(SIZE, lines)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("known", [{"focal": 0.0}, {"focal": math.nan}, {"height": -1.0}])
def test_impossible_numbers_are_refused(known: dict) -> None:
    with pytest.raises(UserError):
        calibrate(SIZE, {"x": TO_THE_RIGHT}, **{"focal": 700.0, **known})


POINTS = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)) | st.tuples(
    st.integers(0, 9).map(lambda i: 100.0 * i), st.integers(0, 6).map(lambda i: 100.0 * i)
)
SEGMENTS = st.lists(st.builds(Segment, POINTS, POINTS), max_size=4)


ALL_THROUGH_THE_MIDDLE = [Segment((300, 0), (600, 600)), Segment((300, 600), (600, 0))]
LEVEL = [Segment((50, y), (600, y)) for y in (37.4, 416.7, 581.8)]
PARALLEL = [Segment((x, 600), (x - 300.0, 1800)) for x in (323.0, 379.5, 77.3)]
CROSSING_IN_THE_MIDDLE_OF_ONE = [Segment((0, 600), (300, 200)), Segment((0, 0), (900, 0))]


@settings(max_examples=150, deadline=None)
@example({"x": ALL_THROUGH_THE_MIDDLE, "y": ALL_THROUGH_THE_MIDDLE}, None, SIZE)
@example({"x": PARALLEL, "y": PARALLEL}, None, SIZE)
@example({"x": LEVEL, "z": CROSSING_IN_THE_MIDDLE_OF_ONE}, None, SIZE)
@given(
    st.dictionaries(st.sampled_from("xyz"), SEGMENTS),
    st.none() | st.floats(100, 1e4),
    st.sampled_from([SIZE, (1, 1), (600, 900)]),
)
def test_any_scribble_is_a_camera_or_a_sentence(lines: dict, focal: float, size: tuple) -> None:
    try:
        result = calibrate(size, lines, focal=focal)
    except UserError:
        return
    assert np.isfinite(result.camera.extrinsics).all()
    assert np.isfinite(list(result.vanishing_points.values())).all()
    assert {axis: len(misses) for axis, misses in result.residuals.items()} == {
        axis: len(segments) for axis, segments in lines.items()
    }
