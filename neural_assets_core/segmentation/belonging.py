"""What in a region goes on beyond it, and what is like nothing there: that is the object.

Whoever draws around an object draws around all of it. So an even part of the picture that the
region cuts through is something else, however many pixels of it are inside; a part that lies in
the region as a whole may be the object, the more so, the less anything around looks like it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage.segmentation import felzenszwalb

from neural_assets_core.geometry.box import Float
from neural_assets_core.segmentation.evidence import Evidence, likelihood

Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]

COARSENESS = (30.0, 100.0, 300.0)
"""Of the parts, from many small to few large ones: no one kind is right for all pictures."""

FEWEST_PIXELS = 30
"""Of a part."""

COLOUR_STEP, NEAR = 12.0, 0.25
"""A clear difference of colour, and a distance that says as much; the latter in square roots of
the region's area."""

WHOLE, UNLIKE, COLOUR, BIAS = 3.1, 2.7, 0.8, -5.4
"""Log odds of a part that is inside as a whole, for each factor of e in its difference from its
surroundings, for each unit of its colour's log likelihood, and of being the object without all
that. From a logistic regression on pixels of made scenes."""


def belonging(evidence: Evidence, inside: Mask) -> NDArray[np.float32]:
    """(h, w) log odds that each pixel is the object's, as far as colours and parts tell.

    Parameters
    ----------
    evidence : Evidence
    inside : bool array (h, w)
        The region. Neither empty nor everything.
    """
    parts = [
        np.asarray(
            felzenszwalb(evidence.pixels, scale=scale, sigma=0.8, min_size=FEWEST_PIXELS),
            dtype=np.intp,
        )
        for scale in COARSENESS
    ]
    whole = np.mean([_means(part, inside)[part] for part in parts], axis=0)
    colours = likelihood(evidence, middle(inside), (~inside).astype(np.float64))
    out = WHOLE * whole + UNLIKE * _unlike(evidence, inside, parts[0]) + COLOUR * colours + BIAS
    return np.asarray(out, dtype=np.float32)


def middle(inside: Mask) -> Float:
    """(h, w) how likely pixels are the object's before anything was seen: the middle is."""
    rows, columns = np.nonzero(inside)
    v, u = np.ogrid[: inside.shape[0], : inside.shape[1]]
    across = (u - columns.mean()) / (0.5 * np.ptp(columns) + 1.0)
    down = (v - rows.mean()) / (0.5 * np.ptp(rows) + 1.0)
    return np.asarray(inside * np.exp(-(across**2) - down**2))


def _unlike(evidence: Evidence, inside: Mask, parts: Ints) -> Float:
    """(h, w) how far each pixel's part is from all parts outside, in colour and place, as a log."""
    outside = _means(parts, inside) < 0.5
    if not outside.any():
        return np.ones(inside.shape)
    lab = np.asarray(cv2.cvtColor(evidence.pixels, cv2.COLOR_RGB2LAB), dtype=np.float64)
    v, u = np.mgrid[: inside.shape[0], : inside.shape[1]]
    reach = NEAR * float(np.sqrt(inside.sum()))
    # Shading changes how light things are, more than their hue.
    channels = [*np.moveaxis(lab * [0.5, 1.0, 1.0] / COLOUR_STEP, -1, 0), u / reach, v / reach]
    places = np.stack([_means(parts, channel) for channel in channels], axis=1)
    distances, _ = cKDTree(places[outside]).query(places)
    return np.asarray(np.log1p(distances)[parts])


def _means(parts: Ints, values: NDArray[np.generic]) -> Float:
    """(n,) the mean of what each part has."""
    counts = np.bincount(parts.ravel())
    sums = np.bincount(parts.ravel(), weights=values.ravel().astype(np.float64))
    return np.asarray(sums / np.maximum(counts, 1))
