"""Scenes as values: names."""

from __future__ import annotations

from neural_assets_core.scene import Scene


def test_a_taken_name_gets_a_number(small_scene: Scene) -> None:
    assert small_scene.free_name("cup") == "cup"
    assert small_scene.free_name("mug") == "mug 2"
    assert small_scene.duplicated("mug").free_name("mug 2") == "mug 3"


def test_a_numbered_name_is_never_too_long(small_scene: Scene) -> None:
    long = small_scene.renamed("mug", "x" * 200)
    names = [item.name for item in long.duplicated("x" * 200).objects]
    assert names == ["x" * 200, "book", "x" * 198 + " 2"]
