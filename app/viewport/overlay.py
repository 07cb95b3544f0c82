"""What is drawn over the picture: boxes, names, handles, and guides while something is dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.box_strokes import Level, draw_boxes, draw_ghosts, draw_signs
from app.viewport.gestures import Gesture
from app.viewport.gizmo import Handle
from app.viewport.handle_strokes import draw_guides, draw_handles
from app.viewport.names import SIGN_ROOM, Names
from app.viewport.strokes import Label, Strokes
from app.viewport.wireframe_strokes import draw_wireframes
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.rays import NEAR
from neural_assets_core.scene import Scene
from neural_assets_core.scene.faults import box_faults

Float = NDArray[np.float64]

_SIGN_HEIGHT = 11.0
"""From the top of a box to the middle of its warning sign, pixels."""

_TOP_EDGE = 45.0
"""Signs of boxes that reach higher on the screen stay below this; pixels."""


@dataclass(frozen=True)
class Highlights:
    """What is special about the moment.

    Attributes
    ----------
    selection : tuple of str
        Names; the last is active.
    box : str or None
        Name of the object under the pointer.
    handles : sequence of Handle
        To be drawn.
    handle : str or None
        Name of the handle under the pointer, or in use.
    gesture : Gesture or None
        The one in progress.
    """

    selection: tuple[str, ...] = ()
    box: str | None = None
    handles: Sequence[Handle] = ()
    handle: str | None = None
    gesture: Gesture | None = None


def draw_scene(
    strokes: Strokes,
    camera: Camera,
    scene: Scene,
    now: Highlights,
    names: Names,
    screen: tuple[float, float],
) -> None:
    """All of the overlay, as seen by any camera whose pixels are the screen's.

    `names` remembers from frame to frame where they stand; `screen` is its width and height.
    """
    boxes = {item.name: item.box for item in scene.objects}
    faults = box_faults(scene)
    if now.gesture is not None:
        draw_ghosts(strokes, camera, tuple(now.gesture.grab.boxes.values()))
        draw_guides(strokes, camera, now.gesture)
    levels = [_level(name, now) for name in boxes]
    warned = [name in faults for name in boxes]
    draw_wireframes(strokes, camera, scene.objects, levels)
    draw_boxes(strokes, camera, tuple(boxes.values()), levels, warned)
    named = {
        name: level
        for name, level in zip(boxes, levels, strict=True)
        # With many selected, the names of all would bury the picture.
        if level in (Level.HOVERED, Level.ACTIVE)
    }
    # The signs of boxes that nobody is looking at are smaller.
    if others := faults.keys() - named:
        tops = _tops(camera, [boxes[name] for name in others])
        draw_signs(strokes, tops - [0, _SIGN_HEIGHT], 0.7)
    draw_handles(strokes, camera, now.handles, now.handle)
    # The active one's first: it is the one that was there before.
    called = {name: boxes[name] for name in sorted(named, key=lambda name: -named[name])}
    signs = frozenset(faults.keys() & named)
    steady = now.gesture is not None
    plates = names.place(camera, called, now.handles, screen=screen, signs=signs, steady=steady)
    for name, plate in plates.items():
        room = 0.5 * SIGN_ROOM if name in signs else 0.0
        if room:
            draw_signs(strokes, plate.middle[None] - [plate.half[0] - room, 0.0], 1.0)
        x, y = plate.middle + [room, 0.0]
        strokes.label(Label(name, (float(x), float(y)), style.BOX_COLORS[named[name]]))


def _level(name: str, now: Highlights) -> Level:
    if name in now.selection:
        return Level.ACTIVE if name == now.selection[-1] else Level.SELECTED
    return Level.HOVERED if name == now.box else Level.PLAIN


def _tops(camera: Camera, boxes: Sequence[Box]) -> Float:
    """(M, 2) screen positions over the middles of boxes, those behind the camera left out."""
    pixels = camera.project(np.array([box.corners() for box in boxes]).reshape(-1, 8, 3))
    before = pixels[..., 2] > NEAR
    pixels, before = pixels[before.any(axis=1)], before[before.any(axis=1)]
    middle = np.mean(pixels[..., 0], axis=1, where=before)
    top = np.min(pixels[..., 1], axis=1, where=before, initial=np.inf)
    # Not above the screen's upper end.
    return np.stack([middle, np.maximum(top, _TOP_EDGE)], axis=1)
