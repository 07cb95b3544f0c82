"""From pointer and keys to edits: hover, selection, gestures. Knows no drawing and no widget.

A press becomes a drag once the pointer has left the dead zone, else it is a click. A drag shows
drafts through the document and makes one undo entry at its end; giving it up leaves no trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer

from app.document import Document
from app.viewport.drag import Drag
from app.viewport.gestures import Gesture, from_body, from_handle, from_key
from app.viewport.gizmo import Frame, Handle, carried, handle_under, handles
from app.viewport.grab import Boxes, Grab, gizmo_origin
from app.viewport.hints import resting_hint
from app.viewport.nudging import NUDGES, nudged
from app.viewport.overlay import Highlights
from app.viewport.rubber_band import RubberBand
from app.viewport.style import DEAD_ZONE, EDGE_TOLERANCE
from app.viewport.tools import Tools
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.picking import boxes_under
from neural_assets_core.geometry.rays import NEAR, intersect_boxes
from neural_assets_core.scene import Scene

Float = NDArray[np.float64]
Key = Qt.Key
Modifier = Qt.KeyboardModifier
Motion = Literal["move", "turn", "scale"]

FRAME_MS = 8
"""The scene changes at most once in this time, however often the pointer reports."""

_BAND_HINT = "Select what the frame touches · Esc cancels"
_MOTIONS: dict[Key, Motion] = {Key.Key_G: "move", Key.Key_R: "turn", Key.Key_S: "scale"}
_CONFIRM = (Key.Key_Return, Key.Key_Enter, Key.Key_Space)


@dataclass(frozen=True)
class _Press:
    """A button held down, not yet a drag."""

    at: Float
    handle: Handle | None
    names: tuple[str, ...]
    """Of what the handle belongs to."""
    body: str | None
    modifiers: Modifier

    @property
    def add(self) -> bool:
        """Whether what is selected stays so, whether the press becomes a drag or not."""
        return bool(self.modifiers & Modifier.ShiftModifier)

    @property
    def toggles(self) -> bool:
        """Whether a click adds to the selection, or takes from it: as with lists, Ctrl does too."""
        return self.add or bool(self.modifiers & Modifier.ControlModifier)


class Interaction:
    """The state between events.

    Several may work on one document, each with its own camera.

    Parameters
    ----------
    document : Document
    camera : callable
        The screen's camera now, None while nothing is open.
    changed : callable
        Called when something needs redrawing or the status text may be another.
    tools : Tools
        Which handles there are, and how they work.

    Attributes
    ----------
    band : RubberBand or None
        The rectangle that is being pulled open.
    """

    def __init__(
        self,
        document: Document,
        camera: Callable[[], Camera | None],
        changed: Callable[[], None],
        tools: Tools,
    ) -> None:
        self._tools = tools
        self._document, self._camera, self._changed = document, camera, changed
        self._pointer: Float | None = None
        self._hovered_box: str | None = None
        self._hovered_handle: Handle | None = None
        self._press: _Press | None = None
        self._drag: Drag | None = None
        self.band: RubberBand | None = None
        self._last_click: Float | None = None
        self._latest: tuple[Float, Modifier] | None = None
        self._frame = QTimer()
        self._frame.setSingleShot(True)
        self._frame.setTimerType(Qt.TimerType.PreciseTimer)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._on_frame)

    @property
    def dragging(self) -> bool:
        """Whether a gesture is in progress."""
        return self._drag is not None

    @property
    def held(self) -> bool:
        """Whether something goes on that only lasts while the button is down."""
        pressed = self._press is not None or self.band is not None
        return pressed or (self._drag is not None and not self._drag.modal)

    @property
    def busy(self) -> bool:
        """Whether the pointer is taken: a gesture, or a press that may become one."""
        return self._drag is not None or self.held

    # -- for drawing -----------------------------------------------------------------------

    @property
    def hovered(self) -> str:
        """Name of the object that a press would take hold of by its box; empty if none."""
        return "" if self._hovered_handle is not None else self._hovered_box or ""

    def highlights(self) -> Highlights:
        """What the overlay shows."""
        drag, selection = self._drag, self._document.selection
        if drag is None:
            hovered = self._hovered_handle.name if self._hovered_handle else None
            box = None if hovered else self._hovered_box
            return Highlights(selection, box, self._handles(), hovered)
        in_use = self._handle_in_use(drag)
        used = in_use.name if in_use else None
        # Locked ones stay selected, but do not come along.
        others = () if drag.copies else tuple(n for n in selection if n not in drag.names)
        shown = [in_use] if in_use else []
        return Highlights((*others, *drag.names), None, shown, used, drag.gesture)

    def status(self) -> str:
        """One line for the status bar."""
        if self._drag is not None:
            return self._drag.status()
        if self.band is not None:
            return _BAND_HINT
        if self._hovered_handle is not None:
            return self._hovered_handle.hint
        return resting_hint(self._document, self._tools.tool, self._hovered_box)

    def cursor(self) -> Qt.CursorShape:
        """The pointer's shape: what a press would do here."""
        if self._drag is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._hovered_handle is not None:
            return Qt.CursorShape.PointingHandCursor
        if self._hovered_box is not None:
            return Qt.CursorShape.OpenHandCursor
        return Qt.CursorShape.CrossCursor if self.band else Qt.CursorShape.ArrowCursor

    # -- pointer ---------------------------------------------------------------------------

    def press(self, pixel: Float, modifiers: Modifier) -> None:
        """The left button went down."""
        self._latest = None
        if self._drag is not None:
            self._point(pixel, modifiers)
            self._finish()
            return
        handle, body = self._under(pixel)
        self._press = _Press(pixel, handle, self._document.editable, body, modifiers)

    def point_out(self, pixel: Float) -> bool:
        """Whether a menu at a screen position is about the selection, else about the picture.

        A box there that is not selected is then; of several that are, it becomes the active one.
        """
        handle, body = self._under(pixel)
        selection = self._document.selection
        if body is not None:
            others = [name for name in selection if name != body]
            self._document.select([*(others if body in selection else []), body])
        return handle is not None or body is not None

    def move(self, pixel: Float, modifiers: Modifier) -> None:
        """The pointer moved. The first move counts at once, then the newest of each frame."""
        if self._latest is not None and self._latest[1] != modifiers:
            self.catch_up()
        self._latest = (pixel, modifiers)
        if not self._frame.isActive():
            self._on_frame()

    def catch_up(self) -> None:
        """Make the newest position of the pointer count now."""
        latest, self._latest = self._latest, None
        if latest is not None:
            self._point(*latest)
            self._changed()

    def release(self, pixel: Float, modifiers: Modifier) -> None:
        """The left button went up."""
        self._latest = None
        self._point(pixel, modifiers)
        press, self._press, self.band = self._press, None, None
        if self._drag is not None and not self._drag.modal:
            self._finish()
        elif press is not None:
            self._click(pixel, press)
        if self._drag is None:
            self._hover(pixel)
        self._changed()

    def look_again(self) -> None:
        """The scene or the view of it is another: so may be what is under a resting pointer."""
        if self._pointer is not None and not self.busy:
            self._hover(self._pointer)

    def leave(self) -> None:
        """The pointer left the viewport."""
        self.catch_up()
        self._pointer = self._hovered_box = self._hovered_handle = None
        self._changed()

    def cancel(self) -> None:
        """Give up the gesture in progress: everything as at its start."""
        self._latest = self._press = None
        band, self.band = self.band, None
        drag, self._drag = self._drag, None
        if band is not None:
            self._document.select(band.before)
        if drag is not None:
            self._document.set_draft(None)
        if band is not None or drag is not None:
            self._changed()

    def _on_frame(self) -> None:
        if self._latest is not None:
            self.catch_up()
            self._frame.start()

    def _point(self, pixel: Float, modifiers: Modifier) -> None:
        self._pointer = pixel
        press = self._press
        if press is not None and np.linalg.norm(pixel - press.at) > DEAD_ZONE:
            self._press = None
            self._begin_pressed(press)
        if self._drag is not None:
            self._document.set_draft(self._drag.point(pixel, modifiers))
        elif self.band is not None:
            self.band = replace(self.band, end=pixel)
            self._select_in(self.band)
        elif self._press is None:
            self._hover(pixel)

    # -- keys ------------------------------------------------------------------------------

    def key(self, key: Key, modifiers: Modifier) -> bool:
        """A key was pressed. Returns whether it meant something here."""
        self.catch_up()
        if self.busy:
            # Whatever it is: while the pointer is taken nothing else may happen to the scene.
            self._busy_key(key, modifiers)
            return True
        if self._document.fitting and key in (Key.Key_Return, Key.Key_Enter):
            self._document.set_fitting(False)
            return True
        return key in NUDGES and self._nudge(key, modifiers)

    def modifiers_changed(self, modifiers: Modifier) -> None:
        """Snapping, slow motion or freedom begins or ends under a resting pointer."""
        self.catch_up()
        if self._drag is not None:
            self._document.set_draft(self._drag.modifiers_changed(modifiers))
            self._changed()

    def start(self, motion: Motion, pointer: Float) -> None:
        """Move, turn or scale the selection with the pointer, no button held, until confirmed.

        `pointer` is where it is if it is outside of the viewport. During such a gesture: begin
        it again as another one.
        """
        self.catch_up()
        at = self._pointer if self._pointer is not None else pointer
        if self._drag is not None and self._drag.modal:
            drag = self._drag
            self._start(motion, drag.scene, drag.names, at, drag.copies)
        elif not self.busy and self._document.scene is not None:
            self._start(motion, self._document.scene, self._document.editable, at)

    def start_duplicate(self, pointer: Float) -> None:
        """Copy the selection and move the copies, until confirmed; given up, they are gone."""
        self.catch_up()
        scene, names = self._document.scene, self._document.editable
        if self.busy or scene is None:
            return
        for name in names:
            scene = scene.duplicated(name)
        copies = tuple(item.name for item in scene.objects[len(scene.objects) - len(names) :])
        at = self._pointer if self._pointer is not None else pointer
        self._start("move", scene, copies, at, copies)

    def _busy_key(self, key: Key, modifiers: Modifier) -> None:
        drag = self._drag
        if key == Key.Key_Escape:
            self.cancel()
        elif drag is None:
            return
        elif drag.modal and key in _CONFIRM:
            self._finish()
        elif drag.modal and key in _MOTIONS and self._pointer is not None:
            self.start(_MOTIONS[key], self._pointer)
        elif drag.key(key, modifiers):
            self._document.set_draft(drag.result())
            self._changed()

    def _nudge(self, key: Key, modifiers: Modifier) -> bool:
        camera, scene, names = self._camera(), self._document.scene, self._document.editable
        if camera is None or scene is None or not names:
            return False
        moved = nudged(camera, scene, names, key, modifiers)
        self._document.push(moved, f"Nudge {_called(names)}", merge=f"nudge {names}")
        return True

    # -- gestures --------------------------------------------------------------------------

    def _begin_pressed(self, press: _Press) -> None:
        camera, scene = self._camera(), self._document.scene
        if camera is None or scene is None:
            return
        handle, names = press.handle, self._document.editable
        if handle is not None:
            if names != press.names:
                # Locked, or no longer selected, since the press.
                return
            grab = self._grab(camera, scene, names, press.at)
            self._begin(lambda free: from_handle(grab, handle), scene, handle=handle)
        elif press.body is not None:
            self._begin_body(camera, scene, press, press.body)
        else:
            self._hovered_box = self._hovered_handle = None
            before = self._document.selection
            self.band = RubberBand(press.at, press.at, before, press.toggles)

    def _begin_body(self, camera: Camera, scene: Scene, press: _Press, body: str) -> None:
        # The grabbed box becomes the active one; the others of the selection come along.
        if body not in self._pickable():
            # Locked or hidden since the press.
            return
        selection = self._document.selection
        others = [name for name in selection if name != body]
        self._document.select([*(others if press.add or body in selection else []), body])
        box = scene.object(body).box
        origin, direction = camera.rays(press.at)
        (reach,) = intersect_boxes(origin, direction, [box])
        hit = origin + reach * direction if math.isfinite(reach) else box.base_center()
        grab = self._grab(camera, scene, self._document.editable, press.at)
        self._begin(lambda free: from_body(grab, hit, free), scene)

    def _start(
        self,
        motion: Motion,
        scene: Scene,
        names: tuple[str, ...],
        at: Float,
        copies: tuple[str, ...] = (),
    ) -> None:
        camera = self._camera()
        if camera is None or not names:
            return
        if camera.project(scene.object(names[-1]).box.base_center())[2] <= NEAR:
            return
        self._pointer = at
        grab = self._grab(camera, scene, names, at)
        self._begin(lambda free: from_key(motion, grab, free), scene, modal=True, copies=copies)

    def _begin(
        self,
        make: Callable[[bool], Gesture],
        scene: Scene,
        *,
        modal: bool = False,
        handle: Handle | None = None,
        copies: tuple[str, ...] = (),
    ) -> None:
        self._hovered_box = self._hovered_handle = None
        local = self._tools.axes == "local"
        frames: tuple[Frame, Frame] = ("local", "world") if local else ("world", "local")
        self._drag = Drag(make, scene, modal=modal, frames=frames, handle=handle, copies=copies)
        self._document.set_draft(self._drag.result())
        self._changed()

    def _finish(self) -> None:
        drag, draft = self._drag, self._document.draft
        self._drag = None
        if drag is not None and draft is not None:
            verb = "Duplicate" if drag.copies else drag.gesture.verb
            text = f"{verb} {_called(drag.names)}"
            self._document.push(draft, text, select=drag.copies)
        self._changed()

    def _grab(self, camera: Camera, scene: Scene, names: tuple[str, ...], at: Float) -> Grab:
        return Grab(camera, {name: scene.object(name).box for name in names}, at, self._tools.pivot)

    # -- what is under the pointer ---------------------------------------------------------

    def _under(self, pixel: Float) -> tuple[Handle | None, str | None]:
        """What a press takes hold of: a handle, or else a box, rather one that is selected."""
        self._hover(pixel)
        handle = self._hovered_handle
        names = [] if handle else self.names_under(pixel)
        held = [name for name in names if name in self._document.selection]
        return handle, held[-1] if held else (names[0] if names else None)

    def _click(self, pixel: Float, press: _Press) -> None:
        names, selection = self.names_under(pixel), self._document.selection
        last, self._last_click = self._last_click, pixel
        here = last is not None and np.linalg.norm(pixel - last) <= DEAD_ZONE
        if press.handle is not None and not (here and names):
            # A handle is for dragging, but must not end a series of clicks on what it covers.
            return
        if not names:
            if not press.toggles:
                self._document.select(())
        elif press.toggles:
            kept = [name for name in selection if name != names[0]]
            self._document.select(kept if names[0] in selection else [*kept, names[0]])
        else:
            # A second click in the same place goes on to what lies behind.
            again = here and bool(selection) and selection[-1] in names
            index = (names.index(selection[-1]) + 1) % len(names) if again else 0
            self._document.select([names[index]])

    def _select_in(self, band: RubberBand) -> None:
        camera = self._camera()
        if camera is not None:
            self._document.select(band.selection(camera, self._pickable()))

    def _hover(self, pixel: Float) -> None:
        self._pointer = pixel
        self._hovered_handle = handle_under(self._handles(), pixel)
        names = self.names_under(pixel)
        self._hovered_box = names[0] if names else None

    def names_under(self, pixel: Float) -> list[str]:
        """Boxes under a screen position, the foremost first."""
        camera, boxes = self._camera(), self._pickable()
        if camera is None:
            return []
        names = list(boxes)
        return [names[i] for i in boxes_under(camera, list(boxes.values()), pixel, EDGE_TOLERANCE)]

    def _pickable(self) -> dict[str, Box]:
        scene = self._document.visible_scene
        items = scene.objects if scene is not None else ()
        return {item.name: item.box for item in items if item.name not in self._document.locked}

    def _handle_in_use(self, drag: Drag) -> Handle | None:
        camera, scene = self._camera(), self._document.shown_scene
        if drag.handle is None or camera is None or scene is None:
            return None
        active = scene.object(drag.names[-1]).box
        return carried(camera, drag.handle, drag.gesture.grab.active, active)

    def _handles(self) -> list[Handle]:
        camera, scene, names = self._camera(), self._document.shown_scene, self._document.editable
        if camera is None or scene is None or not names:
            return []
        boxes: Boxes = {name: scene.object(name).box for name in names}
        origin, active = gizmo_origin(camera, boxes, self._tools.pivot), boxes[names[-1]]
        return handles(camera, active, self._tools.tool, origin=origin, frame=self._tools.axes)


def _called(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} objects"
