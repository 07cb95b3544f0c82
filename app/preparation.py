"""The photograph taken apart beside the work, so that the first drag does not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer

from app.disk_jobs import DiskJobs
from app.document import Document
from neural_assets_core.proxy import prepare_photograph
from neural_assets_core.scene import Background, Scene

LATER_MS = 200
"""After a change: what is seen at once comes first."""


class Preparation(DiskJobs):
    """Prepares what the proxy needs of the open photograph and of the objects in it.

    While something is dragged it pauses: the preview makes what that needs by itself, and has the
    cores then.

    Parameters
    ----------
    document : Document
    waits : callable
        Whether the next change of the objects' masks is at hand.
    """

    def __init__(
        self, document: Document, waits: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__("preparation of the photograph", parent)
        self._waits = waits
        self._wanted: Background | None = None
        self._cancel = threading.Event()
        self._timer = QTimer(self, singleShot=True, interval=LATER_MS)
        self._timer.timeout.connect(self._begin)
        document.scene_changed.connect(self._on_scene)
        document.draft_changed.connect(self._on_draft)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Give up, and stop; whether it did in time."""
        self._timer.stop()
        self._cancel.set()
        return super().shutdown(timeout_ms)

    def _on_scene(self, scene: Scene | None) -> None:
        photograph = scene is not None and scene.settings.decoder in ("proxy", "inpainting")
        wanted = scene.background if scene is not None and photograph else None
        if wanted is self._wanted:
            return
        self._wanted = wanted
        self._cancel.set()
        if wanted is None:
            self._timer.stop()
        else:
            self._timer.start()

    def _on_draft(self, draft: Scene | None) -> None:
        if draft is not None:
            self._timer.stop()
            self._cancel.set()
        elif self._wanted is not None:
            self._timer.start()

    def _begin(self) -> None:
        if self._waits():
            self._timer.start()
        elif self._wanted is not None:
            self._cancel = threading.Event()
            self._do(partial(prepare_photograph, self._wanted, self._cancel))
