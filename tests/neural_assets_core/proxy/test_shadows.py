from __future__ import annotations

import math

import numpy as np
import pytest

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy import CARVER, render_proxy
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
    assert light is None or light.certainty < 0.3


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
