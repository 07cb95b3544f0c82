"""The scene document's JSON schema, for other programs."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from neural_assets_core.resources import ROOT
from neural_assets_core.scene.schema import scene_schema

FILE = ROOT / "formats" / "scene.schema.json"


def test_the_documentation_is_current() -> None:
    written = FILE.read_text(encoding="utf-8")
    command = "neural-assets schema --out resources/formats/scene.schema.json"
    assert written == scene_schema(), f"write it again: {command}"


def test_a_saved_scene_has_what_it_describes(scene_file: Path) -> None:
    with zipfile.ZipFile(scene_file) as archive:
        fields = json.loads(archive.read("scene.json"))
    check(json.loads(scene_schema()), fields)


def check(schema: dict[str, Any], fields: dict[str, Any]) -> None:
    """Names, required fields, constants and patterns at the top, and of every object in it."""
    assert fields.keys() == schema["properties"].keys()
    assert set(schema["required"]) <= fields.keys()
    assert fields["format"] == schema["properties"]["format"]["const"]
    assert re.search(schema["properties"]["version"]["pattern"], fields["version"])
    for item in fields["objects"]:
        described = schema["$defs"]["SceneObject"]
        assert item.keys() == described["properties"].keys()
        looks = schema["$defs"]["Appearance"]["properties"]
        assert item["appearance"].keys() == looks.keys()
    picture = schema["$defs"]["View"]["properties"]["picture"]
    told = fields["background"]["view"]["picture"]
    assert told.keys() == picture["properties"].keys()
    assert re.search(picture["properties"]["sha256"]["pattern"], told["sha256"])
