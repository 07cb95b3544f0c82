"""What surrounds the objects of a made clip: ground, walls, sky and light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Color, Float
from neural_assets_core.geometry import Camera

Rng = np.random.Generator

SKIES: tuple[tuple[Color, Color], ...] = (
    ((0.30, 0.52, 0.84), (0.82, 0.90, 0.97)),
    ((0.45, 0.66, 0.90), (0.95, 0.93, 0.88)),
    ((0.62, 0.70, 0.80), (0.88, 0.90, 0.92)),
    ((0.42, 0.45, 0.68), (0.97, 0.78, 0.62)),
    ((0.75, 0.78, 0.80), (0.93, 0.93, 0.92)),
    ((0.55, 0.75, 0.78), (0.92, 0.96, 0.92)),
)
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


@dataclass(frozen=True, eq=False)
class Surface:
    """A textured rectangle. `tile` is the side of one texture repeat in metres."""

    texture: NDArray[np.uint8]
    tile: float


@dataclass(frozen=True, eq=False)
class Wall:
    """An upright backdrop through `foot` (x, y), its face turned towards `yaw` (radians)."""

    foot: tuple[float, float]
    yaw: float
    surface: Surface
    skirting: Color | None


@dataclass(frozen=True)
class Lighting:
    """Directional lights (directions of travel) and ambient light; intensities in [0, 1]."""

    sun: tuple[float, float, float]
    sun_color: Color
    fill: tuple[float, float, float]
    fill_color: Color
    ambient: Color


@dataclass(frozen=True, eq=False)
class Surroundings:
    ground: Surface
    sky_top: Color
    sky_bottom: Color
    walls: tuple[Wall, ...]
    lighting: Lighting


def make_surroundings(rng: Rng, camera: Camera) -> Surroundings:
    """Random ground, sky, light and in half of the clips walls, composed for `camera`."""
    ahead = math.atan2(float(camera.forward[1]), float(camera.forward[0]))
    walls: list[Wall] = []
    if rng.random() < 0.5:
        distance = float(rng.uniform(0.95, 2.2))
        turn = ahead + float(rng.uniform(-0.5, 0.5))
        surface = _backdrop(rng)
        skirting = t.pick(rng, t.NEUTRALS) if rng.random() < 0.6 else None
        foot = (distance * math.cos(turn), distance * math.sin(turn))
        walls.append(Wall(foot, turn + math.pi, surface, skirting))
        if rng.random() < 0.35:  # a corner of the room
            side = turn + math.pi / 2 * (1 if turn < ahead else -1)
            far = distance * float(rng.uniform(1.0, 1.6))
            foot = (far * math.cos(side), far * math.sin(side))
            walls.append(Wall(foot, side + math.pi, surface, skirting))
    top, bottom = SKIES[int(rng.integers(len(SKIES)))]
    # Light comes over the viewer's shoulder or from a side, rarely straight against the camera,
    # where all visible sides would lie in the dark. Walls are lit from their front.
    if walls:
        toward = np.mean([[math.cos(w.yaw), math.sin(w.yaw)] for w in walls], axis=0)
        side = (
            math.atan2(toward[1], toward[0])
            + float(rng.uniform(-1, 1)) * (0.7, 0.1)[len(walls) - 1]
        )
        height = math.radians(float(rng.uniform(32, 44)))
    else:
        side = ahead + math.pi + float(rng.uniform(-2.0, 2.0))
        height = math.radians(float(rng.uniform(36, 66)))
    sun = _travel(side, height)
    fill = _travel(side + float(rng.uniform(1.6, 2.6)) * float(rng.choice([-1, 1])), 0.6)
    warmth = float(rng.uniform(-1, 1))
    tint = np.array([1 + 0.05 * warmth, 1.0, 1 - 0.09 * warmth])
    ambient = float(rng.uniform(0.34, 0.46))
    key = float(rng.uniform(0.52, 0.68))
    return Surroundings(
        ground=_ground(rng),
        sky_top=top,
        sky_bottom=bottom,
        walls=tuple(walls),
        lighting=Lighting(
            sun,
            _color(key * tint),
            fill,
            _color(rng.uniform(0.14, 0.26) / tint),
            _color(ambient / tint),
        ),
    )


def _ground(rng: Rng) -> Surface:
    kind = int(rng.integers(9))
    a = t.pick(rng, STONES)
    if kind == 0:
        return Surface(t.planks(rng, t.pick(rng, t.WOODS)), float(rng.uniform(0.7, 1.4)))
    if kind == 1:
        return Surface(t.tiles(rng, a, t.pick(rng, STONES + CARPETS)), float(rng.uniform(0.6, 1.4)))
    if kind == 2:
        return Surface(t.carpet(rng, t.pick(rng, CARPETS)), float(rng.uniform(0.5, 1.0)))
    if kind == 3:
        return Surface(t.concrete(rng, a), float(rng.uniform(1.2, 2.5)))
    if kind == 4:
        return Surface(t.grass(rng), float(rng.uniform(0.8, 1.5)))
    if kind == 5:
        light = t.pick(rng, t.NEUTRALS[:1] + STONES)
        dark = t.pick(rng, CARPETS + STONES)
        return Surface(t.checker(rng, light, dark, size=128), float(rng.uniform(0.5, 1.2)))
    if kind == 6:
        return Surface(
            t.marble(rng, t.pick(rng, WALLS), t.shade(a, 0.6)), float(rng.uniform(1.0, 2.0))
        )
    if kind == 7:
        return Surface(
            t.bricks(rng, t.pick(rng, STONES + ((0.62, 0.36, 0.28),))), float(rng.uniform(0.9, 1.6))
        )
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


def _travel(azimuth: float, elevation: float) -> tuple[float, float, float]:
    """Direction of travel of light that comes from (azimuth, elevation)."""
    flat = math.cos(elevation)
    return (-flat * math.cos(azimuth), -flat * math.sin(azimuth), -math.sin(elevation))


def _color(values: Float) -> Color:
    r, g, b = (float(v) for v in np.clip(values, 0, 1))
    return (r, g, b)
