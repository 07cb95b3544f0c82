"""Scenes from photographs: objects drawn on them, and another camera for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.calibration import (
    Photograph,
    camera_from_horizon,
    cuboid_from_clicks,
    recalibrated,
    scaled_to_length,
    scene_from_photograph,
    with_drawn_object,
)
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.camera_pose import placed_camera
from neural_assets_core.scene import Picture, Scene, load_scene, save_scene
from tests.neural_assets_core.conftest import paint

SIZE = (120, 80)
CAMERA = camera_from_horizon(SIZE, 110.0, 12.0, 12.0)
OTHER = camera_from_horizon(SIZE, 150.0, 5.0, 9.0, height=0.8)
CLICKS = [(40.0, 62.0), (70.0, 66.0), (82.0, 56.0), (82.0, 36.0)]
BOX = cuboid_from_clicks(CAMERA, CLICKS)


@pytest.fixture
def empty() -> Scene:
    pixels, _ = paint(CAMERA, [BOX])
    return scene_from_photograph(Photograph(Picture(pixels)), CAMERA)


@pytest.fixture
def scene(empty: Scene) -> Scene:
    return with_drawn_object(empty, BOX, "cup", "cup")


def footprint(camera: Camera, box: Box) -> np.ndarray:
    return camera.project(box.corners()[[0, 2, 4, 6]])[:, :2]


def test_a_photograph_is_a_scene_without_objects(empty: Scene) -> None:
    assert empty.objects == ()
    assert empty.settings.decoder == "proxy"
    assert empty.camera == empty.background.view.camera == CAMERA
    with pytest.raises(UserError, match="calibrate"):
        scene_from_photograph(Photograph(empty.background.view.picture), CAMERA.resized(60, 40))


def test_what_was_drawn_can_be_moved_and_leaves_a_filled_hole(
    scene: Scene, tmp_path: Path
) -> None:
    source = scene.background.view.picture.pixels
    assert np.array_equal(ProxyDecoder().generate(scene).picture.pixels, source)
    moved = scene.with_box("cup", BOX.translated((-1.2, 0.5, 0.0)))
    pixels = ProxyDecoder().generate(moved).picture.pixels.astype(int)
    _, ids = paint(CAMERA, [BOX])
    # Ground is grey; the painted box is not.
    assert np.median(np.ptp(source[ids == 1].astype(int), axis=1)) > 40
    assert np.median(np.ptp(pixels[ids == 1], axis=1)) < 25
    save_scene(moved, tmp_path / "a.nascene")
    assert load_scene(tmp_path / "a.nascene") == moved


def test_a_second_object_of_the_same_name_is_numbered(scene: Scene) -> None:
    mask = Picture(np.zeros((80, 120), np.uint8))
    both = with_drawn_object(scene, BOX.translated((1.0, 0.0, 0.0)), "cup", mask=mask)
    assert [item.name for item in both.objects] == ["cup", "cup 2"]
    assert both.objects[1].appearance.mask is mask
    assert [o.box for o in both.background.occluders] == [item.box for item in both.objects]


def test_impossible_objects_are_refused(scene: Scene) -> None:
    with pytest.raises(UserError, match="behind"):
        with_drawn_object(scene, BOX.with_center((0.0, 0.0, 0.1)))
    with pytest.raises(UserError, match="mask"):
        with_drawn_object(scene, BOX, mask=Picture(np.zeros((8, 8), np.uint8)))
    full = scene
    for _ in range(63):
        full = with_drawn_object(full, BOX)
    with pytest.raises(UserError, match="64"):
        with_drawn_object(full, BOX)
    with pytest.raises(UserError, match="64"):
        # Removing does not help: the photograph still shows all of them.
        with_drawn_object(full.without("cup"), BOX)


def test_another_camera_keeps_footprints(scene: Scene) -> None:
    again = recalibrated(scene, OTHER)
    item = again.object("cup")
    assert again.camera == again.background.view.camera == OTHER
    assert item.box == item.appearance.box == again.background.occluders[0].box
    assert again.background.occluders[0] == item.appearance
    # Two corners exactly, the others as far as a rectangle can.
    apart = footprint(OTHER, item.box) - footprint(CAMERA, BOX)
    assert np.abs(apart[[0, 2]]).max() < 1e-6
    assert np.abs(apart).max() < 5.0
    assert np.array_equal(
        ProxyDecoder().generate(again).picture.pixels, scene.background.view.picture.pixels
    )


def test_the_same_camera_changes_nothing(scene: Scene) -> None:
    lifted = BOX.rotated((0.3, 0.2, 1.0), 0.4).translated((0.1, 0.2, 0.5))
    edited = with_drawn_object(scene, lifted, "bird").with_box("cup", lifted)
    again = recalibrated(edited, CAMERA)
    assert len(again.objects) == 2
    for item in again.objects:
        was = edited.object(item.name)
        assert item.box.corners() == pytest.approx(was.box.corners(), abs=1e-9)
        assert item.appearance.box.corners() == pytest.approx(
            was.appearance.box.corners(), abs=1e-9
        )


def test_a_known_length_scales_everything_that_was_drawn(scene: Scene) -> None:
    moved = BOX.translated((0.4, 0.3, 0.2)).rotated((0, 0, 1), 0.3)
    edited = scene.with_box("cup", moved)
    tilted = placed_camera(CAMERA, (0.2, 0.1, 1.7), (95.0, -20.0, 1.0))
    width = BOX.size[0]
    camera = scaled_to_length(CAMERA, CLICKS[0], CLICKS[1], 3.0 * width)
    again = recalibrated(edited.with_camera(tilted), camera)
    assert again.object("cup").appearance.box.size == pytest.approx(
        [3.0 * side for side in BOX.size]
    )
    assert again.object("cup").box.corners() == pytest.approx(3.0 * moved.corners())
    assert again.camera.position == pytest.approx(3.0 * tilted.position)
    assert again.camera.forward == pytest.approx(tilted.forward)


def test_removed_objects_are_still_where_they_were_seen(scene: Scene) -> None:
    again = recalibrated(scene.without("cup"), OTHER)
    assert again.objects == ()
    apart = footprint(OTHER, again.background.occluders[0].box) - footprint(CAMERA, BOX)
    assert np.abs(apart[[0, 2]]).max() < 1e-6


def test_objects_of_other_pictures_keep_their_place_in_this_one(scene: Scene) -> None:
    pixels, _ = paint(OTHER, [BOX])
    other = scene_from_photograph(Photograph(Picture(pixels)), OTHER)
    guest = with_drawn_object(other, BOX, "guest").object("guest")
    again = recalibrated(scene.with_object(guest), OTHER)
    assert again.object("guest").appearance == guest.appearance
    assert again.object("guest").box.corners() == pytest.approx(again.object("cup").box.corners())


def test_a_camera_that_cannot_see_an_object_is_refused_by_its_name(scene: Scene) -> None:
    with pytest.raises(UserError, match="'cup'") as caught:
        recalibrated(scene, camera_from_horizon(SIZE, 110.0, 70.0, 70.0))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="120 x 80"):
        recalibrated(scene, OTHER.resized(60, 40))
