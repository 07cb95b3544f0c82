"""Small line charts with intervals as PNG files, a panel for each measure."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from neural_assets_core.evaluation.intervals import Figure

WIDTH, HEIGHT = 300, 210
"""Of a panel, pixels."""
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 26, 34
LEGEND = 24
ACROSS = 3
"""Panels in a row."""
FINE = 3
"""Drawn so many times as large, for smooth lines."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by the colour-blind too (Okabe and Ito)."""
GREY, BLACK = "#999999", "#222222"
GRID = "#e4e4e4"


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes
    ----------
    title, across : str
        Above it, and below its horizontal axis.
    higher : bool
        Whether more is better: a triangle beside the title points there.
    at : sequence of float
        Places on that axis.
    lines : dict
        By label a mean with its interval at each place, or None.
    """

    title: str
    higher: bool
    across: str
    at: Sequence[float]
    lines: Mapping[str, Sequence[Figure | None]]


def draw_chart(panels: Sequence[Panel], colours: Mapping[str, str], path: Path) -> None:
    """Panels in rows below a legend; `colours` by label, in the order of the legend."""
    columns = min(ACROSS, len(panels))
    rows = math.ceil(len(panels) / columns)
    width, height = columns * WIDTH, LEGEND + rows * HEIGHT
    page = Image.new("RGB", (FINE * width, FINE * height), "white")
    draw = ImageDraw.Draw(page)
    left = 8.0
    for label, colour in colours.items():
        _line(draw, [(left, 12), (left + 20, 12)], colour, 2)
        left += 26 + _text(draw, left + 26, 12, label, "lm") + 14
    for index, panel in enumerate(panels):
        corner = WIDTH * (index % columns), LEGEND + HEIGHT * (index // columns)
        _panel(draw, panel, colours, corner)
    page.resize((width, height), Image.Resampling.LANCZOS).save(path, optimize=True)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers, at most about so many, that enclose the range."""
    span = max(high - low, 1e-9)
    rough = span / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * f for f in (1, 2, 5, 10) if unit * f >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _panel(
    draw: ImageDraw.ImageDraw, panel: Panel, colours: Mapping[str, str], corner: tuple[int, int]
) -> None:
    known = [figure for line in panel.lines.values() for figure in line if figure is not None]
    low, high = min(f.low for f in known), max(f.high for f in known)
    # From nought, unless all lines would lie flat under the top.
    marks = ticks(low if low > high / 2 else min(0.0, low), high)
    x0, x1 = corner[0] + LEFT, corner[0] + WIDTH - RIGHT
    y0, y1 = corner[1] + TOP, corner[1] + HEIGHT - BOTTOM
    span = max(panel.at[-1] - panel.at[0], 1e-9)

    def x_of(value: float) -> float:
        return x0 + 8 + (x1 - x0 - 16) * (value - panel.at[0]) / span

    def y_of(value: float) -> float:
        return y1 - (y1 - y0) * (value - marks[0]) / (marks[-1] - marks[0])

    for mark in marks:
        _line(draw, [(x0, y_of(mark)), (x1, y_of(mark))], GRID, 1)
        _text(draw, x0 - 5, y_of(mark), f"{mark:.6g}", "rm")
    for value in panel.at[:: math.ceil(len(panel.at) / 8)]:
        _text(draw, x_of(value), y1 + 9, f"{value:g}", "mm")
    _text(draw, (x0 + x1) / 2, y1 + 23, panel.across, "mm")
    after = x0 + 10 + _text(draw, x0, corner[1] + 12, panel.title, "lm", 12)
    _triangle(draw, after, corner[1] + 12, -1 if panel.higher else 1)
    shown = [label for label in colours if label in panel.lines]
    for number, label in enumerate(shown):
        # Side by side: intervals of one place would hide each other.
        aside = 1.5 * (number - (len(shown) - 1) / 2)
        points = [
            (x_of(value) + aside, figure)
            for value, figure in zip(panel.at, panel.lines[label], strict=True)
            if figure is not None
        ]
        for x, figure in points:
            _line(draw, [(x, y_of(figure.low)), (x, y_of(figure.high))], colours[label], 1)
            _dot(draw, x, y_of(figure.mean), colours[label])
        _line(draw, [(x, y_of(figure.mean)) for x, figure in points], colours[label], 1.6)


def _line(
    draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: str, width: float
) -> None:
    fine = [(FINE * x, FINE * y) for x, y in points]
    draw.line(fine, fill=colour, width=round(FINE * width), joint="curve")


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, colour: str) -> None:
    box = [FINE * (x - 2.2), FINE * (y - 2.2), FINE * (x + 2.2), FINE * (y + 2.2)]
    draw.ellipse(box, fill=colour)


def _triangle(draw: ImageDraw.ImageDraw, x: float, y: float, down: int) -> None:
    points = [(x - 4, y - 3 * down), (x + 4, y - 3 * down), (x, y + 4 * down)]
    draw.polygon([(FINE * a, FINE * b) for a, b in points], fill=BLACK)


def _text(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, anchor: str, size: float = 10.5
) -> float:
    """Its width in pixels."""
    font = _font(FINE * size)
    draw.text((FINE * x, FINE * y), text, BLACK, font, anchor)
    return float(font.getlength(text)) / FINE


@functools.cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Unpacking it takes longer than drawing."""
    return ImageFont.load_default(size)


__all__ = ["BLACK", "COLOURS", "GREY", "Panel", "draw_chart", "ticks"]
