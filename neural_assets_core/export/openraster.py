"""OpenRaster: a layered picture that Krita, GIMP and MyPaint open."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neural_assets_core.export.image import MERGED, encoded
from neural_assets_core.scene.container import add_entry

THUMBNAIL_SIDE = 256


@dataclass(frozen=True)
class RasterLayer:
    """A layer.

    Attributes
    ----------
    name : str
    pixels : uint8 (h, w, 3) or (h, w, 4)
        Not multiplied by the fourth channel, the opacity.
    left, top : int
        Where in the picture they begin.
    visible : bool
        Whether programs show it at first.
    """

    name: str
    pixels: NDArray[np.uint8]
    left: int = 0
    top: int = 0
    visible: bool = True


def openraster(
    layers: Sequence[RasterLayer], merged: NDArray[np.uint8], request: str | None = None
) -> bytes:
    """An OpenRaster file.

    Parameters
    ----------
    layers : sequence of RasterLayer
        The lowest first.
    merged : uint8 (height, width, 3)
        What the visible ones give together.
    request : str, optional
        JSON of the scene, kept in the merged picture's metadata.
    """
    height, width = merged.shape[:2]
    picture = Image.fromarray(merged)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    stack = []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # First and stored: programs know the format by the file's first bytes.
        add_entry(archive, "mimetype", b"image/openraster")
        for index, layer in enumerate(layers):
            source = f"data/layer{index}.png"
            add_entry(archive, source, encoded(Image.fromarray(layer.pixels), ".png"))
            stack.append(
                f"<layer name={quoteattr(_legal(layer.name))} src={quoteattr(source)} "
                f'x="{layer.left}" y="{layer.top}" opacity="1.0" '
                f'visibility="{"visible" if layer.visible else "hidden"}" '
                'composite-op="svg:src-over"/>'
            )
        listed = "\n".join(reversed(stack))
        document = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<image version="0.0.3" w="{width}" h="{height}">\n'
            f"<stack>\n{listed}\n</stack>\n</image>\n"
        )
        add_entry(archive, "stack.xml", document.encode(), zipfile.ZIP_DEFLATED)
        add_entry(archive, MERGED, encoded(picture, ".png", request))
        add_entry(archive, "Thumbnails/thumbnail.png", encoded(small, ".png"))
    return buffer.getvalue()


def _legal(name: str) -> str:
    """The name without the characters that XML has no way to write."""
    return "".join(c for c in name if c.isprintable())
