"""The panels around the picture, each in a dock that remembers its place."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True)
class Panel:
    """What goes into a dock.

    Attributes
    ----------
    title : str
    widget : QWidget
    area : Qt.DockWidgetArea
        Where it is at first.
    shown : bool
        Whether it is there at first; if not, the menu shows it.
    """

    title: str
    widget: QWidget
    area: Qt.DockWidgetArea
    shown: bool = True


class Docks(list[QDockWidget]):
    """The docks of a window, in the order in which the keyboard visits them."""

    def __init__(self, window: QMainWindow, panels: list[Panel]) -> None:
        super().__init__(_dock(window, panel) for panel in panels)
        self._away: list[QDockWidget] = []

    def toggle(self, title: str) -> None:
        """Show a panel and give it the focus, or hide it."""
        # Behind another tab, Qt calls it visible.
        if self._titled(title).visibleRegion().isEmpty():
            self.show(title)
        else:
            self._titled(title).hide()

    def show(self, title: str) -> None:
        """Show a panel, in front of those that share its place, and give it the focus."""
        dock = self._titled(title)
        dock.show()
        dock.raise_()
        dock.widget().setFocus()

    def set_away(self, on: bool) -> None:
        """Hide all that are shown, or bring these back."""
        if on:
            shown = [dock for dock in self if not dock.isHidden()]
            # Last those in front of others: whichever is raised last is.
            self._away = sorted(shown, key=lambda dock: not dock.visibleRegion().isEmpty())
        for dock in self._away:
            dock.setVisible(not on)
            if not on:
                dock.raise_()

    def _titled(self, title: str) -> QDockWidget:
        return next(dock for dock in self if dock.windowTitle() == title)


def _dock(window: QMainWindow, panel: Panel) -> QDockWidget:
    dock = QDockWidget(panel.title, window)
    # The layout of a session is stored by these names.
    dock.setObjectName(panel.title)
    dock.setWidget(panel.widget)
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetMovable
        | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        | QDockWidget.DockWidgetFeature.DockWidgetClosable
    )
    window.addDockWidget(panel.area, dock)
    dock.setVisible(panel.shown)
    # Behind another tab it would be shown, and not be seen.
    dock.toggleViewAction().triggered.connect(lambda on: dock.raise_() if on else None)
    return dock
