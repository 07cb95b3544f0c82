"""The picture with its boxes: the view that the work is done in."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.document import Document
from app.viewport import style
from app.viewport.box_strokes import Level, draw_boxes
from app.viewport.canvas import Frame
from app.viewport.guest import Guest, Place, Pointer
from app.viewport.mask_strokes import MaskShape, draw_guessed, draw_outline
from app.viewport.navigation import Navigation
from app.viewport.rubber_band import draw_band
from app.viewport.scene_view import SceneView
from app.viewport.searching import Rectangle, draw_searching
from app.viewport.strokes import Label, Strokes
from app.viewport.tools import Tools
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.rays import NEAR
from neural_assets_core.scene import Picture, Scene, View

_BANNER_ROOM = 20.0
_FRAME_ROOM = 0.5
"""Left free on each side of a selection that is framed, in its own size."""


class Viewport(SceneView):
    """The photograph with its boxes, to look at and to edit.

    The picture zooms and pans but never orbits: photograph and camera belong together.
    """

    def __init__(
        self, document: Document, tools: Tools | None = None, parent: QWidget | None = None
    ) -> None:
        self._picture: Picture | None = None
        self._source: View | None = None
        self._show_original = False
        self._show_boxes = True
        self._navigation = Navigation()
        self._fitted = True
        self._ghost: Box | None = None
        self._ghost_hint = ""
        self._guest: Guest | None = None
        self._guessed: MaskShape | None = None
        self._outline: MaskShape | None = None
        self._searching: Sequence[Rectangle] = ()
        self._screen_camera: tuple[Camera, Navigation, Camera] | None = None
        super().__init__(document, tools, parent)
        document.fitting_changed.connect(self.redraw)

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

    def show_ghost(self, box: Box | None, hint: str = "") -> None:
        """Draw a box where something would come to stand, and say so; None and "" end that."""
        self._ghost, self._ghost_hint = box, hint
        self._refresh()

    def show_guessed(self, shape: MaskShape | None) -> None:
        """Tint what the picture makes up, in pixels of the scene's camera; None ends that."""
        if shape is not self._guessed:
            self._guessed = shape
            self._refresh()

    def show_outline(self, shape: MaskShape | None) -> None:
        """Draw the edge of a mask, in pixels of the photograph; None ends that."""
        if shape is not self._outline:
            self._outline = shape
            self._refresh()

    def show_searching(self, rectangles: Sequence[Rectangle]) -> None:
        """Draw where in the photograph something is being looked for, whatever the tool is."""
        self._searching = rectangles
        self._refresh()

    def _view_status(self) -> str:
        return self._ghost_hint or ("" if self._guest is None else self._guest.status())

    def _editable(self) -> bool:
        return self._guest is None and self._show_boxes and not self._show_original

    def _has_menu(self) -> bool:
        # The right button is a guest's own.
        return super()._has_menu() and self._guest is None

    # -- guests ------------------------------------------------------------------------------

    @property
    def guest(self) -> Guest | None:
        """The tool that has the pointer instead of the boxes."""
        return self._guest

    def set_guest(self, guest: Guest | None) -> None:
        """Show the photograph alone, and leave pointer and keys to a tool; None ends that."""
        self._interaction.cancel()
        self._guest = guest
        if guest is not None:
            self.native.setFocus()
        self._refresh()

    def redraw(self, _: object = None) -> None:
        """Something that is drawn over the photograph is another."""
        self._refresh()

    def place(self) -> Place | None:
        """Where the photograph lies on the screen; None while nothing is open."""
        scene = self._document.shown_scene
        return None if scene is None else Place.of(scene, self._navigation)

    @property
    def busy(self) -> bool:
        """Whether the pointer is taken, by a gesture, by a guest or by moving the view."""
        return super().busy or (self._guest is not None and self._guest.held)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and self._guest is not None:
            self._guest.leave()
            self._refresh()
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> bool:
        guest, place, kind = self._guest, self.place(), event.type()
        grabs = kind != QEvent.Type.MouseMove and self._grabs_view(event)
        if guest is None or place is None or self._view_drag is not None or grabs:
            return super()._mouse(event)
        at = np.array([event.position().x(), event.position().y()])
        pointer = Pointer.of(place, at, event.modifiers())
        left, right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
        if kind == QEvent.Type.MouseMove:
            # Another window may have taken the release.
            lost = guest.held and not event.buttons() & (left | right)
            (guest.release if lost else guest.move)(pointer)
        elif kind == QEvent.Type.MouseButtonRelease:
            if guest.held and event.button() in (left, right):
                guest.release(pointer)
        elif event.button() == left:
            guest.press(pointer)
        elif event.button() == right:
            guest.press_right(pointer)
        self._refresh()
        return True

    def _wheel(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        # Alt turns the wheel sideways on some platforms.
        notches = (turned.y() or turned.x()) / 120.0
        if self._guest is None or not self._guest.scroll(notches, event.modifiers()):
            super()._wheel(event)
        self._refresh()

    def _key(self, event: QKeyEvent) -> bool:
        guest, key = self._guest, Qt.Key(event.key())
        if guest is None or key == Qt.Key.Key_Space:
            return super()._key(event)
        now = event.type() == QEvent.Type.KeyPress
        asked = event.type() == QEvent.Type.ShortcutOverride
        wanted = (now or asked) and guest.key(key, event.modifiers(), now)
        event.setAccepted(wanted)
        self._refresh()
        return not asked

    def _focus(self, event: QFocusEvent) -> None:
        super()._focus(event)
        if event.lostFocus() and self._guest is not None:
            self._guest.let_go()
            self._refresh()

    def _cursor(self) -> Qt.CursorShape:
        moving = self._view_drag is not None or self._space
        return super()._cursor() if moving or self._guest is None else self._guest.cursor()

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

    def pan(self, dx: float, dy: float) -> None:
        """Shift the picture by screen pixels."""
        self._navigate(self._navigation.panned(dx, dy))

    def _navigate(self, navigation: Navigation, fitted: bool = False) -> None:
        self._navigation, self._fitted = navigation, fitted
        self._looked()

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
        # What is laid over the photograph, and fitted to it, is seen over it.
        laid = self._guest is not None or self._document.fitting
        original = laid or self._show_original or self._picture is None
        picture = source if original else self._picture
        place, scale = self._navigation, self._navigation.scale
        photo = Place.of(scene, self._navigation)
        if self._guessed is not None and not original:
            onto = Place((scale, scale), (place.x, place.y))
            draw_guessed(strokes, onto, self._guessed)
        if self._guest is not None:
            self._guest.draw(strokes, photo)
        elif self._editable():
            if self._outline is not None:
                draw_outline(strokes, photo, self._outline)
            self._draw_scene(strokes, camera, scene)
            if self._interaction.band is not None:
                draw_band(strokes, self._interaction.band)
            if self._document.fitting:
                middle = (0.5 * self._screen_size()[0], _BANNER_ROOM)
                strokes.label(Label("Fitting boxes · Enter ends", middle, style.ACCENT))
        draw_searching(strokes, photo, self._searching, time.monotonic())
        if self._ghost is not None:
            # Not as faint as where boxes stood: the eye is on this one.
            draw_boxes(strokes, camera, [self._ghost], [Level.HOVERED], [False])
        rect = (place.x, place.y, scale * scene.camera.width, scale * scene.camera.height)
        return Frame(picture, rect, strokes)

    def _show_scene(self, scene: Scene | None) -> None:
        source = scene.background.view if scene is not None else None
        if source is not self._source:
            self._source, self._picture = source, None
            self.fit()

    def _resized(self, event: QResizeEvent) -> None:
        if self._fitted:
            self.fit()
        elif event.oldSize().isValid():
            grown = event.size() - event.oldSize()
            self.pan(0.5 * grown.width(), 0.5 * grown.height())
