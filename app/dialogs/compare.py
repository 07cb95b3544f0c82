"""Two pictures in one place, with a divider that wipes from one to the other."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.theme import UNIT, colors

STEP = 0.02
NAME_WIDTH = 280


class WipeView(QWidget):
    """Left of the divider the first picture, right of it the second.

    Dragging, the arrow keys, Home and End move the divider.

    Attributes
    ----------
    divider : float
        In [0, 1] of the pictures' width.
    """

    def __init__(self, first: QImage, second: QImage) -> None:
        super().__init__()
        self._pictures = (first, second)
        self.divider = 0.5
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Comparison")
        self.setAccessibleDescription("Arrow keys move the divider between the two pictures")

    def sizeHint(self) -> QSize:
        return self._pictures[0].size().scaled(800, 600, Qt.AspectRatioMode.KeepAspectRatio)

    def set_divider(self, divider: float) -> None:
        """Move the divider."""
        self.divider = min(max(divider, 0.0), 1.0)
        self.update()

    def frame(self) -> QRectF:
        """Where the pictures are in the widget."""
        size = self._pictures[0].size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        frame = QRectF(0, 0, size.width(), size.height())
        frame.moveCenter(QPointF(self.width() / 2, self.height() / 2))
        return frame

    def paintEvent(self, event: QPaintEvent) -> None:
        frame = self.frame()
        x = frame.left() + self.divider * frame.width()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, self._pictures[1])
        painter.setClipRect(QRectF(frame.left(), frame.top(), x - frame.left(), frame.height()))
        painter.drawImage(frame, self._pictures[0])
        painter.setClipping(False)
        # Dark and light: to be seen on any picture.
        color = QColor(colors().focus if self.hasFocus() else "white")
        for pen in (QPen(QColor(0, 0, 0, 160), 4), QPen(color, 2)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._follow(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}
        ends = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: 1.0}
        key = Qt.Key(event.key())
        if key in steps:
            self.set_divider(self.divider + steps[key])
        elif key in ends:
            self.set_divider(ends[key])
        else:
            super().keyPressEvent(event)

    def _follow(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            frame = self.frame()
            self.set_divider((event.position().x() - frame.left()) / max(frame.width(), 1))


class CompareDialog(QDialog):
    """Two results beside the work.

    Parameters
    ----------
    first, second : tuple of QImage and str
        A result and what it is called.
    parent : QWidget
    """

    def __init__(
        self, first: tuple[QImage, str], second: tuple[QImage, str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare results")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.view = WipeView(first[0], second[0])
        names = QHBoxLayout()
        names.addWidget(_name(f"Left: {first[1]}"))
        names.addStretch()
        names.addWidget(_name(f"Right: {second[1]}"))
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.addWidget(self.view, 1)
        column.addLayout(names)
        self.view.setFocus()


def _name(text: str) -> QLabel:
    label = QLabel()
    elide = Qt.TextElideMode.ElideRight
    label.setText(label.fontMetrics().elidedText(text, elide, NAME_WIDTH))
    # Names are the user's: not to be read as markup.
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
