"""Selecting with a rectangle that is pulled open from empty ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.strokes import Strokes
from neural_assets_core.geometry import EDGES, Box, Camera
from neural_assets_core.geometry.picking import meets_rectangle
from neural_assets_core.geometry.rays import project_segments

Float = NDArray[np.float64]

_EDGES = np.array(EDGES)


@dataclass(frozen=True)
class RubberBand:
    """A rectangle between two screen positions.

    Attributes
    ----------
    start, end : array (2,)
    before : tuple of str
        The selection at the press.
    add : bool
        Whether that stays selected.
    """

    start: Float
    end: Float
    before: tuple[str, ...]
    add: bool

    def selection(self, camera: Camera, boxes: Mapping[str, Box]) -> list[str]:
        """What is selected now: every box that the rectangle touches, and what was kept."""
        kept = list(self.before) if self.add else []
        return [*kept, *(name for name in self._touched(camera, boxes) if name not in kept)]

    def _touched(self, camera: Camera, boxes: Mapping[str, Box]) -> list[str]:
        if not boxes:
            return []
        corners = np.stack([box.corners() for box in boxes.values()])
        edges = corners[:, _EDGES].reshape(-1, 2, 3)
        ends, visible = project_segments(camera, edges[:, 0], edges[:, 1])
        low, high = np.minimum(self.start, self.end), np.maximum(self.start, self.end)
        touched = (visible & meets_rectangle(ends, low, high)).reshape(len(boxes), -1)
        return [name for index, name in enumerate(boxes) if touched[index].any()]


def draw_band(strokes: Strokes, band: RubberBand) -> None:
    """The rectangle over everything else."""
    (left, top), (right, bottom) = band.start, band.end
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    strokes.polygon(corners, style.faded(style.ACCENT, 0.08))
    strokes.path(corners, style.CASING, 3.0, closed=True)
    strokes.path(corners, style.ACCENT, 1.2, closed=True)
