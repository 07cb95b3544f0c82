"""Which pixels of a picture are the object in a box: GrabCut, guided by brush strokes.

GrabCut (Rother, Kolmogorov and Blake 2004, OpenCV's) works on a small picture of the box's
surroundings; its edge is then fitted to the full picture by a guided filter (He, Sun and Tang
2010), so that the mask is as sharp as the photograph and soft where that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box
from neural_assets_core.geometry.raycast import PixelRect, silhouette
from neural_assets_core.scene import Picture, View

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

WORKING_SIDE = 384
"""Pixels a side of the picture that GrabCut sees, at most."""

GROWTH = 0.05
"""How far an object may stick out of its box's silhouette, as a fraction of its larger side."""

MARGIN = 0.25
"""Surroundings that tell what the background looks like, as the same fraction."""

CORE = 0.75
"""Pixels of at least this share of the silhouette's greatest depth are the object's for sure."""

ITERATIONS = 4
FEWEST, MOST = 0.04, 1.4
"""Area of a mask that is believed, relative to the silhouette's."""

SOFTNESS = 2
"""Pixels on either side of an edge in which the mask may be soft, at the working size."""


@dataclass(frozen=True)
class Stroke:
    """A brush stroke over the picture.

    Attributes
    ----------
    points : sequence of (u, v)
        Pixels of the picture; one point makes a dot.
    radius : float
        Pixels.
    foreground : bool
        Whether what is under it belongs to the object.
    """

    points: Sequence[tuple[float, float]]
    radius: float
    foreground: bool = True


class Segmenter(Protocol):
    """A way to find an object's mask; anything that answers this call may take GrabCut's place."""

    def __call__(self, view: View, box: Box, strokes: Sequence[Stroke] = ()) -> Picture:
        """The mask of the object in `box`: see `segment`."""
        ...


class GrabCut:
    """GrabCut as a `Segmenter`."""

    def __call__(self, view: View, box: Box, strokes: Sequence[Stroke] = ()) -> Picture:
        """See `segment`."""
        return segment(view, box, strokes)


def segment(view: View, box: Box, strokes: Sequence[Stroke] = ()) -> Picture:
    """The pixels of the object in a box.

    Parameters
    ----------
    view : View
        The photograph and its camera.
    box : Box
        Around the object, in the view's world.
    strokes : sequence of Stroke
        Corrections by hand, each stronger than those before it. They may leave the box.

    Returns
    -------
    Picture
        (height, width) of the view, 255 inside, soft at its edges. Where colours cannot tell the
        object from its surroundings: the box's silhouette, with the strokes applied.
    """
    outline = silhouette(view.camera, box)
    painted = _painted(strokes, outline.shape)
    outline = (outline | (painted == cv2.GC_FGD)) & (painted != cv2.GC_BGD)
    out = np.zeros(outline.shape, dtype=np.uint8)
    if not outline.any():
        return Picture(out)
    rect = _window(outline)
    at = rect.slices
    pixels, inside, strokes_there = view.picture.pixels[at], outline[at], painted[at]
    scale = min(1.0, WORKING_SIDE / max(inside.shape))
    size = (max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale)))
    found = _grab(
        np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)),
        np.asarray(cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)) > 0,
        np.asarray(cv2.resize(strokes_there, size, interpolation=cv2.INTER_NEAREST)),
    )
    if found is None:
        mask = np.where(inside, np.uint8(255), np.uint8(0))
    else:
        mask = _fitted(pixels, found, SOFTNESS / scale)
    mask[strokes_there == cv2.GC_FGD] = 255
    mask[strokes_there == cv2.GC_BGD] = 0
    out[at] = mask
    return Picture(out)


def _painted(strokes: Sequence[Stroke], shape: tuple[int, ...]) -> U8:
    """(h, w) `GC_FGD` and `GC_BGD` under strokes, else `GC_PR_BGD`."""
    out = np.full(shape, cv2.GC_PR_BGD, dtype=np.uint8)
    for stroke in strokes:
        # In 1/16 pixels, and pixel centres are at + 0.5.
        points = np.asarray(stroke.points, dtype=np.float64).reshape(-1, 2)
        fixed = np.round((points - 0.5).clip(-1e5, 1e5) * 16).astype(np.int32)
        value = int(cv2.GC_FGD if stroke.foreground else cv2.GC_BGD)
        radius = max(stroke.radius, 0.5)
        width = max(1, round(2 * radius))
        cv2.polylines(out, [fixed], False, value, width, cv2.LINE_8, 4)
        for point in fixed:
            cv2.circle(out, point.tolist(), round(16 * radius), value, -1, cv2.LINE_8, 4)
    return out


