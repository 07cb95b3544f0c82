"""Light and dark: readable, and changed while the program runs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.theme import ACCENT, DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Colors, colors, icon


def luminance(color: str) -> float:
    """Relative luminance as in WCAG 2."""
    channels = QColor(color).getRgbF()[:3]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [DARK, LIGHT, DARK_CONTRAST, LIGHT_CONTRAST])
class TestContrast:
    def test_text(self, scheme: Colors) -> None:
        for surface in (scheme.window, scheme.field, scheme.raised, scheme.selected):
            assert contrast(scheme.text, surface) >= 4.5
        for surface in (scheme.window, scheme.field):
            assert contrast(scheme.faint, surface) >= 4.5
        assert contrast("#16100a", ACCENT) >= 4.5

    def test_focus_and_signs(self, scheme: Colors) -> None:
        for surface in (scheme.window, scheme.field, scheme.raised):
            assert contrast(scheme.focus, surface) >= 3
        for sign in (scheme.error, scheme.warning):
            assert contrast(sign, scheme.raised) >= 3


@pytest.mark.parametrize("scheme", [DARK_CONTRAST, LIGHT_CONTRAST])
def test_more_contrast(scheme: Colors) -> None:
    for surface in (scheme.window, scheme.field, scheme.raised):
        for ink in (scheme.text, scheme.faint, scheme.line):
            assert contrast(ink, surface) >= 12
        for sign in (scheme.focus, scheme.error, scheme.warning):
            assert contrast(sign, surface) >= 7
    assert contrast(scheme.text, scheme.selected) >= 7


def test_follows_the_system_at_once(qapp: QApplication, window: MainWindow) -> None:
    window.report("Something to read.")
    changed = qapp.styleHints().colorSchemeChanged
    changed.emit(Qt.ColorScheme.Light)
    check_looks(qapp, window, LIGHT)
    changed.emit(Qt.ColorScheme.Dark)
    check_looks(qapp, window, DARK)
    wanted = qapp.styleHints().accessibility().contrastPreferenceChanged
    wanted.emit(Qt.ContrastPreference.HighContrast)
    check_looks(qapp, window, DARK_CONTRAST)
    wanted.emit(Qt.ContrastPreference.NoPreference)
    check_looks(qapp, window, DARK)


def check_looks(qapp: QApplication, window: MainWindow, expected: Colors) -> None:
    assert colors() is expected
    assert window.outliner.list.palette().color(QPalette.ColorRole.Text) == expected.text
    assert expected.focus in qapp.styleSheet()
    drawn = window.actions_by_id["open"].icon().pixmap(20, 20).toImage()
    assert drawn == icon("open", expected.text).pixmap(20, 20).toImage()
    button = window.messages._close.icon().pixmap(20, 20).toImage()
    assert button == icon("close", expected.text).pixmap(20, 20).toImage()
