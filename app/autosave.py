"""Unsaved changes kept on disk while one works, and offered again after a crash."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QDate, QDateTime, QLocale, QObject, QTimer, Signal

from app.disk_jobs import DiskJobs
from app.document import Document
from app.files import FileCommands
from app.panels.offer_bar import Answer, Offer, OfferBar
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene
from neural_assets_core.scene.recovery import Abandoned, Sidecar, claim_abandoned

INTERVAL_MS = 20_000
"""From a change to its autosave: so much work is lost at most."""


class Autosave(DiskJobs):
    """Keeps a sidecar of the document as long as it has changes that its file does not have.

    The scene's own file is never touched. What other sessions have left is offered when the window
    opens, and when another scene is opened in it.

    Parameters
    ----------
    document : Document
    files : FileCommands
        Asks about unsaved changes before something else takes their place.
    offers : OfferBar
    parent : QObject, optional
    """

    kept = Signal()
    """The changes are on the disk, after a time in which they could not be."""

    _found = Signal(object)

    def __init__(
        self,
        document: Document,
        files: FileCommands,
        offers: OfferBar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__("autosave", parent)
        self._document, self._files, self._offers = document, files, offers
        self._sidecar = Sidecar()
        self._kept: tuple[Scene, Path | None] | None = None
        self._offered: list[Abandoned] = []
        self._told = False
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._keep)
        self._found.connect(self._offer)
        document.scene_changed.connect(self._on_change)
        document.workspace_changed.connect(self._on_change)
        document.modified_changed.connect(self._on_change)
        document.path_changed.connect(lambda path: None if path is None else self._look())
        self._look()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """The user has saved or given up everything: leave nothing behind."""
        self._timer.stop()
        self._do(self._sidecar.remove)
        stopped = super().shutdown(timeout_ms)
        for left in self._offered:
            left.release()
        return stopped

    # -- keeping ---------------------------------------------------------------------------------

    def _on_change(self) -> None:
        if self._document.modified:
            if not self._timer.isActive():
                self._timer.start()
            return
        self._timer.stop()
        if self._kept is not None:
            self._kept = None
            self._do(self._sidecar.remove)

    def _keep(self) -> None:
        scene, path = self._document.file_scene, self._document.path
        if scene is None or (scene, path) == self._kept:
            return
        self._kept = (scene, path)
        self._do(partial(self._write, scene, path))

    def _write(self, scene: Scene, path: Path | None) -> None:
        try:
            self._sidecar.write(scene, path)
        except UserError:
            # Said once: a disk that is full stays so for a while.
            if not self._told:
                self._told = True
                raise
        else:
            if self._told:
                self._told = False
                self._tell(self.kept)

    # -- recovering ------------------------------------------------------------------------------

    def _look(self) -> None:
        self._do(lambda: self._tell(self._found, claim_abandoned()))

    def _offer(self, found: list[Abandoned]) -> None:
        # The newest is shown first, that is, offered last.
        for left in reversed(found):
            self._offered.append(left)
            self._offers.offer(
                Offer(
                    str(left.path),
                    _told(left),
                    (
                        Answer("Recover", partial(self._recover, left)),
                        Answer("Discard", partial(self._discard, left)),
                    ),
                )
            )

    def _recover(self, left: Abandoned) -> None:
        self._offered.remove(left)
        try:
            if self._files.may_close():
                self._document.recover(left.scene(), left.file)
                # Only when this window keeps it the other one may go.
                self._keep()
                self._do(left.discard)
                return
        except UserError as error:
            self.failed.emit(str(error))
        self._offer([left])

    def _discard(self, left: Abandoned) -> None:
        self._offered.remove(left)
        self._do(left.discard)


def _told(left: Abandoned) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(left.saved.timestamp()))
    today = moment.date() == QDate.currentDate()
    locale = QLocale()
    time = locale.toString(moment.time(), QLocale.FormatType.ShortFormat)
    when = time if today else f"{locale.toString(moment.date(), 'd MMMM')}, {time}"
    if left.file is None:
        return f"A crash has left a scene that was never saved ({when})."
    return f"A crash has left unsaved changes to {left.file.name} ({when})."
