"""Taking shadows off a photograph: what they darkened is brightened again, its texture kept.

A shadow is how much the logarithm of the light misses a smooth continuation of the light around.
Its edges stay as sharp as the photograph's; what is finer and fainter than an edge is texture of
the ground, and none of the shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import denoise_tv_chambolle

from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.filling import spread
from neural_assets_core.proxy.sampling import around, enlarged, grown, strips

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

DARK = 4.0
"""Brightness, of 255, below which differences count less: there is more noise than light."""

PENUMBRA = 8.0
"""Pixels beyond a shadow's found edge over which it fades out, of a working picture."""

LEAST_SMOOTHING, MOST_SMOOTHING = 0.03, 0.35
SMOOTHING = 2.5
"""How strongly texture is told from shadow, the weight of total variation: this many standard
deviations of the lit ground around."""

BROAD = 0.12
"""Width of the strokes in which the light around is continued, in square roots of the shadow."""

EDGE = 7
"""Pixels across of the neighbourhood in which a shadow's edge is sought."""

EVEN = 0.08
"""Standard deviation of logarithms under which ground has no edges of its own."""

NOISY = 0.4
"""Natural logarithm of the gain from which on a shadow's noise is seen."""

STEPS = 20.0
"""Brightness, of 255, under which a channel of a shadow is too coarse to be multiplied."""

UNEXPECTED = 0.05
"""What a shadow counts where the light should throw none, relative to where it should."""

BRIGHTEST = 2.3
"""Natural logarithm of the greatest gain."""

UNREADABLE = 1.25
"""Natural logarithm of the gain from which on a shadow has nothing left to be brightened."""

ITS_OWN = 0.1
"""Share of a shadow from which on it may be an object's alone."""

SHADED = 0.4
"""Natural logarithm of the gain from which on something lies in a shadow."""

UNLIKE, BEYOND_NOISE = 0.12, 4.0
"""By how much the logarithm of light, and by how many standard deviations, what lies in a shadow
differs from what is around it if it is another thing."""

NEARBY = 0.25
"""How far that is from the object that throws the shadow, in square roots of its area, at most."""

FAINT = 0.01
"""Natural logarithm of a change of light that nobody sees."""

HALO = 8
"""Pixels around a strip of a large picture that have a part in it."""

FEWEST_PIXELS, LEAST_PIXELS = 20, 6


@dataclass(frozen=True, eq=False)
class Lift:
    """By how much a picture must be brightened to be as light as without an object's shadow.

    Attributes
    ----------
    at : (slice, slice)
        Rows and columns of the picture; elsewhere the lift is 0.
    values : float32 (h, w, 3)
        Natural logarithms of the gains there, at least 0.
    """

    at: tuple[slice, slice]
    values: F32


def lifts_of(
    pixels: U8,
    support: Mask,
    masks: Sequence[Mask],
    shadows: Sequence[Mask],
    expected: Sequence[F32 | None],
) -> list[Lift]:
    """By how much pixels must be brightened to be as light as without each object's shadow.

    Parameters
    ----------
    pixels : uint8 (h, w, 3)
        A photograph at its working size.
    support : bool (h, w)
        What the objects stand on, as far as it is seen.
    masks, shadows : sequences of bool (h, w)
        The objects, and where `find_shadow` found their shadows. Where two of these overlap, the
        darkness is shared, the nearer object taking more.
    expected : sequence of float32 (h, w) or None
        Where their shadows should be if the light is known, 1 in shadow: who throws one there
        takes more.

    Returns
    -------
    list of Lift
        Continued beyond what is seen; 0 far from the shadow.
    """
    if not shadows:
        return []
    whole = np.zeros(support.shape, dtype=np.uint8)
    for shadow in shadows:
        whole |= shadow
    total = np.zeros(pixels.shape, dtype=np.float32)
    shaded = whole > 0
    number, parts = cv2.connectedComponents(whole)
    for part in range(1, number):
        _add_lift(total, pixels, np.asarray(parts) == part, shaded, support)
    total = _beyond(total, support)
    if len(shadows) == 1:
        return [Lift((slice(None), slice(None)), total)]
    # Nobody asks for anything far away.
    parts_of = [
        around(mask | shadow, 2 * PENUMBRA)
        for mask, shadow in zip(masks, shadows, strict=True)
    ]
    everyone = np.zeros(support.shape, dtype=np.float32)
    claims = []
    for at, mask, shadow, due in zip(parts_of, masks, shadows, expected, strict=True):
        claims.append(_claim(mask[at], shadow[at], None if due is None else due[at]))
        everyone[at] += claims[-1]
    shares: list[F32] = []
    together = np.zeros(support.shape, dtype=np.float32)
    for at, claim in zip(parts_of, claims, strict=True):
        share = np.asarray(claim / np.maximum(everyone[at], 1e-6), dtype=np.float32)
        known = support[at] & (everyone[at] > 1e-5)
        if known.any():
            # Under an object as around it.
            share = spread(np.where(known, share, np.float32(0))[..., None], known)[..., 0]
        shares.append(share)
        together[at] += share
    np.maximum(together, 1e-6, out=together)
    for at, share in zip(parts_of, shares, strict=True):
        share /= together[at]
    # Small things stand in the shadows of large ones, and take no more than what these leave.
    for index in sorted(range(len(masks)), key=lambda index: int(masks[index].sum()))[:-1]:
        _give_back(total, support, parts_of, shares, index)
    return [
        Lift(at, np.asarray(total[at] * share[..., None], dtype=np.float32))
        for at, share in zip(parts_of, shares, strict=True)
    ]


