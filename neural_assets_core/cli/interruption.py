"""Ctrl-C while libraries are loaded."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

INTERRUPTED = "Interrupted."
INTERRUPTED_STATUS = 130


def interrupt(number: int, frame: FrameType | None) -> None:
    """What SIGINT does: raise KeyboardInterrupt, but while something is imported end at once.

    Libraries guard parts of their own loading against every exception. What is raised there may
    be lost, and the program would go on as if nobody had pressed a key.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            end()
        frame = frame.f_back
    raise KeyboardInterrupt


def end() -> NoReturn:
    """Say so and end the process, whatever it is doing."""
    with suppress(OSError):
        sys.stdout.flush()
        print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(INTERRUPTED_STATUS)
