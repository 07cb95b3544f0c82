"""Light of many kinds: sun high and low, overcast sky, windows, lamps, spots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neural_assets_core.data.families.parts import Color, Float

Rng = np.random.Generator
Vector = tuple[float, float, float]

SOFT_SUNS = 3
"""Suns close together whose shadows blend into one soft one."""


@dataclass(frozen=True)
class Light:
    """Directional, or a spot at `position` (world metres) with half angle `cutoff` (degrees).

    `direction` is that of travel; `color` may exceed 1 in no channel.
    """

    direction: Vector
    color: Color
    shadow: bool
    position: Vector | None = None
    cutoff: float = 45.0


@dataclass(frozen=True)
class Lighting:
    """All lights, the ambient colour and the strength of highlights, in [0, 1].

    `shadow_map` is a share of the renderer's full shadow resolution: smaller is softer.
    """

    lights: tuple[Light, ...]
    ambient: Color
    highlight: float
    shadow_map: float = 1.0


def make_lighting(rng: Rng, ahead: float, walls: Sequence[float]) -> Lighting:
    """Random light for a camera that looks along the azimuth `ahead` (radians).

    `walls` are the azimuths that the walls face: rooms are lit from within. Light comes over the
    viewer's shoulder or from a side, rarely straight against the camera, where all visible sides
    would lie in the dark.
    """
    if walls:
        toward = np.mean([[math.cos(yaw), math.sin(yaw)] for yaw in walls], axis=0)
        side = math.atan2(toward[1], toward[0])
        side += float(rng.uniform(-1, 1)) * (0.8 if len(walls) == 1 else 0.2)
        kinds, shares = ("sun", "window", "lamps", "spot"), (0.25, 0.35, 0.25, 0.15)
    else:
        side = ahead + math.pi + float(rng.uniform(-2.0, 2.0))
        kinds, shares = ("sun", "low sun", "overcast", "spot"), (0.45, 0.2, 0.25, 0.1)
    return _KINDS[str(rng.choice(kinds, p=shares))](rng, side)


def _sun(rng: Rng, side: float) -> Lighting:
    tint = _tint(rng, 1.0)
    key, ambient = float(rng.uniform(0.5, 0.72)), float(rng.uniform(0.28, 0.44))
    sun = _travel(side, math.radians(float(rng.uniform(32, 68))))
    lights = (Light(sun, _color(key * tint), True), _fill(rng, side, tint))
    return Lighting(lights, _color(ambient / tint), float(rng.uniform(0.2, 0.6)))


def _low_sun(rng: Rng, side: float) -> Lighting:
    """Morning or evening: warm, with long shadows."""
    tint = np.array([1.12, 0.98, 0.78])
    sun = _travel(side, math.radians(float(rng.uniform(14, 28))))
    lights = (Light(sun, _color(rng.uniform(0.6, 0.8) * tint), True), _fill(rng, side, tint))
    return Lighting(lights, _color(rng.uniform(0.28, 0.38) / tint), 0.5)


def _soft(rng: Rng, side: float, height: float, spread: float, key: float) -> tuple[Light, ...]:
    """Several weak suns around one direction; angles in radians."""
    color = _color(key / SOFT_SUNS * _tint(rng, 0.6))
    out = []
    for k in range(SOFT_SUNS):
        angle = 2 * math.pi * (k + float(rng.random())) / SOFT_SUNS
        azimuth = side + spread * math.cos(angle) / math.cos(height)
        out.append(Light(_travel(azimuth, height + spread * math.sin(angle)), color, True))
    return tuple(out)


def _overcast(rng: Rng, side: float) -> Lighting:
    height = math.radians(float(rng.uniform(58, 70)))
    lights = _soft(rng, side, height, 0.22, float(rng.uniform(0.3, 0.42)))
    ambient = float(rng.uniform(0.5, 0.6))
    return Lighting(lights, (ambient * 0.98, ambient, ambient * 1.03), 0.15, 0.25)


def _window(rng: Rng, side: float) -> Lighting:
    height = math.radians(float(rng.uniform(34, 52)))
    lights = _soft(rng, side, height, float(rng.uniform(0.05, 0.12)), float(rng.uniform(0.5, 0.65)))
    tint = _tint(rng, 1.0)
    return Lighting(
        (*lights, _fill(rng, side, tint)),
        _color(rng.uniform(0.32, 0.44) / tint),
        float(rng.uniform(0.2, 0.5)),
        0.5,
    )


def _lamps(rng: Rng, side: float) -> Lighting:
    """Two lights with shadows of their own, one warmer than the other."""
    lights = []
    for turn, warmth in ((-1.0, 1.0), (1.0, -0.6)):
        azimuth = side + turn * float(rng.uniform(0.4, 0.9))
        height = math.radians(float(rng.uniform(38, 62)))
        tint = np.array([1 + 0.12 * warmth, 1.0, 1 - 0.2 * warmth])
        lights.append(Light(_travel(azimuth, height), _color(rng.uniform(0.3, 0.42) * tint), True))
    ambient = float(rng.uniform(0.3, 0.4))
    return Lighting(tuple(lights), (ambient, ambient, ambient), float(rng.uniform(0.3, 0.6)))


def _spot(rng: Rng, side: float) -> Lighting:
    """A pool of light from a lamp above the group."""
    tint = _tint(rng, 1.5)
    height = math.radians(float(rng.uniform(48, 72)))
    travel = _travel(side, height)
    x, y, z = (-float(rng.uniform(2.2, 3.2)) * v for v in travel)
    cutoff = float(rng.uniform(22, 34))
    spot = Light(travel, _color(rng.uniform(0.65, 0.9) * tint), True, (x, y, z), cutoff)
    ambient = float(rng.uniform(0.24, 0.36))
    return Lighting((spot, _fill(rng, side, tint)), (ambient, ambient, ambient), 0.5)


_KINDS = {
    "sun": _sun,
    "low sun": _low_sun,
    "overcast": _overcast,
    "window": _window,
    "lamps": _lamps,
    "spot": _spot,
}


def _fill(rng: Rng, side: float, tint: Float) -> Light:
    """A weak light from the other side, without shadow."""
    turn = float(rng.uniform(1.6, 2.6)) * float(rng.choice([-1, 1]))
    return Light(_travel(side + turn, 0.6), _color(rng.uniform(0.12, 0.26) / tint), False)


def _tint(rng: Rng, strength: float) -> Float:
    warmth = float(rng.uniform(-1, 1)) * strength
    return np.array([1 + 0.05 * warmth, 1.0, 1 - 0.09 * warmth])


def _travel(azimuth: float, elevation: float) -> Vector:
    """Direction of travel of light that comes from (azimuth, elevation)."""
    flat = math.cos(elevation)
    return (-flat * math.cos(azimuth), -flat * math.sin(azimuth), -math.sin(elevation))


def _color(values: Float) -> Color:
    r, g, b = (float(v) for v in np.clip(values, 0, 1))
    return (r, g, b)
