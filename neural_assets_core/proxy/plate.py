"""The plate: a view without the objects that left it, and without the shadows they threw."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.proxy.background import fill_holes
from neural_assets_core.proxy.filling import fill_texture
from neural_assets_core.proxy.objects import CARVER, Lifter
from neural_assets_core.proxy.sampling import around, grown, grown_mask
from neural_assets_core.proxy.shadows import Light, cast_shadows
from neural_assets_core.scene import Appearance, Background, Picture, View

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

Fill = Callable[[Pixels, Mask, Mask, Camera, Mask], Pixels]
"""Fills a picture's hole: see `fill_texture`, which is one."""

CERTAIN = 0.18
"""Certainty of a light whose shadows are drawn; doubtful ones are only reported."""

KEPT_PIXELS = 2_000_000
"""Of the largest picture whose unmoved part is remembered."""

EDGE = 0.015
"""How well the edge of what casts a shadow is known, in sides of the picture."""

BRIGHTER = 0.05
"""Natural logarithm of a gain under which nothing was freed of a shadow; twice that is enough."""

SOFT = 0.012
"""Over how much of the picture's side brightness is averaged for that."""

SHADED = 0.12
"""Share of the light that is missing where the ground counts as in shadow."""


def fill_smoothly(
    picture: Pixels, hole: Mask, known: Mask, camera: Camera, plain: Mask
) -> Pixels:
    """A `Fill` without texture, in a small part of the time: for the many samples of a training."""
    return fill_holes(picture, hole, ~known)


def clean_plate(
    background: Background,
    hidden: frozenset[Appearance],
    moved: frozenset[Appearance],
    light: Light | None,
    lifter: Lifter,
    fill: Fill = fill_texture,
) -> View:
    """The background's view without some of its objects.

    Parameters
    ----------
    background : Background
    hidden : frozenset of Appearance
        Occluders that are filled over.
    moved : frozenset of Appearance
        Those of them whose shadows go, too.
    light : Light or None
        What throws them, if it is known.
    lifter : Lifter
        Knows what throws the shadows.
    fill : callable
    """
    if not hidden:
        return background.view
    small = background.view.camera.width * background.view.camera.height <= KEPT_PIXELS
    make = _kept_plate if small else _kept_plate.__wrapped__
    # Remembered without keeping the lifter, and the network in it, alive.
    return make(background, hidden, moved, light, weakref.ref(lifter), fill)


@lru_cache(maxsize=4)
def _kept_plate(
    background: Background,
    hidden: frozenset[Appearance],
    moved: frozenset[Appearance],
    light: Light | None,
    owner: weakref.ref[Lifter],
    fill: Fill,
) -> View:
    lifter = owner()
    assert lifter is not None
    view = background.view
    picture = view.picture.pixels
    height, width = picture.shape[:2]
    hole, standing = np.zeros((2, height, width), dtype=bool)
    for occluder in background.occluders:
        place = hole if occluder in hidden else standing
        place |= grown_mask(occluder, width, height) > 64
    known = ~(hole | standing)
    plain, freed = known, np.zeros_like(known)
    if light is not None and light.certainty >= CERTAIN:
        casters = [(one.box, one) for one in background.occluders]
        still = [caster for caster in casters if caster[1] not in moved]
        gone = [caster for caster in casters if caster[1] in moved]
        edge = max(1.0, EDGE * max(width, height))
        dark = cast_shadows(view.camera, still, light, CARVER) > SHADED
        freed = cast_shadows(view.camera, gone, light, lifter) > SHADED
        # Filled anew rather than lit again: where the light was misjudged, that leaves no stains.
        # How far shadows reach exactly is not known; but another's shadow stays.
        freed = known & grown(freed, edge) & grown(~dark, edge)
        hole |= freed
        known &= ~hole
        plain = known & ~dark
    filled = fill(picture, hole, known, view.camera, plain)
    if freed.any():
        filled = _where_brighter(filled, picture, freed)
    return View(picture=Picture(filled), camera=view.camera)


def _where_brighter(filled: Pixels, picture: Pixels, freed: Mask) -> Pixels:
    """A filled picture; of what is `freed` (h, w) of a shadow, only where that made it brighter.

    Where it did not, there was no shadow.
    """
    soft = max(1.0, SOFT * max(freed.shape))
    at = around(freed, 4 * soft)
    pair = filled[at].astype(np.float32), picture[at].astype(np.float32)
    after, before = (np.log(one.mean(axis=-1) + np.float32(4.0)) for one in pair)
    gain = np.asarray(cv2.GaussianBlur(after - before, (0, 0), soft))
    share = np.where(freed[at], np.clip(gain / BRIGHTER - 1.0, 0.0, 1.0), 1.0)[..., None]
    out = filled.copy()
    out[at] = np.round(share * pair[0] + (1.0 - share) * pair[1])
    return out
