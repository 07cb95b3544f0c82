"""Commands on the asset library, and what belongs together for them."""

from __future__ import annotations

from collections.abc import Sequence
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
        self.panel.files_dropped.connect(self._add_files)
        self._shelf.failed.connect(self.failed)
        self._drop.failed.connect(self.failed)

    # -- what stands in the way, as advice; empty if nothing does ------------------------------

    def obstacle_to_inserting(self) -> str:
        one = len(self.panel.chosen()) == 1
        return "" if one else "Select one asset in the library first"

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
        if asset is None:
            return
        try:
            self._drop.place(asset)
        except UserError as error:
            self.failed.emit(str(error))

    def _add_files(self, paths: list[Path]) -> None:
        for path in paths:
            self._shelf.add(partial(load_asset, path))

    def _source(self) -> str:
        path = self._document.path
        return path.stem if path is not None else "untitled"
