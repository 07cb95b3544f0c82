"""Drawing a box over an object of the photograph: four clicks, or a rectangle around it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import Qt

from app.cut_out import CutOut
from app.document import Document
from app.viewport import style
from app.viewport.box_strokes import Level, draw_boxes
from app.viewport.guest import Guest, Key, Modifier, Place, Pointer
from app.viewport.strokes import Strokes
from neural_assets_core.calibration import box_from_rectangle, cuboid_from_clicks
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box

Float = NDArray[np.float64]

CLICKS = 4
_STEP = 0.01
"""To the side of a first click, as a share of the picture's width, to see whether it will do; and
the way that an arrow key goes."""
_SLOW = 0.2
"""Of that, with Shift."""
_ARROWS = {
    Key.Key_Left: (-1.0, 0.0),
    Key.Key_Right: (1.0, 0.0),
    Key.Key_Up: (0.0, -1.0),
    Key.Key_Down: (0.0, 1.0),
}
_BUTTON = (Key.Key_Return, Key.Key_Enter)

_HINTS = (
    "Draw box · drag a rectangle around an object, or click where one bottom edge begins",
    "Draw box 1/4 · click where that bottom edge ends",
    "Draw box 2/4 · click how far the bottom reaches",
    "Draw box 3/4 · click how high it is",
)
_BACK = "Backspace takes the last click back · Esc gives up"
_RECTANGLE = (
    "Draw box · let go when the rectangle encloses the object alone, not what it stands on · "
    "Esc gives up"
)
_SEARCHING = "Looking for the outline of what is in the rectangle … · Esc gives up"
_LEAVE = "arrow keys and Enter do it too · Esc leaves"


class DrawBox(Guest):
    """The pointer while boxes are drawn.

    Parameters
    ----------
    document : Document
        Boxes are drawn over the photograph of its scene.
    cut_out : CutOut
        Looks for what is in the rectangles that are dragged.
    finished : callable
        Gets a box that was clicked.
    refused : callable
        Gets a sentence: what was wrong with a click; an empty one if nothing was.
    leave : callable
        The user wants another tool.
    """

    def __init__(
        self,
        document: Document,
        cut_out: CutOut,
        finished: Callable[[Box], None],
        refused: Callable[[str], None],
        leave: Callable[[], None],
    ) -> None:
        self._document, self._cut_out = document, cut_out
        self._finished, self._refused, self._leave = finished, refused, leave
        self._clicks: list[Float] = []
        self._at: Float | None = None
        self._start: Float | None = None
        self._rectangle = False

    @property
    def held(self) -> bool:
        return self._start is not None

    @property
    def begun(self) -> bool:
        """Whether a box is being drawn."""
        return self.held or bool(self._clicks)

    def forget(self) -> None:
        """Begin anew."""
        self._clicks, self._start, self._rectangle = [], None, False

    # -- pointer -------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> None:
        self._at = self._start = pointer.at

    def move(self, pointer: Pointer) -> None:
        self._at = pointer.at
        if self._start is not None and not self._clicks:
            far = np.linalg.norm(pointer.at - self._start) > pointer.reach
            self._rectangle = self._rectangle or bool(far)

    def release(self, pointer: Pointer) -> None:
        start, rectangle = self._start, self._rectangle
        self._at, self._start, self._rectangle = pointer.at, None, False
        if start is None:
            return
        if rectangle:
            (left, top), (right, bottom) = np.sort(np.array([start, pointer.at]), axis=0)
            self.forget()
            self._refused("")
            self._cut_out.draw((float(left), float(top), float(right), float(bottom)))
            return
        # Held and moved, a click is where the button was let go: that is what was shown.
        self._clicks.append(pointer.at)
        try:
            box = self._box(None)
        except UserError as error:
            self._clicks.pop()
            self._refused(str(error))
            return
        self._refused("")
        if box is not None and len(self._clicks) == CLICKS:
            self.forget()
            self._finished(box)

    def leave(self) -> None:
        self._at = None

    def let_go(self) -> None:
        self._start, self._rectangle = None, False

    def cancel(self) -> None:
        if self._clicks or self._start is not None:
            self.forget()
        elif self._cut_out.searching:
            self._cut_out.give_up()
        else:
            self._leave()

    def key(self, key: Key, modifiers: Modifier, pressed: bool) -> bool:
        if key in _ARROWS or key in _BUTTON:
            if pressed:
                self._by_key(key, modifiers)
            return True
        undo = key == Key.Key_Z and modifiers == Modifier.ControlModifier
        back = bool(self._clicks) and (key == Key.Key_Backspace or undo)
        if key != Key.Key_Escape and not back:
            # In the middle of a box no other key may change the scene under it.
            return self.begun
        if pressed and key == Key.Key_Escape:
            self.cancel()
        elif pressed:
            self._clicks.pop()
            self.let_go()
        return True

    def _by_key(self, key: Key, modifiers: Modifier) -> None:
        """Arrows are the way of the mouse; Enter presses its button, and lets it go again."""
        scene = self._document.scene
        if scene is None:
            return
        picture = scene.background.view.picture
        size, step = np.array([picture.width, picture.height]), _STEP * picture.width
        at = 0.5 * size if self._at is None else self._at
        if key in _ARROWS:
            slow = bool(modifiers & Modifier.ShiftModifier)
            at = np.clip(at + (_SLOW if slow else 1.0) * step * np.array(_ARROWS[key]), 0.0, size)
        pointer = Pointer(at, 0.5 * step, modifiers)
        if key in _ARROWS:
            self.move(pointer)
        elif self.held:
            self.release(pointer)
        else:
            self.press(pointer)

    # -- showing -------------------------------------------------------------------------------

    def status(self) -> str:
        if self._rectangle:
            return _RECTANGLE
        if self._cut_out.searching and not self._clicks:
            return _SEARCHING
        wrong = self._wrong()
        if wrong:
            return f"{wrong}   ·   {_BACK}"
        return f"{_HINTS[len(self._clicks)]}   ·   {_BACK if self._clicks else _LEAVE}"

    def cursor(self) -> Qt.CursorShape:
        return Qt.CursorShape.CrossCursor

    def draw(self, strokes: Strokes, place: Place) -> None:
        scene = self._document.scene
        if scene is None:
            return
        view = scene.background.view
        camera = place.camera(view.camera)
        # Where things were seen, wherever they have been moved since.
        drawn = [occluder.box for occluder in scene.background.occluders]
        draw_boxes(strokes, camera, drawn, [Level.PLAIN] * len(drawn), [False] * len(drawn))
        if self._start is not None and self._rectangle and self._at is not None:
            corners = _rectangle(place, self._start, self._at)
            strokes.path(corners, style.CASING, 3.0, closed=True)
            strokes.path(corners, style.ACCENT, 1.2, closed=True)
        box = self._preview()
        if box is not None:
            draw_boxes(strokes, camera, [box], [Level.ACTIVE], [False])
        # The others are no corners: they say how far, and how high.
        for click in place.to_screen(np.array(self._points()[:2]).reshape(-1, 2)):
            strokes.dot(click, style.CASING, 11.0)
            strokes.dot(click, style.ACCENT, 8.0)

    def _points(self) -> list[Float]:
        """The clicks, and where the next one would be."""
        following = self._at is not None and len(self._clicks) < CLICKS and not self._rectangle
        return [*self._clicks, *([self._at] if following and self._at is not None else [])]

    def _preview(self) -> Box | None:
        try:
            start = self._start if self._rectangle else None
            return self._box(start, self._points())
        except UserError:
            return None

    def _wrong(self) -> str:
        """Why the next click would be refused here."""
        if not self._clicks:
            # A rectangle may begin anywhere.
            return ""
        try:
            self._box(None, self._points())
        except UserError as error:
            return str(error)
        return ""

    def _box(self, start: Float | None, points: list[Float] | None = None) -> Box | None:
        """The box so far, from a rectangle that begins at `start`, or from clicks.

        Raises
        ------
        UserError
            If there is none.
        """
        scene = self._document.scene
        if scene is None:
            return None
        camera = scene.background.view.camera
        if start is not None and self._at is not None:
            (left, top), (right, bottom) = np.sort(np.array([start, self._at]), axis=0)
            return box_from_rectangle(camera, left, top, right, bottom)
        clicks = self._clicks if points is None else points
        if not clicks:
            return None
        pairs = [(float(x), float(y)) for x, y in clicks]
        if len(pairs) == 1:
            # A beginning from which no second click leads on is refused at once.
            (x, y) = pairs[0]
            cuboid_from_clicks(camera, [(x, y), (x + _STEP * camera.width, y)])
            return None
        return cuboid_from_clicks(camera, pairs)


def _rectangle(place: Place, start: ArrayLike, end: ArrayLike) -> Float:
    """(4, 2) corners on the screen, from two opposite ones in the photograph."""
    (left, top), (right, bottom) = place.to_screen(np.array([start, end]))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
