"""The asset file: a zip like a scene's, for one object or one background.

::

    mimetype              first, stored
    asset.json            a header (format, version, conventions) and the fields of `Asset`
    tokens.safetensors    what an encoder made of the object, if it was encoded
    images/<sha256>.png   crop and masks, lossless
    thumbnail.png         at most 256 pixels a side

An asset's name is its file's name: whoever renames the file renames the asset.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.geometry import Box
from neural_assets_core.library.asset import MAXIMUM_TOKEN_BYTES, Asset, Label
from neural_assets_core.proxy import appearance_mask, grown
from neural_assets_core.scene import Appearance, Picture
from neural_assets_core.scene.container import (
    CONVENTIONS,
    MAXIMUM_JSON_BYTES,
    THUMBNAIL,
    add_entry,
    check_version,
    checked_entries,
    document,
    faults_told,
    open_archive,
    parse_document,
    pictures_of,
    png,
    read_document,
    read_entry,
    read_pictures,
    references,
    small_png,
)

ASSET_SUFFIX = ".naasset"
MIMETYPE = "application/x-neural-assets-asset"
FORMAT = "neural-assets-asset"
VERSION = (1, 0)
DOCUMENT = "asset.json"
TOKENS_ENTRY = "tokens.safetensors"

HEADER = {"format": FORMAT, "version": "{}.{}".format(*VERSION), "conventions": CONVENTIONS}
"""What `asset.json` holds besides the asset's own fields."""

MAXIMUM_FILE_BYTES = 128 * 2**20
MAXIMUM_TOTAL_BYTES = 256 * 2**20
"""Of all pictures in memory; 64 masks of the largest background fit."""

BACKDROP = 232
"""Grey behind an object in its thumbnail."""


@dataclass(frozen=True)
class Summary:
    """What a list shows of one asset.

    Attributes
    ----------
    kind : str
        "object" or "background".
    label : Label
    size : tuple of 3 floats or None
        An object's extents in metres.
    """

    kind: str
    label: Label
    size: tuple[float, float, float] | None


