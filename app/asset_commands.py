"""Commands on the asset library, and what belongs together for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow, QMessageBox

from app.document import Document
from app.generation import Generator
from app.panels.library import LibraryPanel
from app.shelf import Change, Shelf, ships
from app.viewport import Viewport
from app.viewport.asset_drop import AssetDrop
from app.where import answered, last_folder, may_replace
from neural_assets_core.errors import UserError
from neural_assets_core.library import (
    ASSET_SUFFIX,
    Asset,
    Trash,
    background_asset,
    load_asset,
    object_asset,
    with_surroundings,
)
from neural_assets_core.scene import SCENE_SUFFIX, Background

_SHOWN_MS = 6000
BACKGROUND_FILTER = f"Scenes and backgrounds (*{SCENE_SUFFIX} *{ASSET_SUFFIX});;All files (*)"


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
        generator: Generator,
        commands: Sequence[QAction],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._viewport = document, viewport
        self._shelf = Shelf(self)
        self._drop = AssetDrop(document, viewport, self._shelf)
        self.panel = LibraryPanel(self._shelf, commands)
        self.panel.changed.connect(self.changed)
        self.panel.objects_dropped.connect(self.add)
        self.panel.files_dropped.connect(self.add_files)
        self._told: list[Change] = []
        self._shelf.changes_changed.connect(self._say_changed)
        self._shelf.failed.connect(self.failed)
        self._shelf.exported.connect(self._say_exported)
        self._drop.failed.connect(self.failed)
        # Tokens are made where a pipeline is loaded already, and when it has the time.
        self._shelf.unencoded.connect(generator.encode)
        generator.encoded.connect(self._shelf.refresh)

    # -- what stands in the way, as advice; empty if nothing does ------------------------------

    def obstacle_to_inserting(self) -> str:
        return "" if self.panel.chosen() else "Select an asset in the library first"

    def obstacle_to_exporting(self) -> str:
        chosen = self.panel.chosen()
        damaged = any(entry.fault for entry in chosen)
        return "Select sound assets only" if damaged else self.obstacle_to_inserting()

    def obstacle_to_replacing(self) -> str:
        chosen = self.panel.chosen()
        if len(chosen) != 1 or chosen[0].kind != "object":
            return "Select one object in the library first"
        return "" if len(self._document.selection) == 1 else "Select the object to replace first"

    def obstacle_to_renaming(self) -> str:
        one = len(self.panel.chosen()) == 1
        return self.obstacle_to_changing() if one else "Select one asset in the library first"

    def obstacle_to_changing(self) -> str:
        chosen = self.panel.chosen()
        if any(map(ships, chosen)):
            return "Assets of the starter library cannot be changed"
        return "" if chosen else "Select an asset in the library first"

    def obstacle_to_changing_folder(self) -> str:
        return "" if self.panel.folder else "Select one of your folders in the library first"

    def obstacle_to_undoing(self) -> str:
        return "" if self._shelf.changes else "Nothing in the library was changed"

    # -- commands ------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Show the library, ready to search, or hide it."""
        dock = self._dock_in_sight()
        if dock is not None:
            dock.hide()
        else:
            self._show()
            self.panel.list.setFocus()

    def add(self, folder: str | None = None) -> None:
        """Keep the selected objects in a folder of the user's library, by default the chosen."""
        scene = self._document.scene
        if scene is not None:
            make = partial(object_asset, scene, source=self._source())
            objects = [partial(make, name) for name in self._document.selection]
            self._shelf.add(objects, self.panel.folder if folder is None else folder)

    def add_background(self) -> None:
        """Keep the scene's background in the user's library."""
        scene, source = self._document.scene, self._source()
        if scene is not None:
            name = f"{source} background"
            self._shelf.add(
                [partial(background_asset, scene, name, source=source)], self.panel.folder
            )

    def insert(self) -> None:
        """Put the chosen assets into the scene, at the middle of the ground in view.

        Raises
        ------
        UserError
            If a file is damaged.
        """
        chosen = self.panel.chosen()
        for entry in chosen:
            if entry.fault:
                raise UserError(entry.fault)
        self.insert_files([entry.path for entry in chosen])

    def swap_background(self) -> None:
        """Ask for a background, of the library or another scene's, and put it behind the scene."""
        name, _ = QFileDialog.getOpenFileName(
            self._viewport, "Swap the background", str(last_folder()), BACKGROUND_FILTER
        )
        if name:
            path = Path(name)
            self._shelf.read_background(path, lambda found: self._swap(path.stem, found))

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

    def add_files(self, paths: Sequence[Path], folder: str = "") -> None:
        """Copy asset files into a folder of the user's library."""
        self._shelf.add([partial(load_asset, path) for path in paths], folder)

    def rename(self) -> None:
        """Let the user type another name for the chosen asset."""
        self._show()
        self.panel.edit_name()

    def edit_tags(self) -> None:
        """Let the user type the tags of the chosen assets."""
        self._show()
        self.panel.edit_tags()

    def export(self) -> None:
        """Ask for a folder, and copy the chosen assets there, for other people and machines."""
        window = self._viewport.window()
        name = QFileDialog.getExistingDirectory(window, "Export assets", str(last_folder()))
        if not name:
            return
        copies: dict[Path, Path] = {}
        for source in (entry.path for entry in self.panel.chosen()):
            target, number = Path(name, source.name), 2
            # The same name may be in several folders of the library.
            while target in copies.values():
                target, number = Path(name, f"{source.stem} {number}{source.suffix}"), number + 1
            copies[source] = target
        there = [target for target in copies.values() if target.exists()]
        if not there or may_replace(window, there):
            self._shelf.export(copies)

    def move(self) -> None:
        """Offer folders for the chosen assets."""
        self._show()
        self.panel.ask_folder()

    def delete(self) -> None:
        """Take the chosen assets away."""
        self.panel.delete()

    def make_folder(self) -> None:
        """Make a folder in the chosen one."""
        self._show()
        self.panel.places.make_folder()

    def rename_folder(self) -> None:
        """Let the user type another name for the chosen folder."""
        self._show()
        self.panel.places.edit_name()

    def delete_folder(self) -> None:
        """Take the chosen folder away with all that is in it."""
        self._shelf.delete_folder(self.panel.folder)

    def empty_trash(self) -> None:
        """Ask whether what was deleted from the user's library may go for good."""
        self._shelf.weigh_trash(self._confirm_emptying)

    def undo(self) -> None:
        """Take back what was done to the library last."""
        self._shelf.undo()

    def shutdown(self) -> None:
        """Finish what is being written."""
        self._shelf.shutdown()

    def _dock_in_sight(self) -> QDockWidget | None:
        dock = self.panel.parentWidget()
        # Behind another tab, Qt calls it visible.
        if isinstance(dock, QDockWidget) and not dock.visibleRegion().isEmpty():
            return dock
        return None

    def _say_changed(self) -> None:
        """While the library is closed nothing else tells that something came into it."""
        before, self._told = self._told, self._shelf.changes
        window = self._viewport.window()
        news = [change for change in self._told[-1:] if change not in before]
        if news and isinstance(window, QMainWindow) and self._dock_in_sight() is None:
            window.statusBar().showMessage(f"Library: {news[0].text}", _SHOWN_MS)

    def _say_exported(self, folder: Path) -> None:
        window = self._viewport.window()
        if isinstance(window, QMainWindow):
            window.statusBar().showMessage(f"Exported to {folder}", _SHOWN_MS)

    def _show(self) -> None:
        dock = self.panel.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def _insert(self, asset: Asset | None) -> None:
        if asset is not None:
            self._try(lambda: self._drop.place(asset))

    def _swap(self, name: str, background: Background | None) -> None:
        scene = self._document.scene
        if background is not None and scene is not None:
            made = with_surroundings(scene, background)
            self._document.push(made, f"Swap the background for {name}")

    def _confirm_emptying(self, trash: Trash) -> None:
        if not trash.nbytes:
            self.failed.emit("The library's trash is empty: there is nothing to remove.")
            return
        box = QMessageBox(self._viewport.window())
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Empty library trash")
        box.setText(f"Remove {trash} for good?")
        box.setInformativeText("What was deleted from the library cannot be brought back then.")
        cancel = QMessageBox.StandardButton.Cancel
        box.setStandardButtons(QMessageBox.StandardButton.Discard | cancel)
        box.button(QMessageBox.StandardButton.Discard).setText("Remove")
        box.setDefaultButton(cancel)
        if answered(box) == QMessageBox.StandardButton.Discard:
            self._shelf.empty_trash()

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
        return self._document.stem
