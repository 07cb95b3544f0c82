from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.decoders.window import Window, edit_window, put_back, touched_pixels
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.proxy import CARVER, proxy_picture, render_proxy
from neural_assets_core.scene import Scene


def test_an_unedited_scene_touches_nothing(scene: Scene) -> None:
    assert not touched_pixels(scene).any()


def test_old_and_new_places_are_touched_and_far_away_is_not(
    scene: Scene, boxes: list[Box]
) -> None:
    moved = boxes[0].translated((0.0, -0.3, 0.0))
    touched = touched_pixels(scene.with_box("box 1", moved))
    for box in (boxes[0], moved):
        assert touched[silhouette(scene.camera, box)].min() > 0.85
    assert not touched[:10].any()


def test_a_lifted_box_still_shades_the_ground_below_it(scene: Scene, boxes: list[Box]) -> None:
    lifted = boxes[0].translated((0.0, 0.0, 0.5))
    touched = touched_pixels(scene.with_box("box 1", lifted))
    below = scene.camera.project(np.array([-0.45, -0.2, 0.0]))[:2].astype(int)
    assert touched[below[1], below[0]] > 0.95


def test_a_moved_camera_touches_everything(scene: Scene) -> None:
    moved = Camera.looking_at((0.3, -3.0, 1.6), (0.0, 0.0, 0.2), 96, 96, 0.8)
    assert touched_pixels(scene.with_camera(moved)).min() == 1.0


@given(
    st.tuples(st.integers(20, 90), st.integers(20, 90)),
    st.tuples(*[st.floats(0, 1) for _ in range(4)]),
)
@settings(max_examples=60, deadline=None)
def test_the_window_holds_all_that_was_touched(
    shape: tuple[int, int], corners: tuple[float, ...]
) -> None:
    touched = np.zeros(shape, dtype=np.float32)
    (y0, y1), (x0, x1) = sorted(corners[:2]), sorted(corners[2:])
    rows = slice(int(y0 * (shape[0] - 1)), int(y1 * (shape[0] - 1)) + 1)
    columns = slice(int(x0 * (shape[1] - 1)), int(x1 * (shape[1] - 1)) + 1)
    touched[rows, columns] = 1
    window = edit_window(touched)
    assert window.left <= columns.start
    assert window.top <= rows.start
    assert window.left + window.side >= columns.stop
    assert window.top + window.side >= rows.stop


def test_a_window_is_cut_from_the_proxy_as_it_would_be_drawn(
    scene: Scene, boxes: list[Box]
) -> None:
    moved = scene.with_box("box 1", boxes[0].translated((0.1, -0.2, 0)))
    whole, window = proxy_picture(moved, CARVER), Window(9, 4, 40)
    cut, drawn = window.cut_from(whole), render_proxy(moved, window.camera(moved.camera), CARVER)
    assert cut is not None
    assert (cut.coverage > 0.5).any()
    assert np.abs(cut.coverage - drawn.coverage).max() < 0.01
    shown = ~(cut.hole | drawn.hole)
    assert np.abs(cut.picture[shown].astype(int) - drawn.picture[shown]).max() <= 1
    assert Window(-1, 0, 40).cut_from(whole) is None
    assert Window(0, 9, scene.camera.height).cut_from(whole) is None


@pytest.mark.parametrize("window", [Window(4, 6, 32), Window(-8, 0, 64), Window(0, 0, 48)])
def test_putting_back_what_agrees_changes_nothing(window: Window) -> None:
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 255, (6, 6, 3)).astype(np.uint8)
    import cv2

    base = np.asarray(cv2.resize(smooth, (48, 48), interpolation=cv2.INTER_CUBIC))
    around = cv2.copyMakeBorder(base, 16, 16, 16, 16, cv2.BORDER_REPLICATE)
    seen = around[16 + window.top :, 16 + window.left :][: window.side, : window.side]
    decoded = np.asarray(cv2.resize(seen, (16, 16), interpolation=cv2.INTER_AREA))
    ones = np.ones((48, 48), dtype=np.float32)
    back = put_back(base, decoded, window, ones, ones)
    # The fine detail that the small picture lost comes back from the base.
    assert np.abs(back.astype(int) - base.astype(int)).max() <= 2
    zeros = np.zeros((48, 48), dtype=np.float32)
    # A model that leaves a blurred copy of the base as it is changes nothing, wherever it may.
    poor = np.asarray(cv2.GaussianBlur(decoded, (0, 0), 2.0))
    assert np.array_equal(put_back(base, poor, window, ones, zeros, poor), base)
    assert np.array_equal(put_back(base, 255 - decoded, window, zeros, ones), base)
