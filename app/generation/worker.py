"""The only code of the studio that runs decoders, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from neural_assets_core.decoders import (
    Cancelled,
    Decoder,
    Progress,
    open_decoder,
)
from neural_assets_core.decoders.base import check_cancelled
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene

log = logging.getLogger(__name__)


class GenerationWorker(QObject):
    """Answers one request after the other; lives on a worker thread.

    The decoder is opened there with the first request, and kept while decoder and checkpoint
    stay the same: weights load once, and torch is never imported on the GUI thread.
    """

    progressed = Signal(object)
    """`Progress`."""

    finished = Signal(object)
    """`Generation`."""

    opened = Signal(str)
    """Where the decoder computes ("cuda:0" or "cpu"), once its weights are loaded."""

    failed = Signal(str)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._decoder: Decoder | None = None
        self._opened: tuple[str, str] | None = None

    @Slot(object, object)
    def run(self, scene: Scene, cancel: threading.Event) -> None:
        """Make the picture of `scene`; ends with exactly one of the three closing signals."""
        try:
            check_cancelled(cancel)
            decoder = self._decoder_for(scene)
            generation = decoder.generate(scene, progress=self.progressed.emit, cancel=cancel)
        except Cancelled:
            self.cancelled.emit()
        except UserError as error:
            self.failed.emit(str(error))
        except Exception as error:
            # A fault of the program (or out of memory): tell, log, and stay usable. The decoder
            # may be in any state, so the next request opens a new one.
            log.exception("generation failed")
            self._decoder = self._opened = None
            self.failed.emit(f"The picture could not be made ({type(error).__name__}: {error}).")
        else:
            # The very object that was asked for, so that comparing it later costs nothing.
            self.finished.emit(replace(generation, scene=scene))

    def _decoder_for(self, scene: Scene) -> Decoder:
        wanted = (scene.settings.decoder, scene.settings.checkpoint)
        if self._decoder is None or self._opened != wanted:
            # The old weights go first: two models at once may not fit into memory.
            self._decoder = self._opened = None
            self.progressed.emit(Progress("loading the decoder", 0, 0))
            self._decoder = open_decoder(scene.settings)
            self._opened = wanted
            self.opened.emit(str(getattr(self._decoder, "device", "")))
        return self._decoder

