"""Models that tell shapes, masks and further objects of the photograph, on a thread."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.dialogs.estimate import EstimateDialog, EstimateRequest
from app.disk_jobs import DiskJobs
from app.document import Document
from neural_assets_core.decoders import Cancelled
from neural_assets_core.decoders.base import check_cancelled
from neural_assets_core.errors import UserError
from neural_assets_core.estimators import (
    ModelSource,
    download_model,
    find_model,
    open_estimator,
    registered,
    with_model_masks,
    with_proposals,
    with_relief,
)
from neural_assets_core.estimators.registry import Kind
from neural_assets_core.estimators.sources import look_up
from neural_assets_core.scene import Scene

LATER_MS = 200


class Estimates(DiskJobs):
    """Asks which models to use, asks before downloading, and makes one undo entry of the outcome.

    Parameters
    ----------
    document : Document
    place : QWidget
        In whose window the dialog stands.
    """

    _looked = Signal(object)
    _done = Signal(object, object, str)
    _stopped_early = Signal()

    def __init__(
        self, document: Document, place: QWidget, parent: QObject | None = None
    ) -> None:
        super().__init__("estimate", parent)
        self._document, self._place = document, place
        self._dialog: EstimateDialog | None = None
        self._request = EstimateRequest("", "", False, 0)
        self._sources: list[ModelSource] = []
        self._cancel = threading.Event()
        self._looked.connect(self._on_looked)
        self._done.connect(self._on_done)
        self._stopped_early.connect(lambda: self._end("Stopped."))
        self.failed.connect(self._end)

    @property
    def dialog(self) -> EstimateDialog:
        """Made when it is first wanted."""
        if self._dialog is None:
            self._dialog = EstimateDialog(self._place.window())
            self._dialog.wanted.connect(self._on_wanted)
            self._dialog.allowed.connect(self._start)
            self._dialog.stopped.connect(self._stop)
        return self._dialog

    def open(self) -> None:
        """Show the dialog beside the work."""
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Stop; what is being estimated is given up."""
        self._cancel.set()
        return super().shutdown(timeout_ms)

    # -- one after the other -----------------------------------------------------------------------

    def _on_wanted(self, request: EstimateRequest) -> None:
        self._request, self._cancel = request, threading.Event()
        self.dialog.begin("Looking for the models …")
        self._do(self._look)

    def _look(self) -> None:
        """On the thread: which models are here, and what the Hub says about the others."""
        sources = []
        wanted: tuple[tuple[Kind, str], ...] = (
            ("depth", self._request.depth), ("masks", self._request.masks),
        )  # fmt: skip
        for kind, name in wanted:
            if not name or name.partition(":")[0] in registered(kind):
                continue
            try:
                sources.append(find_model(name))
            except UserError as error:
                if "not on this machine" not in str(error):
                    raise
                sources.append(look_up(name))
        self._tell(self._looked, sources)

    def _on_looked(self, sources: list[ModelSource]) -> None:
        self._sources = sources
        missing = [source for source in sources if source.folder is None]
        if self._cancel.is_set():
            self._end("Stopped.")
        elif missing:
            self.dialog.ask_to_download("\n".join(source.told() for source in missing))
        else:
            self._start()

    def _start(self) -> None:
        scene, request, cancel = self._document.scene, self._request, self._cancel
        if scene is None:
            self._end("Open a scene first.")
            return
        told = "\n".join(source.told() for source in self._sources)
        self.dialog.begin(f"Estimating …\n{told}")
        self._do(lambda: self._work_on(scene, request, cancel))

    def _work_on(self, scene: Scene, request: EstimateRequest, cancel: threading.Event) -> None:
        """On the thread: fetch what may be fetched, and estimate."""
        try:
            for source in self._sources:
                check_cancelled(cancel)
                if source.folder is None:
                    download_model(source.name)
            result, note = _estimated(scene, request, cancel)
        except Cancelled:
            self._tell(self._stopped_early)
        else:
            self._tell(self._done, scene, result, note)

    def _on_done(self, before: Scene, after: Scene, note: str) -> None:
        if self._document.scene is not self._document.shown_scene:
            # Another scene now would take what is being dragged out of the hand.
            QTimer.singleShot(LATER_MS, self, lambda: self._on_done(before, after, note))
        elif self._cancel.is_set():
            self._end("Stopped.")
        elif self._document.scene is not before:
            self._end("The scene was changed meanwhile: estimate once more.")
        else:
            self._document.push(after, "Estimate with models")
            self._end(note)

    def _stop(self) -> None:
        self._cancel.set()
        self._end("Stopped.")

    def _end(self, text: str) -> None:
        if self._dialog is not None:
            self._dialog.end(text)


def _estimated(
    scene: Scene, request: EstimateRequest, cancel: threading.Event
) -> tuple[Scene, str]:
    """The scene with what the models told, and a sentence about it."""
    picture, count = scene.background.view.picture, len(scene.objects)
    names = [item.name for item in scene.objects]
    depth = open_estimator("depth", request.depth)(picture) if request.depth else None
    check_cancelled(cancel)
    notes = []
    if request.masks:
        proposer = open_estimator("masks", request.masks)
        if request.cut_out:
            for name in names:
                check_cancelled(cancel)
                scene = with_model_masks(scene, [name], proposer)
            notes.append(f"{count} objects cut out")
        if request.propose:
            scene = with_proposals(scene, proposer, depth, request.propose, cancel)
            notes.append(f"{len(scene.objects) - count} further objects")
    if depth is not None:
        check_cancelled(cancel)
        scene = with_relief(scene, [item.name for item in scene.objects], depth)
        shaped = sum(item.appearance.relief is not None for item in scene.objects)
        notes.append(f"{shaped} of {len(scene.objects)} objects with a shape")
    return scene, f"{', '.join(notes)}."
