"""How Python's threads take turns."""

from __future__ import annotations

import sys

TURN_S = 0.001


def take_short_turns() -> None:
    """Let a thread that waits for the interpreter have it after a millisecond, not after five.

    Python code on a worker keeps the window from drawing that long each time, and a frame has many
    moments at which the worker may come in between: every call of the graphics card is one.
    """
    sys.setswitchinterval(TURN_S)
