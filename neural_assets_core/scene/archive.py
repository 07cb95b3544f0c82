"""The scene file: a zip of one JSON document and the pictures it refers to by hash.

::

    mimetype              first, stored: what the file is, for who looks at its first bytes
    scene.json            a header (format, version, conventions) and the fields of `Scene`
    images/<sha256>.png   every picture of the scene, lossless, once
    thumbnail.png         at most 256 pixels a side

Fields that this version does not know are carried along from loading to saving, but not pictures
that only such fields refer to: those are dropped. How such files are kept safe to open is in
`container`.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.scene.container import (
    CONVENTIONS,
    MAXIMUM_ENTRIES,
    MAXIMUM_JSON_BYTES,
    THUMBNAIL,
    add_entry,
    check_version,
    checked_entries,
    document,
    faults_told,
    pictures_of,
    png,
    read_document,
    read_pictures,
    read_thumbnail,
    small_png,
)
from neural_assets_core.scene.picture import MAXIMUM_PIXELS, Picture
from neural_assets_core.scene.scene import Scene

SCENE_SUFFIX = ".nascene"
MIMETYPE = "application/x-neural-assets-scene"
FORMAT = "neural-assets-scene"
VERSION = (1, 0)
DOCUMENT = "scene.json"

HEADER = {
    "format": FORMAT,
    "version": "{}.{}".format(*VERSION),
    "conventions": CONVENTIONS,
}
"""What `scene.json` holds besides the scene's own fields."""

MAXIMUM_FILE_BYTES = 2**30
MAXIMUM_TOTAL_PIXELS = 4 * MAXIMUM_PIXELS


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
    images = {picture.sha256: picture for picture in pictures_of(scene)}
    _check_total(sum(picture.pixels.nbytes for picture in images.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        add_entry(archive, "mimetype", MIMETYPE.encode())
        add_entry(archive, DOCUMENT, document(scene, HEADER, "scene"), zipfile.ZIP_DEFLATED)
        for name in sorted(images):
            add_entry(archive, f"images/{name}.png", png(images[name]))
        add_entry(archive, THUMBNAIL, small_png(thumbnail or scene.background.view.picture))
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
    with faults_told(path, "a scene file", SCENE_SUFFIX):
        return _load(path)


def _load(path: Path) -> Scene:
    if path.stat().st_size > MAXIMUM_FILE_BYTES:
        raise ValueError(f"it is larger than {MAXIMUM_FILE_BYTES >> 20} MiB")
    with zipfile.ZipFile(path) as archive:
        entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
        fields = read_document(archive, entries, DOCUMENT)
        check_version(fields, FORMAT, VERSION, path)
        pictures = read_pictures(archive, entries, MAXIMUM_FILE_BYTES, _check_total)
    scene = {key: value for key, value in fields.items() if key not in HEADER}
    loaded = Scene.model_validate(scene, context={"pictures": pictures})
    # Unknown fields are carried along: refuse here what could not be saved again.
    document(loaded, HEADER, "scene")
    return loaded


def _check_total(size: int) -> None:
    """Refuse pictures of `size` bytes in memory all together; saving and loading agree on it."""
    if size > 3 * MAXIMUM_TOTAL_PIXELS:
        raise UserError(
            "The scene's pictures are too large together (the limit is "
            f"{MAXIMUM_TOTAL_PIXELS // 1_000_000} megapixels): use fewer or smaller ones."
        )


__all__ = [
    "FORMAT",
    "MAXIMUM_ENTRIES",
    "MAXIMUM_FILE_BYTES",
    "MAXIMUM_JSON_BYTES",
    "MIMETYPE",
    "SCENE_SUFFIX",
    "load_scene",
    "read_thumbnail",
    "save_scene",
]
