"""The scene file: a zip of one JSON document and the pictures it refers to by hash.

::

    mimetype              first, stored: what the file is, for who looks at its first bytes
    scene.json            a header (format, version, conventions) and the fields of `Scene`
    images/<sha256>.png   every picture of the scene, lossless, once
    thumbnail.png         at most 256 pixels a side

Fields that this version does not know are carried along from loading to saving, but not pictures
that only such fields refer to: those are dropped.

Scene files come from strangers: everything is limited and checked before it is used, and nothing
in them is ever executed.
"""

from __future__ import annotations

import io
import json
import math
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image
from pydantic import BaseModel, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.scene.picture import MAXIMUM_PIXELS, Picture, check_size
from neural_assets_core.scene.scene import Scene
from neural_assets_core.scene.validation import describe

SCENE_SUFFIX = ".nascene"
MIMETYPE = "application/x-neural-assets-scene"
FORMAT = "neural-assets-scene"
VERSION = (1, 0)

HEADER = {
    "format": FORMAT,
    "version": "{}.{}".format(*VERSION),
    "conventions": {
        "units": "metres, pixels; rotations are unit quaternions (w, x, y, z), box to world",
        "world": "right-handed, z up",
        "camera": "x right, y down, z forward; world_to_camera takes world to camera",
        "pixels": "pixel (i, j) covers [i, i + 1) x [j, j + 1): its centre is at + 0.5",
    },
}
"""What `scene.json` holds besides the scene's own fields."""

MAXIMUM_FILE_BYTES = 2**30
MAXIMUM_JSON_BYTES = 4 * 2**20
MAXIMUM_ENTRIES = 1024
MAXIMUM_TOTAL_PIXELS = 4 * MAXIMUM_PIXELS
THUMBNAIL_SIDE = 256
MAXIMUM_THUMBNAIL_BYTES = 2**20

