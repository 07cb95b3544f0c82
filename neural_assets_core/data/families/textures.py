"""Procedural textures and curated colours; every texture is (H, W, 3) uint8, tileable or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neural_assets_core.data.families.parts import Color, Material

Image = NDArray[np.uint8]
Rng = np.random.Generator

PAINTS: tuple[Color, ...] = (
    (0.80, 0.16, 0.14),
    (0.90, 0.42, 0.14),
    (0.95, 0.73, 0.20),
    (0.33, 0.60, 0.29),
    (0.12, 0.46, 0.44),
    (0.16, 0.40, 0.70),
    (0.42, 0.30, 0.62),
    (0.88, 0.47, 0.56),
    (0.93, 0.90, 0.83),
    (0.25, 0.27, 0.31),
    (0.60, 0.80, 0.70),
    (0.54, 0.74, 0.87),
    (0.72, 0.36, 0.25),
    (0.55, 0.60, 0.30),
    (0.62, 0.12, 0.28),
)
"""Saturated household paints and plastics."""

NEUTRALS: tuple[Color, ...] = (
    (0.90, 0.89, 0.86),
    (0.72, 0.73, 0.75),
    (0.45, 0.46, 0.48),
    (0.22, 0.23, 0.25),
    (0.80, 0.74, 0.64),
)

WOODS: tuple[Color, ...] = (
    (0.78, 0.58, 0.36),
    (0.62, 0.42, 0.25),
    (0.45, 0.29, 0.18),
    (0.85, 0.70, 0.50),
    (0.55, 0.47, 0.38),
)


def pick(rng: Rng, palette: Sequence[Color], jitter: float = 0.05) -> Color:
    """A palette colour with a little individual variation."""
    base = np.asarray(palette[int(rng.integers(len(palette)))])
    varied = base * rng.uniform(1 - 2 * jitter, 1 + jitter) + rng.uniform(-jitter, jitter, 3) * 0.6
    r, g, b = np.clip(varied, 0.05, 0.95)
    return (float(r), float(g), float(b))


def shade(color: Color, factor: float) -> Color:
    """A darker (factor < 1) or lighter (factor > 1, towards white) version."""
    c = np.asarray(color)
    r, g, b = c * factor if factor <= 1 else 1 - (1 - c) / factor
    return (float(r), float(g), float(b))


def two_paints(rng: Rng) -> tuple[Color, Color]:
    """Two clearly different paints."""
    first = pick(rng, PAINTS)
    for _ in range(20):
        second = pick(rng, PAINTS + NEUTRALS)
        if np.abs(np.subtract(first, second)).sum() > 0.7:
            break
    return first, second


def as_bytes(color: Color) -> tuple[int, int, int]:
    """A colour as (r, g, b) in 0..255."""
    r, g, b = (int(255 * c) for c in color)
    return (r, g, b)


def _image(rgb: NDArray[np.float64]) -> Image:
    return np.clip(rgb * 255.0 + 0.5, 0, 255).astype(np.uint8)


def noise(rng: Rng, size: int, cells: int, octaves: int = 4) -> NDArray[np.float64]:
    """(size, size) tileable fractal value noise, mean 0, roughly in [-1, 1]."""
    total = np.zeros((size, size))
    for octave in range(octaves):
        count = min(cells * 2**octave, size)
        grid = rng.uniform(-1, 1, (count, count)).astype(np.float32)
        # Wrapped margins make the enlargement periodic, so that the texture tiles.
        margin = 2
        wide = np.pad(grid, margin, mode="wrap")
        scale = size / count
        full = cv2.resize(
            wide, (round(scale * (count + 2 * margin)),) * 2, interpolation=cv2.INTER_CUBIC
        )
        off = round(scale * margin)
        total += full[off : off + size, off : off + size] * 0.6**octave
    return total / 1.5


def _mix(mask: NDArray[np.float64], a: Color, b: Color) -> NDArray[np.float64]:
    return np.asarray(a) * (1 - mask[..., None]) + np.asarray(b) * mask[..., None]


def _grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(at, at)
    return u, v


def stripes(
    rng: Rng, a: Color, b: Color, size: int = 64, count: int = 4, across: bool = False
) -> Image:
    u, v = _grid(size)
    share = rng.uniform(0.3, 0.6)
    mask = ((v if across else u) * count % 1.0 < share).astype(np.float64)
    return _image(_mix(mask, a, b))


def checker(rng: Rng, a: Color, b: Color, size: int = 64, count: int = 4) -> Image:
    u, v = _grid(size)
    mask = ((np.floor(u * count) + np.floor(v * count)) % 2).astype(np.float64)
    return _image(_mix(mask, a, b) * (1 + 0.04 * noise(rng, size, 4, 2)[..., None]))


def dots(rng: Rng, a: Color, b: Color, size: int = 96, count: int = 4) -> Image:
    u, v = _grid(size)
    row = np.floor(v * count)
    x = (u * count + 0.5 * (row % 2)) % 1.0 - 0.5
    y = v * count % 1.0 - 0.5
    radius = rng.uniform(0.2, 0.34)
    return _image(_mix((np.hypot(x, y) < radius).astype(np.float64), a, b))


def gingham(rng: Rng, a: Color, b: Color, size: int = 64, count: int = 4) -> Image:
    u, v = _grid(size)
    mask = 0.5 * (u * count % 1 < 0.5) + 0.5 * (v * count % 1 < 0.5)
    return _image(_mix(mask, a, b))


def pattern(rng: Rng, a: Color, b: Color, count: int = 4, size: int = 96) -> Image:
    """One of the two-colour patterns."""
    kind = int(rng.integers(5))
    if kind == 0:
        return stripes(rng, a, b, size, count)
    if kind == 1:
        return stripes(rng, a, b, size, count, across=True)
    even = max(2, count // 2 * 2)
    if kind == 2:
        return checker(rng, a, b, size, even)
    if kind == 3:
        return dots(rng, a, b, size, even)
    return gingham(rng, a, b, size, count)


def wood(rng: Rng, color: Color, size: int = 128, rings: float = 5.0) -> Image:
    """Grain along u."""
    _, v = _grid(size)
    bend = noise(rng, size, 2, 3)
    grain = np.sin(2 * np.pi * (v * round(rings) + 0.6 * bend))
    fine = cv2.blur(rng.uniform(-1, 1, (size, size)), (size // 5, 1))
    return _image(np.asarray(color) * (1 + 0.09 * grain + 0.35 * fine)[..., None])


def planks(rng: Rng, color: Color, size: int = 256) -> Image:
    """Floor boards along u with dark joints."""
    out = wood(rng, color, size, rings=14) / 255.0
    rows = int(rng.integers(4, 8))
    edges = np.linspace(0, size, rows + 1).astype(int)
    for top, bottom in pairwise(edges):
        out[top:bottom] *= rng.uniform(0.82, 1.1)
        out[top : top + max(1, size // 128)] *= 0.5
        joint = int(rng.integers(size - 2))
        out[top:bottom, joint : joint + max(1, size // 128)] *= 0.55
    return _image(out)


def tiles(rng: Rng, a: Color, b: Color, size: int = 256) -> Image:
    """Square tiles with grout; every other tile may take the second colour."""
    u, v = _grid(size)
    count = int(rng.choice([2, 4]))
    x, y = u * count % 1, v * count % 1
    two = rng.random() < 0.5
    mask = ((np.floor(u * count) + np.floor(v * count)) % 2) * two
    out = _mix(mask, a, b) * (1 + 0.10 * noise(rng, size, 4, 5)[..., None])
    tone = rng.uniform(0.93, 1.04, (count, count)).repeat(size // count, 0).repeat(size // count, 1)
    out *= tone[..., None]
    grout = (np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) < 0.022)[..., None]
    return _image(np.where(grout, np.asarray(shade(a, 0.6)), out))


def bricks(rng: Rng, color: Color, size: int = 256) -> Image:
    u, v = _grid(size)
    rows, columns = 8, 4
    row = np.floor(v * rows)
    shifted = u * columns + 0.5 * (row % 2)
    x, y = shifted % 1, v * rows % 1
    tone = rng.uniform(0.8, 1.12, (rows, columns))
    out = (
        np.asarray(color)
        * tone[row.astype(int), np.floor(shifted).astype(int) % columns][..., None]
    )
    out = out * (1 + 0.15 * noise(rng, size, 8, 5)[..., None])
    mortar = ((np.minimum(x, 1 - x) < 0.03) | (np.minimum(y, 1 - y) < 0.06))[..., None]
    return _image(np.where(mortar, np.array([0.75, 0.72, 0.68]), out))


def marble(rng: Rng, a: Color, b: Color, size: int = 256) -> Image:
    u, v = _grid(size)
    vein = np.abs(np.sin(np.pi * (u + v) * 2 + 3.5 * noise(rng, size, 3, 5)))
    return _image(
        _mix(np.clip(1 - 2.2 * vein, 0, 0.7), a, b) * (1 + 0.05 * noise(rng, size, 4)[..., None])
    )


def carpet(rng: Rng, color: Color, size: int = 256) -> Image:
    fibre = cv2.GaussianBlur(rng.uniform(-1, 1, (size, size)), (3, 3), 0)
    return _image(np.asarray(color) * (1 + 0.35 * fibre + 0.08 * noise(rng, size, 5))[..., None])


def concrete(rng: Rng, color: Color, size: int = 256) -> Image:
    speck = rng.uniform(-1, 1, (size, size))
    return _image(np.asarray(color) * (1 + 0.13 * noise(rng, size, 3, 6) + 0.05 * speck)[..., None])


def grass(rng: Rng, size: int = 256) -> Image:
    blade = cv2.blur(rng.uniform(-1, 1, (size, size)), (1, 7)) * 2.2
    tone = noise(rng, size, 4, 5)
    base = _mix(np.clip(0.5 + 0.5 * tone, 0, 1), (0.22, 0.42, 0.14), (0.45, 0.60, 0.24))
    return _image(base * (1 + 0.28 * blade)[..., None])


def sand(rng: Rng, color: Color, size: int = 256) -> Image:
    """Ripples and grains."""
    _, v = _grid(size)
    ripple = np.sin(2 * np.pi * (v * 10 + 0.9 * noise(rng, size, 3, 3)))
    grain = rng.uniform(-1, 1, (size, size))
    tone = 1 + 0.06 * ripple + 0.09 * grain + 0.08 * noise(rng, size, 3, 4)
    return _image(np.asarray(color) * tone[..., None])


def gravel(rng: Rng, color: Color, size: int = 192) -> Image:
    """Pebbles in several tones."""
    near, next_ = _cells(rng, size, 14)
    tone = (1.25 - 0.5 * near) * np.clip(3.5 * (next_ - near), 0.35, 1)
    stones = rng.uniform(-1, 1, (28, 28, 1)) * 0.3 + rng.uniform(-1, 1, (28, 28, 3)) * 0.05
    tint = 1 + cv2.resize(stones, (size, size))
    return _image(np.asarray(color) * tone[..., None] * tint)


def grain(rng: Rng, size: int = 128) -> Image:
    """Grey fine detail for plain surfaces: brushed, speckled, scuffed, hammered or knitted."""
    kind = int(rng.integers(5))
    speck = rng.uniform(-1, 1, (size, size))
    if kind == 0:
        tone = 0.9 + 0.5 * cv2.blur(speck, (size // 4, 1))
    elif kind == 1:
        tone = np.where(speck > 0.86, float(rng.choice([0.55, 1.2])), 0.93)
    elif kind == 2:
        tone = np.where(noise(rng, size, 6, 5) > 0.42, 0.72, 0.95) + 0.03 * speck
    elif kind == 3:
        tone = 1.05 - 0.28 * _cells(rng, size, 10)[0]
    else:
        u, v = _grid(size)
        tone = 0.9 + 0.12 * np.sin(2 * np.pi * (20 * u + 2 * np.abs(v * 10 % 1 - 0.5)))
    return _image(np.repeat(tone[..., None], 3, axis=2))


def fabric(rng: Rng, color: Color, size: int = 64) -> Image:
    """Woven cloth."""
    u, v = _grid(size)
    weave = np.sin(2 * np.pi * 16 * u) * np.sin(2 * np.pi * 16 * v)
    return _image(np.asarray(color) * (1 + 0.10 * weave + 0.10 * noise(rng, size, 4, 4))[..., None])


def label(
    rng: Rng, ground: Color, ink: Color, text: str, size: tuple[int, int] = (128, 96)
) -> Image:
    """A printed label: border, a word and an emblem. `size` is (width, height)."""
    width, height = size
    out = np.empty((height, width, 3), dtype=np.uint8)
    out[:] = _image(np.asarray(ground))
    paint = tuple(int(255 * c) for c in ink)
    cv2.rectangle(out, (3, 3), (width - 4, height - 4), paint, 3)
    scale = (
        0.88 * width / max(1, cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)[0][0]) * 0.95
    )
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
    at = ((width - w) // 2, int(height * 0.36 + h / 2))
    cv2.putText(out, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, paint, 2, cv2.LINE_AA)
    emblem(rng, out, (width // 2, int(height * 0.74)), int(0.16 * height), paint)
    return out


def emblem(rng: Rng, out: Image, at: tuple[int, int], radius: int, paint: tuple[int, ...]) -> None:
    """Draw a disc, a star or a leaf-like ellipse in place."""
    kind = int(rng.integers(3))
    if kind == 0:
        cv2.circle(out, at, radius, paint, -1, cv2.LINE_AA)
    elif kind == 1:
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        reach = np.where(np.arange(10) % 2 == 0, 1.0, 0.45) * radius
        star = np.stack([at[0] + reach * np.cos(angle), at[1] + reach * np.sin(angle)], axis=1)
        cv2.fillPoly(out, [star.astype(np.int32)], paint, cv2.LINE_AA)
    else:
        cv2.ellipse(out, at, (radius * 2, radius), 20, 0, 360, paint, -1, cv2.LINE_AA)


def screen(rng: Rng, size: tuple[int, int] = (160, 100)) -> Image:
    """A desktop with windows, or a landscape photograph."""
    width, height = size
    top, bottom = two_paints(rng)
    ramp = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
    out = _image(_mix(ramp, shade(top, 1.3), shade(bottom, 0.8)))
    if rng.random() < 0.5:
        x = np.arange(width)
        for k, tone in enumerate((0.75, 0.5)):
            ridge = height * (0.5 + 0.18 * k) + height * 0.12 * np.sin(
                x * rng.uniform(0.03, 0.08) + k * 2
            )
            rows = np.arange(height)[:, None]
            out[rows >= ridge[None]] = _image(np.asarray(shade(bottom, tone)))
        cv2.circle(
            out, (int(width * rng.uniform(0.2, 0.8)), height // 4), height // 9, (255, 244, 200), -1
        )
    else:
        for _ in range(2):
            x0, y0 = int(rng.integers(4, width // 2)), int(rng.integers(4, height // 2))
            x1, y1 = x0 + width // 2 - 6, y0 + height // 2 - 8
            cv2.rectangle(out, (x0, y0), (x1, y1), (245, 245, 245), -1)
            cv2.rectangle(out, (x0, y0), (x1, y0 + 9), as_bytes(pick(rng, PAINTS)), -1)
            for line in range(y0 + 16, y1 - 4, 8):
                end = x0 + 6 + int(rng.integers(20, width // 2 - 16))
                cv2.line(out, (x0 + 6, line), (end, line), (120, 125, 135), 2)
    cv2.rectangle(out, (0, height - 8), (width, height), (40, 44, 52), -1)
    return out


def leaf(rng: Rng, color: Color, size: int = 64) -> Image:
    """A leaf along v: midrib, side veins, paler towards the rim."""
    u, v = _grid(size)
    off = np.abs(u - 0.5)
    veins = np.abs(np.sin(np.pi * 9 * (v - 0.8 * off))) < 0.12
    tone = 1 + 0.5 * off + 0.2 * noise(rng, size, 4, 4)
    out = np.asarray(color) * tone[..., None]
    rib = (veins | (off < 0.035))[..., None]
    return _image(np.where(rib, np.asarray(shade(color, 1.35)), out))


def icing(rng: Rng, ground: Color, drip: Color, size: int = 128) -> Image:
    """Frosting with drips from above (v = 0 is the bottom) and sprinkles."""
    u, v = _grid(size)
    waves = sum(np.sin(2 * np.pi * (k * u + rng.random())) / k for k in (5, 9, 13))
    out = _mix((v < 0.4 + 0.1 * np.asarray(waves)).astype(np.float64), ground, drip)
    image = _image(out)
    for _ in range(60):
        x, y = rng.integers(0, size, 2)
        end = (int(x + rng.integers(-3, 4)), int(y + rng.integers(-3, 4)))
        cv2.line(image, (int(x), int(y)), end, as_bytes(pick(rng, PAINTS)), 2, cv2.LINE_AA)
    return image


def _cells(rng: Rng, size: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances (size, size) to the nearest and to the second nearest of `count`^2 points."""
    corner = np.stack(np.meshgrid(*[np.arange(count)] * 2), -1)
    points = (corner + rng.uniform(0.15, 0.85, (count, count, 2))) / count
    tree = cKDTree(points.reshape(-1, 2), boxsize=1.0)  # it tiles
    near = tree.query(np.stack(_grid(size), -1), k=2)[0] * count
    return near[..., 0], near[..., 1]


