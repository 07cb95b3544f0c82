"""Variants side by side, to choose one of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.generation.variants import COUNT, Variants
from app.theme import UNIT, colors
from neural_assets_core.decoders import Generation
from neural_assets_core.scene import Picture

SIDE = 288
ALIKE = 2.5
"""Pictures whose pixels differ by less on average are hard to tell apart, levels of 255."""


class VariantsDialog(QDialog):
    """Pictures of the same scene with other seeds, beside the work.

    A click, or Space on the focused one, gives the scene its seed.
    """

    def __init__(self, variants: Variants, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Variants")
        self._variants = variants
        self._made: list[Picture] = []
        grid = QGridLayout()
        grid.setSpacing(UNIT)
        self.choices: list[QToolButton] = []
        for index in range(COUNT):
            button = QToolButton()
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(SIDE, SIDE))
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(lambda _=False, i=index: self._variants.choose(i))
            grid.addWidget(button, index // 2, index % 2)
            self.choices.append(button)
        self.hint = QLabel()
        self.again = QPushButton("Try &others")
        self.again.clicked.connect(self.start)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addLayout(grid)
        column.addWidget(self.hint)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignRight)
        variants.started.connect(self._on_started)
        variants.made.connect(self._on_made)
        variants.ended.connect(self._on_ended)

    def start(self) -> None:
        """Make new ones."""
        self._variants.start()

    def _on_started(self) -> None:
        blank = QPixmap(SIDE, SIDE)
        blank.fill(QColor(colors().field))
        self._made = []
        for index, (button, scene) in enumerate(
            zip(self.choices, self._variants.scenes, strict=True)
        ):
            seed = scene.settings.seed
            button.setIcon(blank)
            button.setText(f"Seed {seed}" + (" (now)" if index == 0 else ""))
            button.setEnabled(False)
            button.setChecked(False)
        self.again.setEnabled(False)
        self.hint.setText(f"Drawing 1 of {COUNT} …")

    def _on_made(self, index: int, generation: Generation) -> None:
        button = self.choices[index]
        button.setIcon(_shrunk(generation.picture, self.devicePixelRatioF()))
        button.setEnabled(True)
        button.setAccessibleName(button.text())
        self._made.append(generation.picture)
        if index + 1 < COUNT:
            self.hint.setText(f"Drawing {index + 2} of {COUNT} …")

    def _on_ended(self) -> None:
        made = sum(button.isEnabled() for button in self.choices)
        self.again.setEnabled(True)
        if made < COUNT:
            self.hint.setText(f"Stopped after {made} of {COUNT}.")
        elif _alike(self._made):
            self.hint.setText(
                "These are nearly the same: with this checkpoint and so few steps the seed "
                "changes little."
            )
        else:
            self.hint.setText("Click the one to keep; undo takes it back.")


def _alike(pictures: Sequence[Picture]) -> bool:
    first, *others = (picture.pixels.astype(np.int16) for picture in pictures)
    return all(np.abs(other - first).mean() < ALIKE for other in others)


def _shrunk(picture: Picture, ratio: float) -> QPixmap:
    height, width = picture.pixels.shape[:2]
    image = QImage(
        picture.pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888
    )
    side = round(SIDE * ratio)
    shrunk = image.scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    pixmap = QPixmap.fromImage(shrunk)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
