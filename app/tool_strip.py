"""The strip of tools over the picture."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolBar, QToolButton

from app.menus import SEPARATOR, TOOL_STRIP
from app.theme import ICON_SIZE


def build_tool_strip(actions: Mapping[str, QAction]) -> QToolBar:
    """The commands of `TOOL_STRIP` as buttons that the keyboard reaches too."""
    strip = QToolBar("Tools")
    strip.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
    for id_ in TOOL_STRIP:
        if id_ == SEPARATOR:
            strip.addSeparator()
        else:
            strip.addAction(actions[id_])
    for button in strip.findChildren(QToolButton):
        # Qt's tool bars are for the pointer only.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return strip
