"""What is written about results: a table, the numbers, and a page with curves."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.evaluation.intervals import Figure, interval
from neural_assets_core.evaluation.results import ALL, Column, Results
from neural_assets_core.files import write_atomically

SETS = {"fid": "FID", "object_fid": "FID, objects"}
"""Figures of all pictures together, less is better."""
INKS = ("#e5761c", "#2f7ed8", "#3a9d5d", "#8a5fc7", "#c0392b", "#6b7280", "#b58900", "#0f8b8d")
"""One for each method, in their order; then again."""
WIDTH, HEIGHT, LEFT, BOTTOM = 360, 230, 44, 40

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:2em auto;padding:0 1em;
color:#1f1f1f;background:#fff}table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .8em;
border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}
figure{display:inline-block;margin:0 1em 1em 0}figcaption{font-weight:600}img{max-width:100%}
svg{font:11px system-ui,sans-serif}.key span{margin-right:1.4em;white-space:nowrap}
.key i{display:inline-block;width:1.6em;height:3px;vertical-align:middle;margin-right:.4em}"""

Table = tuple[list[str], list[list[str]]]


def table(results: Results, group: str = ALL) -> Table:
    """Heads and rows: a row for each figure, ↑ where more is better; a column for each method."""
    found = results.figures()[group]
    rows = [
        [_label(c), *(_cell(found[method].get(c.name), c) for method in results.methods)]
        for c in results.columns
    ]
    # Figures of sets are those of all cases.
    for key, label in SETS.items() if group == ALL else ():
        values = [results.sets.get(method, {}).get(key) for method in results.methods]
        if any(value is not None for value in values):
            cells = ["–" if value is None else f"{value:.2f}" for value in values]
            rows.append([f"{label} ↓", *cells])
    return [group, *results.methods], rows


def sample_table(results: Results) -> Table | None:
    """The same with the mean over all samples of a case; None if there is one sample each."""
    if all(row["kept"] for row in results.rows):
        return None
    rows = []
    for c in results.columns:
        means = [interval(results.sample_means(method, c.name)) for method in results.methods]
        rows.append([_label(c), *(_cell(mean, c) for mean in means)])
    return [ALL, *results.methods], rows


def _label(column: Column) -> str:
    return f"{column.head} {'↑' if column.higher else '↓'}"


def _cell(figure: Figure | None, column: Column) -> str:
    if figure is None:
        return "–"
    return f"{figure.mean:.{column.digits}f} ± {figure.margin:.{column.digits}f}"


def summary(results: Results) -> dict[str, Any]:
    """All figures as plain values: by group, method and figure; and what the first one gains."""
    first = next(iter(results.methods))
    return {
        "about": results.about,
        "methods": results.methods,
        "figures": {
            group: {m: {k: asdict(f) for k, f in found.items()} for m, found in of.items()}
            for group, of in results.figures().items()
        },
        "mean_of_samples": {
            method: {
                column.name: asdict(figure)
                for column in results.columns
                if (figure := interval(results.sample_means(method, column.name))) is not None
            }
            for method in results.methods
        },
        "sets": results.sets,
        "gains": {
            other: {k: asdict(f) for k, f in found.items()}
            for other, found in results.gains(first).items()
        },
    }


def told(results: Results) -> str:
    """What was evaluated, in a sentence or two."""
    a = results.about
    parts = [f"{key} {a[key]}" for key in ("checkpoint", "data", "split") if a.get(key)]
    numbers = [
        f"{a[key]} {key.removesuffix('s') if a[key] == 1 else key}"
        for key in ("pairs", "clips", "samples", "steps")
        if a.get(key)
    ]
    more = [f"{a['size']} × {a['size']} pixels"] if a.get("size") else []
    more += [f"guidance {a['guidance']:g}"] if a.get("guidance") is not None else []
    more += [f"seed {a['seed']}"] if a.get("seed") is not None else []
    more += ["whole pictures drawn"] if a.get("whole") else []
    return ", ".join([*parts, *numbers, *more]) + "."


INTERVALS = "Means over cases ± half of a 95 % bootstrap interval."
FID_NOTE = (
    "FID is of all pictures of a method together and has no interval; with fewer pictures than "
    "about ten thousand it is too high, and comparable only at the same number."
)


