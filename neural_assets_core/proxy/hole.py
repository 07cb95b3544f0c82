"""A hole in a picture and what surrounds it, as small as it takes to find what goes there."""

from __future__ import annotations

from dataclasses import dataclass

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
    camera : Camera or None
        Of this size, if the ground z = 0 may be moved in perspective.
    """

    picture: F32
    gap: Mask
    good: Mask
    around: Mask
    rim: Mask
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
        return cls(
            small, missing, whole, seen, near & seen,
            None if camera is None else camera.resized(*size),
        )
