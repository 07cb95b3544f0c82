"""Batches over several processes: Ray is started once, for everything that needs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psutil
import pytest

from neural_assets_core.cli.request import decoder_of
from neural_assets_core.export.batch import BatchReport, one_by_one, read_tasks, run_batch
from neural_assets_core.export.parallel import Workers
from neural_assets_core.preferences import Preferences
from neural_assets_core.scene import Scene, save_scene
from tests.neural_assets_core.test_cli import refused

JOB = {
    "scene": "s.nascene",
    "edits": {
        "left": [{"object": "box 1", "translate": [-0.1, 0, 0]}],
        "gone": [{"object": "box 1", "remove": True}],
        "wrong": [{"object": "box 1", "translate": [0, -9, 0]}],
    },
    "seed": [0, 1],
    "decoder": "proxy",
    "out": "{edit}-{seed}.png",
}


@pytest.fixture
def jobs(scene: Scene, tmp_path: Path):
    """Writes the same list into a new folder; its path."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        save_scene(scene, folder / "s.nascene")
        masks = {**JOB, "what": "masks", "edits": {"": []}, "seed": 0, "out": "m.png"}
        (folder / "jobs.jsonl").write_text(f"{json.dumps(JOB)}\n{json.dumps(masks)}\n")
        return folder / "jobs.jsonl"

    return make


def pictures(jobs: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in jobs.parent.glob("*.png")}


def test_workers_make_the_same_files(jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = jobs("here"), jobs("there")
    monkeypatch.setenv("HOME", str(here.parent))
    expected = run_batch(read_tasks(here), one_by_one(decoder_of))
    assert (expected.made, len(expected.faults)) == (5, 2)
    before = {process.pid for process in psutil.process_iter()}
    told: list[tuple[int, int]] = []
    with Workers(2, preferences=Preferences()) as workers:

        def run(list_: Path) -> BatchReport:
            return run_batch(read_tasks(list_), workers, lambda *numbers: told.append(numbers))

        report = run(there)
        assert (report.made, sorted(report.faults)) == (5, sorted(expected.faults))
        assert pictures(there) == pictures(here)
        assert told == [(number, 7) for number in range(8)]
        # Masks have no metadata to be known by.
        again = run(there)
        assert (again.made, again.kept) == (1, 4)
    # Nothing that was started is left, nor anything in the user's home.
    running = psutil.process_iter(["name"])
    started = [p for p in running if p.pid not in before and "ray" in (p.info["name"] or "")]
    # They have been told to go, and need a moment for it.
    _, left = psutil.wait_procs(started, timeout=30)
    assert left == []
    assert not (here.parent / ".ray").exists()


def test_what_is_missing_or_impossible_is_told(jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jobs("a")
    assert "takes HOST:PORT" in refused("batch", path, "--ray", "somewhere")
    assert "No Ray cluster answers" in refused("batch", path, "--ray", "127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "install it with `pip install ray`" in refused("batch", path, "--workers", "2")
    assert pictures(path) == {}
