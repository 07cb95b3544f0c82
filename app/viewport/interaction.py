"""From pointer and keys to edits: hover, selection, gestures. Knows no drawing and no widget.

A press becomes a drag once the pointer has left the dead zone, else it is a click. A drag shows
drafts through the document and makes one undo entry at its end; giving it up leaves no trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from app.document import Document
from app.viewport.gestures import (
    Gesture,
    Grab,
    Move,
    Scale,
    Turn,
    body_anchor,
    from_handle,
    on_ground,
)
from app.viewport.gizmo import Handle, Tool, handle_under, handles, heading_axes
from app.viewport.overlay import Highlights
from app.viewport.style import AXIS_NAMES, DEAD_ZONE, EDGE_TOLERANCE
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.picking import boxes_under
from neural_assets_core.geometry.raycast import NEAR as NEAR_OF_PICTURES
from neural_assets_core.geometry.rays import NEAR, intersect_boxes
from neural_assets_core.scene import Scene

Float = NDArray[np.float64]
Key = Qt.Key
Modifier = Qt.KeyboardModifier

SLOW = 0.1
NUDGE_PIXELS = 4.0
"""An arrow key moves the object about this far on the screen, by a round number of metres."""

_TOOL_HINTS: dict[Tool, str] = {
    "select": "Click to select · drag a box along the ground",
    "move": "Move · drag a box along the ground, or an arrow",
    "turn": "Turn · drag the ring",
    "scale": "Scale · drag a corner to scale, a dot to pull one face",
}
_SELECTION_HINT = "G move · R turn · S scale · hold O original · F1 all keys"
_HANDLE_HINTS = {
    "arrow": "Drag to move along {axis}",
    "plane": "Drag to move on the ground",
    "ring": "Drag to turn about the vertical",
    "scale": "Drag to scale about the base",
    "pull": "Drag to pull this face",
}
_NUDGES = {Key.Key_Left: (-1, 0), Key.Key_Right: (1, 0), Key.Key_Up: (0, 1), Key.Key_Down: (0, -1)}
_CONSTRAINTS = {Key.Key_X: 0, Key.Key_Y: 1, Key.Key_Z: 2}


@dataclass
class _Press:
    """A button held down, not yet a drag."""

    at: Float
    handle: Handle | None
    body: str | None
    add: bool


@dataclass
class _Drag:
    """A gesture in progress."""

    gesture: Gesture
    scene: Scene
    modal: bool
    last: Float
    handle: str | None = None
    text: str = ""
    lag: Float = field(default_factory=lambda: np.zeros(2))
    """How far slow motion has left the effective pointer behind the real one."""

    def scene_at(self, pixel: Float, modifiers: Modifier) -> Scene:
        fine = bool(modifiers & Modifier.ShiftModifier)
        snapping = bool(modifiers & Modifier.ControlModifier)
        if fine and not snapping:
            self.lag = self.lag + (1.0 - SLOW) * (pixel - self.last)
        self.last = pixel
        share = (0.1 if fine else 1.0) if snapping else 0.0
        boxes, self.text = self.gesture.drag(pixel - self.lag, share)
        camera, scene = self.gesture.grab.camera, self.scene
        depths = [camera.project(box.corners())[:, 2].min() for box in boxes.values()]
        if min(depths, default=np.inf) <= NEAR_OF_PICTURES:
            self.text += "   reaches behind the camera: no picture can be made"
        for name, box in boxes.items():
            if box != self.gesture.grab.boxes[name]:
                scene = scene.with_box(name, box)
        return scene


class Interaction:
    """The state between events.

    Parameters
    ----------
    document : Document
    camera : callable
        The screen's camera now, None while nothing is open.
    changed : callable
        Called when something needs redrawing or the status text may be another.
    """

    def __init__(
        self,
        document: Document,
        camera: Callable[[], Camera | None],
        changed: Callable[[], None],
    ) -> None:
        self.tool: Tool = "select"
        self._document, self._camera, self._changed = document, camera, changed
        self._pointer: Float | None = None
        self._hovered_box: str | None = None
        self._hovered_handle: Handle | None = None
        self._press: _Press | None = None
        self._drag: _Drag | None = None
        self._last_click: Float | None = None

    @property
    def dragging(self) -> bool:
        """Whether a gesture is in progress."""
        return self._drag is not None

    @property
    def busy(self) -> bool:
        """Whether the pointer is taken: a gesture, or a press that may become one."""
        return self._drag is not None or self._press is not None

    # -- for drawing -----------------------------------------------------------------------

    def highlights(self) -> Highlights:
        """What the overlay shows."""
        drag = self._drag
        if drag is None:
            hovered = self._hovered_handle.name if self._hovered_handle else None
            box = None if hovered else self._hovered_box
            return Highlights(self._selection(), box, self._handles(), hovered)
        in_use = [handle for handle in self._handles() if handle.name == drag.handle]
        names = tuple(drag.gesture.grab.boxes)
        return Highlights(names, None, in_use, drag.handle, drag.gesture)

    def status(self) -> str:
        """One line for the status bar."""
        if self._drag is not None:
            title, text = self._drag.gesture.title, self._drag.text
            keys = "Ctrl snaps · Shift slows · Esc cancels"
            if self._drag.modal:
                keys = f"{keys} · Enter or click confirms"
                if isinstance(self._drag.gesture, Move):
                    keys = f"X, Y, Z one axis · {keys}"
            return f"{title}   {text}   ·   {keys}"
        if self._hovered_handle is not None:
            axis = AXIS_NAMES[min(self._hovered_handle.index, 2)]
            return _HANDLE_HINTS[self._hovered_handle.kind].format(axis=axis)
        if self.tool == "select" and self._selection():
            return _SELECTION_HINT
        return _TOOL_HINTS[self.tool]

    def cursor(self) -> Qt.CursorShape:
        """The pointer's shape: what a press would do here."""
        if self._drag is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._hovered_handle is not None:
            return Qt.CursorShape.PointingHandCursor
        if self._hovered_box is not None:
            return Qt.CursorShape.OpenHandCursor
        return Qt.CursorShape.ArrowCursor

    # -- pointer ---------------------------------------------------------------------------

    def press(self, pixel: Float, modifiers: Modifier) -> None:
        """The left button went down."""
        if self._drag is not None:
            self._finish()
            return
        self._hover(pixel)
        handle = self._hovered_handle
        names = [] if handle else self._names_under(pixel)
        held = [name for name in names if name in self._selection()]
        body = held[-1] if held else (names[0] if names else None)
        self._press = _Press(pixel, handle, body, bool(modifiers & Modifier.ShiftModifier))

    def move(self, pixel: Float, modifiers: Modifier) -> None:
        """The pointer moved."""
        self._pointer = pixel
        if self._drag is not None:
            self._document.set_draft(self._drag.scene_at(pixel, modifiers))
        elif self._press is None:
            self._hover(pixel)
        elif np.linalg.norm(pixel - self._press.at) > DEAD_ZONE:
            press, self._press = self._press, None
            self._begin_pressed(press)
            if self._drag is not None:
                self._document.set_draft(self._drag.scene_at(pixel, modifiers))
        self._changed()

    def release(self, pixel: Float) -> None:
        """The left button went up."""
        press, self._press = self._press, None
        if self._drag is not None and not self._drag.modal:
            self._finish()
        elif press is not None:
            self._click(pixel, press)
        self._hover(pixel)
        self._changed()

    def leave(self) -> None:
        """The pointer left the viewport."""
        self._pointer = self._hovered_box = self._hovered_handle = None
        self._changed()

    def cancel(self) -> None:
        """Give up the gesture in progress: everything as at its start."""
        self._press = None
        if self._drag is not None:
            self._drag = None
            self._document.set_draft(None)
            self._changed()

    # -- keys ------------------------------------------------------------------------------

    def key(self, key: Key, modifiers: Modifier) -> bool:
        """A key was pressed. Returns whether it meant something here."""
        if self._drag is not None:
            self._modal_key(key)
            return True
        if key in _NUDGES:
            return self._nudge(_NUDGES[key], modifiers)
        if key == Key.Key_Escape and self._press is not None:
            self._press = None
            return True
        return False

    def modifiers_changed(self, modifiers: Modifier) -> None:
        """Snapping or slow motion begins or ends under a resting pointer."""
        if self._drag is not None:
            self._document.set_draft(self._drag.scene_at(self._drag.last, modifiers))
            self._changed()

    def start(self, tool: Tool, pointer: Float) -> None:
        """Move, turn or scale the selection with the pointer, no button held, until confirmed.

        `pointer` is where it is if it is outside of the viewport.
        """
        if self._drag is not None or tool == "select" or not self._selection():
            return
        camera, scene = self._camera(), self._document.scene
        if camera is None or scene is None:
            return
        pivot = scene.object(self._selection()[-1]).box.base_center()
        if camera.project(pivot)[2] <= NEAR:
            return
        at = self._pointer if self._pointer is not None else pointer
        grab = self._grab(camera, scene, at)
        gesture: Gesture
        if tool == "move":
            gesture = on_ground(grab, grab.pivot)
        else:
            gesture = Turn(grab) if tool == "turn" else Scale(grab)
        self._begin(gesture, scene, modal=True)

    def _modal_key(self, key: Key) -> None:
        drag = self._drag
        assert drag is not None
        if key == Key.Key_Escape:
            self.cancel()
        elif drag.modal and key in (Key.Key_Return, Key.Key_Enter, Key.Key_Space):
            self._finish()
        elif drag.modal and key in _CONSTRAINTS and isinstance(drag.gesture, Move):
            grab, index = drag.gesture.grab, _CONSTRAINTS[key]
            axis = heading_axes(grab.active)[index]
            drag.gesture = Move(grab, axis[None], grab.pivot, f"along {AXIS_NAMES[index]}")
            self._document.set_draft(drag.scene_at(drag.last, Modifier.NoModifier))
            self._changed()

    def _nudge(self, direction: tuple[int, int], modifiers: Modifier) -> bool:
        camera, scene, names = self._camera(), self._document.scene, self._selection()
        if camera is None or scene is None or not names:
            return False
        depth = camera.project(scene.object(names[-1]).box.base_center())[2]
        step = _round_step(NUDGE_PIXELS * max(depth, NEAR) / camera.k[0, 0])
        if modifiers & Modifier.ControlModifier:
            step *= 10
        elif modifiers & Modifier.ShiftModifier:
            step *= 0.1
        right = camera.extrinsics[0, :3] * [1, 1, 0]
        right /= np.linalg.norm(right)
        ahead = np.array([-right[1], right[0], 0.0])
        offset = step * (direction[0] * right + direction[1] * ahead)
        for name in names:
            scene = scene.with_box(name, scene.object(name).box.translated(offset))
        self._document.push(scene, f"Nudge {_called(names)}", merge=f"nudge {names}")
        return True

    # -- gestures --------------------------------------------------------------------------

    def _begin_pressed(self, press: _Press) -> None:
        camera, scene = self._camera(), self._document.scene
        if camera is None or scene is None or (press.handle is None and press.body is None):
            return
        if press.handle is not None:
            gesture = from_handle(self._grab(camera, scene, press.at), press.handle)
            self._begin(gesture, scene, modal=False, handle=press.handle.name)
        elif press.body is not None:
            # The grabbed box becomes the active one; the others of the selection come along.
            others = [n for n in self._selection() if n != press.body]
            kept = others if press.add or press.body in self._selection() else []
            self._document.select([*kept, press.body])
            box = scene.object(press.body).box
            origin, direction = camera.rays(press.at)
            (reach,) = intersect_boxes(origin, direction, [box])
            hit = origin + reach * direction if math.isfinite(reach) else box.base_center()
            grab = self._grab(camera, scene, press.at)
            gesture = on_ground(grab, body_anchor(camera, box, hit))
            self._begin(gesture, scene, modal=False)

    def _begin(
        self, gesture: Gesture, scene: Scene, *, modal: bool, handle: str | None = None
    ) -> None:
        self._hovered_box = self._hovered_handle = None
        self._drag = _Drag(gesture, scene, modal, last=gesture.grab.start, handle=handle)
        self._document.set_draft(self._drag.scene_at(gesture.grab.start, Modifier.NoModifier))
        self._changed()

    def _finish(self) -> None:
        drag, draft = self._drag, self._document.draft
        assert drag is not None
        self._drag = None
        if draft is None or draft == drag.scene:
            self._document.set_draft(None)
        else:
            names = tuple(drag.gesture.grab.boxes)
            self._document.push(draft, f"{drag.gesture.verb} {_called(names)}")
        self._changed()

    def _grab(self, camera: Camera, scene: Scene, at: Float) -> Grab:
        return Grab(camera, {name: scene.object(name).box for name in self._selection()}, at)

    # -- what is under the pointer ---------------------------------------------------------

    def _click(self, pixel: Float, press: _Press) -> None:
        names, selection = self._names_under(pixel), self._selection()
        last, self._last_click = self._last_click, pixel
        here = last is not None and np.linalg.norm(pixel - last) <= DEAD_ZONE
        if press.handle is not None and not (here and names):
            # A handle is for dragging, but must not end a series of clicks on what it covers.
            return
        if not names:
            if not press.add:
                self._document.select(())
        elif press.add:
            kept = [name for name in selection if name != names[0]]
            self._document.select(kept if names[0] in selection else [*kept, names[0]])
        else:
            # A second click in the same place goes on to what lies behind.
            again = here and bool(selection) and selection[-1] in names
            index = (names.index(selection[-1]) + 1) % len(names) if again else 0
            self._document.select([names[index]])

    def _hover(self, pixel: Float) -> None:
        self._pointer = pixel
        self._hovered_handle = handle_under(self._handles(), pixel)
        names = self._names_under(pixel)
        self._hovered_box = names[0] if names else None

    def _names_under(self, pixel: Float) -> list[str]:
        camera, scene = self._camera(), self._document.shown_scene
        if camera is None or scene is None:
            return []
        boxes = [item.box for item in scene.objects]
        return [scene.objects[i].name for i in boxes_under(camera, boxes, pixel, EDGE_TOLERANCE)]

    def _handles(self) -> list[Handle]:
        camera, scene, names = self._camera(), self._document.shown_scene, self._selection()
        if camera is None or scene is None or not names:
            return []
        return handles(camera, scene.object(names[-1]).box, self.tool)

    def _selection(self) -> tuple[str, ...]:
        scene = self._document.shown_scene
        known = {item.name for item in scene.objects} if scene else set()
        return tuple(name for name in self._document.selection if name in known)


def _round_step(metres: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above `metres`."""
    power = 10.0 ** math.floor(math.log10(metres))
    return power * max(digit for digit in (1, 2, 5) if digit * power <= metres * (1 + 1e-9))


def _called(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} objects"
