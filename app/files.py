"""Opening, saving, exporting and closing, with the questions they may ask."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.document import Document
from app.generation import Pictures
from app.recent_files import RecentFiles
from neural_assets_core.errors import UserError
from neural_assets_core.export import export_png
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX

SCENE_FILTER = f"Scenes (*{SCENE_SUFFIX});;All files (*)"
_FOLDER_KEY = "last_folder"


class FileCommands:
    """What the File menu does.

    All methods raise `UserError` if a file cannot be read or written; the document is then as
    it was.
    """

    def __init__(
        self, window: QWidget, document: Document, pictures: Pictures, recent: RecentFiles
    ) -> None:
        self._window = window
        self._document = document
        self._pictures = pictures
        self._recent = recent

    def browse(self) -> None:
        """Ask for a scene file and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a scene", str(_last_folder()), SCENE_FILTER
        )
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Open a scene file, once the current scene's changes are taken care of."""
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
        suggestion = self._document.path or _last_folder() / f"untitled{SCENE_SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save the scene", str(suggestion), SCENE_FILTER
        )
        if not name:
            return False
        path = Path(name)
        return self._save(path if path.suffix else path.with_suffix(SCENE_SUFFIX))

    def export(self) -> None:
        """Ask for a file and write the finished picture to it."""
        result = self._pictures.result()
        if result is None:
            raise UserError("There is no finished picture of this scene yet: generate it first.")
        stem = self._document.path.stem if self._document.path else "picture"
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Export the picture", str(_last_folder() / f"{stem}.png"), "PNG (*.png)"
        )
        if name:
            path = Path(name)
            path = path if path.suffix.lower() == ".png" else path.with_name(path.name + ".png")
            export_png(result.picture, result.scene, path)

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
        return QMessageBox.StandardButton(box.exec())

    def _save(self, path: Path) -> bool:
        result = self._pictures.result()
        self._document.save(path, thumbnail=result.picture if result else None)
        self._remember(path)
        return True

    def _remember(self, path: Path) -> None:
        QSettings().setValue(_FOLDER_KEY, str(path.resolve().parent))
        self._recent.add(path)


def _is_sample(path: Path) -> bool:
    return path.resolve().parent == SAMPLE_SCENES.resolve()


def _last_folder() -> Path:
    stored = QSettings().value(_FOLDER_KEY)
    if isinstance(stored, str) and Path(stored).is_dir():
        return Path(stored)
    pictures = QStandardPaths.StandardLocation.PicturesLocation
    return Path(QStandardPaths.writableLocation(pictures))
