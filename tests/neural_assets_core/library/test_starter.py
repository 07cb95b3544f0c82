"""The library that ships, and the command that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from neural_assets_core.data.families import SEEN
from neural_assets_core.library import STARTER, Library, Placed, composed, starter
from neural_assets_core.proxy import check_boxes


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_ships() -> None:
    library = Library(STARTER)
    entries = library.entries()
    objects = [entry for entry in entries if entry.kind == "object"]
    assert len(objects) == 24
    assert len(entries) - len(objects) == 6
    assert sum(entry.path.stat().st_size for entry in entries) < 3 * 2**20
    assert {entry.category for entry in objects} <= set(SEEN)
    assets = [library.load(entry.path) for entry in entries]
    place = next(asset.surroundings() for asset in assets if asset.kind == "background")
    for asset in assets:
        if asset.kind == "object":
            check_boxes(composed(place, [Placed(asset)]))


def test_the_command_makes_the_same_files_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter, "OBJECTS", {"toys": ("duck",)})
    monkeypatch.setattr(starter, "BACKGROUNDS", {"tiles": 3})
    monkeypatch.setattr(starter, "OBJECT_SIZE", 64)
    monkeypatch.setattr(starter, "BACKGROUND_SIZE", 48)
    paths = starter.write_starter_library(tmp_path / "library")
    before = [path.read_bytes() for path in paths]
    assert [path.name for path in paths] == ["duck.naasset", "tiles.naasset"]
    assert starter.write_starter_library(tmp_path / "library") == paths
    assert [path.read_bytes() for path in paths] == before
    duck = Library(tmp_path / "library").load(paths[0])
    assert (duck.category, duck.provenance.licence) == ("duck", starter.LICENCE)
