"""Means with bootstrap intervals; importing this imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
CHUNK = 4_000_000
"""Numbers drawn at once: many cases shall not need gigabytes."""


@dataclass(frozen=True)
class Figure:
    """A mean over cases with its 95 % bootstrap interval, and how many cases it is of."""

    mean: float
    low: float
    high: float
    cases: int

    @property
    def margin(self) -> float:
        """Half of the interval."""
        return (self.high - self.low) / 2


def interval(values: NDArray[np.float64]) -> Figure | None:
    """Mean of what is not nan; None if there is nothing."""
    kept = values[~np.isnan(values)]
    if kept.size == 0:
        return None
    rng = np.random.default_rng(0)
    means = np.empty(DRAWS)
    at_once = max(1, CHUNK // kept.size)
    for first in range(0, DRAWS, at_once):
        part = means[first : first + at_once]
        part[:] = kept[rng.integers(kept.size, size=(part.size, kept.size))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    mean, low, high = (round(float(value), 4) for value in (kept.mean(), low, high))
    return Figure(mean, low, high, int(kept.size))
