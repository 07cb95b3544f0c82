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
_QUAD = np.array([[0, -1], [1, -1], [1, 1], [0, -1], [1, 1], [0, 1]])
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
        self._parts: list[NDArray[np.void]] = []
        self.labels: list[Label] = []

    def vertices(self) -> NDArray[np.void]:
        """Triangles as an array of `VERTEX`."""
        return np.concatenate(self._parts) if self._parts else np.empty(0, VERTEX)

    def segments(self, ends: Float, color: Color, width: float, dash: float = 0.0) -> None:
        """Line segments (N, 2, 2) with round caps; `dash` is the period, 0 for solid."""
        ends = np.asarray(ends, dtype=np.float64)
        along = ends[:, 1] - ends[:, 0]
        length = np.linalg.norm(along, axis=1)
        still = length[:, None] < 1e-9
        along = np.where(still, [1.0, 0.0], along / np.where(still, 1.0, length[:, None]))
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        pad = 0.5 * width + 1.0
        at = _QUAD[:, 0] * (length[:, None] + 2 * pad) - pad
        side = np.broadcast_to(_QUAD[:, 1] * pad, at.shape)
        part = np.zeros(at.shape, VERTEX)
        part["a_position"] = (
            ends[:, None, 0] + at[..., None] * along[:, None] + side[..., None] * across[:, None]
        )
        part["a_place"] = np.stack([at, side], axis=-1)
        part["a_shape"][..., 0] = length[:, None]
        part["a_shape"][..., 1:] = 0.5 * width, dash
        part["a_color"] = color
        self._parts.append(part.reshape(-1))

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
        part = np.zeros(3 * len(fan), VERTEX)
        part["a_position"] = points[np.array(fan).reshape(-1)]
        part["a_shape"] = 0.0, _FILLED, 0.0
        part["a_color"] = color
        self._parts.append(part)

    def label(self, label: Label) -> None:
        """A text over all strokes."""
        self.labels.append(label)
