"""What draws plots is loaded beside the work."""

from __future__ import annotations

import threading

import pytest
from pytestqt.qtbot import QtBot

from app import plots
from app.main_window import MainWindow
from app.timeline.editor import Editor


def test_the_timeline_waits_for_plots_and_the_window_does_not(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(plots, "_loading", threading.Thread(target=loaded.wait))
    window.actions_by_id["timeline"].trigger()
    assert window.findChild(Editor) is None
    # Shown once more meanwhile, it still comes once.
    for _ in range(2):
        window.actions_by_id["timeline"].trigger()
    loaded.set()
    qtbot.waitUntil(lambda: len(window.findChildren(Editor)) == 1)
    # It has the keys, as it would have had at once.
    (editor,) = window.findChildren(Editor)
    qtbot.waitUntil(editor.hasFocus)
