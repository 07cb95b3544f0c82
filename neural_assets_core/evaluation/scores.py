"""The figures of one picture: one row of `METRICS` each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.judge import Judge, Reading, look_at
from neural_assets_core.evaluation.metrics import (
    Image,
    Mask,
    centroid,
    crop_bounds,
    psnr,
    silhouette_iou,
    size_error,
    ssim,
)

UNCHANGED = 2
"""Largest difference of 8-bit values between pictures of a place that nothing touched."""
SMALLEST_BACKGROUND = 0.02
"""Share of the picture below which there is no background to speak of."""
NAN = float("nan")


@dataclass(frozen=True)
class Metric:
    """A column: its unit, digits, whether the judge reads it, and whether more is better."""

    label: str
    unit: str
    digits: int
    judged: bool = False
    higher: bool = False


METRICS = {
    "psnr": Metric("PSNR", "dB", 2, higher=True),
    "ssim": Metric("SSIM", "", 3, higher=True),
    "distance": Metric("distance", "", 3),
    "object_psnr": Metric("PSNR, objects", "dB", 2, higher=True),
    "object_ssim": Metric("SSIM, objects", "", 3, higher=True),
    "object_distance": Metric("distance, objects", "", 3),
    "background_change": Metric("background change", "%", 2),
    "silhouette_iou": Metric("silhouette IoU", "", 3, judged=True, higher=True),
    "centroid_error": Metric("centroid error", "%", 2, judged=True),
    "size_error": Metric("size error", "%", 1, judged=True),
    "residue": Metric("left of removed", "%", 1, judged=True),
    "identity": Metric("own instance nearest", "%", 1, judged=True, higher=True),
}
"""All figures. Those of objects are means over a case's edited objects.

distance
    `Judge.distance`: perceptual, 0 for equal, about 1 for unrelated pictures.
background_change
    Mean difference from the source, outside all 2D boxes and wherever the truth, shadows
    included, is the source's own; share of the range of values.
silhouette_iou, centroid_error, size_error
    Of the silhouette that the judge reads against the generator's own; the centroid's in
    shares of the picture's side, the size's in shares of the object's. An object that is not
    found is off by half of what was searched, and by 100 %.
residue
    Share of a removed object's place in which the judge still sees an object.
identity
    1 if the object resembles its own look in the request more than any other one's.
"""


def scores(
    case: Case, picture: Image, readings: Sequence[Reading], judge: Judge
) -> dict[str, float]:
    """All figures of a picture but `identity`, which needs all cases; nan where none applies."""
    truth = case.target.image
    height, width = truth.shape[:2]
    crops = [crop_bounds(region, width, height) for region in case.regions]
    inside = [(np.ascontiguousarray(picture[c]), np.ascontiguousarray(truth[c])) for c in crops]
    return {
        "psnr": psnr(picture, truth),
        "ssim": ssim(picture, truth),
        "distance": judge.distance(picture, truth),
        "object_psnr": _mean([psnr(*pair) for pair in inside]),
        "object_ssim": _mean([ssim(*pair) for pair in inside]),
        "object_distance": _mean([judge.distance(*pair) for pair in inside]),
        "background_change": background_change(case, picture),
        **pose_scores(case, readings),
    }


def background_change(case: Case, picture: Image) -> float:
    """See `METRICS`; nan if camera or background were edited, or objects are everywhere."""
    place = untouched(case)
    if place.mean() < SMALLEST_BACKGROUND:
        return NAN
    change = np.abs(picture.astype(np.int16) - case.source.image.astype(np.int16))
    return 100 * float(change[place].mean()) / 255


def untouched(case: Case) -> Mask:
    """Pixels (height, width) that a perfect answer leaves as they are in the source."""
    source, target = case.source, case.target
    height, width = source.mask.shape
    same_view = np.array_equal(case.scene.background.view.picture.pixels, source.image)
    if source.camera != target.camera or not same_view:
        return np.zeros((height, width), dtype=bool)
    difference = np.abs(source.image.astype(np.int16) - target.image.astype(np.int16))
    place = difference.max(axis=2) <= UNCHANGED
    for item in (*source.objects, *target.objects):
        x0, y0, x1, y1 = item.region
        rows = slice(int(y0 * height), int(np.ceil(y1 * height)))
        place[rows, int(x0 * width) : int(np.ceil(x1 * width))] = False
    return np.asarray(cv2.erode(place.astype(np.uint8), np.ones((5, 5), np.uint8))) > 0


def pose_scores(case: Case, readings: Sequence[Reading]) -> dict[str, float]:
    """What the judge reads of the edited objects' places and sizes."""
    names = ("silhouette_iou", "centroid_error", "size_error", "residue")
    if case.removes:
        # Another object that comes into sight there is meant to be seen.
        left = [
            100 * float((reading.silhouette & was & (case.target.mask == 0)).sum())
            / max(int((was & (case.target.mask == 0)).sum()), 1)
            for reading, was in zip(readings, case.silhouettes(), strict=True)
        ]
        return dict(zip(names, (NAN, NAN, NAN, _mean(left)), strict=True))
    rows = [
        _pose(reading.silhouette, truth, region)
        for reading, truth, region in zip(
            readings, case.silhouettes(), case.regions, strict=True
        )
    ]
    return dict(zip(names, (*np.mean(rows, axis=0).tolist(), NAN), strict=True))


def _pose(
    found: Mask, truth: Mask, region: tuple[float, float, float, float]
) -> tuple[float, float, float]:
    height, width = truth.shape
    if not found.any():
        return 0.0, 100 * 0.5 * look_at(region, width, height).side / max(width, height), 100.0
    shift = float(np.linalg.norm(centroid(found) - centroid(truth)))
    iou = silhouette_iou(found, truth)
    return iou, 100 * shift / max(width, height), 100 * size_error(found, truth)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
