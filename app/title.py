"""The window's title: what is open, and while nobody sees the window, how far its picture is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QMainWindow

from app.document import Document
from app.generation.generator import Generator
from app.panels.generation_panel import describe
from neural_assets_core.decoders import Progress

TITLE = "Neural Assets Studio"


class Title(QObject):
    """Keeps a window's title in step with its document and its generator."""

    def __init__(self, window: QMainWindow, document: Document, generator: Generator) -> None:
        super().__init__(window)
        self._window, self._document = window, document
        self._progress: Progress | None = None
        document.scene_changed.connect(self._show)
        document.path_changed.connect(self._show)
        document.modified_changed.connect(self._show)
        generator.progress.connect(self._on_progress)
        generator.busy_changed.connect(lambda _: self._on_progress(None))
        window.installEventFilter(self)
        self._show()

    def _on_progress(self, progress: Progress | None) -> None:
        self._progress = progress
        self._show()

    def _show(self) -> None:
        text = TITLE
        if self._document.scene is not None:
            path = self._document.path
            text = f"{path.name if path else self._document.stem}[*] — {TITLE}"
        # In sight, the status bar and the panel tell; a title that flickers is a nuisance.
        if self._progress is not None and self._window.isMinimized():
            text = f"{describe(self._progress)} — {text}"
        self._window.setWindowTitle(text)
        self._window.setWindowModified(self._document.modified)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowStateChange:
            self._show()
        return False
