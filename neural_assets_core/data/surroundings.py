"""What surrounds the objects of a made clip: ground, walls, sky and light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Color
from neural_assets_core.data.lighting import Lighting, make_lighting
from neural_assets_core.data.sky import make_sky
from neural_assets_core.geometry import Camera

Rng = np.random.Generator
Image = NDArray[np.uint8]

STONES: tuple[Color, ...] = (
    (0.68, 0.67, 0.65),
    (0.52, 0.52, 0.54),
    (0.75, 0.70, 0.62),
    (0.60, 0.52, 0.46),
    (0.82, 0.80, 0.77),
)
CARPETS: tuple[Color, ...] = (
    (0.35, 0.42, 0.52),
    (0.55, 0.30, 0.28),
    (0.62, 0.57, 0.48),
    (0.36, 0.45, 0.36),
    (0.45, 0.40, 0.50),
    (0.75, 0.70, 0.64),
)
WALLS: tuple[Color, ...] = (
    (0.88, 0.86, 0.80),
    (0.74, 0.80, 0.82),
    (0.82, 0.74, 0.66),
    (0.70, 0.76, 0.66),
    (0.62, 0.66, 0.74),
    (0.88, 0.78, 0.74),
    (0.50, 0.56, 0.58),
)


SANDS: tuple[Color, ...] = ((0.80, 0.70, 0.52), (0.72, 0.60, 0.44), (0.88, 0.86, 0.82))

_INDOORS = ("planks", "planks", "tiles", "carpet", "concrete", "checker", "marble", "rug")
_OUTDOORS = ("grass", "grass", "sand", "gravel", "concrete", "bricks", "tiles", "planks")


@dataclass(frozen=True, eq=False)
class Surface:
    """A textured rectangle. `tile` is the side of one texture repeat in metres."""

    texture: NDArray[np.uint8]
    tile: float


@dataclass(frozen=True, eq=False)
class Panel:
    """Something flat on a wall: a window, a picture, a door, a shelf.

    `at` is its middle (along the wall, up) in metres, `size` its (depth, width, height).
    """

    at: tuple[float, float]
    size: tuple[float, float, float]
    color: Color
    texture: Image | None = None
    emission: float = 0.0


@dataclass(frozen=True, eq=False)
class Wall:
    """An upright backdrop through `foot` (x, y), its face turned towards `yaw` (radians)."""

    foot: tuple[float, float]
    yaw: float
    surface: Surface
    panels: tuple[Panel, ...]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Everything but the objects.

    `table` is the half side of a square table top in metres whose surface is z = 0, turned to
    `table_yaw`; then `ground` is the top's surface and `floor` lies below. Without a table both
    are None and the ground is endless.
    """

    ground: Surface
    table: float | None
    table_yaw: float
    floor: Surface | None
    sky: Image
    walls: tuple[Wall, ...]
    lighting: Lighting


FLOOR_DEPTH = 0.8
"""Metres from a table's top down to the floor."""


def make_surroundings(rng: Rng, camera: Camera) -> Surroundings:
    """Random ground, sky, light and in half of the clips walls, composed for `camera`."""
    ahead = math.atan2(float(camera.forward[1]), float(camera.forward[0]))
    inside = rng.random() < 0.55
    walls: list[Wall] = []
    table = float(rng.uniform(1.1, 1.8)) if rng.random() < (0.35 if inside else 0.1) else None
    if inside:
        nearest = 0.95 if table is None else 1.5 * table
        distance = float(rng.uniform(nearest, nearest + 1.4))
        turn = ahead + float(rng.uniform(-0.5, 0.5))
        surface = _backdrop(rng)
        low = 0.0 if table is None else -FLOOR_DEPTH
        skirting = t.pick(rng, t.NEUTRALS) if rng.random() < 0.6 else None
        walls.append(_wall(rng, distance, turn, surface, skirting, low))
        if rng.random() < 0.35:  # a corner of the room
            side = turn + math.pi / 2 * (1 if turn < ahead else -1)
            far = distance * float(rng.uniform(1.0, 1.6))
            walls.append(_wall(rng, far, side, surface, skirting, low))
    return Surroundings(
        ground=_ground(rng, inside or table is not None),
        table=table,
        table_yaw=ahead + float(rng.uniform(-0.8, 0.8)),
        floor=None if table is None else _ground(rng, inside),
        sky=make_sky(rng),
        walls=tuple(walls),
        lighting=make_lighting(rng, ahead, [wall.yaw for wall in walls]),
    )


def _wall(
    rng: Rng, distance: float, azimuth: float, surface: Surface, skirting: Color | None, low: float
) -> Wall:
    """A wall at `distance` metres from the origin, facing it, from z = `low` up."""
    panels: list[Panel] = []
    if skirting is not None:
        panels.append(Panel((0.0, low + 0.05), (0.024, 24.0, 0.1), skirting))
    place = float(rng.uniform(-1.6, -0.6))
    while place < 1.6 and rng.random() < 0.7:
        found = _furniture(rng, place)
        panels += found
        place += max(panel.size[1] for panel in found) + float(rng.uniform(0.2, 0.9))
    foot = (distance * math.cos(azimuth), distance * math.sin(azimuth))
    return Wall(foot, azimuth + math.pi, surface, tuple(panels))


