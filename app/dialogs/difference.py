"""Where the generated picture differs from its source."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from app.disk_jobs import DiskJobs
from app.generation import Pictures
from app.theme import UNIT, colors
from neural_assets_core.export.drawings import difference
from neural_assets_core.scene import Picture

MOST = 99.5
"""Percentile of the differences that gets the brightest colour: a few stray pixels do not count."""

LEAST_RANGE = 8
"""Differences under this are not stretched further: noise shall not look like an edit."""


def bright_level(values: NDArray[np.uint8]) -> float:
    """The difference that gets the brightest colour: most of the picture's, at least 8."""
    return max(float(np.percentile(values, MOST)), LEAST_RANGE)


def describe(values: NDArray[np.uint8]) -> str:
    """How many pixels differ and by how much, as a sentence."""
    changed, most = np.count_nonzero(values), int(values.max())
    if not changed:
        return "The picture is the same as its source, pixel by pixel."
    share = 100 * changed / values.size
    told = f"{share:.1f} %" if share >= 0.1 else "Less than 0.1 %"
    full = bright_level(values)
    return (
        f"{told} of the pixels differ from the source, by at most {most} of 255. "
        f"The brightest colour means {full:.0f} or more."
    )


class _Comparison(DiskJobs):
    """Compares pictures on its own thread: large ones take longer than a frame may."""

    compared = Signal(object, object, float, str)
    """The pair, its (H, W) difference, what gets the brightest colour, and `describe`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__("comparison of pictures", parent)
        self.wanted: tuple[Picture, Picture] | None = None

    def compare(self, pair: tuple[Picture, Picture]) -> None:
        """Compare two pictures, instead of whatever was to be compared before."""
        self.wanted = pair
        self._do(lambda: self._compare(pair))

    def _compare(self, pair: tuple[Picture, Picture]) -> None:
        if pair is self.wanted:
            values = difference(*pair)
            self._tell(self.compared, pair, values, bright_level(values), describe(values))


class DifferenceView(QDialog):
    """Follows the picture of the current scene while it is open."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Difference")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pictures = pictures
        self._comparison = _Comparison(self)
        self._comparison.compared.connect(self._show)
        self.finished.connect(lambda: self._comparison.shutdown(0))
        self.told = QLabel(wordWrap=True)
        scheme = colors()
        plots = pg.GraphicsLayoutWidget()
        plots.setBackground(scheme.field)
        box = plots.addViewBox(lockAspect=True, invertY=True, enableMenu=False)
        self.image = pg.ImageItem(axisOrder="row-major")
        box.addItem(self.image)
        self.histogram = pg.HistogramLUTItem(self.image)
        self.histogram.gradient.loadPreset("inferno")
        # The colours say what they mean; they are not for editing.
        self.histogram.gradient.showTicks(False)
        self.histogram.vb.setMenuEnabled(False)
        for line in self.histogram.region.lines:
            line.setPen(scheme.faint)
            line.setHoverPen(scheme.text)
        # Two lines tell the range: a block of colour would say something of its own.
        self.histogram.region.setBrush(None)
        self.histogram.region.setHoverBrush(None)
        self.histogram.axis.setPen(scheme.faint)
        self.histogram.axis.setTextPen(scheme.text)
        self.histogram.axis.setLabel("Difference, of 255", color=scheme.text)
        plots.addItem(self.histogram)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addWidget(plots, 1)
        column.addWidget(self.told)
        self.resize(96 * UNIT, 72 * UNIT)
        pictures.picture_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current scene's result; while there is none, the last one stays."""
        made = self._pictures.result()
        if made is None:
            if self.image.image is None:
                self.told.setText("Generate the picture first.")
            return
        source = made.scene.background.view.picture
        wanted = self._comparison.wanted
        if wanted is not None and wanted[0] is made.picture and wanted[1] is source:
            # A gesture changes the viewport's picture many times a second, but not the result.
            return
        if made.picture.pixels.shape != source.pixels.shape:
            self._comparison.wanted = None
            self.image.clear()
            self.told.setText("The picture has another size than its source.")
            return
        self._comparison.compare((made.picture, source))

    def _show(
        self, pair: tuple[Picture, Picture], values: NDArray[np.uint8], bright: float, told: str
    ) -> None:
        if pair is not self._comparison.wanted:
            return
        levels = (0, bright)
        self.image.setImage(values, levels=levels)
        self.histogram.setLevels(*levels)
        self.histogram.setHistogramRange(0, max(int(values.max()), LEAST_RANGE))
        # Nearly all pixels are the same: their bar may leave the plot, that the others are seen.
        _, counts = self.image.getHistogram()
        if counts is not None:
            self.histogram.vb.setXRange(0, counts[1:].max(initial=1))
        self.told.setText(told)


def show_difference(pictures: Pictures, parent: QWidget) -> None:
    """Open the view, or bring the open one to the front."""
    view = parent.findChild(DifferenceView) or DifferenceView(pictures, parent)
    view.show()
    view.raise_()
    view.activateWindow()
