"""Distances between pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SMALLEST_CROP = 32
"""Object-level figures need a few pixels: smaller boxes are grown to this side."""


def psnr(image: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio in dB of uint8 pictures of the same shape."""
    error = float(np.mean((image.astype(np.float64) - truth.astype(np.float64)) ** 2))
    return float(10 * np.log10(255.0**2 / max(error, 1e-9)))


def ssim(image: Image, truth: Image) -> float:
    """Structural similarity (Wang et al. 2004), Gaussian windows, mean over the channels."""
    return float(
        structural_similarity(
            image, truth, channel_axis=2, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, data_range=255,
        )
    )


def silhouette_iou(found: Mask, truth: Mask) -> float:
    """Intersection over union of two silhouettes; 1 if both are empty."""
    union = int((found | truth).sum())
    return 1.0 if union == 0 else float((found & truth).sum()) / union


def centroid(silhouette: Mask) -> NDArray[np.float64]:
    """(x, y) of the middle of a silhouette that is not empty, in pixels."""
    rows, columns = np.nonzero(silhouette)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def size_error(found: Mask, truth: Mask) -> float:
    """By how much too large or small a silhouette is along one side: 0.1 is 10 %."""
    return abs(float(np.sqrt(found.sum() / max(int(truth.sum()), 1))) - 1.0)


def crop_bounds(
    region: tuple[float, float, float, float], width: int, height: int
) -> tuple[slice, slice]:
    """Rows and columns of a 2D box (x0, y0, x1, y1 as fractions), at least `SMALLEST_CROP`."""
    return (
        _span(region[1] * height, region[3] * height, height),
        _span(region[0] * width, region[2] * width, width),
    )


def _span(start: float, stop: float, length: int) -> slice:
    first, last = int(np.floor(start)), int(np.ceil(stop))
    missing = min(SMALLEST_CROP, length) - (last - first)
    if missing > 0:
        first -= missing // 2
        last = first + min(SMALLEST_CROP, length)
    shift = max(0, -first) - max(0, last - length)
    return slice(max(0, first + shift), min(length, last + shift))
