"""Other pictures of the same scene: one for each of a few new seeds."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QObject, Signal

from app.document import Document
from app.generation.generator import Generator, looks_alike
from neural_assets_core.decoders import Generation
from neural_assets_core.scene import Scene

COUNT = 4


class Variants(QObject):
    """Asks the scene's decoder for one picture after the other; the scene itself stays.

    An edit, another scene or a cancel ends it: what was made so far stays shown.

    Parameters
    ----------
    document : Document
    generator : Generator
        The scene's own decoder: all requests go through one queue.

    Attributes
    ----------
    scenes : tuple of Scene
        The requests, equal but for their seeds; empty before `start`.
    """

    started = Signal()
    """`scenes` are new."""

    made = Signal(int, object)
    """Index of the request, and its `Generation`."""

    ended = Signal()
    """All were made, or it was given up."""

    def __init__(self, document: Document, generator: Generator, parent: QObject | None = None):
        super().__init__(parent)
        self._document, self._generator = document, generator
        self.scenes: tuple[Scene, ...] = ()
        self._next: int | None = None
        generator.finished.connect(self._on_finished)
        generator.failed.connect(self._stop)
        generator.cancelled.connect(self._stop)
        document.scene_changed.connect(self._stop)
        document.draft_changed.connect(self._stop)

    @property
    def busy(self) -> bool:
        """Whether pictures are still to come."""
        return self._next is not None

    def start(self) -> None:
        """Ask for `COUNT` pictures: with the scene's own seed, and with new ones."""
        scene = self._document.scene
        if scene is None:
            return
        seeds = [scene.settings.seed, *(secrets.randbelow(2**31) for _ in range(COUNT - 1))]
        self.scenes = tuple(scene.with_settings(seed=seed) for seed in seeds)
        self._next = 0
        self.started.emit()
        self._generator.request(self.scenes[0])

    def choose(self, index: int) -> None:
        """Give the scene the seed of a variant, as one undo step."""
        if self._document.scene is None:
            return
        seed = self.scenes[index].settings.seed
        self._document.push(self._document.scene.with_settings(seed=seed), "Choose a variant")

    def _on_finished(self, generation: Generation) -> None:
        index = self._next
        if index is None or not looks_alike(generation.scene, self.scenes[index]):
            return
        self._next = index + 1 if index + 1 < len(self.scenes) else None
        self.made.emit(index, generation)
        if self._next is None:
            self.ended.emit()
        else:
            self._generator.request(self.scenes[self._next])

    def _stop(self, *_: object) -> None:
        if self._next is not None:
            self._next = None
            self.ended.emit()