def unreadable(pixels: U8, lift: F32) -> Mask:
    """(h, w) where a shadow is so deep that noise is all that brightening would show."""
    light = pixels + np.float32(1.0)
    gain = (light * np.exp(lift)).sum(axis=-1) / light.sum(axis=-1)
    return np.asarray(cv2.GaussianBlur(gain, (0, 0), 1.0) > np.exp(UNREADABLE))


def left_over(pixels: U8, lift: F32, mask: Mask, support: Mask) -> Mask:
    """(h, w) what lies in an object's shadow and is no part of what it falls on.

    A reflection of the object, or a part of it that its mask missed: on even ground these stand
    out when the shadow is gone. What goes on outside of the shadow, as an edge does, belongs to the
    ground.

    Parameters
    ----------
    pixels : uint8 (h, w, 3)
    lift : float32 (h, w, 3)
        Of the object's shadow.
    mask, support : bool (h, w)
        The object, and where that on which it stands is seen.
    """
    out = np.zeros(mask.shape, dtype=bool)
    strength = lift.mean(axis=-1)
    shaded = support & (strength > SHADED)
    shaded &= grown(mask, NEARBY * float(np.sqrt(mask.sum())))
    if shaded.sum() < FEWEST_PIXELS:
        return out
    logs = np.log(pixels.astype(np.float32) + np.float32(DARK)) + lift
    apart = (logs - _continued(logs, support, 0.75 * HALO)).mean(axis=-1) * support
    apart = np.asarray(cv2.GaussianBlur(apart, (0, 0), 0.8))
    noise = 1.48 * float(np.median(np.abs(apart[shaded])))
    if noise > EVEN:
        return out
    # At the edge of what it falls on is that one's own edge.
    beyond = grown(~(support | grown(mask, 2.0)), 3.0) | ~grown(shaded, 2.0)
    found = np.zeros_like(out)
    for side in (apart, -apart):
        odd = support & (side > max(UNLIKE, BEYOND_NOISE * noise))
        _, parts, sizes, _ = cv2.connectedComponentsWithStats(odd.astype(np.uint8))
        parts = np.asarray(parts)
        small = np.flatnonzero(np.asarray(sizes)[:, cv2.CC_STAT_AREA] < LEAST_PIXELS)
        found |= odd & ~np.isin(parts, np.concatenate([np.unique(parts[odd & beyond]), small]))
    if found.any():
        closed = cv2.morphologyEx(
            grown(found, 3.0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 15))
        )
        out = (np.asarray(closed) > 0) & support
    return out


