"""From the figures of all cases to means with intervals, targets and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from neural_assets_core.evaluation.intervals import Figure, interval
from neural_assets_core.evaluation.methods import CEILING, COPY, LIFTED, NEURAL, PROXY, TRUTH
from neural_assets_core.evaluation.scores import METRICS

TRUSTED_IOU = 0.75
"""Of the silhouettes that the judge reads in the truth: below it, pose targets are not measured."""
MAIN_GROUPS = ("seen", "unseen", "pairs")

Rows = Mapping[str, Sequence[Mapping[str, float]]]
"""By method, the figures of each case."""


@dataclass(frozen=True)
class Target:
    """Something the checkpoint should reach; `reached` is None where it could not be measured."""

    label: str
    value: float | None
    limit: float
    reached: bool | None


PREFIXES = {
    NEURAL: "", COPY: "copy_source_", PROXY: "proxy_", LIFTED: "lifted_", CEILING: "ceiling_"
}
"""Of the single numbers in a report's JSON."""


@dataclass(frozen=True)
class Report:
    """All figures of an evaluation.

    Attributes
    ----------
    benchmark : int or None
        Its number; None for pairs of a data set.
    fingerprint : str
        Reports with different ones are of different cases: do not compare them.
    labels : dict
        Name of each method to its description.
    figures : dict
        `figures[method][group][metric]`; the groups are "seen" and "unseen" families and, of
        all families together, each task.
    gains : dict
        For every other checkpoint and the proxy, by how much this one's PSNR inside the objects
        is better, case by case, in dB.
    """

    checkpoint: str
    benchmark: int | None
    fingerprint: str
    pairs: int
    size: int
    steps: int
    guidance: float
    seconds: float
    labels: dict[str, str]
    figures: dict[str, dict[str, dict[str, Figure]]]
    gains: dict[str, Figure] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists.

        Beside all figures the means of the first group of cases (the seen families) as single
        numbers, for scripts: `object_psnr`, `copy_source_object_psnr`, `proxy_object_psnr`,
        `ceiling_object_psnr` and so on.
        """
        group = main_groups(self)[0]
        short = {
            PREFIXES[method] + metric: round(figure.mean, 4)
            for method, groups in self.figures.items()
            if method in PREFIXES
            for metric, figure in groups.get(group, {}).items()
        }
        return {**asdict(self), **short}


def summarise(rows: Rows, groups: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """`figures` of a report: means over each group's cases."""
    out: dict[str, dict[str, dict[str, Figure]]] = {}
    for method, cases in rows.items():
        out[method] = {}
        for group, chosen in groups.items():
            columns = {name: np.array([cases[k][name] for k in chosen]) for name in METRICS}
            figures = {name: interval(values) for name, values in columns.items()}
            out[method][group] = {name: f for name, f in figures.items() if f is not None}
    return out


def gains_over(rows: Rows, others: Sequence[str]) -> dict[str, Figure]:
    """Of the checkpoint over other methods, in pairs: see `Report.gains`."""
    own = np.array([row["object_psnr"] for row in rows[NEURAL]])
    out = {}
    for other in others:
        gain = interval(own - np.array([row["object_psnr"] for row in rows[other]]))
        if gain is not None:
            out[other] = gain
    return out


