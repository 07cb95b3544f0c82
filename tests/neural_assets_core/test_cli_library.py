"""`neural-assets asset` and `background` on real files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from neural_assets_core.library import load_asset, replaced, transferred, with_surroundings
from neural_assets_core.scene import Scene, load_scene
from tests.neural_assets_core.test_cli import done, refused


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own folders are the test's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.mark.parametrize(
    "command",
    ["asset", "background"]
    + [f"asset {name}" for name in ("add", "list", "show", "export", "insert", "transfer")]
    + [f"asset {name}" for name in ("tag", "describe", "rename", "move", "remove", "restore")]
    + ["asset encode", "asset folder"]
    + [f"asset folder {name}" for name in ("list", "make", "move", "remove")]
    + [f"background {name}" for name in ("add", "list", "apply")],
)
def test_help(command: str) -> None:
    assert "Usage" in done(*command.split(), "--help")


def test_an_object_goes_from_scene_to_scene(
    scene_file: Path, small_scene: Scene, tmp_path: Path
) -> None:
    label = ["--tag", "cup", "--licence", "CC0", "--folder", "kitchen"]
    path = Path(done("asset", "add", scene_file, "--object", "mug", *label).strip())
    assert path.parent.name == "kitchen"
    listed = json.loads(done("asset", "list", "--search", "cup kitchen", "--json"))
    assert [(entry["name"], entry["licence"]) for entry in listed] == [("mug", "CC0")]
    assert "mug" in done("asset", "list", "--search", "cup kitchen")
    report = json.loads(done("asset", "show", "kitchen/mug", "--json"))
    assert report["size"] == [0.3, 0.2, 0.6]
    assert "CC0" in done("asset", "show", path)
    out = tmp_path / "new.nascene"
    place = ["--at", "0.5", "-0.25", "--turn", "90"]
    done("asset", "insert", scene_file, "kitchen/mug", *place, "--out", out)
    box = load_scene(out).object("mug 2").box
    assert box.base_center() == pytest.approx([0.5, -0.25, 0])
    assert box.yaw() == pytest.approx(math.pi / 2)
    done("asset", "insert", scene_file, path, "--replace", "book", "--out", out)
    assert load_scene(out) == replaced(small_scene, "book", load_asset(path))
    trashed = Path(done("asset", "remove", "kitchen/mug").strip())
    assert trashed.is_file()
    assert not path.exists()
    assert "no asset called 'kitchen/mug'" in refused("asset", "show", "kitchen/mug")
    assert Path(done("asset", "restore", trashed).strip()) == path
    assert path.exists()
    trashed = done("asset", "remove", "kitchen/mug").strip()
    assert done("asset", "empty-trash").startswith("Removed for good: 1 asset, ")
    assert "when the trash was emptied" in refused("asset", "restore", trashed)
    assert done("asset", "empty-trash") == "Removed for good: 0 assets, 0.0 MB.\n"


def test_tags_names_and_folders(scene_file: Path) -> None:
    done("asset", "add", scene_file, "--tag", "made")
    done("asset", "tag", "mug", "book", "--add", "blue", "--remove", "made")
    done("asset", "describe", "mug", "--licence", "CC0", "--category", "cup")
    assert done("asset", "folder", "make", "kitchen/cups").strip() == "kitchen/cups"
    moved = Path(done("asset", "move", "mug", "--to", "kitchen/cups").strip())
    assert Path(done("asset", "rename", moved, "tea").strip()).stem == "tea"
    assert done("asset", "folder", "move", "kitchen/cups", "tea").strip() == "tea"
    assert json.loads(done("asset", "folder", "list", "--json")) == ["kitchen", "tea"]
    listed = json.loads(done("asset", "list", "--search", "blue", "--json"))
    told = [(e["folder"], e["name"], e["category"], e["licence"], e["tags"]) for e in listed]
    assert told == [("", "book", "book", "", ["blue"]), ("tea", "tea", "cup", "CC0", ["blue"])]
    trashed = done("asset", "folder", "remove", "tea").strip()
    assert done("asset", "folder", "list").split() == ["kitchen"]
    assert Path(done("asset", "restore", trashed).strip()).name == "tea"
    assert "Say what" in refused("asset", "tag", "book")
    assert "needs a name" in refused("asset", "rename", "book", " ")
    assert "Say what" in refused("asset", "describe", "book")
    # Nothing is changed if one of the names is wrong.
    assert "no asset called" in refused("asset", "tag", "book", "nothing", "--add", "red")
    assert not json.loads(done("asset", "list", "--search", "red", "--json"))


def test_tokens_are_made_where_they_are_missing(
    scene_file: Path, tiny_pipeline, tmp_path: Path
) -> None:
    tiny = tmp_path / "tiny"
    tiny_pipeline.save_pretrained(str(tiny))
    path = done("asset", "add", scene_file, "--object", "mug").strip()
    assert done("asset", "encode", "--checkpoint", tiny) == f"{path}: encoded.\n"
    report = json.loads(done("asset", "show", path, "--json", "--checkpoint", tiny))
    assert report["tokens"]
    assert report["note"] == ""
    assert done("asset", "encode", "mug", "--checkpoint", tiny) == ""


def test_objects_are_transferred(
    scene_file: Path, small_scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "both.nascene"
    chosen = ["--object", "book", "--object", "mug"]
    done("asset", "transfer", scene_file, scene_file, *chosen, "--out", out)
    assert load_scene(out) == transferred(small_scene, small_scene, ["book", "mug"])
    said = refused("asset", "transfer", scene_file, scene_file, "--object", "tree", "--out", out)
    assert "no object called 'tree'" in said


def test_export(scene_file: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    done("asset", "add", scene_file, "--library", shelf)
    done("asset", "export", "book", "--out", tmp_path / "tome.naasset", "--library", shelf)
    done("asset", "export", "book", "--out", tmp_path / "book.png", "--library", shelf)
    assert load_asset(tmp_path / "tome.naasset").category == "book"
    assert Image.open(tmp_path / "book.png").mode == "RGB"
    done("asset", "add", tmp_path / "tome.naasset", "--library", shelf)
    names = [e["name"] for e in json.loads(done("asset", "list", "--json", "--library", shelf))]
    assert names == ["book", "mug", "tome"]
    assert "must end in" in refused(
        "asset", "export", "book", "--out", tmp_path / "a.gif", "--library", shelf
    )


def test_backgrounds(scene_file: Path, small_scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    done("background", "add", scene_file, "--name", "noise")
    listed = json.loads(done("background", "list", "--search", "noise", "--json"))
    assert listed[0]["kind"] == "background"
    done("background", "apply", scene_file, "noise", "--out", out)
    assert load_scene(out) == with_surroundings(small_scene, small_scene.background)
    done("background", "apply", scene_file, scene_file, "--out", out)
    assert load_scene(out) == small_scene


def test_mistakes(scene_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    done("asset", "add", scene_file)
    insert = ["asset", "insert", scene_file, "mug", "--out", out]
    assert "finite" in refused(*insert, "--at", "nan", "0")
    assert "--replace takes one" in refused(*insert, "--replace", "book", "--turn", "3")
    assert "behind the camera" in refused(*insert, "--at", "3", "-5")
    assert "no object called 'cup'" in refused(*insert, "--replace", "cup")
    assert "must end in .nascene" in refused(*insert[:-1], tmp_path / "a.png")
    assert "is an object" in refused("background", "apply", scene_file, "mug", "--out", out)
    assert "cannot be a folder" in refused("asset", "add", scene_file, "--folder", "../x")
    assert "tags of 1 to 60" in refused("asset", "add", scene_file, "--tag", "x" * 100)
    damaged = tmp_path / "bad.naasset"
    damaged.write_bytes(b"no zip")
    assert "damaged" in refused("asset", "insert", scene_file, damaged, "--out", out)
    assert not out.exists()
