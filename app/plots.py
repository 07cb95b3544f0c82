"""What draws with pyqtgraph, loaded on a thread when it is first asked for: no window waits for it.

Not before: whatever is dragged just then would stand still for a third of a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 10


def _load() -> None:
    # This makes values and classes alone, no `QObject`: it may happen on any thread.
    import app.dialogs.difference
    import app.timeline.editor  # noqa: F401


_loading = threading.Thread(target=_load, name="plots")


def with_plots(asking: QObject, then: Callable[[], object]) -> None:
    """Call `then` a little later, once what draws plots can be imported without waiting.

    Not at once, either: making plots takes nearly as long as a frame may, and so does what has
    just been shown around them.

    Parameters
    ----------
    asking : QObject
        If this is gone by then, nothing is called.
    then : callable
    """
    if _loading.ident is None:
        _loading.start()

    def look() -> None:
        if _loading.is_alive():
            with_plots(asking, then)
        else:
            then()

    QTimer.singleShot(_LOOK_MS, asking, look)
