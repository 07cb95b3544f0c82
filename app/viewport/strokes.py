"""Lines, dots and filled shapes in screen pixels, collected for the graphics card.

Lines wider than a pixel are not guaranteed by OpenGL, so every line is a quad around a capsule;
the shader in `canvas` cuts the capsule out with smooth edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Color = tuple[float, float, float, float]
"""Red, green, blue, opacity, each 0 to 1, sRGB."""

VERTEX = np.dtype(
    [
        ("a_position", np.float32, 2),
        ("a_place", np.float32, 2),  # pixels along the line and across it
        ("a_shape", np.float32, 3),  # length, half width, dash period (0: solid) in pixels
        ("a_color", np.float32, 4),
    ]
)
_ALONG = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
_ACROSS = np.array([-1.0, -1.0, 1.0, -1.0, 1.0, 1.0])
"""The corners of a quad's two triangles."""

_FILLED = 1e6
"""Half width of a filled shape: its edges are those of its triangles."""


@dataclass(frozen=True)
class Label:
    """A small text at a screen position (its centre)."""

    text: str
    at: tuple[float, float]
    color: Color
    boxed: bool = True
    """On a dark plate, readable on any picture; else bare, for letters at handles."""


class Strokes:
    """Collects what is drawn over the picture, in painting order."""

    def __init__(self) -> None:
        self._ends: list[Float] = []
        self._styles: list[tuple[float, ...]] = []
        self._order: list[int | NDArray[np.float32]] = []
        self.labels: list[Label] = []

    def vertices(self) -> NDArray[np.void]:
        """Triangles as an array of `VERTEX`."""
        if not self._order:
            return np.empty(0, VERTEX)
        # All segments at once: many small arrays would cost more than the drawing.
        quads, done, parts = self._quads(), 0, []
        for part in self._order:
            if isinstance(part, int):
                parts.append(quads[done : done + 6 * part])
                done += 6 * part
            else:
                parts.append(part)
        return np.concatenate(parts).view(VERTEX).reshape(-1)

    def segments(self, ends: Float, color: Color, width: float, dash: float = 0.0) -> None:
        """Line segments (N, 2, 2) with round caps; `dash` is the period, 0 for solid."""
        if len(ends):
            self._ends.append(ends)
            self._styles.append((0.5 * width, dash, *color))
            self._order.append(len(ends))

    def path(self, points: Float, color: Color, width: float, closed: bool = False) -> None:
        """A line through points (N, 2)."""
        points = np.asarray(points, dtype=np.float64)
        following = np.roll(points, -1, axis=0)
        ends = np.stack([points, following], axis=1)
        self.segments(ends if closed else ends[:-1], color, width)

    def dot(self, at: Float, color: Color, diameter: float) -> None:
        """A disc."""
        self.segments(np.array([[at, at]]), color, diameter)

    def polygon(self, points: Float, color: Color) -> None:
        """A filled convex polygon (N, 2)."""
        points = np.asarray(points, dtype=np.float64)
        fan = [(0, i, i + 1) for i in range(1, len(points) - 1)]
        part = np.zeros((3 * len(fan), 11), np.float32)
        part[:, 0:2] = points[np.array(fan).reshape(-1)]
        part[:, 5] = _FILLED
        part[:, 7:] = color
        self._order.append(part)

    def label(self, label: Label) -> None:
        """A text over all strokes."""
        self.labels.append(label)

    def _quads(self) -> NDArray[np.float32]:
        """(6 M, 11) the two triangles around each of all M segments."""
        if not self._ends:
            return np.empty((0, 11), np.float32)
        ends = np.concatenate(self._ends)
        half, dash, *color = np.repeat(
            np.array(self._styles), [len(part) for part in self._ends], axis=0
        ).T[..., None]
        along = ends[:, 1] - ends[:, 0]
        length = np.hypot(along[:, 0], along[:, 1])[:, None]
        still = length < 1e-9
        along = np.where(still, [1.0, 0.0], along / np.where(still, 1.0, length))
        pad = half + 1.0
        at, side = _ALONG * (length + 2 * pad) - pad, _ACROSS * pad
        part = np.empty((len(ends), 6, 11), np.float32)
        part[..., 0] = ends[:, 0, :1] + at * along[:, :1] - side * along[:, 1:]
        part[..., 1] = ends[:, 0, 1:] + at * along[:, 1:] + side * along[:, :1]
        for index, value in enumerate((at, side, length, half, dash, *color), start=2):
            part[..., index] = value
        return part.reshape(-1, 11)
