"""`neural-assets evaluate`: a checkpoint's figures on the benchmark."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.evaluation.report import Report


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Option(
            metavar="PATH[@STEPS[,G]]",
            help='A folder in diffusers layout, or "default"; its steps and guidance, if others.',
        ),
    ] = "default",
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH[@STEPS[,G]]", help="Another one to compare; may be repeated."
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Only the first N pairs, a fair sample; else all."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=32, help="Side of the pictures; else the model's."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A held-out data set, instead of the benchmark."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets the report and a sheet of pictures.")
    ] = Path("out/evaluation"),
    steps: Annotated[int | None, typer.Option(metavar="N", help="Denoising steps.")] = None,
    guidance: Annotated[
        float | None, typer.Option(metavar="G", help="Guidance scale; 1 is none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Figures on a fixed benchmark of edits whose truth is known.

    Likeness to the truth, pose, identity and background, for this checkpoint, for others, for
    the proxy alone, for the source unchanged, and for the autoencoder's copy of the truth; by
    families that training saw or not, and by task. The benchmark is rendered once.
    """
    from pydantic import ValidationError

    from neural_assets_core.evaluation.candidates import parse_candidate
    from neural_assets_core.scene import GenerationSettings
    from neural_assets_core.scene.validation import describe

    options = {"steps": steps, "guidance": guidance}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = GenerationSettings.model_validate(given)
    except ValidationError as error:
        raise UserError(f"--{describe(error)}.") from None
    # Before torch is loaded, which takes seconds.
    for name in (checkpoint, *(against or ())):
        parse_candidate(name, settings)
    os.environ.setdefault("MUJOCO_GL", "egl")
    from neural_assets_core.evaluation.run import evaluate as evaluate_checkpoint

    with progress_bar() as bar:
        task = bar.add_task("loading", total=None)
        report = evaluate_checkpoint(
            checkpoint,
            against=against or (),
            pairs=pairs,
            size=size,
            data=data,
            out=out,
            settings=settings,
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        _print(report)
        fewer = f"only {report.pairs} of {pairs}" if report.pairs < (pairs or 0) else report.pairs
        typer.echo(f"{fewer} pairs; pictures and all figures in {out}")


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    from neural_assets_core.evaluation.report import main_groups, table, task_table

    console = Console()
    tables = [table(report, group) for group in main_groups(report)]
    for heads, rows in [*tables, task_table(report)]:
        drawn = Table(*(escape(head) for head in heads))
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        console.print(drawn)
    for gained, figure in report.gains.items():
        console.print(
            Text(f"{figure.mean:+.2f} dB ({figure.low:+.2f} to {figure.high:+.2f}) inside the "
                 f"objects over {gained}")
        )
    marks = {True: "reached    ", False: "NOT reached", None: "not measured"}
    for target in report.targets:
        value = "" if target.value is None else f"{target.value:.2f}"
        console.print(Text(f"{marks[target.reached]}  {target.label}: {value}"))
