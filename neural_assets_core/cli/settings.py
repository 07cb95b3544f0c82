"""`neural-assets settings`: what the user prefers on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.errors import UserError
from neural_assets_core.preferences import (
    Preferences,
    load_preferences,
    preferences_path,
    store_preferences,
)


def warn(text: str) -> None:
    """Tell the user something that does not stop the command."""
    typer.echo(f"Warning: {text}", err=True)


def settings(
    device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="P", help="auto, fp32, bf16 or fp16.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(metavar="R", help="auto, torch or openvino.")
    ] = None,
    preview_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Denoising steps, at most, during a gesture.")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(metavar="MIB", help="For kept pictures; as much for encoded.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Processor threads; 0 is automatic.")
    ] = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            metavar="PEM",
            help="Signs content credentials; empty: one that is made on this machine.",
        ),
    ] = None,
    signing_key: Annotated[
        str | None, typer.Option(metavar="PEM", help="Its key; empty: in the same file.")
    ] = None,
    restore_defaults: Annotated[
        bool, typer.Option("--restore-defaults", help="Forget what was set before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the settings of this machine, or change some of them.

    Seed, steps and guidance belong to the scene and are not here.
    """
    options: dict[str, object] = {
        "device": device,
        "precision": precision,
        "runtime": runtime,
        "preview_steps": preview_steps,
        "memory": memory,
        "threads": threads,
        "certificate": _found("certificate", certificate),
        "signing_key": _found("signing-key", signing_key),
    }
    changes = {name: value for name, value in options.items() if value is not None}
    kept = Preferences() if restore_defaults else load_preferences(warn)
    try:
        wanted = kept.changed(**changes)
    except UserError as error:
        raise UserError(f"--{error}".replace("_", "-", 1)) from None
    if changes or restore_defaults:
        store_preferences(wanted)
    values = wanted.model_dump()
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        typer.echo(f"{name.replace('_', '-'):<14} {value}".rstrip())
    typer.echo(f"kept in {preferences_path()}")


def _found(option: str, path: str | None) -> str | None:
    """A file that is there, wherever the next command is started; nothing stays nothing."""
    if not path:
        return path
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise UserError(f"--{option}: there is no file {file}.")
    return str(file)
