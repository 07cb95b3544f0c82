"""The results on disk, read and written on a thread of their own."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from app.disk_jobs import DiskJobs
from app.document import Document
from neural_assets_core.decoders import Generation
from neural_assets_core.history import Entry, History, user_history
from neural_assets_core.scene import Picture, Scene

log = logging.getLogger(__name__)

THUMBNAIL = 256
"""Pixels of a thumbnail's longer side."""

WAITING = 4
"""Pictures that may wait to be written: a disk that does not answer must not fill the memory."""


class ResultHistory(DiskJobs):
    """Keeps results, and answers questions about them by signal.

    Every method returns at once. Jobs are done one after the other; what the user should know
    of a job that failed comes as `failed`.

    Attributes
    ----------
    folder : History
    """

    listed = Signal(object, object)
    """The photograph's `Picture`, and a list of `Entry`, newest first."""

    found = Signal(object)
    """`Generation` that was asked for with `find` and is there."""

    thumbnail_made = Signal(object, object)
    """Path and `QImage`."""

    restored = Signal(object)
    """`Scene` of an entry."""

    wanted = Signal(object, object)
    """`Picture` and `Scene` of an entry."""

    compared = Signal(object)
    """List of pairs of `Entry` and `QImage`."""

    kept = Signal()
    """A result was added."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__("history of results", parent)
        self.folder: History = user_history()
        self._document = document
        self._source: Picture | None = None
        self._unwritten: queue.Queue[Generation] = queue.Queue(WAITING)
        self._do(self.folder.purge)
        document.scene_changed.connect(self._on_scene)

    def add(self, generation: Generation) -> None:
        """Keep a result; if too many wait to be written, the oldest of them is given up."""
        if self._unwritten.full():
            with suppress(queue.Empty):
                seed = self._unwritten.get_nowait().scene.settings.seed
                log.warning("a result (seed %d) was not kept: the disk is too slow", seed)
        self._unwritten.put_nowait(generation)
        self._do(self._write)

    def find(self, scene: Scene) -> None:
        """Look for the result of a request."""

        def job() -> None:
            generation = self.folder.find(scene)
            if generation is not None:
                self._tell(self.found, generation)

        self._do(job)

    def thumbnail(self, path: Path) -> None:
        """Read an entry's picture, small."""

        def job() -> None:
            image = shown(self.folder.picture(path)).scaled(
                THUMBNAIL,
                THUMBNAIL,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._tell(self.thumbnail_made, path, image)

        self._do(job)

    def restore(self, path: Path) -> None:
        """Read an entry's scene."""
        known = self._document.scene
        self._do(lambda: self._tell(self.restored, self.folder.scene(path, known)))

    def fetch(self, path: Path) -> None:
        """Read an entry's picture and scene."""
        known, folder = self._document.scene, self.folder
        self._do(lambda: self._tell(self.wanted, folder.picture(path), folder.scene(path, known)))

    def compare(self, entries: list[Entry]) -> None:
        """Read the pictures of several entries."""

        def job() -> None:
            pictures = [(entry, shown(self.folder.picture(entry.path))) for entry in entries]
            self._tell(self.compared, pictures)

        self._do(job)

    def mark(self, path: Path, name: str, starred: bool) -> None:
        """Give an entry a name and a star, or take them away."""
        self._change(lambda: self.folder.mark(path, name=name, starred=starred))

    def delete(self, path: Path) -> None:
        """Take an entry away; for a while `undelete` brings it back."""
        self._change(lambda: self.folder.delete(path))

    def undelete(self, path: Path) -> None:
        """Bring a deleted entry back."""
        self._change(lambda: self.folder.undelete(path))

    # -- on the GUI thread -----------------------------------------------------------------------

    def _on_scene(self, scene: Scene | None) -> None:
        source = scene.background.view.picture if scene else None
        if source is self._source:
            return
        self._source = source
        if source is not None:
            self._do(lambda: self._list(source))

    def _change(self, change: Callable[[], None]) -> None:
        source = self._source

        def job() -> None:
            try:
                change()
            finally:
                if source is not None:
                    self._list(source)

        self._do(job)

    # -- on the thread ---------------------------------------------------------------------------

    def _write(self) -> None:
        try:
            generation = self._unwritten.get_nowait()
        except queue.Empty:
            # This one was given up.
            return
        if self.folder.add(generation) is not None:
            self._tell(self.kept)
            self._list(generation.scene.background.view.picture)

    def _list(self, source: Picture) -> None:
        self._tell(self.listed, source, self.folder.entries(source))


def shown(picture: Picture) -> QImage:
    """A picture for Qt; the pixels are copied."""
    height, width = picture.pixels.shape[:2]
    image = QImage(picture.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.copy()
