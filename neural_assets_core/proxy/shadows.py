"""Shadows on the ground: finding the light in a picture, and moving shadows with their objects.

The light is one direction, as the sun's. It is the one whose shadows, cast by the objects where
they stand in the source view, explain best where its ground is darker than around, and where it
gets darker at an edge: a pattern of the ground may do the one or the other, hardly both. Ground
that gains a shadow is then darkened by as much as the source's own shadows are, ground that loses
one is brightened by the same: its texture stays.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR
from neural_assets_core.proxy.objects import Lifter
from neural_assets_core.proxy.sampling import appearance_mask, grown
from neural_assets_core.scene import Appearance, Background

F32 = NDArray[np.float32]
Caster = tuple[Box, Appearance]

LARGEST = 256
"""Pixels a side of the largest picture that shadows are cast in."""

SIDE = 112
"""Pixels of the picture in which the light is sought."""

GRID = 12
"""Points an axis that stand for an object there."""

MOST_POINTS = 800
MOST_CASTERS = 8
"""Objects whose shadows the light is sought by: the shape of each may be a network's work."""

NEIGHBOURHOOD = 25
"""Side in pixels of what "around" means."""

EDGE = 0.08
"""Step of the logarithm of brightness from pixel to pixel from which on an edge is just an edge:
that of a dark tile counts no more than a shadow's."""

DIRECTIONS = tuple(range(0, 360, 15)), (18, 24, 32, 41, 51, 62, 74)
"""Azimuths and elevations of lights, degrees, that are tried first."""

EVIDENCE = 0.14
"""Least certainty of a light that is worth a guess."""

FEWEST_PIXELS = 190
DARKEST = 0.25
"""Least brightness in a shadow, relative to the light."""

REACH = 4.0
"""Shadows are followed this many heights of the box."""


@dataclass(frozen=True)
class Light:
    """A light like the sun.

    Attributes
    ----------
    direction : tuple of 3 float
        Unit vector towards the light, world.
    ratio : tuple of 3 float
        Brightness (r, g, b) of ground in its shadow, relative to lit ground.
    certainty : float
        Correlation, up to 1, of its shadows with the picture's dark spots, and of their edges with
        the picture's: the mean of both.
    """

    direction: tuple[float, float, float]
    ratio: tuple[float, float, float]
    certainty: float


def cast_shadows(
    camera: Camera, casters: Iterable[Caster], light: Light, lifter: Lifter
) -> F32:
    """(height, width) how much of the light the ground z = 0 misses, in [0, 1]."""
    size = (camera.width, camera.height)
    shrink = LARGEST / max(size)
    if shrink < 1.0:
        # Shadows are soft anyway, and large pictures have many pixels.
        small = camera.resized(*(max(1, round(side * shrink)) for side in size))
        missed = cast_shadows(small, casters, light, lifter)
        return np.asarray(cv2.resize(missed, size, interpolation=cv2.INTER_LINEAR))
    lit = np.ones((camera.height, camera.width), dtype=np.float32)
    ground, on_ground = _ground_points(camera)
    toward = np.asarray(light.direction)
    for box, appearance in casters:
        rows, columns = _shadow_rect(camera, box, toward)
        inside = on_ground[rows, columns]
        if not inside.any():
            continue
        points = ground[rows, columns][inside]
        entry, leave, hit = _through_box(box, points, toward)
        taken = np.zeros(len(points), dtype=np.float32)
        if hit.any():
            taken[hit] = lifter.coverage(appearance, entry[hit], leave[hit])
        lit[rows, columns][inside] *= 1.0 - np.clip(taken, 0.0, 1.0)
    return 1.0 - lit


def shaded(picture: NDArray[np.uint8], light: Light, change: F32) -> NDArray[np.uint8]:
    """A picture (h, w, 3) whose shadows grew by `change` (h, w), negative where they went."""
    changed = np.flatnonzero(np.abs(change) > 0.01)
    out = picture.copy()
    flat, steps = out.reshape(-1, 3), np.log(np.asarray(light.ratio, dtype=np.float32))
    factor = np.exp(change.reshape(-1)[changed, None] * steps)
    factor *= flat.take(changed, axis=0)
    np.rint(factor, out=factor)
    flat[changed] = np.clip(factor, 0, 255, out=factor)
    return out


def find_light(background: Background, lifter: Lifter) -> Light | None:
    """The light that casts the shadows of a view's objects; None if there is no telling."""
    # Remembered without keeping the lifter, and the network in it, alive.
    return _found_light(background, weakref.ref(lifter))


