"""Run the suite on a checkpoint, beside the proxy alone, the source unchanged and the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from neural_assets_core.evaluation.beyond.measures import measure
from neural_assets_core.evaluation.beyond.page import draw_sheets, write_page
from neural_assets_core.evaluation.beyond.suite import SUITE, open_suite
from neural_assets_core.evaluation.beyond.summary import (
    BeyondReport,
    by_angle,
    records,
    summarise,
)
from neural_assets_core.evaluation.beyond.trials import TELLING
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import line_up
from neural_assets_core.files import make_room, write_atomically
from neural_assets_core.scene import GenerationSettings

Progress = Callable[[str, int, int], None]


def evaluate_beyond(
    checkpoint: str = "default",
    *,
    against: Sequence[str] = (),
    pairs: int | None = None,
    size: int | None = None,
    out: str | Path = Path("out/evaluation"),
    settings: GenerationSettings | None = None,
    judge: Path = JUDGE,
    progress: Progress | None = None,
) -> BeyondReport:
    """Judge a checkpoint by what an artist notices; see `beyond.trials` for the tasks.

    Parameters
    ----------
    checkpoint : str
        "default" or a folder, and how to run it, if not as `settings` say: see `parse_candidate`.
    against : sequence of str
        Further ones, each a row of its own.
    pairs : int, optional
        Only the first trials of the suite, a fair sample; else all.
    size : int, optional
        Side of the pictures; the model's own resolution if not given.
    out : Path
        Gets `README.md` with its pictures, `tables.md`, `figures.json` and `cases.parquet`;
        beside it lies the suite, in `beyond-<size>`.
    settings : GenerationSettings, optional
        Steps, guidance and seed.
    judge : Path
        Folder of the judge.
    progress : callable, optional
        Told (what is done, trials done, trials in all).

    Raises
    ------
    UserError
        If a checkpoint cannot be loaded, `out` cannot be written, or the suite on disk is
        another one.
    """
    tell, out = progress or (lambda what, done, total: None), Path(out)
    make_room(out / "cases.parquet")
    reader = Judge.load(judge)
    lineup = line_up((checkpoint, *against), settings)
    size = size or lineup.size
    folder = out.parent / f"beyond-{size}"
    suite = open_suite(folder, size, pairs, lambda n, total: tell("rendering", n, total))
    started = time.perf_counter()
    rows = measure(
        suite, lineup.methods, reader, lambda done: tell("evaluating", done, len(suite))
    )
    report = BeyondReport(
        checkpoint=checkpoint,
        suite=SUITE,
        trials=len(suite),
        size=size,
        steps=lineup.settings.steps,
        guidance=lineup.settings.guidance,
        seconds=round(time.perf_counter() - started, 1),
        labels=lineup.labels,
        figures=summarise(rows),
        curves=by_angle(rows),
    )
    table = pyarrow.Table.from_pylist(records(rows))
    buffer = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    write_atomically(out / "cases.parquet", buffer.getvalue().to_pybytes())
    (out / "figures.json").write_text(json.dumps(report.to_json(), indent=1) + "\n")
    write_page(report, TELLING, out)
    draw_sheets(suite, rows, lineup.methods, out)
    return report
