"""Commands that last as long as a key is held."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent


class HeldKey(QObject):
    """Calls back when the key that has just been pressed is let go.

    It listens to the whole application (whoever has the focus by then gets the release), but
    only while the key is down.
    """

    def __init__(self, key: Qt.Key, released: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._key = key
        self._released = released
        self._down = False

    def press(self) -> None:
        """The key went down."""
        application = QCoreApplication.instance()
        if not self._down and application is not None:
            self._down = True
            application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        let_go = (
            kind == QEvent.Type.KeyRelease
            and isinstance(event, QKeyEvent)
            and event.key() == self._key
            and not event.isAutoRepeat()
        )
        # Another window takes the release with it.
        if let_go or kind == QEvent.Type.ApplicationDeactivate:
            self._down = False
            application = QCoreApplication.instance()
            if application is not None:
                application.removeEventFilter(self)
            self._released()
        return False
