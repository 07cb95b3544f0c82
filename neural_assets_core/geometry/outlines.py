"""Outlines in a picture that other things hide in part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import Float

Mask = NDArray[np.bool_]

FAR = 2.0
"""Pixels by which an outline's points may miss its convex hull, of a working picture."""

WORKING_SIDE = 200
"""Pixels a side on which outlines are compared, at most."""

MISSED = 0.012
"""By how much a round outline may miss its ellipse, median, as a share of its width."""

POINTS = 200
"""Of an outline that are looked at, about."""

NEAR = 0.2
"""How far from what hides it an outline is not believed, in square roots of its points."""

SECTORS = 36
COVERED = 0.6
"""Share of an ellipse, seen from its middle, that must be seen."""

LEVEL = math.radians(15.0)
"""How far an ellipse's long axis may be from level."""

ROUNDEST = 0.95
"""Height over width from which on an ellipse is as good as a circle."""


@dataclass(frozen=True)
class Ellipse:
    """An ellipse in a picture.

    Attributes
    ----------
    center : array (2,)
        Pixels.
    half : array (2,)
        Half its width and half its height, along its own axes.
    turn : float
        Radians of its long axis, clockwise from level.
    """

    center: Float
    half: Float
    turn: float

    def filled(self, shape: tuple[int, ...]) -> Mask:
        """The pixels (h, w) in it."""
        low, high = (
            (self.center + way * self.half.max()).clip(0, shape[1::-1]).astype(int)
            for way in (-1.0, 1.0)
        )
        v, u = np.ogrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
        x, y = u + 0.5 - self.center[0], v + 0.5 - self.center[1]
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        along, across = cosine * x + sine * y, cosine * y - sine * x
        out = np.zeros(shape, dtype=bool)
        part = out[low[1] : high[1] + 1, low[0] : high[0] + 1]
        inside = (along / self.half[0]) ** 2 + (across / self.half[1]) ** 2 < 1.0
        part[:] = inside[: part.shape[0], : part.shape[1]]
        return out


def completed(mask: Mask, hidden: Mask) -> Mask:
    """A mask (h, w) with what is likely to go on behind what hides it.

    What is round is a whole disc; else the object is as wide there as on either side.
    """
    if not (mask.any() and hidden.any()):
        return mask
    ellipse = ellipse_of(mask, hidden)
    if ellipse is not None:
        return mask | (ellipse.filled(mask.shape) & hidden)
    hull = np.zeros(mask.shape, dtype=np.uint8)
    edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(edges)), 1)
    return mask | ((hull > 0) & hidden)


def ellipse_of(mask: Mask, hidden: Mask | None = None) -> Ellipse | None:
    """The level ellipse that the outline of a mask (h, w) is, as far as it is seen; else None.

    What bites into the outline hides it, known (`hidden`) or not.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if min(len(rows), len(columns)) < 8:
        return None
    scale = min(1.0, WORKING_SIDE / max(len(rows), len(columns)))
    points = _outer(mask, hidden, FAR / scale)
    if len(points) < 12:
        return None
    ellipse = ellipse_through(points)
    for _ in range(3):
        if ellipse is None:
            return None
        missed = _missed(ellipse, points)
        near = missed < max(2.5 * float(np.median(missed)), 1.0)
        if near.sum() < 12:
            return None
        points = points[near]
        ellipse = ellipse_through(points)
    if ellipse is None or abs(ellipse.turn) > LEVEL:
        return None
    if float(np.median(_missed(ellipse, points))) > MISSED * 2 * ellipse.half[0]:
        return None
    around = (points - ellipse.center) / ellipse.half
    angle = np.arctan2(around[:, 1], around[:, 0]) % (2 * np.pi)
    seen = np.unique((angle / (2 * np.pi) * SECTORS).astype(int))
    nearer = (seen < SECTORS // 2).sum() > 0.85 * (SECTORS // 2)
    return ellipse if nearer and len(seen) > COVERED * SECTORS else None


def seen_outline(mask: Mask, hidden: Mask | None = None) -> Float:
    """(n, 2) pixels of the outline of a mask (h, w), but for where something hides that.

    About `POINTS` of them, as they come.
    """
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return np.zeros((0, 2))
    line = np.concatenate(contours)[:, 0]
    line = line[:: 1 + len(line) // POINTS]
    (x, y), (height, width) = line.T, mask.shape
    # Where the picture ends, so does the outline.
    kept = (x > 1) & (y > 1) & (x < width - 2) & (y < height - 2)
    if hidden is not None and hidden.any():
        side = 2 * round(1.0 + NEAR * math.sqrt(len(line))) + 1
        near = cv2.dilate(hidden.astype(np.uint8), np.ones((side, side), np.uint8))
        kept &= near[y, x] == 0
    return np.asarray(line[kept] + 0.5)


def _outer(mask: Mask, hidden: Mask | None, far: float) -> Float:
    """(n, 2) pixels of the seen outline that are on its convex hull."""
    line = seen_outline(mask, hidden)
    every, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(every)[:, 0]).astype(np.float32)
    inward = [cv2.pointPolygonTest(hull, (float(x) - 0.5, float(y) - 0.5), True) for x, y in line]
    return line[np.array(inward, dtype=np.float64) <= far]


def ellipse_through(points: Float) -> Ellipse | None:
    """The ellipse that fits points (n, 2) best."""
    if len(points) < 12:
        return None
    center, axes, degrees = cv2.fitEllipseDirect(points.astype(np.float32))
    half, turn = 0.5 * np.asarray(axes), math.radians(degrees)
    if not (np.isfinite(half).all() and half.min() > 1.0):
        return None
    if half[0] < half[1]:
        half, turn = half[::-1], turn + 0.5 * math.pi
    turn = (turn + 0.5 * math.pi) % math.pi - 0.5 * math.pi
    if half[1] > ROUNDEST * half[0]:
        # A circle's axes are anywhere.
        turn = 0.0
    return Ellipse(np.asarray(center), half, turn)


def _missed(ellipse: Ellipse, points: Float) -> Float:
    """(n,) about how far points are from an ellipse, pixels."""
    away = points - ellipse.center
    cosine, sine = math.cos(ellipse.turn), math.sin(ellipse.turn)
    own = np.stack([cosine * away[:, 0] + sine * away[:, 1],
                    cosine * away[:, 1] - sine * away[:, 0]], axis=1)
    radius = np.linalg.norm(own / ellipse.half, axis=1)
    slope = np.linalg.norm(own / ellipse.half**2, axis=1) / np.maximum(radius, 1e-9)
    return np.asarray(np.abs(radius - 1.0) / np.maximum(slope, 1e-9))
