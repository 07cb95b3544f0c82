"""Timings as rows of a table, and how busy the machine was meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

_NAMES = 44
HEADING = f"{'':{_NAMES}} {'times':>6} {'p50 ms':>9} {'p99 ms':>9} {'worst':>9} {'cpu ms':>9}"


@dataclass(frozen=True)
class Row:
    """One thing measured; times in milliseconds.

    Attributes
    ----------
    name : str
    count : int
        Repetitions.
    p50, p99, worst : float
        Of the clock on the wall.
    cpu : float or None
        Mean processor time of all threads of this process, which other programs disturb less.
    """

    name: str
    count: int
    p50: float
    p99: float
    worst: float
    cpu: float | None = None

    @classmethod
    def of(cls, name: str, seconds: Sequence[float], cpu: float | None = None) -> Row:
        """From single timings, and the processor time of all of them together, in seconds."""
        p50, p99 = 1e3 * np.percentile(seconds, [50, 99])
        mean = None if cpu is None else 1e3 * cpu / len(seconds)
        return cls(name, len(seconds), float(p50), float(p99), float(1e3 * max(seconds)), mean)

    def __str__(self) -> str:
        times = f"{self.p50:9.2f} {self.p99:9.2f} {self.worst:9.2f}"
        cpu = "" if self.cpu is None else f"{self.cpu:9.2f}"
        return f"{self.name:{_NAMES}} {self.count:6d} {times} {cpu}"

    def to_json(self) -> dict[str, object]:
        """Plain values, rounded to the microsecond."""
        values = asdict(self)
        return {key: round(v, 3) if isinstance(v, float) else v for key, v in values.items()}


class Load:
    """How many cores other programs used between `Load()` and `others()` (Linux only)."""

    def __init__(self) -> None:
        self._start = self._now()

    def others(self) -> float | None:
        """Mean number of cores used by others since; None where the system does not tell."""
        now = self._now()
        if now is None or self._start is None:
            return None
        wall, busy, own = (a - b for a, b in zip(now, self._start, strict=True))
        return max(busy - own, 0.0) / wall

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds: of the clock, of work on all cores, of work by this process and children."""
        try:
            fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        except OSError:
            return None
        user, nice, system, _, _, irq, soft, steal = map(int, fields)
        own = os.times()
        return (
            time.perf_counter(),
            (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK"),
            own.user + own.system + own.children_user + own.children_system,
        )


def yardstick(repetitions: int = 100) -> Row:
    """A fixed piece of Python and NumPy of a few milliseconds: its spread is the machine's own.

    Compare other rows with it before blaming the program for their 99th percentile.
    """
    values, seconds = np.linspace(0.0, 1.0, 20_000), []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(20):
            np.sort(np.sin(values))
        sum(range(20_000))
        seconds.append(time.perf_counter() - start)
    return Row.of("yardstick (fixed arithmetic)", seconds)
