"""`neural-assets dataset`: made data for training and evaluation."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar

app = typer.Typer(help="Make, show and check annotated training data.", no_args_is_help=True)


class Split(StrEnum):
    """Which seeds the scenes are drawn from; the two never meet."""

    train = "train"
    heldout = "heldout"


@app.callback()
def dataset() -> None:
    """Make, show and check annotated training data."""


@app.command("make")
def make(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The data set's folder.")],
    scenes: Annotated[int, typer.Option(metavar="N", min=1, help="Number of clips.")],
    frames: Annotated[int, typer.Option(metavar="F", min=1, help="Frames in a clip.")] = 8,
    size: Annotated[int, typer.Option(metavar="S", min=16, max=2048, help="Pixels a side.")] = 128,
    seed: Annotated[int, typer.Option(metavar="K", min=0, help="Same seed, same bytes.")] = 0,
    split: Annotated[Split, typer.Option(help="train, or unseen objects and scenes.")] = (
        Split.train
    ),
    meshes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Your own .glb, .gltf, .obj, .ply or .stl files as more kinds of objects "
            "(glTF, OBJ: y up, front +z; PLY, STL: z up, front +x).",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; as many as cores.")
    ] = None,
) -> None:
    """Render short annotated clips of moving objects; an interrupted run is continued."""
    # Before MuJoCo is imported anywhere: off-screen rendering without a display.
    os.environ.setdefault("MUJOCO_GL", "egl")
    from neural_assets_core.data.families import SEEN
    from neural_assets_core.data.families.meshes import find_meshes
    from neural_assets_core.data.made import make_dataset

    families = SEEN if meshes is None else (*SEEN, *find_meshes(meshes))
    processes = workers or os.cpu_count() or 1
    with progress_bar() as bar:
        task = bar.add_task("rendering", total=scenes)
        make_dataset(
            out,
            scenes,
            frames,
            size,
            seed,
            split.value,
            processes,
            lambda done, total: bar.update(task, completed=done, total=total),
            families,
        )
    typer.echo(f"{out}: {scenes} clips of {frames} frames, {size} x {size} pixels")
