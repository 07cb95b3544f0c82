"""Python's cyclic garbage, collected on the GUI thread alone."""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QElapsedTimer, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication

INTERVAL_MS = 50
"""In which a worker that loads a decoder makes no more than can be looked through between frames.
"""
REST_MS = 200
"""A pointer that is where it was so long ago rests."""
OLDEST = 2
"""The generation of which a collection looks through everything."""
MANY_MODULES, MANY_OBJECTS = 20, 20_000
"""So many more modules, or any that so many objects came with, are libraries: what they made stays
for good."""


class GarbageCollector(QObject):
    """Collects garbage by a timer, in the place of Python's collections anywhere.

    Python collects on whichever thread happens to allocate. Where that is a worker, Qt objects
    of the window would be destroyed there, and both threads can wait for each other for ever:
    the worker holds a lock of Qt and wants the interpreter's, the window the other way round.

    A collection of everything waits until the pointer rests. All of them leave out what large
    libraries made when they were loaded: looking through torch alone takes a good part of a second,
    and through what a fifth of a second of its loading made longer than a frame may.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._pointer, self._rests, self._looked = QPoint(), False, QElapsedTimer()
        self._looked.start()
        self._modules = len(sys.modules)
        self._timer = QTimer(self, interval=INTERVAL_MS, timerType=Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect the oldest generation that is due, as Python would have."""
        resting = self._resting()
        more = len(sys.modules) - self._modules
        if more > MANY_MODULES or (more > 0 and gc.get_count()[0] > MANY_OBJECTS):
            self._modules += more
            gc.freeze()
        limits = gc.get_threshold()
        for generation, count in reversed(list(enumerate(gc.get_count()))):
            if count > limits[generation] and (generation < OLDEST or resting):
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Let Python collect wherever it wants to again."""
        self._timer.stop()
        gc.enable()

    def _resting(self) -> bool:
        # Not at every collection: where the screen is far away, asking takes its time.
        if self._looked.hasExpired(REST_MS):
            self._looked.restart()
            before, self._pointer = self._pointer, QCursor.pos()
            self._rests = before == self._pointer
        return self._rests and QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton
