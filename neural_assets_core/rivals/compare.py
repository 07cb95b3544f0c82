"""A comparison: all rows trained alike, asked the same cases, laid out in one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from neural_assets_core.data.readers import find_format
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import Case, open_benchmark, slots
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.files import make_room
from neural_assets_core.rivals.comparison import TRAINED, Comparison, read_comparison
from neural_assets_core.rivals.rows import answer_row, row_config, train_row
from neural_assets_core.rivals.tables import RowFigures, write_tables
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.run import run_training
from neural_assets_core.training.shapes import build_shapes

SIZE = 128
"""Of the benchmark's pictures, pixels a side."""

Progress = Callable[[str, int, int], None]


def compare(
    name: str,
    base: TrainingConfig,
    out: Path,
    *,
    pairs: int = 60,
    size: int = SIZE,
    benchmark: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a table; interrupted, it goes on where it stopped.

    Parameters
    ----------
    name : str
        "rivals" or "ablations".
    base : TrainingConfig
        What all rows are trained with; `decoder.minutes` and `decoder.steps` are each row's.
    out : Path
        Gets the rows, and the tables anew whenever a row is finished: for "rivals" `RIVALS.md`,
        `rivals.json` and `rivals.jpg`. Comparisons in the same folder share their rows.
    pairs : int
        How many edits are asked: the first of the benchmark whose tasks all rows can be asked.
    size : int
        Side of the benchmark's pictures.
    benchmark : Path, optional
        Its folder; by default beside `out`. What is missing is rendered.
    progress : callable, optional
        Told (what is done, done, in all).

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If something cannot be read or written, or a row of that name was trained otherwise.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("Rows are trained by one process: start the comparison without a launcher.")
    comparison, tell = read_comparison(name), progress or (lambda what, done, total: None)
    make_room(out / f"{name}.json")
    for row in comparison.rows:
        if row.method in TRAINED:
            # Before the first row is trained, not hours later.
            build_shapes(row_config(row, base, out))
    if find_format(base.data.path) is None:
        run_training(
            base, stage="data", progress=lambda done, total: tell("rendering data", done, total)
        )
    # All rows have the same autoencoder.
    if not (out / "vae" / "config.json").exists():
        run_training(base.model_copy(update={"out": out}), stage="vae", resume=True)
    folder = benchmark or out.parent / f"benchmark-{size}"
    cases = chosen_cases(
        comparison, folder, size, pairs, lambda done, total: tell("rendering", done, total)
    )
    judge, found = Judge.load(JUDGE), []
    for row in comparison.rows:
        tell(f"training {row.name}", 0, 0)
        trained = train_row(row, base, out)
        figures = answer_row(
            row, comparison, cases, judge, out,
            lambda done, total, row=row: tell(f"asking {row.name}", done, total),  # type: ignore[misc]
        )
        found.append(RowFigures(row, trained, figures))
        # As it goes: an interrupted comparison has a table of what was finished.
        page = write_tables(name, comparison, found, cases, base, out)
    return page


def chosen_cases(
    comparison: Comparison,
    folder: Path,
    size: int,
    pairs: int,
    progress: Callable[[int, int], None],
) -> list[Case]:
    """The first `pairs` cases of the benchmark that are of the comparison's tasks."""
    suited = [index for index, (_, task, _) in enumerate(slots()) if task in comparison.tasks]
    if not suited:
        raise UserError(f"The benchmark has no tasks {', '.join(comparison.tasks)}: correct them.")
    last = suited[:pairs][-1]
    cases = open_benchmark(folder, size, last + 1, progress)
    return [case for case in cases if case.task in comparison.tasks]