@lru_cache(maxsize=16)
def _found_light(background: Background, owner: weakref.ref[Lifter]) -> Light | None:
    lifter = owner()
    assert lifter is not None
    view = background.view
    shrink = SIDE / max(view.camera.width, view.camera.height)
    size = (max(8, round(view.camera.width * shrink)), max(8, round(view.camera.height * shrink)))
    camera = view.camera.resized(*size)
    # The largest throw the largest shadows.
    largest = sorted(background.occluders, key=lambda one: -math.prod(one.box.size))[:MOST_CASTERS]
    points = [_occupied(occluder, lifter) for occluder in largest]
    if not points:
        return None
    cloud = np.concatenate(points)
    cloud = cloud[:: 1 + len(cloud) // MOST_POINTS]
    valid = _open_ground(background, camera)
    if valid.sum() < FEWEST_PIXELS or len(cloud) == 0:
        return None
    small = np.asarray(cv2.resize(view.picture.pixels, size, interpolation=cv2.INTER_AREA))
    logs = np.log(small.astype(np.float32) + 4.0)
    ground = _Ground.of(logs.mean(axis=2), valid)
    best, certainty = (0.0, 0.0), 0.0
    azimuths, elevations = np.meshgrid(*(np.radians(angles) for angles in DIRECTIONS))
    for spread in (None, 5.0, 2.0):
        if spread is not None:
            steps = np.radians(spread) * np.array([-1.0, 0.0, 1.0])
            azimuths, elevations = np.meshgrid(best[0] + steps, best[1] + 0.7 * steps)
        for azimuth, elevation in zip(azimuths.ravel(), elevations.ravel(), strict=True):
            if not np.radians(12) < elevation < np.radians(86):
                continue
            found = ground.agrees(_splatted(cloud, _unit(azimuth, elevation), camera))
            if found > certainty:
                best, certainty = (float(azimuth), float(elevation)), found
    if certainty < EVIDENCE:
        return None
    direction = _unit(*best)
    spots = ground.local(_splatted(cloud, direction, camera))
    slopes = [
        float((spots * ground.local(logs[..., c])).sum() / (spots * spots).sum())
        for c in range(3)
    ]
    ratio = np.clip(np.exp(slopes), DARKEST, 1.0)
    x, y, z = (float(v) for v in direction)
    r, g, b = (float(v) for v in ratio)
    return Light((x, y, z), (r, g, b), certainty)


@dataclass(frozen=True, eq=False)
class _Ground:
    """What the open ground of a small picture says about shadows; arrays (h, w[, 2]).

    Attributes
    ----------
    weight : float32
        1 where the ground counts.
    around : float32
        Share of the neighbourhood that counts.
    inner : float32
        1 where its edges count.
    dark : float32
        How much brighter it is than around, natural logarithm.
    edges : float32
        Steps of that to the right and down, see `EDGE`.
    """

    weight: F32
    around: F32
    inner: F32
    dark: F32
    edges: F32

    @classmethod
    def of(cls, logs: F32, valid: NDArray[np.bool_]) -> _Ground:
        """From the logarithm of brightness, and where the ground counts."""
        weight = valid.astype(np.float32)
        inner = np.asarray(cv2.erode(weight, np.ones((3, 3))))[..., None]
        around = _mean(weight) + np.float32(1e-4)
        steps = _steps(logs) * inner
        edges = steps / (np.linalg.norm(steps, axis=-1, keepdims=True) + np.float32(EDGE))
        return cls(weight, around, inner, _local(logs, weight, around), edges)

    def local(self, values: F32) -> F32:
        """Values (h, w) less their surroundings' mean; zero where they do not count."""
        return _local(values, self.weight, self.around)

    def agrees(self, shadows: F32) -> float:
        """How well shadows (h, w), 1 inside, explain the ground: see `Light.certainty`."""
        spots, edges = self.local(shadows), _steps(shadows) * self.inner
        if float((spots * spots).sum()) < 1.0:
            return 0.0
        return -0.5 * (_correlation(spots, self.dark) + _correlation(edges, self.edges))


def _correlation(one: F32, other: F32) -> float:
    both = math.sqrt(float((one * one).sum()) * float((other * other).sum()))
    return float((one * other).sum()) / max(both, 1e-6)


def _steps(values: F32) -> F32:
    """(h, w, 2) change of values (h, w) from pixel to pixel, to the right and down."""
    return np.stack(
        [cv2.Sobel(values, cv2.CV_32F, *order, ksize=3) / 8 for order in ((1, 0), (0, 1))], axis=-1
    )


def _unit(azimuth: float, elevation: float) -> Float:
    flat = np.cos(elevation)
    return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def _local(values: F32, weight: F32, around: F32) -> F32:
    """Values less their surroundings' mean; zero where they do not count."""
    return np.asarray((values - _mean(values * weight) / around) * weight, dtype=np.float32)


def _mean(values: F32) -> F32:
    return np.asarray(cv2.blur(values, (NEIGHBOURHOOD, NEIGHBOURHOOD)), dtype=np.float32)


def _occupied(appearance: Appearance, lifter: Lifter) -> Float:
    """World points (n, 3) inside an object."""
    steps = (np.arange(GRID) + 0.5) / GRID * 2.0 - 1.0
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    half = np.array([0.0, 0.0, 1.0 / GRID])
    solid = lifter.coverage(appearance, grid - half, grid + half) > 0.5
    return np.asarray(appearance.box.to_world(grid[solid]))


def _open_ground(background: Background, camera: Camera) -> NDArray[np.bool_]:
    """Ground near the objects that none of them hides."""
    ground, valid = _ground_points(camera)
    hidden = np.zeros(valid.shape, dtype=bool)
    near = np.zeros(valid.shape, dtype=bool)
    for occluder in background.occluders:
        mask = cv2.resize(
            appearance_mask(occluder), valid.shape[::-1], interpolation=cv2.INTER_AREA
        )
        hidden |= np.asarray(mask) > 8
        offset = ground[..., :2] - np.asarray(occluder.box.center)[:2]
        near |= np.hypot(offset[..., 0], offset[..., 1]) < 2.5 * max(occluder.box.size)
    return valid & near & ~grown(hidden, 1.0)


def _splatted(cloud: Float, toward: Float, camera: Camera) -> F32:
    """(h, w) where the shadows of points fall, about 1 inside."""
    fallen = cloud - (cloud[:, 2:] / toward[2]) * toward
    u, v, depth = camera.project(fallen).T
    with np.errstate(invalid="ignore"):
        kept = (depth > NEAR) & (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    canvas = np.zeros((camera.height, camera.width), dtype=np.float32)
    canvas[v[kept].astype(np.intp), u[kept].astype(np.intp)] = 1.0
    return np.asarray(cv2.GaussianBlur(cv2.dilate(canvas, np.ones((3, 3))), (3, 3), 0.7))


@lru_cache(maxsize=4)
def _ground_points(camera: Camera) -> tuple[Float, NDArray[np.bool_]]:
    """(h, w, 3) where each pixel's ray meets the ground, and (h, w) whether it does; shared."""
    origin, directions = camera.rays(camera.pixel_centers())
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -origin[2] / directions[..., 2]
    meets = (reach > NEAR) & (reach < 100.0)
    return origin + np.where(meets, reach, 0.0)[..., None] * directions, meets


def _shadow_rect(camera: Camera, box: Box, toward: Float) -> tuple[slice, slice]:
    """Rows and columns that the box's shadow can fall on."""
    corners = box.corners()
    along = corners[:, 2:] / toward[2]
    reach = REACH * max(float(corners[:, 2].max()), 0.0) / max(float(np.hypot(*toward[:2])), 1e-3)
    fallen = corners - np.clip(along, 0.0, reach) * toward
    points = np.concatenate([fallen * [1, 1, 0], corners * [1, 1, 0]])
    projected = camera.project(points)
    if (projected[:, 2] <= NEAR).any():
        return slice(0, camera.height), slice(0, camera.width)
    low = np.floor(projected[:, :2].min(axis=0)).clip(0, [camera.width, camera.height])
    high = np.ceil(projected[:, :2].max(axis=0)).clip(0, [camera.width, camera.height])
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _through_box(
    box: Box, points: Float, toward: Float
) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Where rays from points (n, 3) enter and leave a box, in its own frame, and whether."""
    origin = np.ascontiguousarray(box.to_local(points).T)
    direction = (toward @ box.rotation_matrix() / (0.5 * np.asarray(box.size)))[:, None]
    inverse = 1.0 / np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    # Axis by axis: numpy is slow at so short a last one.
    middle, reach = -origin * inverse, np.abs(inverse)
    enter = np.maximum((middle - reach).max(axis=0), 0.0)
    leave = (middle + reach).min(axis=0)
    return (origin + enter * direction).T, (origin + leave * direction).T, leave > enter
