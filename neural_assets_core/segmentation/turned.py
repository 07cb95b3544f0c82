"""What was turned on a lathe and stands upright, as cups, bowls, pots and glasses were.

Where such a thing has the colours of what it stands on, and a compressed photograph has no sharp
edges left, its shape still tells: a rim, which is an ellipse all along edges; and below it an
outline that is the same on both sides of its axis and ends in a foot as round as the rim. What
one side hides, the other shows. Handles and spouts stick out of that, whole inside the region,
and reach where the turned part does not.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.outlines import Ellipse
from neural_assets_core.segmentation.evidence import Evidence, gaps
from neural_assets_core.segmentation.rims import Slopes, placed, rim_in, steepness, strongest

Mask = NDArray[np.bool_]

DEPTHS, MIDDLES, FEET = 24, 15, 16
"""How many depths of the foot, and radii half way and at the foot are tried, of all."""

NARROWEST, WIDEST = 0.25, 1.3
"""Radii at the foot, in the rim's."""

FINER = np.linspace(-1.0, 1.0, 7)
"""And then around the best, in steps of these."""

PLAIN = 0.5
"""Edges of at least this strength, in usual ones, are all the same."""

FLAT = 1.25
"""Of what is hardly larger than its rim colours tell better than a shape that it has not."""

SHORT = 1.0
"""What it costs to end above the region's lower side."""

OUTLINED = 0.75
"""Share of the outline below the rim that is on edges, by and large."""

COARSENESS, FEWEST_PIXELS, WHOLE = 300.0, 30, 0.9
"""Of parts that may stick out, and the share of them that is in the region."""

THIN = 0.03
"""Width of what is too thin to stick out, as a share of the square root of the turned part."""

CLOSED = 0.5
"""How much of the way to a side of the region something must reach that sticks out."""

MOST = 0.5
"""Pixels of all that sticks out, for each of what is turned."""

FREE, LEFT_FREE = 0.03, 0.06
"""Shares of the region's sides that ask for something that sticks out, and that may be left."""


def turned(evidence: Evidence, inside: Mask, slack: float) -> Mask | None:
    """The pixels (h, w) of something turned that fills a region, if there is such a thing.

    Parameters
    ----------
    evidence : Evidence
    inside : bool array (h, w)
        The region; not empty.
    slack : float
        What the object may leave free at each side, as a share of the region's width or height.
    """
    rim = rim_in(evidence, inside)
    if rim is None:
        return None
    body = _body(evidence, strongest(evidence), rim, inside, slack)
    if body is None:
        return None
    more = _sticking_out(evidence, inside, body)
    left = np.maximum(0.0, gaps(inside, body | more) - slack).sum()
    # Else a rim was found on something larger, as that of a cup is on its saucer.
    fills = left < LEFT_FREE and more.sum() < MOST * body.sum()
    return body | more if fills else None


# -- what is below it ----------------------------------------------------------------------------


