"""Sample scenes like those that ship: `python -m neural_assets_core.data.sample_scenes --out DIR`.

They are rendered from the held-out stream with a seed that no training or evaluation data uses,
so neither their objects nor their places have been seen by a checkpoint. The five that ship with
the program were made so from the seeds of data set version 1; these are others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.data.frames import scene_from_frame
from neural_assets_core.data.made import render_made_frame
from neural_assets_core.scene import SCENE_SUFFIX, save_scene

SEED = 777
SIZE = 512
CLIPS = {
    "nursery": 46,  # robot, birdhouse
    "garage": 68,  # tractor, aeroplane
    "hallway": 91,  # suitcase, monitor, radio
    "playroom": 23,  # two cars, duck
    "garden": 31,  # plant, bottle, duck
}
"""Clip number of each scene, chosen by eye: everything well visible and room to move it."""


def write_sample_scenes(out: Path) -> list[Path]:
    """Render all sample scenes into the folder `out`; the same bytes on every run.

    Raises
    ------
    UserError
        If a file cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, clip in CLIPS.items():
        scene = scene_from_frame(render_made_frame(SEED, clip, 0, SIZE, "heldout"))
        path = out / f"{name}{SCENE_SUFFIX}"
        # Made anew, not edited: no backup of the last run is wanted beside it.
        path.unlink(missing_ok=True)
        save_scene(scene, path, thumbnail=scene.background.view.picture)
        paths.append(path)
    return paths


def main(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder.")],
) -> None:
    """Render the sample scenes."""
    for path in write_sample_scenes(out):
        typer.echo(f"{path}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    typer.run(main)
