"""One look for every progress bar: on stderr, and only where somebody watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from neural_assets_core.decoders import base


def progress_bar(quiet: bool = False) -> Progress:
    """A bar that disappears when done, and never appears in a file or a pipe."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
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
