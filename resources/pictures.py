"""Make the README's pictures: `make pictures`.

The window is the real one, with an edit made through the document as a gesture would; the pairs
are a sample scene's picture and what the default checkpoint makes of one edit of it.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.theme import apply_theme
from neural_assets_core.decoders import open_decoder
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import Scene, load_scene

FOLDER = Path(__file__).parent / "pictures"
SHOWN_SIDE = 384


def moved(scene: Scene, name: str, x: float, y: float, degrees: float) -> Scene:
    """The object shifted over the ground by (x, y) metres and turned about its vertical."""
    box = scene.object(name).box.translated((x, y, 0.0))
    return scene.with_box(name, box.rotated((0.0, 0.0, 1.0), math.radians(degrees)))


EDITS: list[tuple[str, Callable[[Scene], Scene]]] = [
    ("playroom", lambda scene: moved(scene, "truck", 0.1, 0.06, 15)),
    ("garage", lambda scene: moved(scene, "car", -0.06, 0.05, -15)),
    ("nursery", lambda scene: moved(scene, "robot", -0.06, -0.12, 20)),
]


def main() -> None:
    """Write all pictures into `resources/pictures`."""
    FOLDER.mkdir(exist_ok=True)
    for number, (name, edit) in enumerate(EDITS, start=1):
        scene = load_scene(SAMPLE_SCENES / f"{name}.nascene")
        edited = edit(scene)
        after = open_decoder(edited.settings).generate(edited).picture.pixels
        for which, pixels in (("before", scene.background.view.picture.pixels), ("after", after)):
            picture = Image.fromarray(pixels)
            picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
            picture.save(FOLDER / f"edit-{number}-{which}.png", optimize=True)
    with TemporaryDirectory() as folder:
        # Of a user who has nothing yet: no crash to recover from, no history.
        for kind in ("CONFIG", "DATA", "STATE"):
            os.environ[f"XDG_{kind}_HOME"] = folder
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        window_picture(FOLDER / "window.png")


def window_picture(path: Path) -> None:
    """A screenshot of the window with an edited scene and its finished picture."""
    application = QApplication.instance() or QApplication(sys.argv)
    application.setOrganizationName("pictures")
    apply_theme(application)
    window = MainWindow()
    window.resize(1280, 800)
    window.show()
    name, edit = EDITS[0]
    window.open(SAMPLE_SCENES / f"{name}.nascene")
    scene = window.document.scene
    assert scene is not None
    edited = edit(scene)
    changed = next(a.name for a, b in zip(edited.objects, scene.objects, strict=True) if a != b)
    window.document.select([changed])
    window.document.push(edited, "Move")
    loop = QEventLoop()
    window.pictures.generator.finished.connect(lambda *_: QTimer.singleShot(1500, loop.quit))
    QTimer.singleShot(120_000, loop.quit)
    loop.exec()
    window.raise_()
    QApplication.processEvents()
    frame = window.frameGeometry()
    screen = QGuiApplication.primaryScreen()
    screen.grabWindow(0, frame.x(), frame.y(), frame.width(), frame.height()).save(str(path))
    window.document.undo_stack.setClean()
    window.close()


if __name__ == "__main__":
    main()
