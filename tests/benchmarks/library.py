"""A large library, listed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from neural_assets_core.library import Library, object_asset
from neural_assets_core.scene import Scene
from tests.benchmarks.timing import Row

FOLDERS = 20


def list_library(folder: Path, scene: Scene, count: int = 5000) -> list[Row]:
    """List `count` assets in sub-folders: never seen before, then again; then search them.

    `folder` is empty; the cache of labels is put into it too.
    """
    outside = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        library = _filled(Library(folder / "library"), scene, count)
        shown, first = _first(library)
        again = [_timed(library) for _ in range(5)]
        entries = library.entries()
    finally:
        if outside is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = outside
    searches = []
    for text in ("a", "asset 17", "shelf-3 box", "nothing"):
        start = time.perf_counter()
        [entry for entry in entries if entry.matches(text)]
        searches.append(time.perf_counter() - start)
    return [
        Row.of(f"listing {count} assets, until some are shown", [shown]),
        Row.of(f"listing {count} assets, first time", [first]),
        Row.of(f"listing {count} assets, again", again),
        Row.of(f"searching {count} assets", searches),
    ]


def _filled(library: Library, scene: Scene, count: int) -> Library:
    name = scene.objects[0].name
    made = library.add(object_asset(scene, name, source="benchmark", tags=("made", "box")))
    for number in range(FOLDERS):
        (library.root / f"shelf-{number}").mkdir()
    for number in range(count):
        place = library.root / f"shelf-{number % FOLDERS}" / f"asset {number}{made.suffix}"
        shutil.copyfile(made, place)
    made.unlink()
    return library


def _first(library: Library) -> tuple[float, float]:
    """Seconds until the first entries are told, and until all are."""
    start, told = time.perf_counter(), []
    library.entries(lambda entries: told.append(time.perf_counter()))
    end = time.perf_counter()
    return (told or [end])[0] - start, end - start


def _timed(library: Library) -> float:
    start = time.perf_counter()
    library.entries()
    return time.perf_counter() - start
