"""`neural-assets dataset show` and `check`: a look at any data set that can be trained on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError

FAULTY_STATUS = 1

DataPath = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="Made data, MOVi shards, Objectron, Waymo Open v2, OBJect, or clip.json folders.",
    ),
]


class Part(StrEnum):
    """Which clips."""

    train = "train"
    heldout = "heldout"


def show(
    path: DataPath,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.png", help="Default: PATH's name in this folder."),
    ] = None,
    split: Annotated[Part, typer.Option(help="Clips to train on, or held-out ones.")] = Part.train,
    clips: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Rows, one a clip.")] = 6,
    frames: Annotated[int, typer.Option(metavar="N", min=1, max=24, help="Columns.")] = 4,
    window: Annotated[
        bool, typer.Option("--window", help="Open the sheet in the system's picture viewer.")
    ] = False,
) -> None:
    """Draw a sheet of frames with their boxes."""
    from PIL import Image

    from neural_assets_core.data.contact_sheet import contact_sheet
    from neural_assets_core.data.readers import FORMATS, find_format, open_clips

    opened = open_clips(path, split.value)
    file = out or Path(f"{path.resolve().name}-{split.value}.png")
    sheet = contact_sheet(opened, clips, frames)
    try:
        Image.fromarray(sheet).save(file)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be written ({error}): choose another --out.") from None
    typer.echo(f"{file}: {FORMATS[find_format(path) or '']}, clips: {len(opened)}")
    if window and typer.launch(str(file)) != 0:
        raise UserError(f"No picture viewer could be started: open {file} yourself.")


def check(
    path: DataPath,
    split: Annotated[Part, typer.Option(help="Clips to train on, or held-out ones.")] = Part.train,
    clips: Annotated[
        int, typer.Option(metavar="N", min=1, help="Look at so many, spread over all.")
    ] = 50,
    frames: Annotated[
        int, typer.Option(metavar="N", min=1, help="Look at so many of each clip.")
    ] = 8,
) -> None:
    """Say what is wrong with a data set; exit with 1 if something is."""
    from neural_assets_core.data.faults import find_faults
    from neural_assets_core.data.readers import FORMATS, find_format, open_clips

    opened = open_clips(path, split.value)
    with progress_bar() as bar:
        task = bar.add_task("checking", total=None)
        found = find_faults(
            opened, clips, frames, lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(
        f"{path}: {FORMATS[find_format(path) or '']}, clips: {len(opened)}; looked at: "
        f"{found.clips} clips, {found.frames} frames, {found.objects} boxes"
    )
    for fault in found.faults.values():
        times = "" if fault.count == 1 else f"{fault.count} times, first in "
        typer.echo(f"  {fault.what} ({times}{fault.where})")
    if found.faults:
        raise typer.Exit(FAULTY_STATUS)
    typer.echo("  nothing is wrong")