def _window(outline: Mask) -> PixelRect:
    """The outline's surroundings, inside the picture."""
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    margin = 2 + round(MARGIN * max(len(rows), len(columns)))
    return PixelRect(
        left=max(0, int(columns[0]) - margin),
        top=max(0, int(rows[0]) - margin),
        right=min(outline.shape[1], int(columns[-1]) + 1 + margin),
        bottom=min(outline.shape[0], int(rows[-1]) + 1 + margin),
    )


def _grab(pixels: U8, inside: Mask, strokes: U8) -> Mask | None:
    """The object, or None if there is no telling."""
    depth = cv2.distanceTransform(
        np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5
    )[1:-1, 1:-1]
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
    labels = np.full(inside.shape, cv2.GC_BGD, dtype=np.uint8)
    labels[away <= 1 + GROWTH * np.sqrt(inside.sum())] = cv2.GC_PR_BGD
    labels[inside] = cv2.GC_PR_FGD
    core = depth >= CORE * depth.max()
    labels[core] = cv2.GC_FGD
    for kind in (cv2.GC_FGD, cv2.GC_BGD):
        labels[strokes == kind] = kind
    if not (labels == cv2.GC_BGD).any():
        # The box fills the picture: nothing says what is not the object.
        return None
    # GrabCut starts from random clusters; the same picture must give the same mask.
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(pixels, labels, None, *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    found = _tidied((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), strokes == cv2.GC_FGD)
    share = found.sum() / inside.sum()
    # Nothing but what was told.
    told = found.sum() < 1.1 * (core | (strokes == cv2.GC_FGD)).sum()
    return found if FEWEST < share < MOST and not told else None


def _tidied(mask: Mask, wanted: Mask) -> Mask:
    """Without frayed edges, specks and small holes; `wanted` (strokes) stay."""
    blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)
    count, parts, stats, _ = cv2.connectedComponentsWithStats((blurred > 0.5).astype(np.uint8))
    if count < 2:
        return mask & wanted
    areas = stats[:, cv2.CC_STAT_AREA]
    kept = np.zeros(count, dtype=bool)
    kept[1 + int(areas[1:].argmax())] = True
    kept[np.unique(parts[wanted])] = True
    kept[0] = False
    whole = kept[parts] | wanted
    count, holes, stats, _ = cv2.connectedComponentsWithStats((~whole).astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < 0.01 * whole.sum()
    small[0] = False
    return np.asarray(whole | small[holes])


def _fitted(pixels: U8, found: Mask, band: float) -> U8:
    """A mask found on a smaller picture, at the full picture's size and on its edges."""
    height, width = pixels.shape[:2]
    rough = cv2.resize(
        found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    soft = guided(pixels.astype(np.float32) / 255.0, np.asarray(rough), max(2, round(2 * band)))
    # A filter that averages leaves an edge too soft: steeper, and decided away from it.
    soft = np.clip((soft - 0.5) * 1.8 + 0.5, 0.0, 1.0)
    sure = (rough > 0.5).astype(np.uint8)
    inner = cv2.distanceTransform(np.pad(sure, 1, "edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform(np.pad(1 - sure, 1, "edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    soft = np.where(inner > band, 1.0, np.where(outer > band, 0.0, soft))
    return np.asarray(np.round(255.0 * soft), dtype=np.uint8)


def guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int, epsilon: float = 1e-4
) -> NDArray[np.float32]:
    """`values` (h, w) smoothed along the edges of the picture `guide` (h, w, 3), in [0, 1].

    In every neighbourhood the result is a linear function of the guide's colour.
    """

    def mean(image: Any) -> Any:
        return cv2.blur(image, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)

    average, expected = mean(guide), mean(values)
    together = mean(guide * values[..., None]) - average * expected[..., None]
    products = guide[..., :, None] * guide[..., None, :]
    spread = mean(products.reshape(*values.shape, 9)).reshape(*values.shape, 3, 3)
    spread = spread - average[..., :, None] * average[..., None, :]
    spread = spread + epsilon * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, together[..., None])[..., 0]
    offset = expected - (slope * average).sum(axis=-1)
    return np.asarray((mean(slope) * guide).sum(axis=-1) + mean(offset), dtype=np.float32)
