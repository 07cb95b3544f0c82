"""A page of what works and what does not: pictures and figures of edits that are hard.

`python -m neural_assets_core.evaluation.hard_cases --checkpoint default --out resources/hard_cases`
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from neural_assets_core.evaluation.benchmark import Case, case_of
from neural_assets_core.evaluation.hard_edits import KINDS, make_hard_edit
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import COPY, LIFTED, NEURAL, PROXY, TRUTH, line_up
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.evaluation.report import interval, shown
from neural_assets_core.evaluation.scores import METRICS, scores
from neural_assets_core.evaluation.sheet import best_median_worst
from neural_assets_core.geometry import EDGES, Box, Camera
from neural_assets_core.scene import GenerationSettings

CASES = 8
SIZE = 256
"""Side of the pictures that are made, pixels."""
SIDE, GAP, TEXT = 160, 4, 18
"""Sides of the tiles on the page, the gaps between them and the height of a line, pixels."""
QUALITY = 80
"""Of the JPEG files."""
GOOD, FAIR = 20.0, 17.0
"""Object-level PSNR, dB: what the scoreboard asks of a checkpoint, and twice that error."""
HEADS = {
    COPY: "source",
    LIFTED: "proxy alone",
    PROXY: "proxy alone",
    NEURAL: "checkpoint",
    TRUTH: "truth",
}


@dataclass(frozen=True)
class Result:
    """One case, the picture of each method, and what it scored.

    Attributes
    ----------
    pictures, figures : dict
        By method; figures by the names of `scores.METRICS`.
    """

    case: Case
    pictures: Mapping[str, Image]
    figures: Mapping[str, Mapping[str, float]]


def measure(
    checkpoint: str,
    cases: int = CASES,
    size: int = SIZE,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, list[Result]]:
    """Results by kind of edit: the source unchanged, the proxy alone, and the checkpoint.

    Raises
    ------
    UserError
        If the checkpoint or the judge cannot be loaded.
    """
    ways = line_up([checkpoint]).ways
    names = (COPY, LIFTED if LIFTED in ways else PROXY, NEURAL, TRUTH)
    judge = Judge.load(JUDGE)
    out: dict[str, list[Result]] = {name: [] for name in KINDS}
    for kind, number in product(KINDS, range(cases)):
        edit = make_hard_edit(kind, number, size)
        case = case_of(edit, kind)
        pictures = {name: ways[name](case) for name in names}
        figures = {
            name: scores(case, picture, judge.read(picture, case.regions), judge)
            for name, picture in pictures.items()
        }
        figures[TRUTH] = {k: v for k, v in figures[TRUTH].items() if METRICS[k].judged}
        out[kind].append(Result(case, pictures, figures))
        progress()
    return out


# -- the page -------------------------------------------------------------------------------------

INTRO = """# What works and what does not

Edits that are hard in one way each, {cases} of every kind, made by the checkpoint
`{checkpoint}` (steps {steps}, guidance {guidance:g}, seed {seed}) in pictures of {size} x {size}
pixels. Scenes and object instances are held out: neither training nor the benchmark has any of
them. The truth is the same scene rendered again with nothing but the edit changed.

"""
HEADINGS = (
    "kind of edit", "verdict", "source", "proxy", "checkpoint", "above the proxy", "outline",
    "outline, truth",
)
LEGEND = """
Source, proxy, checkpoint: PSNR in dB inside the edited objects' target boxes, for the source
handed back, for the geometric proxy alone, and for the checkpoint; then by how much the
checkpoint is above the proxy, case by case. Outline: how well the objects' outlines in the
checkpoint's picture, as a small segmenter reads them, cover the true ones (intersection over
union); beside it the same for the truth itself, as the segmenter makes mistakes too. All are means
± half of a 95 % bootstrap interval.

A kind **works** if the checkpoint's PSNR is at least {good:g} dB, the scoreboard's limit, and
works **in part** from {fair:g} dB, twice that squared error.

The best, the middle and the worst case of each kind are shown. Under each picture is its PSNR
inside the edited objects' boxes. The second column shows these boxes before (white) and after the
edit (yellow), with arrows to where the objects face. All figures of all cases are in
[figures.json](figures.json).

"""
SECTION = """## {title}

{about}

![{title}: source, proxy, checkpoint and truth of three cases]({name}.jpg)

"""
OUTRO = """---

