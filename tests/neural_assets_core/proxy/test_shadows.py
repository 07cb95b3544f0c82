from __future__ import annotations

import math

import numpy as np
import pytest

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy import CARVER, render_proxy
from neural_assets_core.proxy.plate import CERTAIN, SHADED, clean_plate
from neural_assets_core.proxy.sampling import grown_mask
from neural_assets_core.proxy.shadows import Light, cast_shadows, find_light, shaded
from neural_assets_core.scene import Appearance, Picture, Scene, SceneObject, View, scene_from_view
from tests.neural_assets_core.conftest import paint

RATIO = (0.5, 0.52, 0.56)


class SolidBoxes:
    """A lifter for painted boxes, which fill their boxes; draws as the carver does."""

    draw = staticmethod(CARVER.draw)

    @staticmethod
    def coverage(appearance: Appearance, entry: np.ndarray, leave: np.ndarray) -> np.ndarray:
        return np.ones(len(entry), dtype=np.float32)


SOLID = SolidBoxes()


def toward(azimuth: float, elevation: float) -> tuple[float, float, float]:
    flat = math.cos(elevation)
    return (flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation))


def sunny(camera: Camera, boxes: list[Box], light: Light) -> tuple[np.ndarray, np.ndarray]:
    """The painted boxes with their true shadows on the ground; picture and ids."""
    image, ids = paint(camera, boxes)
    any_appearance = Appearance(view=View(picture=Picture(image), camera=camera), box=boxes[0])
    shadow = cast_shadows(camera, [(box, any_appearance) for box in boxes], light, SOLID)
    return shaded(image, light, np.where(ids == 0, shadow, 0.0).astype(np.float32)), ids


def sunny_scene(camera: Camera, boxes: list[Box], light: Light) -> Scene:
    image, ids = sunny(camera, boxes, light)
    view = View(picture=Picture(image), camera=camera)
    return scene_from_view(
        view,
        tuple(
            SceneObject(
                name=f"box {n}",
                box=box,
                appearance=Appearance(
                    view=view,
                    box=box,
                    mask=Picture(np.where(ids == n, 255, 0).astype(np.uint8)),
                ),
            )
            for n, box in enumerate(boxes, start=1)
        ),
    )


@pytest.mark.parametrize("azimuth", [20, 60, 120, 160, 200])
@pytest.mark.parametrize("elevation", [32, 50])
def test_the_light_is_found(
    camera: Camera, boxes: list[Box], azimuth: float, elevation: float
) -> None:
    light = Light(toward(math.radians(azimuth), math.radians(elevation)), RATIO, 1.0)
    found = find_light(sunny_scene(camera, boxes, light).background, SOLID)
    assert found is not None
    angle = math.degrees(math.acos(min(1.0, float(np.dot(found.direction, light.direction)))))
    assert angle < 15
    assert np.abs(np.asarray(found.ratio) - RATIO).max() < 0.15


def test_without_shadows_no_light_is_believed(scene: Scene) -> None:
    light = find_light(scene.background, CARVER)
    assert light is None or light.certainty < CERTAIN


def test_a_shadow_moves_with_its_box(camera: Camera, boxes: list[Box]) -> None:
    light = Light(toward(math.radians(200), math.radians(40)), RATIO, 1.0)
    scene = sunny_scene(camera, boxes, light)
    moved = boxes[0].translated((-0.15, -0.5, 0.0))
    edited = scene.with_box("box 1", moved)
    truth, ids = sunny(camera, [moved, boxes[1]], light)
    source = scene.background.view.picture.pixels
    layers = render_proxy(edited, camera, SOLID)
    known = (ids == 0) & ~layers.hole & (layers.coverage < 0.5)
    known[:40] = False
    error = np.abs(layers.picture.astype(float) - truth)[known].mean()
    as_it_was = np.abs(source.astype(float) - truth)[known].mean()
    assert error < 0.5 * as_it_was


def test_what_stays_keeps_its_shadow(camera: Camera, boxes: list[Box]) -> None:
    light = Light(toward(math.radians(200), math.radians(40)), RATIO, 1.0)
    scene = sunny_scene(camera, boxes, light)
    layers = render_proxy(scene, camera, SOLID)
    assert np.array_equal(layers.picture, scene.background.view.picture.pixels)
    assert not layers.gone.any()
    assert not layers.came.any()


def test_dark_tiles_are_no_shadows(camera: Camera, boxes: list[Box]) -> None:
    light = Light(toward(math.radians(160), math.radians(45)), (0.7, 0.7, 0.7), 1.0)
    scene = sunny_scene(camera, boxes, light)
    origin, directions = camera.rays(camera.pixel_centers())
    reach = -origin[2] / directions[..., 2]
    ground = (origin + reach[..., None] * directions)[..., :2]
    tiles = np.floor(ground / 0.9).sum(axis=-1) % 2 > 0
    hidden = np.zeros(tiles.shape, dtype=bool)
    for item in scene.objects:
        assert item.appearance.mask is not None
        hidden |= item.appearance.mask.pixels > 0
    dark = tiles & (reach > 0) & ~hidden
    image = scene.background.view.picture.pixels.astype(float)
    image[dark] *= 0.6
    view = View(picture=Picture(image.astype(np.uint8)), camera=camera)
    items = tuple(
        item.model_copy(
            update={"appearance": item.appearance.model_copy(update={"view": view})}
        )
        for item in scene.objects
    )
    found = find_light(scene_from_view(view, items).background, SOLID)
    assert found is not None
    assert float(np.dot(found.direction, light.direction)) > math.cos(math.radians(15))


def test_a_misjudged_light_frees_little(camera: Camera, boxes: list[Box]) -> None:
    sunny_from = Light(toward(math.radians(200), math.radians(40)), RATIO, 1.0)
    scene = sunny_scene(camera, boxes, sunny_from)
    background, one = scene.background, scene.objects[0].appearance
    picture = background.view.picture.pixels.astype(float)
    known = ~np.any([grown_mask(o, camera.width, camera.height) for o in background.occluders], 0)
    for azimuth in (20, 90):
        wrong = Light(toward(math.radians(azimuth), math.radians(40)), RATIO, 1.0)
        of_one = cast_shadows(camera, [(one.box, one)], wrong, SOLID) > SHADED
        assert (of_one & known).sum() > 100
        plate = clean_plate(background, frozenset({one}), frozenset({one}), wrong, SOLID)
        changed = np.abs(picture - plate.picture.pixels).max(axis=-1) > 2.0
        # Texture alone is filled with brighter texture here and there.
        assert changed[of_one & known].mean() < 0.5
