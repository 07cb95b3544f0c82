"""The only code of the studio that runs decoders, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.generation.encoding import keep_tokens
from app.generation.timings import Stopwatch, Timings
from app.turns import let_frame_pass
from neural_assets_core.decoders import (
    Cancelled,
    Decoder,
    Generation,
    Progress,
    open_decoder,
)
from neural_assets_core.decoders.base import check_cancelled
from neural_assets_core.device_faults import DeviceFault, release_memory
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import load_preferences
from neural_assets_core.scene import Scene
from neural_assets_core.scene.working import at_working_size
from neural_assets_core.yielding import yielding_to

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """A picture asked for.

    Attributes
    ----------
    id : int
        Every answer carries it.
    scene : Scene
    cancel : threading.Event
        Of this request alone: a late cancel can never hit the next one.
    """

    id: int
    scene: Scene
    cancel: threading.Event = field(default_factory=threading.Event, compare=False)


class GenerationWorker(QObject):
    """Answers one request after the other; lives on a worker thread.

    For the moments of a gesture (`live`) large pictures are drawn at a working size.

    The decoder is opened there with the first request, and kept while decoder, checkpoint and
    what computes it stay the same: weights load once, and torch is never imported on the GUI
    thread.
    """

    progressed = Signal(int, object)
    """Request id and `Progress`."""

    finished = Signal(int, object)
    """Request id and `Generation`."""

    failed = Signal(int, str)
    """Request id and a sentence for the user."""

    cancelled = Signal(int)
    """Request id."""

    opened = Signal(str)
    """Where the decoder computes ("cuda:0" or "cpu"), once its weights are loaded."""

    encoded = Signal()
    """An asset of the user's library has got tokens."""

    _more = Signal()

    def __init__(self, live: bool = False) -> None:
        super().__init__()
        self._live = live
        self._unencoded: deque[Path] = deque()
        self._more.connect(self._encode_waiting, Qt.ConnectionType.QueuedConnection)
        self._decoder: Decoder | None = None
        self._opened: tuple[object, ...] | None = None
        self._timings: defaultdict[tuple[int, int, bool], Timings] = defaultdict(Timings)

    @Slot(object)
    def run(self, request: Request) -> None:
        """Make a picture; ends with exactly one of the three closing signals, come what may."""
        fault: BaseException | None = None
        try:
            with yielding_to(let_frame_pass):
                generation = self._generate(request)
        except Cancelled:
            self.cancelled.emit(request.id)
        except DeviceFault as error:
            log.exception("the decoder was lost")
            fault = error
            self.failed.emit(request.id, str(error))
        except UserError as error:
            self.failed.emit(request.id, str(error))
        except BaseException as error:
            # A fault of the program. Even one that should end it must not leave the window
            # waiting for an answer.
            log.exception("generation failed")
            fault = error
            self.failed.emit(
                request.id,
                f"The picture could not be made ({type(error).__name__}: {error}): try once more, "
                "or look at Help > Diagnostics report.",
            )
        else:
            self.finished.emit(request.id, generation)
        if fault is not None:
            # The decoder may be in any state: the next request opens a new one.
            self._drop()
            release_memory(fault)
            # It holds this very frame, which would hold it.
            fault = None
        self._encode_waiting()

    @Slot(object)
    def encode(self, path: Path) -> None:
        """Make the tokens of an asset in the user's library, once a neural decoder is open.

        No decoder is opened for that: an asset can wait, for its crop says as much.
        """
        if path not in self._unencoded:
            self._unencoded.append(path)
        self._encode_waiting()

    @Slot()
    def _encode_waiting(self) -> None:
        if not self._unencoded or self._opened is None or self._opened[0] != "neural":
            return
        # One at a time: a picture that was asked for meanwhile comes in between.
        if keep_tokens(self._decoder, self._unencoded.popleft()):
            self.encoded.emit()
        self._more.emit()

    def _generate(self, request: Request) -> Generation:
        scene, cancel = request.scene, request.cancel
        check_cancelled(cancel)
        decoder = self._decoder_for(request)
        camera, guided = scene.camera, scene.settings.guidance != 1.0
        watch = Stopwatch(self._timings[camera.width, camera.height, guided])
        generation = decoder.generate(
            at_working_size(scene) if self._live else scene,
            progress=lambda progress: self.progressed.emit(request.id, watch.mark(progress)),
            cancel=cancel,
        )
        watch.stop()
        # The very object that was asked for, so that comparing it later costs nothing.
        return replace(generation, scene=scene)

    def _decoder_for(self, request: Request) -> Decoder:
        settings = request.scene.settings
        preferences = load_preferences()
        # The other preferences are about pictures and memory: loading weights takes seconds.
        wanted = (settings.decoder, settings.checkpoint, *preferences.computing)
        if self._decoder is None or self._opened != wanted:
            # The old weights go first: two models at once may not fit into memory.
            self._drop()
            self.progressed.emit(request.id, Progress("loading", 0, 0))
            self._decoder = open_decoder(settings, preferences)
            self._opened = wanted
            log.info("opened the %s decoder", settings.decoder)
            self.opened.emit(str(getattr(self._decoder, "device", "")))
        return self._decoder

    def _drop(self) -> None:
        """Forget the decoder, and how fast it was."""
        self._decoder = self._opened = None
        self._timings.clear()
