"""Rectangles in which something is being looked for: dashes that go round them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.guest import Place
from app.viewport.strokes import Label, Strokes

Float = NDArray[np.float64]
Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels of the photograph."""

DASH = 14.0
SPEED = 28.0
"""Screen pixels, and pixels a second."""


def draw_searching(
    strokes: Strokes, place: Place, rectangles: Sequence[Rectangle], seconds: float
) -> None:
    """Draw the rectangles as they look at a moment."""
    for left, top, right, bottom in rectangles:
        outline = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        corners = place.to_screen(outline)
        strokes.path(corners, style.CASING, 3.4, closed=True)
        strokes.segments(_marching(corners, seconds), style.ACCENT, 1.8)
        strokes.label(Label("Looking …", tuple(corners.mean(axis=0)), style.ACCENT))


def _marching(corners: Float, seconds: float) -> Float:
    """(N, 2, 2) dashes that go round a closed path of corners (M, 2) as time goes by."""
    begun = seconds * SPEED % DASH - DASH
    parts = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = float(np.linalg.norm(end - start))
        heads = np.arange(begun, length, DASH)
        ends = np.clip(np.stack([heads, heads + 0.5 * DASH], axis=1), 0.0, length)
        seen = ends[ends[:, 1] > ends[:, 0]]
        parts.append(start + seen[..., None] * (end - start) / max(length, 1e-9))
    return np.concatenate(parts)
