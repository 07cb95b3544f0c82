"""Scenes put together from assets and other scenes, drawn by both decoders."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.library import (
    Placed,
    background_asset,
    carried,
    composed,
    inserted,
    isolated,
    object_asset,
    placed_box,
    replaced,
    transferred,
    with_surroundings,
)
from neural_assets_core.proxy import CARVER
from neural_assets_core.scene import Scene
from tests.neural_assets_core.conftest import SIZE, painted_scene


@pytest.fixture
def other() -> Scene:
    """Another picture: seen from another side, by another camera, of another size."""
    camera = Camera.looking_at((2.4, 1.9, 2.0), (0.6, 0.4, 0.1), SIZE + 16, SIZE, 0.9)
    box = Box(center=(0.7, 0.5, 0.3), size=(0.4, 0.3, 0.6)).rotated((0, 0, 1), 1.1)
    return painted_scene(camera, [box])


def compositions(scene: Scene, other: Scene) -> dict[str, Scene]:
    asset, place = object_asset(other, "box 1"), background_asset(other, "place")
    return {
        "insert": inserted(scene, asset, (0.1, -0.4), 0.5),
        "replace": replaced(scene, "box 1", asset),
        "transfer": transferred(scene, other, ["box 1"]),
        "isolate": isolated(scene, ["box 2"]),
        "background": with_surroundings(scene, place.surroundings()),
        "recompose": composed(
            place.surroundings(), [Placed(asset), Placed(object_asset(scene, "box 2"), (0.9, 0.1))]
        ),
    }


def test_an_inserted_object_stands_there_as_it_was_seen(scene: Scene, other: Scene) -> None:
    asset = object_asset(other, "box 1")
    after = inserted(scene, asset, (0.1, -0.4))
    item = after.objects[-1]
    assert item.name == "box 1 2" or item.name == "box 3"
    assert item.box.size == asset.appearance.box.size
    assert item.box.base_center() == pytest.approx([0.1, -0.4, 0.0])
    # The same turn in front of the camera.
    axes = [
        camera.extrinsics[:3, :3] @ box.rotation_matrix()[:, 0]
        for camera, box in ((other.camera, asset.appearance.box), (after.camera, item.box))
    ]
    angles = [math.atan2(axis[2], axis[0]) for axis in axes]
    assert angles[0] == pytest.approx(angles[1], abs=0.15)
    turned = placed_box(asset, scene.camera, (0.1, -0.4), 0.3)
    assert (turned.yaw() - item.box.yaw() - 0.3) % (2 * math.pi) == pytest.approx(0, abs=1e-9)
    assert after.without(item.name) == scene


def test_without_a_place_it_stands_in_the_middle(scene: Scene, other: Scene) -> None:
    box = inserted(scene, object_asset(other, "box 1")).objects[-1].box
    u, v, _ = scene.camera.project(box.base_center())
    assert (u, v) == pytest.approx((SIZE / 2, SIZE / 2), abs=1e-6)


def test_a_replacement_keeps_place_and_turn(scene: Scene, other: Scene) -> None:
    old, asset = scene.object("box 1").box, object_asset(other, "box 1")
    after = replaced(scene, "box 1", asset.with_label(name="vase", category="vase"))
    new = after.objects[0]
    assert [item.name for item in after.objects] == ["vase", "box 2"]
    assert new.category == "vase"
    assert new.box.base_center() == pytest.approx(old.base_center())
    assert (new.box.rotation, new.box.size) == (old.rotation, asset.appearance.box.size)
    assert replaced(scene, "box 1", asset).objects[0].name == "box 1"


def test_things_keep_their_places_to_one_another(scene: Scene, other: Scene) -> None:
    for after in (
        with_surroundings(scene, other.background),
        transferred(other.without("box 1"), scene, ["box 1", "box 2"]),
    ):
        before, moved = (
            [item.box for item in place.objects] for place in (scene, after)
        )
        assert after.camera == other.camera
        first, second = (np.subtract(boxes[1].center, boxes[0].center) for boxes in (before, moved))
        assert np.linalg.norm(first) == pytest.approx(np.linalg.norm(second))
        assert [box.size for box in moved] == [box.size for box in before]
        # To the left and to the right of the camera as before.
        assert scene.camera.extrinsics[0, :3] @ first == pytest.approx(
            other.camera.extrinsics[0, :3] @ second
        )
    assert with_surroundings(scene, scene.background) == scene


def test_carrying_there_and_back(scene: Scene, other: Scene) -> None:
    box = scene.objects[0].box
    back = carried(carried(box, scene.camera, other.camera), other.camera, scene.camera)
    assert back.center == pytest.approx(box.center)
    assert back.rotation == pytest.approx(box.rotation)


def test_an_isolated_object_has_nothing_around_it(scene: Scene) -> None:
    picture = ProxyDecoder(CARVER).generate(isolated(scene, ["box 2"])).picture.pixels
    mask = scene.object("box 2").appearance.mask.pixels > 0
    source = scene.background.view.picture.pixels
    assert (picture[mask] == source[mask]).mean() > 0.95
    around = (picture != 200).any(axis=2) & ~mask
    assert around.sum() < 0.1 * mask.sum()


def test_put_back_where_it_was_it_looks_as_it_was(scene: Scene) -> None:
    asset = object_asset(scene, "box 2")
    again = scene.with_appearance("box 2", asset.object_appearance())
    before, after = (ProxyDecoder(CARVER).generate(s).picture.pixels for s in (scene, again))
    mask = scene.object("box 2").appearance.mask.pixels > 0
    assert np.abs(before.astype(int) - after)[mask].mean() < 1.0


def test_objects_are_no_backgrounds(scene: Scene) -> None:
    place = background_asset(scene, "place")
    with pytest.raises(UserError, match="place is a background"):
        inserted(scene, place)
    with pytest.raises(UserError, match="box 1 is an object"):
        object_asset(scene, "box 1").surroundings()


def test_a_picture_of_the_sky_needs_a_place(scene: Scene, other: Scene) -> None:
    upward = scene.with_camera(Camera.looking_at((0, -3, 1), (0, 0, 4), SIZE, SIZE, 0.4))
    asset = object_asset(other, "box 1")
    with pytest.raises(UserError, match="no ground"):
        inserted(upward, asset)
    assert inserted(upward, asset, (0.0, 0.0)).objects[-1].box.center[:2] == (0.0, 0.0)


@pytest.mark.parametrize(
    "kind", ["insert", "replace", "transfer", "isolate", "background", "recompose"]
)
def test_both_decoders_draw_it(kind: str, scene: Scene, other: Scene, tiny_pipeline) -> None:
    from neural_assets_core.decoders.neural import NeuralDecoder

    after = compositions(scene, other)[kind]
    for decoder in (ProxyDecoder(CARVER), NeuralDecoder(tiny_pipeline)):
        picture = decoder.generate(after).picture
        assert (picture.width, picture.height) == (after.camera.width, after.camera.height)
        assert picture != after.background.view.picture
