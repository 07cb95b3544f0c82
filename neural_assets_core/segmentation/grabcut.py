"""Which pixels of a picture are the object that was drawn around: GrabCut, and more.

GrabCut (Rother, Kolmogorov and Blake 2004, OpenCV's) works on a small picture of the surroundings,
from several beginnings of which the likeliest result is taken (see `choice`); its edge is then
fitted to the full picture by a guided filter (He, Sun and Tang 2010), so that the mask is as sharp
as the photograph and soft where that is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.geometry.raycast import PixelRect, silhouette
from neural_assets_core.scene import Picture, View
from neural_assets_core.segmentation.choice import likeliest
from neural_assets_core.segmentation.evidence import Evidence

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels."""

WORKING_SIDE = 300
"""Pixels a side of the picture that GrabCut sees, at most; small ones are enlarged for it."""

LARGEST_SCALE = 2.0

MARGIN = 0.25
"""Surroundings that tell what the background looks like, as a share of the larger side."""

DRAWN_SLACK, BOX_SLACK = 0.03, 0.15
"""What an object may leave free at each side of a rectangle that was drawn around it, and of its
box's silhouette, as a share of that one's width or height."""

WIDEST_BRUSH = 16000.0
"""Radius of a stroke, pixels; wider ones are drawn so."""

FINEST = 8
"""Pixels of a neighbourhood's radius that say enough of how a mask follows edges there."""

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

    Raises
    ------
    UserError
        If a number is not finite.
    """

    points: Sequence[tuple[float, float]]
    radius: float
    foreground: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius) and np.isfinite(self.points).all()):
            raise UserError("A stroke is nowhere: its positions and its radius must be numbers.")


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
    return Picture(_segmented(view.picture.pixels, outline, strokes, BOX_SLACK))


def segment_rectangle(
    picture: Picture, rectangle: Rectangle, strokes: Sequence[Stroke] = ()
) -> Picture:
    """The pixels of the object that a rectangle was drawn around.

    Parameters
    ----------
    picture : Picture
        The photograph.
    rectangle : (float, float, float, float)
        Left, top, right and bottom, pixels: about as large as the object.
    strokes : sequence of Stroke
        As for `segment`.

    Returns
    -------
    Picture
        (height, width) of the picture, as by `segment`. Where there is no telling: the rectangle.

    Raises
    ------
    UserError
        If nothing of the picture is in the rectangle.
    """
    height, width = picture.pixels.shape[:2]
    inside = np.zeros((height, width), dtype=bool)
    if all(math.isfinite(value) for value in rectangle):
        left, right = (round(min(max(x, 0), width)) for x in rectangle[::2])
        top, bottom = (round(min(max(y, 0), height)) for y in rectangle[1::2])
        inside[top:bottom, left:right] = True
    if not inside.any():
        raise UserError("The rectangle is empty: drag it over the whole object.")
    return Picture(_segmented(picture.pixels, inside, strokes, DRAWN_SLACK))


def _segmented(pixels: U8, region: Mask, strokes: Sequence[Stroke], slack: float) -> U8:
    """The mask (h, w) of the object in a region."""
    told = painted(strokes, region.shape)
    region = (region | (told == cv2.GC_FGD)) & (told != cv2.GC_BGD)
    out = np.zeros(region.shape, dtype=np.uint8)
    if not region.any():
        return out
    rect = _window(region)
    at = rect.slices
    part, inside, strokes_there = pixels[at], region[at], told[at]
    scale = min(LARGEST_SCALE, WORKING_SIDE / max(inside.shape))
    size = (max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    inside_small = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    found = None
    if inside_small.any():
        height, width = region.shape
        cut_off = (rect.left == 0, rect.top == 0, rect.right == width, rect.bottom == height)
        small = np.asarray(cv2.resize(part, size, interpolation=way), dtype=np.uint8)
        painted_small = cv2.resize(strokes_there, size, interpolation=cv2.INTER_NEAREST)
        found = likeliest(
            Evidence.of(small, np.asarray(inside_small), cut_off),
            np.asarray(inside_small),
            np.asarray(painted_small, dtype=np.uint8),
            slack,
        )
    mask = None if found is None else fitted(part, found, SOFTNESS / scale)
    if mask is None or mask.max() < 128:
        # Nothing was found, or specks of noise that are none at the full size.
        mask = np.where(inside, np.uint8(255), np.uint8(0))
    mask[strokes_there == cv2.GC_FGD] = 255
    mask[strokes_there == cv2.GC_BGD] = 0
    out[at] = mask
    return out


def painted(strokes: Sequence[Stroke], shape: tuple[int, ...]) -> U8:
    """(h, w) `GC_FGD` and `GC_BGD` under strokes, else `GC_PR_BGD`."""
    out = np.full(shape, cv2.GC_PR_BGD, dtype=np.uint8)
    for stroke in strokes:
        # In 1/16 pixels, and pixel centres are at + 0.5.
        points = np.asarray(stroke.points, dtype=np.float64).reshape(-1, 2)
        fixed = np.round((points - 0.5).clip(-1e5, 1e5) * 16).astype(np.int32)
        value = int(cv2.GC_FGD if stroke.foreground else cv2.GC_BGD)
        radius = min(max(stroke.radius, 0.5), WIDEST_BRUSH)
        width = max(1, round(2 * radius))
        cv2.polylines(out, [fixed], False, value, width, cv2.LINE_8, 4)
        for point in fixed:
            cv2.circle(out, point.tolist(), round(16 * radius), value, -1, cv2.LINE_8, 4)
    return out


def _window(outline: Mask) -> PixelRect:
    """A region's surroundings, inside the picture."""
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    margin = 2 + round(MARGIN * max(len(rows), len(columns)))
    return PixelRect(
        left=max(0, int(columns[0]) - margin),
        top=max(0, int(rows[0]) - margin),
        right=min(outline.shape[1], int(columns[-1]) + 1 + margin),
        bottom=min(outline.shape[0], int(rows[-1]) + 1 + margin),
    )


