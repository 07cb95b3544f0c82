"""The history: every finished picture on disk, with the request that it answers.

::

    <source>/                       the results of the scenes made from one photograph, by its hash
        <request>.png               a result, lossless, the scene's JSON in a text chunk
        <request>.json              its name and star, if it has any
        <request>.deleted           a result that was deleted and may still be brought back;
                                    its time of access says when it was deleted
        images/<sha256>.png         the pictures that the requests refer to, each once

A result belongs to a photograph, not to a scene file: files may be renamed and copied. There is no
index: every file is written whole under a name that says what it is, so several programs may work
in the same folder. What is read is checked like any file of a stranger's, and never executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from platformdirs import user_data_path
from pydantic import ValidationError

from neural_assets_core import __version__
from neural_assets_core.decoders import Generation
from neural_assets_core.errors import UserError
from neural_assets_core.export.image import SCENE_TEXT_KEY, export_png
from neural_assets_core.files import reason, write_atomically
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.scene import GenerationSettings, Picture, Scene
from neural_assets_core.scene.archive import wireframes_of
from neural_assets_core.scene.container import DAMAGE, pictures_of, png
from neural_assets_core.scene.picture import check_size

BUDGET = 2 * 1024**3
"""Bytes on disk for all results together, unless starred ones alone take more."""

MAXIMUM_NAME = 200
MAXIMUM_MARKS_BYTES = 64 * 1024
DELETED = ".deleted"
REGRET = 60 * 60
"""Seconds for which a deleted result can be brought back, whatever other programs do."""


@dataclass(frozen=True)
class Entry:
    """A result as the history lists it.

    Attributes
    ----------
    path : Path
        Its PNG; the stem is the request's digest.
    made : datetime
        In UTC.
    settings : GenerationSettings or None
        None if the entry is damaged.
    name : str
        What the user calls it; may be empty.
    starred : bool
        Never removed to make room.
    fault : str
        Why it cannot be used; empty if it can.
    """

    path: Path
    made: datetime
    settings: GenerationSettings | None
    name: str = ""
    starred: bool = False
    fault: str = ""


def user_history() -> History:
    """The user's own history, in the system's folder for programs' data."""
    return History(user_data_path("Neural Assets Studio", appauthor=False) / "history")


def request_digest(scene: Scene) -> str:
    """Name of what a picture depends on: the scene itself, checkpoint, version."""
    fields = scene.model_dump(mode="json")
    # Neither the other moments of an animation nor wireframes are seen in the picture.
    del fields["animation"]
    for item in fields["objects"]:
        item["name"] = item["category"] = ""
        del item["wireframe"]
    request = {"scene": fields, "program": __version__, "checkpoint": _fingerprint(scene)}
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class History:
    """A history's folder; nothing of it is held in memory.

    Attributes
    ----------
    root : Path
        Made with the first result.
    budget : int
        Bytes; the oldest results that are not starred go first.

    Notes
    -----
    Every method raises a `UserError` if the file system refuses.
    """

    root: Path
    budget: int = BUDGET

    def entries(self, source: Picture) -> list[Entry]:
        """The results made from a photograph, newest first; damaged ones with their fault."""
        listed = [entry_at(path) for path in (self.root / source.sha256).glob("*.png")]
        return sorted(listed, key=lambda entry: entry.made, reverse=True)

    def add(self, generation: Generation) -> Entry | None:
        """Keep a result; None if it is there already.

        Raises
        ------
        UserError
            If it cannot be written; nothing that was there is lost.
        """
        scene = generation.scene
        path = self._path(scene)
        if path.exists():
            return None
        try:
            (path.parent / "images").mkdir(parents=True, exist_ok=True)
            for picture in {part.sha256: part for part in pictures_of(scene)}.values():
                image = _image(path.parent, picture.sha256)
                if not image.exists():
                    write_atomically(image, png(picture))
            # Last: an entry is complete as soon as it is there.
            export_png(generation.picture, scene, path)
        except (OSError, UserError) as error:
            raise UserError(
                f"The result could not be kept in the history ({reason(error)}): free some "
                f"space on the disk of {self.root}, or export the picture."
            ) from None
        self._make_room(path)
        return entry_at(path)

    def find(self, scene: Scene) -> Generation | None:
        """The result of exactly this request, if it was kept and is undamaged."""
        start = time.perf_counter()
        path = self._path(scene)
        if not path.is_file():
            return None
        try:
            picture = self.picture(path)
        except UserError:
            return None
        if (picture.width, picture.height) != (scene.camera.width, scene.camera.height):
            return None
        return Generation(scene, picture, time.perf_counter() - start)

    def picture(self, path: Path) -> Picture:
        """An entry's picture, all of its pixels.

        Raises
        ------
        UserError
            If it is damaged.
        """
        try:
            return _read_png(path)
        except (*DAMAGE, UserError) as error:
            raise _damaged(path, error) from None

    def scene(self, path: Path, known: Scene | None = None) -> Scene:
        """An entry's request.

        Parameters
        ----------
        path : Path
        known : Scene, optional
            The pictures that this scene holds need not be read again; wireframes are only there.

        Raises
        ------
        UserError
            If it is damaged.
        """
        have = {} if known is None else {part.sha256: part for part in pictures_of(known)}
        try:
            text = _request(path)
            pictures = dict(have)
            for name in set(re.findall(r'"sha256":\s*"([0-9a-f]{64})"', text)) - set(have):
                pictures[name] = _checked(_image(path.parent, name), name)
            wireframes = {} if known is None else wireframes_of(known)
            context = {"pictures": pictures, "wireframes": wireframes}
            return Scene.model_validate_json(text, context=context)
        except (*DAMAGE, UserError, ValidationError) as error:
            raise _damaged(path, error) from None

    def source(self, sha256: str) -> Picture | None:
        """A picture that results were made from, by its hash; None if none undamaged is kept."""
        for path in self.root.glob(f"*/images/{sha256}.png"):
            with suppress(*DAMAGE, UserError):
                return _checked(path, sha256)
        return None

    def mark(self, path: Path, *, name: str, starred: bool) -> None:
        """Give an entry a name and a star, or take them away."""
        marks = {"name": name[:MAXIMUM_NAME], "starred": starred}
        write_atomically(_marks_path(path), json.dumps(marks).encode())

    def delete(self, path: Path) -> None:
        """Take an entry away; `undelete` brings it back until it is purged."""
        with suppress(OSError):
            # First: another program may purge at any moment. Nobody reads the file from now on,
            # so this stays; the time of change stays that of making.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        _rename(path, path.with_suffix(DELETED))

    def undelete(self, path: Path) -> None:
        """Bring a deleted entry back."""
        _rename(path.with_suffix(DELETED), path)

    def purge(self) -> None:
        """Forget for good what was deleted longer than `REGRET` ago, by whichever program."""
        for path in self.root.glob(f"*/*{DELETED}"):
            with suppress(OSError):
                if time.time() - path.stat().st_atime > REGRET:
                    _remove(path)

    def _path(self, scene: Scene) -> Path:
        source = scene.background.view.picture.sha256
        return self.root / source / f"{request_digest(scene)}.png"

    def _make_room(self, newest: Path) -> None:
        """Remove the oldest results until the rest fits; starred ones and `newest` stay."""
        if self._used() <= self.budget:
            return
        self.purge()
        size = self._used()
        oldest = sorted(self.root.glob("*/*.png"), key=_made)
        for path in oldest:
            if size <= self.budget:
                return
            if path != newest and not _marks(path)[1]:
                size -= _size(path) + _size(_marks_path(path))
                _remove(path)
                size -= _remove_if_empty(path.parent)


    def _used(self) -> int:
        """Bytes on disk of everything."""
        return sum(_size(file) for file in self.root.rglob("*.*") if file.is_file())


