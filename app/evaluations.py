"""Opening an evaluation's results without keeping the window waiting."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.disk_jobs import DiskJobs


class Evaluations(DiskJobs):
    """Reads results on its own thread, where the libraries for that are loaded, and shows them.

    Parameters
    ----------
    window : QWidget
    """

    _read = Signal(object, str)
    """`Results`, and what their file is called."""

    def __init__(self, window: QWidget) -> None:
        super().__init__("evaluation report", window)
        self._window = window
        self._read.connect(self._show)

    def browse(self) -> None:
        """Ask for a file of results and show it."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open an evaluation's results", "cases.parquet", "Results (*.parquet)"
        )
        if name:
            self._do(lambda: self._load(Path(name)))

    def _load(self, path: Path) -> None:
        import app.dialogs.evaluation  # noqa: F401
        from neural_assets_core.evaluation.results import read_results

        results = read_results(path)
        # The means are kept; with their intervals they take longer than a frame may.
        results.figures()
        self._tell(self._read, results, f"{path.parent.name}/{path.name}")

    def _show(self, results: object, name: str) -> None:
        from app.dialogs.evaluation import EvaluationReport
        from neural_assets_core.evaluation.results import Results

        assert isinstance(results, Results)
        EvaluationReport(results, name, self._window).show()
