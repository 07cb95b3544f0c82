"""An object's shape where somebody measured it, a depth model for instance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy.relief import SHEET, Relief

LEVELS = 254.0
"""Steps of a stored relief from the box's nearest corner to its farthest; 0 is unknown."""


def measured(guess: Relief, camera: Camera, box: Box, stored: NDArray[np.uint8]) -> Relief:
    """A guessed shape with the front that was measured, as far as it was.

    Parameters
    ----------
    guess : Relief
        (h, w); its back stays, where that is behind the front.
    camera : Camera
        Sees just the object.
    box : Box
    stored : uint8 (h, w)
        See `Appearance.relief`.
    """
    depths = camera.to_camera(box.corners())[:, 2]
    near, far = max(float(depths.min()), 1e-3), float(depths.max())
    share = (stored.astype(np.float32) - 1.0) / np.float32(LEVELS)
    front = np.where(stored > 0, near + share * (far - near), guess.front).astype(np.float32)
    back = np.maximum(guess.back, front + np.float32(SHEET * (far - near)))
    return replace(guess, front=front, back=back.astype(np.float32))
