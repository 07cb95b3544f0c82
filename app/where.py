"""Asking where a file is to be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

_FOLDER_KEY = "last_folder"


def ask_where(
    parent: QWidget,
    title: str,
    suggestion: Path,
    kinds: str,
    suffixes: Sequence[str],
    written: Callable[[Path], Sequence[Path]] = lambda path: [path],
) -> Path | None:
    """Ask for a place, and whether what is there may be replaced; None if not.

    Parameters
    ----------
    parent : QWidget
    title : str
    suggestion : Path
    kinds : str
        Qt's filter.
    suffixes : sequence of str
        The name gets the first one unless it ends in one of them.
    written : callable
        The files that will be written for a chosen place.
    """
    dialog = QFileDialog(parent, title, str(suggestion.parent), kinds)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    # It would ask about the name as it was typed, before the suffix is there.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.selectFile(suggestion.name)
    try:
        while dialog.exec():
            path = Path(dialog.selectedFiles()[0])
            if path.suffix.lower() not in suffixes:
                path = path.with_name(path.name + suffixes[0])
            # Not Path.exists: that raises for folders that may not be read.
            there = [file for file in written(path) if os.path.exists(file)]
            if not there or may_replace(parent, there):
                return path
    finally:
        # Else its parent would keep it.
        dialog.deleteLater()
    return None


def may_replace(parent: QWidget, paths: Sequence[Path]) -> bool:
    """Ask whether files that are there may be written over."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    if len(paths) == 1:
        box.setWindowTitle("Replace the file")
        box.setText(f"{paths[0].name} exists already. Replace it?")
        box.setInformativeText("What is in it now is lost.")
    else:
        box.setWindowTitle("Replace the files")
        box.setText(f"{len(paths)} files exist already. Replace them?")
        names = "\n".join(path.name for path in paths[:8])
        box.setInformativeText(f"{names}\nWhat is in them now is lost.")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    answered(box)
    return box.clickedButton() is replace


def answered(question: QDialog) -> int:
    """Show a dialog until it is answered, and then let go of it: its parent would keep it."""
    answer = question.exec()
    # Only once whoever has asked is through with it.
    question.deleteLater()
    return answer


def remember_folder(path: Path) -> None:
    """Begin there when the user is asked the next time."""
    QSettings().setValue(_FOLDER_KEY, str(path.resolve().parent))


def last_folder() -> Path:
    """Where the user was last, or the system's folder for pictures."""
    stored = QSettings().value(_FOLDER_KEY)
    if isinstance(stored, str) and os.path.isdir(stored):
        return Path(stored)
    pictures = QStandardPaths.StandardLocation.PicturesLocation
    return Path(QStandardPaths.writableLocation(pictures))
