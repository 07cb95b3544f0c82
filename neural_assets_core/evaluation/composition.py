"""How well objects go from picture to picture, and whether copies of one keep their number.

`python -m neural_assets_core.evaluation.composition --checkpoint default --out out/composition`
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image as PILImage

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.edits import Edit, heading, make_edit, stands, stepped_back
from neural_assets_core.data.families import SEEN
from neural_assets_core.data.frames import scene_from_frame
from neural_assets_core.data.made import render_frames
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, compose
from neural_assets_core.data.placing import upright
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import Case, case_of
from neural_assets_core.evaluation.judge import JUDGE, Judge, Region
from neural_assets_core.evaluation.methods import COPY, LABELS, LIFTED, NEURAL, PROXY, line_up
from neural_assets_core.evaluation.metrics import Image, crop_bounds, psnr, silhouette_iou, ssim
from neural_assets_core.evaluation.report import Figure, interval

SEED = 60_001
TASKS = ("insert", "replace", "remove", "background")
COPIES = 8
DISTANCE = 1.8
"""How much further the camera stands back for the copies to find room."""
THERE = 0.5
"""Least overlap (IoU) of what the judge outlines with the copy that the truth shows there."""
SHOWN, AREA = 0.6, 0.002
"""Least visible share of every copy, and of the picture that it covers: the judge can tell."""
ATTEMPTS = 200

Pictures = Mapping[str, Callable[[Case], Image]]


@dataclass(frozen=True)
class Count:
    """Of a case with `COPIES` copies, how many are there, by way of drawing; and the truth's."""

    found: Mapping[str, int]
    truth: int


def likeness(
    ways: Pictures, cases: int, size: int, progress: Callable[[], object]
) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """By task and way of drawing, PSNR (dB) and SSIM inside the edited objects' boxes.

    `remove` is judged where the object was.
    """
    out: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for task in TASKS:
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(cases):
            case = case_of(make_edit(SEED, number, task, size, SEEN), "seen")
            for name, draw in ways.items():
                rows[name].append(_likeness(case, draw(case)))
            progress()
        out[task] = rows
    return out


def _likeness(case: Case, picture: Image) -> tuple[float, float]:
    truth = case.target.image
    height, width = truth.shape[:2]
    crops = [crop_bounds(region, width, height) for region in case.regions]
    pairs = [(np.ascontiguousarray(picture[c]), np.ascontiguousarray(truth[c])) for c in crops]
    found = np.mean([(psnr(*pair), ssim(*pair)) for pair in pairs], axis=0)
    return float(found[0]), float(found[1])


# -- copies -------------------------------------------------------------------------------------


def counts(
    ways: Pictures, judge: Judge, cases: int, size: int, progress: Callable[[], object]
) -> tuple[list[Count], list[tuple[Case, Image]]]:
    """How many copies each picture shows, and the first ways' pictures to look at."""
    out, seen = [], []
    for number in range(cases):
        case = case_of(make_copies(number, size), "seen")
        pictures = {name: draw(case) for name, draw in ways.items()}
        found = {name: copies_there(case, picture, judge) for name, picture in pictures.items()}
        out.append(Count(found, copies_there(case, case.target.image, judge)))
        seen.append((case, next(iter(pictures.values()))))
        progress()
    return out, seen


def copies_there(case: Case, picture: Image, judge: Judge) -> int:
    """How many of the edited objects the judge finds where the truth has them; see `THERE`."""
    readings = judge.read(picture, case.regions)
    return sum(
        silhouette_iou(reading.silhouette, truth) >= THERE
        for reading, truth in zip(readings, case.silhouettes(), strict=True)
    )


def make_copies(
    number: int, size: int, copies: int = COPIES, families: Sequence[str] = SEEN
) -> Edit:
    """A picture of one object, and the same with `copies` of it whose 2D boxes stand apart.

    Parameters
    ----------
    number : int
        The same number, the same edit.
    size : int
        Side of the pictures, pixels.
    copies : int
        With the first one.
    families : sequence of str
        Of the object.

    Raises
    ------
    UserError
        If no scene has room for them.
    """
    for attempt in range(ATTEMPTS):
        # None of these words may be zero: trailing zeros do not change a seed sequence.
        words = (SEED, SPLITS["heldout"], 1 + number, 1 + attempt)
        first, second = np.random.SeedSequence(words).spawn(2)
        plan = _alone(stepped_back(compose(first, "heldout", "copies", 1, families, piled=0.0),
                                   DISTANCE))
        many = _spread(plan, copies, np.random.default_rng(second))
        edit = None if many is None else _rendered(number, plan, many, size)
        if edit is not None:
            return edit
    raise UserError(f"No scene has room for {copies} copies that can be seen: raise ATTEMPTS.")


def _alone(plan: ClipPlan) -> ClipPlan:
    """The first object of the plan by itself."""
    return replace(
        plan,
        objects=plan.objects[:1],
        names=plan.names[:1],
        positions=plan.positions[:, :1],
        rotations=plan.rotations[:, :1],
    )


def _spread(plan: ClipPlan, copies: int, rng: np.random.Generator) -> ClipPlan | None:
    """The plan with copies of its object all around, turned at random."""
    item, reach = plan.objects[0], 6.0 * float(plan.objects[0].size[:2].max())
    for _ in range(60 * copies):
        if len(plan.objects) == copies:
            return plan
        position = plan.positions[0, 0] + reach * math.sqrt(float(rng.random())) * heading(rng)
        rotation = upright(float(rng.uniform(-math.pi, math.pi)))
        if not stands(plan, None, item, position, rotation):
            continue
        plan = replace(
            plan,
            objects=(*plan.objects, item),
            names=(*plan.names, f"{plan.names[0]} {len(plan.objects) + 1}"),
            positions=np.concatenate([plan.positions, position[None, None]], axis=1),
            rotations=np.concatenate([plan.rotations, rotation[None, None]], axis=1),
        )
    return None