Made by `python -m neural_assets_core.evaluation.hard_cases --checkpoint {checkpoint} --out {out}`.
"""
VERDICTS = ("does not", "**in part**", "**works**")


def write_page(results: Mapping[str, Sequence[Result]], out: Path, checkpoint: str) -> None:
    """README.md, a strip of pictures for each kind, and figures.json, into the folder `out`."""
    everything = [result for found in results.values() for result in found]
    picture = everything[0].case.target.image
    parts = [
        INTRO.format(
            cases=len(everything) // len(results),
            checkpoint=checkpoint,
            size=picture.shape[0],
            **GenerationSettings().model_dump(include={"steps", "guidance", "seed"}),
        ),
        _line(HEADINGS) + _line(["---"] * len(HEADINGS)),
        *(table_row(KINDS[name].title, found) for name, found in results.items()),
        LEGEND.format(good=GOOD, fair=FAIR),
    ]
    for name, found in results.items():
        strip(found).save(out / f"{name}.jpg", quality=QUALITY, optimize=True)
        kind = KINDS[name]
        parts.append(SECTION.format(title=kind.title, about=kind.about, name=name))
    parts.append(OUTRO.format(checkpoint=checkpoint, out=out))
    (out / "README.md").write_text("".join(parts))
    figures = {result.case.name: result.figures for result in everything}
    (out / "figures.json").write_text(json.dumps(_rounded(figures)) + "\n")


def table_row(title: str, results: Sequence[Result]) -> str:
    """The figures of one kind of edit, and what they say."""

    def column(method: str, metric: str = "object_psnr") -> NDArray[np.float64]:
        return np.array([result.figures[method][metric] for result in results])

    outline = "silhouette_iou"
    proxy = LIFTED if LIFTED in results[0].figures else PROXY
    psnr = column(NEURAL)
    verdict = VERDICTS[sum(float(psnr.mean()) >= limit for limit in (FAIR, GOOD))]
    cells = [
        title,
        verdict,
        *(shown(interval(column(name)), "object_psnr") for name in (COPY, proxy, NEURAL)),
        shown(interval(psnr - column(proxy)), "object_psnr"),
        *(shown(interval(column(name, outline)), outline) for name in (NEURAL, TRUTH)),
    ]
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def strip(results: Sequence[Result]) -> PILImage.Image:
    """The best, the middle and the worst case, a row each: source, request, answers, truth."""
    chosen = best_median_worst([result.figures[NEURAL]["object_psnr"] for result in results], 1)
    source, *answers = results[0].pictures
    columns = [source, "the edit", *answers]
    width, height = SIDE + GAP, SIDE + TEXT
    page = PILImage.new("RGB", (width * len(columns) - GAP, TEXT + height * len(chosen)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for column, name in enumerate(columns):
        left = column * width
        draw.text((left + 1, 1), HEADS.get(name, name), "black", font)
        for row, result in enumerate(results[index] for index in chosen):
            top = TEXT + row * height
            picture = result.pictures.get(name)
            tile = _request(result.case) if picture is None else _tile(picture)
            page.paste(PILImage.fromarray(tile), (left, top))
            psnr = result.figures.get(name, {}).get("object_psnr")
            if psnr is not None:
                draw.text((left + 1, top + SIDE), f"{psnr:.1f} dB", "black", font)
    return page


def _tile(picture: Image) -> Image:
    method = cv2.INTER_AREA if picture.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.array(cv2.resize(picture, (SIDE, SIDE), interpolation=method), dtype=np.uint8)


def _request(case: Case) -> Image:
    """The source as a tile, with the edited objects' boxes before and after."""
    tile = _tile(case.source.image)
    for frame, colour in ((case.source, (255, 255, 255)), (case.target, (255, 200, 0))):
        camera = frame.camera.resized(SIDE, SIDE)
        for item in frame.objects:
            if item.id in case.edited:
                _draw_box(tile, camera, item.box, colour)
    return tile


def _draw_box(tile: Image, camera: Camera, box: Box, colour: tuple[int, int, int]) -> None:
    """Its edges, and an arrow on the ground from its middle to where it faces."""
    corners = box.corners()
    middle, front = corners[[0, 2, 4, 6]].mean(axis=0), corners[[4, 6]].mean(axis=0)
    tip = middle + 1.6 * (front - middle)
    bits = 4  # sub-pixel bits of the lines
    points = camera.project(np.vstack([corners, middle, tip]))[:, :2] - 0.5
    at = np.round(points * 2**bits).astype(np.int32).tolist()
    for start, end in EDGES:
        cv2.line(tile, at[start], at[end], colour, 1, cv2.LINE_AA, bits)
    cv2.arrowedLine(tile, at[8], at[9], colour, 1, cv2.LINE_AA, bits, 0.3)


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Four digits, and no entry for what does not apply."""
    return {
        name: _rounded(value) if isinstance(value, Mapping) else round(value, 4)
        for name, value in figures.items()
        if isinstance(value, Mapping) or not np.isnan(value)
    }


def main(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Gets the page and its pictures.")],
    checkpoint: Annotated[
        str, typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".')
    ] = "default",
    cases: Annotated[int, typer.Option(metavar="N", min=1, help="Of each kind of edit.")] = CASES,
    size: Annotated[
        int, typer.Option(metavar="PIXELS", min=64, help="Side of the pictures.")
    ] = SIZE,
) -> None:
    """Make the page of what works and what does not."""
    out.mkdir(parents=True, exist_ok=True)
    with typer.progressbar(length=cases * len(KINDS), label="evaluating") as bar:
        results = measure(checkpoint, cases, size, lambda: bar.update(1))
    write_page(results, out, checkpoint)
    typer.echo(f"{out / 'README.md'}: {cases} cases each of {len(KINDS)} kinds of edits")


if __name__ == "__main__":
    typer.run(main)
