"""Writing files so that a crash or a full disk never costs what was there before."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from neural_assets_core.errors import UserError


def write_atomically(path: Path, data: bytes, *, backup: Path | None = None) -> None:
    """Write `data` to a temporary file in the same folder, then rename it over `path`.

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
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if backup is not None and target.is_file():
            write_atomically(backup, target.read_bytes())
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise UserError(f"Cannot write {path} ({reason}): choose another place.") from None


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
