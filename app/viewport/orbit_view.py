"""The same scene from any side: boxes, ground and the picture's camera, without the picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.viewport.camera_drag import HINTS, CameraDrag, CameraHandles, Part
from app.viewport.canvas import Frame
from app.viewport.orbit_strokes import draw_compass, draw_frustum, draw_ground
from app.viewport.rubber_band import draw_band
from app.viewport.scene_view import SceneView
from app.viewport.strokes import Strokes
from app.viewport.tools import Tools
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.turntable import Turntable, seen_from
from neural_assets_core.scene import Scene, View

Float = NDArray[np.float64]
Modifier = Qt.KeyboardModifier

TURN = math.radians(0.4)
"""For one pixel of the pointer."""

_ASIDE, _ABOVE = math.radians(35.0), math.radians(30.0)
"""Where a scene is first looked at from, relative to its camera's heading and the horizon."""

SIDES = {
    "front": (0.5 * math.pi, 0.0),
    "right": (math.pi, 0.0),
    "top": (0.5 * math.pi, 0.5 * math.pi),
}
"""Yaw and pitch of the views along the world's axes."""

_FRUSTUM_SHARE = 0.25
"""How far the drawn camera reaches towards the nearest object."""


class OrbitView(SceneView):
    """Boxes, camera and ground from any side, with the same handles as in the picture.

    The middle button circles, with Shift it shifts, with Ctrl it comes nearer; Space or Alt with
    the left button do what the middle one does. The picture's camera has two handles: its centre
    moves it, the middle of its picture turns it.
    """

    def __init__(
        self, document: Document, tools: Tools | None = None, parent: QWidget | None = None
    ) -> None:
        self._turntable = Turntable((0.0, 0.0, 0.0), 5.0, 0.0, _ABOVE)
        self._source: View | None = None
        self._fitted = True
        self._screen_camera: tuple[Turntable, tuple[float, float], Camera] | None = None
        self._camera_drag: CameraDrag | None = None
        self._camera_text = ""
        self._hot: Part | None = None
        super().__init__(document, tools, parent)

    @property
    def turntable(self) -> Turntable:
        """Where it is looked from."""
        return self._turntable

    def screen_camera(self) -> Camera | None:
        """The free camera; None while nothing is open."""
        if self._document.shown_scene is None:
            return None
        size, made = self._screen_size(), self._screen_camera
        if made is None or made[0] is not self._turntable or made[1] != size:
            width, height = (int(side) for side in size)
            made = (self._turntable, size, self._turntable.camera(width, height))
            self._screen_camera = made
        return made[2]

    # -- looking around ----------------------------------------------------------------------

    def fit(self) -> None:
        """All boxes and the picture's camera."""
        scene = self._document.visible_scene
        if scene is not None:
            self._look(self._framing([*_corners(scene), scene.camera.position[None]]), fitted=True)

    def frame_selection(self) -> None:
        """The selected boxes; everything if none is."""
        scene, names = self._document.visible_scene, self._document.selection
        chosen = [] if scene is None else _corners(scene, names)
        if chosen:
            self._look(self._framing(chosen))
        else:
            self.fit()

    def look_from(self, side: str) -> None:
        """From the "front", the "right" or the "top", or as the picture's "camera" does."""
        scene = self._document.visible_scene
        if scene is None:
            return
        if side == "camera":
            self._look(seen_from(scene.camera, _depth(scene)))
        else:
            yaw, pitch = SIDES[side]
            now = self._turntable
            self._look(Turntable(now.target, now.distance, yaw, pitch))

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Nearer by a factor; what is at the target's depth under `about` stays there."""
        width, height = self._screen_size()
        at = QPointF(0.5 * width, 0.5 * height) if about is None else about
        dx, dy = at.x() - 0.5 * width, at.y() - 0.5 * height
        self._look(self._turntable.zoomed(factor, dx, dy, int(height)))

    def pan(self, dx: float, dy: float) -> None:
        """Shift the target, so that what is there follows by screen pixels."""
        self._look(self._turntable.panned(dx, dy, int(self._screen_size()[1])))

    def _drag_view(self, moved: QPointF, modifiers: Modifier) -> None:
        if modifiers & Modifier.ShiftModifier:
            self.pan(moved.x(), moved.y())
        elif modifiers & Modifier.ControlModifier:
            self.zoom(math.exp(-0.01 * moved.y()))
        else:
            self._look(self._turntable.turned(-TURN * moved.x(), TURN * moved.y()))

    def _grabs_view(self, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        alt = bool(event.modifiers() & Modifier.AltModifier)
        return super()._grabs_view(event) or (left and alt)

    def _look(self, turntable: Turntable, fitted: bool = False) -> None:
        self._turntable, self._fitted = turntable, fitted
        self._looked()

    def _framing(self, points: list[Float]) -> Turntable:
        width, height = self._screen_size()
        now = self._turntable
        return Turntable.framing(np.concatenate(points), now.yaw, now.pitch, width / height)

    # -- the picture's camera ------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether the pointer is taken, by a gesture or by moving the view or the camera."""
        return super().busy or self._camera_drag is not None

    def cancel_gesture(self) -> None:
        """Give up what is being dragged: everything as it was at the press."""
        super().cancel_gesture()
        if self._camera_drag is not None:
            self._camera_drag = None
            self._document.set_draft(None)

    def _mouse(self, event: QMouseEvent) -> bool:
        kind, pixel = event.type(), np.array([event.position().x(), event.position().y()])
        drag = self._camera_drag
        if drag is None:
            if not super().busy:
                self._hover_camera(pixel)
            pressed = kind == QEvent.Type.MouseButtonPress
            left = event.button() == Qt.MouseButton.LeftButton
            if not (pressed and left and self._hot) or self._grabs_view(event):
                return super()._mouse(event)
            self._take_camera(pixel)
        elif kind == QEvent.Type.MouseMove and event.buttons() & Qt.MouseButton.LeftButton:
            slow = bool(event.modifiers() & Modifier.ShiftModifier)
            upright = bool(event.modifiers() & Modifier.AltModifier)
            self._drag_camera(drag, pixel, slow=slow, upright=upright)
        elif kind == QEvent.Type.MouseButtonPress:
            self.cancel_gesture()
        else:
            self._release_camera(drag)
        return True

    def _key(self, event: QKeyEvent) -> bool:
        if self._camera_drag is None:
            return super()._key(event)
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        elif event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.cancel_gesture()
        return True

    def _focus(self, event: QFocusEvent) -> None:
        super()._focus(event)
        if event.lostFocus():
            self.cancel_gesture()

    def _hover_camera(self, pixel: Float) -> None:
        scene, view = self._document.visible_scene, self.screen_camera()
        hot = None
        if scene is not None and view is not None:
            hot = CameraHandles.of(scene.camera, _reach(scene)).under(view, pixel)
        if hot != self._hot:
            self._hot = hot
            self._refresh()

    def _take_camera(self, pixel: Float) -> None:
        scene, view = self._document.scene, self.screen_camera()
        if scene is not None and view is not None and self._hot is not None:
            self._camera_drag = CameraDrag(self._hot, view, scene.camera, _reach(scene), pixel)

    def _drag_camera(self, drag: CameraDrag, pixel: Float, *, slow: bool, upright: bool) -> None:
        scene = self._document.scene
        if scene is not None:
            camera, self._camera_text = drag.dragged(pixel, slow=slow, upright=upright)
            self._document.set_draft(scene.with_camera(camera))

    def _release_camera(self, drag: CameraDrag) -> None:
        self._camera_drag = None
        draft = self._document.draft
        if draft is not None:
            self._document.push(draft, f"{drag.verb} the camera")
        self._refresh()

    def _view_status(self) -> str:
        if self._camera_drag is not None:
            return f"{self._camera_drag.verb} the camera   {self._camera_text}   ·   Esc cancels"
        return "" if self._hot is None else HINTS[self._hot]

    # -- showing -----------------------------------------------------------------------------

    def _frame(self) -> Frame:
        scene, camera = self._document.visible_scene, self.screen_camera()
        strokes = Strokes()
        nowhere = (0.0, 0.0, 1.0, 1.0)
        if scene is None or camera is None:
            return Frame(None, nowhere, strokes)
        table = self._turntable
        draw_ground(strokes, camera, np.asarray(table.target), table.distance)
        held = self._camera_drag.part if self._camera_drag is not None else self._hot
        draw_frustum(strokes, camera, scene.camera, _reach(scene), held)
        self._draw_scene(strokes, camera, scene)
        if self._interaction.band is not None:
            draw_band(strokes, self._interaction.band)
        draw_compass(strokes, camera)
        return Frame(None, nowhere, strokes)

    def _show_scene(self, scene: Scene | None) -> None:
        source = scene.background.view if scene is not None else None
        if source is not self._source:
            self._source = source
            if scene is not None:
                ahead = scene.camera.forward
                heading = math.atan2(ahead[1], ahead[0])
                self._turntable = Turntable((0.0, 0.0, 0.0), 5.0, heading + _ASIDE, _ABOVE)
            self.fit()

    def _resized(self, event: QResizeEvent) -> None:
        if self._fitted:
            self.fit()


def _corners(scene: Scene, names: tuple[str, ...] | None = None) -> list[Float]:
    """Corners (8, 3) of the boxes of the named objects; of all without names."""
    return [item.box.corners() for item in scene.objects if names is None or item.name in names]


def _reach(scene: Scene) -> float:
    """Depth at which the picture of the drawn camera is shown, metres."""
    # From the photograph's own camera: the drawn one keeps its size while it is moved.
    return _FRUSTUM_SHARE * _depth(scene.with_camera(scene.background.view.camera))


def _depth(scene: Scene) -> float:
    """From the picture's camera to the middle of its objects, metres along its direction."""
    centers = [item.box.center for item in scene.objects]
    if not centers:
        return 3.0
    return max(float(scene.camera.to_camera(np.mean(centers, axis=0))[2]), 0.1)
