"""Many pictures from one list of jobs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.export import read_credentials, read_request
from neural_assets_core.export.batch import one_by_one, read_tasks, run_batch
from neural_assets_core.scene import Scene, save_scene
from tests.neural_assets_core.test_cli import done, refused

JOB = {
    "scene": ["a.nascene", "b.nascene"],
    "edits": {
        "left": [{"object": "box 1", "translate": [-0.1, 0, 0], "rotate_z": 20}],
        "gone": [{"object": "box 1", "remove": True}, {"object": "box 2", "scale": 1.2}],
    },
    "seed": [0, 7],
    "decoder": "proxy",
    "checkpoint": "nowhere",
    "out": "{scene}-{edit}-{seed}.png",
}


@pytest.fixture
def jobs(scene: Scene, tmp_path: Path) -> Path:
    save_scene(scene, tmp_path / "a.nascene")
    turned = scene.object("box 2").box.rotated((0, 0, 1), 0.5)
    save_scene(scene.with_box("box 2", turned), tmp_path / "b.nascene")
    path = tmp_path / "jobs.jsonl"
    # With the mark that some editors put first.
    path.write_text(json.dumps(JOB) + "\n\n", encoding="utf-8-sig")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.png"))


def test_every_edit_of_every_scene_with_every_seed(jobs: Path, tmp_path: Path) -> None:
    assert done("batch", jobs) == "8 made, 0 were there already\n"
    edits, seeds = ("gone", "left"), (0, 7)
    assert names(tmp_path) == [f"{s}-{e}-{n}.png" for s in "ab" for e in edits for n in seeds]
    assert '"seed":7' in read_request(tmp_path / "a-left-7.png")


def test_each_is_the_same_as_alone(jobs: Path, tmp_path: Path) -> None:
    done("batch", jobs)
    done("edit", tmp_path / "a.nascene", "--object", "box 1", "--translate", "-0.1", "0", "0",
         "--rotate-z", "20", "--out", tmp_path / "alone.nascene")  # fmt: skip
    alone = tmp_path / "alone" / "x.png"
    alone.parent.mkdir()
    done("render", tmp_path / "alone.nascene", "--out", alone, "--seed", "7",
         "--decoder", "proxy", "--checkpoint", "nowhere")  # fmt: skip
    assert alone.read_bytes() == (tmp_path / "a-left-7.png").read_bytes()


def test_what_is_there_is_not_made_again(jobs: Path, tmp_path: Path) -> None:
    done("batch", jobs)
    (tmp_path / "a-left-0.png").unlink()
    (tmp_path / "a-left-7.png").write_bytes(b"half")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "b-gone-0.png")
    assert done("batch", jobs) == "3 made, 5 were there already\n"


def test_one_decoder_for_all(jobs: Path) -> None:
    asked = []

    def decoder_of(scene: Scene) -> ProxyDecoder:
        asked.append(scene.settings.decoder)
        return ProxyDecoder()

    told = []
    report = run_batch(
        read_tasks(jobs), one_by_one(decoder_of), lambda *numbers: told.append(numbers)
    )
    assert report.made == 8
    assert asked == ["proxy"] * 8
    assert told == [(number, 8) for number in range(9)]


def test_a_fault_stops_only_its_own_picture(jobs: Path, tmp_path: Path) -> None:
    job = {**JOB, "edits": {**JOB["edits"], "wrong": [{"object": "mug", "remove": True}]}}
    jobs.write_text(json.dumps(job))
    told = refused("batch", jobs, "--quiet")
    assert "4 of 12 failed: a-wrong-0.png: There is no object called 'mug'" in told
    assert len(names(tmp_path)) == 8


def test_content_credentials(jobs: Path, tmp_path: Path) -> None:
    jobs.write_text(json.dumps({**JOB, "seed": 7, "scene": "a.nascene", "credentials": True}))
    assert done("batch", jobs) == "2 made, 0 were there already\n"
    assert read_credentials(tmp_path / "a-left-7.png").state == "Valid"
    assert done("batch", jobs) == "0 made, 2 were there already\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"credentials": True, "out": "{scene}-{edit}-{seed}.exr"}, "line 1: .*cannot carry"),
        ({"out": "x.png"}, "Two pictures would be"),
        ({"seed": []}, "line 1: seed: it is empty"),
        ({"out": "{scene}-{edit}-{seed}.bmp"}, "line 1: .*choose a name"),
        ({"colour": 1}, "line 1: colour"),
        ({"what": "all"}, "line 1: what"),
        ({"edits": {"a": [{"object": "box 1", "scale": -1}]}}, "line 1: edits"),
    ],
)
def test_wrong_lists_are_told_before_any_work(jobs, change, reason) -> None:
    jobs.write_text(json.dumps({**JOB, **change}))
    with pytest.raises(UserError, match=reason):
        read_tasks(jobs)
    jobs.write_text("\n")
    with pytest.raises(UserError, match="asks for no picture"):
        read_tasks(jobs)


def test_broken_json_names_its_line(jobs: Path) -> None:
    jobs.write_text(json.dumps(JOB) + "\n{\n")
    with pytest.raises(UserError, match="line 2"):
        read_tasks(jobs)
