"""How the program's threads take turns: the window comes first."""

from __future__ import annotations

import sys
import threading
import time

TURN_S = 0.0003

LONGEST_S = 0.03
"""So long a frame may keep others waiting."""

GRANTED_S = 0.003
"""So long a worker goes on after it has waited, or frame upon frame would leave it nothing."""

_shown = threading.Event()
_shown.set()
_waited = threading.local()


def take_short_turns() -> None:
    """Let a thread that waits for the interpreter have it after 0.3 milliseconds, not after five.

    Python code on a worker keeps the window from drawing that long each time, and a frame has many
    moments at which the worker may come in between: every call of the graphics card is one. Less
    than a millisecond, for a worker that lets go of the interpreter every now and then, as one that
    imports torch does, takes it back before the window is awake, and only who has waited for a
    whole turn is heard.
    """
    sys.setswitchinterval(TURN_S)


def frame_is_due() -> None:
    """Something will be drawn now."""
    _shown.clear()


def frame_is_shown() -> None:
    """It has been drawn."""
    _shown.set()


def let_frame_pass() -> None:
    """Wait until what is due is drawn; called by workers between parts of what they do."""
    now = time.perf_counter()
    if _shown.is_set() or now < getattr(_waited, "until", 0.0) + GRANTED_S:
        return
    if not _shown.wait(LONGEST_S):
        # A window that is covered may never draw it: once is enough to wait for that.
        _shown.set()
    _waited.until = time.perf_counter()
