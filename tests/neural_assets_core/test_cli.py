"""The command line on real files: what it prints, writes and returns."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from neural_assets_core import __version__
from neural_assets_core.cli import app, progress
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.resources import ROOT as RESOURCES
from neural_assets_core.scene import Scene, load_scene, save_scene

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

COMMANDS = [
    "info", "edit", "render", "studio", "dataset", "dataset make", "dataset show",
    "dataset check", "init", "train", "evaluate",
]  # fmt: skip


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def done(*arguments: str | Path) -> str:
    """The output of a command that must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str | Path) -> str:
    """The one sentence of a command that must fail on bad input."""
    result = run(*arguments)
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


# -- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_everywhere(command: str) -> None:
    assert "Usage" in done(*command.split(), "--help")


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from neural_assets_core.cli import app; "
        "app(['render', '--help'], standalone_mode=False); "
        "print(sorted({'torch', 'scipy', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.rstrip().endswith("[]")


def test_version() -> None:
    assert done("--version").strip() == f"neural-assets {__version__}"


# -- info ----------------------------------------------------------------------------------------


def test_info_shows_the_objects(scene_file: Path) -> None:
    text = done("info", scene_file)
    assert "64 x 48 pixels" in text
    assert "mug" in text
    assert "book" in text


def test_info_as_json(scene_file: Path, small_scene: Scene) -> None:
    report = json.loads(done("info", scene_file, "--json"))
    mug, book = report["objects"]
    assert (mug["name"], mug["category"]) == ("mug", "mug")
    assert mug["center"] == [0.1, 0.2, 0.3]
    assert mug["size"] == [0.3, 0.2, 0.6]
    assert mug["rotation"] == {"quaternion": [1, 0, 0, 0], "euler_degrees": [0, 0, 0]}
    assert tuple(book["rotation"]["quaternion"]) == small_scene.object("book").box.rotation
    assert book["rotation"]["euler_degrees"] == pytest.approx([0, 0, math.degrees(0.7)])
    assert report["picture"] == {"width": 64, "height": 48}
    assert np.shape(report["camera"]["world_to_camera"]) == (4, 4)
    assert report["settings"]["decoder"] == "neural"


