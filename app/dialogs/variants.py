"""Variants side by side, to choose one of."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
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
from app.theme import UNIT
from neural_assets_core.decoders import Generation
from neural_assets_core.scene import Picture

SIDE = 288


class VariantsDialog(QDialog):
    """Pictures of the same scene with other seeds, beside the work.

    A click, or Space on the focused one, gives the scene its seed.
    """

    def __init__(self, variants: Variants, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Variants")
        self._variants = variants
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
        blank.fill(Qt.GlobalColor.transparent)
        for index, (button, scene) in enumerate(
            zip(self.choices, self._variants.scenes, strict=True)
        ):
            seed = scene.settings.seed
            button.setIcon(blank)
            button.setText(f"Seed {seed}" + (" (now)" if index == 0 else ""))
            button.setEnabled(False)
            button.setChecked(False)
        self.again.setEnabled(False)
        self.hint.setText("Drawing …")

    def _on_made(self, index: int, generation: Generation) -> None:
        button = self.choices[index]
        button.setIcon(_shrunk(generation.picture, self.devicePixelRatioF()))
        button.setEnabled(True)
        button.setAccessibleName(button.text())

    def _on_ended(self) -> None:
        made = sum(button.isEnabled() for button in self.choices)
        self.again.setEnabled(True)
        self.hint.setText(
            "Click the one to keep; undo takes it back."
            if made == COUNT
            else f"Stopped after {made} of {COUNT}."
        )


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
