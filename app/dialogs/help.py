"""The shortcuts sheet and the about box."""

from __future__ import annotations

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.actions import COMMANDS, plain, shortcut_text
from app.theme import UNIT

POINTER = (
    ("Click, Shift+click", "Select a box, add to the selection"),
    ("Drag a box", "Move it along the ground"),
    ("Wheel, middle drag", "Zoom, pan the picture"),
    ("Ctrl, Shift while dragging", "Snap, a tenth of the speed"),
    ("Arrow keys", "Nudge the selection"),
    ("Ctrl, Shift with arrow keys", "Nudge ten times, a tenth as far"),
    ("X, Y, Z while moving", "Along one axis"),
    ("Enter or click, Esc or right click", "Confirm a move, take it back"),
)


class ShortcutsSheet(QDialog):
    """All keys and pointer gestures on one page."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * UNIT)
        grid.setVerticalSpacing(UNIT // 2)
        keys = [(shortcut_text(command), plain(command.text)) for command in COMMANDS]
        for row, (key, text) in enumerate([pair for pair in keys if pair[0]] + list(POINTER)):
            label = QLabel(key)
            label.setProperty("role", "heading")
            grid.addWidget(label, row, 0)
            grid.addWidget(QLabel(text), row, 1)
        page = QWidget()
        page.setLayout(grid)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(page)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(scroll)
        column.addWidget(buttons)
        self.resize(page.sizeHint().width() + 8 * UNIT, 600)


def show_about(parent: QWidget) -> None:
    """Say what the program is."""
    QMessageBox.about(
        parent,
        "About Neural Assets Studio",
        "<p><b>Neural Assets Studio</b></p>"
        "<p>Move, turn and scale the objects of a photograph by their 3D boxes.</p>"
        f"<p>Qt {qVersion()}</p>",
    )
