"""Moving the selection by single key presses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import NEAR
from neural_assets_core.scene import Scene

Key = Qt.Key
Modifier = Qt.KeyboardModifier

NUDGE_PIXELS = 4.0
"""A key moves the object about this far on the screen, by a round number of metres."""

NUDGES = {
    Key.Key_Left: (-1, 0, 0),
    Key.Key_Right: (1, 0, 0),
    Key.Key_Up: (0, 1, 0),
    Key.Key_Down: (0, -1, 0),
    Key.Key_PageUp: (0, 0, 1),
    Key.Key_PageDown: (0, 0, -1),
}
"""Steps to the right and away from the camera, level, and up."""


def nudged(
    camera: Camera, scene: Scene, names: Sequence[str], key: Key, modifiers: Modifier
) -> Scene:
    """The scene with the named objects one step further, as seen by the screen's camera.

    The step suits the depth of the last one; ten times with Ctrl, a tenth with Shift.
    """
    depth = camera.project(scene.object(names[-1]).box.base_center())[2]
    step = _round_step(NUDGE_PIXELS * max(depth, NEAR) / camera.k[0, 0])
    if modifiers & Modifier.ControlModifier:
        step *= 10
    elif modifiers & Modifier.ShiftModifier:
        step *= 0.1
    right = camera.extrinsics[0, :3] * [1, 1, 0]
    right /= np.linalg.norm(right)
    ahead = np.array([-right[1], right[0], 0.0])
    offset = step * np.array(NUDGES[key]) @ np.stack([right, ahead, [0.0, 0.0, 1.0]])
    for name in names:
        scene = scene.with_box(name, scene.object(name).box.translated(offset))
    return scene


def _round_step(metres: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above `metres`."""
    power = 10.0 ** math.floor(math.log10(metres))
    return power * max(digit for digit in (1, 2, 5) if digit * power <= metres * (1 + 1e-9))
