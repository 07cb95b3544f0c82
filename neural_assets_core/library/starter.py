"""The library that ships: `python -m neural_assets_core.library.starter --out DIR`.

Objects and places are rendered from the held-out stream with a seed that no training or
evaluation data uses, so no checkpoint has seen them. The same command makes the same files.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from neural_assets_core.data.frames import frame_view, scene_from_frame
from neural_assets_core.data.made import render_frames
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, compose
from neural_assets_core.library.asset import Asset, background_asset, object_asset
from neural_assets_core.library.folder import Library
from neural_assets_core.scene import scene_from_view

SEED = 779
OBJECT_SIZE = 384
BACKGROUND_SIZE = 288
LICENCE = "CC0-1.0: made by this program, free for any use"
DATE = "2026-01-01"
"""A fixed day: the same command makes the same files."""

OBJECTS = {
    "vehicles": ("car", "truck", "tractor", "aeroplane", "boat", "helicopter"),
    "home": ("chair", "lamp", "mug", "teapot", "suitcase", "radio", "plant"),
    "toys": ("robot", "duck", "elephant", "turtle", "train", "drum"),
    "things": ("guitar", "backpack", "camera", "trophy", "birdhouse"),
}
"""Families by folder, one instance of each."""

BACKGROUNDS = {"paving": 0, "concrete": 1, "decking": 2, "tiles": 3, "lawn": 4, "marble": 5}
"""Name and number of the place."""


def write_starter_library(out: Path) -> list[Path]:
    """Render all assets into the folder `out`, in place of those that are there.

    Raises
    ------
    UserError
        If a file cannot be written.
    """
    library, paths = Library(out), []
    for folder, families in OBJECTS.items():
        for family in families:
            paths.append(_written(library, _object(family), folder))
    for name, number in BACKGROUNDS.items():
        paths.append(_written(library, _background(name, number), "backgrounds"))
    return paths


def _written(library: Library, asset: Asset, folder: str) -> Path:
    provenance = asset.provenance.model_copy(update={"date": DATE})
    (library.root / folder / f"{asset.name}.naasset").unlink(missing_ok=True)
    return library.add(asset.with_label(provenance=provenance, tags=("made",)), folder)


def _object(family: str) -> Asset:
    """One object alone in its picture."""
    # A number from the name: another choice of families leaves the others as they are.
    number = int.from_bytes(family.encode(), "little") % 2**31
    plans = (_plan((number, attempt), (family,)) for attempt in count(1))
    alone = next(plan for plan in plans if len(plan.objects) == 1 and _shows_its_front(plan))
    scene = scene_from_frame(render_frames(alone, [0], OBJECT_SIZE, fine=True)[0])
    return object_asset(scene, scene.objects[0].name, source="starter", licence=LICENCE)


def _shows_its_front(plan: ClipPlan) -> bool:
    """Whether the object is seen from the front and from a side."""
    ahead, aside, _ = plan.box(0, 0).rotation_matrix().T @ plan.cameras[0].position
    return math.radians(20) < math.atan2(abs(aside), ahead) < math.radians(65)


def _background(name: str, number: int) -> Asset:
    """A place with nothing in it."""
    plan = _plan((number, 1), ("chair",))
    empty = replace(
        plan, objects=(), names=(), positions=plan.positions[:, :0], rotations=plan.rotations[:, :0]
    )
    view = frame_view(render_frames(empty, [0], BACKGROUND_SIZE, fine=True)[0])
    return background_asset(scene_from_view(view, ()), name, source="starter", licence=LICENCE)


def _plan(words: tuple[int, int], families: tuple[str, ...]) -> ClipPlan:
    stream = np.random.SeedSequence((SEED, SPLITS["heldout"], *words))
    return compose(stream, "heldout", "starter", 1, families, piled=0.0)


def main(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The library's folder.")],
) -> None:
    """Render the starter library."""
    for path in write_starter_library(out):
        typer.echo(f"{path}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    typer.run(main)
