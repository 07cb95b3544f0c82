"""A crowded scene, and an edit of any; importing this imports no torch."""

from __future__ import annotations

import math

import numpy as np

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import Appearance, Picture, Scene, SceneObject, View, scene_from_view

WIDTH, HEIGHT = 1024, 768


def crowded_scene(count: int, seed: int = 0) -> Scene:
    """`count` boxes of all sizes and headings in rows on the ground, all of them in view."""
    random = np.random.default_rng(seed)
    camera = Camera.looking_at((0.0, -9.0, 5.0), (0.0, 0.4, 0.2), WIDTH, HEIGHT, 0.75)
    shade = np.linspace(70, 190, HEIGHT)[:, None, None] + random.normal(0, 4, (HEIGHT, WIDTH, 3))
    view = View(picture=Picture(shade.clip(0, 255).astype(np.uint8)), camera=camera)
    columns = math.ceil(math.sqrt(1.4 * count))
    rows = math.ceil(count / columns)
    objects = []
    for index in range(count):
        row, column = divmod(index, columns)
        size = random.uniform(0.25, 0.7, 3)
        place = 7.0 * np.array([(column + 0.5) / columns, (row + 0.5) / rows]) - 3.5
        place += random.uniform(-0.15, 0.15, 2)
        box = Box(center=(place[0], place[1], 0.5 * size[2]), size=tuple(size)).rotated(
            (0, 0, 1), random.uniform(-math.pi, math.pi)
        )
        objects.append(
            SceneObject(
                name=f"object {index + 1}", box=box, appearance=Appearance(view=view, box=box)
            )
        )
    return scene_from_view(view, tuple(objects)).with_settings(decoder="proxy")


def moved(scene: Scene, metres: float) -> Scene:
    """The scene with its first object further along x."""
    item = scene.objects[0]
    return scene.with_box(item.name, item.box.translated((metres, 0.0, 0.0)))
