"""What the window around an edit is worth in a large picture.

`python -m neural_assets_core.evaluation.windows --checkpoint default --out out/windows`

The same checkpoint draws the same edits twice: in a window around the edit, as the program does,
and in the whole picture squeezed to the model's resolution. Both are put back in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from neural_assets_core.data.edits import make_edit
from neural_assets_core.data.families import SEEN
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.decoders.base import Decoder
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.decoders.window import edit_window, touched_pixels
from neural_assets_core.evaluation.benchmark import Case, case_of
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import whole_picture
from neural_assets_core.evaluation.metrics import Image, crop_bounds, psnr
from neural_assets_core.evaluation.report import Figure, interval
from neural_assets_core.model.loading import load_pipeline, placement
from neural_assets_core.preferences import Preferences

SEED = 50_001
TASKS = ("translate", "turn", "scale", "insert")
"""Edits that touch only a part of the picture, of an object that the truth shows."""
DISTANCES = (1.0, 3.0)
"""Of the camera: made scenes are composed to fill the picture, and windows with them."""
WINDOW, WHOLE, PROXY, GAIN = "window", "whole picture", "proxy alone", "window's gain"
DIGITS = {"PSNR, dB": 2, "sharpness": 3, "distance": 3}


@dataclass(frozen=True)
class Answers:
    """Edits from one distance.

    Attributes
    ----------
    rows : dict
        By way of drawing, the `figures` of each edit.
    sides : list of float
        Sides of the windows as shares of the picture's.
    """

    rows: dict[str, list[dict[str, float]]]
    sides: list[float]


def measure(
    checkpoint: str,
    pairs: int,
    size: int,
    progress: Callable[[], object] = lambda: None,
) -> dict[float, Answers]:
    """By distance of the camera, the figures of `pairs` edits with and without the window.

    Parameters
    ----------
    size : int
        Side of the pictures, pixels.

    Raises
    ------
    UserError
        If the checkpoint or the judge cannot be loaded.
    """
    # Figures do not depend on what the user prefers.
    pipeline = load_pipeline(checkpoint, *placement(Preferences()))
    judge = Judge.load(JUDGE)
    ways: dict[str, Decoder] = {
        WINDOW: NeuralDecoder(pipeline),
        WHOLE: NeuralDecoder(pipeline, whole_picture),
        PROXY: ProxyDecoder(pipeline.proxy_lifter),
    }
    out = {distance: Answers({name: [] for name in ways}, []) for distance in DISTANCES}
    for (distance, found), number in product(out.items(), range(pairs)):
        task = TASKS[number % len(TASKS)]
        case = case_of(make_edit(SEED, number, task, size, SEEN, distance=distance), "seen")
        for name, decoder in ways.items():
            drawn = decoder.generate(case.scene).picture.pixels
            found.rows[name].append(figures(case, drawn, judge))
        found.sides.append(edit_window(touched_pixels(case.scene)).side / size)
        progress()
    return out


def figures(case: Case, picture: Image, judge: Judge) -> dict[str, float]:
    """Means over the edited objects' boxes in the truth: see `PAGE`."""
    truth = case.target.image
    height, width = truth.shape[:2]
    found = []
    for region in case.regions:
        crop = crop_bounds(region, width, height)
        drawn, true = np.ascontiguousarray(picture[crop]), np.ascontiguousarray(truth[crop])
        share = sharpness(drawn) / sharpness(true)
        found.append((psnr(drawn, true), share, judge.distance(drawn, true)))
    return dict(zip(DIGITS, np.mean(found, axis=0).tolist(), strict=True))


def sharpness(picture: Image) -> float:
    """Root mean square of the Laplacian of the grey picture, in 8-bit values."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.sqrt(np.mean(cv2.Laplacian(grey, cv2.CV_32F) ** 2)))


def compare(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, Figure]]:
    """Means with intervals, and the window's gain edit by edit."""
    columns = {
        way: {metric: np.array([found[metric] for found in of]) for metric in DIGITS}
        for way, of in rows.items()
    }
    columns[GAIN] = {m: columns[WINDOW][m] - columns[WHOLE][m] for m in DIGITS}
    return {
        way: {m: figure for m, values in of.items() if (figure := interval(values)) is not None}
        for way, of in columns.items()
    }


PAGE = """# The window around the edit

Checkpoint `{checkpoint}`, {pairs} held-out edits ({tasks}) from each distance, in
pictures of {size} x {size} pixels. Inside the edited objects' boxes: PSNR; sharpness (root mean
square of the Laplacian) as a share of the truth's, 1 at best; perceptual distance, 0 at best. Means
± half of a 95 % bootstrap interval.
"""


def page(about: Mapping[str, Any], found: Mapping[float, Answers]) -> str:
    """The tables in Markdown."""
    parts = [PAGE.format(tasks=", ".join(TASKS), **about)]
    for distance, answers in found.items():
        parts.append(
            f"The camera at {distance:g} × the distance that scenes are composed for; the "
            f"window's side is {np.mean(answers.sides):.0%} of the picture's on average:\n"
        )
        lines = [["", *DIGITS], ["---"] * (1 + len(DIGITS))]
        for way, means in compare(answers.rows).items():
            lines.append([way, *(_cell(means[metric], d) for metric, d in DIGITS.items())])
        parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")
    return "\n".join(parts)


def _cell(figure: Figure, digits: int) -> str:
    return f"{figure.mean:.{digits}f} ± {(figure.high - figure.low) / 2:.{digits}f}"


def main(
    checkpoint: Annotated[
        str, typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".')
    ] = "default",
    pairs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of edits from each distance.")
    ] = 40,
    size: Annotated[
        int, typer.Option(metavar="PIXELS", min=64, help="Side of the pictures.")
    ] = 512,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets windows.md and windows.json.")
    ] = Path("out/windows"),
) -> None:
    """Figures with and without the window around the edit."""
    out.mkdir(parents=True, exist_ok=True)
    with typer.progressbar(length=pairs * len(DISTANCES), label="evaluating") as bar:
        found = measure(checkpoint, pairs, size, lambda: bar.update(1))
    about = {"checkpoint": checkpoint, "pairs": pairs, "size": size}
    text = page(about, found)
    (out / "windows.md").write_text(text)
    plain = {
        f"{distance:g}": {
            "sides": answers.sides,
            "figures": {
                way: {metric: asdict(figure) for metric, figure in means.items()}
                for way, means in compare(answers.rows).items()
            },
        }
        for distance, answers in found.items()
    }
    (out / "windows.json").write_text(json.dumps({**about, "distances": plain}, indent=2) + "\n")
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