_DAMAGE = (
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


def save_scene(scene: Scene, path: str | Path, thumbnail: Picture | None = None) -> None:
    """Write a scene file; the same scene makes the same bytes.

    The file appears complete or not at all; what was there before is kept beside it with a `~`
    at the end of its name.

    Parameters
    ----------
    scene : Scene
    path : str or Path
        Ends in `SCENE_SUFFIX` by convention.
    thumbnail : Picture, optional
        Shown for the file, shrunk; the background's view if there is nothing newer.

    Raises
    ------
    UserError
        If the file cannot be written, or would be too large to be opened again.
    """
    path = Path(path)
    images = {picture.sha256: picture for picture in _pictures(scene)}
    _check_total(sum(picture.pixels.nbytes for picture in images.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, "mimetype", MIMETYPE.encode())
        _add(archive, "scene.json", _document(scene), zipfile.ZIP_DEFLATED)
        for name in sorted(images):
            _add(archive, f"images/{name}.png", _png(images[name]))
        _add(archive, "thumbnail.png", _thumbnail(thumbnail or scene.background.view.picture))
        content = sum(entry.file_size for entry in archive.infolist())
    if max(content, buffer.getbuffer().nbytes) > MAXIMUM_FILE_BYTES:
        raise UserError(
            f"The scene is too large to be saved (the limit is {MAXIMUM_FILE_BYTES >> 20} MiB): "
            "use fewer or smaller pictures."
        )
    write_atomically(path, buffer.getvalue(), backup=path.with_name(path.name + "~"))


def load_scene(path: str | Path) -> Scene:
    """Read a scene file; equal to the scene that was saved.

    Raises
    ------
    UserError
        If the file is missing, damaged, not a scene, too large, or of a newer major version.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise UserError(f"There is no file {path}: check the name.")
        if not path.is_file():
            raise UserError(f"{path} is not a file: choose a scene file ({SCENE_SUFFIX}).")
        return _load(path)
    except ValidationError as error:
        raise UserError(f"{path} cannot be used: {describe(error)}.") from None
    except PermissionError:
        raise UserError(f"{path} may not be read: change its permissions.") from None
    except _DAMAGE as error:
        text = getattr(error, "strerror", None) or str(error)
        reason = text.splitlines()[0][:200] if text else type(error).__name__
        raise UserError(f"{path} is not a scene file or is damaged: {reason}.") from None


def read_thumbnail(path: str | Path) -> bytes | None:
    """The file's small picture as PNG bytes; None if it has none that can be used."""
    try:
        with zipfile.ZipFile(path) as archive:
            data = _read(archive, archive.getinfo("thumbnail.png"), MAXIMUM_THUMBNAIL_BYTES)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return data if 1 <= max(image.size) <= THUMBNAIL_SIDE else None
    except _DAMAGE:
        return None


def _check_total(size: int) -> None:
    """Refuse pictures of `size` bytes in memory all together; saving and loading agree on it."""
    if size > 3 * MAXIMUM_TOTAL_PIXELS:
        raise UserError(
            "The scene's pictures are too large together (the limit is "
            f"{MAXIMUM_TOTAL_PIXELS // 1_000_000} megapixels): use fewer or smaller ones."
        )


# -- writing ---------------------------------------------------------------------------------


def _pictures(value: object) -> Iterator[Picture]:
    """Every picture that a value holds, at any depth."""
    if isinstance(value, Picture):
        yield value
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from _pictures(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from _pictures(part)


def _document(scene: Scene) -> bytes:
    fields = {**scene.model_dump(mode="json"), **HEADER}
    ordered = {key: fields[key] for key in (*HEADER, *(k for k in fields if k not in HEADER))}
    data = json.dumps(ordered, indent=1, allow_nan=False, ensure_ascii=False).encode()
    if len(data) > MAXIMUM_JSON_BYTES:
        raise UserError("The scene's description is too large to be saved.")
    return data


@lru_cache(maxsize=16)
def _png(picture: Picture) -> bytes:
    # Cached: saving again after a small edit then writes the same photo without encoding it.
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _thumbnail(picture: Picture) -> bytes:
    image = Image.fromarray(picture.pixels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _add(
    archive: zipfile.ZipFile, name: str, data: bytes, compression: int = zipfile.ZIP_STORED
) -> None:
    # A fixed date: the same scene must make the same bytes.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, compression)


# -- reading ---------------------------------------------------------------------------------


def _load(path: Path) -> Scene:
    if path.stat().st_size > MAXIMUM_FILE_BYTES:
        raise ValueError(f"it is larger than {MAXIMUM_FILE_BYTES >> 20} MiB")
    with zipfile.ZipFile(path) as archive:
        entries = _checked_entries(archive)
        if "scene.json" not in entries:
            raise ValueError("it holds no scene.json")
        fields = _parse(_read(archive, entries["scene.json"], MAXIMUM_JSON_BYTES))
        _check_version(fields, path)
        pictures = _read_pictures(archive, entries)
    scene = {key: value for key, value in fields.items() if key not in HEADER}
    loaded = Scene.model_validate(scene, context={"pictures": pictures})
    # Unknown fields are carried along: refuse here what could not be saved again.
    _document(loaded)
    return loaded


def _checked_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries by name, once nothing about them is suspicious."""
    listed = archive.infolist()
    if len(listed) > MAXIMUM_ENTRIES:
        raise ValueError(f"it holds more than {MAXIMUM_ENTRIES} entries")
    if sum(entry.file_size for entry in listed) > MAXIMUM_FILE_BYTES:
        raise ValueError(f"its content is larger than {MAXIMUM_FILE_BYTES >> 20} MiB")
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


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """An entry's content, never more than `limit` bytes whatever its header claims."""
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{entry.filename[:80]} is larger than {limit} bytes")
    return data


def _parse(data: bytes) -> dict[str, Any]:
    fields = json.loads(
        data.decode("utf-8"), parse_float=_finite_float, parse_constant=_refuse_constant
    )
    if not isinstance(fields, dict):
        raise ValueError("its scene.json is not an object")
    return fields


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds a number out of range, {text[:20]}")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"it holds {text} where a number should be")


def _check_version(fields: dict[str, Any], path: Path) -> None:
    if fields.get("format") != FORMAT:
        raise ValueError("its scene.json is of another program")
    version = fields.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,6}", version):
        raise ValueError("its scene.json names no version")
    if int(version.split(".")[0]) > VERSION[0]:
        raise UserError(
            f"{path} has format version {version}, newer than this program's "
            f"{HEADER['version']}: update the program to open it."
        )


def _read_pictures(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]
) -> dict[str, Picture]:
    """The archive's pictures by hash, each one checked against it."""
    pictures: dict[str, Picture] = {}
    total = 0
    for name, entry in entries.items():
        match = re.fullmatch(r"images/([0-9a-f]{64})\.png", name)
        if match is None:
            continue
        data = _read(archive, entry, MAXIMUM_FILE_BYTES)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            check_size(*image.size, name=f"A picture in {archive.filename}")
            if image.mode not in ("RGB", "L"):
                raise ValueError(f"a picture has the unexpected mode {image.mode}")
            total += image.width * image.height * len(image.getbands())
            _check_total(total)
            picture = Picture(np.asarray(image))
        if picture.sha256 != match[1]:
            raise ValueError("a picture is not the one that was saved")
        pictures[match[1]] = picture
    return pictures
