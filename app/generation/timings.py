"""How long a picture will still take, from how long the last ones took."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import replace
from statistics import median

from neural_assets_core.decoders import Progress
from neural_assets_core.decoders.base import PHASES, STEPPED_PHASE

REMEMBERED = 5
"""Measurements of each phase; older ones no longer count."""


class Timings:
    """Seconds that the phases of one decoder's pictures took lately.

    For pictures of one kind: the same size, with or without guidance.
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )

    def add(self, phase: str, seconds: float) -> None:
        """Remember that a phase (one step, of the one that has steps) took so long."""
        self._seconds[phase].append(seconds)

    def left(self, progress: Progress) -> float | None:
        """Seconds until the picture is there; None while a phase to come was never measured."""
        if progress.phase not in PHASES:
            return None
        coming = PHASES[PHASES.index(progress.phase) :]
        if any(not self._seconds[phase] for phase in coming):
            return None
        rounds = {STEPPED_PHASE: progress.steps - progress.step}
        return sum(rounds.get(phase, 1) * median(self._seconds[phase]) for phase in coming)


class Stopwatch:
    """Measures one picture phase by phase.

    Parameters
    ----------
    timings : Timings
        What was measured before, and where the new measurements go.
    """

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._started = self._since = time.perf_counter()
        self._phase = ""

    def mark(self, progress: Progress) -> Progress:
        """The phase before has ended, this one begins; adds the times to the progress."""
        now = time.perf_counter()
        self.stop(now)
        self._phase, self._since = progress.phase, now
        left = self._timings.left(progress)
        return replace(progress, elapsed=now - self._started, left=left)

    def stop(self, now: float | None = None) -> None:
        """The last phase has ended well."""
        if self._phase:
            self._timings.add(self._phase, (now or time.perf_counter()) - self._since)
        self._phase = ""


def later(progress: Progress, seconds: float) -> Progress:
    """The same progress some seconds later; once it is overdue nothing is promised any more."""
    left = None if progress.left is None or progress.left < seconds else progress.left - seconds
    return replace(progress, elapsed=progress.elapsed + seconds, left=left)
