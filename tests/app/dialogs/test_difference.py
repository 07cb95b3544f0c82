"""The difference view in the real window, and what it says."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from app.dialogs.difference import DifferenceView, bright_level, describe, difference
from app.main_window import MainWindow


def test_small_differences_are_amplified_and_noise_is_not() -> None:
    values = np.zeros((100, 100), np.uint8)
    values[:10] = 20
    values[0, 0] = 255
    assert bright_level(values) == 20
    assert bright_level(values // 10) == 8
    assert "10.0 % of the pixels" in describe(values)
    assert "Less than 0.1 %" in describe((values == 255).astype(np.uint8))
    assert "the same" in describe(values * 0)


def test_one_view_follows_undo_and_redo_to_kept_results(
    window: MainWindow, qtbot: QtBot
) -> None:
    document = window.document
    window.actions_by_id["difference"].trigger()
    window.actions_by_id["difference"].trigger()
    qtbot.waitUntil(lambda: window.findChild(DifferenceView) is not None)
    (view,) = window.findChildren(DifferenceView)

    def shown_is_right() -> bool:
        made = window.pictures.result()
        if made is None or view.image.image is None:
            return False
        expected = difference(made.picture, made.scene.background.view.picture)
        return bool(np.array_equal(view.image.image, expected))

    qtbot.waitUntil(shown_is_right)
    before = view.image.image.copy()
    moved = document.scene.object("mug").box.translated((0.3, 0.0, 0.0))
    document.push(document.scene.with_box("mug", moved), "Move")
    qtbot.waitUntil(shown_is_right, timeout=20_000)
    after = view.image.image.copy()
    assert not np.array_equal(before, after)
    assert view.image.levels[1] == bright_level(after)
    # Nothing is generated any more: only kept pictures are shown again.
    window.actions_by_id["automatic"].trigger()
    for way, expected in (("undo", before), ("redo", after)):
        window.actions_by_id[way].trigger()
        qtbot.waitUntil(lambda expected=expected: np.array_equal(view.image.image, expected))
        assert view.told.text() == describe(expected)
