"""From the rows of all pictures to means with intervals, by number of objects and by angle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neural_assets_core.evaluation.beyond.measures import Row
from neural_assets_core.evaluation.intervals import Figure, interval
from neural_assets_core.evaluation.results import Column

ALL = "all"
"""Instead of a number of objects: all of them."""


MEASURES: dict[str, tuple[Column, ...]] = {
    "pose": (
        Column("silhouette_iou", "silhouette IoU", "", 3, higher=True),
        Column("centroid_error", "centroid error", "% of the side", 2, higher=False),
        Column("size_error", "size error", "%", 1, higher=False),
        Column("orientation_error", "orientation error", "°", 1, higher=False),
        Column("oriented", "right to within 15°", "% of cases", 0, higher=True),
        Column("background_pixels", "background pixels changed", "%", 2, higher=False),
        Column("background_error", "background error", "%", 3, higher=False),
        Column("others_error", "error in other objects", "%", 3, higher=False),
    ),
    "turn": (
        Column("identity", "own instance nearest", "%", 1, higher=True),
        Column("similarity", "likeness to its true view", "cosine", 3, higher=True),
        Column("orientation_error", "orientation error", "°", 1, higher=False),
        Column("closing", "0° against 360°", "levels", 2, higher=False),
        Column("flicker", "flicker", "levels", 2, higher=False),
    ),
    "flip": (
        Column("flipped", "nearest to the truth", "% of cases", 0, higher=True),
        Column("unrotated", "nearer to the unrotated", "% of cases", 0, higher=False),
        Column("mirrored", "nearer to a mirror image", "% of cases", 0, higher=False),
    ),
    "collision": (
        Column("in_order", "overlap in order", "% of pixels", 1, higher=True),
        Column("both_there", "both objects there", "% of cases", 0, higher=True),
    ),
    "count": (
        Column("counted", "copies found", "%", 1, higher=True),
        Column("all_there", "all copies found", "% of cases", 0, higher=True),
    ),
}
"""By task. Of "turn", the angles 0 and 360 do not count: nothing was asked there."""

Figures = dict[str, dict[str, dict[str, dict[str, Figure]]]]
"""By task, measure, method, and number of objects (or `ALL`)."""


@dataclass(frozen=True)
class BeyondReport:
    """All figures of a run.

    Attributes
    ----------
    suite : int
        Its number: reports of different ones must not be compared.
    labels : dict
        Name of each method to its description.
    figures : dict
        See `Figures`.
    curves : dict
        Of "turn", by measure, method and angle in degrees.
    """

    checkpoint: str
    suite: int
    trials: int
    size: int
    steps: int
    guidance: float
    seconds: float
    labels: dict[str, str]
    figures: Figures
    curves: dict[str, dict[str, dict[str, Figure]]]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return asdict(self)


def summarise(rows: Sequence[Row]) -> Figures:
    """Means over cases; the pictures of one turn are a single case."""
    out: Figures = {}
    for task, measures in MEASURES.items():
        own = [row for row in rows if row.task == task and row.angle not in _unasked(task)]
        for name in (column.name for column in measures):
            for method in dict.fromkeys(row.method for row in own):
                here = [row for row in own if row.method == method and name in row.figures]
                groups = {ALL: here}
                for row in sorted(here, key=lambda row: row.objects):
                    groups.setdefault(str(row.objects), []).append(row)
                found = {key: _mean(name, group) for key, group in groups.items()}
                out.setdefault(task, {}).setdefault(name, {})[method] = {
                    key: figure for key, figure in found.items() if figure is not None
                }
    return out


def by_angle(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, Figure]]]:
    """Of whole turns, means over cases at each angle; see `BeyondReport.curves`."""
    out: dict[str, dict[str, dict[str, Figure]]] = {}
    own = [row for row in rows if row.task == "turn" and not np.isnan(row.angle)]
    for name in (column.name for column in MEASURES["turn"]):
        groups: dict[tuple[str, float], list[Row]] = {}
        for row in own:
            if name in row.figures:
                groups.setdefault((row.method, row.angle), []).append(row)
        for (method, angle), group in groups.items():
            figure = _mean(name, group)
            if figure is not None:
                out.setdefault(name, {}).setdefault(method, {})[f"{angle:g}"] = figure
    return out


def _unasked(task: str) -> tuple[float, ...]:
    return (0.0, 360.0) if task == "turn" else ()


def _mean(name: str, rows: Iterable[Row]) -> Figure | None:
    cases: dict[str, list[float]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row.figures[name])
    return interval(np.array([np.mean(values) for values in cases.values()], dtype=np.float64))


def head(column: Column) -> str:
    """Its label with the unit, and which way is better."""
    return f"{column.head} {'↑' if column.higher else '↓'}"


def shown(figure: Figure | None, column: Column) -> str:
    """A figure with half of its interval."""
    if figure is None:
        return "–"
    return f"{figure.mean:.{column.digits}f} ± {figure.margin:.{column.digits}f}"


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as flat ones with the same columns each, for a table: None where none applies."""
    names = dict.fromkeys(column.name for measures in MEASURES.values() for column in measures)
    out = []
    for row in rows:
        fields = asdict(row)
        figures: Mapping[str, float] = fields.pop("figures")
        values = {"angle": fields["angle"], **{name: figures.get(name) for name in names}}
        plain = {k: None if v is None or np.isnan(v) else float(v) for k, v in values.items()}
        out.append({**fields, **plain})
    return out


__all__ = [
    "ALL",
    "MEASURES",
    "BeyondReport",
    "Figures",
    "by_angle",
    "head",
    "records",
    "shown",
    "summarise",
]
