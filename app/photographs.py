"""Pictures without boxes become scenes: from files and from the clipboard."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMainWindow

from app.disk_jobs import DiskJobs
from app.document import Document
from app.where import last_folder, remember_folder
from neural_assets_core.calibration import (
    Photograph,
    guessed_camera,
    load_photograph,
    scene_from_photograph,
    undistorted,
)
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene

SUFFIXES = frozenset(
    f".{kind}"
    for kind in ("jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif", "heic", "heif",
                 "avif", "fspy")
)  # fmt: skip
"""Of files that may be photographs; what they are is then told by their content."""

PICTURE_FILTER = f"Pictures ({' '.join(f'*{suffix}' for suffix in sorted(SUFFIXES))})"

NEXT_STEPS = (
    "Drag a rectangle around an object, then move it (Shift+B: another one). If its box stands "
    "askew, calibrate the camera (K). The proxy draws the picture: the default checkpoint knows "
    "made scenes only."
)

STRAIGHTENED = "Lines that the lens had bent were straightened, as the file tells it."


class Photographs(QObject):
    """Opens photographs as scenes with a guessed camera and no objects.

    They are decoded on a thread of their own: a hundred megapixels take seconds. Of several asked
    for, the last counts.

    Parameters
    ----------
    window : QMainWindow
    document : Document
    may_close : callable
        Asks what to do with unsaved changes; False if the user would rather stay.
    """

    failed = Signal(str)
    """A sentence for the user; the document is as it was."""

    opened = Signal(str)
    """What to do next."""

    def __init__(
        self, window: QMainWindow, document: Document, may_close: Callable[[], bool]
    ) -> None:
        super().__init__(window)
        self._window, self._document, self._may_close = window, document, may_close
        self._reader = _Reader(self)
        self._reader.done.connect(self._on_read)
        self._reader.failed.connect(self._on_failed)
        self._asked = 0

    def browse(self) -> None:
        """Ask for a picture file and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            "New scene from a photograph",
            str(last_folder()),
            f"{PICTURE_FILTER};;All files (*)",
        )
        if name:
            remember_folder(Path(name))
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Make a scene of a picture file, or of an fSpy project; returns at once."""
        self._read(path.name, lambda: load_photograph(path))

    def paste(self) -> None:
        """Make a scene of the picture on the clipboard, or of the picture file there.

        Raises
        ------
        UserError
            If there is none.
        """
        data = QGuiApplication.clipboard().mimeData()
        urls = data.urls() if data is not None else []
        if len(urls) == 1 and urls[0].isLocalFile():
            self.open(Path(urls[0].toLocalFile()))
            return
        image = QGuiApplication.clipboard().image()
        if image.isNull():
            raise UserError("There is no picture on the clipboard: copy one first.")
        self._read("the picture on the clipboard", lambda: load_photograph(_encoded(image)))

    def shutdown(self) -> None:
        """Stop; what is being read is given up."""
        self._reader.shutdown(0)

    def _read(self, name: str, load: Callable[[], Photograph]) -> None:
        self._asked += 1
        self._window.statusBar().showMessage(f"Reading {name} …")
        self._reader.read(self._asked, load)

    def _on_read(self, number: int, scene: Scene, name: str, text: str) -> None:
        if number != self._asked:
            return
        self._window.statusBar().clearMessage()
        try:
            if self._may_close():
                self._document.set_scene(scene, called=name)
                self.opened.emit(text)
        except UserError as error:
            # The changes that were to be saved could not be.
            self.failed.emit(str(error))

    def _on_failed(self, text: str) -> None:
        self._window.statusBar().clearMessage()
        self.failed.emit(text)


class _Reader(DiskJobs):
    """Decodes on its own thread."""

    done = Signal(int, object, str, str)
    """The number of the request, its `Scene`, what to call it, and what is to be said about it."""

    def __init__(self, parent: QObject) -> None:
        super().__init__("photograph reader", parent)

    def read(self, number: int, load: Callable[[], Photograph]) -> None:
        def job() -> None:
            taken = load()
            photograph = undistorted(taken)
            scene = scene_from_photograph(photograph, guessed_camera(photograph))
            # What it is known by takes longer than a frame may.
            hash(scene)
            text = f"{STRAIGHTENED} {NEXT_STEPS}" if taken.distortion else NEXT_STEPS
            self._tell(self.done, number, scene, photograph.name, text)

        self._do(job)


def _encoded(image: QImage) -> bytes:
    """An image as the content of a PNG file."""
    # Not by a QBuffer: no QObject may live on the reader's thread.
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), -1)
    pixels = rows[:, : 4 * plain.width()].reshape(plain.height(), plain.width(), 4)
    content = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(content, "PNG", compress_level=1)
    return content.getvalue()
