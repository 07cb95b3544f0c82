"""The light of copies that fill a hole, fitted to the hole's rim and to each other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from neural_assets_core.proxy.hole import Hole

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

MOST_LIGHT = 0.7
"""By how much the logarithm of what is filled is changed to fit its surroundings, at most."""

MOST_STEP = 0.8
"""How much of that there is between two pixels: a line that misses its continuation is no light."""

MOST_TINT = 0.3
"""By how much more of one channel than of all."""

DARK = 8.0
"""Brightness, of 255, below which differences count less."""

FAINT = 0.04
"""Step between two pixels of which half is a copy's texture, and half the light it lay in."""

BLUR = 1.0
"""Pixels over which brightness is compared."""

_ALL, _LESS, _MORE = slice(None), slice(None, -1), slice(1, None)
SIDES = tuple(
    pair
    for one, other in (((_ALL, _LESS), (_ALL, _MORE)), ((_LESS, _ALL), (_MORE, _ALL)))
    for pair in ((one, other), (other, one))
)
"""Parts of a picture, and those beside them."""


def smooth_logarithm(picture: F32, known: Mask) -> F32:
    """(h, w, 3) of brightness, from those pixels (h, w) that are known; texture is no light."""
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), BLUR)
    total = cv2.GaussianBlur(picture * known[..., None], (0, 0), BLUR)
    mean = np.asarray(total) / np.maximum(share, 1e-3)[..., None]
    return np.asarray(np.log(mean + np.float32(DARK)), dtype=np.float32)


def fitted_light(hole: Hole, logs: F32, labels: Index) -> F32:
    """What the logarithm of copies lacks to go on from the rim, and across seams.

    The steps between pixels are those of the copies, as far as the rim allows it (Perez et al.
    2003, Poisson image editing).

    Parameters
    ----------
    hole : Hole
    logs : float32 (k, n, 3)
        What copies show of the n pixels inside the hole and its rim: see `smooth_logarithm`.
    labels : int (n,)
        The copy that each pixel shows.

    Returns
    -------
    float32 (h, w, 3)
        Continued beyond the hole.
    """
    inside = hole.inside
    number = np.full(inside.shape, -1, dtype=np.intp)
    number[inside] = np.arange(len(labels))
    wanted = smooth_logarithm(hole.picture, hole.around)
    unknown = np.flatnonzero(hole.gap[inside])
    place = np.full(len(labels), -1, dtype=np.intp)
    place[unknown] = np.arange(len(unknown))
    diagonal, right = np.full(len(unknown), 1e-5), np.zeros((len(unknown), 3))
    tails, heads = [], []
    for here, beside in SIDES:
        both = hole.gap[here] & inside[beside]
        p, q = number[here][both], number[beside][both]
        fixed = hole.rim[beside][both]
        mine, other = labels[p], labels[q]
        # Across a seam, the step between two copies is what both of them show there, halved.
        step = _texture(logs[mine, q] - logs[mine, p])
        beyond = _texture(logs[other, q] - logs[other, p])
        step = np.where(fixed[:, None], step, 0.5 * (step + beyond))
        step = np.where(fixed[:, None], wanted[beside][both], logs[other, q]) - logs[mine, p] - step
        at = place[p]
        diagonal[at] += 1.0
        right[at] += step.clip(-MOST_STEP, MOST_STEP)
        tails.append(at[~fixed])
        heads.append(place[q[~fixed]])
    tail, head = np.concatenate(tails), np.concatenate(heads)
    every = np.arange(len(unknown))
    matrix = coo_matrix(
        (
            np.concatenate([diagonal, np.full(len(tail), -1.0)]),
            (np.concatenate([every, tail]), np.concatenate([every, head])),
        ),
        shape=(len(unknown),) * 2,
    ).tocsc()
    solution = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(right)
    # Colours change less than brightness: a highlight at the rim must not stain what is filled.
    grey = solution.mean(axis=1, keepdims=True)
    tint = (solution - grey).clip(-MOST_TINT, MOST_TINT)
    _, nearest = cv2.distanceTransformWithLabels(
        (~hole.gap).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, 3), dtype=np.float32)
    table[nearest[hole.gap]] = (grey + tint).clip(-MOST_LIGHT, MOST_LIGHT)
    return np.asarray(table[nearest])


def _texture(steps: F32) -> F32:
    """Steps (n, 3) between pixels of a copy without those of light, which are faint.

    What is smooth goes on smoothly from the rim, and only grain and edges are copied.
    """
    strength = (np.abs(steps).mean(axis=1, keepdims=True) / FAINT) ** 2
    return np.asarray(steps * strength / (1 + strength))
