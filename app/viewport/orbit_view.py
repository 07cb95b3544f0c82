"""The same scene from any side: boxes, ground and the picture's camera, without the picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.viewport.canvas import Frame
from app.viewport.orbit_strokes import draw_compass, draw_frustum, draw_ground
from app.viewport.overlay import draw_scene
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
    the left button do what the middle one does.
    """

    def __init__(
        self, document: Document, tools: Tools | None = None, parent: QWidget | None = None
    ) -> None:
        self._turntable = Turntable((0.0, 0.0, 0.0), 5.0, 0.0, _ABOVE)
        self._source: View | None = None
        self._fitted = True
        self._screen_camera: tuple[Turntable, tuple[float, float], Camera] | None = None
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
        self._refresh()

    def _framing(self, points: list[Float]) -> Turntable:
        width, height = self._screen_size()
        now = self._turntable
        return Turntable.framing(np.concatenate(points), now.yaw, now.pitch, width / height)

    # -- showing -----------------------------------------------------------------------------

    def _frame(self) -> Frame:
        scene, camera = self._document.visible_scene, self.screen_camera()
        strokes = Strokes()
        nowhere = (0.0, 0.0, 1.0, 1.0)
        if scene is None or camera is None:
            return Frame(None, nowhere, strokes)
        table = self._turntable
        draw_ground(strokes, camera, np.asarray(table.target), table.distance)
        draw_frustum(strokes, camera, scene.camera, _FRUSTUM_SHARE * _depth(scene))
        draw_scene(strokes, camera, scene, self._interaction.highlights())
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


def _depth(scene: Scene) -> float:
    """From the picture's camera to the middle of its objects, metres along its direction."""
    centers = [item.box.center for item in scene.objects]
    if not centers:
        return 3.0
    return max(float(scene.camera.to_camera(np.mean(centers, axis=0))[2]), 0.1)
