"""What is under the pointer, asked over and over."""

from __future__ import annotations

import time

import numpy as np

from app.viewport.style import EDGE_TOLERANCE
from neural_assets_core.geometry.picking import boxes_under
from neural_assets_core.scene import Scene
from tests.benchmarks.timing import Row


def pick(scene: Scene, repetitions: int = 500) -> Row:
    """Pick boxes at random places of the picture."""
    boxes, camera = [item.box for item in scene.objects], scene.camera
    spots = np.random.default_rng(1).uniform(0, 1, (repetitions, 2)) * (camera.width, camera.height)
    seconds = []
    for spot in spots:
        start = time.perf_counter()
        boxes_under(camera, boxes, spot, EDGE_TOLERANCE)
        seconds.append(time.perf_counter() - start)
    return Row.of(f"picking among {len(boxes)} boxes", seconds)
