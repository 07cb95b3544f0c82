"""From the rows' figures to a page with its tables, a sheet of pictures, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw

from neural_assets_core.evaluation.benchmark import Case, fingerprint
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.evaluation.report import Figure, interval
from neural_assets_core.evaluation.scores import METRICS
from neural_assets_core.files import write_atomically
from neural_assets_core.rivals.comparison import Comparison, Row
from neural_assets_core.rivals.rows import answers
from neural_assets_core.training.config import TrainingConfig

COLUMNS = (
    "object_psnr", "object_ssim", "object_distance", "psnr", "ssim", "silhouette_iou",
    "centroid_error", "background_change",
)
"""Of `METRICS`, those on the page."""
MAIN = "object_psnr"

SHOWN_PER_TASK = 2
SIDE, HEAD, MARGIN = 112, 16, 64
"""Of a picture on the sheet, of its heads and of its labels, pixels."""
QUALITY = 88


@dataclass(frozen=True)
class RowFigures:
    """A finished row.

    Attributes
    ----------
    row : Row
    trained : dict
        As `train_row` returns it.
    figures : list of dict
        By case.
    """

    row: Row
    trained: dict[str, Any]
    figures: list[dict[str, float]]

    def values(self, metric: str) -> NDArray[np.float64]:
        """A metric's value in each case; nan where it has none."""
        return np.array([case[metric] for case in self.figures], dtype=np.float64)


def write_tables(
    name: str,
    comparison: Comparison,
    rows: Sequence[RowFigures],
    cases: Sequence[Case],
    base: TrainingConfig,
    out: Path,
) -> Path:
    """Write the page, which is returned, and its JSON and sheet of pictures."""
    sheet = contact_sheet(comparison, rows, cases, out)
    # As a JPEG: it is meant for a page.
    sheet.save(out / f"{name}.jpg", quality=QUALITY)
    path = out / f"{name.upper()}.md"
    write_atomically(path, page(name, comparison, rows, cases, base).encode())
    content = {
        "title": comparison.title,
        "cases": len(cases),
        "fingerprint": fingerprint(cases),
        "steps": comparison.steps,
        "guidance": comparison.guidance,
        "rows": [
            {
                "name": found.row.name,
                "label": found.row.label,
                "changes": found.row.changes,
                "trained": {k: v for k, v in found.trained.items() if k != "config"},
                "figures": {
                    metric: asdict(figure)
                    for metric in METRICS
                    if metric in found.figures[0]
                    and (figure := interval(found.values(metric))) is not None
                },
            }
            for found in rows
        ],
    }
    write_atomically(out / f"{name}.json", (json.dumps(content, indent=1) + "\n").encode())
    return path


def page(
    name: str,
    comparison: Comparison,
    rows: Sequence[RowFigures],
    cases: Sequence[Case],
    base: TrainingConfig,
) -> str:
    """The tables in Markdown."""
    size, stage = cases[0].target.image.shape[0], base.decoder
    limit = f"{stage.minutes:g} minutes"
    if stage.steps < 10**6:
        limit += f" or {stage.steps} steps, whichever is less"
    missing = len(comparison.rows) - len(rows)
    parts = [
        f"# {comparison.title}\n",
        f"{comparison.text.strip()}\n",
        f"Every trained row: the same clips, batches of {stage.batch_size * stage.accumulation} "
        f"pairs, pictures of {base.model.sample_size} x {base.model.sample_size} pixels, {limit} "
        f"of one processor core or GPU. {len(cases)} edits of the benchmark of "
        f"`neural-assets evaluate` ({', '.join(comparison.tasks)}), at {size} x {size} pixels; "
        f"{comparison.steps} steps, guidance {comparison.guidance:g}, seed 0. Means ± half of a "
        "95 % bootstrap interval over the edits; one training run a row, so that differences "
        "within about a decibel may be chance.\n",
        *([f"{missing} rows are not finished yet.\n"] if missing else []),
        _markdown(*figure_table(comparison, rows)),
        "PSNR inside the edited objects' boxes by task, dB:\n",
        _markdown(*task_table(comparison, rows, cases)),
        f"![]({name}.jpg)\n",
    ]
    return "\n".join(parts)


def figure_table(
    comparison: Comparison, rows: Sequence[RowFigures]
) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: all figures, the gain over the reference, and what training took."""
    reference = next((found for found in rows if found.row.name == comparison.reference), None)
    labels = [
        f"{METRICS[name].label}, {METRICS[name].unit}".removesuffix(", ") for name in COLUMNS
    ]
    heads = ["", *labels, "gain, dB", "pairs seen", "minutes"]
    out = []
    for found in rows:
        gain = None
        if reference is not None and found is not reference:
            gain = interval(found.values(MAIN) - reference.values(MAIN))
        trained = found.trained
        out.append(
            [
                found.row.label,
                *(_cell(interval(found.values(c)), METRICS[c].digits) for c in COLUMNS),
                "–" if gain is None else f"{gain.mean:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})",
                f"{trained['pairs']:,}" if trained else "–",
                f"{trained['minutes']:.1f}" if trained else "–",
            ]
        )
    return heads, out


def task_table(
    comparison: Comparison, rows: Sequence[RowFigures], cases: Sequence[Case]
) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: PSNR inside the objects, a column a task."""
    tasks = [task for task in comparison.tasks if any(case.task == task for case in cases)]
    which = {task: np.array([case.task == task for case in cases]) for task in tasks}
    digits = METRICS[MAIN].digits
    out = [
        [found.row.label, *(_cell(interval(found.values(MAIN)[which[t]]), digits) for t in tasks)]
        for found in rows
    ]
    return ["", *(f"{task} ({int(which[task].sum())})" for task in tasks)], out


def _cell(figure: Figure | None, digits: int) -> str:
    if figure is None:
        return "–"
    return f"{figure.mean:.{digits}f} ± {(figure.high - figure.low) / 2:.{digits}f}"


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def contact_sheet(
    comparison: Comparison,
    rows: Sequence[RowFigures],
    cases: Sequence[Case],
    out: Path,
) -> PILImage.Image:
    """The first cases of each task: source, truth, and what every row made of it."""
    chosen = [
        case
        for task in comparison.tasks
        for case in [case for case in cases if case.task == task][:SHOWN_PER_TASK]
    ]
    # The source unchanged is the first column.
    shown = [found.row for found in rows if found.row.method != "copy"]
    names = ["source", "truth", *(row.name for row in shown)]
    sheet = PILImage.new("RGB", (MARGIN + SIDE * len(names), HEAD + SIDE * len(chosen)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        draw.text((MARGIN + column * SIDE + 2, 1), name, fill="black")
    for number, case in enumerate(chosen):
        drawn = [
            _picture(answers(row, comparison, cases, out) / f"{case.name}.png") for row in shown
        ]
        top = HEAD + number * SIDE
        draw.text((3, top + SIDE // 2 - 6), case.task, fill="black")
        for column, picture in enumerate([case.source.image, case.target.image, *drawn]):
            method = cv2.INTER_AREA if picture.shape[0] > SIDE else cv2.INTER_CUBIC
            tile = cv2.resize(picture, (SIDE, SIDE), interpolation=method)
            sheet.paste(PILImage.fromarray(tile), (MARGIN + column * SIDE, top))
    return sheet


def _picture(path: Path) -> Image:
    with PILImage.open(path) as opened:
        return np.asarray(opened.convert("RGB"))
