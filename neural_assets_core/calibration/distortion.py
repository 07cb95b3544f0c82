"""Photographs of lenses that bend straight lines, straightened.

A point that is x away from the picture's middle, in focal lengths, is taken by the lens to
x (1 + k1 r² + k2 r⁴), r = |x|: the first terms of Brown's model, as OpenCV, COLMAP and most
others count them. Barrels have a negative k1. Drones and survey cameras write such terms into
their files (XMP); other EXIF data and fSpy projects have no place for them.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from neural_assets_core.calibration.ground import USUAL_FOCAL
from neural_assets_core.calibration.photograph import Photograph
from neural_assets_core.calibration.xmp import STRONGEST, Terms
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Picture

ZOOM = (0.25, 4.0)
"""How much the focal length may change so that the picture is full to its edges."""

STRIP = 256
"""Rows straightened at a time: the maps of a whole large photograph would take gigabytes."""


def undistorted(
    photograph: Photograph, terms: Terms | None = None, focal: float | None = None
) -> Photograph:
    """The photograph with straight lines straight, full to its edges, at its own size.

    Parameters
    ----------
    photograph : Photograph
    terms : (float, float), optional
        k1 and k2; by default the file's own. Without any it stays as it is.
    focal : float, optional
        Of the photograph as it is, pixels, if known better than by the file.

    Returns
    -------
    Photograph
        Its focal length is the straight picture's, if one was known; it has no terms left.

    Raises
    ------
    UserError
        If no lens has such terms.
    """
    terms = photograph.distortion if terms is None else terms
    straight = replace(photograph, distortion=None)
    if terms is None or terms == (0.0, 0.0):
        return straight
    if not all(abs(term) <= STRONGEST for term in terms):
        raise UserError(f"No lens has the distortion {terms[0]:g} {terms[1]:g}: check the terms.")
    known = focal or photograph.focal
    before = known or USUAL_FOCAL * math.hypot(*photograph.size)
    after = _full(photograph.size, before, terms)
    pixels = _straightened(photograph.picture, before, after, terms)
    return replace(straight, picture=Picture(pixels), focal=after if known else None)


def _bent(points: Float, terms: Terms) -> Float:
    """(..., 2) where the lens takes points, in focal lengths from the middle."""
    r2 = (points * points).sum(axis=-1, keepdims=True)
    return np.asarray(points * (1.0 + r2 * (terms[0] + r2 * terms[1])))


def _full(size: tuple[int, int], focal: float, terms: Terms) -> float:
    """The shortest focal length with which all of the straight picture was in the bent one."""
    half = 0.5 * np.asarray(size, dtype=np.float64)
    along = np.linspace(-1.0, 1.0, 65)
    edges = np.concatenate([
        np.stack([along, np.full_like(along, side)], axis=-1) for side in (-1.0, 1.0)
    ])
    border = np.concatenate([edges, edges[:, ::-1]]) * half

    def fits(after: float) -> bool:
        points = border / after
        r2 = (points * points).sum(axis=-1).max()
        # Beyond where the model turns back, it is no lens's.
        rises = 1.0 + np.linspace(0, r2, 33) * (
            3 * terms[0] + 5 * terms[1] * np.linspace(0, r2, 33)
        )
        inside = np.abs(_bent(points, terms) * focal) <= half + 1e-6
        return bool(inside.all() and (rises > 0.05).all())

    low, high = (focal * times for times in ZOOM)
    if not fits(high):
        raise UserError(
            f"No lens of this focal length has the distortion {terms[0]:g} {terms[1]:g}: check the "
            "terms and the focal length."
        )
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _straightened(
    picture: Picture, before: float, after: float, terms: Terms
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(height, width, 3)"""
    height, width = picture.height, picture.width
    middle = 0.5 * np.array([width, height])
    out = np.empty_like(picture.pixels)
    u = np.arange(width) + 0.5
    for top in range(0, height, STRIP):
        v = np.arange(top, min(top + STRIP, height)) + 0.5
        points = (np.stack(np.meshgrid(u, v), axis=-1) - middle) / after
        # Pixel centres are at + 0.5 here, at whole numbers in OpenCV.
        source = (_bent(points, terms) * before + middle - 0.5).astype(np.float32)
        out[top : top + len(v)] = cv2.remap(
            picture.pixels, source, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    return out
