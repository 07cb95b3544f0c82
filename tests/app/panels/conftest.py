"""Panels that are not open at first."""

from __future__ import annotations

import pytest


@pytest.fixture
def panel(window, qtbot):
    """The open library."""
    window.actions_by_id["library"].trigger()
    qtbot.waitUntil(lambda: window.assets.panel.model.rowCount() > 0)
    return window.assets.panel
