"""`neural-assets dataset from-scenes`: one's own footage made training data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError


def from_scenes(
    frames: Annotated[
        Path, typer.Argument(metavar="FRAMES", help="A folder with the pictures of a clip.")
    ],
    scenes: Annotated[
        list[Path],
        typer.Argument(metavar="SCENE...", help="Scene files made of some of these pictures."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The data set; DIR-heldout is written, too."),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the clip; else the folder's.")
    ] = None,
) -> None:
    """Make training data of your own footage: boxes drawn in a few frames hold for all between.

    Every scene's photograph is one of the frames. Objects are the same by their names; all
    scenes must be of one world, so with a camera that stood still give the later ones the first
    one's camera (`neural-assets photo FRAME --camera-of FIRST.nascene`). What is written can be
    looked at (`dataset show`) and trained on (`train --data DIR`).
    """
    from neural_assets_core.data.footage import find_frames, keys_of, write_footage
    from neural_assets_core.scene import load_scene

    clip = name or frames.resolve().name
    if not clip.strip(".") or Path(clip).name != clip:
        raise UserError(f"--name cannot be {clip!r}: it becomes a folder's name.")
    pictures = find_frames(frames)
    keys = keys_of(pictures, {str(path): load_scene(path) for path in scenes})
    with progress_bar() as bar:
        task = bar.add_task("writing", total=None)
        trained, heldout = write_footage(
            pictures,
            keys,
            out,
            clip,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{out / clip}: {trained} frames to train on, {heldout} held out")
