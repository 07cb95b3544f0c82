"""What boxes look like, read back from the real canvas."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtGui import QImage

from app.viewport.box_strokes import Level, draw_boxes
from app.viewport.names import Names
from app.viewport.overlay import Highlights, draw_scene
from app.viewport.strokes import Strokes
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.rays import NEAR, intersect_boxes
from neural_assets_core.scene.faults import box_faults
from neural_assets_core.scene.source_box import with_source_box
from tests.app.viewport.edges import NAME, brightness, edges, hover, plain_scene, sample


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_edges_are_drawn_where_the_camera_sees_them(scale):
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.viewport.edges"],
        env={**os.environ, "QT_SCALE_FACTOR": scale},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    ratio, before, after = map(float, done.stdout.split())
    assert ratio == float(scale)
    assert before < 0.5
    assert after < 0.5


def test_edges_behind_are_dashed_and_those_in_front_are_solid(hand):
    hand.document.set_scene(plain_scene())
    hover(hand.viewport, hand.box(NAME))
    shown = brightness(hand.viewport)
    share = np.linspace(0.2, 0.8, 400)[:, None]
    for start, end in edges(hand.viewport, hand.box(NAME), hidden=False):
        assert sample(shown, start + share * (end - start)).min() > 180
    for start, end in edges(hand.viewport, hand.box(NAME), hidden=True):
        line = sample(shown, start + share * (end - start))
        bright = line > 0.5 * (line.min() + line.max())
        assert np.ptp(line) > 40
        assert np.count_nonzero(np.diff(bright)) >= 4


def face_levels(hand) -> list[float]:
    """Brightness of the three faces that are seen, over a picture of 90."""
    shown, ratio = brightness(hand.viewport), hand.viewport.native.devicePixelRatioF()
    camera, box = hand.viewport.screen_camera(), hand.box(NAME)
    local = box.to_local(camera.position)
    middles = [np.sign(local[axis]) * np.eye(3)[axis] for axis in range(3) if abs(local[axis]) > 1]
    # Beside the middle: hidden edges may cross there.
    levels = [
        np.median(sample(shown, ratio * hand.pixel(box.to_world(m))[:2] + np.mgrid[-3:4, -3:4].T))
        for m in middles
    ]
    assert len(levels) == 3
    return levels


def test_the_faces_differ_under_the_pointer(hand):
    hand.document.set_scene(plain_scene())
    hover(hand.viewport, hand.box(NAME))
    levels = face_levels(hand)
    assert min(abs(a - b) for i, a in enumerate(levels) for b in levels[:i]) > 2


def test_else_the_picture_shows_as_it_is(hand):
    hand.document.set_scene(plain_scene())
    assert max(abs(level - 90) for level in face_levels(hand)) < 10
    hand.document.select([NAME])
    assert max(abs(level - 90) for level in face_levels(hand)) < 10


def test_the_mark_of_the_front_is_filled_only_if_the_front_can_be_seen(hand):
    scene = plain_scene()
    upright = scene.object(NAME).box.with_rotation((1.0, 0.0, 0.0, 0.0))
    filled = {}
    for degrees in (-90, 90):
        box = upright.rotated((0, 0, 1), math.radians(degrees))
        hand.document.set_scene(scene.with_box(NAME, box))
        hover(hand.viewport, box)
        reach = 0.2 * min(box.size[:2])
        before = box.to_world(np.array([1.0, 0.0, -1.0])) + box.rotation_matrix()[:, 0] * reach / 2
        at = hand.pixel(before) * hand.viewport.native.devicePixelRatioF()
        filled[degrees] = float(sample(brightness(hand.viewport), at))
    assert filled[-90] > 230
    assert filled[90] < 150


def test_boxes_in_each_other_get_a_warning_outline(hand):
    def yellow():
        image = hand.viewport.grab_frame().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        pixels = rows[:, : 3 * image.width()].reshape(-1, 3).astype(int)
        return np.count_nonzero((pixels[:, 0] > 200) & (pixels[:, 2] < 90))

    scene = hand.document.scene
    assert box_faults(scene) == {}
    assert yellow() == 0
    moved = scene.with_box("mug", hand.box("mug").with_center(hand.box("kettle").center))
    hand.document.set_draft(moved)
    assert box_faults(moved) == {"mug": ("reaches into kettle",), "kettle": ("reaches into mug",)}
    assert yellow() > 100


def test_boxes_out_of_sight_have_a_reason_too(hand):
    scene, camera = hand.document.scene, hand.document.scene.camera
    far = hand.box("mug").translated((50.0, 0.0, 0.0))
    assert box_faults(scene.with_box("mug", far)) == {"mug": ("is outside the picture",)}
    behind = hand.box("mug").with_center(camera.position - 3 * camera.forward)
    assert box_faults(scene.with_box("mug", behind)) == {"mug": ("reaches behind the camera",)}
    assert box_faults(scene.without("mug").without("kettle").without("book")) == {}


# -- from anywhere -----------------------------------------------------------------------------

places = st.tuples(*[st.floats(-3, 3)] * 3)
turned_boxes = st.builds(
    lambda center, size, axis, angle: Box(center=center, size=size).rotated(axis, angle),
    places,
    st.tuples(*[st.floats(0.05, 5)] * 3),
    st.sampled_from([(0, 0, 1), (1, 0, 0), (1, 2, 3)]),
    st.floats(-3, 3),
)
spots = st.tuples(st.floats(5, 635), st.floats(5, 475))


def a_camera(eye) -> Camera:
    """Somewhere; the boxes may be in front, around or behind."""
    assume(np.linalg.norm(np.subtract(eye, (0.1, 0.2, 0.3))[:2]) > 0.1)
    return Camera.looking_at(eye, (0.1, 0.2, 0.3), 640, 480, 0.9)


@given(turned_boxes, places, spots)
def test_a_pixel_is_shaded_if_its_ray_meets_the_box(box, eye, spot):
    camera = a_camera(eye)
    assume(np.abs(box.to_local(camera.position)).max() > 1.05)
    strokes = Strokes()
    draw_boxes(strokes, camera, [box], [Level.PLAIN], [False])
    corners = strokes.shades()["a_position"].astype(float).reshape(-1, 3, 2)
    origin, directions = camera.rays(np.array([spot, *(np.add(spot, d) for d in _AROUND)]))
    reaches = [intersect_boxes(origin, direction, [box])[0] for direction in directions]
    hits = [math.isfinite(reach) and reach > NEAR for reach in reaches]
    # On the outline itself either is right.
    assume(len(set(hits)) == 1)
    assert _inside(corners, np.array(spot)) == hits[0]


_AROUND = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


def _inside(triangles, spot) -> bool:
    sides = np.roll(triangles, -1, axis=1) - triangles
    to_spot = spot - triangles
    turns = sides[..., 0] * to_spot[..., 1] - sides[..., 1] * to_spot[..., 0]
    # Vertices are rounded to 32 bits: a spot on the seam of two triangles is in one of them.
    slack = 1e-3 * np.linalg.norm(sides, axis=2)
    area = np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    within = (turns >= -slack).all(axis=1) | (turns <= slack).all(axis=1)
    return bool((within & (area > 1e-6)).any())


@given(places)
def test_a_scene_can_be_drawn_with_any_camera(eye):
    strokes = Strokes()
    now = Highlights(selection=(NAME,), box=NAME)
    draw_scene(strokes, a_camera(eye), plain_scene(), now, Names(), (640, 480))
    vertices, shades = strokes.vertices(), strokes.shades()
    assert all(np.isfinite(vertices[field]).all() for field in vertices.dtype.names)
    assert all(np.isfinite(shades[field]).all() for field in shades.dtype.names)


def test_boxes_are_not_found_fault_with_where_the_photograph_shows_them(hand):
    scene, kettle = hand.document.scene, hand.box("kettle")
    inside = with_source_box(scene, "mug", hand.box("mug").with_center(kettle.center))
    assert box_faults(inside) == {}
    assert "mug" in box_faults(inside.with_box("kettle", kettle.translated((0.01, 0.0, 0.0))))
