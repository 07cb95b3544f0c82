"""How films are stored, and frames made to fit; without the libraries that store them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Quality = Literal["draft", "good", "best"]
Frame = NDArray[np.uint8]
"""(height, width, 3) sRGB."""

_CHROMA = 2
"""Colour is stored at half the size: sides must be even."""


@dataclass(frozen=True)
class Codec:
    """How a video file's frames are stored.

    Attributes
    ----------
    container, name : str
        FFmpeg's names.
    options : mapping from quality to options of the codec
    """

    container: str
    name: str
    options: dict[str, dict[str, str]]


CODECS = {
    ".mp4": Codec(
        "mp4",
        "libx264",
        {
            "draft": {"crf": "28", "preset": "veryfast"},
            "good": {"crf": "19", "preset": "medium"},
            "best": {"crf": "12", "preset": "slow"},
        },
    ),
    ".webm": Codec(
        "webm",
        "libvpx-vp9",
        {
            "draft": {"crf": "40", "b": "0", "deadline": "good", "cpu-used": "5"},
            "good": {"crf": "30", "b": "0", "deadline": "good", "cpu-used": "3"},
            "best": {"crf": "18", "b": "0", "deadline": "good", "cpu-used": "1"},
        },
    ),
}


def fitted(pixels: Frame, size: int | None, *, even: bool) -> Frame:
    """A frame scaled so that its longer side has `size` pixels, its sides even if they must.

    Without a size nothing is scaled: a row or column too many is cut off.
    """
    height, width = pixels.shape[:2]
    if size is not None:
        scale = size / max(height, width)
        height, width = (max(1, round(scale * side)) for side in (height, width))
        if even:
            height, width = (max(2, 2 * round(side / 2)) for side in (height, width))
        if (height, width) != pixels.shape[:2]:
            image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
            pixels = np.asarray(image)
    if even:
        pad = [(0, side % _CHROMA if side < _CHROMA else 0) for side in pixels.shape[:2]]
        pixels = np.pad(pixels, (*pad, (0, 0)), mode="edge")
        height, width = (side - side % _CHROMA for side in pixels.shape[:2])
        pixels = pixels[:height, :width]
    return np.ascontiguousarray(pixels)
