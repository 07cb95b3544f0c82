"""Looks: neutral greys, one accent, one family of icons, light or dark as the system is.

Where the system asks for more contrast, there are hardly any greys, and every edge
is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

from neural_assets_core.resources import ROOT as RESOURCES

ICONS = RESOURCES / "icons"

UNIT = 8
"""Rhythm of all distances, logical pixels."""

ACCENT = "#e5761c"
"""The colour of what is selected, in the panels as in the viewport."""

ICON_SIZE = 20


@dataclass(frozen=True)
class Colors:
    """One scheme; the greys have no hue, so that they do not tint the eye."""

    window: str
    field: str
    raised: str
    line: str
    text: str
    faint: str
    selected: str
    focus: str
    warning: str
    error: str


# The fields of `Colors`: dark, light, and both with more contrast.
_TABLE = {
    "window": ("#2e2e2e", "#e4e4e4", "#000000", "#ffffff"),
    "field": ("#232323", "#f6f6f6", "#000000", "#ffffff"),
    "raised": ("#3c3c3c", "#f0f0f0", "#1a1a1a", "#f0f0f0"),
    "line": ("#1d1d1d", "#c2c2c2", "#ffffff", "#000000"),
    "text": ("#dedede", "#1f1f1f", "#ffffff", "#000000"),
    "faint": ("#9a9a9a", "#636363", "#e0e0e0", "#262626"),
    "selected": ("#5c4330", "#f3d3b8", "#6b3600", "#ffd3a8"),
    "focus": ("#f08a35", "#b04d00", "#ffb000", "#803800"),
    "warning": ("#e0b04a", "#8a6000", "#ffd61a", "#5c4000"),
    "error": ("#f07a6c", "#b3261e", "#ff9c90", "#8c0f0a"),
}
SCHEMES = tuple(
    Colors(**{name: shades[index] for name, shades in _TABLE.items()}) for index in range(4)
)
DARK, LIGHT, DARK_CONTRAST, LIGHT_CONTRAST = SCHEMES


def colors() -> Colors:
    """The scheme that the application wears; widgets get a palette change when it is another."""
    window = QGuiApplication.palette().color(QPalette.ColorRole.Window).name()
    return next((scheme for scheme in SCHEMES if scheme.window == window), DARK)


def apply_theme(application: QApplication) -> None:
    """Dress the application, now and whenever the system wants other lightness or contrast."""
    application.setStyle("Fusion")
    hints = application.styleHints()
    contrast = hints.accessibility()
    _dress(application, hints.colorScheme(), contrast.contrastPreference())
    hints.colorSchemeChanged.connect(
        lambda scheme: _dress(application, scheme, contrast.contrastPreference())
    )
    contrast.contrastPreferenceChanged.connect(
        lambda wanted: _dress(application, hints.colorScheme(), wanted)
    )


def icon(name: str, color: str | None = None) -> QIcon:
    """The icon `resources/icons/<name>.svg` in the text's colour (or `color`)."""
    scheme = colors()
    return _icon(name, color or scheme.text, scheme.faint)


def float_over_picture(widget: QWidget) -> None:
    """Let a part of the window lie over the picture.

    The picture is drawn in a window of its own inside the window, and only another one can lie
    over that. It stays opaque, and its corners square: windows inside a window cannot be seen
    through everywhere.
    """
    widget.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
    widget.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)


def _dress(
    application: QApplication, wanted: Qt.ColorScheme, contrast: Qt.ContrastPreference
) -> None:
    # Dark if the system does not say.
    light = wanted == Qt.ColorScheme.Light
    if contrast == Qt.ContrastPreference.HighContrast:
        scheme = LIGHT_CONTRAST if light else DARK_CONTRAST
    else:
        scheme = LIGHT if light else DARK
    application.setPalette(_palette(scheme))
    application.setStyleSheet(_style_sheet(scheme))


