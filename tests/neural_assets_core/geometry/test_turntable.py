"""The free camera that circles a point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.turntable import FARTHEST, NEAREST, Turntable, seen_from

WIDTH, HEIGHT = 700, 500
MIDDLE = [WIDTH / 2, HEIGHT / 2]

metres = st.floats(-20, 20)
angles = st.floats(-7, 7)
tables = st.builds(
    Turntable,
    st.tuples(metres, metres, metres),
    st.floats(0.1, 100),
    angles,
    st.floats(-math.pi / 2, math.pi / 2),
)
shifts = st.floats(-300, 300)


def at(table: Turntable, point) -> np.ndarray:
    return table.camera(WIDTH, HEIGHT).project(np.asarray(point))


@given(tables)
def test_the_target_is_in_the_middle_at_its_distance(table):
    assert at(table, table.target) == pytest.approx([*MIDDLE, table.distance], abs=1e-6)


@given(tables)
def test_the_camera_is_level(table):
    right = table.camera(WIDTH, HEIGHT).extrinsics[0, :3]
    assert right[2] == 0.0
    down = table.camera(WIDTH, HEIGHT).extrinsics[1, :3]
    assert down[2] <= 1e-12


def test_straight_down_the_heading_is_up_on_the_screen():
    table = Turntable((0.0, 0.0, 0.0), 5.0, math.pi / 2, math.pi / 2)
    u, v, depth = at(table, (0.0, 1.0, 0.0))
    assert u == pytest.approx(WIDTH / 2)
    assert v < HEIGHT / 2
    assert depth == pytest.approx(5.0)


@given(tables, shifts, shifts)
def test_panning_takes_the_target_along(table, dx, dy):
    panned = table.panned(dx, dy, HEIGHT)
    assert at(panned, table.target)[:2] - MIDDLE == pytest.approx([dx, dy], abs=1e-6)


@given(tables, st.floats(0.2, 5), shifts, shifts)
def test_zooming_keeps_what_is_under_the_pointer(table, factor, dx, dy):
    origin, direction = table.camera(WIDTH, HEIGHT).rays(np.array(MIDDLE) + [dx, dy])
    point = origin + table.distance * direction
    zoomed = table.zoomed(factor, dx, dy, HEIGHT)
    assert NEAREST <= zoomed.distance <= FARTHEST
    assert at(zoomed, point)[:2] - MIDDLE == pytest.approx([dx, dy], abs=1e-5)


@given(tables, angles, angles)
def test_turning_stays_below_the_top_and_keeps_the_target(table, yaw, pitch):
    turned = table.turned(yaw, pitch)
    assert abs(turned.pitch) <= math.pi / 2
    assert (turned.target, turned.distance) == (table.target, table.distance)
    assert math.cos(turned.yaw) == pytest.approx(math.cos(table.yaw + yaw), abs=1e-9)


@given(
    st.lists(st.tuples(metres, metres, metres), min_size=1, max_size=9),
    angles,
    st.floats(-1.5, 1.5),
    st.floats(0.3, 3),
)
def test_what_is_framed_is_inside(points, yaw, pitch, aspect):
    cloud = np.array(points)
    width = round(HEIGHT * aspect)
    camera = Turntable.framing(cloud, yaw, pitch, aspect).camera(width, HEIGHT)
    pixels = camera.project(cloud)
    assert (pixels[:, 2] > 0).all()
    assert (pixels[:, :2] >= -1).all()
    assert (pixels[:, :2] <= [width + 1, HEIGHT + 1]).all()


def test_a_cameras_own_view():
    camera = Camera.looking_at((3.0, -2.0, 1.5), (0.0, 0.5, 0.2), 640, 480, 0.7)
    table = seen_from(camera, 2.0)
    assert table.camera(640, 480).position == pytest.approx(camera.position)
    assert table.axes == pytest.approx(camera.extrinsics[:3, :3], abs=1e-9)
