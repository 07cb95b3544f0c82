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

DEEP = 0.4
"""Pixels of at least this share of the same depth show the object's colours, by and large."""

SHADED = 0.75
"""Brightness, relative to the ground's, under which that may be in a shadow."""

HUELESS, HUES = 8.0, 60.0
"""Brightness under which hues count less, and steps of a hue for a factor of e."""

ITERATIONS = 4
FEWEST, MOST = 0.04, 1.4
"""Area of a mask that is believed, relative to the silhouette's."""

SOFTNESS = 2
"""Pixels on either side of an edge in which a mask may be soft, at its working size."""


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
    told = painted(strokes, outline.shape)
    outline = (outline | (told == cv2.GC_FGD)) & (told != cv2.GC_BGD)
    out = np.zeros(outline.shape, dtype=np.uint8)
    if not outline.any():
        return Picture(out)
    rect = _window(outline)
    at = rect.slices
    pixels, inside, strokes_there = view.picture.pixels[at], outline[at], told[at]
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
        mask = fitted(pixels, found, SOFTNESS / scale)
    mask[strokes_there == cv2.GC_FGD] = 255
    mask[strokes_there == cv2.GC_BGD] = 0
    out[at] = mask
    return Picture(out)


def painted(strokes: Sequence[Stroke], shape: tuple[int, ...]) -> U8:
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
        shadow = _shadow(pixels, labels, depth)
        # A hand that has painted knows better.
        if shadow.any() and (strokes == cv2.GC_PR_BGD).all():
            labels[shadow] = cv2.GC_BGD
            cv2.grabCut(pixels, labels, None, *models, 1, cv2.GC_EVAL)
    except cv2.error:
        return None
    found = _tidied((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), strokes == cv2.GC_FGD)
    share = found.sum() / inside.sum()
    # Nothing but what was told.
    told = found.sum() < 1.1 * (core | (strokes == cv2.GC_FGD)).sum()
    return found if FEWEST < share < MOST and not told else None


def _shadow(pixels: U8, labels: U8, depth: NDArray[np.float32]) -> Mask:
    """What was taken for the object but is ground in its shadow.

    It is darker than the ground around it, and of the ground's hue rather than the object's.
    """
    found = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    outside = cv2.erode((~found).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    deep = found & (depth >= DEEP * depth.max())
    doubtful = (labels == cv2.GC_PR_FGD) & ~deep
    if not (outside.any() and deep.any() and doubtful.any()):
        return np.zeros(found.shape, dtype=bool)
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.5).astype(np.float32) + HUELESS
    logs = np.log(smooth)
    bright = logs.mean(axis=-1)
    hue = [np.clip(128 + HUES * (logs[..., i] - bright), 0, 255).astype(np.uint8) for i in (0, 2)]

    def likely(where: Mask) -> NDArray[np.float32]:
        """(h, w) how usual each pixel's hue is among those `where`."""
        counts = cv2.calcHist(hue, [0, 1], where.astype(np.uint8), [64, 64], [0, 256, 0, 256])
        counts = np.asarray(cv2.GaussianBlur(counts, (0, 0), 1.5)) / float(where.sum())
        rows, columns = hue[0] // 4, hue[1] // 4
        usual: NDArray[np.float32] = counts.astype(np.float32)[rows, columns]
        return usual

    darker = bright < np.median(bright[outside]) + np.log(SHADED)
    of_ground = likely(outside) > likely(deep) + 1e-4
    shadow = (doubtful & darker & of_ground).astype(np.uint8)
    shadow = np.asarray(cv2.morphologyEx(shadow, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))
    # It begins at the object's foot and ends in the light: the object's own dark parts do not.
    _, parts = cv2.connectedComponents(shadow)
    rim = cv2.dilate((~found).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    reached = np.unique(np.asarray(parts)[rim])
    return np.isin(parts, reached[reached > 0])


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


def fitted(pixels: U8, found: Mask, band: float) -> U8:
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

    red, green, blue = cv2.split(guide)
    r, g, b, expected = (mean(channel) for channel in (red, green, blue, values))
    rr = mean(red * red) - r * r + epsilon
    gg = mean(green * green) - g * g + epsilon
    bb = mean(blue * blue) - b * b + epsilon
    rg = mean(red * green) - r * g
    rb = mean(red * blue) - r * b
    gb = mean(green * blue) - g * b
    x, y, z = (
        mean(channel * values) - average * expected
        for channel, average in ((red, r), (green, g), (blue, b))
    )
    # The symmetric 3 x 3 system of each pixel, by its adjugate.
    c0, c1, c2 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c3, c4, c5 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    whole = 1.0 / np.maximum(rr * c0 + rg * c1 + rb * c2, np.float32(1e-30))
    slope = [
        (c0 * x + c1 * y + c2 * z) * whole,
        (c1 * x + c3 * y + c4 * z) * whole,
        (c2 * x + c4 * y + c5 * z) * whole,
    ]
    offset = expected - slope[0] * r - slope[1] * g - slope[2] * b
    smooth = mean(slope[0]) * red + mean(slope[1]) * green + mean(slope[2]) * blue
    return np.asarray(smooth + mean(offset), dtype=np.float32)
