"""Opening, saving and closing, with the questions they may ask."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox

from app.document import Document
from app.generation import Pictures
from app.photographs import PICTURE_FILTER, SUFFIXES, Photographs
from app.recent_files import RecentFiles
from app.where import answered, ask_where, last_folder, remember_folder
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX

SCENE_FILTER = f"Scenes (*{SCENE_SUFFIX});;All files (*)"
OPEN_FILTER = f"Scenes (*{SCENE_SUFFIX});;{PICTURE_FILTER};;All files (*)"
_SHOWN_MS = 4000


class FileCommands:
    """What the File menu does.

    All methods raise `UserError` if a file cannot be read or written; the document is then as
    it was.

    Attributes
    ----------
    photographs : Photographs
        For pictures without boxes.
    """

    def __init__(
        self, window: QMainWindow, document: Document, pictures: Pictures, recent: RecentFiles
    ) -> None:
        self._window = window
        self._document = document
        self._pictures = pictures
        self._recent = recent
        self.photographs = Photographs(window, document, self.may_close)

    def browse(self) -> None:
        """Ask for a scene file, or a photograph, and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a scene", str(last_folder()), OPEN_FILTER
        )
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a scene file, once the current scene's changes are taken care of.

        A photograph comes a little later: see `Photographs.open`.
        """
        if path.suffix.lower() in SUFFIXES:
            remember_folder(path)
            self.photographs.open(path)
            return
        if not self.may_close():
            return
        # A sample is a start, not a file of the user's: saving asks where.
        sample = _is_sample(path)
        self._document.open(path, as_copy=sample)
        if not sample:
            self._remember(path)

    def save(self) -> bool:
        """Save to the scene's own file, or ask for one; whether it was saved."""
        if self._document.path is None:
            return self.save_as()
        return self._save(self._document.path)

    def save_as(self) -> bool:
        """Ask for a file and save to it; whether it was saved."""
        stem = self._document.stem
        suggestion = self._document.path or last_folder() / f"{stem}{SCENE_SUFFIX}"
        path = ask_where(
            self._window, "Save the scene", suggestion, SCENE_FILTER, [SCENE_SUFFIX]
        )
        return path is not None and self._save(path)

    def close(self) -> None:
        """Close the scene, once its changes are taken care of."""
        if self.may_close():
            self._document.set_scene(None)

    def may_close(self) -> bool:
        """Ask what to do with unsaved changes; False if the user would rather stay."""
        if not self._document.modified:
            return True
        answer = self._ask()
        if answer == QMessageBox.StandardButton.Save:
            return self.save()
        return answer == QMessageBox.StandardButton.Discard

    def _ask(self) -> QMessageBox.StandardButton:
        path = self._document.path
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved changes")
        box.setText(f"Save the changes to {path.name if path else 'this scene'}?")
        lost = "Without saving they are lost."
        if self._pictures.generator.busy:
            lost += " The picture being generated is stopped."
        box.setInformativeText(lost)
        box.setStandardButtons(
            QMessageBox.StandardButton.Save
            | QMessageBox.StandardButton.Discard
            | QMessageBox.StandardButton.Cancel
        )
        box.setDefaultButton(QMessageBox.StandardButton.Save)
        return QMessageBox.StandardButton(answered(box))

    def _save(self, path: Path) -> bool:
        result = self._pictures.result()
        # "Saved" would still stand there from the last time, even if it fails now.
        self._window.statusBar().clearMessage()
        self._document.save(path, thumbnail=result.picture if result else None)
        self._remember(path)
        self._window.statusBar().showMessage(f"Saved {path.name}", _SHOWN_MS)
        return True

    def _remember(self, path: Path) -> None:
        remember_folder(path)
        self._recent.add(path)


def _is_sample(path: Path) -> bool:
    return path.resolve().parent == SAMPLE_SCENES.resolve()
