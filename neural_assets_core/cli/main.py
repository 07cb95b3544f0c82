"""The top of the command line: global options, exit codes, and the commands' names."""

from __future__ import annotations

import errno
import logging
import os
import signal
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from neural_assets_core import __version__
from neural_assets_core.allocation import keep_freed_memory
from neural_assets_core.cli import (
    animate,
    batch,
    camera,
    compare,
    dataset,
    dataset_views,
    doctor,
    estimate,
    evaluate,
    export,
    footage,
    history,
    import_,
    init,
    library,
    library_edit,
    mask,
    photo,
    render,
    scene,
    schema,
    settings,
    studio,
    train,
)
from neural_assets_core.cli.interruption import INTERRUPTED, INTERRUPTED_STATUS, interrupt
from neural_assets_core.errors import UserError

USAGE_STATUS = 2
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Commands(TyperGroup):
    """Turns what escapes from a command into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            _check_out(ctx.args)
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, typer.Abort):
            typer.echo(INTERRUPTED, err=True)
            raise typer.Exit(INTERRUPTED_STATUS) from None
        except UserError as error:
            if ctx.params.get("debug"):
                raise
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(USAGE_STATUS) from None
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                typer.echo("Error: The disk is full: free some space.", err=True)
                raise typer.Exit(USAGE_STATUS) from None
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            typer.echo(
                f"Error: something went wrong inside the program ({reason}); run it again with "
                "`neural-assets --debug ...` and report the output.",
                err=True,
            )
            raise typer.Exit(1) from None


def _check_out(words: list[str]) -> None:
    """An --out that a script left empty would be the folder that one happens to be in."""
    if "--out=" in words or ("--out", "") in pairwise(words):
        raise UserError("--out is empty: name what is to be written.")


app = typer.Typer(
    name="neural-assets",
    cls=_Commands,
    help="Edit photographs as 3D scenes: move, turn and scale the objects, then render.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"neural-assets {__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that stand before the command's name; errors are told in `_Commands`."""
    if not debug:
        # The libraries' warnings and bars are about their own inner life. Read at their import.
        os.environ.setdefault("TQDM_DISABLE", "1")
        os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        logging.basicConfig(level=logging.ERROR)


app.command("info")(scene.info)
app.command("edit")(scene.edit)
app.command("camera")(camera.camera)
app.command("photo", cls=photo.PhotoCommand)(photo.photo)
app.command("estimate")(estimate.estimate)
app.command("mask")(mask.mask)
app.command("render")(render.render)
app.command("export")(export.export)
app.command("import")(import_.import_)
app.command("turntable")(animate.turntable)
app.command("animate")(animate.animate)
app.command("batch")(batch.batch)
app.command("studio")(studio.studio)
library.assets.add_typer(library_edit.folders, name="folder")
app.add_typer(library.assets, name="asset")
app.add_typer(library.backgrounds, name="background")
app.command("restore")(history.restore)
app.add_typer(history.app, name="history")
dataset.app.command("show")(dataset_views.show)
dataset.app.command("check")(dataset_views.check)
dataset.app.command("from-scenes")(footage.from_scenes)
app.add_typer(dataset.app, name="dataset")
app.command("init")(init.init)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("settings")(settings.settings)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)


def main() -> None:
    """Entry point of the `neural-assets` command."""
    signal.signal(signal.SIGINT, interrupt)
    keep_freed_memory()
    app()
