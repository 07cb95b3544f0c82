"""The asset libraries' files, read and written on a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PySide6.QtCore import QMimeData, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QImage

from app.disk_jobs import DiskJobs
from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.library import (
    ASSET_SUFFIX,
    STARTER,
    Asset,
    Entry,
    Library,
    Trash,
    load_asset,
    user_library,
)
from neural_assets_core.library.asset import Label, licensed, tagged
from neural_assets_core.meshes import MESH_SUFFIXES, load_placeable
from neural_assets_core.scene import SCENE_SUFFIX, Background, load_scene
from neural_assets_core.scene.container import read_thumbnail

THUMBNAIL = 160
"""Pixels of a thumbnail's longer side."""

WANTED = 1024
"""Thumbnails that may wait; of more, those asked for first are given up."""

MOST_CHANGES = 100
"""Changes that can be taken back."""

ASSET_TYPE = "application/x-neural-asset"
"""MIME type of dragged assets: the paths of their files, one a line."""

OBJECT_TYPE = "application/x-neural-object"
"""MIME type of objects that are dragged from the list of objects: their names, one a line."""


Item = TypeVar("Item")


@dataclass(frozen=True)
class Contents:
    """What there is on the shelf.

    Attributes
    ----------
    entries : list of Entry
        Of both libraries.
    folders : list of str
        Of the user's, empty ones too.
    """

    entries: list[Entry]
    folders: list[str]


@dataclass(frozen=True)
class Change:
    """Something that was done to the user's library.

    Attributes
    ----------
    text : str
        A sentence for the user.
    undo : sequence of callable
        What takes it back, done from the last to the first on the shelf's thread.
    """

    text: str
    undo: Sequence[Callable[[], object]]


