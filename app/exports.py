"""Exporting pictures and films; both are made and written while the window stays usable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QMainWindow, QMessageBox

from app.dialogs.export import FORMATS, Choice, ExportDialog
from app.dialogs.turntable import TurntableDialog
from app.disk_jobs import DiskJobs
from app.document import UNTITLED, Document
from app.films import FilmRequest, Films
from app.generation import Pictures
from app.where import answered, ask_where, last_folder, remember_folder
from neural_assets_core.animation import FORMATS as FILM_FORMATS
from neural_assets_core.animation import Film
from neural_assets_core.errors import UserError
from neural_assets_core.export import KINDS, export_still, find_signature, still_paths
from neural_assets_core.export.layers import Drawer
from neural_assets_core.export.stills import scene_drawer, still_preview
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.recovery import Abandoned

_SHOWN_MS = 6000


class Stills(DiskJobs):
    """Draws and writes what is exported of finished pictures."""

    written = Signal(object)
    """List of the files' paths."""

    previewed = Signal(str, object)
    """Kind and `QImage`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("export", parent)
        self._previewed = ""
        self._draw: tuple[tuple[str, str], Drawer] | None = None

    def preview(self, picture: Picture, scene: Scene, what: str) -> None:
        """Draw what would be written, instead of other kinds that were asked for before."""
        self._previewed = what

        def job() -> None:
            if what != self._previewed:
                return
            pixels = still_preview(picture, scene, what, self._drawer_of(scene))
            self._tell(self.previewed, what, _image(pixels))

        self._do(job)

    def write(self, picture: Picture, scene: Scene, path: Path, choice: Choice) -> None:
        """Write the files."""

        def job() -> None:
            paths = export_still(
                picture,
                scene,
                path,
                what=choice.what,
                metadata=choice.metadata,
                quality=choice.quality,
                draw=self._drawer_of(scene),
                signature=find_signature() if choice.credentials else None,
            )
            self._tell(self.written, paths)

        self._do(job)

    def _drawer_of(self, scene: Scene) -> Drawer:
        wanted = (scene.settings.decoder, scene.settings.checkpoint)
        if self._draw is None or self._draw[0] != wanted:
            self._draw = (wanted, scene_drawer(scene))
        return self._draw[1]


class Exports(QObject):
    """The commands that export.

    Parameters
    ----------
    window : QMainWindow
    document : Document
    pictures : Pictures
    """

    failed = Signal(str)
    """A sentence for the user."""

    written = Signal()
    """What was wanted last is on the disk."""

    def __init__(self, window: QMainWindow, document: Document, pictures: Pictures) -> None:
        super().__init__(window)
        self._window, self._document, self._pictures = window, document, pictures
        self.stills, self.films = Stills(self), Films(self)
        self.turntable = TurntableDialog(window)
        self._film: Film | None = None
        self.stills.failed.connect(self.failed)
        self.stills.written.connect(self._on_written)
        self.films.failed.connect(self._on_film_failed)
        self.films.progressed.connect(self.turntable.show_progress)
        self.films.made.connect(self._on_made)
        self.films.cancelled.connect(lambda: self.turntable.end("Stopped: nothing was written."))
        self.films.resumed.connect(self._on_resumed)
        self.turntable.wanted.connect(self._on_wanted)
        self.turntable.stopped.connect(self.films.cancel)
        self.turntable.show_folder.connect(self._show_folder)

    # -- pictures --------------------------------------------------------------------------------

    def export(self) -> None:
        """Export the finished picture of the open scene, or what is known of it.

        Raises
        ------
        UserError
            If there is no picture yet.
        """
        result = self._pictures.result()
        if result is None:
            raise UserError("There is no finished picture of this scene yet: generate it first.")
        self.export_picture(result.picture, result.scene)

    def export_picture(self, picture: Picture, scene: Scene) -> None:
        """Ask what of a picture is to be exported, and where to."""
        dialog = ExportDialog(self._window)
        dialog.preview_wanted.connect(lambda what: self.stills.preview(picture, scene, what))
        self.stills.previewed.connect(dialog.show_preview)

        def write(choice: Choice) -> None:
            # Whoever would rather not write there yet goes on choosing.
            if self._write(picture, scene, choice):
                dialog.close()

        dialog.chosen.connect(write)
        dialog.start()

    def _write(self, picture: Picture, scene: Scene, choice: Choice) -> bool:
        """Ask for a place and write there; whether one was given."""
        kind = KINDS[choice.what]
        path = ask_where(
            self._window,
            f"Export: {kind.label.lower()}",
            last_folder() / f"{self._stem(choice.what)}{choice.suffix}",
            f"{FORMATS[choice.suffix]} (*{choice.suffix})",
            [choice.suffix],
            lambda place: still_paths(scene, place, choice.what),
        )
        if path is not None:
            remember_folder(path)
            self.stills.write(picture, scene, path, choice)
        return path is not None

    def _on_written(self, paths: list[Path]) -> None:
        names = paths[0].name if len(paths) == 1 else f"{len(paths)} files to {paths[0].parent}"
        self._window.statusBar().showMessage(f"Exported {names}", _SHOWN_MS)
        self.written.emit()

    # -- films -----------------------------------------------------------------------------------

    def export_turntable(self) -> None:
        """Ask for a film of the open scene."""
        scene = self._document.scene
        if scene is not None:
            selected = self._document.selection
            self.turntable.start(scene, selected[-1] if selected else None)

    def export_film(self) -> None:
        """Ask for a film of the open scene's keyframes."""
        scene = self._document.scene
        if scene is not None:
            self.turntable.start(scene, None, keyframes=True)

    def _on_wanted(self, request: FilmRequest) -> None:
        suffix = request.suffix
        path = ask_where(
            self.turntable,
            "Export the film",
            last_folder() / f"{self._stem('turntable')}{suffix}",
            f"{FILM_FORMATS[suffix]} (*{suffix})" if suffix else "Folders (*)",
            [suffix],
        )
        if path is not None:
            remember_folder(path)
            self.turntable.begin()
            self.films.make(request, path)

    def _on_resumed(self, request: FilmRequest, path: Path, left: Abandoned) -> None:
        if self.turntable.busy:
            self.films.offer_again(left)
            self.failed.emit("Another film is being made: go on with this one after it.")
            return
        self.turntable.start(request.scene, None, keyframes=request.motion == "keyframes")
        self.turntable.begin()
        self.films.make(request, path, left)

    def _on_made(self, film: Film) -> None:
        self._film = film
        frames = "1 frame" if film.frames == 1 else f"{film.frames} frames"
        told = f"{film.path.name}: {frames} of {film.width} × {film.height} pixels."
        if film.flicker.background is not None:
            shake = film.flicker.background
            told += f" What stands still flickers by {shake:.2f} of 255; below 1 nobody sees it."
        self.turntable.end(told, film)
        self._window.statusBar().showMessage(f"Exported {film.path.name}", _SHOWN_MS)
        self.written.emit()

    def _on_film_failed(self, text: str) -> None:
        self.turntable.end(text, failed=True)
        if not self.turntable.isVisible():
            self.failed.emit(text)

    def _show_folder(self) -> None:
        if self._film is not None:
            folder = self._film.path.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    # -- closing ---------------------------------------------------------------------------------

    def may_close(self) -> bool:
        """Ask whether a film that is being made is to be given up; False if not."""
        if not self.turntable.busy:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("A film is being made")
        box.setText("Give up the film that is being made?")
        box.setInformativeText("Its frames are lost.")
        box.setStandardButtons(
            QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel
        )
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        return answered(box) == QMessageBox.StandardButton.Discard

    def shutdown(self) -> bool:
        """Give up the film and finish what is being written; whether that was in time."""
        self.turntable.close()
        stopped = self.stills.shutdown()
        return self.films.shutdown() and stopped

    def _stem(self, other: str) -> str:
        stem = self._document.stem
        if stem == UNTITLED:
            stem = "picture"
        return stem if other == "picture" else f"{stem} {other}"


def _image(pixels: np.ndarray) -> QImage:
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    return QImage(pixels.tobytes(), width, height, channels * width, kind).copy()
