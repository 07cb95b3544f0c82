"""Evaluate a checkpoint beside what it has to beat and what limits it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.evaluation.benchmark import (
    BENCHMARK,
    Case,
    fingerprint,
    open_benchmark,
    pairs_of,
)
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import LIFTED, NEURAL, PROXY, TRUTH, Lineup, line_up
from neural_assets_core.evaluation.report import (
    Report,
    gains_over,
    markdown,
    summarise,
    targets_of,
)
from neural_assets_core.evaluation.results import CASES, Column, Results, write_results
from neural_assets_core.evaluation.scores import METRICS, NAN, scores
from neural_assets_core.evaluation.sheet import contact_sheet
from neural_assets_core.files import make_room
from neural_assets_core.scene import GenerationSettings

Progress = Callable[[str, int, int], None]
Vector = NDArray[np.float32]


def evaluate(
    checkpoint: str = "default",
    *,
    against: Sequence[str] = (),
    pairs: int | None = None,
    size: int | None = None,
    data: str | Path | None = None,
    out: str | Path = Path("out/evaluation"),
    settings: GenerationSettings | None = None,
    judge: Path = JUDGE,
    progress: Progress | None = None,
) -> Report:
    """Judge a checkpoint.

    Parameters
    ----------
    checkpoint : str
        "default" or a folder, and how to run it, if not as `settings` say: see `parse_candidate`.
    against : sequence of str
        Further ones, each a row of its own.
    pairs : int, optional
        Only the first of the benchmark or of `data`, a fair sample; else all.
    size : int, optional
        Side of the benchmark's pictures; the model's own resolution if not given.
    data : str or Path, optional
        A held-out data set, instead of the benchmark.
    out : str or Path
        Gets `report.json`, `report.md`, `cases.json`, `cases.parquet` (see
        `evaluation.results`) and `sheet.png`; beside it lies the benchmark, in
        `benchmark-<size>`.
    settings : GenerationSettings, optional
        Steps, guidance and seed.
    judge : Path
        Folder of the judge.
    progress : callable, optional
        Told (what is done, pairs done, pairs in all).

    Raises
    ------
    UserError
        If a checkpoint cannot be loaded, `out` cannot be written, `data` is no data set with
        pairs in which something moves, or the benchmark on disk is another one.
    """
    tell, out = progress or (lambda what, done, total: None), Path(out)
    make_room(out / "report.json")
    reader = Judge.load(judge)
    lineup = line_up((checkpoint, *against), settings)
    size = size or lineup.size
    folder = Path(data) if data is not None else out.parent / f"benchmark-{size}"
    if data is None:
        cases = open_benchmark(folder, size, pairs, lambda n, total: tell("rendering", n, total))
    else:
        cases = pairs_of(folder, pairs)
    started = time.perf_counter()
    rows = _measure(cases, lineup, reader, lambda n, total: tell("evaluating", n, total))
    figures = summarise(rows, _groups(cases))
    others = [name for name in lineup.candidates if name != NEURAL]
    gains = gains_over(rows, [*others, *(name for name in (LIFTED, PROXY) if name in rows)])
    report = Report(
        checkpoint=checkpoint,
        benchmark=BENCHMARK if data is None else None,
        fingerprint=fingerprint(cases),
        pairs=len(cases),
        size=cases[0].target.image.shape[0],
        steps=lineup.settings.steps,
        guidance=lineup.settings.guidance,
        seconds=round(time.perf_counter() - started, 1),
        labels=lineup.labels,
        figures=figures,
        gains=gains,
        targets=targets_of(figures, gains, others),
    )
    _write(report, cases, rows, out)
    write_results(out / CASES, _results(report, cases, rows, lineup, os.path.relpath(folder, out)))
    values = [row["object_psnr"] for row in rows[NEURAL]]
    contact_sheet(cases, values, lineup.methods, out / "sheet.png")
    return report


def _measure(
    cases: Sequence[Case],
    lineup: Lineup,
    judge: Judge,
    tell: Callable[[int, int], None],
) -> dict[str, list[dict[str, float]]]:
    """By method, all figures of each case."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in lineup.ways}
    seen: dict[str, list[list[Vector]]] = {name: [] for name in lineup.ways}
    looks: list[list[Vector]] = []
    for done, case in enumerate(cases, start=1):
        looks.append([judge.read(image, [at])[0].identity for image, at in case.looks()])
        for name, draw in lineup.ways.items():
            picture = draw(case)
            readings = judge.read(picture, case.regions)
            found = scores(case, picture, readings, judge)
            if name == TRUTH:
                found |= {key: NAN for key, metric in METRICS.items() if not metric.judged}
            rows[name].append(found)
            seen[name].append([reading.identity for reading in readings])
        tell(done, len(cases))
    for name, found_by_case in seen.items():
        for row, share in zip(rows[name], _recognised(cases, found_by_case, looks), strict=True):
            row["identity"] = share
    return rows


