"""Listing a library's folder fast: labels of unchanged files are remembered.

What is remembered lies in the system's folder for caches, by path, time and size of each file.
It is never trusted beyond that, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.library.files import ASSET_SUFFIX, read_summary

MAXIMUM_DEPTH = 16
"""Folders within folders that are looked into."""

CACHE_VERSION = 1

_Known = dict[str, tuple[int, int, dict[str, Any]]]


@dataclass(frozen=True)
class Entry:
    """One line of the list.

    Attributes
    ----------
    path : Path
    folder : str
        Relative to the library, with "/"; "" for the library itself.
    name : str
    kind : str
        "object", "background", or "damaged".
    category : str
    tags : tuple of str
    size : tuple of 3 floats or None
        An object's extents in metres.
    scene, licence, date : str
        See `Provenance`.
    encoder : str
        Whose tokens it holds; empty if none.
    changed : int
        When the file was written, nanoseconds since 1970.
    fault : str
        Why it cannot be used; empty for a sound asset.
    """

    path: Path
    folder: str
    name: str
    kind: str
    category: str = ""
    tags: tuple[str, ...] = ()
    size: tuple[float, float, float] | None = None
    scene: str = ""
    licence: str = ""
    date: str = ""
    encoder: str = ""
    changed: int = 0
    fault: str = ""

    def matches(self, text: str) -> bool:
        """Whether name, category, folder or a tag contains every word of `text`."""
        told = " ".join((self.name, self.category, self.folder, *self.tags)).casefold()
        return all(word in told for word in text.casefold().split())


def list_entries(root: Path) -> list[Entry]:
    """All asset files under `root`, by folder and name; none if there is no such folder.

    Hidden files and folders and links are left out, damaged files are named with their fault.
    """
    cache = _cache_file(root)
    known = _remembered(cache)
    fresh: _Known = {}
    entries = []
    for relative, path, changed, size in _files(root):
        kept = known.get(relative)
        if kept is None or kept[:2] != (changed, size):
            kept = (changed, size, _described(path))
        fresh[relative] = kept
        folder, _, file = relative.rpartition("/")
        name = file.removesuffix(ASSET_SUFFIX)
        entries.append(Entry(path=path, folder=folder, name=name, changed=changed, **kept[2]))
    if fresh != known:
        _remember(cache, fresh)
    return sorted(entries, key=lambda entry: (entry.folder.casefold(), entry.name.casefold()))


def _files(root: Path) -> Iterator[tuple[str, Path, int, int]]:
    """Relative path with "/", path, time and size of every asset file."""
    waiting = [(str(root), "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        try:
            with os.scandir(folder) as found:
                items = list(found)
        except OSError:
            continue
        for item in items:
            if item.name.startswith("."):
                continue
            with suppress(OSError):
                if item.is_dir(follow_symlinks=False) and depth < MAXIMUM_DEPTH:
                    waiting.append((item.path, f"{prefix}{item.name}/", depth + 1))
                elif item.name.endswith(ASSET_SUFFIX) and item.is_file(follow_symlinks=False):
                    state = item.stat(follow_symlinks=False)
                    # An empty file is a name that is being taken right now.
                    if state.st_size > 0:
                        relative = prefix + item.name
                        yield relative, Path(item.path), state.st_mtime_ns, state.st_size


def _described(path: Path) -> dict[str, Any]:
    """The fields of an entry that come from the file's content."""
    try:
        summary = read_summary(path)
    except UserError as error:
        return {"kind": "damaged", "fault": str(error)}
    label = summary.label
    return {
        "kind": summary.kind,
        "category": label.category,
        "tags": label.tags,
        "size": summary.size,
        "scene": label.provenance.scene,
        "licence": label.provenance.licence,
        "date": label.provenance.date,
        "encoder": label.encoder,
    }


# -- the cache ---------------------------------------------------------------------------------


def _cache_file(root: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:24]
    return user_cache_path("Neural Assets Studio", appauthor=False) / "library" / f"{name}.json"


def _remembered(cache: Path) -> _Known:
    try:
        stored = json.loads(cache.read_bytes())
        if stored["version"] != CACHE_VERSION:
            return {}
        return {
            relative: (int(changed), int(size), _checked(fields))
            for relative, (changed, size, fields) in stored["files"].items()
        }
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}


_CONTENT = frozenset(Entry.__dataclass_fields__) - {"path", "folder", "name", "changed"}


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    if "kind" not in fields or not fields.keys() <= _CONTENT:
        raise ValueError("written by another version")
    for key in ("tags", "size"):
        if fields.get(key) is not None:
            fields[key] = tuple(fields[key])
    return fields


def _remember(cache: Path, known: _Known) -> None:
    data = json.dumps({"version": CACHE_VERSION, "files": known}, separators=(",", ":"))
    # Without a cache everything works, only slower.
    with suppress(OSError, UserError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cache, data.encode())