def relit(pixels: U8, lift: F32) -> U8:
    """A picture (h, w, 3) brightened by a lift of the same size."""
    gained = (pixels + np.float32(DARK)) * np.exp(lift) - np.float32(DARK)
    strong = np.asarray(lift.mean(axis=-1))
    if strong.max(initial=0.0) > NOISY:
        # So are the steps of its colours; those of its brightness are texture.
        grey = gained.mean(axis=-1, keepdims=True)
        tint = gained - grey
        even = np.asarray(cv2.GaussianBlur(tint, (0, 0), 2.5)) - tint
        gained += even * np.clip((strong - NOISY) / NOISY, 0.0, 1.0)[..., None]
    return np.asarray(np.round(gained).clip(0, 255), dtype=np.uint8)


def relit_part(picture: U8, lift: F32, rect: PixelRect) -> U8:
    """A part of a picture, brightened by a lift (h, w, 3) of the whole picture at any size."""
    out = np.empty((rect.bottom - rect.top, rect.right - rect.left, 3), dtype=np.uint8)
    for strip in strips(rect):
        top, bottom = max(0, strip.top - HALO), min(picture.shape[0], strip.bottom + HALO)
        wide = replace(strip, top=top, bottom=bottom)
        lit = relit(picture[wide.slices], enlarged(lift, wide, picture.shape))
        out[strip.top - rect.top : strip.bottom - rect.top] = lit[
            strip.top - top : strip.bottom - top
        ]
    return out


def _add_lift(total: F32, pixels: U8, shadow: Mask, shaded: Mask, support: Mask) -> None:
    """Add the lift of one shadow, in place; `shaded` is where there is any shadow."""
    left, top, width, height = cv2.boundingRect(shadow.astype(np.uint8))
    broad = max(3.0, BROAD * float(np.sqrt(shadow.sum())))
    margin = round(6 * broad + PENUMBRA) + 2
    at = (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )
    lit = support[at] & ~grown(shaded[at], PENUMBRA)
    if lit.sum() < FEWEST_PIXELS:
        return
    logs, seen = np.log(pixels[at].astype(np.float32) + np.float32(DARK)), support[at]
    usual = _continued(logs, lit, broad)
    missing = spread(np.where(seen[..., None], usual - logs, 0.0).astype(np.float32), seen)
    near = lit & grown(shadow[at], 3 * broad)
    rough = float(missing.mean(axis=-1)[near].std()) if near.any() else 0.0
    weight = float(np.clip(SMOOTHING * rough, LEAST_SMOOTHING, MOST_SMOOTHING))
    deep = np.asarray(
        denoise_tv_chambolle(missing.mean(axis=-1), weight=weight, max_num_iter=60)
    )
    outside = cv2.distanceTransform((~shadow[at]).astype(np.uint8), cv2.DIST_L2, 5)
    fading = np.clip(2.0 - 2.0 * np.asarray(outside) / PENUMBRA, 0.0, 1.0)
    deep = np.asarray(deep.clip(0.0, None) * fading, dtype=np.float32)
    if rough < EVEN:
        # Rough ground has edges of its own, which are not the shadow's.
        deep = _with_edges_of(-missing.mean(axis=-1), deep)
    # The light that is left in a shadow has another colour, and one that changes slowly.
    weight = cv2.GaussianBlur(deep * deep * seen, (0, 0), broad) + 1e-4
    residue = cv2.GaussianBlur(missing.mean(axis=-1), (0, 0), 1.0) - deep
    for channel in range(3):
        product = cv2.GaussianBlur(deep * missing[..., channel] * seen, (0, 0), broad)
        slope = np.asarray((product + 1e-4) / weight).clip(0.0, 2.0)
        # Fading parts of two shadows may overlap.
        within = total[at][..., channel]
        # What is brighter than its surroundings by more than texture is, is no longer in shadow.
        most = (missing[..., channel] + 0.1 + 2.5 * rough).clip(0.0, BRIGHTEST)
        lift = np.minimum(deep * slope, most)
        # A channel with few steps left takes its colour from the surroundings.
        value = cv2.GaussianBlur(pixels[at][..., channel].astype(np.float32), (0, 0), 2.0)
        coarse = np.clip((STEPS - value) / (0.5 * STEPS), 0.0, 1.0) * np.minimum(4 * deep, 1.0)
        even = cv2.GaussianBlur(missing[..., channel], (0, 0), 1.0) - residue
        lift = lift + coarse * (even.clip(0.0, BRIGHTEST) - lift)
        np.maximum(within, lift, out=within)


