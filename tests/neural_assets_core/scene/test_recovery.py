"""Unsaved work that outlives the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene, save_scene
from neural_assets_core.scene.recovery import (
    FIELD,
    Sidecar,
    autosave_folder,
    claim_abandoned,
)

ROOT = Path(__file__).parents[3]


def crash(sidecar: Sidecar) -> None:
    """What the system does when a process ends: it lets go of the lock, and of nothing else."""
    sidecar._lock.release()


def test_of_a_living_window_nothing_is_offered(small_scene: Scene, tmp_path: Path) -> None:
    mine, other = Sidecar(tmp_path / "kept"), Sidecar(tmp_path / "kept")
    mine.write(small_scene, None)
    other.write(small_scene, None)
    assert claim_abandoned(tmp_path / "kept") == []
    mine.remove()
    assert other.path.exists()
    other.remove()
    assert list((tmp_path / "kept").iterdir()) == []


def test_after_a_crash_it_is_offered_once(small_scene: Scene, tmp_path: Path) -> None:
    sidecar = Sidecar()
    edited = small_scene.without("mug")
    sidecar.write(edited, tmp_path / "kitchen.nascene")
    assert sidecar.path.parent == autosave_folder()
    assert sidecar.path.parent.stat().st_mode & 0o077 == 0
    crash(sidecar)
    (left,) = claim_abandoned()
    assert left.file == tmp_path / "kitchen.nascene"
    assert left.scene() == edited
    # As long as one window asks the user about it, others do not.
    assert claim_abandoned() == []
    left.release()
    (left,) = claim_abandoned()
    left.discard()
    assert claim_abandoned() == []
    assert list(autosave_folder().iterdir()) == []


def test_a_scene_that_was_never_saved(small_scene: Scene, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path)
    sidecar.write(small_scene, None)
    crash(sidecar)
    (left,) = claim_abandoned(tmp_path)
    assert left.file is None
    assert left.scene() == small_scene
    left.release()


def test_what_was_saved_after_all_is_not_offered(scene_file: Path, small_scene: Scene) -> None:
    sidecar = Sidecar()
    edited = small_scene.without("mug")
    sidecar.write(edited, scene_file)
    save_scene(edited, scene_file)
    crash(sidecar)
    assert claim_abandoned() == []
    assert not sidecar.path.exists()


def test_what_is_damaged_is_left_alone(small_scene: Scene, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path)
    sidecar.write(small_scene, None)
    crash(sidecar)
    sidecar.path.write_bytes(sidecar.path.read_bytes()[:300])
    assert claim_abandoned(tmp_path) == []
    assert sidecar.path.exists()


def test_locks_without_a_sidecar_are_tidied_away(small_scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "0123.lock").touch()
    mine = Sidecar(tmp_path)
    mine.write(small_scene, None)
    claim_abandoned(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".nascene"]
    mine.remove()


def test_a_folder_that_cannot_be_written(small_scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be kept .* save the scene yourself"):
        Sidecar(tmp_path / "file").write(small_scene, None)


def test_the_field_is_the_sidecar_s_alone(small_scene: Scene, tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path)
    noted = small_scene.with_extra("x_note", "mine")
    sidecar.write(noted, None)
    crash(sidecar)
    (left,) = claim_abandoned(tmp_path)
    recovered = left.scene()
    assert recovered == noted
    assert FIELD not in (recovered.model_extra or {})
    left.release()


def test_killed_while_saving(tmp_path: Path) -> None:
    """The same at ten random moments; two hundred are for `python -m tests.kill_saving`."""
    # In a process of its own: it forks.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kill_saving", "--rounds", "10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "10 kills" in ended.stdout
