"""The thread that reads the library and the window never wait for each other."""

from __future__ import annotations

import os
import subprocess
import sys

# Qt holds one of its many locks while it tells an object that a signal was disconnected, and which
# one depends on where the object lies: a few hundred of them come by every lock.
_DISCONNECT = """
import time
from PySide6.QtCore import QCoreApplication, QObject, Signal
from app.shelf import Shelf
from neural_assets_core.library import STARTER

class Slow(QObject):
    changed = Signal()

    def disconnectNotify(self, signal):
        time.sleep(0.002)

application = QCoreApplication([])
shelf = Shelf()
paths = sorted(STARTER.rglob("*.naasset"))
read = []
shelf.thumbnail_made.connect(lambda path, image: read.append(image.isNull()))
slow = [Slow() for _ in range(300)]
for item in slow:
    for path in paths:
        shelf.thumbnail(path)
    item.changed.connect(application.quit)
    item.changed.disconnect(application.quit)
    application.processEvents()
assert shelf.shutdown()
application.processEvents()
assert read and not any(read), read
"""


def test_thumbnails_are_read_while_signals_are_disconnected() -> None:
    subprocess.run(
        [sys.executable, "-c", _DISCONNECT],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        timeout=60,
        check=True,
    )
