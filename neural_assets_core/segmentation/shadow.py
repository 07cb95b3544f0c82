"""Ground in an object's shadow, which colours alone take for the object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

DEEP = 0.4
"""Pixels at least so deep in the region show the object's colours, by and large."""

SHADED = 0.75
"""Brightness, relative to the ground's, under which that may be in a shadow."""

HUELESS, HUES = 8.0, 60.0
"""Brightness under which hues count less, and steps of a hue for a factor of e."""


def shadow_on_ground(pixels: U8, labels: U8, depth: NDArray[np.float32]) -> Mask:
    """What was taken for the object but is ground in its shadow.

    It is darker than the ground around it, and of the ground's hue rather than the object's.

    Parameters
    ----------
    pixels : uint8 array (h, w, 3)
    labels : uint8 array (h, w)
        GrabCut's, for the object and its surroundings.
    depth : float32 array (h, w)
        How far each pixel is inside the region that holds the object, as a share of the most.
    """
    found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    outside = cv2.erode((~found).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    deep = found & (depth >= DEEP)
    doubtful = (labels == cv2.GC_PR_FGD) & ~deep
    if not (outside.any() and deep.any() and doubtful.any()):
        return np.zeros(found.shape, dtype=bool)
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.5).astype(np.float32) + HUELESS
    logs = np.log(smooth)
    bright = logs.mean(axis=-1)
    hue = [np.clip(128 + HUES * (logs[..., i] - bright), 0, 255).astype(np.uint8) for i in (0, 2)]

    def likely(where: Mask) -> NDArray[np.float32]:
        """(h, w) how usual each pixel's hue is among those `where`."""
        counts = cv2.calcHist(hue, [0, 1], where.astype(np.uint8), [64, 64], [0, 256, 0, 256])
        counts = np.asarray(cv2.GaussianBlur(counts, (0, 0), 1.5)) / float(where.sum())
        rows, columns = hue[0] // 4, hue[1] // 4
        usual: NDArray[np.float32] = counts.astype(np.float32)[rows, columns]
        return usual

    darker = bright < np.median(bright[outside]) + np.log(SHADED)
    of_ground = likely(outside) > likely(deep) + 1e-4
    shadow = (doubtful & darker & of_ground).astype(np.uint8)
    shadow = np.asarray(cv2.morphologyEx(shadow, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))
    # It begins at the object's foot and ends in the light: the object's own dark parts do not.
    _, parts = cv2.connectedComponents(shadow)
    rim = cv2.dilate((~found).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    reached = np.unique(np.asarray(parts)[rim])
    return np.isin(parts, reached[reached > 0])
