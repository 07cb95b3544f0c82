"""`neural-assets compare`: tables of other methods and of ablations, trained alike."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.cli.train import check_data, speak


class Table(StrEnum):
    """The comparisons there are."""

    rivals = "rivals"
    ablations = "ablations"


def compare(
    table: Annotated[Table, typer.Argument(help="Other methods, or the paper's ablations.")],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Gets the trained rows and the tables."),
    ] = Path("out/compared"),
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="What all rows are trained with; else comparison/small.toml.",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Instead of the file's data.")
    ] = None,
    minutes_each: Annotated[
        float | None,
        typer.Option(metavar="M", min=0.001, help="Training time of each row."),
    ] = None,
    steps_each: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most so many steps of each row.")
    ] = None,
    pairs: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many edits of the benchmark are asked.")
    ] = 60,
    size: Annotated[
        int, typer.Option(metavar="PIXELS", min=32, help="Side of the benchmark's pictures.")
    ] = 128,
    benchmark: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The benchmark's folder; else beside --out."),
    ] = None,
) -> None:
    """Train all rows of a table alike, one after the other, and ask them the same edits.

    Interrupted, it goes on where it stopped; both tables in the same folder share their rows. The
    table is written anew whenever a row is finished.
    """
    os.environ.setdefault("MUJOCO_GL", "egl")
    from neural_assets_core.rivals.compare import compare as make_table
    from neural_assets_core.rivals.comparison import COMPARISONS
    from neural_assets_core.training.config import read_config

    base = read_config(config or COMPARISONS / "small.toml")
    if data is not None:
        check_data(data)
        base = base.model_copy(update={"data": base.data.model_copy(update={"path": data})})
    limits = {"minutes": minutes_each, "steps": steps_each}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    base = base.model_copy(update={"decoder": base.decoder.model_copy(update=given)})
    speak()
    with progress_bar() as bar:
        task = bar.add_task("loading", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        page = make_table(
            table.value, base, out, pairs=pairs, size=size, benchmark=benchmark, progress=show
        )
    typer.echo(page.read_text(encoding="utf-8"))
    typer.echo(f"{page}, and beside it pictures and all figures")
