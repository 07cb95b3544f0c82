"""Several masks of one object, and which of them is the likeliest.

GrabCut finds a different mask from every beginning. What is right is told by what it did not look
at: the outline follows edges, and the object reaches the sides of what was drawn around it, for
nobody draws a rectangle far too large.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.segmentation.belonging import belonging
from neural_assets_core.segmentation.evidence import Evidence, gaps, likelihood
from neural_assets_core.segmentation.outline import outlined, outlined_by
from neural_assets_core.segmentation.shadow import shadow_on_ground
from neural_assets_core.segmentation.turned import turned

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

DEEP = 0.25
"""What is inside of an outline by this share of the most is the object, whatever its colour."""

NEAR = 0.05
"""How far it may reach beyond an outline, as a share of the square root of its region."""

HOLE = 0.01
"""Holes up to this share of a mask are none."""

FEWEST = 0.03
"""Share of the region from which a mask is believed."""

SAYING = 0.1
"""Mean log likelihood of a mask's colours under which they say nothing."""

MISSED = 0.04
"""A hand leaves a little free at each side."""

EDGES, GAP, WIDE, WINDING = 3.0, 3.0, 0.2, 0.1
"""What an outline all along edges is worth, what the sum of the gaps at the four sides costs, up
to a wide one, and what an outline's length does, for each square root of what it goes around; in
units of the mean log likelihood. Fitted to made scenes and photographs."""

LINE, NEAR_LINE = 0.8, 0.08
"""Log odds of what is well inside of a line, and how far that is, as a share of the square root
of its region."""

CERTAIN, LOOSE = 1.5, 6.7
"""Log odds that GrabCut takes for certain in a tight region, and how many more for each share of
its sides that an object may leave free: what is inside as a whole says less then."""

ROUNDS = 2
"""Of GrabCut."""


def likeliest(evidence: Evidence, inside: Mask, told: U8, slack: float) -> Mask | None:
    """The object (h, w) in a region, or None if there is no telling.

    Parameters
    ----------
    evidence : Evidence
    inside : bool array (h, w)
        The region, not empty. What is around it is something else.
    told : uint8 array (h, w)
        `GC_FGD` and `GC_BGD` where strokes say so, else `GC_PR_BGD`.
    slack : float
        See `outlined`.
    """
    if inside.all():
        return None
    if (told == cv2.GC_PR_BGD).all():
        # Few things look turned that are not, and none do to a hand that has painted.
        shaped = turned(evidence, inside, slack + MISSED)
        if shaped is not None:
            return shaped
    best, highest = None, -np.inf
    for mask in _candidates(evidence, inside, told, slack):
        if mask.sum() < FEWEST * inside.sum():
            continue
        colours = likelihood(evidence, mask.astype(float), (~mask).astype(float))
        if colours[mask].mean() < SAYING:
            continue
        value = _score(evidence, inside, mask, colours, slack)
        if value > highest:
            best, highest = mask, value
    return best


def _candidates(evidence: Evidence, inside: Mask, told: U8, slack: float) -> Iterator[Mask]:
    """Masks from different beginnings."""
    free = told == cv2.GC_PR_BGD
    for begun in (_by_parts, _by_edges):
        labels = begun(evidence, inside, slack)
        if begun is _by_parts and not free.all():
            # Where a hand had to help, parts did not tell enough to be certain of anything.
            labels[labels == cv2.GC_FGD] = cv2.GC_PR_FGD
            labels[(labels == cv2.GC_BGD) & inside] = cv2.GC_PR_BGD
        labels[~free] = told[~free]
        # A hand that has painted knows better what a shadow is; so do edges.
        shadows = begun is _by_parts and bool(free.all())
        found = _grabbed(evidence, inside, labels, shadows=shadows)
        if found is not None:
            yield tidied(found, told == cv2.GC_FGD)