def save_asset(asset: Asset, path: str | Path) -> None:
    """Write an asset file; it appears complete or not at all. The same asset, the same bytes.

    Raises
    ------
    UserError
        If the file cannot be written, or would be too large to be read again.
    """
    images = {picture.sha256: picture for picture in pictures_of(asset)}
    _check_total(sum(picture.pixels.nbytes for picture in images.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        add_entry(archive, "mimetype", MIMETYPE.encode())
        add_entry(archive, DOCUMENT, document(asset, HEADER, "asset"), zipfile.ZIP_DEFLATED)
        if asset.tokens:
            add_entry(archive, TOKENS_ENTRY, asset.tokens)
        for name in sorted(images):
            add_entry(archive, f"images/{name}.png", png(images[name]))
        add_entry(archive, THUMBNAIL, small_png(asset_picture(asset)))
    if buffer.getbuffer().nbytes > MAXIMUM_FILE_BYTES:
        raise UserError(
            f"The asset is too large to be saved (the limit is {MAXIMUM_FILE_BYTES >> 20} MiB): "
            "use a smaller picture."
        )
    write_atomically(Path(path), buffer.getvalue())


def load_asset(path: str | Path) -> Asset:
    """Read an asset file; equal to the asset that was saved, called as the file is.

    Raises
    ------
    UserError
        If the file is missing, damaged, not an asset, too large, or of a newer major version.
    """
    path = Path(path)
    with faults_told(path, "an asset file", ASSET_SUFFIX), _opened(path) as archive:
        entries, fields = _described(archive, path)
        pictures = read_pictures(
            archive, entries, MAXIMUM_FILE_BYTES, _check_total, references(fields)
        )
        fields["name"], fields["tokens"] = path.stem, b""
        if TOKENS_ENTRY in entries:
            entry = entries[TOKENS_ENTRY]
            fields["tokens"] = read_entry(archive, entry, MAXIMUM_TOKEN_BYTES)
        asset = Asset.model_validate(fields, context={"pictures": pictures})
        # Unknown fields are carried along: refuse here what could not be saved again.
        document(asset, HEADER, "asset")
        return asset


def read_summary(path: Path) -> Summary:
    """What a list shows of an asset file, its pictures left unread.

    Raises
    ------
    UserError
        If the file is damaged as far as that can be seen without its pictures.
    """
    with faults_told(path, "an asset file", ASSET_SUFFIX), _opened(path) as archive:
        entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
        # Thousands of files are listed at once: parsed and checked in one go, the rest skipped.
        text = _document(archive, entries)
        try:
            fields = _Described.model_validate_json(text)
        except ValidationError:
            # A newer program's may look different; that is then what is wrong with it.
            check_version(parse_document(text), FORMAT, VERSION, path)
            raise
        check_version({"format": fields.format, "version": fields.version}, FORMAT, VERSION, path)
        if (fields.appearance is None) == (fields.background is None):
            raise ValueError("an asset is either an object or a background")
        told = {key: getattr(fields, key) for key in Label.model_fields}
        label = Label.model_construct(fields.model_fields_set & told.keys(), **told)
        if fields.appearance is None:
            return Summary("background", label, None)
        return Summary("object", label, fields.appearance.box.size)


class _Boxed(BaseModel):
    box: Box


class _Described(Label):
    """What is read of a description for the list."""

    model_config = ConfigDict(extra="ignore")

    format: str = ""
    version: str = ""
    appearance: _Boxed | None = None
    background: dict[str, Any] | None = None


def relabel(path: Path, change: Callable[[Label], Label]) -> Label:
    """Give an asset file another label; everything else in it stays byte for byte.

    Parameters
    ----------
    path : Path
    change : callable
        Makes the new label from the old one; the encoder's name stays what it was.

    Returns
    -------
    before : Label

    Raises
    ------
    UserError
        If the file is damaged or cannot be written, or the label becomes too large.
    """
    with faults_told(path, "an asset file", ASSET_SUFFIX), _opened(path) as archive:
        entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
        fields = read_document(archive, entries, DOCUMENT)
        check_version(fields, FORMAT, VERSION, path)
        known = Label.model_fields.keys() & fields.keys()
        before = Label.model_validate({key: fields[key] for key in known})
        kept = [
            (entry, read_entry(archive, entry, MAXIMUM_FILE_BYTES)) for entry in entries.values()
        ]
    after = change(before)
    if after != before:
        told = after.model_dump(mode="json", exclude={"encoder"})
        text = json.dumps({**fields, **told}, allow_nan=False, ensure_ascii=False).encode()
        if len(text) > MAXIMUM_JSON_BYTES:
            raise UserError("The asset's description is too large to be saved: use fewer words.")
        write_atomically(path, _packed(kept, text))
    return before


def _packed(entries: list[tuple[zipfile.ZipInfo, bytes]], text: bytes) -> bytes:
    """The archive again, with another description."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, data in entries:
            content = text if entry.filename == DOCUMENT else data
            add_entry(archive, entry.filename, content, entry.compress_type)
    return buffer.getvalue()


def asset_picture(asset: Asset) -> Picture:
    """What the asset looks like: an object on plain grey, or a background's picture."""
    if asset.appearance is None:
        return asset.surroundings().view.picture
    looks = asset.appearance
    mask = appearance_mask(looks) > 127
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return looks.view.picture
    middle = (columns[0] + columns[-1] + 1) // 2, (rows[0] + rows[-1] + 1) // 2
    half = max(1, round(0.55 * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)))
    return _on_grey(looks, mask, middle, half)


def _on_grey(
    looks: Appearance, mask: np.ndarray[Any, np.dtype[np.bool_]], middle: tuple[int, int], half: int
) -> Picture:
    """The masked pixels in a square of side 2 `half` about a place, grey around them."""
    pixels = np.where(grown(mask, 0.5)[..., None], looks.view.picture.pixels, np.uint8(BACKDROP))
    padded = np.pad(
        pixels, ((half, half), (half, half), (0, 0)), constant_values=np.uint8(BACKDROP)
    )
    x, y = middle
    return Picture(padded[y : y + 2 * half, x : x + 2 * half])


def _opened(path: Path) -> AbstractContextManager[zipfile.ZipFile]:
    return open_archive(path, MAXIMUM_FILE_BYTES)


def _described(
    archive: zipfile.ZipFile, path: Path
) -> tuple[dict[str, zipfile.ZipInfo], dict[str, Any]]:
    """The checked entries, and the asset's own fields."""
    entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
    fields = read_document(archive, entries, DOCUMENT)
    check_version(fields, FORMAT, VERSION, path)
    return entries, {key: value for key, value in fields.items() if key not in HEADER}


def _document(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> bytes:
    if DOCUMENT not in entries:
        raise ValueError(f"it holds no {DOCUMENT}")
    return read_entry(archive, entries[DOCUMENT], MAXIMUM_JSON_BYTES)


def _check_total(size: int) -> None:
    if size > MAXIMUM_TOTAL_BYTES:
        raise UserError(
            "The asset's pictures are too large together (the limit is "
            f"{MAXIMUM_TOTAL_BYTES >> 20} MiB): use a smaller picture."
        )
