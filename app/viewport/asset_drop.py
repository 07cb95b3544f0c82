"""Assets dragged onto the picture: a ghost of the box on the ground, then the object itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QMenu

from app.document import Document
from app.shelf import Shelf, dragged_placeables
from app.viewport.viewport import Viewport
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.library import Asset, inserted, placed_box, replaced, with_surroundings
from neural_assets_core.library.composition import FARTHEST_GROUND
from neural_assets_core.scene import Scene

_ALT = Qt.KeyboardModifier.AltModifier


class AssetDrop(QObject):
    """Takes assets that are dragged over the picture, from the library or as files.

    Dropped on the ground an asset is inserted there; on the box of an object a menu asks whether
    it is to replace that one, and Alt answers yes beforehand. A background takes the place of
    the scene's.
    """

    failed = Signal(str)
    """A sentence for the user."""

    def __init__(self, document: Document, viewport: Viewport, shelf: Shelf) -> None:
        super().__init__(viewport)
        self._document, self._viewport, self._shelf = document, viewport, shelf
        self._path: Path | None = None
        self._asset: Asset | None = None
        self._at, self._alt = QPointF(), False
        # Dropped before it was read.
        self._dropped = False
        self._menu: QMenu | None = None
        viewport.native.setAcceptDrops(True)
        viewport.native.installEventFilter(self)

    # -- edits, each one undo entry ----------------------------------------------------------------

    def place(self, asset: Asset, at: tuple[float, float] | None = None) -> None:
        """Insert an object, at the middle of the ground in view by default, or a background.

        Raises
        ------
        UserError
            If the scene is full or shows no ground.
        """
        scene = self._document.scene
        if scene is None:
            return
        if asset.background is not None:
            scene = with_surroundings(scene, asset.surroundings())
            self._document.push(scene, f"Swap the background for {asset.name}")
        else:
            scene = inserted(scene, asset, at)
            self._document.push(scene, f"Insert {asset.name}", select=[scene.objects[-1].name])

    def place_all(self, assets: Sequence[Asset]) -> None:
        """Insert several, objects side by side about the middle of the ground in view.

        Raises
        ------
        UserError
            If the scene is full.
        """
        scene = self._document.scene
        if scene is None or not assets:
            return
        objects = [asset for asset in assets if asset.background is None]
        for asset in assets:
            if asset.background is not None:
                scene = with_surroundings(scene, asset.surroundings())
        boxes = _in_a_row([placed_box(asset, scene.camera) for asset in objects], scene)
        for asset, box in zip(objects, boxes, strict=True):
            scene = inserted(scene, asset)
            scene = scene.with_box(scene.objects[-1].name, box)
        names = [item.name for item in scene.objects[len(scene.objects) - len(objects) :]]
        self._document.push(scene, f"Insert {len(assets)} assets", select=names)

    def replace(self, asset: Asset, name: str) -> None:
        """Put an asset in the place of an object, which keeps its pose.

        Raises
        ------
        UserError
            If the asset is a background.
        """
        scene = self._document.scene
        if scene is None:
            return
        made = replaced(scene, name, asset)
        fresh = made.objects[scene.index(name)].name
        self._document.push(made, f"Replace {name} by {asset.name}", select=[fresh])

    # -- events --------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.DragLeave:
            # Esc too.
            self._forget()
            return True
        if not isinstance(event, QDropEvent):
            return False
        paths = dragged_placeables(event.mimeData())
        if self._document.scene is None or len(paths) != 1:
            # For the window, to which a scene file may be dragged.
            event.ignore()
            return True
        if kind == QEvent.Type.DragEnter:
            self._begin(paths[0])
        self._at, self._alt = event.position(), bool(event.modifiers() & _ALT)
        self._show()
        # Above the horizon nothing can stand, but the pointer may come back down.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind == QEvent.Type.DragMove and isinstance(event, QDragMoveEvent):
            event.setAccepted(self._path is not None and self._fits())
        elif kind == QEvent.Type.Drop:
            self._dropped = True
            self._finish()
        return True

    def _begin(self, path: Path) -> None:
        self._forget()
        self._path = path
        self._shelf.load(path, lambda asset: self._on_loaded(path, asset))

    def _on_loaded(self, path: Path, asset: Asset | None) -> None:
        # A late answer may be about a drag that left.
        if path != self._path:
            return
        self._asset = asset
        if asset is None:
            self._forget()
            return
        self._show()
        self._finish()

    def _finish(self) -> None:
        """Do what was dropped, once both are there: the asset, and the drop."""
        asset = self._asset
        if not self._dropped or asset is None:
            return
        name = self._name_under()
        at = self._ground()
        if asset.background is not None:
            self._try(lambda: self.place(asset))
        elif name and self._alt:
            self._try(lambda: self.replace(asset, name))
        elif name:
            self._ask(asset, name, at)
            return
        elif at is not None:
            self._try(lambda: self.place(asset, at))
        else:
            self.failed.emit("There is no ground to stand on there: drop it further down.")
        self._forget()

    def _ask(self, asset: Asset, name: str, at: tuple[float, float] | None) -> None:
        # The ghost stays until the answer.
        menu = self._menu = QMenu(self._viewport)
        insert = menu.addAction("&Insert here")
        insert.setEnabled(at is not None)
        insert.triggered.connect(lambda: self._try(lambda: self.place(asset, at)))
        replace = menu.addAction(f"&Replace {name.replace('&', '&&')}")
        replace.triggered.connect(lambda: self._try(lambda: self.replace(asset, name)))
        menu.aboutToHide.connect(self._forget)
        menu.aboutToHide.connect(menu.deleteLater)
        where: QPoint = self._viewport.native.mapToGlobal(self._at.toPoint())
        menu.popup(where)

    def _try(self, edit: Callable[[], None]) -> None:
        try:
            edit()
        except UserError as error:
            self.failed.emit(str(error))

    def _forget(self) -> None:
        self._path = self._asset = self._menu = None
        self._dropped = False
        self._viewport.show_ghost(None)

    # -- where it would go ---------------------------------------------------------------------

    def _show(self) -> None:
        """Draw where the asset would stand, and say what letting go would do."""
        asset, scene = self._asset, self._document.scene
        if asset is None or scene is None:
            return
        name = self._name_under()
        if asset.background is not None:
            self._viewport.show_ghost(None, f"Swap the background for {asset.name}")
        elif name and self._alt:
            box = replaced(scene, name, asset).objects[scene.index(name)].box
            self._viewport.show_ghost(box, f"Replace {name} by {asset.name}")
        else:
            alternative = f"   Alt: replace {name}" if name else ""
            what = asset.name if asset.wireframe is None else f"{asset.name} as a stand-in"
            text = f"Insert {what} here" if self._fits() else "No ground to stand on here"
            self._viewport.show_ghost(self._standing(asset, scene), text + alternative)

    def _fits(self) -> bool:
        background = self._asset is not None and self._asset.background is not None
        return background or bool(self._name_under()) or self._ground() is not None

    def _standing(self, asset: Asset, scene: Scene) -> Box | None:
        at = self._ground()
        return None if at is None else placed_box(asset, scene.camera, at)

    def _name_under(self) -> str | None:
        return self._viewport.object_under(self._at)

    def _ground(self) -> tuple[float, float] | None:
        """World metres of the ground under the pointer; None above the horizon."""
        camera = self._viewport.screen_camera()
        if camera is None:
            return None
        origin, direction = camera.rays(np.array([self._at.x(), self._at.y()]))
        if direction[2] * origin[2] >= 0 or (reach := -origin[2] / direction[2]) > FARTHEST_GROUND:
            return None
        x, y = (origin + reach * direction)[:2]
        return float(x), float(y)


def _in_a_row(boxes: list[Box], scene: Scene) -> list[Box]:
    """Boxes that all stand in one place moved apart, to the camera's left and right."""
    right = scene.camera.camera_to_world[:3, 0] * (1.0, 1.0, 0.0)
    right /= np.linalg.norm(right)
    # However they are turned.
    widths = np.array([np.hypot(*box.size[:2]) for box in boxes])
    places = np.cumsum(widths) - widths / 2 - widths.sum() / 2
    return [box.translated(place * right) for box, place in zip(boxes, places, strict=True)]
