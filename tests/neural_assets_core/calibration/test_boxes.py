"""Boxes from clicks and rectangles."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.calibration import box_from_rectangle, cuboid_from_clicks
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from tests.neural_assets_core.calibration.views import SIZE, seen_boxes, standing_cameras

QUICK = settings(max_examples=60, deadline=None)
CAMERA = Camera.looking_at((0.0, 0.0, 1.6), (0.0, 4.0, 0.0), *SIZE, 0.7)
BASE = [(300.0, 480.0), (560.0, 500.0), (600.0, 430.0)]


def same(one: Box, other: Box) -> bool:
    """Whether two boxes fill the same space, however their axes are called."""
    corners, others = one.corners(), other.corners()
    apart = np.linalg.norm(corners[:, None] - others[None], axis=2)
    return bool(apart.min(axis=1).max() < 1e-6)


@QUICK
@given(st.data(), st.sampled_from([(0, 4, 6), (4, 0, 2), (6, 2, 0), (2, 0, 4)]))
def test_exact_clicks_give_back_the_box(data: st.DataObject, base: tuple[int, int, int]) -> None:
    camera = data.draw(standing_cameras())
    box = data.draw(seen_boxes(camera))
    # The top of any of the three corners that were clicked.
    top = data.draw(st.sampled_from(base)) | 1
    clicks = [tuple(p) for p in camera.project(box.corners()[[*base, top]])[:, :2].tolist()]
    assert same(cuboid_from_clicks(camera, clicks), box)


def test_fewer_clicks_are_a_preview_on_the_ground() -> None:
    bar, plate = (cuboid_from_clicks(CAMERA, BASE[:count]) for count in (2, 3))
    assert bar.size[1:] == (MINIMUM_EXTENT, MINIMUM_EXTENT)
    assert plate.size[2] == MINIMUM_EXTENT
    assert plate.size[1] > 10 * MINIMUM_EXTENT
    assert plate.size[0] == pytest.approx(bar.size[0])
    for box in (bar, plate):
        assert box.corners()[:, 2].min() == pytest.approx(0.0, abs=1e-12)
        ends = CAMERA.project(box.corners()[[0, 4]])[:, :2]
        assert ends == pytest.approx(np.array(BASE[:2]), abs=1.0)


def test_the_base_may_reach_to_either_side() -> None:
    away = cuboid_from_clicks(CAMERA, BASE)
    near = cuboid_from_clicks(CAMERA, [*BASE[:2], (560.0, 560.0)])
    assert away.base_center()[1] > near.base_center()[1]
    assert min(away.size) > 0 < min(near.size)


def test_a_click_below_the_base_makes_no_negative_height() -> None:
    assert cuboid_from_clicks(CAMERA, [*BASE, (600.0, 590.0)]).size[2] == MINIMUM_EXTENT


@pytest.mark.parametrize(
    ("clicks", "sentence"),
    [
        ([(300.0, 480.0), (300.0, 10.0)], "horizon"),
        ([(300.0, 480.0), (math.nan, 480.0)], "nowhere"),
        ([*BASE, (300.0, -math.inf)], "nowhere"),
        ([(300.0, 480.0), (300.0, 480.0)], "one place"),
        ([*BASE[:2], (300.0, -50.0)], "horizon"),
        ([(300.0, 480.0)], "two to four"),
    ],
)
def test_impossible_clicks_are_refused(clicks: list, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        cuboid_from_clicks(Camera.looking_at((0, 0, 1.6), (0, 9.0, 1.0), *SIZE, 0.7), clicks)


@QUICK
@given(st.data(), st.floats(0.3, 1.5))
def test_a_rectangle_is_filled(data: st.DataObject, ratio: float) -> None:
    camera = data.draw(standing_cameras(tilt=(-30.0, -12.0)))
    # With the height of its own widths it always fits.
    wide, x = data.draw(st.floats(60.0, 250.0)), data.draw(st.floats(200.0, 500.0))
    bottom = data.draw(st.floats(420.0, 590.0))
    rectangle = np.array([x, bottom - 1.5 * wide, x + wide, bottom])
    box = box_from_rectangle(camera, *rectangle.tolist(), depth_ratio=ratio)
    seen = camera.project(box.corners())[:, :2]
    reach = np.concatenate([seen.min(axis=0), seen.max(axis=0)])
    assert reach == pytest.approx(rectangle, abs=0.05)
    assert box.corners()[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    assert box.size[1] == pytest.approx(ratio * box.size[0])
    # It faces the camera: its front edge is level in the picture, its own y goes away.
    left, right = seen[[0, 4]]
    assert left[1] == pytest.approx(right[1], abs=3.0)
    assert left[0] < right[0]
    assert seen[2, 1] < seen[0, 1]


def test_a_flat_rectangle_gets_a_box_that_is_less_deep() -> None:
    camera = Camera.looking_at((0.0, 0.0, 2.0), (0.0, 1.5, 0.0), *SIZE, 0.9)
    box = box_from_rectangle(camera, 300.0, 300.0, 600.0, 380.0)
    seen = camera.project(box.corners())[:, :2]
    assert seen.min(axis=0) == pytest.approx([300.0, 300.0], abs=0.1)
    assert seen.max(axis=0) == pytest.approx([600.0, 380.0], abs=0.1)
    assert box.size[1] < box.size[0]


@pytest.mark.parametrize(
    ("rectangle", "sentence"),
    [
        ((300, 300, 300, 400), "empty"),
        ((300, 300, 200, 400), "empty"),
        ((300, math.nan, 400, 400), "empty"),
        ((300, -300, 400, -200), "horizon"),
    ],
)
def test_impossible_rectangles_are_refused(rectangle: tuple, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        box_from_rectangle(CAMERA, *rectangle)


@QUICK
@given(st.tuples(*[st.floats(-2000, 3000)] * 4), st.floats(0.01, 10))
def test_any_rectangle_is_a_box_or_a_sentence(rectangle: tuple, ratio: float) -> None:
    with suppress(UserError):
        box_from_rectangle(CAMERA, *rectangle, depth_ratio=ratio)


@QUICK
@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=2, max_size=4))
def test_any_clicks_are_a_box_or_a_sentence(clicks: list) -> None:
    with suppress(UserError):
        cuboid_from_clicks(CAMERA, clicks)