# -- one entry -------------------------------------------------------------------------------


def entry_at(path: Path) -> Entry:
    """A result as the history lists it, by its file."""
    name, starred = _marks(path)
    made = datetime.fromtimestamp(_made(path), UTC)
    try:
        settings = json.loads(_request(path))["settings"]
        return Entry(path, made, GenerationSettings.model_validate(settings), name, starred)
    except (*DAMAGE, UserError, ValidationError) as error:
        return Entry(path, made, None, name, starred, str(_damaged(path, error)))


def _request(path: Path) -> str:
    """The scene's JSON of an entry; its pixels are not read."""
    with Image.open(path, formats=("PNG",)) as image:
        check_size(*image.size, name=str(path))
        return str(image.info[SCENE_TEXT_KEY])


def _read_png(path: Path) -> Picture:
    with Image.open(path, formats=("PNG",)) as image:
        check_size(*image.size, name=str(path))
        if image.mode not in ("RGB", "L"):
            raise ValueError(f"a picture has the unexpected mode {image.mode}")
        return Picture(np.asarray(image))


def _checked(path: Path, sha256: str) -> Picture:
    picture = _read_png(path)
    if picture.sha256 != sha256:
        raise ValueError("a picture is not the one that was saved")
    return picture


def _marks(path: Path) -> tuple[str, bool]:
    """An entry's name and star; one whose marks are damaged counts as starred, to be safe."""
    try:
        with open(_marks_path(path), "rb") as file:
            fields: Mapping[str, object] = json.loads(file.read(MAXIMUM_MARKS_BYTES))
        return str(fields["name"])[:MAXIMUM_NAME], fields["starred"] is not False
    except FileNotFoundError:
        return "", False
    except DAMAGE:
        return "", True


def _marks_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _image(folder: Path, sha256: str) -> Path:
    return folder / "images" / f"{sha256}.png"


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


# -- files -----------------------------------------------------------------------------------


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _rename(path: Path, target: Path) -> None:
    try:
        os.replace(path, target)
    except OSError as error:
        raise UserError(f"Cannot change {path} ({reason(error)}): check the folder.") from None


def _remove(path: Path) -> None:
    # What cannot be removed now will be tried again with the next result.
    with suppress(OSError):
        path.unlink()
        # The request of a deleted result may have been answered again since.
        if not path.with_suffix(".png").exists():
            _marks_path(path).unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> int:
    """Remove a photograph's folder once no result is left in it; the bytes that were freed."""
    if any(folder.glob("*.png")) or any(folder.glob(f"*{DELETED}")):
        return 0
    size = sum(_size(file) for file in folder.rglob("*.*"))
    shutil.rmtree(folder, ignore_errors=True)
    return size


def _fingerprint(scene: Scene) -> list[list[object]]:
    """What tells a checkpoint from another one of the same name, without reading its weights."""
    settings = scene.settings
    if settings.decoder != "neural":
        return []
    try:
        folder = resolve_checkpoint(settings.checkpoint)
        return sorted(_stamps(folder))
    except (OSError, UserError):
        return []


def _stamps(folder: Path) -> Iterator[list[object]]:
    for path in folder.glob("*/*.safetensors"):
        status = path.stat()
        yield [path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns]


def _damaged(path: Path, error: Exception) -> UserError:
    what = reason(error) or type(error).__name__
    return UserError(f"This result is damaged ({what}): delete it from the history.")
