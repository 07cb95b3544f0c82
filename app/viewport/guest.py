"""Tools that take the pointer and the keys of the picture over from the boxes, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from app.viewport.navigation import Navigation
from app.viewport.strokes import Strokes
from app.viewport.style import PICK_DISTANCE
from neural_assets_core.geometry import Camera
from neural_assets_core.scene import Scene

Float = NDArray[np.float64]
Key = Qt.Key
Modifier = Qt.KeyboardModifier


@dataclass(frozen=True)
class Place:
    """Where the photograph lies on the screen: `screen = scale * photograph + shift`.

    Attributes
    ----------
    scale, shift : tuples of 2 floats
        Across and down.
    """

    scale: tuple[float, float]
    shift: tuple[float, float]

    @classmethod
    def of(cls, scene: Scene, navigation: Navigation) -> Place:
        """Of a scene's photograph, which fills the frame of the picture to be made."""
        photo, camera = scene.background.view.picture, scene.camera
        across = navigation.scale * camera.width / photo.width
        down = navigation.scale * camera.height / photo.height
        return cls((across, down), (navigation.x, navigation.y))

    def to_screen(self, points: Float) -> Float:
        """Positions (..., 2) in the photograph on the screen."""
        return np.asarray(np.asarray(points) * self.scale + self.shift)

    def to_photo(self, pixels: Float) -> Float:
        """Screen positions (..., 2) in the photograph."""
        return np.asarray((np.asarray(pixels) - self.shift) / self.scale)

    def camera(self, camera: Camera) -> Camera:
        """A camera of the photograph whose pixels are the screen's."""
        onto_screen = np.diag([*self.scale, 1.0])
        onto_screen[:2, 2] = self.shift
        k = onto_screen @ camera.k
        return Camera.from_matrices(camera.width, camera.height, k, camera.extrinsics)


@dataclass(frozen=True)
class Pointer:
    """The pointer over the photograph.

    Attributes
    ----------
    at : array (2,)
        Pixels of the photograph: zooming between two clicks changes nothing.
    reach : float
        How far it reaches, in the same pixels.
    modifiers : Qt.KeyboardModifier
    """

    at: Float
    reach: float
    modifiers: Modifier

    @classmethod
    def of(cls, place: Place, pixel: Float, modifiers: Modifier) -> Pointer:
        """At a screen position (2,)."""
        return cls(place.to_photo(pixel), PICK_DISTANCE / max(place.scale), modifiers)


class Guest(Protocol):
    """A tool that works on the photograph itself; meanwhile no box can be edited.

    A class that derives from it gets the usual right button and wheel.
    """

    @property
    def held(self) -> bool:
        """Whether it has a button down."""
        ...

    def press(self, pointer: Pointer) -> None:
        """The left button went down."""
        ...

    def press_right(self, pointer: Pointer) -> None:
        """The right button went down; usually that gives up."""
        self.cancel()

    def scroll(self, notches: float, modifiers: Modifier) -> bool:
        """Whether the wheel, turned by `notches` away from the hand, means more than zooming."""
        return False

    def move(self, pointer: Pointer) -> None:
        """The pointer moved, a button held or not."""
        ...

    def release(self, pointer: Pointer) -> None:
        """The button went up."""
        ...

    def leave(self) -> None:
        """The pointer left the picture."""
        ...

    def let_go(self) -> None:
        """The pointer was taken away: what is held goes back to where it was."""
        ...

    def cancel(self) -> None:
        """Esc, or the usual right button: give up what was begun, or else the tool."""
        ...

    def key(self, key: Key, modifiers: Modifier, pressed: bool) -> bool:
        """Whether a key means something here; `pressed`: it happens now, else it is a question."""
        ...

    def status(self) -> str:
        """One line for the status bar."""
        ...

    def cursor(self) -> Qt.CursorShape:
        """What a press would do here."""
        ...

    def draw(self, strokes: Strokes, place: Place) -> None:
        """Draw over the photograph."""
        ...