def _palette(scheme: Colors) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: scheme.window,
        QPalette.ColorRole.WindowText: scheme.text,
        QPalette.ColorRole.Base: scheme.field,
        QPalette.ColorRole.AlternateBase: scheme.raised,
        QPalette.ColorRole.Text: scheme.text,
        QPalette.ColorRole.PlaceholderText: scheme.faint,
        QPalette.ColorRole.Button: scheme.raised,
        QPalette.ColorRole.ButtonText: scheme.text,
        QPalette.ColorRole.BrightText: scheme.error,
        QPalette.ColorRole.ToolTipBase: scheme.raised,
        QPalette.ColorRole.ToolTipText: scheme.text,
        QPalette.ColorRole.Highlight: scheme.selected,
        QPalette.ColorRole.HighlightedText: scheme.text,
        QPalette.ColorRole.Accent: ACCENT,
        QPalette.ColorRole.Link: ACCENT,
        QPalette.ColorRole.Light: scheme.raised,
        QPalette.ColorRole.Midlight: scheme.raised,
        QPalette.ColorRole.Mid: scheme.line,
        QPalette.ColorRole.Dark: scheme.line,
        QPalette.ColorRole.Shadow: scheme.line,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.HighlightedText,
    ):
        faint = QColor(scheme.faint)
        faint.setAlpha(140)
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette


