"""Filling holes with texture: copies of what is around, moved there in large connected pieces.

Every pixel of the hole is copied from a fixed distance away, in the picture or on the ground, and
few such distances are used, so that texture and grain stay whole (Kwatra et al. 2003, He and Sun
2012). Which distances are worth trying, the hole's rim tells: see `shifts`; what rather goes on
along a direction, see `rulings`; which pixel takes which, see `labelling`; how bright the copies
are, see `fitting`. All this is found on a small picture of each hole; the copy has the source's
resolution and grain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.fitting import DARK, MOST_LIGHT, fitted_light, smooth_logarithm
from neural_assets_core.proxy.hole import Hole
from neural_assets_core.proxy.labelling import labelled
from neural_assets_core.proxy.rulings import rulings, unevenness
from neural_assets_core.proxy.sampling import strips
from neural_assets_core.proxy.shifts import (
    FAR,
    applied,
    fillers,
    find_shifts,
    inverted,
    on_ground,
    pixels_of,
    shifted,
)

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Labels = NDArray[np.int16]
Mask = NDArray[np.bool_]

CELLS, MOST_CELLS = 900, 3000
"""Pixels of a small hole, and of the largest, when it is worked on."""

MOST_PIXELS = 37_000
"""Pixels of a hole with what surrounds it."""

HARDLY = 0.7
"""Scale above which a picture is not scaled down at all."""

MARGIN = 1.0
"""How much of the surroundings is searched on each side, in sides of the hole."""

ENOUGH = 2
"""Pixels that may be copied for each of the hole, or more of the picture is searched."""

MOST_HOLES, APART = 8, 0.02
"""Holes that are filled one by one, and how far they are apart then, in sides of the picture."""

MISFIT = 240.0
"""Difference to the rim, summed over the channels, beyond which a copy is no worse."""

ODD = 100.0
"""The same for a copy that is so much brighter or darker than what is around that no light helps.
"""

STRANGE, ROUGHER = 100.0, 2.0
"""Difference to the rim from which on copies are another thing, if it is so many times what the
rim differs from a smooth one: then it is continued smoothly."""

EVEN, UNEVEN, FINE, GRAINY = 30.0, 2.0, 3.0, 10.0
"""Differences along a ruling, levels of brightness, that are none, and what each level more costs;
the same for grain, which would become streaks."""

LEAST_RULED = 0.05
"""Share of a hole that is worth a ruling."""

SOFTNESS, SHARPEST = 1.0, 4
"""Of the steps between copies: pixels, and how often their shares are squared at most."""


@dataclass(frozen=True, eq=False)
class Part:
    """How one hole of a picture is filled.

    Attributes
    ----------
    rect : PixelRect
        Of the picture in which it was found: what the arrays (h, w) cover.
    shifts : tuple of float64 (3, 3)
        From pixels of these arrays to those that are copied there; empty if none suits.
    labels : int16 (h, w)
        Which of them is shown where; -1 where none is.
    light : float32 (h, w, 3)
        What is added to the logarithm of the copies; the logarithm itself if there are none.
    """

    rect: PixelRect
    shifts: tuple[Float, ...]
    labels: Labels
    light: F32

    def enlarged(self, scale: Float) -> Float:
        """(3, 3) from pixels of the arrays to the picture, larger by `scale` (x, y)."""
        height, width = self.labels.shape
        rect = self.rect
        sides = np.array([(rect.right - rect.left) / width, (rect.bottom - rect.top) / height])
        return shifted(rect.left * scale[0], rect.top * scale[1]) @ np.diag([*(sides * scale), 1.0])

    def draw(self, picture: U8, to_picture: Float, rect: PixelRect, out: U8) -> None:
        """Draw what lies in a part of the picture into `out`, which shows that part."""
        shown = _covered(self.labels >= 0, to_picture, rect)
        if shown.empty:
            return
        shape = shown.bottom - shown.top, shown.right - shown.left
        total = np.zeros((*shape, 3), dtype=np.float32)
        weight = np.full((*shape, 1), 1e-12, dtype=np.float32)
        grain = max(1.0, float(to_picture[0, 0]))
        # The larger it is drawn, the sharper, or different textures would show through each other.
        squarings = min(1 + round(math.log2(grain)), SHARPEST)
        back = inverted(to_picture)
        if not self.shifts:
            total, weight = np.exp(_warped(self.light, back, shown)), np.ones_like(weight)
        for label in range(len(self.shifts)):
            own = (self.labels == label).astype(np.float32)
            lit = np.asarray(cv2.GaussianBlur(self.light * own[..., None], (0, 0), SOFTNESS))
            own = np.asarray(cv2.GaussianBlur(own, (0, 0), SOFTNESS))
            here = _covered(own > 0, to_picture, shown)
            if here.empty:
                continue
            shift, how = to_picture @ self.shifts[label] @ back, cv2.INTER_CUBIC
            if grain > 1.0 and np.allclose(shift, shifted(*shift[:2, 2]), atol=1e-9):
                # By whole pixels grain is copied as it is.
                shift, how = shifted(*np.round(shift[:2, 2])), cv2.INTER_NEAREST
            copy = _warped(picture, shift, here, how) + np.float32(DARK)
            share = _warped(own, back, here)[..., None]
            # Its own light, up to its edge: that of the copy beside it may be quite another.
            light = _warped(lit, back, here) / np.maximum(share, 1e-6)
            copy *= np.exp(light)
            for _ in range(squarings):
                share = share * share
            at = _within(here, shown)
            total[at] += copy * share
            weight[at] += share
        total /= weight
        drawn = np.round(total - np.float32(DARK)).clip(0, 255)
        wide = cv2.dilate((self.labels >= 0).astype(np.float32), np.ones((3, 3)))
        mask = _warped(np.asarray(wide), back, shown) > 0.5
        out[_within(shown, rect)][mask] = drawn[mask]

    def lifted(self, lift: F32) -> Part:
        """See `Filling.lifted`."""
        height, width = self.labels.shape
        small = cv2.resize(lift[self.rect.slices], (width, height), interpolation=cv2.INTER_AREA)
        light, all_of_it = self.light.copy(), PixelRect(0, 0, width, height)
        for label in range(len(self.shifts)):
            own = self.labels == label
            light[own] += _warped(np.asarray(small), self.shifts[label], all_of_it)[own]
        return replace(self, light=light)


@dataclass(frozen=True, eq=False)
class Filling:
    """What goes where in the holes of a picture, at any resolution.

    Attributes
    ----------
    size : (int, int)
        Height and width of the picture in which it was found.
    parts : tuple of Part
    """

    size: tuple[int, int]
    parts: tuple[Part, ...]

    def draw(self, picture: U8, rect: PixelRect) -> U8:
        """The filling of a part of the picture (h, w, 3); far from holes, the picture itself."""
        scale = np.array([picture.shape[1] / self.size[1], picture.shape[0] / self.size[0]])
        out = picture[rect.slices].copy()
        for part in self.parts:
            to_picture = part.enlarged(scale)
            for strip in strips(rect):
                part.draw(picture, to_picture, strip, out[_within(strip, rect)])
        return out

    def lifted(self, lift: F32) -> Filling:
        """The same, copied from a picture that is darker by a lift (h, w, 3).

        That has the size of the picture in which the filling was found.
        """
        return replace(self, parts=tuple(part.lifted(lift) for part in self.parts))


def fill_texture(
    picture: U8,
    hole: Mask,
    known: Mask,
    camera: Camera | None = None,
    plain: Mask | None = None,
) -> U8:
    """Fill holes with what repeats itself around them.

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    hole : bool (h, w)
        Pixels to fill; all others stay.
    known : bool (h, w)
        Pixels that the filling goes on from; where the hole is, they do not count.
    camera : Camera, optional
        Of the picture; its ground z = 0 is moved in perspective.
    plain : bool (h, w), optional
        Pixels that may be copied, without shadows say; by default those that are known.

    Returns
    -------
    uint8 (h, w, 3)
        Deterministic.
    """
    if not hole.any():
        return picture
    filling = find_filling(picture, hole, known, camera, plain, ruled=True)
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    out = picture.copy()
    for strip in strips(PixelRect(left, top, left + width, top + height)):
        at = strip.slices
        out[at] = np.where(hole[at][..., None], filling.draw(picture, strip), picture[at])
    return out


def find_filling(
    picture: U8,
    hole: Mask,
    known: Mask,
    camera: Camera | None = None,
    plain: Mask | None = None,
    *,
    sideways: bool = False,
    ruled: bool = False,
) -> Filling:
    """What holes are filled with; see `fill_texture`. The picture may be a small one.

    With `sideways`, all is copied from the same row. What is `ruled` goes on, too: only of a
    picture as large as what will be drawn, for a smaller one hides grain, which is not.
    """
    known = known & ~hole
    plain = known if plain is None else plain & ~hole
    parts = []
    for own in _holes(hole):
        rect = _surroundings(own, plain)
        at = rect.slices
        small = Hole.of(
            picture[at], own[at], known[at], plain[at],
            None if camera is None else _window(camera, rect), _working_size(own[at]),
        )
        parts.append(_filled(small, rect, sideways, ruled))
    return Filling(hole.shape, tuple(parts))


def _holes(hole: Mask) -> Iterator[Mask]:
    """Masks (h, w) of the holes that are filled one by one: those close to each other are one."""
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    if width == 0:
        return
    at = slice(top, top + height), slice(left, left + width)
    scale = min(1.0, 256 / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    own = np.where(hole[at], np.uint8(255), np.uint8(0))
    small = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA)) == 0
    away = np.asarray(cv2.distanceTransform(small.astype(np.uint8), cv2.DIST_L2, 5))
    near = APART * max(hole.shape) * scale
    while True:
        count, parts = cv2.connectedComponents((away <= near / 2).astype(np.uint8))
        if count - 1 <= MOST_HOLES:
            break
        near *= 2
    large = cv2.resize(
        np.asarray(parts, dtype=np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    )
    for number in range(1, count):
        one = np.zeros_like(hole)
        one[at] = hole[at] & (large == number)
        yield one


def _surroundings(hole: Mask, plain: Mask) -> PixelRect:
    """The part of the picture in which one looks for what fills a hole."""
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    margin, enough = round(MARGIN * max(width, height)) + 12, ENOUGH * int(hole.sum())
    while True:
        rect = PixelRect(
            left=max(0, left - margin),
            top=max(0, top - margin),
            right=min(hole.shape[1], left + width + margin),
            bottom=min(hole.shape[0], top + height + margin),
        )
        if margin >= max(hole.shape) or np.count_nonzero(plain[rect.slices]) >= enough:
            return rect
        margin *= 2


def _window(camera: Camera, rect: PixelRect) -> Camera:
    return camera.cropped(rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top)


def _working_size(hole: Mask) -> tuple[int, int]:
    """Width and height at which it is found what fills a hole."""
    height, width = hole.shape
    area = int(hole.sum())
    cells = min(max(CELLS, math.sqrt(area * CELLS / 4)), MOST_CELLS)
    scale = min(math.sqrt(cells / area), math.sqrt(MOST_PIXELS / hole.size))
    if scale > HARDLY:
        return width, height
    return max(1, round(width * scale)), max(1, round(height * scale))


def _filled(hole: Hole, rect: PixelRect, sideways: bool, ruled: bool) -> Part:
    inside = hole.inside
    if not hole.good.any():
        grey = np.full(hole.picture.shape, np.log(128 + DARK), dtype=np.float32)
        return Part(rect, (), np.where(inside, 0, -1).astype(np.int16), grey)
    usual = spread(smooth_logarithm(hole.picture, hole.around), hole.around)
    copies = _Copies(hole)
    for shift in find_shifts(hole, sideways=sideways):
        copies.add(shift)
    for ruling, farther in rulings(hole) if ruled else ():
        copies.add_ruling(ruling, farther)
    if copies.bare.any():
        expected = np.exp(usual) - np.float32(DARK)
        for shift in fillers(hole, copies.bare, expected, sideways=sideways):
            # A single colour goes well with itself: never for what a copy shows.
            copies.add(shift, None if np.linalg.det(shift) else copies.bare)
            if not copies.bare.any():
                break
    colours = np.stack(copies.colours)
    misfit = np.abs(colours - hole.picture[inside].T).sum(axis=1)
    # No light makes wood of what is black.
    odd = np.abs((np.stack(copies.logs) - usual[inside]).mean(axis=-1)) - MOST_LIGHT
    odd = ODD * np.clip(odd, 0.0, 1.0)
    misfit = np.where(hole.rim[inside], np.minimum(misfit, MISFIT), odd).astype(np.float32)
    misfit += np.stack(copies.costs)
    chosen = labelled(misfit, colours, np.stack(copies.known), inside)
    if _strange(hole, misfit[chosen, np.arange(len(chosen))]):
        return Part(rect, (), np.where(inside, 0, -1).astype(np.int16), usual)
    light = fitted_light(hole, np.stack(copies.logs), chosen)
    labels = np.full(inside.shape, -1, dtype=np.int16)
    labels[inside] = chosen
    return Part(rect, tuple(copies.shifts), labels, light)


def _strange(hole: Hole, misfit: F32) -> bool:
    """Whether copies that differ so much (n,) from the rim, where there is one, suit none of it."""
    rim = hole.rim[hole.inside]
    if not rim.any():
        return False
    even = np.exp(smooth_logarithm(hole.picture, hole.around)) - np.float32(DARK)
    rough = np.abs(even - hole.picture)[hole.rim & hole.inside].sum(axis=-1).mean()
    return float(misfit[rim].mean()) > max(STRANGE, ROUGHER * float(rough))


class _Copies:
    """What shifted copies show of a hole and its rim.

    Attributes
    ----------
    shifts : list of float64 (3, 3)
    colours : list of float32 (3, n)
        One for each, of the n pixels inside.
    logs : list of float32 (n, 3)
        See `smooth_logarithm`.
    known : list of bool (n,)
        Whether these may be copied.
    costs : list of float32 (n,)
        What speaks against that besides, see `rulings`.
    bare : bool (h, w)
        Which pixels none of them shows.
    """

    def __init__(self, hole: Hole) -> None:
        self.shifts: list[Float] = []
        self.colours: list[F32] = []
        self.logs: list[F32] = []
        self.known: list[Mask] = []
        self.costs: list[F32] = []
        self.bare = hole.inside.copy()
        self._hole, self._inside = hole, hole.inside
        left, top, width, height = cv2.boundingRect(self._inside.astype(np.uint8))
        self._rect = PixelRect(left, top, left + width, top + height)
        self._good = hole.good.astype(np.float32)
        self._logs = smooth_logarithm(hole.picture, np.ones_like(hole.gap))
        self._pixels = pixels_of(self._inside)
        self._ground = np.ones(len(self._pixels), dtype=bool)
        if hole.camera is not None and abs(np.linalg.det(ground := on_ground(hole.camera))) > 1e-9:
            self._ground = applied(inverted(ground), self._pixels)[:, 2] > 1 / FAR

    def add(self, shift: Float, only: Mask | None = None) -> None:
        """One more; for some pixels (h, w) only."""
        own = self._inside[self._rect.slices]
        beyond = cv2.BORDER_CONSTANT
        known = _warped(self._good, shift, self._rect, border=beyond)[own] > 0.99
        if not np.allclose(shift[2], [0, 0, 1], atol=1e-12):
            known &= self._ground & (applied(shift, self._pixels)[:, 2] > 0)
        if only is not None:
            known &= only[self._inside]
        self._take(shift, known, np.zeros(len(known), dtype=np.float32))

    def add_ruling(self, shift: Float, farther: tuple[Float, ...]) -> None:
        """One that goes on with what lies on a line, if it is the same `farther` on."""
        own = self._inside[self._rect.slices]
        beyond, known = cv2.BORDER_CONSTANT, applied(shift, self._pixels)[:, 2] > 0
        for one in (shift, *farther):
            known &= _warped(self._good, one, self._rect, border=beyond)[own] > 0.99
        if np.count_nonzero(known) < LEAST_RULED * len(known):
            return
        seen = [_warped(self._hole.picture, one, self._rect)[own].T for one in (shift, *farther)]
        uneven = unevenness(seen[0], seen[1:]) - EVEN
        grain = _warped(self._hole.grain, shift, self._rect)[own] - FINE
        cost = UNEVEN * uneven.clip(min=0.0) + GRAINY * grain.clip(min=0.0)
        self._take(shift, known, cost.astype(np.float32))

    def _take(self, shift: Float, known: Mask, cost: F32) -> None:
        own = self._inside[self._rect.slices]
        self.shifts.append(shift)
        colours = _warped(self._hole.picture, shift, self._rect)[own]
        self.colours.append(np.ascontiguousarray(colours.T))
        self.logs.append(_warped(self._logs, shift, self._rect)[own])
        self.known.append(known)
        self.costs.append(cost)
        self.bare[self._inside] &= ~known


def _warped(
    image: F32 | U8,
    matrix: Float,
    rect: PixelRect,
    how: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_REPLICATE,
) -> F32:
    """What (h, w[, 3]) the pixels of `rect` show, which `matrix` takes to an image."""
    index = shifted(-0.5, -0.5) @ matrix @ shifted(rect.left + 0.5, rect.top + 0.5)
    size = rect.right - rect.left, rect.bottom - rect.top
    return np.asarray(cv2.warpPerspective(
        image, index, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=border,
    ))


def _covered(mask: Mask, to_picture: Float, rect: PixelRect) -> PixelRect:
    """The part of `rect` that pixels of a small mask cover, and one of them more."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    first = applied(to_picture, np.array([left - 1, top - 1]))
    last = applied(to_picture, np.array([left + width + 1, top + height + 1]))
    return PixelRect(
        max(rect.left, math.floor(first[0])), max(rect.top, math.floor(first[1])),
        min(rect.right, math.ceil(last[0])), min(rect.bottom, math.ceil(last[1])),
    )


def _within(inner: PixelRect, outer: PixelRect) -> tuple[slice, slice]:
    """Rows and columns that a rectangle takes of another one."""
    return (
        slice(inner.top - outer.top, inner.bottom - outer.top),
        slice(inner.left - outer.left, inner.right - outer.left),
    )


def spread(values: F32, known: Mask) -> F32:
    """Values (h, w, c) everywhere, smoothly continued from where they are `known` (h, w)."""
    height, width = known.shape
    if max(height, width) <= 2 or known.all():
        weight = known.astype(np.float32)[..., None]
        mean = (values * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(known[..., None], values, mean).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    weight = known.astype(np.float32)
    less = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA))
    summed = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA)
    summed = np.asarray(summed).reshape(*less.shape, -1)
    small = spread((summed / np.maximum(less, 1e-6)[..., None]).astype(np.float32), less > 0)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(np.asarray(large), (5, 5), 1.0).reshape(values.shape)
    return np.where(known[..., None], values, large).astype(np.float32)
