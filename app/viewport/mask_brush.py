"""Painting an object's mask over the photograph."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.document import Document
from app.viewport.guest import Guest, Key, Modifier, Place, Pointer
from app.viewport.mask_strokes import MaskShape, draw_brush, draw_mask
from app.viewport.strokes import Strokes
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy import appearance_mask
from neural_assets_core.scene import Appearance
from neural_assets_core.segmentation import Stroke
from neural_assets_core.segmentation.grabcut import painted

Float = NDArray[np.float64]
U8 = NDArray[np.uint8]

FIRST = 0.02
"""Radius of the first brush, as a share of the photograph's larger side."""

LEAST, MOST = 1.0, 0.25
"""Smallest radius in pixels, largest as the same share."""

STEP = 1.2
"""Growth of the brush with each press of a key and each notch of the wheel."""

DENSITY = 0.2
"""Distance of a stroke's points, in radii."""

_REMOVES = Modifier.ControlModifier | Modifier.AltModifier
_ARROWS: dict[Key, tuple[int, int]] = {
    Key.Key_Left: (-1, 0),
    Key.Key_Right: (1, 0),
    Key.Key_Up: (0, -1),
    Key.Key_Down: (0, 1),
}
_DABS = {Key.Key_Plus: True, Key.Key_Minus: False}
_SIZES = {Key.Key_BracketLeft: 1 / STEP, Key.Key_BracketRight: STEP}
_CONFIRM = (Key.Key_Return, Key.Key_Enter)


class MaskBrush(Guest):
    """The pointer while a mask is painted.

    What is being painted, and what was painted and waits for its edge to be found, is shown as if
    it were part of the mask already.

    Parameters
    ----------
    document : Document
        The active object's mask is painted.
    finished : callable
        Gets each `Stroke`.
    leave : callable
        The user is done.

    Attributes
    ----------
    radius : float
        Pixels of the photograph; 0 before there is one.
    removes : bool
        Whether the left button paints what is not the object, and the right one what is.
    waiting : list of Stroke
        Not part of the mask yet, the oldest first.
    """

    def __init__(
        self,
        document: Document,
        finished: Callable[[Stroke], None],
        leave: Callable[[], None],
    ) -> None:
        self._document, self._finished, self._leave = document, finished, leave
        self.radius = 0.0
        self.removes = False
        self.waiting: list[Stroke] = []
        self._points: list[Float] = []
        self._adds = True
        self._at: Float | None = None
        self._shape: tuple[tuple[object, ...], MaskShape] | None = None

    @property
    def held(self) -> bool:
        return bool(self._points)

    def subject(self) -> tuple[str, Appearance] | None:
        """The name and the looks of the object whose mask is painted."""
        scene, names = self._document.scene, self._document.editable
        if scene is None or not names:
            return None
        item = next((item for item in scene.objects if item.name == names[-1]), None)
        return None if item is None else (item.name, item.appearance)

    def begin(self) -> None:
        """Start with nothing painted, and a brush that suits the photograph."""
        self._points, self.waiting, self._at = [], [], None
        side = self._side()
        if side and not LEAST <= self.radius <= MOST * side:
            self.radius = max(LEAST, FIRST * side)

    def resize(self, factor: float) -> None:
        """Make the brush larger."""
        most = max(LEAST, MOST * self._side())
        self.radius = float(np.clip(self.radius * factor, LEAST, most))

    # -- pointer -------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> None:
        self._press(pointer, self.removes)

    def press_right(self, pointer: Pointer) -> None:
        self._press(pointer, not self.removes)

    def _press(self, pointer: Pointer, removes: bool) -> None:
        if not self.held:
            self._at, self._points = pointer.at, [pointer.at]
            self._adds = not (removes or pointer.modifiers & _REMOVES)

    def move(self, pointer: Pointer) -> None:
        self._at = pointer.at
        if self._points:
            far = float(np.linalg.norm(pointer.at - self._points[-1]))
            if far >= max(0.5, DENSITY * self.radius):
                self._points.append(pointer.at)

    def release(self, pointer: Pointer) -> None:
        if self._points:
            stroke = self._stroke([*self._points, pointer.at])
            self._at, self._points = pointer.at, []
            self._finished(stroke)

    def leave(self) -> None:
        if not self.held:
            self._at = None

    def let_go(self) -> None:
        self._points = []

    def cancel(self) -> None:
        if self.held:
            self.let_go()
        else:
            self._leave()

    def scroll(self, notches: float, modifiers: Modifier) -> bool:
        if not modifiers & Modifier.ControlModifier:
            # Nobody zooms in the middle of a stroke.
            return self.held
        self.resize(STEP**notches)
        return True

    # -- keys ----------------------------------------------------------------------------------

    def key(self, key: Key, modifiers: Modifier, pressed: bool) -> bool:
        plain = not modifiers & ~(Modifier.KeypadModifier | Modifier.ShiftModifier)
        known = key in (*_CONFIRM, *_SIZES, *_ARROWS, *_DABS, Key.Key_Escape, Key.Key_X)
        if not plain or not known:
            return self.held
        if not pressed:
            return True
        if key == Key.Key_Escape:
            self.cancel()
        elif key in _SIZES:
            self.resize(_SIZES[key])
        elif self.held:
            return True
        elif key in _CONFIRM:
            self._leave()
        elif key == Key.Key_X:
            self.removes = not self.removes
        elif key in _ARROWS:
            self._shift(_ARROWS[key], 0.1 if modifiers & Modifier.ShiftModifier else 1.0)
        else:
            self._dab(_DABS[key])
        return True

    def _shift(self, direction: tuple[int, int], steps: float) -> None:
        """Move the brush without a pointer."""
        width, height = self._size()
        step = max(1.0, steps * self.radius)
        at = self._middle() + step * np.array(direction, dtype=np.float64)
        self._at = at.clip(0.0, [width, height])

    def _dab(self, adds: bool) -> None:
        self._at, self._adds = self._middle(), adds
        self._finished(self._stroke([self._at]))

    def _middle(self) -> Float:
        """Where the brush is; at first, on the object."""
        if self._at is not None:
            return self._at
        subject = self.subject()
        if subject is None:
            return 0.5 * np.array(self._size(), dtype=np.float64)
        _, looks = subject
        return looks.view.camera.project(np.asarray(looks.box.center))[:2]

    # -- showing -------------------------------------------------------------------------------

    def status(self) -> str:
        subject = self.subject()
        if subject is None:
            return ""
        left, right = "the object", "what is not"
        if self.removes:
            left, right = right, left
        return (
            f"Mask of {subject[0]} · left button paints {left}, right button {right} (or Ctrl) · "
            f"brush {self.radius:.0f} px: [ ] or Ctrl+wheel · X swaps · Enter ends"
        )

    def cursor(self) -> Qt.CursorShape:
        return Qt.CursorShape.BlankCursor if self._at is not None else Qt.CursorShape.CrossCursor

    def draw(self, strokes: Strokes, place: Place) -> None:
        subject = self.subject()
        if subject is None:
            return
        draw_mask(strokes, place, self._shown(subject[1]))
        if self._at is not None:
            held_down = bool(QGuiApplication.keyboardModifiers() & _REMOVES)
            adds = self._adds if self.held else not (self.removes or held_down)
            draw_brush(strokes, place, self._at, self.radius, adds)

    def _shown(self, looks: Appearance) -> MaskShape:
        """The mask with all that was painted since."""
        more = list(self.waiting)
        if self._points:
            more.append(self._stroke(self._points))
        key = (looks, len(more), len(self._points), self._adds)
        if self._shape is None or self._shape[0] != key:
            self._shape = key, _shape(looks, more)
        return self._shape[1]

    def _stroke(self, points: list[Float]) -> Stroke:
        pairs = [(float(x), float(y)) for x, y in points]
        return Stroke(pairs, self.radius, self._adds)

    def _size(self) -> tuple[int, int]:
        """Width and height of the photograph."""
        scene = self._document.scene
        if scene is None:
            return (0, 0)
        picture = scene.background.view.picture
        return picture.width, picture.height

    def _side(self) -> int:
        return max(self._size())


