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
    rows = []
    for index in best_median_worst(values):
        case = cases[index]
        pictures = [case.source.image, case.target.image, *(m.picture(case) for m in shown)]
        tiles = [framed(case.regions if k == 1 else [], x) for k, x in enumerate(pictures)]
        label = f"{values[index]:.1f} dB\n{case.task}\n{case.group}\n{case.name}"
        rows.append((label, tiles))
    paste_sheet(names, rows, path)


def paste_sheet(
    names: Sequence[str], rows: Sequence[tuple[str, Sequence[Image]]], path: Path
) -> None:
    """Write a sheet of rows, each a label and a tile of `SIDE` pixels under each name."""
    sheet = PILImage.new("RGB", (MARGIN + SIDE * len(names), HEAD + SIDE * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        draw.text((MARGIN + column * SIDE + 2, 1), name[-LONGEST_LABEL:], fill="black")
    for number, (label, tiles) in enumerate(rows):
        top = HEAD + number * SIDE
        for column, tile in enumerate(tiles):
            sheet.paste(PILImage.fromarray(tile), (MARGIN + column * SIDE, top))
        draw.text((4, top + SIDE // 2 - 24), label, fill="black")
    sheet.save(path)


def framed(regions: Sequence[tuple[float, float, float, float]], picture: Image) -> Image:
    """The picture at `SIDE` pixels, with 2D boxes (fractions) drawn over it."""
    shrinks = picture.shape[0] > SIDE
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    tile = np.array(cv2.resize(picture, (SIDE, SIDE), interpolation=method))
    for x0, y0, x1, y1 in regions:
        corners = (int(x0 * SIDE), int(y0 * SIDE)), (int(x1 * SIDE) - 1, int(y1 * SIDE) - 1)
        cv2.rectangle(tile, *corners, (255, 255, 255), 1)
    return tile