def fitted(pixels: U8, found: Mask, band: float) -> U8:
    """A mask found on a smaller picture, at the full picture's size and on its edges."""
    height, width = pixels.shape[:2]
    rough = cv2.resize(
        found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    soft = guided(pixels, np.asarray(rough), max(2, round(2 * band)))
    # A filter that averages leaves an edge too soft: steeper, and decided away from it.
    soft = np.clip((soft - 0.5) * 1.8 + 0.5, 0.0, 1.0)
    sure = (rough > 0.5).astype(np.uint8)
    inner = cv2.distanceTransform(np.pad(sure, 1, "edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform(np.pad(1 - sure, 1, "edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    soft = np.where(inner > band, 1.0, np.where(outer > band, 0.0, soft))
    return np.asarray(np.round(255.0 * soft), dtype=np.uint8)


def guided(
    guide: U8, values: NDArray[np.float32], radius: int, epsilon: float = 1e-4
) -> NDArray[np.float32]:
    """`values` (h, w) smoothed along the edges of the picture `guide` (h, w, 3).

    In every neighbourhood the result is a linear function of the guide's colour. These functions
    change slowly: where neighbourhoods are wide, they are found on a smaller picture (He and Sun,
    "Fast guided filter", 2015).
    """
    (height, width), step = values.shape, max(1, radius // FINEST)
    size = (-(-width // step), -(-height // step))
    side = 2 * round(radius / step) + 1

    def mean(image: Any) -> Any:
        return cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)

    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    red, green, blue = cv2.split(small)
    values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
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
    out = cv2.resize(mean(offset), (width, height), interpolation=cv2.INTER_LINEAR)
    for channel, along in zip(cv2.split(guide), slope, strict=True):
        scale = cv2.resize(mean(along), (width, height), interpolation=cv2.INTER_LINEAR)
        out += scale * (channel.astype(np.float32) / np.float32(255.0))
    return np.asarray(out, dtype=np.float32)