def _style_sheet(scheme: Colors) -> str:
    return f"""
    QMainWindow::separator {{ background: {scheme.line}; width: 2px; height: 2px; }}
    QMainWindow::separator:hover {{ background: {ACCENT}; }}
    QDockWidget::title {{ padding: 6px 8px; background: {scheme.window}; }}
    QMenu {{ border: 1px solid {scheme.line}; }}
    QMenu::separator {{ background: {scheme.line}; height: 1px; margin: 3px 6px; }}
    QStatusBar {{ border-top: 1px solid {scheme.line}; color: {scheme.faint}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QLabel {{ color: {scheme.faint}; padding: 0 4px; }}
    QToolBar {{ border: none; background: {scheme.window}; spacing: 2px; padding: 3px 6px; }}
    QToolBar::separator {{ background: {scheme.line}; width: 1px; margin: 5px 6px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px; }}
    QToolButton:hover {{ background: {scheme.raised}; }}
    QToolButton:pressed {{ background: {scheme.selected}; }}
    QToolButton:checked {{ background: {scheme.selected};
        border-bottom: 2px solid {scheme.focus}; padding-bottom: 3px; }}
    QToolButton:focus {{ border: 2px solid {scheme.focus}; padding: 3px; }}
    QCheckBox, QRadioButton {{ border: 2px solid transparent; border-radius: 4px;
        padding: 1px 2px; }}
    QCheckBox:focus, QRadioButton:focus {{ border-color: {scheme.focus}; }}
    QCheckBox::indicator {{ width: 12px; height: 12px; background: {scheme.field};
        border: 1px solid {scheme.faint}; border-radius: 3px; }}
    QCheckBox::indicator:checked {{ background: {ACCENT};
        image: url({(ICONS / "check.svg").as_posix()}); }}
    QCheckBox::indicator:disabled {{ border-color: {scheme.line}; }}
    QCheckBox::indicator:checked:disabled {{ background: #80{scheme.faint[1:]}; }}
    QPushButton {{ background: {scheme.raised}; border: 1px solid {scheme.line};
        border-radius: 4px; padding: 6px 12px; }}
    QPushButton:hover {{ border-color: {scheme.faint}; }}
    QPushButton:focus {{ border: 2px solid {scheme.focus}; padding: 5px 11px; }}
    QPushButton:disabled {{ color: {scheme.faint}; border-color: {scheme.line}; }}
    QPushButton[primary="true"]:enabled {{ background: {ACCENT}; color: #16100a;
        border-color: {ACCENT}; font-weight: 600; }}
    QPushButton[primary="true"]:enabled:hover {{ background: #f08a35; }}
    QPushButton[primary="true"]:enabled:focus {{ border-color: {scheme.text}; }}
    QPushButton[flat="true"] {{ text-align: left; background: transparent;
        border-color: transparent; padding: 5px 8px; }}
    QPushButton[flat="true"]:hover {{ background: {scheme.raised}; }}
    QPushButton[flat="true"]:focus {{ border-color: {scheme.focus}; padding: 4px 7px; }}
    QLineEdit, QAbstractSpinBox, QComboBox {{ background: {scheme.field};
        border: 1px solid {scheme.line}; border-radius: 4px; padding: 3px 6px;
        min-height: 18px; selection-background-color: {ACCENT};
        selection-color: #16100a; }}
    QLineEdit:focus, QComboBox:focus {{ border: 2px solid {scheme.focus};
        padding: 2px 5px; }}
    QLineEdit[role="heading"] {{ font-weight: 600; padding: 3px 1px; }}
    QLineEdit[role="heading"]:focus {{ padding: 2px 0; }}
    QLineEdit[role="heading"]:!focus:!hover {{ background: transparent;
        border-color: transparent; }}
    QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{
        background: {scheme.window}; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border;
        width: 0; border: none; }}
    QComboBox {{ combobox-popup: 0; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox::down-arrow {{ image: url({(ICONS / "choose.svg").as_posix()});
        width: 12px; height: 12px; }}
    QComboBox::down-arrow:disabled {{ image: none; }}
    QListView, QTreeView {{ background: {scheme.field}; border: 2px solid {scheme.field};
        border-radius: 4px; outline: none; }}
    QListView:focus, QTreeView:focus {{ border-color: {scheme.focus}; }}
    QListView::item, QTreeView::item {{ padding: 3px; border: 1px solid transparent;
        border-radius: 3px; }}
    QListView::item:selected, QTreeView::item:selected {{ background: {scheme.selected};
        color: {scheme.text}; }}
    QListView::item:focus {{ border-color: {scheme.focus}; }}
    QListView QLineEdit {{ padding: 0 4px; }}
    QAbstractSpinBox {{ padding: 1px 6px; min-height: 19px; }}
    QAbstractSpinBox:focus {{ border: 2px solid {scheme.focus}; padding: 0 5px; }}
    QAbstractSpinBox QLineEdit {{ border: none; padding: 0; min-height: 0; }}
    QSlider:focus {{ border: 2px solid {scheme.focus}; border-radius: 4px; }}
    QTabBar:focus {{ border: 2px solid {scheme.focus}; border-radius: 4px; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:horizontal {{ height: 10px; }}
    QScrollBar:vertical {{ width: 10px; }}
    QScrollBar::handle {{ background: {scheme.faint}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:horizontal {{ min-width: 24px; }}
    QScrollBar::handle:vertical {{ min-height: 24px; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: none; border: none; width: 0; height: 0; }}
    QProgressBar {{ background: {scheme.field}; border: 1px solid {scheme.line};
        border-radius: 4px; min-height: 16px; max-height: 16px; text-align: center; }}
    QProgressBar::chunk {{ background: {scheme.selected}; border-radius: 3px; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="title"] {{ font-size: 20px; font-weight: 600; }}
    QLabel[role="faint"] {{ color: {scheme.faint}; }}
    QLabel[role="warning"] {{ color: {scheme.warning}; }}
    QFrame[role="drop"] {{ border: 2px dashed {scheme.faint}; border-radius: 12px; }}
    QFrame[role="picture"] {{ border: 2px solid {scheme.window}; }}
    QFrame[role="picture"][focused="true"] {{ border-color: {scheme.focus}; }}
    QFrame[role="palette"] {{ background: {scheme.window}; border: 1px solid {scheme.faint}; }}
    QFrame[role="message"] {{ background: {scheme.raised}; border: 1px solid {scheme.line}; }}
    QFrame[role="message"][tier="error"] {{ border: 2px solid {scheme.error}; }}
    QFrame[role="message"][tier="warning"] {{ border: 2px solid {scheme.warning}; }}
    QToolTip {{ background: {scheme.raised}; color: {scheme.text};
        border: 1px solid {scheme.line}; padding: 4px 6px; }}
    """


@lru_cache(maxsize=256)
def _icon(name: str, color: str, disabled: str) -> QIcon:
    made = QIcon()
    for ratio in (1, 2, 3):
        made.addPixmap(pixmap(name, color, ICON_SIZE, ratio))
        made.addPixmap(pixmap(name, disabled, ICON_SIZE, ratio, 0.5), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, color: str, size: int, ratio: float, opacity: float = 1.0) -> QPixmap:
    """An icon's picture, `size` logical pixels a side at `ratio` display pixels each."""
    source = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))
    side = round(size * ratio)
    drawn = QPixmap(side, side)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setOpacity(opacity)
    renderer.render(painter, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn
