"""Skies with clouds and horizons of hills, trees or houses, as the faces of a cube."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Color

Image = NDArray[np.uint8]
Rng = np.random.Generator

FACE = 96
"""Pixels along a face of the cube."""
_WIDTH, _HEIGHT = 512, 192
"""Of the panorama: once around, and from a little below the horizon up to the zenith."""
_LOWEST = -0.12
"""Sine of the lowest elevation in the panorama."""

SKIES: tuple[tuple[Color, Color], ...] = (
    ((0.30, 0.52, 0.84), (0.82, 0.90, 0.97)),
    ((0.45, 0.66, 0.90), (0.95, 0.93, 0.88)),
    ((0.62, 0.70, 0.80), (0.88, 0.90, 0.92)),
    ((0.42, 0.45, 0.68), (0.97, 0.78, 0.62)),
    ((0.75, 0.78, 0.80), (0.93, 0.93, 0.92)),
    ((0.55, 0.75, 0.78), (0.92, 0.96, 0.92)),
)


def make_sky(rng: Rng) -> Image:
    """A random sky, (6 * FACE, FACE, 3) uint8: its faces in the order of the renderer."""
    top, bottom = SKIES[int(rng.integers(len(SKIES)))]
    sine = np.linspace(1, _LOWEST, _HEIGHT)[:, None] * np.ones((1, _WIDTH))
    share = np.clip(sine, 0, 1)[..., None] ** 0.7
    out = np.asarray(bottom) * (1 - share) + np.asarray(top) * share
    if rng.random() < 0.6:
        cloud = cv2.resize(
            t.noise(rng, 128, 4, 5), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        cover = np.clip((cloud - float(rng.uniform(-0.1, 0.3))) * 2.2, 0, 0.85)
        cover = cover * np.clip(sine * 5, 0, 1)
        out = out * (1 - cover[..., None]) + cover[..., None] * np.array([0.97, 0.97, 0.98])
    kind = int(rng.integers(4))
    if kind == 1:
        _hills(rng, out, sine, bottom)
    elif kind == 2:
        _trees(rng, out, sine)
    elif kind == 3:
        _houses(rng, out, sine, bottom)
    panorama = (np.clip(out, 0, 1) * 255).astype(np.float32)
    x, y = _directions()
    faces = cv2.remap(panorama, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(faces, dtype=np.uint8)


def _around(rng: Rng, waves: int) -> NDArray[np.float64]:
    """(width,) a periodic random outline of about [-1, 1]."""
    angle = np.linspace(0, 2 * np.pi, _WIDTH, endpoint=False)
    orders = np.arange(1, waves + 1)
    phase = rng.uniform(0, 2 * np.pi, waves)
    weight = rng.uniform(0.3, 1, waves) / np.sqrt(orders)
    return np.asarray(
        (weight[:, None] * np.sin(orders[:, None] * angle + phase[:, None])).sum(0) / 2
    )


def _hills(rng: Rng, out: NDArray[np.float64], sine: NDArray[np.float64], haze: Color) -> None:
    tone = np.asarray(t.pick(rng, ((0.3, 0.42, 0.3), (0.42, 0.45, 0.55), (0.55, 0.45, 0.35))))
    for k in range(3):
        ridge = 0.16 - 0.05 * k + (0.07 - 0.015 * k) * _around(rng, 9)
        fade = 0.7 - 0.3 * k
        out[sine < ridge] = tone * (1 - fade) + np.asarray(haze) * fade


def _trees(rng: Rng, out: NDArray[np.float64], sine: NDArray[np.float64]) -> None:
    green = np.asarray(t.pick(rng, ((0.2, 0.34, 0.16), (0.3, 0.4, 0.2), (0.45, 0.38, 0.18))))
    for k in range(2):
        line = 0.15 - 0.05 * k + 0.03 * _around(rng, 12) + 0.025 * np.abs(_around(rng, 70))
        mottled = 1 + 0.35 * t.noise(rng, _WIDTH, 48, 2)[:_HEIGHT]
        body = (green * (1.25 - 0.4 * k)) * mottled[..., None]
        mask = sine < line
        out[mask] = body[mask]


def _houses(rng: Rng, out: NDArray[np.float64], sine: NDArray[np.float64], haze: Color) -> None:
    left = 0
    while left < _WIDTH:
        width = int(rng.integers(14, 44))
        top = float(rng.uniform(0.08, 0.32))
        tone = np.asarray(t.pick(rng, t.NEUTRALS + ((0.6, 0.38, 0.3), (0.75, 0.62, 0.45))))
        front = tone * 0.6 + np.asarray(haze) * 0.4
        rows = np.flatnonzero(sine[:, 0] < top)
        out[rows[:, None], np.arange(left, min(left + width, _WIDTH))] = front
        for row in rows[3:-2:6]:
            for column in range(left + 3, min(left + width - 3, _WIDTH), 6):
                out[row : row + 3, column : column + 3] = front * float(rng.choice([0.5, 0.7, 1.3]))
        left += width + int(rng.integers(0, 6))


@lru_cache(maxsize=1)
def _directions() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Panorama positions (6 * FACE, FACE) of all pixels of the cube's faces."""
    at = (np.arange(FACE) + 0.5) / FACE * 2 - 1
    u, v = np.meshgrid(at, at)
    one = np.ones_like(u)
    # As OpenGL has it, in the renderer's y-up frame: (x, y, z) there is (x, z, -y) in the world.
    faces = [
        (one, -v, -u),
        (-one, -v, u),
        (u, one, v),
        (u, -one, -v),
        (u, -v, one),
        (-u, -v, -one),
    ]
    x, y, z = (np.concatenate([face[k] for face in faces]) for k in range(3))
    world = np.stack([x, -z, y])
    sine = world[2] / np.linalg.norm(world, axis=0)
    azimuth = np.arctan2(world[1], world[0])
    column = (azimuth / (2 * np.pi) % 1) * (_WIDTH - 1)
    row = (1 - sine) / (1 - _LOWEST) * (_HEIGHT - 1)
    return column.astype(np.float32), row.astype(np.float32)
