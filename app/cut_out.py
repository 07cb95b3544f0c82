"""Objects cut out of the photograph: their outlines found in their boxes, on a thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.disk_jobs import DiskJobs
from app.document import Document
from neural_assets_core.scene import Appearance, Picture, Scene
from neural_assets_core.segmentation import object_in_rectangle, segment, with_mask

LATER_MS = 200

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels of the photograph."""


class CutOut(DiskJobs):
    """Gives objects their masks, and makes objects of rectangles, each one undo entry.

    Parameters
    ----------
    document : Document
    """

    drawn = Signal(str)
    """The name of an object that was found in a rectangle and is in the scene now."""

    _found = Signal(object, object)
    _object_found = Signal(object, object, object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__("search for an outline", parent)
        self._document = document
        self._found.connect(self._on_found)
        self._object_found.connect(self._on_object_found)

    def find(self, names: tuple[str, ...], *, again: bool) -> None:
        """Look for the outlines of objects of the open scene.

        Parameters
        ----------
        names : tuple of str
        again : bool
            Of those too that have a mask already.
        """
        scene = self._document.scene
        if scene is None:
            return
        for looks in dict.fromkeys(scene.object(name).appearance for name in names):
            if again or looks.mask is None:
                self._do(partial(self._search, looks))

    def draw(self, rectangle: Rectangle, name: str) -> None:
        """Look for the object in a rectangle of the photograph, and put it into the scene."""
        scene = self._document.scene
        if scene is not None:
            self._do(partial(self._search_rectangle, scene, rectangle, name))

    def _search_rectangle(self, scene: Scene, rectangle: Rectangle, name: str) -> None:
        after = object_in_rectangle(scene, rectangle, name)
        self._tell(self._object_found, scene, after, partial(self.draw, rectangle, name))

    def _on_object_found(self, before: Scene, after: Scene, again: Callable[[], None]) -> None:
        scene = self._document.scene
        if scene is not self._document.shown_scene:
            QTimer.singleShot(LATER_MS, self, lambda: self._on_object_found(before, after, again))
        elif scene is before:
            name = after.objects[-1].name
            self._document.push(after, f"Draw {name}", select=[name])
            self.drawn.emit(name)
        elif scene is not None and scene.background.view.picture == before.background.view.picture:
            # Meanwhile there is something else in it too.
            again()

    def _search(self, looks: Appearance) -> None:
        self._tell(self._found, looks, segment(looks.view, looks.box))

    def _on_found(self, looks: Appearance, mask: Picture) -> None:
        scene = self._document.scene
        if scene is not self._document.shown_scene:
            # Another scene now would take what is being dragged out of the hand.
            QTimer.singleShot(LATER_MS, self, lambda: self._on_found(looks, mask))
            return
        # Meanwhile it may be gone, or have another box.
        names = [item.name for item in scene.objects if item.appearance == looks] if scene else []
        if scene is not None and names and mask.pixels.any():
            self._document.push(with_mask(scene, names[0], mask), f"Cut out {names[0]}")