def scales(rng: Rng, color: Color, size: int = 96) -> Image:
    """Irregular plates with dark seams and pale centres."""
    near, next_ = _cells(rng, size, 5)
    tone = np.clip(1.5 - 1.1 * near, 0.5, 1.5) + 0.15 * noise(rng, size, 6, 4)
    out = np.asarray(color) * tone[..., None]
    return _image(np.where((next_ - near < 0.09)[..., None], np.asarray(shade(color, 0.35)), out))


def feathers(rng: Rng, color: Color, size: int = 96) -> Image:
    """Rows of overlapping rounded feathers."""
    u, v = _grid(size)
    rows = 10
    row = np.floor(v * rows)
    x = (u * 8 + 0.5 * (row % 2)) % 1 - 0.5
    y = v * rows % 1
    tone = 0.72 + 0.5 * y - 0.9 * x**2 + 0.12 * noise(rng, size, 8, 3)
    return _image(np.asarray(color) * tone[..., None])


def keyboard(keys: Color, gap: Color, columns: int = 12, rows: int = 5, cell: int = 12) -> Image:
    out = np.empty((rows * cell, columns * cell, 3), dtype=np.uint8)
    out[:] = _image(np.asarray(gap))
    for r in range(rows):
        for c in range(columns):
            out[r * cell + 2 : (r + 1) * cell - 1, c * cell + 2 : (c + 1) * cell - 1] = _image(
                np.asarray(keys)
            )
    return out


