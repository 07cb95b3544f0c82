"""What is dropped on the window: scenes, pictures, assets; the picture takes assets by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, QMimeData, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from app.disk_jobs import DiskJobs
from app.panels.offer_bar import Answer, Offer
from app.photographs import SUFFIXES
from app.shelf import dragged_assets
from app.theme import ACCENT, UNIT, colors, float_over_picture
from app.where import last_folder, remember_folder
from neural_assets_core.errors import UserError
from neural_assets_core.history import user_history
from neural_assets_core.library import ASSET_SUFFIX
from neural_assets_core.meshes import MESH_SUFFIXES
from neural_assets_core.restore import Request, request_of, restored
from neural_assets_core.scene import SCENE_SUFFIX, Scene

if TYPE_CHECKING:
    from app.main_window import MainWindow

MESH_FILTER = f"Meshes ({' '.join(f'*{suffix}' for suffix in sorted(MESH_SUFFIXES))})"
CARRIERS = frozenset({".exr", ".ora"})
"""Of exports that are no photographs, and carry their scene all the same."""

_OFFER = "picture"
_LINE = 3
_SHOWN_MS = 6000
_WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


@dataclass(frozen=True)
class Carried:
    """What the pointer carries.

    Attributes
    ----------
    kind : str
        "refused" if it is nothing that the window can take.
    paths : tuple of Path
        One scene, one picture, or any number of assets or meshes.
    text : str
        What letting go would do, or why it would do nothing.
    """

    kind: Literal["scene", "picture", "assets", "meshes", "refused"]
    paths: tuple[Path, ...]
    text: str


def carried(data: QMimeData, open_scene: bool) -> Carried | None:
    """Look at what the pointer carries, without touching the disk; None if it is no files.

    Parameters
    ----------
    data : QMimeData
    open_scene : bool
        Whether there is a scene for assets to be put into.
    """
    urls = data.urls()
    if not urls:
        assets = dragged_assets(data)
        return _assets(assets, open_scene) if assets else None
    if not all(url.isLocalFile() for url in urls):
        return _refused(
            "What is on the web cannot be opened from there: save it as a file, then drop that."
        )
    paths = [Path(url.toLocalFile()) for url in urls]
    kinds = {path.suffix.lower() for path in paths}
    if kinds == {ASSET_SUFFIX}:
        return _assets(paths, open_scene)
    name = paths[0].name
    if kinds <= MESH_SUFFIXES:
        return _meshes(paths, open_scene)
    known = {SCENE_SUFFIX, ASSET_SUFFIX, *SUFFIXES, *CARRIERS, *MESH_SUFFIXES}
    if not kinds <= known:
        name = next(path.name for path in paths if path.suffix.lower() not in known)
        return _refused(
            f"{name} is neither a scene nor a picture, an asset or a mesh: drop one of these."
        )
    if len(paths) > 1:
        return _refused("Drop one scene or one picture at a time, or any number of assets or "
                        "meshes.")
    return Carried("scene" if kinds == {SCENE_SUFFIX} else "picture", tuple(paths), f"Open {name}")


def _assets(paths: list[Path], open_scene: bool) -> Carried:
    what = paths[0].stem if len(paths) == 1 else f"{len(paths)} assets"
    text = f"Insert {what}" if open_scene else f"Add {what} to the library"
    return Carried("assets", tuple(paths), text)


def _meshes(paths: list[Path], open_scene: bool) -> Carried:
    if not open_scene:
        return _refused("Open the scene first that the mesh is to stand in.")
    what = f"{paths[0].stem} as a stand-in" if len(paths) == 1 else f"{len(paths)} stand-ins"
    return Carried("meshes", tuple(paths), f"Insert {what}")


def _refused(text: str) -> Carried:
    return Carried("refused", (), text)


class WindowDrops(DiskJobs):
    """Takes files that are dropped anywhere on the window where nobody else wants them.

    A picture that carries a scene in its metadata is offered to be restored. The metadata, and the
    photographs that they name, are looked for on a thread.
    """

    _read = Signal(object, object)
    _restored = Signal(object, object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__("reading of dropped files", window)
        self._window, self._document = window, window.document
        self._carried: Carried | None = None
        self.sign = DropSign(window.stack)
        self._history = user_history()
        self.failed.connect(window.report)
        self._read.connect(self._on_read)
        self._restored.connect(self._on_restored)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        for field in window.findChildren(QLineEdit):
            # They would take the name of a file for text.
            field.installEventFilter(self)

    def import_meshes(self) -> None:
        """Ask for meshes, and put them into the scene."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, "Import meshes", str(last_folder()), MESH_FILTER
        )
        if names:
            remember_folder(Path(names[0]))
            self._insert_meshes([Path(name) for name in names])

    def _insert_meshes(self, paths: Sequence[Path]) -> None:
        what = paths[0].name if len(paths) == 1 else f"{len(paths)} meshes"
        # The first one takes seconds: its reader is loaded with it.
        self._window.statusBar().showMessage(f"Reading {what} …", _SHOWN_MS)
        self._window.assets.insert_files(paths)

    # -- events ----------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.DragEnter and isinstance(event, QDragMoveEvent):
            if watched is not self._window:
                event.ignore()
                return event.mimeData().hasUrls()
            self._carried = carried(event.mimeData(), self._document.scene is not None)
            if self._carried is None:
                return False
            self.sign.show_text(self._carried.text, self._carried.kind != "refused")
        if watched is not self._window or self._carried is None:
            return False
        if kind == QEvent.Type.DragLeave:
            self._forget()
        elif isinstance(event, QDropEvent):
            # What is refused too: nobody is told why by a pointer.
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            if kind == QEvent.Type.Drop:
                # Later: a question now would keep the other program waiting.
                QTimer.singleShot(0, partial(self._take, self._carried))
                self._forget()
        else:
            return False
        return True

    def _forget(self) -> None:
        self._carried = None
        self.sign.hide()

    # -- taking ----------------------------------------------------------------------------------

    def _take(self, what: Carried) -> None:
        if what.kind == "refused":
            self._window.report(what.text, "warning", "refusal")
        elif what.kind == "scene":
            self._window.open(what.paths[0])
        elif what.kind == "meshes":
            self._insert_meshes(what.paths)
        elif what.kind == "assets" and self._document.scene is not None:
            self._window.assets.insert_files(what.paths)
        elif what.kind == "assets":
            self._window.assets.add_files(what.paths)
        else:
            path = what.paths[0]
            self._do(lambda: self._tell(self._read, path, request_of(path)))

    def _on_read(self, path: Path, request: Request | None) -> None:
        photograph = path.suffix.lower() in SUFFIXES
        if request is None and photograph:
            self._window.open(path)
            return
        if request is None:
            self._window.report(
                f"{path.name} carries no scene: drop a PNG, JPEG, WebP or TIFF file to open it as "
                "a photograph.", "warning", "refusal",
            )  # fmt: skip
            return
        objects = "1 object" if request.objects == 1 else f"{request.objects} objects"
        answers = [Answer("Restore scene", partial(self._restore, request))]
        if photograph:
            answers.append(Answer("Open as photograph", partial(self._window.open, path)))
        self._window.offers.offer(
            Offer(_OFFER, f"{path.name} carries its scene ({objects}).", tuple(answers))
        )

    def _restore(self, request: Request) -> None:
        known, files = self._document.scene, self._window.recent.paths()

        def job() -> None:
            scene = restored(request, known, self._history, files)
            self._tell(self._restored, request.path, scene)

        self._do(job)

    def _on_restored(self, path: Path, scene: Scene) -> None:
        now = self._document.scene
        if now is not None and now.background.view.picture == scene.background.view.picture:
            self._document.push(scene, f"Restore {path.name}")
            return
        try:
            if self._window.files.may_close():
                # No file has it yet.
                self._document.recover(scene, None)
        except UserError as error:
            self.failed.emit(str(error))


