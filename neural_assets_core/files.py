"""Writing files so that a crash or a full disk never costs what was there before."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from neural_assets_core.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT)

LEFT_AFTER = 60 * 60
"""Seconds after which a temporary file is one that a crash has left behind."""


def write_atomically(path: Path, data: bytes, *, backup: Path | None = None) -> None:
    """Write `data` to a temporary file in the same folder, then rename it over `path`.

    Both are on the disk when this returns: not even a power cut brings back less than the old or
    the new content. Who may read and write the file stays as it was.

    Parameters
    ----------
    path : Path
        A symbolic link is followed: the file it names is replaced.
    data : bytes
    backup : Path, optional
        Where the content that `path` had before is kept (also written atomically).

    Raises
    ------
    UserError
        If the folder does not exist or cannot be written, or the disk is full; whatever was at
        `path` is still there.
    """
    target = Path(os.path.realpath(path))
    try:
        if backup is not None and target.is_file():
            _replace(Path(os.path.realpath(backup)), target.read_bytes())
        _replace(target, data)
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: Exception) -> UserError:
    """What to say of a file, or of a folder with files, that could not be written."""
    full = getattr(_first(error), "errno", None) in _FULL
    advice = "free some space, or choose another place" if full else "choose another place"
    return UserError(f"Cannot write {path} ({reason(error)}): {advice}.")


def reason(error: Exception) -> str:
    """Why something could not be written, in a few words.

    Parameters
    ----------
    error : OSError, or UserError that says it with more words
    """
    error = _first(error)
    if isinstance(error, OSError) and error.errno in _FULL:
        return "the disk is full"
    text = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0]
    return str(text)[:200].rstrip(".")


def _first(error: Exception) -> Exception:
    """What the system said, before it became a sentence."""
    behind = error.__context__
    return behind if isinstance(error, UserError) and isinstance(behind, OSError) else error


def _replace(target: Path, data: bytes) -> None:
    """Put a file in the place of whatever is there."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            # Before there is anything in it to be read.
            if target.is_file():
                shutil.copymode(target, temporary)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that processes have left which were killed while writing `path`.

    Recent ones stay: another process may be writing right now.
    """
    target = Path(os.path.realpath(path))
    name = re.compile(rf"\.{re.escape(target.name)}~?\.[0-9a-f]{{8}}\.tmp")
    with suppress(OSError):
        for entry in os.scandir(target.parent):
            if name.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > LEFT_AFTER:
                os.unlink(entry)


def _sync_folder(folder: Path) -> None:
    """Have the renaming itself on the disk, where the system can do that."""
    if os.name != "posix":
        return
    # Some network file systems cannot; the file is in place all the same.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_room(path: Path) -> None:
    """Make the folder that `path` will lie in; said before long work if that cannot be.

    Raises
    ------
    UserError
        If the folder cannot be made, or `path` could not be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Cannot make the folder {path.parent} ({error.strerror}): choose another place."
        ) from None
    check_writable(path)


def check_writable(path: Path) -> None:
    """Say before long work, not after it, that its result could not be written.

    Raises
    ------
    UserError
        If `path` is a folder, or its folder does not exist or cannot be written.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise UserError(f"Cannot write {path}: there is no folder {folder}.")
    if path.is_dir():
        raise UserError(f"Cannot write {path}: it is a folder.")
    if not os.access(folder, os.W_OK):
        raise UserError(f"Cannot write {path}: the folder {folder} is write-protected.")
