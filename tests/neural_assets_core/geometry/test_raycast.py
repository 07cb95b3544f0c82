"""Rays against boxes."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import cast_box, silhouette

CAMERA = Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), 64, 48, 0.8)
places = st.tuples(st.floats(-2, 2), st.floats(-4, 2), st.floats(-1, 2))
sides = st.tuples(*[st.floats(0.02, 2)] * 3)


@given(places, sides, st.floats(-math.pi, math.pi), st.floats(-1, 1))
def test_silhouette_is_where_rays_meet_the_box(
    center: tuple[float, float, float],
    size: tuple[float, float, float],
    turn: float,
    tilt: float,
) -> None:
    # Beside, before, around and behind the camera.
    box = Box(center=center, size=size).rotated((0, 0, 1), turn).rotated((1, 0, 0), tilt)
    hits = cast_box(CAMERA, box)
    expected = np.zeros((CAMERA.height, CAMERA.width), dtype=bool)
    expected[hits.rect.slices] = hits.hit
    # The two ways of calculating round differently where a ray grazes the box.
    assert np.count_nonzero(silhouette(CAMERA, box) != expected) <= 1
