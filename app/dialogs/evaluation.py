"""Results of `neural-assets evaluate`: curves, means with intervals, and the cases behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT, colors
from neural_assets_core.evaluation.page import curve, ink, table, told
from neural_assets_core.evaluation.results import Column, Results

TILE = 17 * UNIT
"""Side of a picture of the chosen case, logical pixels."""
BINS = 24
SHARES, SPREAD = "Share at least so good", "Distribution"
HINT = "Click a curve to see the case there; the arrow keys go on to better and worse ones."


class CurvePlot(pg.PlotWidget):
    """One line for each method: how many cases are so good.

    Attributes
    ----------
    at : tuple of 2 str or None
        Method and case that were clicked, or reached by an arrow key.
    """

    chosen = Signal(str, str)
    """The same, when it is another one."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self._cases: dict[str, tuple[list[str], NDArray[np.float64]]] = {}
        self._lines: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        self.at: tuple[str, str] | None = None
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Curves")
        self.setAccessibleDescription("Left and right go from case to case along a curve")
        self.plotItem.hideButtons()
        self.plotItem.vb.setMouseEnabled(False, False)
        self.plotItem.vb.setDefaultPadding(0.03)
        self._mark = pg.InfiniteLine(angle=90)
        self._mark.hide()
        self.scene().sigMouseClicked.connect(lambda event: self._on_click(event.scenePos()))

    def show_lines(
        self, results: Results, column: Column, cases: Sequence[str], kind: str
    ) -> None:
        """Draw a figure of some cases, as `SHARES` or `SPREAD`."""
        scheme = colors()
        self.setBackground(scheme.field)
        self.plotItem.clear()
        for side in ("left", "bottom"):
            axis = self.plotItem.getAxis(side)
            axis.setPen(scheme.faint)
            axis.setTextPen(scheme.text)
            axis.enableAutoSIPrefix(False)
        self.plotItem.setLabel("bottom", column.head, color=scheme.text)
        self.plotItem.setLabel("left", "Share of cases, %", color=scheme.text)
        self.plotItem.showGrid(x=False, y=True, alpha=0.2)
        self._cases, self._lines = {}, {}
        found = {m: results.values(m, column.name, cases) for m in results.methods}
        every = np.concatenate(list(found.values()))
        for number, (method, values) in enumerate(found.items()):
            order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
            if order.size == 0:
                continue
            self._cases[method] = ([cases[k] for k in order], values[order])
            self._lines[method] = (
                curve(values, column.higher) if kind == SHARES else spread(values, every)
            )
            pen = pg.mkPen(ink(number), width=2)
            # The first method lies on top: it is the one that is judged.
            line = self.plotItem.plot(*self._lines[method], pen=pen, antialias=True)
            line.setZValue(-number)
        self.plotItem.addItem(self._mark, ignoreBounds=True)
        self._mark.setPen(pg.mkPen(scheme.faint, style=Qt.PenStyle.DashLine))
        self.plotItem.vb.autoRange()
        self._show_mark()

    def choose(self, method: str, case: str) -> None:
        """Mark a case on a method's curve, and tell."""
        self.at = (method, case)
        self._show_mark()
        self.chosen.emit(method, case)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        method, case = self.at or ("", "")
        names = self._cases.get(method, ([], None))[0]
        if step is None or case not in names:
            super().keyPressEvent(event)
            return
        self.choose(method, names[min(max(names.index(case) + step, 0), len(names) - 1)])

    def _on_click(self, at: QPointF) -> None:
        point = self.plotItem.vb.mapSceneToView(at)
        if not self._lines:
            return
        # The line that is nearest above or below, then its case that is nearest in value.
        heights = {m: float(np.interp(point.x(), x, y)) for m, (x, y) in self._lines.items()}
        method = min(heights, key=lambda name: abs(heights[name] - point.y()))
        names, values = self._cases[method]
        self.choose(method, names[int(np.abs(values - point.x()).argmin())])

    def _show_mark(self) -> None:
        method, case = self.at or ("", "")
        names, values = self._cases.get(method, ([], np.zeros(0)))
        self._mark.setVisible(case in names)
        if case in names:
            self._mark.setPos(float(values[names.index(case)]))


