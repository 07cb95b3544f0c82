"""Listing a library's folder fast: labels of unchanged files are remembered.

What is remembered lies in the system's folder for caches, by path, time and size of each file.
It is never trusted beyond that, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from neural_assets_core.errors import UserError
from neural_assets_core.library.files import ASSET_SUFFIX, read_summary

MAXIMUM_DEPTH = 16
"""Folders within folders that are looked into."""

TELL_S = 0.3

CACHE_VERSION = 2

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
    scene, image, licence, date : str
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
    image: str = ""
    licence: str = ""
    date: str = ""
    encoder: str = ""
    changed: int = 0
    fault: str = ""

    def matches(self, text: str) -> bool:
        """Whether name, category, folder or a tag contains every word of `text`."""
        told = " ".join((self.name, self.category, self.folder, *self.tags)).casefold()
        return all(word in told for word in text.casefold().split())


def list_entries(
    root: Path, tell: Callable[[list[Entry]], None] | None = None
) -> list[Entry]:
    """All asset files under `root`, by folder and name; none if there is no such folder.

    Hidden files and folders and links are left out, damaged files are named with their fault.

    Parameters
    ----------
    root : Path
    tell : callable, optional
        Gets what was found so far, every `TELL_S` seconds.
    """
    cache = _cache_file(root)
    known = _remembered(cache)
    fresh: _Known = {}
    entries: list[Entry] = []
    due = time.monotonic() + TELL_S
    for relative, path, changed, size in _files(root):
        kept = known.get(relative)
        if kept is None or kept[:2] != (changed, size):
            kept = (changed, size, _described(path))
        fresh[relative] = kept
        folder, _, file = relative.rpartition("/")
        name = file.removesuffix(ASSET_SUFFIX)
        entries.append(Entry(path=path, folder=folder, name=name, changed=changed, **kept[2]))
        if tell is not None and time.monotonic() > due:
            tell(_sorted(entries))
            due = time.monotonic() + TELL_S
    if fresh != known:
        _remember(cache, fresh)
    return _sorted(entries)


def _sorted(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.folder.casefold(), entry.name.casefold()))


def list_folders(root: Path) -> list[str]:
    """All folders under `root`, relative with "/", also empty ones; hidden ones are left out."""
    return sorted((prefix[:-1] for prefix, _ in _walk(root) if prefix), key=str.casefold)


def _walk(root: Path) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Every folder: its relative path with a "/" behind, and what it holds that is not hidden."""
    waiting = [(str(root), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as found:
                items = [item for item in found if not item.name.startswith(".")]
        except OSError:
            continue
        yield prefix, items
        if prefix.count("/") < MAXIMUM_DEPTH:
            for item in items:
                with suppress(OSError):
                    if item.is_dir(follow_symlinks=False):
                        waiting.append((item.path, f"{prefix}{item.name}/"))


def _files(root: Path) -> Iterator[tuple[str, Path, int, int]]:
    """Relative path with "/", path, time and size of every asset file."""
    for prefix, items in _walk(root):
        for item in items:
            with suppress(OSError):
                if item.name.endswith(ASSET_SUFFIX) and item.is_file(follow_symlinks=False):
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
        "image": label.provenance.image,
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
    with suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, but not waiting for the disk: after a power cut it is made anew.
        temporary = cache.with_suffix(f".{secrets.token_hex(4)}.tmp")
        temporary.write_text(data, encoding="utf-8")
        os.replace(temporary, cache)