def markdown(results: Results, left_out: Sequence[str] = ()) -> str:
    """All tables of a report."""
    parts = [told(results), INTERVALS]
    if any(results.sets.values()):
        parts.append(FID_NOTE)
    parts += [f"- {line}" for line in left_out]
    for group in results.groups():
        parts.append(_rows_of(table(results, group)))
    samples = sample_table(results)
    if samples is not None:
        parts += ["Means over all samples of a case, not the best one:", _rows_of(samples)]
    parts.append("\n".join(f"- **{name}**: {label}" for name, label in results.methods.items()))
    return "\n\n".join(parts) + "\n"


def _rows_of(shown: Table) -> str:
    heads, rows = shown
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(results: Results, left_out: Sequence[str] = ()) -> str:
    """The report as one HTML file, with a curve for each figure; `sheet.png` lies beside it."""
    escape = html.escape
    lines = [told(results), INTERVALS, *([FID_NOTE] if any(results.sets.values()) else [])]
    body = [f"<p>{escape(line)}</p>" for line in [*lines, *left_out]]
    shown = [table(results, group) for group in results.groups()]
    samples = sample_table(results)
    body += [_html_table(one) for one in shown]
    if samples is not None:
        body += ["<p>Means over all samples of a case, not the best one:</p>", _html_table(samples)]
    key = "".join(
        f'<span><i style="background:{ink(k)}"></i>{escape(name)}: {escape(label)}</span><br>'
        for k, (name, label) in enumerate(results.methods.items())
    )
    body += [f'<p class="key">{key}</p>', "<p>Share of cases that are at least so good:</p>"]
    body += [
        f"<figure><figcaption>{escape(c.head)}</figcaption>{curve_svg(results, c)}</figure>"
        for c in results.columns
    ]
    body.append(
        "<p>Best, median and worst cases by PSNR inside the objects:</p>"
        '<img src="sheet.png" alt="contact sheet">'
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        f"<style>{STYLE}</style><h1>Evaluation</h1>{''.join(body)}</html>\n"
    )


def _html_table(shown: Table) -> str:
    heads, rows = shown
    cells = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    ]
    return f"<table><tr>{cells}</tr>{''.join(lines)}</table>"


def ink(number: int) -> str:
    """The colour of a method, by its place."""
    return INKS[number % len(INKS)]


def curve(
    values: NDArray[np.float64], higher: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of cases that are at least so good.

    Returns
    -------
    levels : array (n,)
        All values but nan, ascending.
    shares : array (n,)
        In %, of the cases at or above each level, at or below where less is better.
    """
    levels = np.sort(values[~np.isnan(values)])
    count = max(len(levels), 1)
    shares = 100 * np.arange(1, len(levels) + 1) / count
    return levels, shares[::-1] if higher else shares


def curve_svg(results: Results, column: Column) -> str:
    """The curves of all methods for one figure."""
    curves = [curve(results.values(m, column.name), column.higher) for m in results.methods]
    levels = np.concatenate([levels for levels, _ in curves])
    if levels.size == 0:
        return ""
    low, high = float(levels.min()), float(levels.max())
    span = (high - low) or 1.0
    right, top = WIDTH - 12, 10

    def x(value: float) -> float:
        return LEFT + (value - low) / span * (right - LEFT)

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - share / 100 * (HEIGHT - BOTTOM - top)

    marks = []
    for share in (0, 25, 50, 75, 100):
        at = y(share)
        marks.append(
            f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#e3e3e3"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{share} %</text>'
        )
    for value in np.linspace(low, low + span, 5):
        marks.append(
            f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{value:.{column.digits}f}</text>"
        )
    marks.append(
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{html.escape(column.head)}</text>"
    )
    # The first method is drawn last: it is the one that is judged.
    for number, (found, shares) in reversed(list(enumerate(curves))):
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(found, shares, strict=True))
        marks.append(
            f'<polyline points="{points}" fill="none" stroke="{ink(number)}" stroke-width="1.6"/>'
        )
    return f'<svg width="{WIDTH}" height="{HEIGHT}">{"".join(marks)}</svg>'


def write_pages(results: Results, folder: Path, left_out: Sequence[str] = ()) -> None:
    """Write `summary.md`, `summary.json` and `report.html`.

    Raises
    ------
    UserError
        If one cannot be written.
    """
    files = {
        "summary.md": markdown(results, left_out),
        "summary.json": json.dumps(summary(results), indent=1) + "\n",
        "report.html": page(results, left_out),
    }
    for name, text in files.items():
        write_atomically(folder / name, text.encode())