class DropSign(QWidget):
    """Frames its parent while something is carried over the window, and says what it would do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        float_over_picture(self)
        self._over = parent
        self._plate = QRect()
        self.text = ""
        self._welcome = False
        font = self.font()
        font.setPointSizeF(1.2 * font.pointSizeF())
        self.setFont(font)
        self.hide()

    def show_text(self, text: str, welcome: bool) -> None:
        """Show a sentence; `welcome` if letting go would do something."""
        self.text, self._welcome = text, welcome
        self.setGeometry(self._over.rect())
        room = self._frame().adjusted(5 * UNIT, 5 * UNIT, -5 * UNIT, -5 * UNIT)
        needed = self.fontMetrics().boundingRect(room, _WRAPPED, text)
        self._plate = needed.adjusted(-3 * UNIT, -2 * UNIT, 3 * UNIT, 2 * UNIT)
        # Cut out, for it cannot be seen through.
        inside = self._frame().adjusted(_LINE, _LINE, -_LINE, -_LINE)
        self.setMask(QRegion(self._frame()).subtracted(QRegion(inside)).united(self._plate))
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = colors()
        painter = QPainter(self)
        color = QColor(ACCENT if self._welcome else scheme.warning)
        painter.fillRect(self.rect(), color)
        painter.fillRect(self._plate.adjusted(_LINE, _LINE, -_LINE, -_LINE), QColor(scheme.raised))
        painter.setPen(QColor(scheme.text))
        painter.drawText(self._plate, _WRAPPED, self.text)

    def _frame(self) -> QRect:
        return self.rect().adjusted(UNIT // 2, UNIT // 2, -UNIT // 2, -UNIT // 2)
