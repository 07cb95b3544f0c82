"""Where tables are printed."""

from __future__ import annotations

import os

from rich.console import Console

WIDE = 1000
"""Columns of a file or a pipe: enough that no cell is broken over several lines."""


def console() -> Console:
    """Standard output: as wide as the terminal, or as `COLUMNS` says, else as wide as need be."""
    shown = Console()
    return shown if shown.is_terminal or "COLUMNS" in os.environ else Console(width=WIDE)
