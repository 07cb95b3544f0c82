"""Commands on the selection, each one undo entry."""

from __future__ import annotations

import secrets

import numpy as np

from app.document import Document
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.manipulation import drop_to_ground
from neural_assets_core.library import isolated, transferred
from neural_assets_core.scene import Scene
from neural_assets_core.scene.source_box import put_back


class Locked(UserError):
    """All that is selected is locked or hidden."""


class EditCommands:
    """What the Edit menu does; each needs an open scene (the menu sees to that)."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # Values: they stay whatever happens to the scene that they were copied from.
        self._copied: tuple[Scene, tuple[str, ...]] | None = None

    def copy(self) -> None:
        """Remember the selected objects, to be pasted here or into another scene."""
        scene, names = self._document.scene, self._document.selection
        if scene is not None and names:
            self._copied = scene, names

    def paste(self) -> None:
        """Add the copied objects; where one stands just there, they come to stand beside it.

        Raises
        ------
        UserError
            If nothing was copied yet, or the scene is full.
        """
        scene = self._document.scene
        if scene is None:
            return
        if self._copied is None:
            raise UserError(
                "Nothing was copied yet: select objects, then Edit > Copy objects. A copied "
                "picture becomes a scene with File > New from clipboard."
            )
        source, names = self._copied
        count = len(scene.objects)
        pasted = transferred(scene, source, names)
        taken = {item.box.center for item in scene.objects}
        fresh = pasted.objects[count:]
        if any(item.box.center in taken for item in fresh):
            width = max(max(item.box.size[:2]) for item in fresh)
            aside = scene.camera.extrinsics[0, :3] * [1.0, 1.0, 0.0]
            for item in fresh:
                pasted = pasted.with_box(item.name, item.box.translated(0.5 * width * aside))
        new = [item.name for item in fresh]
        self._document.push(pasted, f"Paste {_named(tuple(new))}", select=new)

    def duplicate(self) -> None:
        """Copies of the selected objects, a width aside, selected instead."""
        scene, names = self._document.scene, editable(self._document)
        if scene is None or not names:
            return
        # Beside the original, to the right in the picture: a copy in the same place would look as
        # if nothing had happened. What was selected together stays together.
        aside = scene.camera.extrinsics[0, :3] * [1.0, 1.0, 0.0]
        aside /= max(float(np.linalg.norm(aside)), 1e-9)
        boxes = [scene.object(name).box for name in names]
        width = max(float(np.ptp(box.corners() @ aside)) for box in boxes)
        copies = []
        for name, box in zip(names, boxes, strict=True):
            scene = scene.duplicated(name, box.translated(1.05 * width * aside))
            copies.append(scene.objects[-1].name)
        self._document.push(scene, f"Duplicate {_named(names)}", select=copies)

    def delete(self) -> None:
        """Remove the selected objects; what they hid is filled in."""
        scene, names = self._document.scene, editable(self._document)
        if scene is None or not names:
            return
        for name in names:
            scene = scene.without(name)
        self._document.push(scene, f"Delete {_named(names)}")

    def isolate(self) -> None:
        """Leave nothing but the selected objects, before an even grey."""
        scene, names = self._document.scene, self._document.selection
        if scene is not None and names:
            self._document.push(isolated(scene, names), f"Isolate {_named(names)}")

    def drop_to_ground(self) -> None:
        """Let the selected objects down, or up, until they stand on the ground."""
        scene, names = self._document.scene, editable(self._document)
        if scene is None or not names:
            return
        for name in names:
            scene = scene.with_box(name, drop_to_ground(scene.object(name).box))
        self._document.push(scene, f"Drop {_named(names)} to the ground")

    def put_back(self) -> None:
        """Back to where the photograph shows the selected objects."""
        scene, names = self._document.scene, editable(self._document)
        if scene is None or not names:
            return
        for name in names:
            scene = put_back(scene, name)
        self._document.push(scene, f"Put {_named(names)} back")

    def copy_size(self) -> None:
        """The active object's size for the others of the selection, which stay on their bases.

        Raises
        ------
        UserError
            If no other object is selected.
        """
        scene, names = self._document.scene, editable(self._document)
        if scene is None or not names:
            return
        *others, active = names
        if not others:
            raise UserError(
                "Select the objects that are to be resized, and last the one whose size they get."
            )
        for name in others:
            box = scene.object(name).box
            resized = box.with_size(scene.object(active).box.size)
            resized = resized.translated(box.base_center() - resized.base_center())
            scene = scene.with_box(name, resized)
        self._document.push(scene, f"Copy the size of {active}")

    def select_all(self) -> None:
        """Select all objects that can be picked."""
        self._document.select(self._pickable())

    def select_none(self) -> None:
        """Select nothing."""
        self._document.select(())

    def select_next(self) -> None:
        """Select the next object of the list after the active one; after the last, the first."""
        self._select_beside(1)

    def select_previous(self) -> None:
        """Select the object of the list before the active one; before the first, the last."""
        self._select_beside(-1)

    def hide(self) -> None:
        """Show the boxes of the selected objects no longer."""
        self._document.set_hidden(self._document.selection, True)

    def show_all(self) -> None:
        """Show all boxes again."""
        self._document.set_hidden(self._document.hidden, False)

    def lock(self) -> None:
        """Keep the selected objects from being picked and edited in the viewport."""
        self._document.set_locked(self._document.selection, True)

    def unlock_all(self) -> None:
        """Let all objects be picked and edited again."""
        self._document.set_locked(self._document.locked, False)

    def reset_camera(self) -> None:
        """Back to where the photograph was taken from."""
        scene = self._document.scene
        if scene is not None:
            self._document.push(scene.with_camera(scene.background.view.camera), "Reset the camera")

    def new_seed(self) -> None:
        """Another random seed."""
        if self._document.scene is not None:
            scene = self._document.scene.with_settings(seed=secrets.randbelow(2**31))
            self._document.push(scene, "New seed")

    def _pickable(self) -> list[str]:
        document = self._document
        items = document.scene.objects if document.scene is not None else ()
        return [i.name for i in items if i.name not in document.hidden | document.locked]

    def _select_beside(self, step: int) -> None:
        names, selection = self._pickable(), self._document.selection
        if not names:
            return
        active = selection[-1] if selection else ""
        # Without an active one, the first or the last.
        here = names.index(active) if active in names else min(-step, 0)
        self._document.select([names[(here + step) % len(names)]])


def editable(document: Document) -> tuple[str, ...]:
    """The selected objects that may be edited; the last one is active.

    Raises
    ------
    Locked
        If all that is selected is locked or hidden.
    """
    names, selection = document.editable, document.selection
    if selection and not names:
        raise Locked(
            f"{_named(selection)} cannot be edited while locked or hidden: "
            "click the lock or the eye in the list of objects first."
        )
    return names


def _named(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} objects"
