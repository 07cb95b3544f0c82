"""How restless an animation is, in what should rest and in what moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.decoders.window import touched_pixels
from neural_assets_core.export.layers import is_edited
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.scene import Picture, Scene


@dataclass(frozen=True)
class Flicker:
    """Levels of 255.

    Attributes
    ----------
    background : float or None
        Mean difference of one frame from the one before, in pixels that no frame's edit can have
        touched; None if there are none, because the camera moves say.
    objects : float or None
        Mean distance of a frame from the mean of its neighbours, inside the edited objects'
        boxes: a steady motion counts little, and what comes and goes counts in full. None with
        fewer than three frames, or if nothing is edited.
    """

    background: float | None
    objects: float | None

    def told(self) -> str:
        """For people."""
        parts = {"background": self.background, "objects": self.objects}
        known = [f"{name} {value:.2f}" for name, value in parts.items() if value is not None]
        return ", ".join(known) or "not measured"


def measure_flicker(scenes: Sequence[Scene], pictures: Iterable[Picture]) -> Flicker:
    """Flicker of an animation's frames before they are encoded.

    Parameters
    ----------
    scenes : sequence of Scene
    pictures : iterable of Picture
        One for each, all of one size.
    """
    rests = _untouched(scenes)
    still = _Mean()
    moving = _Mean()
    last: list[tuple[Scene, NDArray[np.int16]]] = []
    for scene, picture in zip(scenes, pictures, strict=True):
        pixels = picture.pixels.astype(np.int16)
        if last:
            still.add(np.abs(pixels - last[-1][1])[rests])
        if len(last) == 2:
            (_, before), (middle, now) = last
            inside = _moving(middle)
            moving.add(np.abs(now - (before + pixels) / 2)[inside])
        last = [*last[-1:], (scene, pixels)]
    return Flicker(still.value, moving.value)


class _Mean:
    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, values: NDArray[Any]) -> None:
        self._sum += float(values.sum())
        self._count += values.size

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


def _untouched(scenes: Sequence[Scene]) -> NDArray[np.bool_]:
    """(h, w) pixels that no frame's edit can have touched."""
    first = scenes[0].camera
    rests = np.ones((first.height, first.width), dtype=bool)
    for scene in scenes:
        rests &= touched_pixels(scene) == 0
        if not rests.any():
            break
    return rests


def _moving(scene: Scene) -> NDArray[np.bool_]:
    """(h, w) inside the boxes of what is edited."""
    inside = np.zeros((scene.camera.height, scene.camera.width), dtype=bool)
    for item in scene.objects:
        if is_edited(scene, item):
            inside |= silhouette(scene.camera, item.box)
    return inside
