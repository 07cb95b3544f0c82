"""What every gesture starts from: the boxes at the press, their pivot, and its constraint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewport.style import AXIS_NAMES
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.rays import NEAR

Float = NDArray[np.float64]
Boxes = Mapping[str, Box]

Pivot = Literal["active", "common", "each"]
"""The base centre of the last selected box, the middle of all of them, or each box its own."""

Guide = tuple[int, Float]
"""A line through the anchor that shows a constraint: its axis (0 to 2) and unit direction."""


@dataclass(frozen=True)
class Grab:
    """The selected boxes, held at a pixel.

    Attributes
    ----------
    camera : Camera
        The screen's.
    boxes : mapping of name to Box
        The selected boxes at the press; the last one is active.
    start : array (2,)
        The pointer at the press, screen pixels.
    pivot : {"active", "common", "each"}
        What turns and scales keep in place.
    """

    camera: Camera
    boxes: Boxes
    start: Float
    pivot: Pivot = "active"

    @property
    def active(self) -> Box:
        return list(self.boxes.values())[-1]

    @property
    def origin(self) -> Float:
        """(3,) where the gizmo is, and what the pointer turns and scales about."""
        return gizmo_origin(self.camera, self.boxes, self.pivot)

    def pivots(self) -> Mapping[str, Float]:
        """For each box the world point (3,) that turns and scales keep in place."""
        if self.pivot == "each":
            return {name: box.base_center() for name, box in self.boxes.items()}
        return dict.fromkeys(self.boxes, self.origin)


def gizmo_origin(camera: Camera, boxes: Boxes, pivot: Pivot) -> Float:
    """(3,) the base centre of the active (last) box, or the middle of all the base centres.

    A middle that is not in front of the camera could not be seen: then it is the active box's.
    """
    bases = np.array([box.base_center() for box in boxes.values()])
    if pivot == "common":
        middle = bases.mean(axis=0)
        if camera.project(middle)[2] > NEAR:
            return np.asarray(middle)
    return np.asarray(bases[-1])


@dataclass(frozen=True)
class Directions:
    """What a gesture is limited to.

    Attributes
    ----------
    axes : array (N, 3)
        Unit world directions, perpendicular to each other.
    names : tuple of N str
        Of the axes, for people.
    where : str
        In words ("along local X").
    free : bool
        Whether it is only what the pointer can reach: typed numbers go along the world's axes.
    """

    axes: Float
    names: tuple[str, ...]
    where: str
    free: bool = False

    @property
    def guides(self) -> tuple[Guide, ...]:
        if self.free:
            return ()
        indices = [AXIS_NAMES.index(name) for name in self.names]
        return tuple(zip(indices, self.axes, strict=True))
