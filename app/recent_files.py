"""Scene files opened lately, kept in the user's settings."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal

LONGEST = 8
_KEY = "recent_files"


class RecentFiles(QObject):
    """The latest scene files, newest first; files that are gone are not listed."""

    changed = Signal()

    def paths(self) -> list[Path]:
        """At most `LONGEST` existing files."""
        stored = QSettings().value(_KEY, [])
        # QSettings gives a lone entry back as a string.
        names = stored if isinstance(stored, list) else [stored]
        # Not Path.is_file: that raises for folders that may not be read.
        return [Path(name) for name in names if isinstance(name, str) and os.path.isfile(name)]

    def add(self, path: Path) -> None:
        """Put a file first."""
        path = path.resolve()
        paths = [path, *(other for other in self.paths() if other != path)]
        QSettings().setValue(_KEY, [str(kept) for kept in paths[:LONGEST]])
        self.changed.emit()
