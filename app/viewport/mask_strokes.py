"""How a mask is drawn over the photograph: tinted, with a fine outline, sharp at any zoom."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.guest import Place
from app.viewport.strokes import Color, Strokes

Float = NDArray[np.float64]
U8 = NDArray[np.uint8]

TINT: Color = (0.16, 0.55, 1.0, 0.36)
GUESSED: Color = (0.92, 0.2, 0.85, 0.42)
OUTLINE: Color = (1.0, 1.0, 1.0, 0.95)

MOST = 1600
"""Pixels a side of what is drawn; the masks of larger photographs are thinned out first."""

FINE = 4
"""By how much a small mask is enlarged, so that its outline has no steps."""

SIDES = 48
"""Of the ring that shows the brush."""

_ARM = 4.0
"""Half the width of the brush's plus and minus, pixels."""


@dataclass(frozen=True)
class MaskShape:
    """A mask ready to be drawn, in pixels of the photograph.

    Attributes
    ----------
    triangles : array (N, 3, 2)
        What it covers.
    outline : array (M, 2, 2)
        Line segments around that.
    """

    triangles: Float
    outline: Float

    @classmethod
    def of(cls, mask: U8, corner: tuple[int, int] = (0, 0)) -> MaskShape:
        """Of a mask (h, w), 255 inside, whose top left pixel is at `corner` (x, y)."""
        step = -(-max(mask.shape) // MOST)
        few = mask[::step, ::step]
        return cls(
            _runs(few > 127) * step + corner,
            _outline(few) * step + corner,
        )


def _runs(inside: NDArray[np.bool_]) -> Float:
    """Two triangles for each row of pixels that hang together: (N, 3, 2)."""
    steps = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, left = np.nonzero(steps == 1)
    _, right = np.nonzero(steps == -1)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]])
    x = np.where(corners[:, 0] > 0, right[:, None], left[:, None])
    y = rows[:, None] + corners[:, 1]
    return np.stack([x, y], axis=-1).reshape(-1, 3, 2).astype(np.float64)


def _outline(mask: U8) -> Float:
    """(M, 2, 2) segments along the mask's edge."""
    fine = max(1, min(FINE, MOST // max(mask.shape)))
    # A border of nothing: what touches the picture's edge is closed there.
    padded = np.pad(mask, 1)
    large = cv2.resize(padded, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(large, (0, 0), 0.4 * fine)
    inside = (np.asarray(large) > 127).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    parts = []
    for contour in contours:
        points = cv2.approxPolyDP(contour, 0.2 * fine, True)[:, 0] / fine
        parts.append(np.stack([points, np.roll(points, -1, axis=0)], axis=1))
    if not parts:
        return np.empty((0, 2, 2))
    # Pixels count from their corners, contours from pixels' centres.
    return np.asarray(np.concatenate(parts) + 0.5 / fine - 1.0)


def draw_guessed(strokes: Strokes, place: Place, shape: MaskShape) -> None:
    """A tint over what is made up; its edges are of no interest."""
    _tint(strokes, place, shape, GUESSED)


def draw_mask(strokes: Strokes, place: Place, shape: MaskShape) -> None:
    """A mask over the photograph."""
    _tint(strokes, place, shape, TINT)
    draw_outline(strokes, place, shape)


def draw_outline(strokes: Strokes, place: Place, shape: MaskShape) -> None:
    """The edge of a mask alone."""
    if len(shape.outline):
        outline = place.to_screen(shape.outline)
        strokes.segments(outline, style.CASING, 3.2)
        strokes.segments(outline, OUTLINE, 1.3)


def _tint(strokes: Strokes, place: Place, shape: MaskShape, color: Color) -> None:
    if len(shape.triangles):
        strokes.shade(place.to_screen(shape.triangles), color)


def draw_brush(strokes: Strokes, place: Place, at: Float, radius: float, adds: bool) -> None:
    """The brush at its true size about `at` (2,), in pixels of the photograph."""
    turns = np.linspace(0.0, 2 * np.pi, SIDES, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    ring = place.to_screen(at + radius * circle)
    middle = place.to_screen(at)
    arms = np.array([[[-_ARM, 0.0], [_ARM, 0.0]], [[0.0, -_ARM], [0.0, _ARM]]])
    sign = middle + (arms if adds else arms[:1])
    for color, wider in ((style.CASING, 2.2), (style.HOVERED, 0.0)):
        strokes.path(ring, color, 1.4 + wider, closed=True)
        strokes.segments(sign, color, 1.4 + wider)
