"""What goes on along a direction: edges of tiles, boards and skirting that a hole interrupts.

Most of what people build is ruled along the axes of its room, which are the world's where the
camera is known. A copy from elsewhere has its edges elsewhere; where the picture does not change
along such a direction beside the hole, what is there is simply drawn on.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import Float
from neural_assets_core.proxy.hole import Hole

SETBACKS = (0.0, 0.2, 0.4)
"""How far within the hole's side the lines lie that colours are taken from, in sides of the hole:
few holes are rectangles."""

STEPS = (1.5, 3.0)
"""Pixels farther on, where it must look the same."""

STEEPEST = 1.0
"""Slope up to which a direction is one to the side."""


def rulings(hole: Hole) -> Iterator[tuple[Float, tuple[Float, ...]]]:
    """Matrices (3, 3) from pixels along a ruling to a line beside the hole.

    And those to lines farther on, where the same must be seen.
    """
    if hole.camera is None:
        return
    left, top, width, height = cv2.boundingRect(hole.inside.astype(np.uint8))
    right, bottom = left + width, top + height
    middle = np.array([left + 0.5 * width, top + 0.5 * height])
    for axis in range(2):
        vanishing = hole.camera.k @ hole.camera.extrinsics[:3, axis]
        # Towards it, or away from it.
        along = vanishing[:2] - vanishing[2] * middle
        if np.linalg.norm(along) < 1e-9:
            continue
        sideways = abs(along[1]) <= STEEPEST * abs(along[0])
        first, last, normal = (left, right, [1.0, 0.0]) if sideways else (top, bottom, [0.0, 1.0])
        for end, outward in ((first, -1.0), (last, 1.0)):
            for setback in SETBACKS:
                at = end + outward * (1.0 - setback * (last - first))
                lines = [
                    np.array([*normal, -(at + outward * step)]) for step in (0.0, *STEPS)
                ]
                nearest, *farther = (_projected(vanishing, line, middle) for line in lines)
                if nearest is not None and all(one is not None for one in farther):
                    yield nearest, tuple(one for one in farther if one is not None)


def _projected(center: Float, line: Float, middle: Float) -> Float | None:
    """(3, 3) onto a line, from a point that may be far away; None if that lies on the line."""
    onto = np.outer(center, line) - float(line @ center) * np.eye(3)
    scale = float(onto[2] @ [*middle, 1.0])
    if abs(scale) < 1e-9 * max(float(np.abs(onto).max()), 1e-12):
        return None
    return np.asarray(onto / scale)


def unevenness(nearest: NDArray[np.float32], farther: list[NDArray[np.float32]]) -> (
    NDArray[np.float32]
):
    """(n,) how much colours (3, n) differ from those farther on."""
    differences = [np.abs(one - nearest).sum(axis=0) for one in farther]
    return np.asarray(np.mean(differences, axis=0), dtype=np.float32)
