"""A hole in a picture and what surrounds it, as small as it takes to find what goes there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

RIM, EDGE = 4, 2
"""Pixels around the hole that copies have to agree with, and those of them that show copies."""


@dataclass(frozen=True, eq=False)
class Hole:
    """A hole at a small size; arrays (h, w).

    Attributes
    ----------
    picture : float32 (h, w, 3)
    gap : bool
        What is to be filled.
    good : bool
        What may be copied.
    around : bool
        What the filling goes on from.
    rim : bool
        Of this, what is close to the gap.
    grain : float32
        Deviation of what a pixel of the picture is the mean of; that of an edge does not count.
    camera : Camera or None
        Of this size, if the ground z = 0 may be moved in perspective.
    """

    picture: F32
    gap: Mask
    good: Mask
    around: Mask
    rim: Mask
    grain: F32
    camera: Camera | None

    @property
    def inside(self) -> Mask:
        """The gap with its edge."""
        near = cv2.dilate(self.gap.astype(np.uint8), np.ones((2 * EDGE + 1,) * 2, np.uint8)) > 0
        return np.asarray(self.gap | (self.rim & near))

    @classmethod
    def of(
        cls,
        picture: U8,
        gap: Mask,
        around: Mask,
        good: Mask,
        camera: Camera | None,
        size: tuple[int, int],
    ) -> Hole:
        """From arrays of any size, scaled down to `size` (width, height)."""

        def shrunk(values: U8) -> F32:
            if values.shape[1::-1] != size:
                values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))
            return values.astype(np.float32)

        def share(mask: Mask) -> F32:
            return shrunk(np.where(mask, np.uint8(255), np.uint8(0))) * np.float32(1 / 255)

        # What is in the hole has no part in the colours beside it.
        either = around | good
        known = share(either)[..., None]
        own = np.asarray(cv2.bitwise_and(picture, picture, mask=either.astype(np.uint8)))
        colour = shrunk(own) / np.maximum(known, 1e-3)
        small = np.where(known > 0.2, colour, shrunk(picture)).astype(np.float32)
        missing, free = share(gap) > 0.01, share(good)
        whole = (free > 0.95) & ~missing
        if not whole.any():
            whole = free >= max(float(free.max()), 1e-3)
        seen = (share(around) > 0.5) & ~missing
        near = cv2.dilate(missing.astype(np.uint8), np.ones((2 * RIM + 1,) * 2, np.uint8)) > 0
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if grey.shape[::-1] == size:
            grain = _deviation(lambda values: cv2.blur(values, (3, 3)), grey)
        else:
            area = cv2.INTER_AREA
            grain = _deviation(lambda values: cv2.resize(values, size, interpolation=area), grey)
        return cls(
            small, missing, whole, seen, near & seen, np.asarray(cv2.erode(grain, np.ones((3, 3)))),
            None if camera is None else camera.resized(*size),
        )


def _deviation(mean: Callable[[F32], Any], values: U8) -> F32:
    """(h, w) deviation of values from what is their mean."""
    plain = values.astype(np.float32)
    variance = mean(plain * plain) - mean(plain) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float32)
