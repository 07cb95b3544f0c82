"""The calibration in progress: its sketch, the way back from each step, and its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.calibration.sketch import Sketch, Solution, solved
from app.document import Document
from neural_assets_core.calibration import Axis, recalibrated
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Picture, Scene


class Assistant(QObject):
    """Finds the camera of the open scene's photograph, together with the artist.

    While it is active undo and redo are about the sketch. Applied, the camera is one undo entry
    of the document; given up, the document has never changed. A sketch comes back when the same
    photograph is calibrated again.

    Attributes
    ----------
    undo_stack : QUndoStack
        The steps of the sketch.
    axis : Axis
        What the next line follows.
    measuring : bool
        Whether the next line is the one whose length is known.
    selected : int or None
        Number of the line that the delete key is about.
    """

    changed = Signal()
    """The sketch is another, or a drag shows another."""

    active_changed = Signal(bool)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.axis: Axis = "x"
        self.measuring = False
        self.selected: int | None = None
        self._document = document
        self._sketch: Sketch | None = None
        self._draft: Sketch | None = None
        self._picture: Picture | None = None
        self._kept: dict[str, Sketch] = {}
        document.scene_changed.connect(self._on_scene)

    @property
    def active(self) -> bool:
        """Whether a calibration is in progress."""
        return self._sketch is not None

    @property
    def sketch(self) -> Sketch:
        """The sketch as it is shown, a drag included; only while active."""
        shown = self._draft or self._sketch
        assert shown is not None
        return shown

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photograph, pixels; only while active."""
        assert self._picture is not None
        return self._picture.width, self._picture.height

    def solution(self) -> Solution:
        """What the sketch as it is shown says about the camera."""
        return solved(self.sketch, self.size)

    # -- from beginning to end -----------------------------------------------------------------

    def start(self) -> None:
        """Begin with what is known about the open scene's photograph."""
        scene = self._document.scene
        if scene is None or self.active:
            return
        view = scene.background.view
        self._picture = view.picture
        self._sketch = self._kept.get(view.picture.sha256) or Sketch.of(view.camera)
        self.axis, self.measuring, self.selected = "x", False, None
        self.active_changed.emit(True)
        self.changed.emit()

    def apply(self) -> None:
        """Give the photograph the camera that was found, as one undo entry.

        Raises
        ------
        UserError
            If the sketch says no camera, or a box cannot be seen by it.
        """
        scene = self._document.scene
        if scene is None or not self.active:
            return
        self.drop()
        found = self.solution()
        if found.camera is None:
            raise UserError(found.advice)
        calibrated = recalibrated(scene, found.camera)
        self.cancel()
        self._document.push(calibrated, "Calibrate the camera")

    def cancel(self) -> None:
        """End without a trace in the document."""
        if self._sketch is None or self._picture is None:
            return
        self._kept[self._picture.sha256] = self._sketch
        self._sketch = self._draft = None
        self.undo_stack.clear()
        self.active_changed.emit(False)

    # -- what the next press does ----------------------------------------------------------------

    def set_axis(self, axis: Axis) -> None:
        """Lay the next lines along another axis."""
        self.axis, self.measuring = axis, False
        self.changed.emit()

    def set_measuring(self, on: bool) -> None:
        """Lay the line whose length is known next."""
        self.measuring = on
        self.changed.emit()

    def select(self, number: int | None) -> None:
        """Choose a line by its number."""
        self.selected = number
        self.changed.emit()

    def delete_line(self) -> None:
        """Take the selected line away."""
        if self.selected is not None:
            lines = self.sketch.lines
            gone, self.selected = self.selected, None
            self.push("Delete a line", lines=(*lines[:gone], *lines[gone + 1 :]))

    # -- the sketch ------------------------------------------------------------------------------

    def show_draft(self, **changes: Any) -> None:
        """Show the sketch with some fields changed, while something is dragged."""
        assert self._sketch is not None
        self._draft = replace(self._sketch, **changes)
        self.changed.emit()

    def drop(self) -> None:
        """Back to the sketch as it was before a drag."""
        if self._draft is not None:
            self._draft = None
            self.changed.emit()

    def push(self, text: str, merge: str = "", **changes: Any) -> None:
        """Change fields of the sketch as one step; consecutive ones with the same key are one."""
        assert self._sketch is not None
        after = replace(self._sketch, **changes)
        self._draft = None
        if after == self._sketch:
            self.changed.emit()
        else:
            self.undo_stack.push(_Step(self, self._sketch, after, text, merge))

    def show(self, sketch: Sketch) -> None:
        """Make a sketch current without a step: what an undo step does."""
        self._sketch, self._draft = sketch, None
        if self.selected is not None and self.selected >= len(sketch.lines):
            self.selected = None
        self.changed.emit()

    def _on_scene(self, scene: Scene | None) -> None:
        same = scene is not None and scene.background.view.picture is self._picture
        if self.active and not same:
            self.cancel()


class _Step(QUndoCommand):
    """From one sketch to another."""

    def __init__(
        self, assistant: Assistant, before: Sketch, after: Sketch, text: str, merge: str
    ) -> None:
        super().__init__(text)
        self._assistant, self._before, self._after = assistant, before, after
        self._merge = merge

    def redo(self) -> None:
        self._assistant.show(self._after)

    def undo(self) -> None:
        self._assistant.show(self._before)

    def id(self) -> int:
        return 1 if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Step) or other._merge != self._merge:
            return False
        self._after = other._after
        return True
