"""The page about a run: what each task asks, its figures, charts by number of objects, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_assets_core.evaluation.beyond.chart import BLACK, COLOURS, GREY, Panel, draw_chart
from neural_assets_core.evaluation.beyond.measures import RIGHT, Row
from neural_assets_core.evaluation.beyond.suite import Suite, slots
from neural_assets_core.evaluation.beyond.summary import ALL, MEASURES, BeyondReport, head, shown
from neural_assets_core.evaluation.beyond.trials import HEADINGS, MOST, STEP, TASKS, Trial
from neural_assets_core.evaluation.composition import THERE
from neural_assets_core.evaluation.methods import CEILING, COPY, NEURAL, TRUTH, Method
from neural_assets_core.evaluation.results import Column
from neural_assets_core.evaluation.scores import UNCHANGED
from neural_assets_core.evaluation.sheet import best_median_worst, framed, paste_sheet

Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Section:
    """What the page says of a task, and the measure by which its pictures are chosen."""

    title: str
    about: str
    key: str


SECTIONS = {
    "pose": Section(
        "Does the object stand where and as its box says?",
        f"""One object moves over the ground and turns by 15 to 180°. Outline, centre and size: what
a small segmenter reads in the picture against the generator's own silhouette; an object that is
not found is off by 100 % of its size. Orientation: the truth is rendered with the object at
{HEADINGS} headings {360 // HEADINGS}° apart, none of them the true one, and the one nearest to the
picture (pixel by pixel, where any of them shows the object; a parabola between neighbours) tells
its heading. An answer that knows nothing is off by 90° on average, and right to within {RIGHT:g}°
in 8 % of cases. Background: share of pixels that changed by more than {UNCHANGED} levels, and mean
change in % of the range, outside all 2D boxes and where the truth, shadows included, is the
source's own. Other objects: mean change of their pixels that the truth leaves alone.""",
        "silhouette_iou",
    ),
    "turn": Section(
        "Does it stay itself, once round?",
        f"""One object turns in place from 0 to 360° in steps of {STEP}°. Own instance nearest: the
identity that the segmenter reads in the picture is nearer to this object's true view at that angle
than to every other turned object at every angle. Handing back the source passes: identity says
nothing about the heading, which the orientation error does, told from the turn's true views as
above. 0° against 360°: mean difference of the two pictures where the object is, of 255 levels; it
should be 0. Flicker: mean distance of a picture from the mean of its neighbours inside the object's
box; the truth has some, as {STEP}° are much. Softness lowers both likeness and flicker, and few
instances are hard to take for others: read these beside the source's figures.""",
        "orientation_error",
    ),
    "flip": Section(
        "Is the far side the far side?",
        """One object turns by 180°. Two wrong answers are rendered too: the object as it stood,
and the mirror image of the right one, its lettering reversed. Which true picture is the answer
nearest to? Things with a plane of symmetry are their own mirror images and do not count there; half
of the objects are none of these. Chance is 50 % for each of the wrong ones.""",
        "flipped",
    ),
    "collision": Section(
        "Who is in front?",
        """One object is put in front of another one, behind it, or pushed into it, a third of the
cases each. Where both are, and where it shows which one is seen: the share of pixels that are
nearer to the truth than to the picture in which the other one is seen. Both there: where the truth
shows it, either object is nearer to the truth than to the truth without it.""",
        "in_order",
    ),
    "count": Section(
        "Do copies keep their number?",
        f"""One object becomes two to eight, their 2D boxes apart. A copy is found if the
segmenter's outline overlaps the true one by {THERE:.0%} at least.""",
        "counted",
    ),
}

INTRO = """# Beyond likeness: pose, identity, symmetry, order, number

What an artist notices and PSNR does not tell, for the checkpoint `{checkpoint}` (steps {steps},
guidance {guidance:g}), on {trials} trials of suite {suite} in pictures of {size} x {size} pixels.
Every truth is the same scene rendered again with nothing but the edit changed. Scenes and object
instances are held out; a quarter of the trials has families of objects that training never sees.
Scenes have one to eight objects; the more, the smaller they are in the picture, as a rule. An
object that looks alike from sides {telling:g}° or more apart is not asked about: each edit has one
right answer, and it shows.

Means over cases ± half of a 95 % bootstrap interval. The truth's own figures say how well the
measures read; the source's, unchanged, what doing nothing gives{ceiling}.
By number of objects: [tables.md](tables.md), [figures.json](figures.json); of every case:
[cases.parquet](cases.parquet).

"""
CEILING_NOTE = ";\nthe autoencoder's copy of the truth, what is lost to softness alone"
OUTRO = """---

Made by `neural-assets evaluate --protocol beyond --checkpoint {checkpoint}{only} --size {size}`.
"""


def write_page(report: BeyondReport, telling: float, out: Path) -> None:
    """README.md, tables.md and the charts, into a folder; `draw_sheets` makes the pictures."""
    about = {**report.to_json(), "telling": telling}
    only = f" --pairs {report.trials}" if report.trials < len(slots()) else ""
    note = CEILING_NOTE if CEILING in report.labels else ""
    parts = [INTRO.format(ceiling=note, **about)]
    tables = ["# Figures by number of objects\n\nSee [README.md](README.md).\n\n"]
    for task in report.figures:
        section, columns = SECTIONS[task], MEASURES[task]
        parts.append(
            f"## {section.title}\n\n{section.about}\n\n{_markdown(overall(report, task))}\n"
        )
        parts.append(f"![{section.title} By number of objects]({task}.png)\n\n")
        _by_objects_chart(report, task, out / f"{task}.png")
        if task == "turn":
            parts.append("![The same by angle](turn-angles.png)\n\n")
            _by_angle_chart(report, out / "turn-angles.png")
        parts.append(f"![Best, median and worst trials]({task}.jpg)\n\n")
        tables.append(f"## {section.title}\n\n")
        tables += [_markdown(by_objects(report, task, column)) + "\n" for column in columns]
    (out / "README.md").write_text("".join(parts) + OUTRO.format(only=only, **about))
    (out / "tables.md").write_text("".join(tables))


