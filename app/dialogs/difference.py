"""Where the generated picture differs from its source."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from app.generation import Pictures
from app.theme import UNIT
from neural_assets_core.scene import Picture


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
    apart = np.abs(generated.pixels.astype(np.int16) - source.pixels)
    return apart.max(axis=2).astype(np.uint8)


class DifferenceView(QDialog):
    """Follows the finished pictures while it is open."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Difference")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pictures = pictures
        self.told = QLabel()
        plots = pg.GraphicsLayoutWidget()
        box = plots.addViewBox(lockAspect=True, invertY=True)
        self.image = pg.ImageItem(axisOrder="row-major")
        box.addItem(self.image)
        self.histogram = pg.HistogramLUTItem(self.image)
        self.histogram.gradient.loadPreset("inferno")
        plots.addItem(self.histogram)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addWidget(plots, 1)
        column.addWidget(self.told)
        self.resize(96 * UNIT, 72 * UNIT)
        pictures.generator.finished.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current result, if there is one."""
        made = self._pictures.result()
        if made is None:
            if self.image.image is None:
                self.told.setText("Generate the picture first.")
            return
        source = made.scene.background.view.picture
        if made.picture.pixels.shape != source.pixels.shape:
            self.image.clear()
            self.told.setText("The picture has another size than its source.")
            return
        values = difference(made.picture, source)
        # The same colours for the same difference, whatever the picture.
        self.image.setImage(values, levels=(0, 255))
        self.histogram.setLevels(0, 255)
        self.told.setText(
            f"{100 * np.count_nonzero(values) / values.size:.1f} % of the pixels differ from the "
            f"source, by at most {values.max()} of 255."
        )
