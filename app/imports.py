"""What PySide6 adds to every import of every library, taken away again."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any


def make_plain() -> None:
    """Let imports be as quick as without Qt.

    PySide6 reads the source of each module that anything imports, looking for use of its optional
    features (`from __feature__ import ...`). Nothing here uses any, and torch and diffusers have
    thousands of modules: it would make their loading longer by a third, and keep all that text.
    """
    with suppress(ImportError, AttributeError):
        features: Any = importlib.import_module("shibokensupport.feature")
        # Nothing that another version would not have.
        if callable(features._mod_uses_pyside):
            features._mod_uses_pyside = lambda module: False