def targets_of(
    figures: Mapping[str, Mapping[str, Mapping[str, Figure]]],
    gains: Mapping[str, Figure],
    against: Sequence[str],
) -> list[Target]:
    """What the default checkpoint is held to, on the families it knows."""
    # Pairs of a data set are one group of their own.
    main = "seen" if "seen" in figures[NEURAL] else next(iter(figures[NEURAL]))

    def value(name: str, method: str = NEURAL, group: str = main) -> float:
        figure = figures.get(method, {}).get(group, {}).get(name)
        return float("nan") if figure is None else figure.mean

    def judged(name: str) -> float:
        # A judge that misreads the truth itself follows its prompt: it can vouch for nobody.
        reads = value("silhouette_iou", TRUTH) >= TRUSTED_IOU
        return value(name) if reads else float("nan")

    psnr = value("object_psnr")
    ceiling = value("object_psnr", CEILING)
    unseen = value("object_psnr", group="unseen")
    least = [
        ("PSNR inside the objects, dB", psnr, 20.0),
        ("the same above handing back the source, dB", psnr - value("object_psnr", COPY), 7.0),
        ("autoencoder's PSNR inside the objects, dB", ceiling, 30.0),
        ("silhouette IoU", judged("silhouette_iou"), 0.75),
        *((f"gain over {name}, low end of its interval, dB", gains[name].low, 0.0)
          for name in against),
    ]
    most = [
        ("below the autoencoder's copy, dB", ceiling - psnr, 5.0),
        ("centroid error, %", judged("centroid_error"), 3.0),
        ("background change, %", value("background_change"), 1.0),
        ("unseen families below seen ones, dB", psnr - unseen, 2.0),
    ]
    return [
        *(_target(f"at least {end:g}: {label}", v, end, v >= end) for label, v, end in least),
        *(_target(f"at most {end:g}: {label}", v, end, v <= end) for label, v, end in most),
    ]


def _target(label: str, value: float, limit: float, reached: bool) -> Target:
    if np.isnan(value):
        return Target(label, None, limit, None)
    return Target(label, round(value, 4), limit, bool(reached))


def shown(figure: Figure | None, metric: str) -> str:
    """A figure for a table, with half of its interval: "17.15 ± 0.29"."""
    if figure is None:
        return "–"
    digits = METRICS[metric].digits
    return f"{figure.mean:.{digits}f} ± {figure.margin:.{digits}f}"


def table(report: Report, group: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a group's table: a row per metric, a column per method."""
    columns = [report.figures[method].get(group, {}) for method in report.labels]
    rows = []
    for name, metric in METRICS.items():
        cells = [shown(column.get(name), name) for column in columns]
        if any(name in column for column in columns):
            head = f"{metric.label}, {metric.unit}" if metric.unit else metric.label
            rows.append([head, *cells])
    return [group, *report.labels], rows


def main_groups(report: Report) -> list[str]:
    """The groups of families (or the pairs of a data set), not the tasks."""
    return [group for group in report.figures[NEURAL] if group in MAIN_GROUPS]


def task_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: PSNR inside the objects, a row per task, a column per method."""
    tasks = [group for group in report.figures[NEURAL] if group not in MAIN_GROUPS]
    methods = [name for name in report.labels if name != TRUTH]
    name = "object_psnr"
    rows = [
        [task, *(shown(report.figures[m][task].get(name), name) for m in methods)]
        for task in tasks
    ]
    return ["PSNR, objects, dB", *methods], rows


def markdown(report: Report) -> str:
    """All tables of a report, for a page or a card."""
    parts = [
        f"Checkpoint `{report.checkpoint}`, {report.pairs} pairs of {report.size} x {report.size} "
        f"pixels, {report.steps} step{'s' * (report.steps != 1)}, guidance {report.guidance:g}. "
        "Means ± half of a 95 % bootstrap interval.\n"
    ]
    groups = report.figures[next(iter(report.figures))]
    for group in groups:
        heads, rows = table(report, group)
        lines = [heads, ["---"] * len(heads), *rows]
        parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")
    states = {True: "reached", False: "not reached", None: "not measured"}
    parts.append("\n".join(
        f"- {target.label}: {'–' if target.value is None else f'{target.value:.2f}'}, "
        f"**{states[target.reached]}**"
        for target in report.targets
    ) + "\n")
    return "\n".join(parts)


__all__ = [
    "Figure",
    "Report",
    "Target",
    "gains_over",
    "interval",
    "main_groups",
    "markdown",
    "shown",
    "summarise",
    "table",
    "targets_of",
    "task_table",
]
