"""What a picture says for and against a mask: colours, edges, and where it was cut off."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from neural_assets_core.geometry.box import Float

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

BINS = 16
"""Steps of lightness and of either colour axis."""

CERTAIN = 2.0
"""Log likelihood that a colour can have at most: it may be usual on both sides all the same."""

RARE = 2e-5
"""Share of a colour that nobody has seen."""

USUAL_EDGE = 80
"""Percentile of the slopes inside that edges are measured by."""

FAINTEST = 0.5
"""Slope of the noise of a plain picture, per pixel, of 256."""

STRONGEST, CLEAR = 99, 0.3
"""Percentile of the slopes of the sharpest edges, and the share of these that no noise has."""


@dataclass(frozen=True)
class Evidence:
    """A small picture, prepared.

    Attributes
    ----------
    pixels : uint8 array (h, w, 3)
    colours : int array (h, w)
        Which of `BINS` ** 3 colours each pixel has.
    slope_x, slope_y : float32 arrays (h, w, 3)
        How lightness and colours change along rows and columns, per pixel.
    slope : float array (h, w)
        Their length.
    usual_slope : float
        Of a good edge.
    clear_slope : float
        At least that, and of an edge that is more than noise.
    cut_off : (bool, bool, bool, bool)
        Whether it ends where the photograph ends: left, top, right, bottom.
    """

    pixels: U8
    colours: NDArray[np.intp]
    slope_x: NDArray[np.float32]
    slope_y: NDArray[np.float32]
    slope: NDArray[np.float32]
    usual_slope: float
    clear_slope: float
    cut_off: tuple[bool, bool, bool, bool]

    @classmethod
    def of(cls, pixels: U8, inside: Mask, cut_off: tuple[bool, bool, bool, bool]) -> Evidence:
        """Of the surroundings (h, w, 3) of a region `inside` (h, w)."""
        lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB))
        smooth = cv2.GaussianBlur(lab, (0, 0), 0.8).astype(np.intp)
        # Hardly any colour is as strong as Lab allows.
        smooth[..., 1:] = np.clip(2 * smooth[..., 1:] - 128, 0, 255)
        lightness, a, b = np.moveaxis(smooth * BINS // 256, -1, 0)
        weighed = lab.astype(np.float32) * np.array([0.5, 1.0, 1.0], dtype=np.float32)
        even = cv2.GaussianBlur(weighed, (0, 0), 1.2)
        along = [
            np.asarray(cv2.Sobel(even, cv2.CV_32F, *way, ksize=3, scale=1 / 8), dtype=np.float32)
            for way in _WAYS
        ]
        slope = np.sqrt((along[0] ** 2 + along[1] ** 2).sum(axis=-1))
        usual, strongest = np.percentile(slope[inside], [USUAL_EDGE, STRONGEST])
        usual = max(float(usual), FAINTEST)
        return cls(
            pixels=pixels,
            colours=np.asarray((lightness * BINS + a) * BINS + b),
            slope_x=along[0],
            slope_y=along[1],
            slope=slope,
            usual_slope=usual,
            clear_slope=max(usual, CLEAR * float(strongest)),
            cut_off=cut_off,
        )


_WAYS = ((1, 0), (0, 1))


def likelihood(evidence: Evidence, found: Float, background: Float) -> NDArray[np.float32]:
    """(h, w) how much more usual each pixel's colour is on the object than around it, as a log.

    Parameters
    ----------
    evidence : Evidence
    found, background : arrays (h, w)
        How much each pixel counts for what the object, and what its surroundings look like.
    """
    if not (found.any() and background.any()):
        return np.zeros(evidence.colours.shape, dtype=np.float32)
    usual = [_usual(evidence, weight)[evidence.colours] + RARE for weight in (found, background)]
    ratio = np.log(usual[0] / usual[1])
    return np.clip(ratio, -CERTAIN, CERTAIN).astype(np.float32)


def _usual(evidence: Evidence, weight: Float) -> Float:
    """(BINS ** 3,) how usual colours are."""
    counts = np.bincount(
        evidence.colours.ravel(), weights=weight.ravel().astype(float), minlength=BINS**3
    )
    even = gaussian_filter(counts.reshape(BINS, BINS, BINS), 0.7).ravel()
    return np.asarray(even / even.sum())


def gaps(inside: Mask, mask: Mask) -> Float:
    """(4,) what a mask leaves free at each side of a region, in shares of its width or height."""
    free: list[float] = []
    for axis in (0, 1):
        whole, part = np.flatnonzero(inside.any(axis=axis)), np.flatnonzero(mask.any(axis=axis))
        free += [(part[0] - whole[0]) / len(whole), (whole[-1] - part[-1]) / len(whole)]
    return np.maximum(0.0, free)
