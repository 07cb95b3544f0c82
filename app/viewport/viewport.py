"""The viewport widget: shows the picture, hands Qt's events to navigation and interaction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.document import Document
from app.edits import editable
from app.viewport.canvas import Canvas, Frame
from app.viewport.gizmo import Frame as Axes
from app.viewport.gizmo import Tool
from app.viewport.grab import Pivot
from app.viewport.interaction import Interaction, Motion
from app.viewport.navigation import Navigation
from app.viewport.overlay import draw_scene
from app.viewport.rubber_band import draw_band
from app.viewport.strokes import Strokes
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import NEAR
from neural_assets_core.scene import Picture, Scene, View

WHEEL_STEP = 1.2
"""Zoom of one notch of the wheel."""

_FRAME_ROOM = 0.5
"""Left free on each side of a selection that is framed, in its own size."""

_MODIFIER_KEYS = {
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}


class Viewport(QWidget):
    """The photograph with its boxes, to look at and to edit.

    The picture zooms and pans but never orbits: photograph and camera belong together. Edits go
    to the document: drafts while dragging, one undo entry at the end.

    Parameters
    ----------
    document : Document
    parent : QWidget, optional
        Create the viewport before its window is shown, and do not change its parent later:
        that would destroy the OpenGL context.
    """

    status_changed = Signal(str)
    """Mode, constraint, the change so far, what the modifier keys would do."""

    gesture_started = Signal()
    gesture_finished = Signal()
    """After the release, or after the gesture was given up."""

    tool_changed = Signal(str)
    pivot_changed = Signal(str)
    axes_changed = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._picture: Picture | None = None
        self._source: View | None = None
        self._show_original = False
        self._show_boxes = True
        self._navigation = Navigation()
        self._fitted = True
        self._pan_from: QPointF | None = None
        self._screen_camera: tuple[Camera, Navigation, Camera] | None = None
        self._status = ""
        self._was_dragging = False
        self._interaction = Interaction(document, self.screen_camera, self._refresh)
        self._canvas = Canvas(self, self._frame)
        self.native: QWidget = self._canvas.native
        """The canvas's own widget, which gets the pointer and the keys."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.native)
        self.setFocusProxy(self.native)
        self.native.installEventFilter(self)
        document.scene_changed.connect(self._on_scene_changed)
        document.draft_changed.connect(self._refresh)
        document.selection_changed.connect(self._refresh)
        document.workspace_changed.connect(self._refresh)
        self._on_scene_changed(document.scene)

    # -- what is shown -----------------------------------------------------------------------

    def show_picture(self, picture: Picture | None) -> None:
        """Show a generated picture in the place of the source; None goes back to the source."""
        self._picture = picture
        self._refresh()

    @property
    def show_original(self) -> bool:
        """Whether the source picture is shown alone, for comparison."""
        return self._show_original

    def set_show_original(self, on: bool) -> None:
        """Show the source picture, without boxes, whatever was generated since."""
        self._interaction.cancel()
        self._show_original = on
        self._refresh()

    @property
    def show_boxes(self) -> bool:
        """Whether boxes and handles are drawn."""
        return self._show_boxes

    def set_show_boxes(self, on: bool) -> None:
        """Draw boxes and handles, or leave the picture alone."""
        self._interaction.cancel()
        self._show_boxes = on
        self._refresh()

    # -- tools -------------------------------------------------------------------------------

    @property
    def tool(self) -> Tool:
        """Which handles are shown."""
        return self._interaction.tool

    def set_tool(self, tool: Tool) -> None:
        """Choose the handles: "select" shows all, "move", "turn" and "scale" their own."""
        if tool != self._interaction.tool:
            self._interaction.tool = tool
            self.tool_changed.emit(tool)
            self._refresh()

    @property
    def pivot(self) -> Pivot:
        """What turns and scales of several objects keep in place."""
        return self._interaction.pivot

    def set_pivot(self, pivot: Pivot) -> None:
        """Choose the base of the "active" object, the "common" middle, or "each" one's base."""
        if pivot != self._interaction.pivot:
            self._interaction.pivot = pivot
            self.pivot_changed.emit(pivot)
            self._refresh()

    @property
    def axes(self) -> Axes:
        """Where the handles point."""
        return self._interaction.axes

    def set_axes(self, axes: Axes) -> None:
        """Choose the "world"'s axes, the active box's own ("local"), or its level heading."""
        if axes != self._interaction.axes:
            self._interaction.axes = axes
            self.axes_changed.emit(axes)
            self._refresh()

    def start_gesture(self, motion: Motion) -> None:
        """Move, turn or scale the selection with no button held, until a click or Enter.

        Raises
        ------
        UserError
            If all that is selected is locked or hidden.
        """
        if self._editable() and editable(self._document):
            self.native.setFocus()
            self._interaction.start(motion, self._outside_pointer())

    def duplicate_and_move(self) -> None:
        """Copy the selection and move the copies with no button held; Esc takes both back.

        Raises
        ------
        UserError
            If all that is selected is locked or hidden.
        """
        if self._editable() and editable(self._document):
            self.native.setFocus()
            self._interaction.start_duplicate(self._outside_pointer())

    def cancel_gesture(self) -> None:
        """Give up what is being dragged: everything as it was at the press."""
        self._interaction.cancel()

    # -- zoom and pan ------------------------------------------------------------------------

    @property
    def navigation(self) -> Navigation:
        """The map from picture to screen pixels."""
        return self._navigation

    def fit(self) -> None:
        """All of the picture, as large as possible; it stays fitted when the window changes."""
        camera = self._scene_camera()
        if camera is not None:
            size = (camera.width, camera.height)
            self._navigate(Navigation.fitted(size, self._screen_size()), fitted=True)

    def frame_selection(self) -> None:
        """The selected boxes as large as they fit, with room around them; all if none is."""
        camera, scene = self._scene_camera(), self._document.visible_scene
        names = self._document.selection
        if camera is None or scene is None:
            return
        corners = [item.box.corners() for item in scene.objects if item.name in names]
        points = camera.project(np.concatenate(corners)) if corners else np.empty((0, 3))
        points = points[points[:, 2] > NEAR, :2]
        if len(points) == 0:
            self.fit()
            return
        low, high = points.min(axis=0), points.max(axis=0)
        room = _FRAME_ROOM * np.maximum(high - low, 1.0)
        left, top = low - room
        width, height = high - low + 2 * room
        framed = Navigation.fitted((width, height), self._screen_size())
        self._navigate(framed.panned(-framed.scale * left, -framed.scale * top))

    def zoom_to_actual(self) -> None:
        """One picture pixel on one pixel of the display, about the middle of the view."""
        width, height = self._screen_size()
        ratio = self.native.devicePixelRatioF()
        exact = self._navigation.zoomed(
            1 / (ratio * self._navigation.scale), (0.5 * width, 0.5 * height)
        )
        # On whole display pixels, or everything would be smoothed by half a pixel.
        x, y = (round(side * ratio) / ratio for side in (exact.x, exact.y))
        self._navigate(Navigation(1 / ratio, x, y))

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom; the screen position `about` (default: the middle) keeps its picture point."""
        width, height = self._screen_size()
        at = (about.x(), about.y()) if about is not None else (0.5 * width, 0.5 * height)
        self._navigate(self._navigation.zoomed(factor, at))

    def _navigate(self, navigation: Navigation, fitted: bool = False) -> None:
        self._navigation, self._fitted = navigation, fitted
        self._refresh()

    def _screen_size(self) -> tuple[float, float]:
        return float(max(self.native.width(), 1)), float(max(self.native.height(), 1))

    def _scene_camera(self) -> Camera | None:
        scene = self._document.shown_scene
        return scene.camera if scene is not None else None

    def screen_camera(self) -> Camera | None:
        """The scene's camera whose pixels are the screen's; None while nothing is open."""
        camera = self._scene_camera()
        if camera is None:
            return None
        made = self._screen_camera
        if made is None or made[0] is not camera or made[1] is not self._navigation:
            made = (camera, self._navigation, self._navigation.camera(camera))
            self._screen_camera = made
        return made[2]

    # -- drawing -----------------------------------------------------------------------------

    def _frame(self) -> Frame:
        scene, camera = self._document.visible_scene, self.screen_camera()
        strokes = Strokes()
        if scene is None or camera is None:
            return Frame(None, (0.0, 0.0, 1.0, 1.0), strokes)
        source = scene.background.view.picture
        picture = source if self._show_original or self._picture is None else self._picture
        if self._show_boxes and not self._show_original:
            draw_scene(strokes, camera, scene, self._interaction.highlights())
            if self._interaction.band is not None:
                draw_band(strokes, self._interaction.band)
        place, scale = self._navigation, self._navigation.scale
        rect = (place.x, place.y, scale * scene.camera.width, scale * scene.camera.height)
        return Frame(picture, rect, strokes)

    def _on_scene_changed(self, scene: Scene | None) -> None:
        # Another scene under a drag in progress: what was grabbed may be gone.
        self._interaction.cancel()
        source = scene.background.view if scene is not None else None
        if source is not self._source:
            self._source, self._picture = source, None
            self.fit()
        self._refresh()

    def _refresh(self, _: object = None) -> None:
        self._canvas.update()
        if self._interaction.dragging != self._was_dragging:
            self._was_dragging = self._interaction.dragging
            (self.gesture_started if self._was_dragging else self.gesture_finished).emit()
        self.native.setCursor(self._interaction.cursor())
        status = self._interaction.status() if self._document.scene is not None else ""
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)

    # -- events ------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the canvas's events before VisPy: Qt's positions have fractions, VisPy's do not."""
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QWheelEvent):
            if not self._interaction.busy:
                self.zoom(WHEEL_STEP ** (event.angleDelta().y() / 120.0), event.position())
            return True
        if isinstance(event, QNativeGestureEvent):
            pinch = event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
            if pinch and not self._interaction.busy:
                self.zoom(1.0 + event.value(), event.position())
            return True
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QResizeEvent):
            self._resized(event)
        elif isinstance(event, QFocusEvent) and event.lostFocus():
            self._interaction.cancel()
        elif event.type() == QEvent.Type.Leave:
            self._interaction.leave()
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> bool:
        position, kind = event.position(), event.type()
        if kind == QEvent.Type.MouseMove:
            if not event.buttons() & Qt.MouseButton.MiddleButton:
                # Another window may have taken the release.
                self._pan_from = None
            if self._interaction.held and not event.buttons() & Qt.MouseButton.LeftButton:
                self._interaction.release(_pixel(position), event.modifiers())
            elif self._pan_from is not None:
                moved, self._pan_from = position - self._pan_from, position
                self._navigate(self._navigation.panned(moved.x(), moved.y()))
            else:
                self._interaction.move(_pixel(position), event.modifiers())
        elif kind == QEvent.Type.MouseButtonRelease:
            if event.button() == Qt.MouseButton.MiddleButton:
                self._pan_from = None
            elif event.button() == Qt.MouseButton.LeftButton:
                self._interaction.release(_pixel(position), event.modifiers())
        elif event.button() == Qt.MouseButton.LeftButton and self._editable():
            self._interaction.press(_pixel(position), event.modifiers())
        elif event.button() == Qt.MouseButton.RightButton:
            self._interaction.cancel()
        elif event.button() == Qt.MouseButton.MiddleButton and not self._interaction.busy:
            self._pan_from = position
        return True

    def _key(self, event: QKeyEvent) -> bool:
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if event.type() == QEvent.Type.ShortcutOverride:
            # While something is dragged all keys belong to it: X is an axis, not "delete".
            if self._interaction.busy:
                event.accept()
            return False
        pressed = event.type() == QEvent.Type.KeyPress
        if key in _MODIFIER_KEYS:
            # Platforms disagree on whether a modifier's own event includes it.
            flag = _MODIFIER_KEYS[key]
            self._interaction.modifiers_changed(modifiers | flag if pressed else modifiers & ~flag)
            return True
        repeated = event.isAutoRepeat() and key != Qt.Key.Key_Backspace
        if pressed and repeated and self._interaction.busy:
            # An axis key held a little long must not count twice.
            return True
        if pressed and self._editable() and self._interaction.key(key, modifiers):
            return True
        event.ignore()
        return True

    def _outside_pointer(self) -> NDArray[np.float64]:
        """(2,) where the pointer is, in screen pixels of the viewport it may not be over."""
        return _pixel(QPointF(self.native.mapFromGlobal(QCursor.pos())))

    def _editable(self) -> bool:
        return self._show_boxes and not self._show_original

    def _resized(self, event: QResizeEvent) -> None:
        if self._fitted:
            self.fit()
        elif event.oldSize().isValid():
            grown = event.size() - event.oldSize()
            self._navigate(self._navigation.panned(0.5 * grown.width(), 0.5 * grown.height()))


def _pixel(position: QPointF) -> NDArray[np.float64]:
    return np.array([position.x(), position.y()])
