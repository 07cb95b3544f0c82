"""Where the canvas really draws a box's edges, against where the camera says they are.

Run as a program, because a display's scale can only be chosen before Qt starts: prints the
device pixel ratio and the largest error in pixels, before and after a resize.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow

from app.document import Document
from app.viewport import Viewport
from neural_assets_core.geometry import EDGES, FACES, Box
from neural_assets_core.scene import Picture, Scene, View
from tests.app.viewport.scenes import made_scene

NAME = "kettle"


def plain_scene() -> Scene:
    """One box on a dark, even picture."""
    made = made_scene()
    picture = Picture(np.full((480, 640, 3), 90, np.uint8))
    view = View(picture=picture, camera=made.camera)
    background = made.background.model_copy(update={"view": view})
    only = tuple(item for item in made.objects if item.name == NAME)
    return made.model_copy(update={"objects": only, "background": background})


def hover(viewport: Viewport, box: Box) -> None:
    """Rest the mouse on a box: then its edges are white and two pixels wide."""
    camera = viewport.screen_camera()
    assert camera is not None
    where = QPointF(*camera.project(np.array(box.center))[:2])
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    spot = viewport.native.mapToGlobal(where)
    event = QMouseEvent(QEvent.Type.MouseMove, where, spot, none, none, keys)
    QApplication.sendEvent(viewport.native, event)


def brightness(viewport: Viewport) -> np.ndarray:
    """(height, width) of the canvas in physical pixels, 0 to 255."""
    image = viewport.grab_frame().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), -1, 3).astype(float).mean(axis=2)


def sample(shown: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Brightness at positions (..., 2) in physical pixels, between pixel centres linearly."""
    x, y = np.asarray(at)[..., 0] - 0.5, np.asarray(at)[..., 1] - 0.5
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = x - column, y - row
    upper = (1 - u) * shown[row, column] + u * shown[row, column + 1]
    lower = (1 - u) * shown[row + 1, column] + u * shown[row + 1, column + 1]
    return (1 - v) * upper + v * lower


def edges(viewport: Viewport, box: Box, hidden: bool) -> np.ndarray:
    """(N, 2, 2) edges on the screen in physical pixels: those seen, or those behind."""
    camera = viewport.screen_camera()
    assert camera is not None
    local = box.to_local(camera.position)
    seen = [local[f // 2] * (2 * (f % 2) - 1) > 1 for f in range(6)]
    front = [any(seen[f] and a in FACES[f] and b in FACES[f] for f in range(6)) for a, b in EDGES]
    pixels = camera.project(box.corners())[:, :2] * viewport.native.devicePixelRatioF()
    return pixels[[edge for edge, is_front in zip(EDGES, front, strict=True) if is_front != hidden]]


def largest_error(viewport: Viewport, box: Box) -> float:
    """Greatest distance, in logical pixels, of the drawn lines from the box's visible edges."""
    shown, ratio = brightness(viewport), viewport.native.devicePixelRatioF()
    steps, errors = ratio * np.linspace(-3.0, 3.0, 121), []
    for start, end in edges(viewport, box, hidden=False):
        length = np.linalg.norm(end - start)
        along = (end - start) / length
        across = np.array([-along[1], along[0]])
        # Not at the corners, where other lines are near.
        for reach in np.linspace(14.0 * ratio, length - 14.0 * ratio, 5):
            profile = sample(shown, start + reach * along + steps[:, None] * across)
            weight = np.clip(profile - 150.0, 0.0, None)
            assert weight.max() > 60.0, "there is no line"
            errors.append(abs(float((weight * steps).sum() / weight.sum())) / ratio)
    return max(errors)


def main() -> None:
    """Measure in a window of an odd size, then in another."""
    application = QApplication([])
    document, window = Document(), QMainWindow()
    viewport = Viewport(document)
    window.setCentralWidget(viewport)
    document.set_scene(plain_scene())
    box = document.shown_scene.object(NAME).box
    window.resize(701, 455)
    window.show()
    QTest.qWaitForWindowExposed(window)
    found = []
    for size in ((701, 455), (655, 555)):
        window.resize(*size)
        QTest.qWait(50)
        hover(viewport, box)
        found.append(largest_error(viewport, box))
    print(viewport.native.devicePixelRatioF(), *found)
    application.quit()


if __name__ == "__main__":
    main()
