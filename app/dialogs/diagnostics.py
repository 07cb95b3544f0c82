"""The diagnostics report, to be read before it is given away."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT
from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically

NAME = "neural-assets-report.txt"


class DiagnosticsReport(QDialog):
    """Shows a text, copies and saves it.

    Parameters
    ----------
    text : str
        As `app.diagnostics.report` gives it.
    """

    failed = Signal(str)
    """Why the file could not be written."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Diagnostics report")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        told = QLabel(
            "Versions, settings and the last lines of the log, without paths, file names or the "
            "names of user and computer. Nothing is sent: read it, then copy or save it.",
            wordWrap=True,
        )
        self.text = QPlainTextEdit(text, readOnly=True)
        self.text.setAccessibleName("Diagnostics report")
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(self._on_copy)
        self.save = buttons.addButton("&Save …", QDialogButtonBox.ButtonRole.ActionRole)
        self.save.clicked.connect(self._on_save)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(UNIT)
        for widget in (told, self.text, buttons):
            column.addWidget(widget)
        self.resize(96 * UNIT, 72 * UNIT)
        self.copy.setFocus()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy.setText("Copied")

    def _on_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the report", str(Path.home() / NAME), "Text (*.txt)"
        )
        if not name:
            return
        try:
            write_atomically(Path(name), self.text.toPlainText().encode())
        except UserError as error:
            self.failed.emit(str(error))
