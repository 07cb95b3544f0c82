"""The asset libraries' files, read and written on a thread of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QImage

from app.disk_jobs import DiskJobs
from neural_assets_core.library import (
    ASSET_SUFFIX,
    STARTER,
    Asset,
    Entry,
    Library,
    load_asset,
    user_library,
)
from neural_assets_core.scene.container import read_thumbnail

THUMBNAIL = 160
"""Pixels of a thumbnail's longer side."""

WANTED = 1024
"""Thumbnails that may wait; of more, those asked for first are given up."""

ASSET_TYPE = "application/x-neural-asset"
"""MIME type of dragged assets: the paths of their files, one a line."""

OBJECT_TYPE = "application/x-neural-object"
"""MIME type of objects that are dragged from the list of objects: their names, one a line."""


class Shelf(DiskJobs):
    """The user's library and the one that ships, as one.

    Every method returns at once. Jobs are done one after the other; what the user should know
    of a job that failed comes as `failed`.

    Attributes
    ----------
    library : Library
        The user's own; the other is never written to.
    """

    listed = Signal(object)
    """List of `Entry` of both libraries."""

    thumbnail_made = Signal(object, object)
    """Path and `QImage`, which is null if the file has none that can be used."""

    deleted = Signal(object)
    """List of paths where deleted assets lie now, for `restore`."""

    _answered = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("asset library", parent)
        self.library: Library = user_library()
        self._wanted: deque[Path] = deque(maxlen=WANTED)
        self._answered.connect(self._answer)

    def refresh(self) -> None:
        """List what is there now."""
        self._do(self._list)

    def thumbnail(self, path: Path) -> None:
        """Read an asset's small picture; what is asked for last comes first."""
        if path not in self._wanted:
            self._wanted.append(path)
            self._do(self._read_thumbnail)

    def load(self, path: Path, then: Callable[[Asset | None], None]) -> None:
        """Read an asset file from anywhere.

        Parameters
        ----------
        path : Path
        then : callable
            Called on this object's thread with the asset, or with None if that failed.
        """

        def job() -> None:
            asset = None
            try:
                asset = load_asset(path)
            finally:
                self._tell(self._answered, then, asset)

        self._do(job)

    def add(self, make: Callable[[], Asset]) -> None:
        """Put an asset into the user's library; `make` is called on the thread."""
        self._change(lambda: self.library.add(make()))

    def rename(self, path: Path, name: str) -> None:
        """Give one of the user's assets another name."""
        self._change(lambda: self.library.rename(path, name))

    def delete(self, paths: Sequence[Path]) -> None:
        """Take assets of the user away; `restore` brings them back."""

        def change() -> None:
            trashed: list[Path] = []
            try:
                trashed.extend(map(self.library.delete, paths))
            finally:
                self._tell(self.deleted, trashed)

        self._change(change)

    def restore(self, trashed: Sequence[Path]) -> None:
        """Bring deleted assets back."""

        def change() -> None:
            for path in trashed:
                self.library.restore(path)

        self._change(change)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Finish what is to be written, and stop; whether it did in time."""
        self._wanted.clear()
        return super().shutdown(timeout_ms)

    def _answer(self, then: Callable[[object], None], value: object) -> None:
        then(value)

    def _change(self, change: Callable[[], object]) -> None:
        def job() -> None:
            try:
                change()
            finally:
                self._list()

        self._do(job)

    # -- on the thread ---------------------------------------------------------------------------

    def _list(self) -> None:
        self._tell(self.listed, [*self.library.entries(), *Library(STARTER).entries()])

    def _read_thumbnail(self) -> None:
        try:
            path = self._wanted.pop()
        except IndexError:
            # This one was given up.
            return
        image = QImage.fromData(read_thumbnail(path) or b"")
        if not image.isNull():
            image = image.scaled(
                THUMBNAIL,
                THUMBNAIL,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        self._tell(self.thumbnail_made, path, image)


def ships(entry: Entry) -> bool:
    """Whether an asset belongs to the library that ships: it cannot be changed."""
    return entry.path.is_relative_to(STARTER)


def dragged(paths: Sequence[Path]) -> QMimeData:
    """Asset files for the pointer to carry, to this program or to a file manager."""
    data = QMimeData()
    data.setData(ASSET_TYPE, "\n".join(map(str, paths)).encode("utf-8", "surrogateescape"))
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def dragged_assets(data: QMimeData) -> list[Path]:
    """The asset files that the pointer carries, wherever they come from."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not paths and data.hasFormat(ASSET_TYPE):
        told = bytes(data.data(ASSET_TYPE).data()).decode("utf-8", "surrogateescape")
        paths = [Path(line) for line in told.splitlines() if line]
    return [path for path in paths if path.suffix == ASSET_SUFFIX]
