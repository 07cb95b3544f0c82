"""Opening, saving, exporting and closing, with the questions they may ask."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox

from app.document import Document
from app.generation import Pictures
from app.recent_files import RecentFiles
from neural_assets_core.errors import UserError
from neural_assets_core.export import export_png
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import SCENE_SUFFIX, Picture, Scene

SCENE_FILTER = f"Scenes (*{SCENE_SUFFIX});;All files (*)"
_FOLDER_KEY = "last_folder"
_SHOWN_MS = 4000
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"})


class FileCommands:
    """What the File menu does.

    All methods raise `UserError` if a file cannot be read or written; the document is then as
    it was.
    """

    def __init__(
        self, window: QMainWindow, document: Document, pictures: Pictures, recent: RecentFiles
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
        if path.suffix.lower() in _PICTURES:
            raise UserError(
                f"{path.name} is a picture without boxes: open a scene ({SCENE_SUFFIX})."
            )
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
        path = self._ask_where("Save the scene", suggestion, SCENE_FILTER, SCENE_SUFFIX)
        return path is not None and self._save(path)

    def export(self) -> None:
        """Export the finished picture of the open scene."""
        result = self._pictures.result()
        if result is None:
            raise UserError("There is no finished picture of this scene yet: generate it first.")
        self.export_picture(result.picture, result.scene)

    def export_picture(self, picture: Picture, scene: Scene) -> None:
        """Ask for a file and write a picture to it, the scene that it shows inside."""
        stem = self._document.path.stem if self._document.path else "picture"
        suggestion = _last_folder() / f"{stem}.png"
        path = self._ask_where("Export the picture", suggestion, "PNG (*.png)", ".png")
        if path is not None:
            export_png(picture, scene, path)
            _remember_folder(path)
            self._window.statusBar().showMessage(f"Exported {path.name}", _SHOWN_MS)

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

    def _ask_where(self, title: str, suggestion: Path, kinds: str, suffix: str) -> Path | None:
        dialog = QFileDialog(self._window, title, str(suggestion.parent), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # It would ask about the name as it was typed, before the suffix is there.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile(suggestion.name)
        while dialog.exec():
            path = Path(dialog.selectedFiles()[0])
            if path.suffix.lower() != suffix:
                path = path.with_name(path.name + suffix)
            # Not Path.exists: that raises for folders that may not be read.
            if not os.path.exists(path) or self._may_replace(path):
                return path
        return None

    def _may_replace(self, path: Path) -> bool:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Replace the file")
        box.setText(f"{path.name} exists already. Replace it?")
        box.setInformativeText("What is in it now is lost.")
        replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is replace

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
        self._window.statusBar().showMessage(f"Saved {path.name}", _SHOWN_MS)
        return True

    def _remember(self, path: Path) -> None:
        _remember_folder(path)
        self._recent.add(path)


def _is_sample(path: Path) -> bool:
    return path.resolve().parent == SAMPLE_SCENES.resolve()


def _remember_folder(path: Path) -> None:
    QSettings().setValue(_FOLDER_KEY, str(path.resolve().parent))


def _last_folder() -> Path:
    stored = QSettings().value(_FOLDER_KEY)
    if isinstance(stored, str) and os.path.isdir(stored):
        return Path(stored)
    pictures = QStandardPaths.StandardLocation.PicturesLocation
    return Path(QStandardPaths.writableLocation(pictures))
