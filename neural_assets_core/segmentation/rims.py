"""The rims of round things, as cups, plates and pots have them: ellipses all along edges."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.outlines import Ellipse, ellipse_of, ellipse_through
from neural_assets_core.scene import Picture
from neural_assets_core.segmentation.evidence import Evidence

Mask = NDArray[np.bool_]
Slopes = tuple[NDArray[np.float32], NDArray[np.float32]]

WORKING_SIDE, FIRST_WIDTH = 300, 100
"""Pixels a side of an object's picture in which rims are looked for, at most, and of the region's
width in which they are looked for first."""

MARGIN = 0.1
"""Surroundings of an object, as a share of the larger side."""

FLATNESS, HALF_WIDTHS = np.arange(0.2, 0.93, 0.05), np.arange(0.28, 0.56, 0.02)
"""Of rims: heights over widths, and half widths in widths of the region."""

FLATTEST = 2.0
"""Least half height of rims, in the same pixels."""

OUT, BELOW, STEP = 0.08, 0.09, 2.5
"""How far a rim may be out of the region and below its upper side, in shares of that one's
lesser side, and pixels from one to the next."""

LARGE = 1.0
"""Of rims within rims, what a larger one is worth, for each width of the region."""

FEW, MANY = 12, 96
"""Points of a rim that are looked at first, of all, and then, of the best."""

PROMISING = 300
"""Rims that are looked at a second time."""

REACHES = (0.08, 0.06, 0.04, 0.03)
"""How far from a rim its edge is looked for, round after round, in half widths."""

FAINT, AWAY = 0.4, 0.3
"""Strength of an edge that is none, in usual ones, and what it costs to be far from the rim."""

COVERED = 0.93
"""Share of a rim, and of its nearer half, that is on good edges; by chance it is rarely 0.9."""

TILTED = 0.2
"""Radians between a rim and the horizon."""


def rim_of(picture: Picture, mask: Picture) -> Ellipse | None:
    """The rim of an object, or the outline of something that is nothing but a disc; else None.

    Parameters
    ----------
    picture, mask : Picture
        The photograph, and the object's pixels in it.
    """
    inside = mask.pixels > 127
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    margin = 2 + round(MARGIN * max(len(rows), len(columns)))
    left, top = max(0, int(columns[0]) - margin), max(0, int(rows[0]) - margin)
    at = np.s_[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]
    scale = min(1.0, WORKING_SIDE / max(inside[at].shape))
    height, width = (max(1, round(scale * side)) for side in inside[at].shape)
    small = cv2.resize(picture.pixels[at], (width, height), interpolation=cv2.INTER_AREA)
    part = cv2.resize(mask.pixels[at], (width, height), interpolation=cv2.INTER_AREA) > 127
    found = None
    if part.any():
        found = rim_in(Evidence.of(np.asarray(small, np.uint8), part, (False,) * 4), part)
    if found is None:
        # Without edges in the picture: what stands on a plate hides them.
        return ellipse_of(inside)
    return Ellipse(found.center / scale + [left, top], found.half / scale, found.turn)


def rim_in(evidence: Evidence, inside: Mask) -> Ellipse | None:
    """The rim at the top of a region (h, w), not empty; None if there is none."""
    rough = _rough(evidence, inside)
    return None if rough is None else _fitted(evidence, strongest(evidence), rough)


# -- edges ---------------------------------------------------------------------------------------


def strongest(evidence: Evidence) -> Slopes:
    """How the colour that changes most does, along rows and columns (h, w); either sign."""
    x, y = evidence.slope_x, evidence.slope_y
    xx, yy, xy = (x * x).sum(axis=-1), (y * y).sum(axis=-1), (x * y).sum(axis=-1)
    half, angle = 0.5 * (xx - yy), 0.5 * np.arctan2(2.0 * xy, xx - yy)
    length = np.sqrt(0.5 * (xx + yy) + np.hypot(half, xy))
    return length * np.cos(angle), length * np.sin(angle)


def steepness(slopes: Slopes, points: Float, normals: Float) -> Float:
    """(...) how steep a picture is at points (..., 2) along their normals."""
    height, width = slopes[0].shape
    column = points[..., 0].astype(np.intp).clip(0, width - 1)
    row = points[..., 1].astype(np.intp).clip(0, height - 1)
    x, y = (slope[row, column] for slope in slopes)
    return np.asarray(np.abs(x * normals[..., 0] + y * normals[..., 1]))


def placed(rim: Ellipse, points: Float, normals: Float) -> tuple[Float, Float]:
    """Points and normals (..., 2) of the frame in which a rim is the unit circle, in pixels."""
    cosine, sine = math.cos(rim.turn), math.sin(rim.turn)
    back = np.array([[cosine, sine], [-sine, cosine]])
    across = normals / rim.half
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return rim.center + (points * rim.half) @ back, across @ back


# -- the rim -------------------------------------------------------------------------------------


def _circle(count: int) -> Float:
    """(count, 2) points of the unit circle, the lower half first."""
    angle = (np.arange(count) + 0.5) * (2.0 * np.pi / count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _rough(evidence: Evidence, inside: Mask) -> Ellipse | None:
    """The level ellipse at the top of a region that is best on edges, roughly; or None."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    scale = min(1.0, FIRST_WIDTH / len(columns))
    wide, high = scale * len(columns), scale * len(rows)
    tried = _tried(wide, high) + [scale * columns[0], scale * rows[0], 0.0, 0.0]
    if not len(tried):
        return None
    small = [
        np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=way))
        for image, way in (
            (evidence.pixels, cv2.INTER_AREA), (inside.astype(np.uint8), cv2.INTER_NEAREST)
        )
    ]
    coarse = Evidence.of(small[0], small[1] > 0, evidence.cut_off)
    slopes = strongest(coarse)

    def worth(ellipses: Float, count: int) -> Float:
        """(n,) how good ellipses (n, 4) are: on edges, not least in front, and large."""
        unit, ellipses = _circle(count).astype(np.float32), ellipses.astype(np.float32)
        normal = unit / ellipses[:, None, 2:]
        normal /= np.hypot(normal[..., :1], normal[..., 1:])
        points = ellipses[:, None, :2] + unit * ellipses[:, None, 2:]
        edges = np.minimum(1.0, steepness(slopes, points, normal) / coarse.usual_slope)
        on_edges = np.minimum(edges.mean(axis=1), edges[:, : count // 2].mean(axis=1))
        return np.asarray(on_edges + LARGE * ellipses[:, 2] / wide)

    tried = tried[np.argsort(-worth(tried, FEW))[:PROMISING]]
    x, y, a, b = tried[worth(tried, MANY).argmax()] / scale
    return Ellipse(np.array([x, y]), np.array([a, b]), 0.0)


def _tried(wide: float, high: float) -> Float:
    """(n, 4) middles and half axes of ellipses at the top of a region of a width and a height."""
    out = []
    for a in HALF_WIDTHS * wide:
        heights = FLATNESS * a
        heights = heights[(heights > FLATTEST) & (heights < 0.55 * high)]
        middles = np.arange(a - OUT * wide, wide - a + OUT * wide + 1e-6, STEP)
        tops = np.arange(-OUT, BELOW, STEP / min(wide, high)) * min(wide, high)
        each = np.meshgrid(middles, tops, heights, indexing="ij")
        x, top, b = (values.ravel() for values in each)
        out.append(np.stack([x, top + b, np.full(len(x), a), b], axis=1))
    return np.concatenate(out)


def _fitted(evidence: Evidence, slopes: Slopes, rim: Ellipse) -> Ellipse | None:
    """A rim on the edges near it; None if it has too few."""
    unit = _circle(MANY)
    for reach in REACHES:
        points, normals = placed(rim, unit, unit)
        away = np.linspace(-1.0, 1.0, 2 * math.ceil(2.0 * reach * rim.half[0]) + 1)
        near = points[:, None] + reach * rim.half[0] * away[:, None] * normals[:, None]
        edges = np.minimum(1.5, steepness(slopes, near, normals[:, None]) / evidence.usual_slope)
        edges = edges - AWAY * np.abs(away)
        on_edge = near[np.arange(MANY), edges.argmax(axis=1)][edges.max(axis=1) > FAINT]
        found = ellipse_through(on_edge)
        if found is None:
            return None
        rim = found
    points, normals = placed(rim, unit, unit)
    near = [steepness(slopes, points + off * normals, normals) for off in (-1, 0, 1)]
    edges = np.max(near, axis=0)
    clear = edges > evidence.usual_slope
    covered = min(clear.mean(), clear[: MANY // 2].mean())
    return rim if covered > COVERED and abs(rim.turn) < TILTED else None
