"""Requests in, pictures out: the GUI thread's side of the worker."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count
from pathlib import Path

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from app.generation.timings import later
from app.generation.worker import GenerationWorker, Request
from neural_assets_core.decoders import Generation, Progress
from neural_assets_core.preferences import load_preferences
from neural_assets_core.scene import Animation, Scene, SceneObject

START_MS = 600
"""The worker begins so long after it was made: loading a decoder keeps Python from drawing, and
the window comes first. What is asked for meanwhile waits in its queue."""

TICK_MS = 500
"""How often the time left is told anew while a phase lasts."""

_STUCK: list[tuple[QThread, GenerationWorker]] = []


class Generator(QObject):
    """One request at work, at most one waiting: the latest wins.

    Parameters
    ----------
    live : bool
        False: a newer request cancels the running one, results are kept in a history.
        True, for the moments of a gesture: the running one is finished and delivered first (else
        a fast pointer would never see a picture), and nothing is kept.

    Notes
    -----
    Every request ends with one of `finished`, `failed` and `cancelled`, except that requests
    overtaken by a newer one end silently, and that nothing is said any more after `shutdown`.
    """

    progress = Signal(object)
    """`Progress` of the running request: at every phase and step, and as time goes by."""

    finished = Signal(object)
    """`Generation`."""

    failed = Signal(object, str)
    """`Scene` and a sentence for the user."""

    cancelled = Signal(object)
    """`Scene`."""

    busy_changed = Signal(bool)

    device_changed = Signal(str)
    """Where the decoder computes."""

    encoded = Signal()
    """An asset of the user's library has got tokens."""

    _run = Signal(object)
    _encode = Signal(object)

    def __init__(self, live: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._running: Request | None = None
        self._waiting: Scene | None = None
        self._stopped = False
        self._ids = count()
        self._results: dict[Scene, Generation] = {}
        # No parent: on shutdown a thread that does not stop must outlive this object.
        self._thread = QThread()
        self._thread.setObjectName("preview" if live else "generation")
        self._worker = GenerationWorker(live)
        self._worker.moveToThread(self._thread)
        self._run.connect(self._worker.run)
        self._encode.connect(self._worker.encode)
        self._worker.progressed.connect(self._on_progress)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)
        self._worker.opened.connect(self.device_changed)
        self._worker.encoded.connect(self.encoded)
        self._told: tuple[Progress, float] | None = None
        self._elapsed = 0.0
        self._ticker = QTimer(self, interval=TICK_MS)
        self._ticker.timeout.connect(self._on_tick)
        QTimer.singleShot(START_MS, self, self._begin)

    def _begin(self) -> None:
        if not self._stopped:
            self._thread.start()

    @property
    def busy(self) -> bool:
        return self._running is not None

    def result(self, scene: Scene | None) -> Generation | None:
        """The finished picture of this scene, whatever its objects were called, if there is one."""
        # While nothing is kept, as in a preview, not even the key need be made.
        known = self._results.get(drawn(scene)) if self._results and scene is not None else None
        # What was to be noted about it was told when it was made.
        return None if known is None or scene is None else replace(known, scene=scene, notes=())

    def request(self, scene: Scene) -> None:
        """Make the picture of `scene`, instead of whatever else was asked for before."""
        if self._stopped:
            return
        known = self.result(scene)
        if known is not None:
            self.cancel()
            self.finished.emit(known)
        elif self._running is None:
            self._start(scene)
        elif looks_alike(self._running.scene, scene) and not self._running.cancel.is_set():
            self._waiting = None
        else:
            self._waiting = scene
            if not self._live:
                self._running.cancel.set()

    def deliver(self, generation: Generation) -> None:
        """Take a picture that was made before, instead of whatever is asked for."""
        self._remember(generation)
        self.request(generation.scene)

    def encode(self, path: Path) -> None:
        """Have the tokens of an asset in the user's library made, once a neural decoder is open."""
        if not self._stopped:
            self._encode.emit(path)

    def cancel(self) -> None:
        """Stop what is running and forget what is waiting."""
        self._waiting = None
        if self._running is not None:
            self._running.cancel.set()

    def shutdown(self, timeout_ms: int = 10_000) -> bool:
        """Stop the worker's thread for good; later requests are not taken up.

        Returns
        -------
        stopped : bool
            False if the thread did not come back in time (a library call that cannot be
            interrupted, loading weights say). It is then left to itself; see `stuck_threads`.
        """
        self.cancel()
        self._stopped = True
        # From now on every answer is a late one.
        self._running = None
        self._ticker.stop()
        self._thread.quit()
        if self._thread.wait(timeout_ms):
            return True
        # Destroying a running QThread aborts the process, so something must keep it.
        if (self._thread, self._worker) not in _STUCK:
            _STUCK.append((self._thread, self._worker))
        return False

    # -- from the worker -------------------------------------------------------------------------

    def _start(self, scene: Scene) -> None:
        was_busy = self.busy
        self._running = Request(next(self._ids), scene)
        self._told, self._elapsed = None, 0.0
        self._run.emit(self._running)
        if not was_busy:
            self._ticker.start()
            self.busy_changed.emit(True)

    def _end(self) -> Request:
        """The running request is over; go on with the waiting one."""
        ended, self._running = self._running, None
        assert ended is not None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._start(waiting)
        else:
            self._ticker.stop()
            self.busy_changed.emit(False)
        return ended

    def _is_wanted(self, id_: int) -> bool:
        """Whether an answer is about the running request; others came too late."""
        running = self._running
        return running is not None and running.id == id_ and not running.cancel.is_set()

    def _on_progress(self, id_: int, progress: Progress) -> None:
        if self._is_wanted(id_):
            self._told = (progress, time.perf_counter())
            self._tell(progress)

    def _on_tick(self) -> None:
        if self._told is None or self._running is None or self._running.cancel.is_set():
            return
        progress, at = self._told
        if progress.left is not None:
            self._tell(later(progress, time.perf_counter() - at))

    def _tell(self, progress: Progress) -> None:
        # What the worker measured may be a little older than the last tick.
        self._elapsed = max(self._elapsed, progress.elapsed)
        self.progress.emit(replace(progress, elapsed=self._elapsed))

    def _on_finished(self, id_: int, generation: Generation) -> None:
        if not self._is_wanted(id_):
            self._on_cancelled(id_)
            return
        if not self._live:
            self._remember(generation)
        self._end()
        self.finished.emit(generation)

    def _on_failed(self, id_: int, message: str) -> None:
        if self._is_wanted(id_):
            self.failed.emit(self._end().scene, message)
        else:
            self._on_cancelled(id_)

    def _on_cancelled(self, id_: int) -> None:
        running = self._running
        if running is None or running.id != id_:
            return
        overtaken = self._waiting is not None or self.result(running.scene) is not None
        ended = self._end()
        if not overtaken:
            self.cancelled.emit(ended.scene)

    def _remember(self, generation: Generation) -> None:
        # Kept so that undo and redo show them at once; the oldest go first, never the newest.
        self._results[drawn(generation.scene)] = generation
        limit = load_preferences().memory * 2**20
        while len(self._results) > 1 and self._size() > limit:
            del self._results[next(iter(self._results))]

    def _size(self) -> int:
        return sum(kept.picture.pixels.nbytes for kept in self._results.values())


def drawn(scene: Scene) -> Scene:
    """What a picture depends on: the scene without names, categories, wireframes and keyframes."""
    objects = tuple(_seen(item, str(index)) for index, item in enumerate(scene.objects))
    return scene.model_copy(update={"objects": objects, "animation": Animation()})


def looks_alike(one: Scene, other: Scene) -> bool:
    """Whether two scenes have the same picture: what is `drawn` of them is equal.

    Objects that are the very same are not looked into: while one of fifty is dragged, that is
    asked at every move of the pointer.
    """
    pairs = zip(one.objects, other.objects, strict=False)
    return len(one.objects) == len(other.objects) and (
        all(a is b or _seen(a) == _seen(b) for a, b in pairs)
        and drawn(one.model_copy(update={"objects": ()}))
        == drawn(other.model_copy(update={"objects": ()}))
    )


def _seen(item: SceneObject, name: str = "") -> SceneObject:
    """An object as its picture depends on it."""
    return item.model_copy(update={"name": name, "category": "", "wireframe": None})


def stuck_threads() -> bool:
    """Whether a worker is still inside a call that could not be interrupted."""
    return any(thread.isRunning() for thread, _ in _STUCK)
