"""A gesture in progress: what pointer, constraint and typed numbers make of the scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from app.viewport.gestures import Gesture, constrained
from app.viewport.gizmo import Frame, Handle
from app.viewport.typed_numbers import TypedNumbers
from neural_assets_core.geometry.raycast import NEAR as NEAR_OF_PICTURES
from neural_assets_core.scene import Scene

Float = NDArray[np.float64]
Key = Qt.Key
Modifier = Qt.KeyboardModifier

SLOW = 0.1

_AXES = {Key.Key_X: 0, Key.Key_Y: 1, Key.Key_Z: 2}
_MODAL_KEYS = "X Y Z axis · type a number · Enter or click confirms"
_MODIFIERS = "Ctrl snaps · Shift slows · Alt free · Esc cancels"
_TYPING = "Tab next number · Enter or click confirms · Esc cancels"


class Drag:
    """Boxes on their way from a press, or from a key, to where they will be.

    Everything is computed from the scene at the start, so nothing adds up and nothing is lost.

    Parameters
    ----------
    make : callable
        The gesture without constraint; its argument says whether it is free to leave the ground.
    scene : Scene
        At the start.
    modal : bool
        Started by a key: no button is held, a click or Enter confirms.
    frames : tuple of two Frame
        An axis key means the axis of the first; pressed again, that of the second.
    handle : Handle, optional
        What was grabbed.
    copies : tuple of str
        The objects are copies that the drag has made, these.
    """

    def __init__(
        self,
        make: Callable[[bool], Gesture],
        scene: Scene,
        *,
        modal: bool,
        frames: tuple[Frame, Frame],
        handle: Handle | None = None,
        copies: tuple[str, ...] = (),
    ) -> None:
        self.scene, self.modal, self.copies = scene, modal, copies
        self.gesture = make(False)
        self._make, self._frames, self._handle = make, frames, handle
        self._free = False
        self._constraint: tuple[int, bool, int] | None = None
        self._typed = TypedNumbers()
        self._pixel, self._share = self.gesture.grab.start, 0.0
        # How far slow motion has left the effective pointer behind the real one.
        self._lag = np.zeros(2)
        self._text = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The objects that are dragged; the last is the active one."""
        return tuple(self.gesture.grab.boxes)

    @property
    def handle(self) -> Handle | None:
        """What was grabbed, as long as the drag is what that stands for."""
        return self._handle if self._constraint is None else None

    def point(self, pixel: Float, modifiers: Modifier) -> Scene:
        """The scene for the pointer at a screen position (2,)."""
        fine = bool(modifiers & Modifier.ShiftModifier)
        snapping = bool(modifiers & Modifier.ControlModifier)
        if fine and not snapping:
            self._lag = self._lag + (1.0 - SLOW) * (pixel - self._pixel)
        self._pixel = pixel
        self._share = (0.1 if fine else 1.0) if snapping else 0.0
        free = bool(modifiers & Modifier.AltModifier)
        if free != self._free:
            self._free = free
            self._rebuild()
        return self.result()

    def modifiers_changed(self, modifiers: Modifier) -> Scene:
        """The scene for the pointer where it is."""
        return self.point(self._pixel, modifiers)

    def key(self, key: Key, modifiers: Modifier) -> bool:
        """An axis, or part of a number. Returns whether it was one."""
        if key in _AXES:
            self._constrain(_AXES[key], bool(modifiers & Modifier.ShiftModifier))
            return True
        return self._typed.key(key, len(self.gesture.fields))

    def result(self) -> Scene:
        """The scene as it is now."""
        if self._typed.active:
            boxes, self._text = self.gesture.typed(self._typed.values())
        else:
            boxes, self._text = self.gesture.drag(self._pixel - self._lag, self._share)
        scene = self.scene
        # The picture's camera, whichever view the boxes are dragged in.
        corners = np.array([box.corners() for box in boxes.values()]).reshape(-1, 3)
        if scene.camera.to_camera(corners)[:, 2].min(initial=np.inf) <= NEAR_OF_PICTURES:
            self._text += "   reaches behind the camera: no picture can be made"
        for name, box in boxes.items():
            if box != self.gesture.grab.boxes[name]:
                scene = scene.with_box(name, box)
        return scene

    def status(self) -> str:
        """Constraint, numbers as they are typed, the change so far, and what the keys do."""
        title = self.gesture.title
        if self._typed.active:
            numbers = self._typed.shown(self.gesture.fields, self.gesture.joint)
            return f"{title}   {numbers}   {self._text}   ·   {_TYPING}"
        keys = f"{_MODAL_KEYS} · {_MODIFIERS}" if self.modal else _MODIFIERS
        return f"{title}   {self._text}   ·   {keys}"

    def _constrain(self, axis: int, plane: bool) -> None:
        last = self._constraint
        # Once in the first frame, twice in the second, a third time free again.
        again = last is not None and last[:2] == (axis, plane)
        turn = last[2] + 1 if last is not None and again else 0
        self._constraint = (axis, plane, turn) if turn < len(self._frames) else None
        self._rebuild()

    def _rebuild(self) -> None:
        self.gesture = self._make(self._free)
        if self._constraint is not None:
            axis, plane, turn = self._constraint
            self.gesture = constrained(self.gesture, axis, self._frames[turn], plane)
        self._typed.fit(len(self.gesture.fields))