def spread(
    values: NDArray[np.float64], every: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of bins over the range of `every` (without nan), and the share of `values` in each.

    Returns
    -------
    middles, shares : arrays (BINS,)
        In the figure's unit, and in %.
    """
    counts, edges = np.histogram(
        values[~np.isnan(values)], BINS, (float(np.nanmin(every)), float(np.nanmax(every)))
    )
    return (edges[:-1] + edges[1:]) / 2, 100 * counts / max(int(counts.sum()), 1)


class EvaluationReport(QDialog):
    """Curves and means of one file of results.

    Parameters
    ----------
    results : Results
    name : str
        What the file is called.
    """

    def __init__(self, results: Results, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Evaluation report – {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._results, self._groups = results, results.groups()
        self.figure, self.group, self.kind = QComboBox(), QComboBox(), QComboBox()
        for column in results.columns:
            self.figure.addItem(column.head)
        for group, cases in self._groups.items():
            self.group.addItem(f"{group} ({len(cases)})", group)
        self.kind.addItems([SHARES, SPREAD])
        names = [column.name for column in results.columns]
        first = "object_psnr" if "object_psnr" in names else names[0]
        self.figure.setCurrentIndex(names.index(first))
        self.plot = CurvePlot()
        self.table = QTableWidget()
        self.table.setAccessibleName("Means with intervals")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().sectionClicked.connect(self._on_head)
        self.case = QLabel(HINT)
        self.case.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.pictures = QScrollArea(widgetResizable=True)
        self.pictures.setFrameShape(QScrollArea.Shape.NoFrame)
        self.pictures.setFixedHeight(TILE + 7 * UNIT)
        self._lay_out(told(results))
        for choice in (self.figure, self.group, self.kind):
            choice.currentIndexChanged.connect(self.refresh)
        self.plot.chosen.connect(self._on_chosen)
        self.resize(124 * UNIT, 88 * UNIT)
        self.refresh()
        self.plot.setFocus()

    def _lay_out(self, about: str) -> None:
        choices = QHBoxLayout()
        labels = {"&Figure": self.figure, "&Cases": self.group, "&Show": self.kind}
        for label, choice in labels.items():
            text = QLabel(label)
            text.setBuddy(choice)
            choices.addWidget(text)
            choices.addWidget(choice)
            choices.addSpacing(UNIT)
        choices.addStretch()
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        column.addWidget(QLabel(about, wordWrap=True))
        column.addLayout(choices)
        column.addWidget(self.plot, 1)
        column.addWidget(self.table)
        column.addWidget(self.case)
        column.addWidget(self.pictures)

    def refresh(self) -> None:
        """Show the chosen figure of the chosen cases."""
        group = self.group.currentData()
        column = self._results.columns[self.figure.currentIndex()]
        cases = self._groups[group]
        self.plot.show_lines(self._results, column, cases, self.kind.currentText())
        self._fill(group)
        if self.plot.at is not None:
            self._on_chosen(*self.plot.at)

    def _fill(self, group: str) -> None:
        # Methods below each other, with the colours of their curves.
        (_, *methods), figures = table(self._results, group)
        self.table.setColumnCount(1 + len(figures))
        self.table.setRowCount(len(methods))
        self.table.setHorizontalHeaderLabels(["", *(row[0] for row in figures)])
        for number, method in enumerate(methods):
            name = QTableWidgetItem(_swatch(ink(number)), method)
            name.setToolTip(self._results.methods[method])
            self.table.setItem(number, 0, name)
            for place, row in enumerate(figures, start=1):
                item = QTableWidgetItem(row[1 + number])
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.table.setItem(number, place, item)
        self.table.resizeColumnsToContents()
        self.table.resizeRowsToContents()
        rows_height = sum(self.table.rowHeight(k) for k in range(min(len(methods), 8)))
        bars = self.table.horizontalHeader().sizeHint().height() + 3 * UNIT
        self.table.setFixedHeight(rows_height + bars)
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _on_head(self, place: int) -> None:
        if 0 < place <= self.figure.count():
            self.figure.setCurrentIndex(place - 1)

    def _on_chosen(self, method: str, case: str) -> None:
        results = self._results
        row = results.of(method)[case]
        column = results.columns[self.figure.currentIndex()]
        frames = f"frames {row['source_frame']} and {row['target_frame']} of {row['clip']}"
        objects = "1 object" if row["objects"] == 1 else f"{row['objects']} objects"
        self.case.setText(
            f"Case {case}: {row['task']}, {frames}, {objects}; "
            f"{method}: {_told(row[column.name], column)}"
        )
        shown = QWidget()
        line = QHBoxLayout(shown)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(UNIT)
        for label, path in _pictures_of(results, case, column):
            line.addWidget(_tile(label, path, self.devicePixelRatioF()))
        line.addStretch()
        self.pictures.setWidget(shown)


def _pictures_of(
    results: Results, case: str, column: Column
) -> list[tuple[str, Path | None]]:
    """What each picture of a case is called, and where it lies; None if it was not kept."""
    rows: dict[str, Mapping[str, Any]] = {m: results.of(m)[case] for m in results.methods}
    row = next(iter(rows.values()))
    found = [("source", row["source"]), ("truth", row["truth"])]
    for method, own in rows.items():
        found.append((f"{method}\n{_told(own[column.name], column)}", own["picture"]))
    return [
        (label, None if path is None else results.folder / path)
        for label, path in found
        # Where no method's pictures were kept, empty frames would say nothing.
        if path is not None or any(own["picture"] for own in rows.values())
    ]


def _told(value: float, column: Column) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.{column.digits}f} {column.unit}".rstrip()


def _tile(label: str, path: Path | None, ratio: float) -> QWidget:
    picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
    picture.setFixedSize(TILE, TILE)
    pixmap = QPixmap() if path is None else QPixmap(str(path))
    if pixmap.isNull():
        picture.setText("not on disk")
    else:
        side = round(TILE * ratio)
        pixmap = pixmap.scaled(
            side,
            side,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        pixmap.setDevicePixelRatio(ratio)
        picture.setPixmap(pixmap)
    picture.setAccessibleName(label.replace("\n", ", "))
    name, _, figure = label.partition("\n")
    text = QLabel()
    metrics = text.fontMetrics()
    text.setText(f"{metrics.elidedText(name, Qt.TextElideMode.ElideLeft, TILE)}\n{figure}")
    text.setToolTip(name)
    tile = QWidget()
    column = QVBoxLayout(tile)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(UNIT // 2)
    column.addWidget(picture)
    column.addWidget(text)
    return tile


def _swatch(color: str) -> QIcon:
    pixmap = QPixmap(2 * UNIT, UNIT // 2)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)
