"""A mask corrected by hand: what is painted counts, and the neighbourhood follows its edges.

A stroke that adds only adds, one that removes only removes, and both only near the stroke: the
size of the brush says how far. So no stroke undoes what an earlier one has put right.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.sampling import appearance_mask
from neural_assets_core.scene import Appearance, Picture
from neural_assets_core.segmentation.grabcut import SOFTNESS, Stroke, fitted, painted

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

REACH = 3.0
"""How far beyond the stroke's edge it may spread, in radii of the brush."""

WORKING_SIDE = 256
"""Pixels a side of the picture in which it spreads, at most."""

LEARNED = 6000
"""Pixels that the colours are learned from, at most."""


def corrected(appearance: Appearance, strokes: Sequence[Stroke]) -> Picture:
    """An object's mask after one more stroke.

    Parameters
    ----------
    appearance : Appearance
        With the mask as it was before; without one, it is the box's silhouette.
    strokes : sequence of Stroke
        All of them, each stronger than those before it. The last is the new one; those before it
        are kept exactly as they were painted.

    Returns
    -------
    Picture
        (height, width) of the source view, 255 inside; away from the stroke, as before to the bit.
    """
    pixels = appearance_mask(appearance)
    if not strokes or not len(strokes[-1].points):
        return Picture(pixels)
    last = strokes[-1]
    reach = 1.0 + REACH * max(last.radius, 0.5)
    rect = _surroundings(last, reach, pixels.shape)
    if rect.empty:
        return Picture(pixels)
    at = rect.slices
    before, colours = pixels[at], appearance.view.picture.pixels[at]
    scale = min(1.0, WORKING_SIDE / max(before.shape))
    size = (max(1, round(before.shape[1] * scale)), max(1, round(before.shape[0] * scale)))
    small = [_moved(stroke, rect, scale) for stroke in strokes]
    inside = cv2.resize(before, size, interpolation=cv2.INTER_AREA)
    found = _spread(
        np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), dtype=np.uint8),
        np.asarray(inside) > 127,
        painted(small, size[::-1]),
        painted(small[-1:], size[::-1]) != cv2.GC_PR_BGD,
        last.foreground,
        reach * scale,
    )
    band = SOFTNESS / scale
    soft = fitted(colours, found, band)
    told = painted([_moved(stroke, rect, 1.0) for stroke in strokes], before.shape)
    changed = _changed(found, np.asarray(inside) > 127, before.shape, band)
    part = np.maximum(before, soft) if last.foreground else np.minimum(before, soft)
    part = np.where(changed, part, before)
    part[told == cv2.GC_FGD] = 255
    part[told == cv2.GC_BGD] = 0
    out = pixels.copy()
    out[at] = part
    return Picture(out)


def _surroundings(stroke: Stroke, reach: float, shape: tuple[int, ...]) -> PixelRect:
    """What a stroke may change and as much again, which tells what the rest looks like."""
    points = np.asarray(stroke.points, dtype=np.float64).reshape(-1, 2).clip(-1e6, 1e6)
    margin = stroke.radius + 2.0 * reach + 2.0
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    return PixelRect(
        left=max(0, int(low[0])),
        top=max(0, int(low[1])),
        right=min(shape[1], int(np.ceil(high[0]))),
        bottom=min(shape[0], int(np.ceil(high[1]))),
    )


def _moved(stroke: Stroke, rect: PixelRect, scale: float) -> Stroke:
    """The stroke in pixels of a part of the picture that was scaled."""
    points = np.asarray(stroke.points, dtype=np.float64).reshape(-1, 2)
    at = (points - [rect.left, rect.top]) * scale
    pairs = [(float(x), float(y)) for x, y in at]
    return Stroke(pairs, stroke.radius * scale, stroke.foreground)


def _spread(
    pixels: U8, inside: Mask, told: U8, stroke: Mask, foreground: bool, reach: float
) -> Mask:
    """The object (h, w) after a stroke has spread to edges and colours near it."""
    away = cv2.distanceTransform((~stroke).astype(np.uint8), cv2.DIST_L2, 5)
    open_ = (inside != foreground) & (told == cv2.GC_PR_BGD) & (np.asarray(away) <= reach)
    sure = np.where(inside, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    painted_over = told != cv2.GC_PR_BGD
    sure[painted_over] = told[painted_over]
    found = sure == cv2.GC_FGD
    if not open_.any():
        return np.asarray(found)
    labels = sure.copy()
    labels[open_] = cv2.GC_PR_BGD if foreground else cv2.GC_PR_FGD
    models = _learned(pixels, sure, ~open_, stroke)
    if models is None:
        return np.asarray(found)
    cv2.grabCut(pixels, labels, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    moved = (labels == cv2.GC_PR_FGD) if foreground else (labels == cv2.GC_PR_BGD)
    # Only what hangs together with the stroke follows it.
    _, parts = cv2.connectedComponents((moved | stroke).astype(np.uint8), connectivity=4)
    touched = np.unique(np.asarray(parts)[stroke])
    moved &= np.isin(parts, touched[touched > 0])
    return np.asarray(found | moved if foreground else found & ~moved)


def _learned(
    pixels: U8, labels: U8, known: Mask, stroke: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Colour models of what is surely background and foreground, in this order."""
    models = np.zeros((1, 65)), np.zeros((1, 65))
    inside, around = np.flatnonzero(stroke), np.flatnonzero(known & ~stroke)
    around = around[:: 1 + len(around) // LEARNED]
    # What was painted says more about what was meant than all that lies around it.
    chosen = np.concatenate([np.repeat(inside, 1 + len(around) // max(len(inside), 1)), around])
    row = np.ascontiguousarray(pixels.reshape(-1, 3)[chosen][None])
    told = labels.reshape(-1)[chosen][None].copy()
    # GrabCut starts from random clusters; the same stroke must give the same mask.
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(row, told, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        # There is nothing but object, or nothing but background.
        return None
    return models


def _changed(found: Mask, inside: Mask, shape: tuple[int, ...], band: float) -> Mask:
    """Where the full mask follows: what is another now, and as far as its edge is soft."""
    other = cv2.resize(
        (found != inside).astype(np.uint8), shape[1::-1], interpolation=cv2.INTER_NEAREST
    )
    side = 2 * round(band) + 1
    return np.asarray(cv2.dilate(other, np.ones((side, side), np.uint8))) > 0