def overall(report: BeyondReport, task: str) -> Table:
    """Heads and rows: a row for each method, a column for each measure."""
    columns, figures = MEASURES[task], report.figures[task]
    rows = [
        [label, *(shown(figures[c.name].get(name, {}).get(ALL), c) for c in columns)]
        for name, label in report.labels.items()
    ]
    return [task, *(head(column) for column in columns)], rows


def by_objects(report: BeyondReport, task: str, column: Column) -> Table:
    """Heads and rows: a row for each method, a column for each number of objects."""
    figures = report.figures[task][column.name]
    counts = [str(n) for n in range(TASKS[task], MOST + 1)]
    rows = [
        [label, *(shown(figures.get(name, {}).get(key), column) for key in (*counts, ALL))]
        for name, label in report.labels.items()
    ]
    return [head(column), *counts, ALL], rows


def _markdown(table: Table) -> str:
    heads, rows = table
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


# -- charts ---------------------------------------------------------------------------------------


def _colours(report: BeyondReport) -> dict[str, str]:
    """By method, in the order of the tables; the autoencoder's copy is left to them."""
    fixed = {COPY: GREY, TRUTH: BLACK}
    free = [name for name in report.labels if name not in (*fixed, CEILING)]
    own = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(free)}
    return {name: (own | fixed)[name] for name in report.labels if name in own | fixed}


def _legend(name: str) -> str:
    return {NEURAL: "checkpoint", COPY: "source unchanged"}.get(name, name)


def _by_objects_chart(report: BeyondReport, task: str, path: Path) -> None:
    counts = [str(n) for n in range(TASKS[task], MOST + 1)]
    colours = _colours(report)
    panels = [
        Panel(
            column.head,
            column.higher,
            "objects",
            [float(key) for key in counts],
            {
                _legend(name): [
                    report.figures[task][column.name].get(name, {}).get(key) for key in counts
                ]
                for name in colours
            },
        )
        for column in MEASURES[task]
    ]
    _draw(panels, colours, path)


def _by_angle_chart(report: BeyondReport, path: Path) -> None:
    colours = _colours(report)
    angles = list(range(0, 361, STEP))
    panels = [
        Panel(
            column.head,
            column.higher,
            "degrees",
            [float(angle) for angle in angles],
            {
                _legend(name): [
                    report.curves[column.name].get(name, {}).get(str(angle)) for angle in angles
                ]
                for name in colours
            },
        )
        for column in MEASURES["turn"]
        if column.name in report.curves
    ]
    _draw(panels, colours, path)


def _draw(panels: Sequence[Panel], colours: dict[str, str], path: Path) -> None:
    kept = [p for p in panels if any(f is not None for line in p.lines.values() for f in line)]
    if kept:
        draw_chart(kept, {_legend(name): colour for name, colour in colours.items()}, path)


# -- pictures -------------------------------------------------------------------------------------


def draw_sheets(
    suite: Suite, rows: Sequence[Row], methods: Sequence[Method], out: Path, each: int = 2
) -> None:
    """`TASK.jpg` with the first method's best, middle and worst trials."""
    shown_ = [m for m in methods if m.name not in (TRUTH, COPY, CEILING)]
    for task, section in SECTIONS.items():
        values: dict[str, list[float]] = {}
        for row in rows:
            if row.task == task and row.method == methods[0].name and section.key in row.figures:
                values.setdefault(row.case, []).append(row.figures[section.key])
        if not values:
            continue
        column = next(c for c in MEASURES[task] if c.name == section.key)
        means = {name: sum(found) / len(found) for name, found in values.items()}
        order = [value if column.higher else -value for value in means.values()]
        names = [list(means)[k] for k in best_median_worst(order, 1 if task == "turn" else each)]
        lines = {name: f"{name}\n{column.label}\n{means[name]:.{column.digits}f}" for name in names}
        strip = _turn_sheet if task == "turn" else _sheet
        chosen = [(suite.read(name), line) for name, line in lines.items()]
        strip(chosen, shown_, out / f"{task}.jpg")


def _sheet(chosen: Sequence[tuple[Trial, str]], methods: Sequence[Method], path: Path) -> None:
    heads = ["source", "truth", *(_legend(method.name) for method in methods)]
    rows = []
    for trial, line in chosen:
        case = trial.cases()[0]
        pictures = [case.source.image, *(method.picture(case) for method in methods)]
        first, *answers = [framed([], picture) for picture in pictures]
        rows.append((line, [first, framed(case.regions, case.target.image), *answers]))
    paste_sheet(heads, rows, path)


def _turn_sheet(chosen: Sequence[tuple[Trial, str]], methods: Sequence[Method], path: Path) -> None:
    """Of every trial the truth's turn, and below it each method's."""
    rows = []
    for trial, line in chosen:
        cases = trial.cases()
        rows.append((f"{line}\n\ntruth", [framed([], case.target.image) for case in cases]))
        for method in methods:
            tiles = [framed([], method.picture(case)) for case in cases]
            rows.append((_legend(method.name), tiles))
    paste_sheet([f"{angle}°" for angle in range(0, 361, STEP)], rows, path)


__all__ = ["SECTIONS", "by_objects", "draw_sheets", "overall", "write_page"]
