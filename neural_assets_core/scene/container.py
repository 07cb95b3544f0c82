"""What our files have in common: a zip of one JSON document and of PNG pictures named by hash.

Such files come from strangers: everything is limited and checked before it is used, and nothing
in them is ever executed. The kinds of files (scenes, library assets) say what the document is.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from PIL import Image
from pydantic import BaseModel, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.scene.picture import Picture, check_size
from neural_assets_core.scene.validation import describe

CONVENTIONS = {
    "units": "metres, pixels; rotations are unit quaternions (w, x, y, z), box to world",
    "world": "right-handed, z up",
    "camera": "x right, y down, z forward; world_to_camera takes world to camera",
    "pixels": "pixel (i, j) covers [i, i + 1) x [j, j + 1): its centre is at + 0.5",
}
"""Told in every document."""

MAXIMUM_JSON_BYTES = 2 * 2**20
MAXIMUM_ENTRIES = 1024
MAXIMUM_DIRECTORY_BYTES = 2**20
DIRECTORY_END = b"PK\5\6"
DIRECTORY_END_BYTES = 22
"""Of a zip's last record, without the comment of at most 64 KiB that it may have."""
SMALL_PICTURES = 64 * 2**20
LARGEST_RATIO = 100
"""Pictures of more than `SMALL_PICTURES` bytes in memory must not be so many times larger than
the file: 50 megapixels of nothing at all fit into 150 KiB."""
THUMBNAIL = "thumbnail.png"
THUMBNAIL_SIDE = 256
MAXIMUM_THUMBNAIL_BYTES = 2**20

DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
)
"""What zipfile, json and Pillow raise on damaged input."""


# -- writing ---------------------------------------------------------------------------------


def pictures_of(value: object) -> Iterator[Picture]:
    """Every picture that a value holds, at any depth."""
    if isinstance(value, Picture):
        yield value
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from pictures_of(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from pictures_of(part)


def document(value: BaseModel, header: dict[str, Any], what: str) -> bytes:
    """A value as JSON behind its header.

    Raises
    ------
    UserError
        If it is larger than what is read again.
    """
    fields = {**value.model_dump(mode="json"), **header}
    ordered = {key: fields[key] for key in (*header, *(k for k in fields if k not in header))}
    # Not indented: that is done in Python, and takes longer than everything else together.
    data = json.dumps(ordered, allow_nan=False, ensure_ascii=False).encode()
    if len(data) > MAXIMUM_JSON_BYTES:
        raise UserError(f"The {what}'s description is too large to be saved.")
    return data


@lru_cache(maxsize=16)
def png(picture: Picture) -> bytes:
    """The picture as PNG."""
    # Cached: saving again after a small edit then writes the same photo without encoding it.
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def small_png(picture: Picture) -> bytes:
    """The picture, at most `THUMBNAIL_SIDE` pixels a side, as PNG."""
    image = Image.fromarray(picture.pixels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def add_entry(
    archive: zipfile.ZipFile, name: str, data: bytes, compression: int = zipfile.ZIP_STORED
) -> None:
    """One more entry; the same content makes the same bytes."""
    # A fixed date: the same value must make the same bytes.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, compression)


# -- reading ---------------------------------------------------------------------------------


@contextmanager
def faults_told(path: Path, what: str, suffix: str) -> Iterator[None]:
    """Turn everything that a missing, damaged or hostile file raises into one sentence.

    Parameters
    ----------
    path : Path
    what : str
        What the file should be, after an article: "a scene file".
    suffix : str
        How such files' names end.

    Raises
    ------
    UserError
    """
    try:
        if not path.exists():
            raise UserError(f"There is no file {path}: check the name.")
        if not path.is_file():
            raise UserError(f"{path} is not a file: choose {what} ({suffix}).")
        yield
    except ValidationError as error:
        raise UserError(f"{path} cannot be used: {describe(error)}.") from None
    except PermissionError:
        raise UserError(f"{path} may not be read: change its permissions.") from None
    except DAMAGE as error:
        text = getattr(error, "strerror", None) or str(error)
        reason = text.splitlines()[0][:200] if text else type(error).__name__
        raise UserError(f"{path} is not {what} or is damaged: {reason}.") from None


@contextmanager
def open_archive(path: Path, maximum_bytes: int) -> Iterator[zipfile.ZipFile]:
    """A zip, open once neither it nor its directory is too large to be read at all.

    Raises
    ------
    ValueError
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size > maximum_bytes:
            raise ValueError(f"it is larger than {maximum_bytes >> 20} MiB")
        _check_directory(_end_of(file, size))
        with zipfile.ZipFile(file) as archive:
            yield archive


def _end_of(file: BinaryIO, size: int) -> bytes:
    """The last bytes of a zip, from before its last record on."""
    # Few have a comment behind it: they alone are read once more, further back.
    for room in (2 * DIRECTORY_END_BYTES, DIRECTORY_END_BYTES + 2**16):
        file.seek(max(0, size - room))
        end = file.read(room)
        if _has_no_comment(end):
            break
    return end


def _has_no_comment(end: bytes) -> bool:
    return end[-DIRECTORY_END_BYTES:].startswith(DIRECTORY_END) and end.endswith(b"\0\0")


def _check_directory(end: bytes) -> None:
    """Look at the last bytes of a zip: zipfile itself reads as much directory as they claim."""
    at = len(end) - DIRECTORY_END_BYTES
    if not _has_no_comment(end):
        # There is a comment behind it.
        at = end.rfind(DIRECTORY_END)
    if at < 0 or len(end) - at < DIRECTORY_END_BYTES:
        raise ValueError("it is no zip file")
    size = int.from_bytes(end[at + 12 : at + 16], "little")
    # A locator of another end, for more entries than there may be.
    large = at >= 20 and end.startswith(b"PK\6\7", at - 20)
    if large or size > MAXIMUM_DIRECTORY_BYTES:
        raise ValueError(f"it holds more than {MAXIMUM_ENTRIES} entries")


def checked_entries(archive: zipfile.ZipFile, maximum_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries by name, once nothing about them is suspicious.

    Raises
    ------
    ValueError
        If there are too many or too large ones, names twice, forbidden names, links, or unknown
        compressions.
    """
    listed = archive.infolist()
    if len(listed) > MAXIMUM_ENTRIES:
        raise ValueError(f"it holds more than {MAXIMUM_ENTRIES} entries")
    if sum(entry.file_size for entry in listed) > maximum_bytes:
        raise ValueError(f"its content is larger than {maximum_bytes >> 20} MiB")
    entries = {entry.filename: entry for entry in listed}
    if len(entries) != len(listed):
        raise ValueError("it holds two entries of the same name")
    for entry in listed:
        _check_entry(entry)
    return entries


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    if re.search(r"[\\\x00-\x1f:]", name) or name.startswith("/") or ".." in name.split("/"):
        raise ValueError("it holds an entry with a forbidden name")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ValueError("it holds a link")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is compressed in an unknown way")


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """An entry's content, never more than `limit` bytes whatever its header claims."""
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{entry.filename[:80]} is larger than {limit} bytes")
    return data


def read_document(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], name: str
) -> dict[str, Any]:
    """The archive's JSON document called `name`, an object with finite numbers only."""
    if name not in entries:
        raise ValueError(f"it holds no {name}")
    return parse_document(read_entry(archive, entries[name], MAXIMUM_JSON_BYTES))


def parse_document(data: bytes) -> dict[str, Any]:
    """A JSON object with finite numbers only.

    Raises
    ------
    ValueError
    RecursionError
        If it is nested too deeply.
    """
    if len(data) > MAXIMUM_JSON_BYTES:
        raise ValueError(f"its description is larger than {MAXIMUM_JSON_BYTES} bytes")
    fields = json.loads(
        data.decode("utf-8"), parse_float=_finite_float, parse_constant=_refuse_constant
    )
    if not isinstance(fields, dict):
        raise ValueError("its description is not an object")
    return fields


def references(fields: object) -> set[str]:
    """Hashes of the pictures that a document refers to, at any depth."""
    found: set[str] = set()
    waiting = [fields]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            name = value.get("sha256")
            # Names become parts of paths: nothing but a hash is one.
            if isinstance(name, str) and re.fullmatch("[0-9a-f]{64}", name):
                found.add(name)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds a number out of range, {text[:20]}")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"it holds {text} where a number should be")


def check_version(
    fields: dict[str, Any], format_: str, newest: tuple[int, int], path: Path
) -> tuple[int, int]:
    """The document's version; refuses other programs' and newer major versions than `newest`."""
    if fields.get("format") != format_:
        raise ValueError("its description is of another program")
    version = fields.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,6}", version):
        raise ValueError("its description names no version")
    major, minor = map(int, version.split("."))
    if major > newest[0]:
        raise UserError(
            f"{path} has format version {version}, newer than this program's "
            f"{newest[0]}.{newest[1]}: update the program to open it."
        )
    return major, minor


