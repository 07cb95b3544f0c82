"""What several tests of the asset library do."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.shelf import ships
from neural_assets_core.library import STARTER, object_asset
from tests.app.hand import NONE

MUG = STARTER / "home" / "mug.naasset"
COPY = Qt.DropAction.CopyAction
LEFT = Qt.MouseButton.LeftButton


def names(panel):
    return [entry.name for entry in panel.model.entries]


def row(panel, name, own=False):
    entries = panel.model.entries
    return next(i for i, e in enumerate(entries) if e.name == name and ships(e) != own)


def choose(panel, name, own=False):
    panel.list.setCurrentIndex(panel.model.index(row(panel, name, own)))
    panel.list.setFocus()


def click(panel, place, qtbot, modifier=NONE):
    tree = panel.places
    item = tree._items[place]
    tree.scrollToItem(item)
    at = tree.visualItemRect(item).center()
    qtbot.mouseClick(tree.viewport(), LEFT, modifier, at)


def own(window, qtbot, *objects):
    """The library with objects of the scene in it; where their files are."""
    library = window.assets._shelf.library
    paths = [library.add(object_asset(window.document.scene, name)) for name in objects]
    window.assets._shelf.refresh()
    qtbot.waitUntil(lambda: set(paths) <= {entry.path for entry in window.assets.panel._all})
    return library, paths


def folders_of(library):
    return {f"{entry.folder}/{entry.name}" for entry in library.entries()}
