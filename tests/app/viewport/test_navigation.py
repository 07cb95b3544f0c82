"""Zoom and pan as a value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.viewport.navigation import LARGEST, MARGIN, SMALLEST, Navigation
from tests.app.viewport.scenes import made_scene

places = st.builds(Navigation, st.floats(0.05, 20), st.floats(-2000, 2000), st.floats(-2000, 2000))
spots = st.tuples(st.floats(0, 1500), st.floats(0, 1000))


@given(places, spots, st.floats(0.1, 10))
def test_zooming_keeps_the_point(place, spot, factor):
    zoomed = place.zoomed(factor, spot)
    assert np.allclose(zoomed.to_picture(spot), place.to_picture(spot), atol=1e-6)
    assert SMALLEST <= zoomed.scale <= LARGEST


def test_fitting_leaves_a_margin():
    place = Navigation.fitted((400, 100), (800, 600))
    assert place.to_screen(np.array([0.0, 50.0])).tolist() == [MARGIN, 300.0]


@given(places, st.tuples(*[st.floats(-1, 1)] * 3))
def test_the_screens_camera_projects_where_the_picture_is_drawn(place, point):
    camera = made_scene().camera
    direct = place.to_screen(camera.project(np.array(point))[:2])
    assert place.camera(camera).project(np.array(point))[:2] == pytest.approx(direct)
