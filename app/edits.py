"""Commands on the selection, each one undo entry."""

from __future__ import annotations

import secrets

from app.document import Document


class EditCommands:
    """What the Edit menu does; each needs an open scene (the menu sees to that)."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def duplicate(self) -> None:
        """Copies of the selected objects, half their width aside, selected instead."""
        scene, names = self._document.scene, self._document.selection
        if scene is None or not names:
            return
        copies = []
        for name in names:
            box = scene.object(name).box
            # Beside the original, to the right in the picture: a copy in the same place would
            # look as if nothing had happened.
            aside = scene.camera.extrinsics[0, :3] * [1.0, 1.0, 0.0]
            scene = scene.duplicated(name, box.translated(0.5 * max(box.size[:2]) * aside))
            copies.append(scene.objects[-1].name)
        self._document.push(scene, f"Duplicate {_named(names)}", select=copies)

    def delete(self) -> None:
        """Remove the selected objects; what they hid is filled in."""
        scene, names = self._document.scene, self._document.selection
        if scene is None or not names:
            return
        for name in names:
            scene = scene.without(name)
        self._document.push(scene, f"Delete {_named(names)}")

    def select_all(self) -> None:
        """Select all objects."""
        if self._document.scene is not None:
            self._document.select(item.name for item in self._document.scene.objects)

    def new_seed(self) -> None:
        """Another random seed."""
        if self._document.scene is not None:
            scene = self._document.scene.with_settings(seed=secrets.randbelow(2**31))
            self._document.push(scene, "New seed")


def _named(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} objects"