def _with_edges_of(guide: F32, values: F32) -> F32:
    """Values (h, w) whose edges are where the guide's are (the guided filter of He et al. 2013)."""
    def mean(one: F32) -> F32:
        return np.asarray(cv2.blur(one, (EDGE, EDGE)), dtype=np.float32)

    middle, level = mean(guide), mean(values)
    slope = mean(guide * values) - middle * level
    slope /= mean(guide * guide) - middle * middle + np.float32(EVEN**2)
    offset = level - slope * middle
    straight = mean(np.asarray(slope, dtype=np.float32)), mean(np.asarray(offset, np.float32))
    return np.asarray((straight[0] * guide + straight[1]).clip(0.0, None), dtype=np.float32)


def _continued(logs: F32, known: Mask, broad: float) -> F32:
    """A smooth continuation (h, w, c) of what is `known` (h, w), in strokes of `broad` pixels."""
    weight = known.astype(np.float32)
    share = np.asarray(cv2.GaussianBlur(weight, (0, 0), broad))
    total = np.asarray(cv2.GaussianBlur(logs * weight[..., None], (0, 0), broad))
    smooth = total / np.maximum(share, 1e-4)[..., None]
    wide = spread(smooth.astype(np.float32), known)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), broad), dtype=np.float32)


def _beyond(lift: F32, support: Mask) -> F32:
    """A lift known on its support, continued behind what hides that, and fading there."""
    if support.all() or not support.any():
        return lift
    wide = spread(np.where(support[..., None], lift, 0.0).astype(np.float32), support)
    away = np.asarray(cv2.distanceTransform((~support).astype(np.uint8), cv2.DIST_L2, 5))
    fading = np.exp(-np.square(away / (5 * PENUMBRA)))
    return np.asarray(wide * fading[..., None], dtype=np.float32)


def _give_back(
    total: F32,
    support: Mask,
    parts_of: Sequence[tuple[slice, slice]],
    shares: Sequence[F32],
    index: int,
) -> None:
    """Give others, in place, of what an object takes what goes on smoothly from around that.

    `total` (h, w, 3) is the lift of all, `shares` how much of it each takes in its part.
    """
    at, share = parts_of[index], shares[index]
    own = share > ITS_OWN
    known = support[at] & ~own
    if not own.any() or not known.any():
        return
    # Beyond what it takes alone, everyone's share goes on as it is around that.
    here = np.ascontiguousarray(total[at].mean(axis=-1))
    around_it = _inwards(here, known)
    whole, each, together = np.zeros_like(support, dtype=np.float32), {}, np.zeros_like(here)
    for number, (part, other) in enumerate(zip(parts_of, shares, strict=True)):
        if number != index:
            whole[part] = other
            if whole[at].any():
                each[number] = _inwards(whole[at], known)
                together += each[number]
            whole[part] = 0.0
    kept = 1 - np.minimum(around_it, here) / np.maximum(here, 1e-6)
    kept = 1 - (1 - kept) * together.clip(0.0, 1.0)
    less = np.where(own, np.minimum(share, kept), share)
    less = np.minimum(share, cv2.GaussianBlur(less, (0, 0), 0.25 * PENUMBRA))
    for number, claim in each.items():
        whole[at] = (share - less) * claim / np.maximum(together, 1e-6)
        shares[number] += whole[parts_of[number]]
        whole[at] = 0.0
    share[...] = less


def _inwards(values: F32, known: Mask) -> F32:
    """Values (h, w) continued smoothly from where they are known."""
    return spread(np.where(known, values, np.float32(0))[..., None], known)[..., 0]


def _claim(mask: Mask, shadow: Mask, expected: F32 | None) -> F32:
    """(h, w) how much of the darkness at each pixel an object asks for."""
    away = np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))
    # Large things throw large shadows.
    reach = (np.minimum(away, 1e4) + 2.0) / max(float(np.sqrt(mask.sum())), 1.0)
    claim = grown(shadow | mask, PENUMBRA) / np.square(reach)
    if expected is not None:
        claim = claim * (UNEXPECTED + cv2.GaussianBlur(expected, (0, 0), PENUMBRA))
    return np.asarray(cv2.GaussianBlur(claim.astype(np.float32), (0, 0), 2.0))
