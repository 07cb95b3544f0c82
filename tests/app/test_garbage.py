"""Garbage made of Qt objects goes where Qt objects may go: on the GUI thread."""

from __future__ import annotations

import threading
import weakref

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.garbage import INTERVAL_MS


class Knot(QObject):
    """Refers to itself: only a collection frees it."""

    def __init__(self, freed_on: list[threading.Thread]) -> None:
        super().__init__()
        self.knot = self
        weakref.finalize(self, lambda: freed_on.append(threading.current_thread()))


def test_what_a_worker_allocates_never_destroys_qt_objects_there(qtbot: QtBot) -> None:
    freed_on: list[threading.Thread] = []
    # What the libraries of an earlier test made is set apart first.
    qtbot.wait(2 * INTERVAL_MS)
    for _ in range(20):
        Knot(freed_on)

    def allocate() -> None:
        for _ in range(20):
            [[] for _ in range(10_000)]

    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert freed_on == []
    # The allocations made a collection due.
    kept = [[] for _ in range(2000)]
    qtbot.waitUntil(lambda: len(freed_on) == 20)
    assert set(freed_on) == {threading.main_thread()}
    assert kept
