"""Families of everyday objects with varied proportions, colours and textures.

Each family is a function of a random generator that returns `Part` surfaces in the object's
own frame: forward = +x, z up, standing on z = 0. None is rotationally symmetric, so that a
picture shows the pose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neural_assets_core.data.families import (
    belongings,
    household,
    leisure,
    outdoors,
    rooms,
    textures,
    unseen,
    vehicles,
)
from neural_assets_core.data.families.meshes import mesh_parts
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
    "alarm clock": rooms.alarm_clock,
    "fan": rooms.fan,
    "plant": rooms.plant,
    "cake": rooms.cake,
    "suitcase": belongings.suitcase,
    "guitar": belongings.guitar,
    "hair dryer": belongings.hair_dryer,
    "trophy": belongings.trophy,
    "backpack": belongings.backpack,
    "radio": rooms.radio,
    "boat": outdoors.boat,
    "helicopter": outdoors.helicopter,
    "tractor": outdoors.tractor,
    "scooter": outdoors.scooter,
    "bird": outdoors.bird,
    "elephant": outdoors.elephant,
    "turtle": outdoors.turtle,
    "armchair": unseen.armchair,
    "bus": unseen.bus,
    "kettle": unseen.kettle,
    "dog": unseen.dog,
    "mailbox": unseen.mailbox,
    "headphones": unseen.headphones,
}

UNSEEN = ("armchair", "bus", "kettle", "dog", "mailbox", "headphones")
"""Kept from training for ever: drawn only when asked for by name, for the benchmark."""

SEEN = tuple(name for name in FAMILIES if name not in UNSEEN)
"""The families of data sets."""


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

    def scaled(self, factor: float) -> MadeObject:
        """Larger or smaller about the point it stands on."""
        parts = tuple(replace(part, vertices=part.vertices * factor) for part in self.parts)
        return MadeObject(self.category, parts, self.size * factor)


def make_object(family: str, rng: np.random.Generator, extent: float) -> MadeObject:
    """Build an instance whose longest side measures `extent` metres.

    `family` is a name in `FAMILIES`, or the path of a mesh file.
    """
    build = FAMILIES.get(family)
    parts = mesh_parts(family, rng) if build is None else _finished(rng, build(rng))
    # Only vertices that faces use count: the box must be tight around what is drawn.
    used = np.concatenate([part.vertices[np.unique(part.faces)] for part in parts])
    low, high = used.min(axis=0), used.max(axis=0)
    scale = extent / float((high - low).max())
    origin = np.array([0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2]])
    scaled = tuple(replace(part, vertices=(part.vertices - origin) * scale) for part in parts)
    return MadeObject(family_name(family), scaled, (high - low) * scale)


def family_name(family: str) -> str:
    """What objects of a family are called: for a mesh, its file's name."""
    return family if family in FAMILIES else Path(family).stem.replace("_", " ")


def _finished(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """The parts duller or glossier; in some instances plain ones get a fine grain."""
    gloss = math.exp(float(rng.normal(0, 0.6)))
    grain = textures.grain(rng) if rng.random() < 0.45 else None
    done: dict[int, Material] = {}
    for part in parts:
        look = part.material
        if id(look) not in done:
            plain = look.texture is None and look.emission == 0
            done[id(look)] = replace(
                look,
                specular=min(1.0, look.specular * gloss),
                shininess=min(1.0, look.shininess * gloss**0.5),
                texture=grain if plain else look.texture,
            )
    return [replace(part, material=done[id(part.material)]) for part in parts]


__all__ = [
    "FAMILIES",
    "SEEN",
    "UNSEEN",
    "MadeObject",
    "Material",
    "Part",
    "family_name",
    "make_object",
]