def _by_parts(evidence: Evidence, inside: Mask, slack: float) -> U8:
    """GrabCut's labels (h, w) by what goes on beyond the region, and the line around the rest."""
    belongs = belonging(evidence, inside)
    line = outlined_by(evidence, inside, slack, belongs)
    odds = belongs + LINE * np.tanh(_within(line) / (NEAR_LINE * np.sqrt(inside.sum())))
    labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    certain = CERTAIN + LOOSE * slack
    labels[odds > certain] = cv2.GC_FGD
    labels[(odds < -certain) | ~inside] = cv2.GC_BGD
    return np.asarray(labels, dtype=np.uint8)


def _by_edges(evidence: Evidence, inside: Mask, slack: float) -> U8:
    """GrabCut's labels (h, w) near the best line along edges."""
    line = outlined(evidence, inside, slack)
    within = _within(line)
    labels = np.where(line, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    labels[within > DEEP * within.max()] = cv2.GC_FGD
    labels[(within < -NEAR * np.sqrt(inside.sum())) | ~inside] = cv2.GC_BGD
    return np.asarray(labels, dtype=np.uint8)


def _within(region: Mask) -> NDArray[np.float32]:
    """(h, w) how far each pixel is inside a region, in pixels; less than 0 outside."""
    inner = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)
    outer = cv2.distanceTransform(np.pad(~region, 1, "edge").astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((inner - outer)[1:-1, 1:-1], dtype=np.float32)


def _depth(region: Mask) -> NDArray[np.float32]:
    """(h, w) how far each pixel is inside, as a share of the most."""
    deep = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(deep / max(float(deep.max()), 1e-6), dtype=np.float32)


def _grabbed(evidence: Evidence, inside: Mask, labels: U8, *, shadows: bool) -> Mask | None:
    """GrabCut's answer, without the ground in the object's shadow if there may be `shadows`."""
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # GrabCut starts from random clusters; the same picture must give the same mask.
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(evidence.pixels, labels, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
        if shadows:
            shadow = shadow_on_ground(evidence.pixels, labels, _depth(inside))
            if shadow.any():
                labels[shadow] = cv2.GC_BGD
                cv2.grabCut(evidence.pixels, labels, None, *models, 1, cv2.GC_EVAL)
    except cv2.error:
        # All is object, or all background.
        return None
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _score(
    evidence: Evidence, inside: Mask, mask: Mask, colours: NDArray[np.float32], slack: float
) -> float:
    """How well a mask parts a picture's colours, follows edges, and fits a region tightly."""
    parted = np.where(mask, colours, -colours).mean()
    rim = mask & (_eroded(mask) == 0)
    slope = cv2.dilate(evidence.slope, np.ones((3, 3), np.uint8)) / evidence.clear_slope
    along = np.minimum(1.0, slope[rim]).mean() if rim.any() else 0.0
    free = np.maximum(0.0, gaps(inside, mask) - slack - MISSED).sum()
    winding = rim.sum() / np.sqrt(mask.sum())
    return float(parted + EDGES * along - GAP * min(free, WIDE) - WINDING * winding)


def _eroded(mask: Mask) -> U8:
    return np.asarray(
        cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1), dtype=np.uint8
    )


def tidied(mask: Mask, wanted: Mask) -> Mask:
    """A mask without frayed edges, specks and small holes; `wanted` (strokes) stay."""
    blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)
    count, parts, stats, _ = cv2.connectedComponentsWithStats((blurred > 0.5).astype(np.uint8))
    if count < 2:
        return mask & wanted
    areas = stats[:, cv2.CC_STAT_AREA]
    kept = np.zeros(count, dtype=bool)
    kept[1 + int(areas[1:].argmax())] = True
    kept[np.unique(parts[wanted])] = True
    kept[0] = False
    whole = kept[parts] | wanted
    count, holes, stats, _ = cv2.connectedComponentsWithStats((~whole).astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < HOLE * whole.sum()
    small[0] = False
    return np.asarray(whole | small[holes])