def read_pictures(
    archive: zipfile.ZipFile,
    entries: dict[str, zipfile.ZipInfo],
    maximum_bytes: int,
    check_total: Callable[[int], None],
    wanted: Collection[str],
) -> dict[str, Picture]:
    """Those of the wanted pictures that the archive has, by hash, each one checked against it.

    `check_total` is told how many bytes they take in memory, before each one is decoded.
    """
    pictures: dict[str, Picture] = {}
    total = 0
    for sha256 in sorted(wanted):
        entry = entries.get(f"images/{sha256}.png")
        if entry is None:
            continue
        data = read_entry(archive, entry, maximum_bytes)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            check_size(*image.size, name=f"A picture in {archive.filename}")
            if image.mode not in ("RGB", "L"):
                raise ValueError(f"a picture has the unexpected mode {image.mode}")
            total += image.width * image.height * len(image.getbands())
            check_total(total)
            picture = Picture(np.asarray(image))
        if picture.sha256 != sha256:
            raise ValueError("a picture is not the one that was saved")
        pictures[sha256] = picture
    return pictures


def check_packing(size: int, packed: int) -> None:
    """Refuse pictures of `size` bytes in memory that come from a file of only `packed` bytes.

    Nobody's photographs are like that: it is how a small file is made to fill the memory. Saving
    and loading agree on it.

    Raises
    ------
    UserError
    """
    if size > SMALL_PICTURES + LARGEST_RATIO * packed:
        raise UserError(
            f"The pictures are very large ({size >> 20} MiB) and almost empty: use smaller ones."
        )


def read_thumbnail(path: str | Path) -> bytes | None:
    """A file's small picture as PNG bytes; None if it has none that can be used."""
    try:
        with zipfile.ZipFile(path) as archive:
            data = read_entry(archive, archive.getinfo(THUMBNAIL), MAXIMUM_THUMBNAIL_BYTES)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return data if 1 <= max(image.size) <= THUMBNAIL_SIDE else None
    except DAMAGE:
        return None
