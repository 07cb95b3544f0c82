"""Work on the disk that the window does not wait for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal, SignalInstance

from neural_assets_core.errors import UserError

log = logging.getLogger(__name__)
_LOOK_MS = 2
_Result = TypeVar("_Result")


class DiskJobs(QObject):
    """Does jobs one after the other on a thread of its own, and answers by signal.

    What the user should know of a job that failed comes as `failed`.

    Of Qt a job may use signals and the arithmetic of `QImage`, but nothing that makes, connects or
    destroys a `QObject`, as `QImage.fromData` does inside: that takes one of Qt's locks while it
    has Python's. The window, where it disconnects a signal, has Qt's and then wants Python's: both
    would wait for ever.

    Parameters
    ----------
    name : str
        What works there, for people ("asset library").
    parent : QObject, optional
    """

    failed = Signal(str)
    """A sentence for the user."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopped = False
        # A daemon: a disk that does not answer must not keep the program from ending.
        # It starts with the first job: most windows never need most of these threads.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Finish what is to be written, and stop; whether it did in time."""
        if self._thread.ident is not None:
            self._jobs.put(None)
            self._thread.join(timeout_ms / 1000)
        self._stopped = True
        return not self._thread.is_alive()

    def _do(self, job: Callable[[], None]) -> None:
        if not self._stopped:
            self._jobs.put(job)
            if self._thread.ident is None:
                self._thread.start()

    # -- on the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except UserError as error:
                self._tell(self.failed, str(error))
            except Exception as error:
                log.exception("the %s failed", self._name)
                self._tell(self.failed, f"The {self._name} failed ({error}): try again.")

    def _tell(self, signal: SignalInstance, *values: object) -> None:
        if not self._stopped:
            signal.emit(*values)


def drawing_meanwhile(work: Callable[[], _Result]) -> _Result:
    """What `work` returns, done on a thread; until then the window is drawn, but takes no input.

    For what must be over before anything else is asked: opening and saving. A large photograph
    takes a second there. What holds for the jobs of `DiskJobs` holds for `work`.

    Raises
    ------
    Exception
        What `work` raises.
    """
    loop, timer = QEventLoop(), QTimer(interval=_LOOK_MS)
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(work)
        timer.timeout.connect(lambda: loop.quit() if made.done() else None)
        timer.start()
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        return made.result()
