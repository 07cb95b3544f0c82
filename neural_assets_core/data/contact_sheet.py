"""A sheet of a data set's frames with their boxes, for the eye to judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from neural_assets_core.data.dataset import AnnotatedFrame, Clips
from neural_assets_core.export.drawings import PALETTE, box_edges

TILE = 256
"""Longer side of a frame on the sheet, pixels."""
_GAP, _CAPTION = 6, 34
_BACKGROUND, _INK = (32, 32, 32), (225, 225, 225)

Element = TypeVar("Element")


def contact_sheet(clips: Clips, rows: int = 6, columns: int = 4) -> NDArray[np.uint8]:
    """Clips below each other, a few frames of each beside each other, boxes drawn over them.

    Parameters
    ----------
    clips : Clips
    rows, columns : int
        At most so many clips and frames, spread over all.

    Returns
    -------
    uint8 array (height, width, 3)

    Raises
    ------
    UserError
        If a frame cannot be read.
    """
    strips = []
    for number in spread(range(len(clips)), rows):
        clip = clips[number]
        frames = [(index, clip[index]) for index in spread(range(len(clip)), columns)]
        strips.append(_strip(f"{number}: {clip.name}", frames))
    width = max(strip.width for strip in strips)
    sheet = Image.new("RGB", (width, sum(strip.height for strip in strips)), _BACKGROUND)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return np.asarray(sheet)


def spread(items: Sequence[Element], count: int) -> list[Element]:
    """At most `count` items, evenly from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, count).round()]


def boxes_over(frame: AnnotatedFrame, side: int = TILE) -> NDArray[np.uint8]:
    """The frame's picture at `side` pixels, its boxes drawn over it, colours by object.

    A line leads from the middle of each box to its front, where its x axis leaves it.
    """
    factor = side / max(frame.image.shape[:2])
    width, height = (max(1, round(n * factor)) for n in frame.image.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(frame.image, (width, height), interpolation=method).astype(np.float64)
    camera = frame.camera.resized(width, height)
    for item in frame.objects:
        drawn = box_edges(camera, [item.box])[..., 3:] / 255.0
        picture = (1 - drawn) * picture + drawn * np.array(_colour(item.id))
    finished: NDArray[np.uint8] = picture.round().clip(0, 255).astype(np.uint8)
    for item in frame.objects:
        middle, front = camera.project(item.box.to_world(np.array([[0, 0, 0], [1, 0, 0]])))[:, :2]
        if np.isfinite([middle, front]).all():
            # OpenCV counts from the middle of the first pixel.
            ends = [tuple(int(v) for v in (at - 0.5).clip(-9999, 9999)) for at in (middle, front)]
            cv2.line(finished, *ends, _colour(item.id), 2, cv2.LINE_AA)
    return finished


def _strip(title: str, frames: list[tuple[int, AnnotatedFrame]]) -> Image.Image:
    tiles = [Image.fromarray(boxes_over(frame)) for _, frame in frames]
    height = max((tile.height for tile in tiles), default=0)
    width = max(sum(tile.width + _GAP for tile in tiles) + _GAP, TILE + 2 * _GAP)
    strip = Image.new("RGB", (width, _CAPTION + height + _GAP), _BACKGROUND)
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(12)
    draw.text((_GAP, 2), f"{title}, frames {', '.join(str(n) for n, _ in frames)}"[-110:],
              fill=_INK, font=font)  # fmt: skip
    named = {item.id: item.name for _, frame in frames for item in frame.objects}
    left = float(_GAP)
    for number, name in sorted(named.items()):
        length = draw.textlength(name, font=font)
        if left + length > width:
            break
        draw.text((left, 17), name, fill=_colour(number), font=font)
        left += length + 10
    left = _GAP
    for tile in tiles:
        strip.paste(tile, (int(left), _CAPTION))
        left += tile.width + _GAP
    return strip


def _colour(number: int) -> tuple[int, int, int]:
    return PALETTE[(number - 1) % len(PALETTE)]