class Shelf(DiskJobs):
    """The user's library and the one that ships, as one.

    Every method returns at once. Jobs are done one after the other; what the user should know
    of a job that failed comes as `failed`.

    Attributes
    ----------
    library : Library
        The user's own; the other is never written to.
    changes : list of Change
        What `undo` takes back, last one first.
    """

    listed = Signal(object)
    """`Contents`."""

    thumbnail_made = Signal(object, object)
    """Path and `QImage`, which is null if the file has none that can be used."""

    exported = Signal(object)
    """The folder that assets were copied to."""

    changes_changed = Signal()
    """There is another change to be taken back, or none any more."""

    unencoded = Signal(object)
    """Path of one of the user's assets that was just used and has no tokens yet."""

    _answered = Signal(object, object)
    _done = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("asset library", parent)
        self.library: Library = user_library()
        self.changes: list[Change] = []
        self._listed = False
        self._wanted: dict[Path, None] = {}
        self._wanting = threading.Lock()
        self._answered.connect(self._answer)
        self._done.connect(self._on_done)

    def refresh(self) -> None:
        """List what is there now."""
        self._do(self._list)

    def thumbnail(self, path: Path) -> None:
        """Read an asset's small picture; what is asked for last comes first."""
        with self._wanting:
            if path in self._wanted:
                return
            self._wanted[path] = None
            if len(self._wanted) > WANTED:
                del self._wanted[next(iter(self._wanted))]
        self._do(self._read_thumbnail)

    def load(self, path: Path, then: Callable[[Asset | None], None]) -> None:
        """Read an asset file, or a mesh, from anywhere.

        Parameters
        ----------
        path : Path
        then : callable
            Called on this object's thread with the asset, or with None if that failed.
        """

        def job() -> None:
            asset = None
            try:
                asset = load_placeable(path)
            finally:
                self._tell(self._answered, then, asset)
            self._tell_unencoded(path, asset)

        self._do(job)

    def read_background(self, path: Path, then: Callable[[Background | None], None]) -> None:
        """Read the background of an asset or a scene file; answers as `load` does."""

        def job() -> None:
            background = None
            try:
                scene = path.suffix == SCENE_SUFFIX
                background = (
                    load_scene(path).background if scene else load_asset(path).surroundings()
                )
            finally:
                self._tell(self._answered, then, background)

        self._do(job)

    # -- changes of the user's library, each of which `undo` takes back ------------------------

    def add(self, makes: Sequence[Callable[[], Asset]], folder: str = "") -> None:
        """Put assets into a folder of the library; they are made on the thread."""

        def change(make: Callable[[], Asset]) -> tuple[str, Callable[[], object]]:
            asset = make()
            path = self.library.add(asset, folder)
            self._tell_unencoded(path, asset)
            return path.stem, partial(self.library.delete, path)

        self._change(makes, change, lambda what: f"Added {what}.")

    def rename(self, path: Path, name: str) -> None:
        """Give an asset another name."""

        def change(old: Path) -> tuple[str, Callable[[], object]]:
            new = self.library.rename(old, name)
            return new.stem, partial(self.library.rename, new, old.stem)

        self._change([path], change, lambda what: f"Renamed {path.stem} to {what}.")

    def tag(self, paths: Sequence[Path], add: Sequence[str], remove: Sequence[str]) -> None:
        """Give assets tags, and take others from them."""
        self._relabel(paths, lambda label: tagged(label, add, remove), "Tagged")

    def set_licence(self, paths: Sequence[Path], licence: str) -> None:
        """Note what may be done with assets."""
        self._relabel(paths, lambda label: licensed(label, licence), "Noted the licence of")

    def _relabel(
        self, paths: Sequence[Path], how: Callable[[Label], Label], verb: str
    ) -> None:
        def change(path: Path) -> tuple[str, Callable[[], object]]:
            before = self.library.relabel(path, how)
            return path.stem, partial(self.library.relabel, path, lambda _: before)

        self._change(paths, change, lambda what: f"{verb} {what}.")

    def move(self, paths: Sequence[Path], folder: str) -> None:
        """Put assets into another folder."""
        root, place = self.library.root, folder or "the top of the library"

        def change(path: Path) -> tuple[str, Callable[[], object]]:
            new = self.library.move(path, folder)
            before = path.parent.relative_to(root).as_posix()
            return new.stem, partial(self.library.move, new, "" if before == "." else before)

        self._change(paths, change, lambda what: f"Moved {what} to {place}.")

    def delete(self, paths: Sequence[Path]) -> None:
        """Take assets away."""

        def change(path: Path) -> tuple[str, Callable[[], object]]:
            return path.stem, partial(self.library.restore, self.library.delete(path))

        self._change(paths, change, lambda what: f"Deleted {what}.")

    def export(self, copies: Mapping[Path, Path]) -> None:
        """Copy asset files to new places, all in one folder."""

        def job() -> None:
            for source, target in copies.items():
                write_atomically(target, source.read_bytes())
            self._tell(self.exported, target.parent)

        self._do(job)

    def make_folder(self, folder: str) -> None:
        """Make a folder."""

        def change(wanted: str) -> tuple[str, Callable[[], object]]:
            made = self.library.make_folder(wanted)
            return made, partial(self.library.delete_folder, made)

        self._change([folder], change, lambda what: f"Made the folder {what}.")

    def move_folder(self, folder: str, target: str) -> None:
        """Rename a folder, or put it into another one."""

        def change(old: str) -> tuple[str, Callable[[], object]]:
            new = self.library.move_folder(old, target)
            return new, partial(self.library.move_folder, new, old)

        self._change([folder], change, lambda what: f"Moved the folder {folder} to {what}.")

    def delete_folder(self, folder: str) -> None:
        """Take a folder away with all that is in it."""

        def change(old: str) -> tuple[str, Callable[[], object]]:
            return old, partial(self.library.restore, self.library.delete_folder(old))

        self._change([folder], change, lambda what: f"Deleted the folder {what}.")

    def weigh_trash(self, then: Callable[[Trash], None]) -> None:
        """Ask how much lies in the library's trash; answers as `load` does."""
        self._do(lambda: self._tell(self._answered, then, self.library.trash()))

    def empty_trash(self) -> None:
        """Remove what was taken away for good; what brought it back will say so."""

        def job() -> None:
            self.library.empty_trash()

        self._do(job)

    def undo(self) -> None:
        """Take the last change back."""
        if not self.changes:
            return
        change = self.changes.pop()
        self.changes_changed.emit()

        def job() -> None:
            try:
                for step in reversed(change.undo):
                    step()
            finally:
                self._list()

        self._do(job)

    def _change(
        self,
        items: Sequence[Item],
        change: Callable[[Item], tuple[str, Callable[[], object]]],
        told: Callable[[str], str],
    ) -> None:
        """Change one after the other; each change tells a name and what takes it back."""

        def job() -> None:
            names: list[str] = []
            undo: list[Callable[[], object]] = []
            for item in items:
                try:
                    name, back = change(item)
                except UserError as error:
                    # The others are none the worse for it.
                    self._tell(self.failed, str(error))
                    continue
                names.append(name)
                undo.append(back)
            if undo:
                what = names[0] if len(names) == 1 else f"{len(names)} assets"
                self._tell(self._done, Change(told(what), undo))
            self._list()

        self._do(job)

    def _on_done(self, change: Change) -> None:
        self.changes = [*self.changes[-MOST_CHANGES + 1 :], change]
        self.changes_changed.emit()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Finish what is to be written, and stop; whether it did in time."""
        with self._wanting:
            self._wanted.clear()
        return super().shutdown(timeout_ms)

    def _answer(self, then: Callable[[object], None], value: object) -> None:
        then(value)

    # -- on the thread ---------------------------------------------------------------------------

    def _list(self) -> None:
        starter, folders = Library(STARTER).entries(), self.library.folders()

        def tell(own: list[Entry]) -> None:
            self._tell(self.listed, Contents([*own, *starter], folders))

        # Later on, what is chosen must not be gone for a moment.
        tell(self.library.entries(None if self._listed else tell))
        self._listed = True

    def _tell_unencoded(self, path: Path, asset: Asset | None) -> None:
        own = path.is_relative_to(self.library.root)
        if own and asset is not None and asset.appearance is not None and not asset.tokens:
            self._tell(self.unencoded, path)

    def _read_thumbnail(self) -> None:
        with self._wanting:
            if not self._wanted:
                # This one was given up.
                return
            path, _ = self._wanted.popitem()
        image = _decoded(read_thumbnail(path) or b"")
        if not image.isNull():
            image = image.scaled(
                THUMBNAIL,
                THUMBNAIL,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        self._tell(self.thumbnail_made, path, image)


def _decoded(png: bytes) -> QImage:
    """The picture in a PNG file's content; null if there is none that can be used."""
    # Not by `QImage.fromData`: see `DiskJobs`.
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB) if png else None
    if pixels is None:
        return QImage()
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def ships(entry: Entry) -> bool:
    """Whether an asset belongs to the library that ships: it cannot be changed."""
    return entry.path.is_relative_to(STARTER)


def dragged(paths: Sequence[Path]) -> QMimeData:
    """Asset files for the pointer to carry, to this program or to a file manager."""
    data = QMimeData()
    data.setData(ASSET_TYPE, "\n".join(map(str, paths)).encode("utf-8", "surrogateescape"))
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def dragged_placeables(data: QMimeData) -> list[Path]:
    """The files of assets and meshes that the pointer carries."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    meshes = [path for path in paths if path.suffix.lower() in MESH_SUFFIXES]
    return [*dragged_assets(data), *meshes]


def dragged_assets(data: QMimeData) -> list[Path]:
    """The asset files that the pointer carries, wherever they come from."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not paths and data.hasFormat(ASSET_TYPE):
        told = bytes(data.data(ASSET_TYPE).data()).decode("utf-8", "surrogateescape")
        paths = [Path(line) for line in told.splitlines() if line]
    return [path for path in paths if path.suffix == ASSET_SUFFIX]