def _rendered(number: int, one: ClipPlan, many: ClipPlan, size: int) -> Edit | None:
    source, target = (render_frames(plan, [0], size)[0] for plan in (one, many))
    if not all(_is_shown(target, k) for k in range(len(many.objects))) or not _is_shown(source, 0):
        return None
    if any(_overlap(a.region, b.region) for a, b in combinations(target.objects, 2)):
        return None
    scene = scene_from_frame(source)
    name = source.objects[0].name
    for item in target.objects[1:]:
        scene = scene.duplicated(name, item.box)
    edited = tuple(item.id for item in target.objects)
    return Edit("duplicate", f"duplicate-{number:04d}", scene, source, target, edited)


def _is_shown(frame: AnnotatedFrame, k: int) -> bool:
    item = frame.objects[k]
    return item.visible_fraction >= SHOWN and float((frame.mask == item.id).mean()) >= AREA


def _overlap(a: Region, b: Region) -> bool:
    """Whether two 2D boxes (left, top, right, bottom) have points in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# -- the page -------------------------------------------------------------------------------------

PAGE = """# Objects from picture to picture

Checkpoint `{checkpoint}`, {cases} held-out edits of each kind at {size} x {size} pixels, steps
{steps}, guidance {guidance:g}. The truth is the very scene rendered with that edit. Inside the
edited objects' boxes (of removed ones, where they were): PSNR in dB and SSIM, means ± half of a
95 % bootstrap interval. Doing nothing is handing back the source.
"""

COUNTED = """
## Counting

One object becomes {copies}, their 2D boxes apart: do {copies} objects stand there? A copy counts
if a small segmenter's outline overlaps the true one by {there:.0%} at least; it misreads the
truth too. {cases} cases.

| | all {copies} there | copies there, mean |
|---|--:|--:|
"""


def page(
    about: Mapping[str, Any],
    found: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    counted: Sequence[Count],
) -> str:
    """The tables in Markdown."""
    lines = [PAGE.format(**about)]
    names = list(next(iter(found.values())))
    heads = [_label(name) for name in names]
    lines.append("| PSNR / SSIM | " + " | ".join(heads) + " |")
    lines.append("|---" * (1 + len(names)) + "|")
    for task, rows in found.items():
        cells = [_cell(np.array(rows[name])) for name in names]
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    lines.append(COUNTED.format(copies=COPIES, there=THERE, **about))
    tallies = {_label(name): [c.found[name] for c in counted] for name in counted[0].found}
    tallies["the truth, as the segmenter reads it"] = [c.truth for c in counted]
    rows_ = [
        f"| {label} | {np.mean(np.equal(tally, COPIES)):.0%} | {np.mean(tally):.2f} |"
        for label, tally in tallies.items()
    ]
    return "\n".join(lines).rstrip() + "\n" + "\n".join(rows_) + "\n"


def _label(name: str) -> str:
    return "doing nothing" if name == COPY else LABELS.get(name, name)


def _cell(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    parts = []
    for column, digits in ((0, 2), (1, 3)):
        figure = interval(values[:, column])
        assert figure is not None
        half = (figure.high - figure.low) / 2
        parts.append(f"{figure.mean:.{digits}f} ± {half:.{digits}f}")
    return " / ".join(parts)


def _figures(values: Sequence[tuple[float, float]]) -> dict[str, Figure | None]:
    columns = np.array(values)
    return {"psnr": interval(columns[:, 0]), "ssim": interval(columns[:, 1])}


def sheet(seen: Sequence[tuple[Case, Image]], path: Path, rows: int = 4) -> None:
    """Source, picture and truth of the first cases of copies, one row each."""
    tiles = [
        np.concatenate([case.source.image, picture, case.target.image], axis=1)
        for case, picture in seen[:rows]
    ]
    PILImage.fromarray(np.concatenate(tiles)).save(path, quality=85)


def main(
    checkpoint: Annotated[
        str,
        typer.Option(metavar="PATH[@STEPS[,G]]", help='A folder, or "default".'),
    ] = "default",
    cases: Annotated[int, typer.Option(metavar="N", min=1, help="Edits of each kind.")] = 100,
    size: Annotated[int, typer.Option(metavar="PIXELS", min=64, help="Side of pictures.")] = 192,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets README.md, figures.json and copies.jpg.")
    ] = Path("out/composition"),
) -> None:
    """Inserted, replaced, removed objects, swapped backgrounds, and copies that are counted."""
    out.mkdir(parents=True, exist_ok=True)
    lineup = line_up([checkpoint])
    drawn = lineup.ways
    ways = {name: drawn[name] for name in (NEURAL, LIFTED, PROXY, COPY) if name in drawn}
    judge = Judge.load(JUDGE)
    with typer.progressbar(length=cases * (len(TASKS) + 1), label="evaluating") as bar:
        found = likeness(ways, cases, size, lambda: bar.update(1))
        counted, seen = counts(ways, judge, cases, size, lambda: bar.update(1))
    about = {
        "checkpoint": checkpoint, "cases": cases, "size": size,
        "steps": lineup.settings.steps, "guidance": lineup.settings.guidance,
    }
    text = page(about, found, counted)
    (out / "README.md").write_text(text + "\n![Copies: source, picture, truth](copies.jpg)\n")
    sheet(seen, out / "copies.jpg")
    plain = {
        task: {
            name: {key: figure and asdict(figure) for key, figure in _figures(values).items()}
            for name, values in rows.items()
        }
        for task, rows in found.items()
    }
    figures = {**about, "likeness": plain, "counts": [asdict(count) for count in counted]}
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
