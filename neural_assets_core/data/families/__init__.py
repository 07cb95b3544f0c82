"""Families of everyday objects with varied proportions, colours and textures.

Each family is a function of a random generator that returns `Part` surfaces in the object's
own frame: forward = +x, z up, standing on z = 0. None is rotationally symmetric, so that a
picture shows the pose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from neural_assets_core.data.families import household, leisure, vehicles
from neural_assets_core.data.families.parts import Float, Material, Part

FAMILIES: dict[str, Callable[[np.random.Generator], list[Part]]] = {
    "car": vehicles.car,
    "truck": vehicles.truck,
    "train": vehicles.train,
    "aeroplane": vehicles.aeroplane,
    "mug": household.mug,
    "teapot": household.teapot,
    "bottle": household.bottle,
    "chair": household.chair,
    "lamp": household.lamp,
    "watering can": household.watering_can,
    "toaster": household.toaster,
    "laptop": leisure.laptop,
    "book": leisure.book,
    "shoe": leisure.shoe,
    "camera": leisure.camera,
    "duck": leisure.duck,
    "robot": leisure.robot,
    "birdhouse": leisure.birdhouse,
    "monitor": leisure.monitor,
    "drum": leisure.drum,
}


@dataclass(frozen=True, eq=False)
class MadeObject:
    """One instance of a family, scaled to metres.

    `size` (3,) are the full extents of its tight box in its own frame; that box stands on
    z = 0 and is centred over the origin.
    """

    category: str
    parts: tuple[Part, ...]
    size: Float

    @property
    def center(self) -> Float:
        """(3,) centre of the tight box in the object's frame, metres."""
        return np.array([0.0, 0.0, 0.5 * self.size[2]])


def make_object(category: str, rng: np.random.Generator, extent: float) -> MadeObject:
    """Build an instance whose longest side measures `extent` metres."""
    parts = FAMILIES[category](rng)
    # Only vertices that faces use count: the box must be tight around what is drawn.
    used = np.concatenate([part.vertices[np.unique(part.faces)] for part in parts])
    low, high = used.min(axis=0), used.max(axis=0)
    scale = extent / float((high - low).max())
    origin = np.array([0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2]])
    scaled = tuple(replace(part, vertices=(part.vertices - origin) * scale) for part in parts)
    return MadeObject(category, scaled, (high - low) * scale)


__all__ = ["FAMILIES", "MadeObject", "Material", "Part", "make_object"]
