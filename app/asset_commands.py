"""Commands on the asset library, and what belongs together for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget

from app.document import Document
from app.panels.library_panel import LibraryPanel
from app.shelf import Shelf, ships
from app.viewport import Viewport
from app.viewport.asset_drop import AssetDrop
from neural_assets_core.errors import UserError
from neural_assets_core.library import Asset, Entry, background_asset, load_asset, object_asset


class AssetCommands(QObject):
    """Keeping objects and backgrounds of the open scene, and using those that were kept.

    Attributes
    ----------
    panel : LibraryPanel
    """

    changed = Signal()
    """Others are chosen in the library, or others can be brought back."""

    failed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        document: Document,
        viewport: Viewport,
        commands: Sequence[QAction],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._shelf = Shelf(self)
        self._drop = AssetDrop(document, viewport, self._shelf)
        self.panel = LibraryPanel(self._shelf, commands)
        self.panel.changed.connect(self.changed)
        self.panel.objects_dropped.connect(self.add)
        self.panel.files_dropped.connect(self.add_files)
        self._shelf.failed.connect(self.failed)
        self._drop.failed.connect(self.failed)

    # -- what stands in the way, as advice; empty if nothing does ------------------------------

    def obstacle_to_inserting(self) -> str:
        one = len(self.panel.chosen()) == 1
        return "" if one else "Select one asset in the library first"

    def obstacle_to_replacing(self) -> str:
        chosen = self.panel.chosen()
        if len(chosen) != 1 or chosen[0].kind != "object":
            return "Select one object in the library first"
        return "" if len(self._document.selection) == 1 else "Select the object to replace first"

    def obstacle_to_renaming(self) -> str:
        return self.obstacle_to_inserting() or self.obstacle_to_deleting()

    def obstacle_to_deleting(self) -> str:
        chosen = self.panel.chosen()
        if any(map(ships, chosen)):
            return "Assets of the starter library cannot be changed"
        return "" if chosen else "Select an asset in the library first"

    def obstacle_to_undeleting(self) -> str:
        return "" if self.panel.can_undelete else "No asset was deleted"

    # -- commands ------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Show the library, ready to search, or hide it."""
        dock = self.panel.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.setVisible(not dock.isVisible())
            if dock.isVisible():
                dock.raise_()
                self.panel.list.setFocus()

    def add(self) -> None:
        """Keep the selected objects in the user's library."""
        scene = self._document.scene
        if scene is not None:
            for name in self._document.selection:
                self._shelf.add(partial(object_asset, scene, name, source=self._source()))

    def add_background(self) -> None:
        """Keep the scene's background in the user's library."""
        scene, source = self._document.scene, self._source()
        if scene is not None:
            name = f"{source} background"
            self._shelf.add(partial(background_asset, scene, name, source=source))

    def insert(self) -> None:
        """Put the chosen asset into the scene, at the middle of the ground in view.

        Raises
        ------
        UserError
            If its file is damaged.
        """
        entry: Entry = self.panel.chosen()[0]
        if entry.fault:
            raise UserError(entry.fault)
        self._shelf.load(entry.path, self._insert)

    def replace(self) -> None:
        """Put the chosen asset in the place of the selected object, which keeps its pose.

        Raises
        ------
        UserError
            If its file is damaged.
        """
        entry, name = self.panel.chosen()[0], self._document.selection[0]
        if entry.fault:
            raise UserError(entry.fault)
        self._shelf.load(entry.path, partial(self._replace, name))

    def insert_files(self, paths: Sequence[Path]) -> None:
        """Put asset files into the scene, at the middle of the ground in view."""
        loaded: list[Asset | None] = []

        def on_loaded(asset: Asset | None) -> None:
            loaded.append(asset)
            sound = [kept for kept in loaded if kept is not None]
            if len(loaded) == len(paths) > 1:
                self._try(lambda: self._drop.place_all(sound))
            elif len(loaded) == len(paths):
                self._insert(asset)

        for path in paths:
            self._shelf.load(path, on_loaded)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Copy asset files into the user's library."""
        for path in paths:
            self._shelf.add(partial(load_asset, path))

    def rename(self) -> None:
        """Let the user type another name for the chosen asset."""
        self.panel.edit_name()

    def delete(self) -> None:
        """Take the chosen assets away."""
        self.panel.delete()

    def undelete(self) -> None:
        """Bring back what was deleted last."""
        self.panel.undelete()

    def shutdown(self) -> None:
        """Finish what is being written."""
        self._shelf.shutdown()

    def _insert(self, asset: Asset | None) -> None:
        if asset is not None:
            self._try(lambda: self._drop.place(asset))

    def _try(self, edit: Callable[[], None]) -> None:
        try:
            edit()
        except UserError as error:
            self.failed.emit(str(error))

    def _replace(self, name: str, asset: Asset | None) -> None:
        scene = self._document.scene
        if asset is None or scene is None:
            return
        try:
            # Meanwhile it may have been removed: then this says so.
            scene.object(name)
            self._drop.replace(asset, name)
        except UserError as error:
            self.failed.emit(str(error))

    def _source(self) -> str:
        path = self._document.path
        return path.stem if path is not None else "untitled"
