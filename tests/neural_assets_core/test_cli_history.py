"""What the studio has kept, from the command line; and scenes back out of pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neural_assets_core.decoders import Generation
from neural_assets_core.export import export_png
from neural_assets_core.history import Entry, user_history
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.neural_assets_core.test_cli import done, refused


@pytest.fixture
def file(scene: Scene, tmp_path: Path) -> Path:
    path = tmp_path / "s.nascene"
    save_scene(scene, path)
    return path


@pytest.fixture
def edited(scene: Scene) -> Scene:
    return scene.without("box 1").with_settings(seed=3)


@pytest.fixture
def entry(edited: Scene) -> Entry:
    """A result in the user's history."""
    return user_history().add(Generation(edited, edited.background.view.picture, 0.1))


def listed(file: Path) -> list[dict]:
    return json.loads(done("history", "list", file, "--json"))


def test_results_are_listed_marked_and_deleted(file: Path, entry: Entry) -> None:
    assert [(r["path"], r["seed"]) for r in listed(file)] == [(str(entry.path), 3)]
    done("history", "mark", entry.path, "--name", "the good one", "--star")
    done("history", "mark", entry.path, "--name", "the best one")
    (report,) = listed(file)
    assert (report["name"], report["starred"]) == ("the best one", True)
    assert "* " in done("history", "list", file)
    done("history", "delete", entry.path)
    assert listed(file) == []
    done("history", "undelete", entry.path)
    assert listed(file) == [report]
    assert "not deleted" in refused("history", "undelete", entry.path)
    assert "Nothing to do" in refused("history", "mark", entry.path)
    assert "no result" in refused("history", "delete", file.with_name("x.png"))
    # A file that is there, but not the history's.
    own = file.with_name("holiday.png")
    own.write_bytes(entry.path.read_bytes())
    for change in (["delete"], ["mark", "--star"]):
        assert "no result" in refused("history", change[0], own, *change[1:])
    assert own.is_file()


def test_a_result_gives_its_scene_back(edited: Scene, entry: Entry, tmp_path: Path) -> None:
    out = tmp_path / "back.nascene"
    done("restore", entry.path, "--out", out)
    assert load_scene(out) == edited


def test_an_exported_picture_gives_its_scene_back(
    edited: Scene, file: Path, tmp_path: Path
) -> None:
    apart = tmp_path / "apart"
    apart.mkdir()
    export_png(edited.background.view.picture, edited, apart / "a.png")
    out = apart / "back.nascene"
    assert "neither in the history" in refused("restore", apart / "a.png", "--out", out)
    done("restore", apart / "a.png", "--from", file, "--out", out)
    assert load_scene(out) == edited
    assert "does not say" in refused("restore", file, "--out", out)
    assert "no file" in refused("restore", apart / "b.png", "--out", out)


def test_edits_that_the_window_has_too(file: Path, scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"

    def edit(*options: str) -> Scene:
        done("edit", file, "--object", "box 1", *options, "--out", out)
        return load_scene(out)

    old = scene.object("box 1").box
    dropped = edit("--translate", "0", "0", "0.7", "--drop").object("box 1").box
    assert dropped.base_center()[2] == pytest.approx(0, abs=1e-9)
    assert [item.name for item in edit("--rename", "car").objects] == ["car", "box 2"]
    resized = edit("--size", "0.1", "0.2", "0.3").object("box 1").box
    assert resized.size == (0.1, 0.2, 0.3)
    assert resized.base_center() == pytest.approx(old.base_center())
    fitted = edit("--scale", "1.1", "--fit")
    assert fitted.object("box 1").appearance.box == fitted.object("box 1").box != old
    assert fitted.background.occluders[0].box == fitted.object("box 1").box
    save_scene(scene.with_box("box 1", old.translated((0.1, 0, 0))), file)
    assert edit("--put-back").object("box 1").box == old
    told = refused("edit", file, "--object", "box 1", "--fit", "--out", out)
    assert "--fit needs a move" in told
    told = refused("edit", file, "--object", "box 1", "--rename", "", "--out", out)
    assert "cannot be called so" in told
    assert "impossible" in refused(
        "edit", file, "--object", "box 1", "--size", "0", "1", "1", "--out", out
    )
