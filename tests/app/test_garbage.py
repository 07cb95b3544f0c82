"""Garbage made of Qt objects goes where Qt objects may go: on the GUI thread."""

from __future__ import annotations

import gc
import importlib
import threading
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.garbage import REST_MS


class Knot(QObject):
    """Refers to itself: only a collection frees it."""

    def __init__(self, freed_on: list[threading.Thread]) -> None:
        super().__init__()
        self.knot = self
        weakref.finalize(self, lambda: freed_on.append(threading.current_thread()))


def test_what_a_worker_allocates_never_destroys_qt_objects_there(qtbot: QtBot) -> None:
    freed_on: list[threading.Thread] = []
    # What the libraries of an earlier test made is set apart first.
    qtbot.wait(2 * REST_MS)
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


def test_what_a_large_library_made_is_left_out(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.wait(2 * REST_MS)
    (tmp_path / "very_large.py").write_text("kept = [[] for _ in range(30_000)]\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = gc.get_freeze_count()
    importlib.import_module("very_large")
    # Looking through it would keep the window waiting.
    qtbot.waitUntil(lambda: gc.get_freeze_count() >= before + 30_000)
    # Not so the same number of objects that no library made.
    before = gc.get_freeze_count()
    kept = [[] for _ in range(30_000)]
    qtbot.waitUntil(lambda: gc.get_count()[0] < 30_000)
    assert gc.get_freeze_count() <= before
    assert kept
