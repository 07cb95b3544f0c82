"""Lines, dots and filled shapes in screen pixels, collected for the graphics card.

Lines wider than a pixel are not guaranteed by OpenGL, so every line is a quad around a capsule;
the shader in `canvas` cuts the capsule out with smooth edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
SHADE_VERTEX = np.dtype([("a_position", np.float32, 2), ("a_color", np.float32, 4)])

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
    """Collects what is drawn over the picture, in painting order.

    Shading lies under everything else; labels lie over everything else.
    """

    def __init__(self) -> None:
        self._ends: list[Float] = []
        self._styles: list[Float] = []
        self._order: list[int | NDArray[np.float32]] = []
        self._shades: list[NDArray[np.float32]] = []
        self.labels: list[Label] = []

    def vertices(self) -> NDArray[np.void]:
        """Triangles of all strokes as an array of `VERTEX`."""
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

    def shades(self) -> NDArray[np.void]:
        """Triangles of all shading as an array of `SHADE_VERTEX`."""
        if not self._shades:
            return np.empty(0, SHADE_VERTEX)
        return np.concatenate(self._shades).view(SHADE_VERTEX).reshape(-1)

    def segments(self, ends: Float, color: ArrayLike, width: ArrayLike, dash: float = 0.0) -> None:
        """Line segments with round caps.

        Parameters
        ----------
        ends : array (N, 2, 2)
        color : Color or array (N, 4)
        width : float or array (N,)
        dash : float
            Period of the dashes in pixels, 0 for solid.
        """
        if len(ends):
            styles = np.empty((len(ends), 6))
            styles[:, 0] = 0.5 * np.asarray(width)
            styles[:, 1] = dash
            styles[:, 2:] = color
            self._ends.append(ends)
            self._styles.append(styles)
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
        self.triangles(points[np.array(fan)], color)

    def triangles(self, corners: Float, color: ArrayLike) -> None:
        """Filled triangles (N, 3, 2); one colour, or one for each (N, 4)."""
        part = np.zeros((len(corners), 3, 11), np.float32)
        part[..., 0:2] = corners
        part[..., 5] = _FILLED
        part[..., 7:] = np.asarray(color)[..., None, :]
        self._order.append(part.reshape(-1, 11))

    def shade(self, corners: Float, color: ArrayLike) -> None:
        """Filled triangles (N, 3, 2) beneath all strokes; one colour, or one for each (N, 4).

        Large areas belong here: they are drawn by a shader that costs next to nothing.
        """
        part = np.empty((len(corners), 3, 6), np.float32)
        part[..., 0:2] = corners
        part[..., 2:] = np.asarray(color)[..., None, :]
        self._shades.append(part.reshape(-1, 6))

    def add(self, vertices: NDArray[np.void]) -> None:
        """What `vertices` of others gave, to be drawn once more."""
        if len(vertices):
            self._order.append(vertices.view(np.float32).reshape(-1, 11))

    def label(self, label: Label) -> None:
        """A text over all strokes."""
        self.labels.append(label)

    def _quads(self) -> NDArray[np.float32]:
        """(6 M, 11) the two triangles around each of all M segments."""
        if not self._ends:
            return np.empty((0, 11), np.float32)
        ends, styles = np.concatenate(self._ends), np.concatenate(self._styles)
        along = ends[:, 1] - ends[:, 0]
        length = np.hypot(along[:, 0], along[:, 1])[:, None]
        still = length < 1e-9
        along = np.where(still, [1.0, 0.0], along / np.where(still, 1.0, length))
        # Room for the smooth edge: half a physical pixel, on any display.
        pad = styles[:, :1] + 0.5
        at, side = _ALONG * (length + 2 * pad) - pad, _ACROSS * pad
        part = np.empty((len(ends), 6, 11), np.float32)
        part[..., 0] = ends[:, 0, :1] + at * along[:, :1] - side * along[:, 1:]
        part[..., 1] = ends[:, 0, 1:] + at * along[:, 1:] + side * along[:, :1]
        part[..., 2] = at
        part[..., 3] = side
        part[..., 4] = length
        part[..., 5:] = styles[:, None]
        return part.reshape(-1, 11)
