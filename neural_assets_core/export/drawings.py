"""Pictures about pictures: boxes drawn over nothing, before beside after."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from neural_assets_core.geometry import EDGES, Box, Camera
from neural_assets_core.geometry.rays import project_segments
from neural_assets_core.scene import Picture, Scene

PALETTE = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66),
    (0, 114, 178), (213, 94, 0), (204, 121, 167), (255, 255, 255),
)  # fmt: skip
"""Colours of objects, one after the other; told apart by colour-blind eyes too."""

_SHIFT = 4
"""Binary digits of a pixel's fraction, of OpenCV's lines."""


def difference(generated: Picture, source: Picture) -> NDArray[np.uint8]:
    """Absolute difference, the largest over the channels.

    Returns
    -------
    ndarray, shape (H, W)
        0 to 255.

    Raises
    ------
    ValueError
        If the sizes differ.
    """
    if generated.pixels.shape != source.pixels.shape:
        raise ValueError("pictures of different sizes have no difference")
    first, second, third = cv2.split(cv2.absdiff(generated.pixels, source.pixels))
    return np.asarray(cv2.max(cv2.max(first, second), third), dtype=np.uint8)


def boxes_overlay(scene: Scene) -> NDArray[np.uint8]:
    """(h, w, 4) the edges of every object's box as the scene's camera sees them."""
    return box_edges(scene.camera, [item.box for item in scene.objects])


def box_edges(camera: Camera, boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """(h, w, 4) the edges of boxes, coloured in turn by `PALETTE`; clear elsewhere."""
    colour = np.zeros((camera.height, camera.width, 3), dtype=np.uint8)
    alpha = np.zeros((camera.height, camera.width), dtype=np.uint8)
    width = max(1, round(max(camera.width, camera.height) / 400))
    for index, box in enumerate(boxes):
        corners = box.corners()
        pairs = np.asarray(EDGES)
        segments, visible = project_segments(camera, corners[pairs[:, 0]], corners[pairs[:, 1]])
        drawn = np.zeros_like(alpha)
        # Pixel centres are at + 0.5 for us, at 0 for OpenCV. Lines that leave the picture by far
        # are cut by OpenCV, in numbers that may not be too large.
        ends = np.clip((segments[visible] - 0.5) * 2**_SHIFT, -1e6, 1e6).round().astype(np.int32)
        for start, end in ends:
            cv2.line(drawn, start.tolist(), end.tolist(), 255, width, cv2.LINE_AA, _SHIFT)
        colour[drawn >= np.maximum(alpha, 1)] = PALETTE[index % len(PALETTE)]
        alpha = np.maximum(alpha, drawn)
    return np.dstack([colour, alpha])


def before_after(before: Picture, after: Picture) -> NDArray[np.uint8]:
    """(h, w, 3) two pictures side by side on white, as high as the second."""
    height = after.height
    width = max(1, round(before.width * height / before.height))
    first = Image.fromarray(before.pixels)
    if first.size != (width, height):
        first = first.resize((width, height), Image.Resampling.LANCZOS)
    size = max(12, height // 28)
    gap, head = max(4, height // 50), 2 * size
    sheet = Image.new("RGB", (width + gap + after.width, head + height), "white")
    sheet.paste(first, (0, head))
    sheet.paste(Image.fromarray(after.pixels), (width + gap, head))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size)
    for left, text in ((0, "Before"), (width + gap, "After")):
        draw.text((left + size // 4, head // 2), text, fill="#1f1f1f", font=font, anchor="lm")
    return np.asarray(sheet)
