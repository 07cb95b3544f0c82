"""The contact sheet: best, median and worst cases, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw

from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.methods import NEURAL, TRUTH, Method
from neural_assets_core.evaluation.metrics import Image

EACH = 8
MARGIN, HEAD = 104, 16
LONGEST_LABEL = 20
SIDE = 128
"""Side of a picture on the sheet, pixels."""


def best_median_worst(values: Sequence[float], each: int = EACH) -> list[int]:
    """Indices of the highest, the middle and the lowest values, in that order."""
    order = [int(index) for index in np.argsort([-value for value in values], kind="stable")]
    if len(order) <= 3 * each:
        return order
    middle = (len(order) - each) // 2
    return [*order[:each], *order[middle : middle + each], *order[-each:]]


def contact_sheet(
    cases: Sequence[Case], values: Sequence[float], methods: Sequence[Method], path: Path
) -> None:
    """Draw the chosen cases by `values` (PSNR inside the objects, dB): source, truth, methods."""
    shown = [m for m in methods if m.name not in (TRUTH, "copy")]
    names = ["source", "truth", *("this checkpoint" if m.name == NEURAL else m.name for m in shown)]
    chosen = best_median_worst(values)
    sheet = PILImage.new("RGB", (MARGIN + SIDE * len(names), HEAD + SIDE * len(chosen)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        draw.text((MARGIN + column * SIDE + 2, 1), name[-LONGEST_LABEL:], fill="black")
    for row, index in enumerate(chosen):
        case = cases[index]
        pictures = [case.source.image, case.target.image, *(m.picture(case) for m in shown)]
        top = HEAD + row * SIDE
        for column, picture in enumerate(pictures):
            tile = PILImage.fromarray(_framed(case, picture, framed=column == 1))
            sheet.paste(tile, (MARGIN + column * SIDE, top))
        text = f"{values[index]:.1f} dB\n{case.task}\n{case.group}\n{case.name}"
        draw.text((4, top + SIDE // 2 - 24), text, fill="black")
    sheet.save(path)


def _framed(case: Case, picture: Image, *, framed: bool) -> Image:
    """The picture at `SIDE` pixels; in the truth, the judged 2D boxes are drawn."""
    shrinks = picture.shape[0] > SIDE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    tile = np.array(cv2.resize(picture, (SIDE, SIDE), interpolation=method))
    for x0, y0, x1, y1 in case.regions if framed else ():
        corners = (int(x0 * SIDE), int(y0 * SIDE)), (int(x1 * SIDE) - 1, int(y1 * SIDE) - 1)
        cv2.rectangle(tile, *corners, (255, 255, 255), 1)
    return tile