def _body(
    evidence: Evidence, slopes: Slopes, rim: Ellipse, inside: Mask, slack: float
) -> Mask | None:
    """The pixels (h, w) of the turned thing with a rim; None if its outline is on no edges."""
    rows = np.flatnonzero(inside.any(axis=1))
    room = float(rows[-1] + 1 - rim.center[1]) / float(rim.half[1])
    steps = [
        np.linspace(0.05, max(room, 0.3), DEPTHS),
        np.linspace(0.6, WIDEST, MIDDLES),
        np.linspace(NARROWEST, WIDEST, FEET),
    ]
    best, highest, found = None, -np.inf, 0.0
    # All of them, and then some around the best.
    for _ in range(2):
        tried = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
        # The foot may not be much below the region, and not so short that rings swallow others.
        tried = tried[(tried[:, 0] + tried[:, 2] < 1.02 * room) & (tried.min(axis=1) > 0.04)]
        tried, right, normals = _outlines(tried)
        if not len(tried):
            break
        edges = np.zeros(right.shape[:2])
        for side in (np.array([1.0, 1.0]), np.array([-1.0, 1.0])):
            seen = steepness(slopes, *placed(rim, side * right, side * normals))
            edges += 0.5 * np.minimum(1.0, seen / (PLAIN * evidence.usual_slope))
        length = np.linalg.norm(np.diff(right * rim.half, axis=1), axis=2)
        on_edges = (0.5 * (edges[:, 1:] + edges[:, :-1]) * length).sum(axis=1) / length.sum(axis=1)
        short = (room - tried[:, 0] - tried[:, 2]) * rim.half[1] / len(rows)
        values = on_edges - SHORT * np.maximum(0.0, short - slack)
        one = int(values.argmax())
        if values[one] > highest:
            best, highest, found = right[one], float(values[one]), float(on_edges[one])
        steps = [
            tried[one, axis] + FINER * (step[1] - step[0]) for axis, step in enumerate(steps)
        ]
    if best is None or found < OUTLINED:
        return None
    both = np.concatenate([best, best[::-1] * [-1.0, 1.0]])
    points, _ = placed(rim, both, both)
    top = rim.filled(inside.shape)
    out = top.astype(np.uint8)
    cv2.fillPoly(out, [np.round(16.0 * (points - 0.5)).astype(np.int32)], 1, cv2.LINE_8, 4)
    return out > 0 if out.sum() > FLAT * top.sum() else None


def _outlines(shapes: Float) -> tuple[Float, Float, Float]:
    """Of shapes that can be seen as such, the right side and its normals, (n, points, 2).

    Shapes (n, 3) are depths of the foot, and radii half way and there, in the frame in which the
    rim is the unit circle. There all rings are circles, and the outline touches each.
    """
    along, around = np.linspace(0.0, 1.0, 24), np.linspace(0.0, 1.0, 13)[1:]
    depth, middle, foot = (shapes[:, i, None] for i in range(3))
    square = 2.0 * (1.0 + foot - 2.0 * middle)
    radius = 1.0 + (foot - 1.0 - square) * along + square * along**2
    narrower = -(foot - 1.0 - square + 2.0 * square * along) / depth
    seen = (np.abs(narrower) < 0.98).all(axis=1) & (radius.min(axis=1) > 0.2)
    shapes, radius, depth, foot = shapes[seen], radius[seen], depth[seen], foot[seen]
    angle = np.arcsin(narrower[seen])
    last = angle[:, -1:] + (0.5 * np.pi - angle[:, -1:]) * around
    angle = np.concatenate([angle, last], axis=1)
    radius = np.concatenate([radius, np.broadcast_to(foot, last.shape)], axis=1)
    middles = np.concatenate([depth * along, np.broadcast_to(depth, last.shape)], axis=1)
    normals = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = radius[..., None] * normals
    points[..., 1] += middles
    return shapes, points, normals


# -- what sticks out -----------------------------------------------------------------------------


def _sticking_out(evidence: Evidence, inside: Mask, body: Mask) -> Mask:
    """Handles and spouts (h, w): whole parts beside the body that reach where that does not."""
    parts = np.asarray(
        felzenszwalb(evidence.pixels, scale=COARSENESS, sigma=0.8, min_size=FEWEST_PIXELS)
    )
    known = (inside | body).ravel().astype(float)
    whole = np.bincount(parts.ravel(), known) >= WHOLE * np.bincount(parts.ravel())
    side = 2 * round(0.5 * THIN * math.sqrt(body.sum())) + 1
    round_brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    joined = (whole[parts] & inside) | body
    joined = np.asarray(cv2.morphologyEx(joined.astype(np.uint8), cv2.MORPH_OPEN, round_brush))
    # What the brush left hanging in the air is no handle.
    _, pieces = cv2.connectedComponents(joined)
    held = np.isin(pieces, np.unique(np.asarray(pieces)[body & (joined > 0)])) & (joined > 0)
    count, pieces = cv2.connectedComponents((held & ~body).astype(np.uint8))
    out = np.zeros(body.shape, dtype=bool)
    free = gaps(inside, body)
    for number in range(1, count):
        one = np.asarray(pieces) == number
        reached = gaps(inside, body | one)
        if ((free > FREE) & (reached < (1.0 - CLOSED) * free)).any():
            out |= one
    return out
