"""How steeply a camera looks down, told by the rim of something round.

Cups, plates, pots and wheels that lie down have rims that are circles; a camera sees them as
ellipses, the flatter the lower it looks. For a photograph of which nothing else is known that is
a far better guess than any usual tilt.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.calibration.ground import camera_from_horizon
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.outlines import ellipse_of
from neural_assets_core.scene import Picture

WORKING_SIDE = 200
"""Pixels a side of the object's picture in which rims are looked for."""

FLATNESS = np.linspace(0.2, 0.88, 35)
"""Of ellipses that are tried: heights over widths. A ball is no rim."""

WIDTHS = np.linspace(0.25, 0.5, 16)
"""Half widths, as a share of the object's width."""

PLACES = np.linspace(0.0, 1.0, 13)
"""How far an ellipse is from the left of all its places to the right."""

AROUND = 64
"""Places on each ellipse that are looked at."""

EDGE = 0.6
"""Least strength of an edge, as a share of the object's good ones."""

BROKEN = 0.15
"""Share of a rim, and of its nearer half, that may be hidden or without contrast."""


def camera_by_rim(camera: Camera, picture: Picture, mask: Picture) -> Camera | None:
    """The camera tilted so that the round rim of an object is level; None if it has no such rim.

    Parameters
    ----------
    camera : Camera
        Whose focal length and height are kept.
    picture, mask : Picture
        The photograph, and the object's pixels in it.
    """
    inside = mask.pixels > 127
    found = _rim(picture.pixels, inside) or _disc(inside)
    if found is None:
        return None
    flatness, y = found
    focal, middle = float(camera.k[1, 1]), float(camera.k[1, 2])
    tilt = math.asin(flatness) - math.atan((y - middle) / focal)
    horizon = middle - focal * math.tan(min(max(tilt, 0.02), 1.4))
    size = (camera.width, camera.height)
    return camera_from_horizon(size, focal, horizon, horizon, float(camera.position[2]))


def _rim(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """How flat the rim at the top of an object is, and at which y its middle."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) < 8 or len(columns) < 8:
        return None
    margin = 4 + max(len(rows), len(columns)) // 20
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    part = pixels[top : rows[-1] + margin, left : columns[-1] + margin]
    scale = min(1.0, WORKING_SIDE / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    even = cv2.GaussianBlur(np.asarray(small, dtype=np.float32), (0, 0), 1.2)
    slopes = [np.asarray(cv2.Sobel(even, cv2.CV_32F, *way, ksize=3)) for way in ((1, 0), (0, 1))]
    strength = np.sqrt((slopes[0] ** 2 + slopes[1] ** 2).sum(axis=-1))
    usual = float(np.percentile(strength, 85))
    if usual <= 0:
        return None
    width = scale * len(columns)
    first = np.array([scale * (columns[0] - left), scale * (rows[0] - top)])
    ellipses = _ellipses(first, width)
    covered, nearer = _covered(slopes, ellipses, EDGE * usual)
    good = (covered > 1 - BROKEN) & (nearer > 1 - BROKEN)
    if not good.any():
        return None
    # Of rims inside rims, the outer one.
    best = int(np.where(good, covered + 0.5 * ellipses[:, 2] / width, -1.0).argmax())
    _, y, a, b = ellipses[best]
    return float(b / a), float(top + y / scale)


def _disc(mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The same of something that is nothing but a disc, however much of its farther half is hidden.

    Without its edges in the picture: what stands on a plate hides them.
    """
    ellipse = ellipse_of(mask)
    if ellipse is None:
        return None
    flatness = float(ellipse.half[1] / ellipse.half[0])
    if not FLATNESS[0] <= flatness <= FLATNESS[-1]:
        return None
    return flatness, float(ellipse.center[1])


def _ellipses(first: Float, width: float) -> Float:
    """(n, 4) middles x and y, half widths and half heights of what may be rims at the top."""
    place, half, flat, lower = np.meshgrid(
        PLACES, WIDTHS * width, FLATNESS, np.array([0.0, 0.01, 0.02]) * width, indexing="ij"
    )
    x = first[0] + half + place * (width - 2.0 * half)
    y = first[1] + lower + half * flat
    return np.stack([x, y, half, half * flat], axis=-1).reshape(-1, 4)


def _covered(
    slopes: list[NDArray[np.float32]], ellipses: Float, least: float
) -> tuple[Float, Float]:
    """(n,) shares of each ellipse, and of its lower half, that are on edges along it."""
    angle = (np.arange(AROUND) + 0.5) * (2.0 * np.pi / AROUND)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, a, b = (ellipses[:, i, None] for i in range(4))
    normal = np.stack(np.broadcast_arrays(b * cosine, a * sine))
    normal = normal / np.linalg.norm(normal, axis=0)
    height, width = slopes[0].shape[:2]
    hit = np.zeros((len(ellipses), AROUND), dtype=bool)
    for offset in (-1.0, 0.0, 1.0):
        u = (x + a * cosine + offset * normal[0]).astype(int).clip(0, width - 1)
        v = (y + b * sine + offset * normal[1]).astype(int).clip(0, height - 1)
        across = slopes[0][v, u] * normal[0][..., None] + slopes[1][v, u] * normal[1][..., None]
        hit |= np.square(across).sum(axis=-1) > least**2
    return hit.mean(axis=1), hit[:, sine > 0].mean(axis=1)
