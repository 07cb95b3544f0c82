"""Scenes as values: names, and fields that only the file carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from neural_assets_core.scene import Scene, load_scene, save_scene


def test_a_taken_name_gets_a_number(small_scene: Scene) -> None:
    assert small_scene.free_name("cup") == "cup"
    assert small_scene.free_name("mug") == "mug 2"
    assert small_scene.duplicated("mug").free_name("mug 2") == "mug 3"


def test_a_numbered_name_is_never_too_long(small_scene: Scene) -> None:
    long = small_scene.renamed("mug", "x" * 200)
    names = [item.name for item in long.duplicated("x" * 200).objects]
    assert names == ["x" * 200, "book", "x" * 198 + " 2"]


def test_an_extra_field_goes_through_edits_and_files(small_scene: Scene, tmp_path: Path) -> None:
    marked = small_scene.with_extra("notes", ["a"])
    assert marked != small_scene
    save_scene(marked.without("mug"), tmp_path / "a.nascene")
    loaded = load_scene(tmp_path / "a.nascene")
    assert loaded.model_extra == {"notes": ["a"]}
    assert loaded.with_extra("notes", None) == small_scene.without("mug")
    assert small_scene.with_extra("notes", None) is small_scene
    with pytest.raises(ValueError, match="own fields"):
        small_scene.with_extra("camera", None)


def test_a_mistyped_setting_is_told(scene: Scene) -> None:
    with pytest.raises(TypeError, match="'sede'"):
        scene.with_settings(sede=1)
