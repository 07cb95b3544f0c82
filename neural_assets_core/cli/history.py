"""`neural-assets history` and `neural-assets restore`: what was made, and how it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.history import Entry

app = typer.Typer(help="The pictures that the studio has kept.", no_args_is_help=True)

Result = Annotated[
    Path, typer.Argument(metavar="RESULT", help="A file that `history list` names.")
]


@app.command("list")
def list_(
    scene: ScenePath,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the results made from a scene's photograph, newest first."""
    from neural_assets_core.history import user_history
    from neural_assets_core.scene import load_scene

    entries = user_history().entries(load_scene(scene).background.view.picture)
    reports = [_report(entry) for entry in entries]
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
        return
    for report in reports:
        star = "*" if report["starred"] else " "
        told = report["fault"] or f"{report['decoder']}, seed {report['seed']}"
        typer.echo(f"{star} {report['made']}  {told}  {report['name']}\n  {report['path']}")


@app.command("mark")
def mark(
    result: Result,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is called.")] = None,
    star: Annotated[
        bool | None, typer.Option(help="Starred results are never removed to make room.")
    ] = None,
) -> None:
    """Name a result, or give it a star."""
    if name is None and star is None:
        raise UserError("Nothing to do: give --name, --star or --no-star.")
    from neural_assets_core.history import user_history

    entry = _entry(result)
    user_history().mark(
        entry.path,
        name=entry.name if name is None else name,
        starred=entry.starred if star is None else star,
    )


@app.command("delete")
def delete(result: Result) -> None:
    """Take a result away; for an hour, `history undelete` brings it back."""
    from neural_assets_core.history import user_history

    user_history().delete(_entry(result).path)


@app.command("undelete")
def undelete(result: Result) -> None:
    """Bring a deleted result back."""
    from neural_assets_core.history import DELETED, user_history

    if not (_own(result) and result.with_suffix(DELETED).is_file()):
        raise UserError(f"{result} was not deleted, or too long ago: see `history list`.")
    user_history().undelete(result)


def restore(
    picture: Annotated[
        Path, typer.Argument(metavar="PICTURE", help="Exported, rendered or kept by the studio.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the scene is written.")
    ],
    scene: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="SCENE",
            help="Has the photograph; else one beside the picture, or in the history.",
        ),
    ] = None,
) -> None:
    """Get the scene back that a picture was made from, out of the picture's metadata."""
    from neural_assets_core.history import user_history
    from neural_assets_core.restore import request_of, restored
    from neural_assets_core.scene import SCENE_SUFFIX, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    if not picture.is_file():
        raise UserError(f"There is no file {picture}: check the name.")
    request = request_of(picture)
    if request is None:
        raise UserError(f"{picture} does not say what it was made from.")
    save_scene(restored(request, None, user_history(), scene or ()), out)


def _entry(path: Path) -> Entry:
    from neural_assets_core.history import entry_at

    if not (_own(path) and path.is_file()):
        raise UserError(f"There is no result {path}: see `history list`.")
    return entry_at(path)


def _own(path: Path) -> bool:
    """Whether it is a place for a result: any other file, deleted, would be lost in an hour."""
    from neural_assets_core.history import user_history

    return path.suffix == ".png" and path.resolve().parent.parent == user_history().root.resolve()


def _report(entry: Entry) -> dict[str, Any]:
    settings = entry.settings
    return {
        "path": str(entry.path),
        "made": entry.made.isoformat(timespec="seconds"),
        "name": entry.name,
        "starred": entry.starred,
        "decoder": "" if settings is None else settings.decoder,
        "seed": None if settings is None else settings.seed,
        "fault": entry.fault,
    }
