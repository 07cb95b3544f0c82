"""Two of the kills that `python -m tests.kill_editing` does by the hundred."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_is_lost_by_being_killed() -> None:
    # A process of its own: this one cannot be forked, it has a window already.
    result = subprocess.run(
        [sys.executable, "-m", "tests.kill_editing", "--rounds", "2"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("2 kills during ")
