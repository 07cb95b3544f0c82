"""`neural-assets schema`: how a scene file's document is made up, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.json", help="Write it to a file."),
    ] = None,
) -> None:
    """Print the JSON schema of the scene.json in scene files."""
    from neural_assets_core.files import write_atomically
    from neural_assets_core.scene.schema import scene_schema

    if out is None:
        typer.echo(scene_schema(), nl=False)
    else:
        write_atomically(out, scene_schema().encode())
