"""Unsaved work that outlives the program, in a folder of the user's data.

::

    <id>.nascene    a scene file with one more field, `autosave`: which file it belongs to
    <id>.lock       locked by the window that the scene is open in

However a process ends, the system unlocks its files: a sidecar that nobody has locked was left by
a crash. Whoever wants to do something with it locks it first, so that two windows never offer the
same one, and never touch each other's.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from neural_assets_core.errors import UserError
from neural_assets_core.files import reason, remove_leftovers, write_atomically
from neural_assets_core.scene.archive import (
    DOCUMENT,
    HEADER,
    MAXIMUM_FILE_BYTES,
    SCENE_SUFFIX,
    load_scene,
    scene_bytes,
)
from neural_assets_core.scene.container import (
    DAMAGE,
    checked_entries,
    open_archive,
    read_document,
)
from neural_assets_core.scene.scene import Scene

log = logging.getLogger(__name__)

FIELD = "autosave"
LOCK_SUFFIX = ".lock"


def autosave_folder() -> Path:
    """Where the sidecars lie."""
    return user_data_path("Neural Assets Studio", appauthor=False) / "autosave"


class Sidecar:
    """One window's place for what it has not saved yet; locked from the first writing on.

    Parameters
    ----------
    folder : Path, optional
        `autosave_folder()` by default; made if it is missing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or autosave_folder()) / (secrets.token_hex(8) + SCENE_SUFFIX)
        self._lock = _lock(self.path)

    def write(self, scene: Scene, file: Path | None) -> None:
        """Keep a scene; it appears complete or not at all.

        Parameters
        ----------
        scene : Scene
        file : Path or None
            The scene's own file, if it has one.

        Raises
        ------
        UserError
            If that is not possible; what was kept before is still there.
        """
        note = {"file": None if file is None else str(file.absolute())}
        try:
            # Nobody else's business, unlike what the user saves.
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._lock.is_locked:
                # At once, unless another window is just looking whose it is.
                self._lock.acquire(timeout=1)
            write_atomically(self.path, scene_bytes(scene.with_extra(FIELD, note)))
        except (OSError, UserError) as error:
            raise UserError(
                f"Unsaved changes cannot be kept for the case of a crash ({reason(error)}): "
                "save the scene yourself."
            ) from None

    def remove(self) -> None:
        """Nothing is unsaved any more."""
        if self._lock.is_locked:
            _remove(self.path, self._lock)


@dataclass(frozen=True)
class Abandoned:
    """What a crash has left; locked until it is discarded or released.

    Attributes
    ----------
    path : Path
        The sidecar.
    file : Path or None
        The scene's own file, if it has one.
    saved : datetime
        When it was written, local time.
    """

    path: Path
    file: Path | None
    saved: datetime
    _lock: FileLock

    def scene(self) -> Scene:
        """The scene as it was.

        Raises
        ------
        UserError
            If the sidecar is damaged.
        """
        return load_scene(self.path).with_extra(FIELD, None)

    def discard(self) -> None:
        """Remove it for good."""
        _remove(self.path, self._lock)

    def release(self) -> None:
        """Leave it for another time, or another window."""
        self._lock.release()


def claim_abandoned(folder: Path | None = None) -> list[Abandoned]:
    """Lock and list what crashes have left, newest first.

    What the scene's own file has by now (the program died while it was tidying up) is removed
    silently. What is damaged or from a newer version is left where it is.
    """
    folder = folder or autosave_folder()
    found = [left for path in folder.glob(f"*{SCENE_SUFFIX}") if (left := _claimed(path))]
    for unused in folder.glob(f"*{LOCK_SUFFIX}"):
        sidecar = unused.with_suffix(SCENE_SUFFIX)
        if not sidecar.exists() and (lock := _acquired(sidecar)):
            _remove(sidecar, lock)
    return sorted(found, key=lambda left: left.saved, reverse=True)


def _claimed(path: Path) -> Abandoned | None:
    lock = _acquired(path)
    if lock is None:
        return None
    try:
        fields = _document(path)
        note = fields.pop(FIELD, None)
        name = note.get("file") if isinstance(note, dict) else None
        file = Path(name) if isinstance(name, str) else None
        saved = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    except FileNotFoundError:
        # Another window was faster.
        _remove(path, lock)
        return None
    except (*DAMAGE, UserError) as error:
        log.warning("the sidecar %s is left alone: %s", path, error)
        lock.release()
        return None
    if file is not None and _has(file, fields):
        _remove(path, lock)
        return None
    remove_leftovers(path)
    return Abandoned(path, file, saved, lock)


def _has(file: Path, fields: dict[str, Any]) -> bool:
    """Whether a scene's own file holds exactly these fields; pictures are named by their hash."""
    try:
        return _document(file) == fields
    except (*DAMAGE, UserError):
        return False


def _document(path: Path) -> dict[str, Any]:
    with open_archive(path, MAXIMUM_FILE_BYTES) as archive:
        fields = read_document(archive, checked_entries(archive, MAXIMUM_FILE_BYTES), DOCUMENT)
    return {key: value for key, value in fields.items() if key not in HEADER}


def _lock(sidecar: Path) -> FileLock:
    # Written on one thread, let go of on another.
    return FileLock(sidecar.with_suffix(LOCK_SUFFIX), thread_local=False)


def _acquired(sidecar: Path) -> FileLock | None:
    lock = _lock(sidecar)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return None
    return lock


def _remove(sidecar: Path, lock: FileLock) -> None:
    # In this order: who gets the lock next finds nothing to offer.
    with suppress(OSError):
        sidecar.unlink(missing_ok=True)
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


__all__ = ["Abandoned", "Sidecar", "autosave_folder", "claim_abandoned"]
