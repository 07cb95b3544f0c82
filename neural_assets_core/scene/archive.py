"""The scene file: a zip of one JSON document and the pictures it refers to by hash.

::

    mimetype              first, stored: what the file is, for who looks at its first bytes
    scene.json            a header (format, version, conventions) and the fields of `Scene`
    images/<sha256>.png   every picture of the scene, lossless, once
    wireframes/<sha256>.bin   the lines of the meshes that stand in for objects, if there are any
    thumbnail.png         at most 256 pixels a side

Fields that this version does not know are carried along from loading to saving, but not pictures
that only such fields refer to: those are dropped. How such files are kept safe to open is in
`container`, how older ones are brought up to date in `migrations`, and how unsaved work outlives
a crash in `recovery`.

Minor versions add fields; older programs open such files. Major versions change what is there;
older programs refuse them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from neural_assets_core.errors import UserError
from neural_assets_core.files import remove_leftovers, write_atomically
from neural_assets_core.scene.container import (
    CONVENTIONS,
    MAXIMUM_ENTRIES,
    MAXIMUM_JSON_BYTES,
    THUMBNAIL,
    add_entry,
    check_packing,
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
    read_thumbnail,
    references,
    small_png,
)
from neural_assets_core.scene.migrations import FIRST, VERSION, Version, migrated
from neural_assets_core.scene.picture import MAXIMUM_PIXELS, Picture
from neural_assets_core.scene.scene import MAXIMUM_OBJECTS, Scene
from neural_assets_core.scene.wireframe import MAXIMUM_BYTES, Wireframe

SCENE_SUFFIX = ".nascene"
MIMETYPE = "application/x-neural-assets-scene"
FORMAT = "neural-assets-scene"
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
    data = scene_bytes(scene, thumbnail)
    write_atomically(path, data, backup=path.with_name(path.name + "~"))
    remove_leftovers(path)


def scene_bytes(scene: Scene, thumbnail: Picture | None = None) -> bytes:
    """A scene file's content.

    Raises
    ------
    UserError
        If it would be too large to be opened again.
    """
    images = {picture.sha256: picture for picture in pictures_of(scene)}
    size = sum(picture.pixels.nbytes for picture in images.values())
    _check_total(size)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        add_entry(archive, "mimetype", MIMETYPE.encode())
        add_entry(archive, DOCUMENT, document(scene, HEADER, "scene"), zipfile.ZIP_DEFLATED)
        for name in sorted(images):
            add_entry(archive, f"images/{name}.png", png(images[name]))
        for name, wireframe in sorted(wireframes_of(scene).items()):
            add_entry(archive, f"wireframes/{name}.bin", wireframe.data, zipfile.ZIP_DEFLATED)
        add_entry(archive, THUMBNAIL, small_png(thumbnail or scene.background.view.picture))
        content = sum(entry.file_size for entry in archive.infolist())
    if max(content, buffer.getbuffer().nbytes) > MAXIMUM_FILE_BYTES:
        raise UserError(
            f"The scene is too large to be saved (the limit is {MAXIMUM_FILE_BYTES >> 20} MiB): "
            "use fewer or smaller pictures."
        )
    check_packing(size, buffer.getbuffer().nbytes)
    return buffer.getvalue()


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
    packed = path.stat().st_size

    def check(size: int) -> None:
        _check_total(size)
        check_packing(size, packed)

    with open_archive(path, MAXIMUM_FILE_BYTES) as archive:
        entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
        fields = read_document(archive, entries, DOCUMENT)
        version = check_version(fields, FORMAT, VERSION, path)
        pictures = read_pictures(
            archive, entries, MAXIMUM_FILE_BYTES, check, references(fields)
        )
        wireframes = _read_wireframes(archive, entries, fields)
    return _scene(fields, version, pictures, wireframes)


def _read_wireframes(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], fields: dict[str, Any]
) -> dict[str, Wireframe]:
    """Those that the objects refer to, by hash, each one checked against it."""
    objects = fields.get("objects")
    listed = objects[:MAXIMUM_OBJECTS] if isinstance(objects, list) else []
    named = {item.get("wireframe") for item in listed if isinstance(item, dict)}
    found: dict[str, Wireframe] = {}
    for name in named:
        entry = entries.get(f"wireframes/{name}.bin")
        if entry is not None and isinstance(name, str):
            wireframe = Wireframe.from_bytes(read_entry(archive, entry, MAXIMUM_BYTES))
            if wireframe.sha256 != name:
                raise ValueError("a wireframe is not the one that was saved")
            found[name] = wireframe
    return found


def wireframes_of(scene: Scene) -> dict[str, Wireframe]:
    """The wireframes of a scene's objects, by their hashes."""
    shapes = [item.wireframe for item in scene.objects if item.wireframe is not None]
    return {wireframe.sha256: wireframe for wireframe in shapes}


def read_pictures_of(path: Path, wanted: Collection[str]) -> dict[str, Picture]:
    """Those of some pictures, named by their hashes, that a scene file has.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    with (
        faults_told(path, "a scene file", SCENE_SUFFIX),
        open_archive(path, MAXIMUM_FILE_BYTES) as archive,
    ):
        entries = checked_entries(archive, MAXIMUM_FILE_BYTES)
        return read_pictures(archive, entries, MAXIMUM_FILE_BYTES, _check_total, wanted)


def scene_from_json(
    text: str,
    pictures: Mapping[str, Picture],
    wireframes: Mapping[str, Wireframe] | None = None,
) -> Scene:
    """A scene from its JSON alone, as exported pictures carry it; checked like a file's.

    Parameters
    ----------
    text : str
    pictures : mapping of str to Picture
        By their hashes, those that it refers to.
    wireframes : mapping of str to Wireframe, optional
        By their hashes; objects whose wireframe is not there have none.

    Raises
    ------
    ValueError, RuntimeError, TypeError
        If it is no scene; a `pydantic.ValidationError` is a ValueError.
    """
    return _scene(parse_document(text.encode()), FIRST, pictures, wireframes or {})


def _scene(
    fields: dict[str, Any],
    version: Version,
    pictures: Mapping[str, Picture],
    wireframes: Mapping[str, Wireframe],
) -> Scene:
    scene = {key: value for key, value in migrated(fields, version).items() if key not in HEADER}
    context = {"pictures": pictures, "wireframes": wireframes}
    loaded = Scene.model_validate(scene, context=context)
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
    "VERSION",
    "load_scene",
    "read_pictures_of",
    "read_thumbnail",
    "save_scene",
    "scene_bytes",
    "scene_from_json",
    "wireframes_of",
]
