"""Kill a process while it saves and autosaves: `python -m tests.kill_saving --rounds 200`.

A child process saves ever newer scenes, to one file and to a sidecar in turn, and tells after each
that it is done. It is killed at a random moment. The scene on disk must then be the last one that
was told or the one under way, whole, and nothing else may be left but the backup and temporary
files. What counts as newer is the scene's seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    load_scene,
    save_scene,
    scene_from_view,
)
from neural_assets_core.scene.recovery import FIELD, Sidecar, claim_abandoned

LONGEST = 0.3
"""Seconds from the first saving to the latest killing."""


def make_scene(width: int, height: int) -> Scene:
    """A box before noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    camera = Camera.looking_at((2.0, -3.0, 1.5), (0.0, 0.0, 0.3), width, height, 0.9)
    view = View(picture=Picture(pixels), camera=camera)
    box = Box(center=(0.0, 0.0, 0.3), size=(0.5, 0.5, 0.6))
    return scene_from_view(
        view, (SceneObject(name="box", box=box, appearance=Appearance(view=view, box=box)),)
    )


def keep_saving(scene: Scene, folder: Path, told: Connection) -> None:
    """What the child does until it is killed."""
    sidecar = Sidecar(folder / "autosave")
    seed = 0
    while True:
        seed += 1
        save_scene(scene.with_settings(seed=seed), folder / "scene.nascene")
        sidecar.write(scene.with_settings(seed=seed), folder / "scene.nascene")
        told.send(seed)


def run_round(scene: Scene, folder: Path, chance: random.Random) -> tuple[int, str]:
    """Start, kill, check; how many savings were finished, and what was found on disk.

    Raises
    ------
    AssertionError
        If a scene is lost or damaged.
    """
    file = folder / "scene.nascene"
    save_scene(scene, file)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=keep_saving, args=(scene, folder, there))
    child.start()
    there.close()
    time.sleep(chance.uniform(0, LONGEST))
    child.kill()
    child.join()
    last = 0
    try:
        while here.poll():
            last = here.recv()
    except EOFError:
        pass
    here.close()
    found = load_scene(file)
    seed = found.settings.seed
    assert seed in (last, last + 1), f"seed {seed} on disk after {last}"
    assert found == scene.with_settings(seed=seed)
    backup = file.with_name(file.name + "~")
    if backup.exists():
        before = load_scene(backup)
        assert before.settings.seed in (seed - 1, seed)
        assert before == scene.with_settings(seed=before.settings.seed)
    _check_sidecar(scene, folder / "autosave", last, seed)
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    known = {"scene.nascene", "scene.nascene~"}
    strange = [n for n in left if n not in known and not n.endswith((".tmp", ".lock"))]
    assert len(strange) <= 1, strange
    return last, "new" if seed > last else "old"


def _check_sidecar(scene: Scene, folder: Path, last: int, saved: int) -> None:
    """It is there, whole and free to be claimed, unless its scene is the file's own by now."""
    sidecars = list(folder.glob("*.nascene"))
    if not sidecars:
        assert last == 0
        return
    kept = load_scene(sidecars[0]).with_extra(FIELD, None)
    assert kept.settings.seed in (last, last + 1)
    assert kept == scene.with_settings(seed=kept.settings.seed)
    claimed = claim_abandoned(folder)
    if kept.settings.seed == saved:
        assert claimed == []
    else:
        assert claimed[0].scene() == kept
        claimed[0].discard()
    assert list(folder.iterdir()) == [path for path in folder.iterdir() if path.suffix == ".tmp"]


def main() -> None:
    """Print how often the old and the new scene were found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    # Some hundred kilobytes: writing takes its time.
    scene = make_scene(400, 300)
    outcomes: Counter[str] = Counter()
    savings = 0
    for _ in range(arguments.rounds):
        folder = Path(tempfile.mkdtemp())
        done, outcome = run_round(scene, folder, chance)
        savings += done
        outcomes[outcome] += 1
        # Only then: what a failed round has left is to be looked at.
        shutil.rmtree(folder)
    print(
        f"{arguments.rounds} kills during {savings} savings: the old scene {outcomes['old']} "
        f"times, the new one {outcomes['new']} times, never anything else"
    )


if __name__ == "__main__":
    main()