def _shape(looks: Appearance, strokes: list[Stroke]) -> MaskShape:
    mask = appearance_mask(looks)
    rect = _extent(mask, strokes)
    if rect.empty:
        return MaskShape.of(np.zeros((1, 1), np.uint8))
    shown, corner = mask[rect.slices], np.array([rect.left, rect.top])
    if strokes:
        moved = [
            Stroke(np.asarray(one.points) - corner, one.radius, one.foreground)
            for one in strokes
        ]
        told = painted(moved, shown.shape)
        shown = np.where(told == cv2.GC_FGD, np.uint8(255), shown)
        shown[told == cv2.GC_BGD] = 0
    return MaskShape.of(shown, (rect.left, rect.top))


def _extent(mask: U8, strokes: list[Stroke]) -> PixelRect:
    """What a mask and strokes cover, inside the picture."""
    left, top, width, height = cv2.boundingRect(mask)
    low, high = [np.array([left, top])], [np.array([left + width, top + height])]
    if not width:
        low, high = [], []
    for stroke in strokes:
        points = np.asarray(stroke.points)
        low.append(np.floor(points.min(axis=0) - stroke.radius - 1))
        high.append(np.ceil(points.max(axis=0) + stroke.radius + 1))
    if not low:
        return PixelRect(0, 0, 0, 0)
    (x0, y0), (x1, y1) = np.min(low, axis=0), np.max(high, axis=0)
    return PixelRect(
        max(0, int(x0)), max(0, int(y0)), min(mask.shape[1], int(x1)), min(mask.shape[0], int(y1))
    )
