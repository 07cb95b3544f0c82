"""Objects cut out of the photograph: their outlines found in their boxes, on a thread."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.disk_jobs import DiskJobs
from app.document import Document
from neural_assets_core.scene import Appearance, Picture, Scene
from neural_assets_core.segmentation import object_in_rectangle, segment, with_cut_out

LATER_MS = 200

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels of the photograph."""

NAME = "object 1"
"""What a freshly drawn object is called; the next ones are counted on."""


class CutOut(DiskJobs):
    """Gives objects their masks, and makes objects of rectangles, each one undo entry.

    Parameters
    ----------
    document : Document

    Attributes
    ----------
    searching : tuple of Rectangle
        In which objects are being looked for.
    """

    drawn = Signal(str)
    """The name of an object that was found in a rectangle and is in the scene now."""

    outlined = Signal(object)
    """The mask, a `Picture`, of an object that has just been cut out."""

    searching_changed = Signal()

    _found = Signal(object, object)
    _object_found = Signal(object, object, object)
    _nothing_found = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__("search for an outline", parent)
        self._document = document
        self.searching: tuple[Rectangle, ...] = ()
        self._found.connect(self._on_found)
        self._object_found.connect(self._on_object_found)
        self._nothing_found.connect(self._end)

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

    def draw(self, rectangle: Rectangle) -> None:
        """Look for the object in a rectangle of the photograph, and put it into the scene."""
        scene = self._document.scene
        if scene is not None:
            self.searching = (*self.searching, rectangle)
            self._do(partial(self._search_rectangle, scene, rectangle))
            self.searching_changed.emit()

    def give_up(self) -> None:
        """Put nothing into the scene that is being looked for in a rectangle."""
        self.searching = ()
        self.searching_changed.emit()

    def _end(self, rectangle: Rectangle) -> None:
        rest = list(self.searching)
        if rectangle in rest:
            rest.remove(rectangle)
        self.searching = tuple(rest)
        self.searching_changed.emit()

    def _search_rectangle(self, scene: Scene, rectangle: Rectangle) -> None:
        try:
            after = object_in_rectangle(scene, rectangle, NAME)
        except Exception:
            self._tell(self._nothing_found, rectangle)
            raise
        self._tell(self._object_found, scene, after, rectangle)

    def _on_object_found(self, before: Scene, after: Scene, rectangle: Rectangle) -> None:
        scene = self._document.scene
        if rectangle not in self.searching:
            return
        if scene is not self._document.shown_scene:
            QTimer.singleShot(
                LATER_MS, self, lambda: self._on_object_found(before, after, rectangle)
            )
        elif scene is before:
            self._end(rectangle)
            name = after.objects[-1].name
            self._document.push(after, f"Draw {name}", select=[name])
            self.drawn.emit(name)
            mask = after.objects[-1].appearance.mask
            if mask is not None:
                self.outlined.emit(mask)
        elif scene is not None and scene.background.view.picture == before.background.view.picture:
            # Meanwhile there is something else in it too.
            self._do(partial(self._search_rectangle, scene, rectangle))
        else:
            self._end(rectangle)

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
            self._document.push(with_cut_out(scene, names[0], mask), f"Cut out {names[0]}")
            self.outlined.emit(mask)
