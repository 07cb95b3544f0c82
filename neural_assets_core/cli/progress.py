"""One look for every progress bar: on stderr, and where nobody watches now and then a line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from neural_assets_core.decoders import base

EVERY = 60.0
"""Seconds from one line to the next in a file or a pipe."""


class _Lines(Progress):
    """No bar, but after a minute a line that says how far it is: in the log of a long job, say."""

    def __init__(self) -> None:
        super().__init__(disable=True)
        self._next = time.monotonic() + EVERY

    def update(self, task_id: TaskID, *args: Any, **changes: Any) -> None:
        super().update(task_id, *args, **changes)
        self._say(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._say(task_id)

    def _say(self, task_id: TaskID) -> None:
        task, now = self._tasks[task_id], time.monotonic()
        if now >= self._next and task.visible and task.total:
            self._next = now + EVERY
            print(f"{task.description}: {task.completed:.0f} of {task.total:.0f}", file=sys.stderr)


def progress_bar(quiet: bool = False) -> Progress:
    """A bar that disappears when done; in a file or a pipe a line a minute."""
    console = Console(stderr=True)
    if not (quiet or console.is_terminal):
        return _Lines()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet,
    )


def following(bar: Progress) -> base.ProgressCallback:
    """A new task of the bar, as a callback that decoders and films report to."""
    task = bar.add_task("loading", total=None)

    def show(progress: base.Progress) -> None:
        bar.update(
            task,
            description=progress.phase,
            completed=progress.step,
            total=progress.steps,
        )

    return show
