"""A small made scene for the viewport's tests."""

import numpy as np

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    scene_from_view,
)


def made_picture(width: int = 640, height: int = 480) -> Picture:
    """Ground and sky in soft gradients."""
    y, x = np.mgrid[0:height, 0:width]
    sky = np.stack([150 + 60 * y / height, 175 + 40 * y / height, 215 + 0 * y], axis=-1)
    ground = np.stack([95 + 70 * y / height, 100 + 50 * y / height, 80 + 30 * x / width], axis=-1)
    pixels = np.where((y > 0.3 * height)[..., None], ground, sky)
    return Picture(pixels.astype(np.uint8))


def made_scene() -> Scene:
    """Three boxes on the ground: "mug" in front of "kettle", "book" to the right."""
    camera = Camera.looking_at((0.3, -4.5, 2.2), (0.0, 0.3, 0.2), 640, 480, 0.7)
    k = camera.k
    k[:2, 2] += (17.0, -11.0)  # a principal point off the centre
    camera = Camera.from_matrices(640, 480, k, camera.extrinsics)
    view = View(picture=made_picture(), camera=camera)
    boxes = {
        "mug": Box(center=(-0.2, -0.4, 0.35), size=(0.5, 0.5, 0.7)),
        "kettle": Box(center=(-0.3, 1.0, 0.6), size=(0.9, 0.7, 1.2)).rotated((0, 0, 1), 0.5),
        "book": Box(center=(1.0, 0.3, 0.1), size=(0.6, 0.4, 0.2)).rotated((0, 0, 1), -0.7),
    }
    objects = tuple(
        SceneObject(name=name, box=box, appearance=Appearance(view=view, box=box))
        for name, box in boxes.items()
    )
    return scene_from_view(view, objects)
