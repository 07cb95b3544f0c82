from __future__ import annotations

import math

import numpy as np
import pytest

from neural_assets_core.decoders import Cancelled, ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.proxy import CARVER, fill_holes, render_proxy
from neural_assets_core.scene import Scene
from tests.neural_assets_core.conftest import paint, painted_scene


def picture(scene: Scene) -> np.ndarray:
    return ProxyDecoder(CARVER).generate(scene).picture.pixels


def mean_error(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float))[where].mean())


@pytest.mark.parametrize("masked", [True, False])
def test_nothing_edited_gives_the_source(camera: Camera, boxes: list[Box], masked: bool) -> None:
    scene = painted_scene(camera, boxes, masked=masked)
    assert np.array_equal(picture(scene), scene.background.view.picture.pixels)


def test_moved_box_matches_the_truth(scene: Scene, camera: Camera, boxes: list[Box]) -> None:
    moved = boxes[0].translated((0.1, -0.3, 0.0))
    result = picture(scene.with_box("box 1", moved))
    truth, ids = paint(camera, [moved, boxes[1]])
    assert mean_error(result, truth, ids == 1) < 8
    # Far from the edit not a single pixel changes.
    assert np.array_equal(result[:20], truth[:20])


def test_turned_box_shows_its_sides_where_they_are(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    turned = boxes[0].rotated((0, 0, 1), math.radians(25))
    result = picture(scene.with_box("box 1", turned))
    truth, ids = paint(camera, [turned, boxes[1]])
    copied = scene.background.view.picture.pixels
    assert mean_error(result, truth, ids == 1) < 0.6 * mean_error(copied, truth, ids == 1)


def test_half_turn_is_completed_by_mirroring(scene: Scene, boxes: list[Box]) -> None:
    turned = scene.with_box("box 1", boxes[0].rotated((0, 0, 1), math.pi))
    layers = render_proxy(turned, turned.camera)
    seen = silhouette(turned.camera, turned.object("box 1").box)
    assert layers.coverage[seen].mean() > 0.95
    # The top is still seen; the side that faced away before is not.
    assert 0.3 < (layers.confidence[seen] <= 0.5).mean() < 0.9


def test_removed_object_is_filled_from_around(scene: Scene, camera: Camera) -> None:
    result = picture(scene.without("box 2"))
    source = scene.background.view.picture.pixels
    _, ids = paint(camera, [item.box for item in scene.objects])
    hole = ids == 2
    # The filling stays within the ground's own range of greys: no trace of the coloured box.
    spread = np.ptp(result[hole].astype(int), axis=1)
    assert np.median(spread) < 25 < np.median(np.ptp(source[hole].astype(int), axis=1))


def test_nearer_object_hides_the_farther(scene: Scene, boxes: list[Box]) -> None:
    behind = boxes[0].with_center((0.5, 0.9, 0.2))
    layers = render_proxy(scene.with_box("box 1", behind), scene.camera)
    front = scene.camera.project(np.asarray(boxes[1].center))[:2].astype(int)
    source = scene.background.view.picture.pixels
    assert np.array_equal(layers.picture[front[1], front[0]], source[front[1], front[0]])


def test_moved_camera_carries_the_ground(scene: Scene, boxes: list[Box]) -> None:
    moved = Camera.looking_at((0.35, -2.9, 1.65), (0.05, 0.0, 0.2), 96, 96, 0.8)
    result = picture(scene.with_camera(moved))
    truth, ids = paint(moved, boxes)
    copied = scene.background.view.picture.pixels
    ground = ids == 0
    ground[:30] = False
    assert mean_error(result, truth, ground) < 0.6 * mean_error(copied, truth, ground)


def test_window_equals_the_same_part_of_the_whole(scene: Scene, boxes: list[Box]) -> None:
    edited = scene.with_box("box 1", boxes[0].translated((0.1, -0.2, 0)))
    whole = render_proxy(edited, edited.camera)
    window = render_proxy(edited, edited.camera.cropped(10, 20, 60, 60))
    difference = np.abs(whole.picture[20:80, 10:70].astype(int) - window.picture.astype(int))
    assert np.percentile(difference[~window.hole], 99) <= 2


def test_box_behind_the_camera_is_named(scene: Scene, boxes: list[Box]) -> None:
    with pytest.raises(UserError, match="box 1"):
        picture(scene.with_box("box 1", boxes[0].with_center((0.2, -3.0, 1.6))))


@pytest.mark.parametrize("far", [1e40, 1e308, float("1e200")])
def test_absurdly_far_boxes_are_refused(scene: Scene, boxes: list[Box], far: float) -> None:
    with pytest.raises(UserError, match="box 1"):
        picture(scene.with_box("box 1", boxes[0].with_center((0.0, far, 0.0))))


def test_cancelled_before_it_starts(scene: Scene) -> None:
    import threading

    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        ProxyDecoder().generate(scene, cancel=cancel)


def test_holes_without_any_surroundings() -> None:
    image = np.full((8, 8, 3), 7, dtype=np.uint8)
    everything, nothing = np.ones((8, 8), dtype=bool), np.zeros((8, 8), dtype=bool)
    assert (fill_holes(image, everything, everything) == 128).all()
    assert fill_holes(image, nothing, everything) is image


def test_an_object_that_stays_does_not_bleed_into_the_hole(
    camera: Camera, boxes: list[Box]
) -> None:
    close = boxes[1].with_center((-0.05, 0.0, 0.15))
    scene = painted_scene(camera, [boxes[0], close])
    layers = render_proxy(scene.without("box 1"), camera)
    _, ids = paint(camera, [close])
    filled = layers.picture[layers.hole & (ids == 0)].astype(int)
    # The ground and the sky are grey or blue; the boxes' reds and greens must not show.
    assert np.percentile(filled[:, 0] - filled[:, 2], 95) < 20
