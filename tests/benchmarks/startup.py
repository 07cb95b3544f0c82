"""From starting the program to the first frame of a scene, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.timing import Row

SAMPLE = "resources/scenes/nursery.nascene"

_SCRIPT = """
import os, sys, time
from pathlib import Path
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
from app.imports import make_plain
make_plain()
from app.garbage import GarbageCollector
from app.main_window import MainWindow
from app.theme import apply_theme
from app.turns import take_short_turns
take_short_turns()
application = QApplication([])
apply_theme(application)
collector = GarbageCollector()
window = MainWindow()
def drawn():
    print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
    # At once: on its other threads the studio has begun to load the decoder.
    os._exit(0)
window.open(Path(sys.argv[2]))
window.show()
window.viewport.frame_swapped.connect(drawn)
application.exec()
"""


def start_up(folder: Path, repetitions: int = 5) -> Row:
    """Time from the start of Python until the window shows a sample scene.

    Parameters
    ----------
    folder : Path
        For settings: not the user's own.
    repetitions : int
        The first one is not counted: it reads files from the disk that the others find in memory.
    """
    seconds = []
    for _ in range(repetitions + 1):
        start = time.clock_gettime(time.CLOCK_MONOTONIC)
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(folder), SAMPLE],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        seconds.append(float(done.stdout.split()[-1]) - start)
    return Row.of("start-up to the first frame", seconds[1:])
