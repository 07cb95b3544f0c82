"""`neural-assets studio`: the window, as a program of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.errors import UserError


def studio(
    scene: Annotated[
        Path | None, typer.Argument(metavar="[SCENE]", help="A scene file to open.")
    ] = None,
) -> None:
    """Open the studio."""
    # A process of its own: the core never imports the studio.
    if importlib.util.find_spec("app") is None:
        raise UserError("The studio is not installed here: run `make run` in its folder.")
    arguments = [] if scene is None else [str(scene)]
    raise typer.Exit(subprocess.call([sys.executable, "-m", "app", *arguments]))
