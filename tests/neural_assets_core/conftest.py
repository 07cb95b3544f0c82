"""A small painted scene that needs no renderer, and a tiny pipeline of the real classes."""

from __future__ import annotations

import numpy as np
import pytest

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.scene import Appearance, Picture, Scene, SceneObject, View, scene_from_view

SIZE = 96


def paint(camera: Camera, boxes: list[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Checkered ground, blue sky, boxes coloured by their own coordinates; picture and ids."""
    origin, directions = camera.rays(camera.pixel_centers())
    reach = -origin[2] / np.where(np.abs(directions[..., 2]) < 1e-9, 1e-9, directions[..., 2])
    ground = origin + reach[..., None] * directions
    check = (np.floor(ground[..., 0] * 4) + np.floor(ground[..., 1] * 4)) % 2
    image = np.where((reach > 0)[..., None], 90 + 60 * check[..., None], [120, 160, 220])
    ids = np.zeros(image.shape[:2], dtype=np.uint8)
    depth = np.full(ids.shape, np.inf)
    for number, box in enumerate(boxes, start=1):
        hits = cast_box(camera, box)
        at = hits.rect.slices
        nearer = hits.hit & (hits.entry_depth < depth[at])
        depth[at][nearer] = hits.entry_depth[nearer]
        ids[at][nearer] = number
        image[at][nearer] = (127.5 + 120 * hits.entry.clip(-1, 1))[nearer]
    return image.clip(0, 255).astype(np.uint8), ids


def painted_scene(camera: Camera, boxes: list[Box], *, masked: bool = True) -> Scene:
    """The unedited scene of a painted picture; objects "box 1", "box 2" ..."""
    image, ids = paint(camera, boxes)
    view = View(picture=Picture(image), camera=camera)
    objects = []
    for number, box in enumerate(boxes, start=1):
        mask = Picture(np.where(ids == number, 255, 0).astype(np.uint8)) if masked else None
        appearance = Appearance(view=view, box=box, mask=mask)
        objects.append(SceneObject(name=f"box {number}", box=box, appearance=appearance))
    return scene_from_view(view, tuple(objects))


@pytest.fixture
def camera() -> Camera:
    return Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), SIZE, SIZE, 0.8)


@pytest.fixture
def boxes() -> list[Box]:
    return [
        Box(center=(-0.45, 0.0, 0.2), size=(0.5, 0.4, 0.4)),
        Box(center=(0.5, 0.1, 0.15), size=(0.4, 0.5, 0.3), rotation=(0.966, 0, 0, 0.259)),
    ]


@pytest.fixture
def scene(camera: Camera, boxes: list[Box]) -> Scene:
    return painted_scene(camera, boxes)


@pytest.fixture
def tiny_pipeline(tiny_model):
    import torch

    from neural_assets_core.model.build import build_pipeline

    torch.manual_seed(0)
    pipeline = build_pipeline(tiny_model)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