def test_names_that_look_like_markup_and_long_ones(
    scene_file: Path, small_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    # Nor is a long one cut off in a file or a pipe.
    name = "[red]x[/]" + "y" * 150
    save_scene(small_scene.renamed("mug", name), scene_file)
    assert name in done("info", scene_file)


# -- edit ----------------------------------------------------------------------------------------


def test_edit_moves_turns_and_scales(scene_file: Path, small_scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    edit = ["--translate", "-0.25", "0.5", "0", "--rotate-z", "-30", "--scale", "1.5"]
    done("edit", scene_file, "--object", "mug", *edit, "--out", out)
    box = small_scene.object("mug").box
    moved = box.rotated((0, 0, 1), math.radians(-30)).scaled(1.5).translated((-0.25, 0.5, 0))
    assert load_scene(out) == small_scene.with_box("mug", moved)
    assert moved.base_center() == pytest.approx(box.base_center() + [-0.25, 0.5, 0])
    assert load_scene(scene_file) == small_scene


def test_edit_isolates(scene_file: Path, small_scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "alone.nascene"
    done("edit", scene_file, "--object", "mug", "--isolate", "--scale", "1.5", "--out", out)
    scene = load_scene(out)
    assert [item.name for item in scene.objects] == ["mug"]
    assert scene.background.occluders == ()
    assert scene.objects[0].box.size > small_scene.object("mug").box.size


def test_edit_removes_and_duplicates(scene_file: Path, small_scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    done("edit", scene_file, "--object", "mug", "--remove", "--out", out)
    assert load_scene(out) == small_scene.without("mug")
    copy = ["--duplicate", "cup", "--translate", "0.2", "0", "0"]
    done("edit", scene_file, "--object", "mug", *copy, "--out", out)
    scene = load_scene(out)
    assert [item.name for item in scene.objects] == ["mug", "book", "cup"]
    assert scene.object("mug") == small_scene.object("mug")
    assert scene.object("cup").box.center == (0.1 + 0.2, 0.2, 0.3)
    assert scene.object("cup").appearance == small_scene.object("mug").appearance


def test_edit_in_place_keeps_a_backup(scene_file: Path, small_scene: Scene) -> None:
    done("edit", scene_file, "--object", "mug", "--remove", "--out", scene_file)
    assert load_scene(scene_file.with_name("small.nascene~")) == small_scene


def test_the_camera_moves_and_comes_back(
    scene_file: Path, small_scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "new.nascene"
    done("camera", scene_file, "--move", "0.1", "0", "0.2", "--turn", "-3", "1", "0", "--out", out)
    moved = load_scene(out).camera
    assert moved.position - small_scene.camera.position == pytest.approx([0.1, 0.0, 0.2])
    angles = np.array(camera_angles(moved)) - camera_angles(small_scene.camera)
    assert angles == pytest.approx([-3.0, 1.0, 0.0], abs=1e-6)
    done("camera", out, "--reset", "--out", out)
    assert load_scene(out) == small_scene
    assert "Nothing to do" in refused("camera", scene_file, "--out", out)
    assert "finite" in refused("camera", scene_file, "--move", "nan", "0", "0", "--out", out)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (["--object", "cup", "--scale", "2"], "no object called 'cup'.*mug, book"),
        (["--object", "mug"], "Nothing to do"),
        (["--object", "mug", "--remove", "--scale", "2"], "cannot be combined"),
        (["--object", "mug", "--translate", "nan", "0", "0"], "finite"),
        (["--object", "mug", "--rotate-z", "inf"], "finite"),
        (["--object", "mug", "--scale", "0"], "greater than 0"),
        (["--object", "mug", "--scale", "-1"], "greater than 0"),
        (["--object", "mug", "--scale", "nan"], "finite"),
        (["--object", "mug", "--translate", "0", "-100", "0"], "'mug' reaches behind the camera"),
        (["--object", "mug", "--duplicate", "book"], "already an object called 'book'"),
        (["--object", "mug", "--duplicate", ""], "impossible: name"),
        (["--object", "mug", "--duplicate", "x" * 201], "impossible: name"),
    ],
)
def test_impossible_edits(
    scene_file: Path, small_scene: Scene, tmp_path: Path, edit: list[str], reason: str
) -> None:
    out = tmp_path / "new.nascene"
    assert re.search(reason, refused("edit", scene_file, *edit, "--out", out))
    assert not out.exists()
    assert load_scene(scene_file) == small_scene


# -- render --------------------------------------------------------------------------------------


def test_render_with_the_proxy(scene_file: Path, small_scene: Scene, tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    text = done("render", scene_file, "--decoder", "proxy", "--seed", "3", "--out", first)
    assert "64 x 48 pixels" in text
    assert done("render", scene_file, "--decoder", "proxy", "--seed", "3", "--out", second,
                "--quiet") == ""
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        image.load()
        assert image.size == (64, 48)
        request = json.loads(image.text["neural-assets-scene"])
    assert request["settings"]["seed"] == 3
    assert request["settings"]["decoder"] == "proxy"
    assert len(request["objects"]) == len(small_scene.objects)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--steps", "0"], "--steps: .*greater than or equal to 1"),
        (["--guidance", "nan"], "--guidance: .*finite"),
        (["--guidance", "1000"], "--guidance: "),
        (["--seed", "-1"], "--seed: "),
        (["--checkpoint", "/no/such/checkpoint"], "/no/such/checkpoint"),
    ],
)
def test_impossible_renders(
    scene_file: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    out = tmp_path / "a.png"
    assert re.search(reason, refused("render", scene_file, *options, "--out", out))
    assert not out.exists()


def test_render_of_a_box_behind_the_camera(
    scene_file: Path, small_scene: Scene, tmp_path: Path
) -> None:
    behind = small_scene.object("mug").box.translated((0, -100, 0))
    save_scene(small_scene.with_box("mug", behind), scene_file)
    text = refused("render", scene_file, "--decoder", "proxy", "--out", tmp_path / "a.png")
    assert "'mug' reaches behind the camera" in text


@pytest.mark.parametrize("damage", ["other shape", "truncated", "nonsense"])
def test_weights_that_do_not_match_their_config(
    scene_file: Path, tmp_path: Path, tiny_pipeline: DiffusionPipeline, damage: str
) -> None:
    folder = tmp_path / "checkpoint"
    tiny_pipeline.save_pretrained(folder)
    done("render", scene_file, "--checkpoint", folder, "--steps", "1", "--out", tmp_path / "a.png")
    weights = next((folder / "unet").glob("*.safetensors"))
    if damage == "other shape":
        config = json.loads((folder / "unet" / "config.json").read_text())
        config["block_out_channels"] = [16, 32]
        (folder / "unet" / "config.json").write_text(json.dumps(config))
    else:
        weights.write_bytes(weights.read_bytes()[:1000] if damage == "truncated" else b"{}")
    out = tmp_path / "b.png"
    for command in (["render", scene_file, "--out", out], ["evaluate"]):
        assert str(folder) in refused(*command, "--checkpoint", folder)
    assert not out.exists()


# -- files ---------------------------------------------------------------------------------------


def test_scene_files_that_cannot_be_read(scene_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    assert "no file" in refused("info", tmp_path / "missing.nascene")
    assert "not a file" in refused("info", tmp_path)
    scene_file.write_bytes(scene_file.read_bytes()[:-400])
    for command in (
        ["info"],
        ["edit", "--object", "mug", "--scale", "2", "--out", tmp_path / "b.nascene"],
        ["render", "--decoder", "proxy", "--out", out],
    ):
        assert "damaged" in refused(command[0], scene_file, *command[1:])
    Image.new("RGB", (4, 4)).save(out)
    assert "not a scene file" in refused("info", out)


def test_places_that_cannot_be_written(scene_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    edit = ["edit", scene_file, "--object", "mug", "--scale", "1.1", "--out"]
    render = ["render", scene_file, "--decoder", "proxy", "--out"]
    for folder in ("missing", "file"):
        assert "Cannot write" in refused(*edit, tmp_path / folder / "a.nascene")
        assert "Cannot write" in refused(*render, tmp_path / folder / "a.png")
    assert "must end in .nascene" in refused(*edit, tmp_path / "a.png")
    assert "must end in .png" in refused(*render, tmp_path / "a.jpg")
    (tmp_path / "folder.png").mkdir()
    assert "it is a folder" in refused(*render, tmp_path / "folder.png")


def test_a_checkpoint_that_would_not_be_used(small_scene: Scene, tmp_path: Path) -> None:
    save_scene(small_scene.with_decoder("proxy"), tmp_path / "a.nascene")
    trained = ["--checkpoint", "default", "--out", tmp_path / "a.png"]
    assert "add --decoder neural" in refused("render", tmp_path / "a.nascene", *trained)


def test_an_empty_out_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for out in (["--out", ""], ["--out="]):
        assert "--out is empty" in refused("dataset", "make", "--scenes", "1", *out)
    assert not list(tmp_path.iterdir())


def test_a_log_says_now_and_then_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with progress.progress_bar() as bar:
        task = bar.add_task("drawing", total=3)
        bar.advance(task)
        bar.update(task, completed=2)
    assert capsys.readouterr().err == "drawing: 1 of 3\ndrawing: 2 of 3\n"


def test_configurations_that_cannot_be_read(tmp_path: Path) -> None:
    assert "missing.toml" in refused("train", "--config", tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("= 5")
    assert "TOML" in refused("train", "--config", tmp_path / "bad.toml")


def test_nothing_is_made_in_the_place_of_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    footage = ["train", "--config", RESOURCES / "training" / "footage.toml"]
    assert "footage-data holds no data" in refused(*footage)
    made = ["train", "--config", RESOURCES / "training" / "two-cores.toml"]
    for command in (made, ["compare", "rivals"]):
        assert "mispelt holds no data" in refused(*command, "--data", "mispelt")
    assert not list(tmp_path.iterdir())


def test_dataset_make(tmp_path: Path) -> None:
    out = tmp_path / "made"
    clips = ["--scenes", "1", "--frames", "2", "--size", "32", "--workers", "1"]
    # A process of its own: the renderer does not share a thread with a window's context.
    result = program(
        "dataset", "make", "--out", out, *clips, "--seed", "5", "--split", "heldout", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "1 clips of 2 frames" in result.stdout
    assert any(out.iterdir())


# -- as a program --------------------------------------------------------------------------------


def program(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from neural_assets_core.cli import main; main()"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


def test_interrupting_ends_with_130(tmp_path: Path) -> None:
    out = tmp_path / "made"
    code = "from neural_assets_core.cli import main; main()"
    options = ["--out", str(out), "--scenes", "100000", "--size", "64", "--workers", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", code, "dataset", "make", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        # At work: a library that is being loaded may catch the interruption for itself.
        while not any(out.glob("clips/*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().endswith("Interrupted.")
    assert "Traceback" not in errors


def test_interrupting_a_library_that_is_being_loaded_ends_with_130_too(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import time\n"
        "try:\n"
        "    print('loading', flush=True)\n"
        "    time.sleep(60)\n"
        "except BaseException:\n"
        "    pass\n"
    )
    code = (
        "from neural_assets_core.cli import app, main\n"
        "app.command('load')(lambda: __import__('stubborn'))\n"
        "main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "load"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.getcwd()}"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "Interrupted.\n")


def test_exit_codes_of_the_program(scene_file: Path, tmp_path: Path) -> None:
    good = program("info", "small.nascene", "--json", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["objects"]
    bad = program("info", "missing.nascene", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "Error: There is no file missing.nascene: check the name.\n"
    usage = program("edit", "small.nascene", cwd=tmp_path)
    assert usage.returncode == 2
    assert "--object" in usage.stderr
    assert "Traceback" not in usage.stderr
    debug = program("--debug", "info", "missing.nascene", cwd=tmp_path)
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr
