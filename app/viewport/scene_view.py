"""What every view of a scene has: a canvas, an interaction, and Qt's events for both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import (
    QContextMenuEvent,
    QCursor,
    QFocusEvent,
    QImage,
    QInputDevice,
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
from app.viewport.interaction import Interaction, Motion
from app.viewport.names import Names
from app.viewport.overlay import draw_scene
from app.viewport.strokes import Strokes
from app.viewport.tools import Tools
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import NEAR
from neural_assets_core.scene import Scene

WHEEL_STEP = 1.2
"""Zoom of one notch of the wheel."""

PACE_MS = 50
"""From one status of a gesture to the next: each has the window laid out anew, and numbers that
change more often cannot be read."""

_PINCH = (0.2, 5.0)
"""Least and most zoom of a single event: touchpads have been seen to report -1 and less."""

PAN_STEP = 48.0
"""Pixels by which an arrow key shifts the view while nothing is selected, or a notch sideways."""

_PANS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}

_MODIFIER_KEYS = {
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}


class SceneView(QWidget):
    """A view of the document's scene in which its boxes can be edited.

    Edits go to the document: drafts while dragging, one undo entry at the end. What the camera
    is, how it is moved and what lies behind the boxes is each view's own.

    Parameters
    ----------
    document : Document
    tools : Tools, optional
        Shared by views of the same scene.
    parent : QWidget, optional
        Create views before their window is shown, and do not change their parent later: that
        would destroy the OpenGL context.

    Attributes
    ----------
    tools : Tools
    native : QWidget
        The canvas's own widget, which gets the pointer and the keys.
    frame_swapped : signal
        A frame is on the screen.
    """

    status_changed = Signal(str)
    """Mode, constraint, the change so far, what the modifier keys would do."""

    hovered_changed = Signal(str)
    """Name of the object that a press would take hold of by its box; empty if none."""

    menu_requested = Signal(QPoint, bool)
    """Where on the screen, and whether for the selected objects, else for the picture."""

    gesture_started = Signal()
    gesture_finished = Signal()
    """After the release, or after the gesture was given up."""

    def __init__(
        self, document: Document, tools: Tools | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.tools = Tools(self) if tools is None else tools
        self._document = document
        self._status = self._hovered = ""
        self._was_dragging = False
        self._pace = QTimer(self, singleShot=True, interval=PACE_MS)
        self._pace.timeout.connect(self._tell_status)
        # Where the pointer last was while it drags the view, and the button it does it with.
        self._view_drag: tuple[QPointF, Qt.MouseButton] | None = None
        self._space = False
        # Whether the last press of the right button gave something up.
        self._gave_up = False
        self._interaction = Interaction(document, self.screen_camera, self._refresh, self.tools)
        self._names = Names()
        self._canvas = Canvas(self, self._frame)
        self.native: QWidget = self._canvas.native
        self.frame_swapped: SignalInstance = self._canvas.frame_swapped
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.native)
        self.setFocusProxy(self.native)
        self.native.installEventFilter(self)
        self.tools.changed.connect(self._refresh)
        document.scene_changed.connect(self._on_scene_changed)
        document.draft_changed.connect(self._refresh)
        document.selection_changed.connect(self._refresh)
        document.workspace_changed.connect(self._refresh)
        self._on_scene_changed(document.scene)

    # -- each view's own -----------------------------------------------------------------------

    def screen_camera(self) -> Camera | None:
        """The camera whose pixels are the screen's; None while nothing is open."""
        raise NotImplementedError

    def fit(self) -> None:
        """Show everything."""
        raise NotImplementedError

    def frame_selection(self) -> None:
        """Show the selected boxes as large as they fit; everything if none is."""
        raise NotImplementedError

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Nearer by a factor; what is at the screen position (default: the middle) stays."""
        raise NotImplementedError

    def pan(self, dx: float, dy: float) -> None:
        """Shift what is shown by screen pixels."""
        raise NotImplementedError

    def _frame(self) -> Frame:
        """What to draw now."""
        raise NotImplementedError

    def _show_scene(self, scene: Scene | None) -> None:
        """The document has another scene."""
        raise NotImplementedError

    def _resized(self, event: QResizeEvent) -> None:
        """The canvas has another size."""

    def _drag_view(self, moved: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer drags the view itself."""
        self.pan(moved.x(), moved.y())

    def _grabs_view(self, event: QMouseEvent) -> bool:
        """Whether a press takes hold of the view and not of the scene."""
        left = event.button() == Qt.MouseButton.LeftButton
        return event.button() == Qt.MouseButton.MiddleButton or (left and self._space)

    def _view_status(self) -> str:
        """What the view itself has to say, before what is about the boxes."""
        return ""

    def _editable(self) -> bool:
        """Whether there are boxes to be edited."""
        return True

    def _has_menu(self) -> bool:
        """Whether the right button opens a menu."""
        return self._document.scene is not None

    # -- gestures ------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether the pointer is taken, by a gesture or by moving the view."""
        return self._interaction.busy or self._view_drag is not None

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

    def object_under(self, position: QPointF) -> str | None:
        """Name of the foremost object that a click at a screen position would pick."""
        return next(iter(self._interaction.names_under(_pixel(position))), None)

    # -- showing -------------------------------------------------------------------------------

    def grab_frame(self) -> QImage:
        """What is shown, drawn anew, in physical pixels."""
        return self._canvas.grab()

    def _draw_scene(self, strokes: Strokes, camera: Camera, scene: Scene) -> None:
        now, size = self._interaction.highlights(), self._screen_size()
        draw_scene(strokes, camera, scene, now, self._names, size)

    def _screen_size(self) -> tuple[float, float]:
        return float(max(self.native.width(), 1)), float(max(self.native.height(), 1))

    def _on_scene_changed(self, scene: Scene | None) -> None:
        # Another scene under a drag in progress: what was grabbed may be gone.
        self._interaction.cancel()
        self._show_scene(scene)
        self._looked()

    def _looked(self) -> None:
        """The view is another."""
        self._interaction.look_again()
        self._refresh()

    def _refresh(self, _: object = None) -> None:
        if self._interaction.dragging != self._was_dragging:
            self._was_dragging = self._interaction.dragging
            (self.gesture_started if self._was_dragging else self.gesture_finished).emit()
        if not self.isVisible():
            # Shown again, it catches up: nothing is computed for nobody to see.
            return
        self._canvas.update()
        cursor = self._cursor()
        if cursor != self.native.cursor().shape():
            self.native.setCursor(cursor)
        if not (self._was_dragging and self._pace.isActive()):
            self._tell_status()
        hovered = self._interaction.hovered
        if hovered != self._hovered:
            self._hovered = hovered
            self.hovered_changed.emit(hovered)

    def _tell_status(self) -> None:
        status = ""
        if self._document.scene is not None:
            status = self._view_status() or self._interaction.status()
        if status != self._status:
            self._status = status
            self._pace.start()
            self.status_changed.emit(status)

    def _cursor(self) -> Qt.CursorShape:
        if self._view_drag is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._space and not self._interaction.busy:
            return Qt.CursorShape.OpenHandCursor
        return self._interaction.cursor()

    # -- events --------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the canvas's events before VisPy: Qt's positions have fractions, VisPy's do not."""
        if isinstance(event, QMouseEvent):
            if _presses_right(event):
                # Before it is given up.
                self._gave_up = self.busy or not self._has_menu()
            return self._mouse(event)
        if isinstance(event, QContextMenuEvent):
            self._menu(event)
            return True
        if isinstance(event, QWheelEvent):
            self._wheel(event)
            return True
        if isinstance(event, QNativeGestureEvent):
            pinch = event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
            if pinch and not self._interaction.busy:
                least, most = _PINCH
                self.zoom(min(max(1.0 + event.value(), least), most), event.position())
            return True
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QResizeEvent):
            self._resized(event)
        elif isinstance(event, QFocusEvent):
            self._focus(event)
        elif event.type() == QEvent.Type.Show:
            self._refresh()
        elif event.type() == QEvent.Type.Enter:
            self.status_changed.emit(self._status)
        elif event.type() == QEvent.Type.Leave:
            self._interaction.leave()
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> bool:
        position, kind = event.position(), event.type()
        if kind == QEvent.Type.MouseMove:
            self._mouse_moved(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            if self._view_drag is not None and event.button() == self._view_drag[1]:
                self._end_view_drag()
            elif event.button() == Qt.MouseButton.LeftButton:
                self._interaction.release(_pixel(position), event.modifiers())
        elif event.button() == Qt.MouseButton.RightButton:
            self._interaction.cancel()
        elif self._view_drag is not None:
            # The hand is at the view.
            pass
        elif self._grabs_view(event) and not self._interaction.busy:
            self._view_drag = position, event.button()
            self._refresh()
        elif event.button() == Qt.MouseButton.LeftButton and self._editable():
            self._interaction.press(_pixel(position), event.modifiers())
        return True

    def _mouse_moved(self, event: QMouseEvent) -> None:
        self._canvas.expect()
        position = event.position()
        if self._view_drag is not None and not event.buttons() & self._view_drag[1]:
            # Another window may have taken the release.
            self._end_view_drag()
        if self._interaction.held and not event.buttons() & Qt.MouseButton.LeftButton:
            self._interaction.release(_pixel(position), event.modifiers())
        elif self._view_drag is not None:
            last, button = self._view_drag
            self._view_drag = position, button
            self._drag_view(position - last, event.modifiers())
        else:
            self._interaction.move(_pixel(position), event.modifiers())

    def _end_view_drag(self) -> None:
        self._view_drag = None
        self._refresh()

    def _wheel(self, event: QWheelEvent) -> None:
        if self._interaction.busy:
            return
        moved, turned = event.pixelDelta(), event.angleDelta()
        touched = event.device().type() == QInputDevice.DeviceType.TouchPad
        tilted = turned.x() != 0 and turned.y() == 0
        if (touched or tilted) and not event.modifiers():
            # Two fingers: there is no wheel, and rarely a middle button. X11 seldom knows pixels.
            share = PAN_STEP / 120.0 if moved.isNull() else 1.0
            by = turned if moved.isNull() else moved
            self.pan(share * by.x(), share * by.y())
            return
        # Alt turns the wheel sideways on some platforms.
        self.zoom(WHEEL_STEP ** ((turned.y() or turned.x()) / 120.0), event.position())

    def _menu(self, event: QContextMenuEvent) -> None:
        """Ask for a menu; some platforms do at the press of the button, some at the release."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._menu_by_key()
        elif not self.busy and not self._gave_up and self._has_menu():
            found = self._editable() and self._interaction.point_out(_pixel(event.pos()))
            self._request_menu(event.globalPos(), found)

    def _menu_by_key(self) -> None:
        """Ask for a menu at the active object, or in the middle."""
        camera, scene, names = self.screen_camera(), self._document.scene, self._document.selection
        if self.busy or not self._has_menu() or camera is None or scene is None:
            return
        at, found = self.native.rect().center(), bool(names) and self._editable()
        if found:
            u, v, depth = camera.project(np.array(scene.object(names[-1]).box.center))
            seen = depth > NEAR and self.native.rect().contains(QPointF(u, v).toPoint())
            at = QPointF(u, v).toPoint() if seen else at
        self._request_menu(self.native.mapToGlobal(at), found)

    def _request_menu(self, where: QPoint, for_selection: bool) -> None:
        # Where the pointer will be once the menu has closed, nobody knows.
        self._interaction.leave()
        self.menu_requested.emit(where, for_selection)

    def _focus(self, event: QFocusEvent) -> None:
        if event.lostFocus():
            self._space = False
            self._view_drag = None
            self._interaction.cancel()

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
            self._tell_status()
            return True
        if key == Qt.Key.Key_Space and not self._interaction.busy:
            if not event.isAutoRepeat():
                self._space = pressed
                self._refresh()
            return True
        repeated = event.isAutoRepeat() and key != Qt.Key.Key_Backspace
        if pressed and repeated and self._interaction.busy:
            # An axis key held a little long must not count twice.
            return True
        if pressed and not self.busy and _asks_for_menu(event):
            self._menu_by_key()
            return True
        if pressed and self._editable() and self._interaction.key(key, modifiers):
            # What is typed is seen at once.
            self._tell_status()
            return True
        if pressed and key in _PANS and not modifiers & ~Qt.KeyboardModifier.KeypadModifier:
            # There is nothing to nudge.
            self.pan(*(PAN_STEP * share for share in _PANS[key]))
            return True
        event.ignore()
        return True

    def _outside_pointer(self) -> NDArray[np.float64]:
        """(2,) where the pointer is, in screen pixels of the view it may not be over."""
        return _pixel(QPointF(self.native.mapFromGlobal(QCursor.pos())))


def _presses_right(event: QMouseEvent) -> bool:
    pressed = event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
    return pressed and event.button() == Qt.MouseButton.RightButton


def _asks_for_menu(event: QKeyEvent) -> bool:
    shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    return event.key() == Qt.Key.Key_Menu or (event.key() == Qt.Key.Key_F10 and shifted)


def _pixel(position: QPoint | QPointF) -> NDArray[np.float64]:
    return np.array([position.x(), position.y()])