def _recognised(
    cases: Sequence[Case], seen: Sequence[list[Vector]], looks: Sequence[list[Vector]]
) -> list[float]:
    """Per case, the share in % of objects nearest to their own looks among all cases' ones."""
    known = np.stack([look for case in looks for look in case])
    out, first = [], 0
    for case, vectors in zip(cases, seen, strict=True):
        nearest = (np.stack(vectors) @ known.T).argmax(axis=1)
        own = first + np.arange(len(vectors))
        out.append(NAN if case.removes else 100 * float(np.mean(nearest == own)))
        first += len(vectors)
    return out


def _groups(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Indices of the cases by group, then by task."""
    out: dict[str, list[int]] = {}
    for key in ("group", "task"):
        for index, case in enumerate(cases):
            out.setdefault(getattr(case, key), []).append(index)
    return out


def _results(
    report: Report,
    cases: Sequence[Case],
    rows: dict[str, list[dict[str, float]]],
    lineup: Lineup,
    data: str,
) -> Results:
    """The same figures in the layout of `evaluation.results`; pictures are those of the data."""
    table = []
    for method, found in rows.items():
        run = lineup.candidates[method].settings if method in lineup.candidates else None
        for case, figures in zip(cases, found, strict=True):
            table.append(
                {
                    "case": case.name, "clip": case.name, "source_frame": 0, "target_frame": 1,
                    "group": case.group, "task": case.task, "edited": list(case.edited),
                    "objects": max(len(case.source.objects), len(case.target.objects)),
                    "method": method, "sample": 0, "kept": True, "seconds": None, "picture": None,
                    "seed": run and run.seed, "steps": run and run.steps,
                    "guidance": run and run.guidance,
                    "source": f"{data}/clips/{case.name}/000.png",
                    "truth": f"{data}/clips/{case.name}/001.png",
                    **figures,
                }
            )  # fmt: skip
    about = {
        key: getattr(report, key)
        for key in ("checkpoint", "benchmark", "fingerprint", "pairs", "size", "steps", "guidance")
    }
    columns = tuple(
        Column(name, metric.label, metric.unit, metric.digits, metric.higher)
        for name, metric in METRICS.items()
    )
    return Results(about, columns, report.labels, table)


def _write(
    report: Report, cases: Sequence[Case], rows: dict[str, list[dict[str, float]]], out: Path
) -> None:
    (out / "report.json").write_text(json.dumps(report.to_json(), indent=2) + "\n")
    (out / "report.md").write_text(markdown(report))
    by_case = [
        {
            "name": case.name,
            "group": case.group,
            "task": case.task,
            **{
                name: {k: round(v, 4) for k, v in found[index].items() if not np.isnan(v)}
                for name, found in rows.items()
            },
        }
        for index, case in enumerate(cases)
    ]
    (out / "cases.json").write_text(json.dumps(by_case, indent=1) + "\n")
