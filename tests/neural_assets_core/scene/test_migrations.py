"""Scene files of every version: each is kept here as that version wrote it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from neural_assets_core.scene import Scene, load_scene
from neural_assets_core.scene.migrations import FIRST, STEPS, VERSION, migrated

FILES = Path(__file__).parent / "versions"
VERSIONS = [FIRST, *STEPS]


def fields_of(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        fields: dict[str, Any] = json.loads(archive.read("scene.json"))
    return fields


def name(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)


def test_there_is_a_file_of_every_version() -> None:
    assert sorted(path.stem for path in FILES.glob("*.nascene")) == sorted(map(name, VERSIONS))
    assert sorted(VERSIONS) == VERSIONS
    assert VERSIONS[-1] == VERSION


@pytest.mark.parametrize("version", VERSIONS, ids=name)
def test_every_version_opens(version: tuple[int, int], small_scene: Scene) -> None:
    path = FILES / f"{name(version)}.nascene"
    assert fields_of(path)["version"] == name(version)
    assert load_scene(path) == small_scene


def test_what_came_later_gets_the_value_that_it_had_before() -> None:
    before = fields_of(FILES / "1.0.nascene")
    assert "keep_source" not in before["settings"]
    after = migrated(before, (1, 0))
    assert after["settings"] == {
        **before["settings"], "keep_source": True, "strength": 1.0, "prompt": "",
    }  # fmt: skip
    assert "keep_source" not in before["settings"]
    # Chosen before the version said so.
    chosen = {**before, "settings": {"keep_source": False}}
    assert migrated(chosen, (1, 0))["settings"]["keep_source"] is False
    assert migrated({"settings": {"prompt": "a cup"}}, (1, 1))["settings"] == {
        "prompt": "a cup", "strength": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("version", [VERSION, (1, 9)])
def test_newer_ones_stay_as_they_are(version: tuple[int, int]) -> None:
    fields = {"settings": {"x_new": 1}}
    assert migrated(fields, version) is fields


@pytest.mark.parametrize("settings", [None, [], "x", 5])
def test_fields_are_not_checked_yet(settings: object) -> None:
    assert migrated({"settings": settings}, FIRST) == {"settings": settings}


def test_keyframes_from_before_they_were_checked_are_played_as_they_were() -> None:
    tracks = [{"object": "mug", "keyframes": [{"time": 1.0}]}]
    after = migrated({"animation": {"tracks": tracks}}, (1, 2))["animation"]
    assert after == {"tracks": tracks, "time": 0.0, "duration": None, "fps": 25.0, "loop": True}
    # What says how it is played has been written by this version: scenes in pictures.
    assert migrated({"animation": {"fps": 12.0}}, FIRST)["animation"]["fps"] == 12.0
    assert migrated({"animation": 5}, FIRST)["animation"] == 5
