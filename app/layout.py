"""Size and panels of the window, kept between sessions."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow

_GEOMETRY_KEY = "window/geometry"
_LAYOUT_KEY = "window/layout"
_LAYOUT_VERSION = 2


def restore_layout(window: QMainWindow) -> None:
    """Arrange the window as it was in the last session."""
    window.resize(1280, 800)
    geometry = QSettings().value(_GEOMETRY_KEY)
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
    layout = QSettings().value(_LAYOUT_KEY)
    if isinstance(layout, QByteArray):
        window.restoreState(layout, _LAYOUT_VERSION)


def store_layout(window: QMainWindow) -> None:
    """Have the same arrangement in the next session."""
    # One object, so that the file is written once.
    settings = QSettings()
    settings.setValue(_GEOMETRY_KEY, window.saveGeometry())
    settings.setValue(_LAYOUT_KEY, window.saveState(_LAYOUT_VERSION))
