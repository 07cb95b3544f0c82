"""The timeline's drawing: rows of keyframes over time, curves, and the moment that is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.document import Document
from app.theme import ACCENT, UNIT, colors
from app.timeline.rows import LOW, Row, curves_of, pose_told, rows_of
from app.timeline.timeline import Timeline
from neural_assets_core.scene import Scene
from neural_assets_core.scene.motion import SAME_MOMENT, Mark

NAMES = 19 * UNIT
"""Pixels for the names at the left."""

RULER = 3 * UNIT
HINT = "Select an object and press I: how it stands at this moment becomes a keyframe"
SYMBOLS = {"ease": "d", "linear": "o", "hold": "s"}
"""By the easing: diamond, circle, square."""

CURVE_COLORS = {
    "x": "#e0564f", "y": "#6fae3d", "z": "#4f8fe0", "heading": "#c9a227", "size": "#a879d6",
}  # fmt: skip
ON_ACCENT = "#16100a"
_KEY_SIZE = 13
_ROOM = 0.03
"""Beside the length at both ends, in lengths."""

_CURVE_MARGIN = 6.0


class _Seconds(pg.AxisItem):
    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [f"{value:g} s" for value in np.round(values, 6)]


class Plot(pg.PlotWidget):
    """Keyframes over time: seconds to the right, rows of pixels downwards.

    Attributes
    ----------
    rows : list of Row
    current : str or None
        What has the tall row with curves; an object, or None for the camera.
    """

    # The base class gets events while it is still being made.
    _built = False

    def __init__(self, document: Document, timeline: Timeline) -> None:
        super().__init__(axisItems={"top": _Seconds("top")}, enableMenu=False)
        self._document, self._timeline = document, timeline
        self.rows: list[Row] = []
        self.current: str | None = document.selection[-1] if document.selection else None
        self._scroll = 0.0
        # What is shown of time; None: all.
        self._range: tuple[float, float] | None = None
        self._shown: object = None
        # Where the selected keyframes are while they are dragged.
        self._dragged_marks: frozenset[Mark] | None = None
        self.setFrameShape(self.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(RULER + 3 * int(LOW))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        item = self.plotItem
        item.setContentsMargins(0, 0, 0, 0)
        item.layout.setContentsMargins(0, 0, 0, 0)
        item.hideButtons()
        item.showAxis("top")
        for side in ("left", "bottom"):
            item.hideAxis(side)
        item.getAxis("top").setHeight(RULER)
        box = item.vb
        box.setMouseEnabled(False, False)
        box.invertY(True)
        box.setDefaultPadding(0)
        self._after = pg.LinearRegionItem(movable=False)
        self._lines = pg.PlotCurveItem(connect="pairs")
        self._spans = pg.PlotCurveItem(connect="pairs", antialias=True)
        self._curves = {name: pg.PlotCurveItem(antialias=True) for name in CURVE_COLORS}
        self._keys = pg.ScatterPlotItem(pxMode=True, size=_KEY_SIZE)
        self._playhead = pg.InfiniteLine(angle=90)
        for part in (
            self._after, self._lines, self._spans, *self._curves.values(), self._keys,
            self._playhead,
        ):  # fmt: skip
            item.addItem(part, ignoreBounds=True)
        self._hint = pg.TextItem(HINT, anchor=(0.5, 0.5))
        item.addItem(self._hint, ignoreBounds=True)
        self.names = Names(self)
        self._built = True
        self._dress()
        document.scene_changed.connect(self.refresh)
        document.draft_changed.connect(self.refresh)
        document.selection_changed.connect(self._on_selection)
        timeline.marked_changed.connect(self.redraw)

    # -- where things are, in pixels of the view -------------------------------------------------

    def time_at(self, x: float) -> float:
        """Seconds at a horizontal position."""
        return float(self.plotItem.vb.mapSceneToView(QPointF(x, 0.0)).x())

    def position(self, time: float, row: Row) -> QPointF:
        """Where a row's keyframe of a moment is drawn."""
        return self.plotItem.vb.mapViewToScene(QPointF(time, row.middle))

    def row_at(self, y: float) -> Row | None:
        """The row at a vertical position."""
        below = y - RULER + self._scroll
        return next((r for r in self.rows if r.top <= below < r.top + r.height), None)

    @property
    def scrolled(self) -> float:
        """Pixels of rows above the first that is shown."""
        return self._scroll

    @property
    def moment(self) -> float:
        """Seconds: where the playhead is."""
        return self._timeline.player.animation.time

    # -- showing ---------------------------------------------------------------------------------

    def refresh(self, _: object = None) -> None:
        """Show the document's scene or draft; while it plays little of that changes."""
        if not self.isVisible():
            # Gestures must not pay for what nobody sees.
            return
        scene = self._document.shown_scene
        shown = None if scene is None else (scene.animation.with_fields(time=0.0), _names(scene))
        if shown == self._shown:
            self._show_moment()
        else:
            self._shown = shown
            self.redraw()

    def redraw(self) -> None:
        """Draw everything anew."""
        scene = self._document.shown_scene
        self.rows = rows_of(scene, self.current)
        self._fit()
        self._draw_keys()
        self._draw_curves()
        self._show_moment()
        self._hint.setVisible(scene is not None and not self.rows)

    def zoom(self, factor: float, about: float) -> None:
        """Show `factor` times less of time around a moment (seconds)."""
        low, high = self._span()
        low, high = (about + (end - about) / factor for end in (low, high))
        whole = self._whole()
        self._range = None if high - low >= whole[1] - whole[0] else (low, max(high, low + 0.05))
        self._fit()

    def pan(self, share: float) -> None:
        """Show what is later, by a share of what is shown."""
        if self._range is not None:
            low, high = self._range
            by = share * (high - low)
            self._range = low + by, high + by
            self._fit()

    def scroll(self, pixels: float) -> None:
        """Show rows further down."""
        self._scroll += pixels
        self.redraw()

    def choose(self, name: str | None) -> None:
        """Make a row the current one; its object is selected."""
        self.current = name
        self._document.select(() if name is None else (name,))
        self.show_current()

    def show_current(self) -> None:
        """Scroll until the current row is to be seen."""
        room = self._room()
        for row in self.rows:
            if row.name == self.current:
                self._scroll = min(max(self._scroll, row.top + row.height - room), row.top)
        self.redraw()

    def _on_selection(self, selection: tuple[str, ...]) -> None:
        if selection and self.current != selection[-1]:
            self.current = selection[-1]
            self.redraw()
            self.show_current()

    def _room(self) -> float:
        return max(self.height() - RULER, 1.0)

    def _whole(self) -> tuple[float, float]:
        ends = [row.track.keyframes[-1].time for row in self.rows]
        last = max([self._timeline.player.length, *ends])
        return -_ROOM * last, (1 + _ROOM) * last

    def _span(self) -> tuple[float, float]:
        return self._whole() if self._range is None else self._range

    def _fit(self) -> None:
        room = self._room()
        below = self.rows[-1].top + self.rows[-1].height if self.rows else 0.0
        self._scroll = min(max(self._scroll, 0.0), max(below - room, 0.0))
        self.plotItem.vb.setRange(
            xRange=self._span(), yRange=(self._scroll, self._scroll + room), padding=0
        )
        length = self._timeline.player.length
        self._after.setRegion((length, 2 * length + 2 * LOW * length))
        low, high = self._span()
        ends = [row.top + row.height for row in self.rows]
        self._lines.setData(np.tile([low - 1e4, high + 1e4], len(ends)), np.repeat(ends, 2))
        self._hint.setPos(0.5 * (low + high), 0.5 * room)
        self.names.update()

    def _draw_keys(self) -> None:
        scheme = colors()
        marks = self._timeline.marked if self._dragged_marks is None else self._dragged_marks
        x, y, symbols, brushes, spans = [], [], [], [], []
        for row in self.rows:
            keys = row.track.keyframes
            spans += [(keys[0].time, row.middle), (keys[-1].time, row.middle)]
            for key in keys:
                marked = any(n == row.name and abs(t - key.time) < SAME_MOMENT for n, t in marks)
                x.append(key.time)
                y.append(row.middle)
                symbols.append(SYMBOLS[key.easing])
                brushes.append(pg.mkBrush(ACCENT if marked else scheme.text))
        places = np.array(spans).reshape(-1, 2)
        self._spans.setData(places[:, 0], places[:, 1])
        self._keys.setData(
            x=x, y=y, symbol=symbols, brush=brushes, pen=pg.mkPen(scheme.field, width=1)
        )

    def _draw_curves(self) -> None:
        row = self.current_row()
        shown = {} if row is None else {curve.name: curve for curve in curves_of(row.track)}
        for name, item in self._curves.items():
            curve = shown.get(name)
            if curve is None or row is None:
                item.setData([], [])
            else:
                low = row.top + row.height - _CURVE_MARGIN
                high = row.top + LOW + _CURVE_MARGIN
                item.setData(curve.times, low + (high - low) * curve.heights)

    def current_row(self) -> Row | None:
        """The row with curves, if what is current moves."""
        return next((row for row in self.rows if row.name == self.current), None)

    def _show_moment(self) -> None:
        self._playhead.setValue(self.moment)
        self.viewport().update(0, 0, self.width(), RULER)
        self.names.update()

    # -- looks -----------------------------------------------------------------------------------

    def _dress(self) -> None:
        scheme = colors()
        self.setBackground(scheme.field)
        axis = self.plotItem.getAxis("top")
        axis.setPen(scheme.line)
        axis.setTextPen(scheme.faint)
        shade = QColor(scheme.line)
        shade.setAlpha(110)
        self._after.setBrush(shade)
        for line in self._after.lines:
            line.setPen(pg.mkPen(scheme.faint))
        self._lines.setPen(scheme.line)
        span = QColor(scheme.faint)
        span.setAlpha(120)
        # These pens count the display's own pixels.
        ratio = self.devicePixelRatioF()
        self._spans.setPen(pg.mkPen(span, width=3 * ratio))
        for name, item in self._curves.items():
            item.setPen(pg.mkPen(CURVE_COLORS[name], width=1.5 * ratio))
        self._playhead.setPen(pg.mkPen(ACCENT, width=2 * ratio))
        self._hint.setColor(scheme.faint)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """The playhead's flag on the ruler."""
        super().drawForeground(painter, rect)
        if not self._built:
            return
        x = self.plotItem.vb.mapViewToScene(QPointF(self.moment, 0.0)).x()
        text = f"{self.moment:.2f} s"
        width = painter.fontMetrics().horizontalAdvance(text) + UNIT
        flag = QRectF(x - width / 2, 2, width, RULER - 4)
        flag.moveLeft(min(max(flag.left(), 0.0), self.width() - width))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ACCENT))
        painter.drawRoundedRect(flag, 4, 4)
        painter.setPen(QColor(ON_ACCENT))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._built and event.type() == QEvent.Type.PaletteChange:
            self._dress()
            self.redraw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._built:
            self.redraw()


