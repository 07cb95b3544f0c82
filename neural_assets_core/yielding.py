"""Moments at which a long computation lets others come first.

Where cores are few, pictures that are made and a window that is drawn take them from each other,
and it is the window that a hand waits for. Threads have no priority over each other in Python, so
what makes pictures asks now and then whether it may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_others: ContextVar[Callable[[], object] | None] = ContextVar("others", default=None)


def yield_point() -> None:
    """Let whoever comes first have its turn; to be called every two milliseconds or so."""
    wait = _others.get()
    if wait is not None:
        wait()


@contextmanager
def yielding_to(wait: Callable[[], object]) -> Iterator[None]:
    """What is computed within, on this thread, calls `wait` at its yield points.

    Parameters
    ----------
    wait : callable
        Returns when the computation may go on.
    """
    before = _others.set(wait)
    try:
        yield
    finally:
        _others.reset(before)
