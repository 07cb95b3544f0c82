"""`neural-assets batch`: many pictures from one list of jobs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.cli.request import decoder_of
from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.export.batch import Drawing


def batch(
    jobs: Annotated[
        Path, typer.Argument(metavar="JOBS.jsonl", help="One JSON object a line: a job.")
    ],
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Draw in N processes, each with a model of its own (Ray)."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="On the machines of a running Ray cluster."),
    ] = None,
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
    with ExitStack() as leaving, progress_bar(quiet) as bar:
        task = bar.add_task("drawing", total=len(tasks))
        report = run_batch(
            tasks,
            _drawing(workers, ray, leaving),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if not quiet:
        typer.echo(f"{report.made} made, {report.kept} were there already")
    if report.faults:
        more = f" (and {len(report.faults) - 1} more like it)" if len(report.faults) > 1 else ""
        raise UserError(f"{len(report.faults)} of {len(tasks)} failed: {report.faults[0]}{more}")


def _drawing(workers: int | None, ray: str | None, leaving: ExitStack) -> Drawing:
    """In this process, or in others until it is left."""
    if workers is None and ray is None:
        from neural_assets_core.export.batch import one_by_one

        return one_by_one(decoder_of)
    from neural_assets_core.export.parallel import Workers
    from neural_assets_core.preferences import load_preferences

    return leaving.enter_context(Workers(workers, ray, load_preferences(warn)))
