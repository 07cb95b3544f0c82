"""OpenEXR: linear light and metres, for compositing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.export.image import SCENE_TEXT_KEY


def linear(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB bytes as linear light in [0, 1], same shape."""
    values = np.arange(256) / 255.0
    table = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(table.astype(np.float32)[pixels])


def picture_channels(
    pixels: NDArray[np.uint8], edited: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """Channels R, G, B of a picture, and the layer `edited` with R, G, B, A.

    As usual in the format, the layer's colours are multiplied by its A.

    Parameters
    ----------
    pixels : uint8 (h, w, 3)
    edited : uint8 (h, w, 4)
        The edited objects, colours not multiplied.
    """
    alpha = edited[..., 3].astype(np.float32) / 255
    channels: dict[str, NDArray[Any]] = {"edited.A": alpha.astype(np.float16)}
    # One after the other: of a large photograph all together do not fit into memory.
    for index, name in enumerate("RGB"):
        channels[name] = linear(pixels[..., index]).astype(np.float16)
        layer = linear(edited[..., index]) * alpha
        channels[f"edited.{name}"] = layer.astype(np.float16)
    return channels


def openexr(channels: Mapping[str, NDArray[Any]], request: str | None = None) -> bytes:
    """An OpenEXR file of float16 or float32 channels (height, width) by name."""
    import OpenEXR  # Late: it is rarely needed.

    header: dict[str, Any] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
    }
    if request is not None:
        header[SCENE_TEXT_KEY] = request
    # The library writes to named files only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.exr"
        with OpenEXR.File(header, dict(channels)) as file:
            file.write(str(path))
        return path.read_bytes()
