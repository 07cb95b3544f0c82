"""`neural-assets batch`: many pictures from one list of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.cli.request import decoder_of
from neural_assets_core.errors import UserError


def batch(
    jobs: Annotated[
        Path, typer.Argument(metavar="JOBS.jsonl", help="One JSON object a line: a job.")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Make every picture of a list: edits, scenes and seeds; each model is loaded once.

    A line may look like this:

    {"scene": "a.nascene", "edits": {"left": [{"object": "car", "translate": [-0.1, 0, 0]}]},
    "seed": [0, 1], "out": "out/{scene}-{edit}-{seed}.png"}

    If it was interrupted, the same command goes on: pictures that are there are not made again.
    """
    from neural_assets_core.export.batch import read_tasks, run_batch

    tasks = read_tasks(jobs)
    with progress_bar(quiet) as bar:
        task = bar.add_task("drawing", total=len(tasks))
        report = run_batch(
            tasks, decoder_of, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if not quiet:
        typer.echo(f"{report.made} made, {report.kept} were there already")
    if report.faults:
        more = f" (and {len(report.faults) - 1} more like it)" if len(report.faults) > 1 else ""
        raise UserError(f"{len(report.faults)} of {len(tasks)} failed: {report.faults[0]}{more}")
