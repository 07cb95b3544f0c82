"""How small texts over the picture are drawn, and how large they are."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from app.viewport.strokes import Label

_WIDEST = 220.0
"""Longer texts lose their middle, pixels."""


@lru_cache(maxsize=256)
def label_size(text: str, boxed: bool = True) -> tuple[int, int]:
    """Width and height of a label, logical pixels."""
    metrics = QFontMetricsF(_font())
    pad = 6.0 if boxed else 2.0
    width = math.ceil(metrics.horizontalAdvance(_elided(metrics, text)) + 2 * pad)
    return width, math.ceil(metrics.height() + 4)


def render_label(label: Label, ratio: float) -> NDArray[np.uint8]:
    """A label as RGBA pixels (height, width, 4), for a display of `ratio` pixels per pixel."""
    font = _font()
    width, height = label_size(label.text, label.boxed)
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGBA8888)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    area = QRectF(0, 0, width, height)
    if label.boxed:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 190))
        painter.drawRoundedRect(area, 4, 4)
    painter.setPen(QColor.fromRgbF(*label.color))
    text = _elided(QFontMetricsF(font), label.text)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8)
    rows = pixels.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
    # A copy: the image's memory goes with the image.
    return rows.reshape(image.height(), image.width(), 4).copy()


def _font() -> QFont:
    font = QFont()
    font.setPixelSize(12)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _elided(metrics: QFontMetricsF, text: str) -> str:
    return metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, _WIDEST)