# -- materials -------------------------------------------------------------------------------


def plastic(color: Color, texture: Image | None = None) -> Material:
    return Material(color if texture is None else (1, 1, 1), texture, 0.35, 0.5)


def glossy(color: Color, texture: Image | None = None) -> Material:
    return Material(color if texture is None else (1, 1, 1), texture, 0.9, 0.8)


def matte(color: Color, texture: Image | None = None) -> Material:
    return Material(color if texture is None else (1, 1, 1), texture, 0.05, 0.1)


def metal(color: Color) -> Material:
    return Material(color, None, 0.7, 0.7)


def wooden(rng: Rng, color: Color | None = None) -> Material:
    return matte((1, 1, 1), wood(rng, color if color is not None else pick(rng, WOODS)))


RUBBER = Material((0.09, 0.09, 0.10), None, 0.15, 0.2)
GLASS = Material((0.16, 0.22, 0.28), None, 0.9, 0.9)
CHROME = Material((0.75, 0.76, 0.78), None, 0.9, 0.8)
BLACK = Material((0.07, 0.07, 0.08), None, 0.5, 0.6)
WHITE = Material((0.93, 0.92, 0.90), None, 0.3, 0.5)
GOLD = Material((0.83, 0.63, 0.22), None, 0.9, 0.85)