def _furniture(rng: Rng, along: float) -> list[Panel]:
    """A window, a framed picture, a shelf with books or a cupboard on the wall."""
    kind = int(rng.integers(4))
    wood = t.wood(rng, t.pick(rng, t.WOODS), 64)
    w, h = float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.4, 0.9))
    z = float(rng.uniform(0.5, 0.9)) + h / 2
    if kind == 0:
        bars = t.pick(rng, t.NEUTRALS[:2])
        pane = t.screen(rng, (96, 96))
        return [
            Panel((along, z), (0.05, w + 0.1, h + 0.1), bars),
            Panel((along, z), (0.06, w, h), (1, 1, 1), pane, 0.5),
            Panel((along, z), (0.07, 0.04, h), bars),
            Panel((along, z), (0.07, w, 0.04), bars),
            Panel((along, z - h / 2 - 0.06), (0.2, w + 0.2, 0.04), bars),
        ]
    if kind == 1:
        a, b = t.two_paints(rng)
        art = t.screen(rng, (96, 72)) if rng.random() < 0.5 else t.pattern(rng, a, b, 3)
        return [
            Panel((along, z), (0.05, w, h), (1, 1, 1), wood),
            Panel((along, z), (0.06, w * 0.84, h * 0.84), (0.92, 0.9, 0.86)),
            Panel((along, z), (0.07, w * 0.64, h * 0.64), (1, 1, 1), art),
        ]
    if kind == 2:
        out = [Panel((along, z), (0.4, w, 0.04), (1, 1, 1), wood)]
        at = along - w / 2 + 0.04
        while at < along + w / 2 - 0.06:
            thick, tall = float(rng.uniform(0.03, 0.07)), float(rng.uniform(0.16, 0.3))
            out.append(
                Panel(
                    (at + thick / 2, z + 0.02 + tall / 2), (0.3, thick, tall), t.pick(rng, t.PAINTS)
                )
            )
            at += thick + 0.004
        return out
    tall = float(rng.uniform(0.5, 1.8))
    return [
        Panel((along, tall / 2), (0.3, w, tall), (1, 1, 1), wood),
        Panel((along - w * 0.24, tall / 2), (0.32, w * 0.44, tall * 0.9), t.pick(rng, WALLS)),
        Panel((along + w * 0.24, tall / 2), (0.32, w * 0.44, tall * 0.9), t.pick(rng, WALLS)),
        Panel((along - 0.05, tall / 2), (0.36, 0.02, 0.1), (0.3, 0.3, 0.3)),
        Panel((along + 0.05, tall / 2), (0.36, 0.02, 0.1), (0.3, 0.3, 0.3)),
    ]


def _ground(rng: Rng, inside: bool) -> Surface:
    """A floor or table top, or what lies under the open sky."""
    a = t.pick(rng, STONES)
    kinds = _INDOORS if inside else _OUTDOORS
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == "planks":
        return Surface(t.planks(rng, t.pick(rng, t.WOODS)), float(rng.uniform(0.7, 1.4)))
    if kind == "tiles":
        return Surface(t.tiles(rng, a, t.pick(rng, STONES + CARPETS)), float(rng.uniform(0.6, 1.4)))
    if kind == "carpet":
        return Surface(t.carpet(rng, t.pick(rng, CARPETS)), float(rng.uniform(0.5, 1.0)))
    if kind == "concrete":
        return Surface(t.concrete(rng, a), float(rng.uniform(1.2, 2.5)))
    if kind == "grass":
        return Surface(t.grass(rng), float(rng.uniform(0.8, 1.5)))
    if kind == "sand":
        return Surface(t.sand(rng, t.pick(rng, SANDS)), float(rng.uniform(0.9, 1.8)))
    if kind == "gravel":
        return Surface(t.gravel(rng, a), float(rng.uniform(0.4, 0.9)))
    if kind == "checker":
        light = t.pick(rng, t.NEUTRALS[:1] + STONES)
        dark = t.pick(rng, CARPETS + STONES)
        return Surface(t.checker(rng, light, dark, size=128), float(rng.uniform(0.5, 1.2)))
    if kind == "marble":
        veins = t.marble(rng, t.pick(rng, WALLS), t.shade(a, 0.6))
        return Surface(veins, float(rng.uniform(1.0, 2.0)))
    if kind == "bricks":
        clay = t.pick(rng, STONES + ((0.62, 0.36, 0.28),))
        return Surface(t.bricks(rng, clay), float(rng.uniform(0.9, 1.6)))
    rug = t.pick(rng, CARPETS)
    return Surface(t.pattern(rng, rug, t.shade(rug, 1.35), 4, 256), float(rng.uniform(0.4, 0.9)))


def _backdrop(rng: Rng) -> Surface:
    kind = int(rng.integers(5))
    color = t.pick(rng, WALLS)
    if kind == 0:
        return Surface(
            t.bricks(rng, t.pick(rng, STONES + ((0.62, 0.36, 0.28),))), float(rng.uniform(0.9, 1.4))
        )
    if kind == 1:
        return Surface(
            t.pattern(rng, color, t.shade(color, 1.25), 4, 256), float(rng.uniform(0.4, 0.8))
        )
    if kind == 2:
        return Surface(t.planks(rng, t.pick(rng, t.WOODS)), float(rng.uniform(1.0, 1.6)))
    return Surface(t.concrete(rng, color), float(rng.uniform(1.5, 3.0)))