class Names(QWidget):
    """What the rows are called, and the numbers of the current one at the moment shown."""

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self._plot = plot
        self.setFixedWidth(NAMES)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self._plot.row_at(event.position().y())
        if row is not None:
            self._plot.choose(row.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        plot, scheme = self._plot, colors()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(scheme.field))
        painter.setClipRect(QRectF(0, RULER, self.width(), self.height() - RULER))
        for row in plot.rows:
            top = RULER + row.top - plot.scrolled
            area = QRectF(UNIT, top, self.width() - 2 * UNIT, LOW)
            current = row.name == plot.current
            if current:
                painter.fillRect(
                    QRectF(0, top, self.width(), row.height - 1), QColor(scheme.selected)
                )
            painter.setPen(QColor(scheme.text))
            text = painter.fontMetrics().elidedText(
                row.title, Qt.TextElideMode.ElideRight, int(area.width())
            )
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(QColor(scheme.line))
            end = int(top + row.height) - 1
            painter.drawLine(0, end, self.width(), end)
            if current:
                self._paint_numbers(painter, row, top + LOW)

    def _paint_numbers(self, painter: QPainter, row: Row, top: float) -> None:
        scheme = colors()
        changing = {curve.name for curve in curves_of(row.track)}
        font = painter.font()
        font.setPointSizeF(0.85 * font.pointSizeF())
        painter.save()
        painter.setFont(font)
        high = (row.height - LOW - UNIT // 2) / 3
        told = pose_told(row.track, self._plot.moment)
        for index, (name, text) in enumerate(told.items()):
            left = UNIT + (self.width() / 2 - UNIT // 2) * (index // 3)
            area = QRectF(left + 9, top + high * (index % 3), self.width() / 2, high)
            if name in changing:
                painter.fillRect(
                    QRectF(left, area.center().y() - 2, 6, 4), QColor(CURVE_COLORS[name])
                )
            painter.setPen(QColor(scheme.text if name in changing else scheme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


def _names(scene: Scene) -> tuple[str, ...]:
    return tuple(item.name for item in scene.objects)
