"""The numbers of the selected object, shown and accepted."""

from __future__ import annotations

import math
import warnings

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from scipy.spatial.transform import Rotation

from app.document import Document
from app.panels.fields import NameField, NumberGroup
from app.theme import UNIT
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT, Box
from neural_assets_core.scene import Scene, SceneObject

PACE_MS = 50
"""During a gesture the numbers change this often: to paint them takes as long as to draw the boxes,
and nobody reads them at every move."""

FAR = 10_000.0
"""Metres: the largest number that can be typed."""

STAND_IN = (
    "A mesh has no looks of its own: it is drawn as grey clay until an asset replaces it.\n"
    "Drop one of the library on its box."
)

class Inspector(QWidget):
    """Name, position, size and rotation of the active object.

    Metres in world axes (z up), full extents along the box's own axes, degrees. The rotation is
    yaw about the vertical, then pitch about the turned y axis, then roll about the turned x axis.
    Values follow a gesture while it is under way; every edit is one undo entry, spinning one.

    Attributes
    ----------
    name : NameField
    fields : dict of str to list of NumberField
        "position", "size" and "rotation", three fields each (rotation: yaw, pitch, roll).
    """

    refused = Signal(str)
    """A name that cannot be used: a sentence for the user."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.name = NameField()
        self.name.setAccessibleName("Name")
        self.name.setToolTip("What the object is called: type another name")
        self.name.edited.connect(self._on_renamed)
        self._note = QLabel()
        self._note.setProperty("role", "faint")
        self._hint = QLabel("Select an object to see and change its numbers.", wordWrap=True)
        self._hint.setProperty("role", "faint")
        self._form = QWidget()
        # What is below must not jump when the first object is selected.
        policy = self._form.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._form.setSizePolicy(policy)
        form = QVBoxLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(2 * UNIT)
        self._groups = {
            "position": NumberGroup("Position", ("X", "Y", "Z"), (-FAR, FAR, 0.01), "m"),
            "size": NumberGroup("Size", ("X", "Y", "Z"), (MINIMUM_EXTENT, FAR, 0.01), "m"),
            "rotation": NumberGroup(
                "Rotation", ("Yaw", "Pitch", "Roll"), (-360.0, 360.0, 1.0), "°"
            ),
        }
        for key, group in self._groups.items():
            group.edited.connect(lambda *edit, k=key: self._on_edit(k, *edit))
            form.addWidget(group)
        self.fields = {key: group.fields for key, group in self._groups.items()}
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.name)
        column.addWidget(self._note)
        column.addWidget(self._hint)
        column.addWidget(self._form)
        column.addStretch()
        document.scene_changed.connect(self._refresh)
        self._pace = QTimer(self, singleShot=True, interval=PACE_MS)
        self._pace.timeout.connect(self._refresh)
        document.draft_changed.connect(self._on_draft)
        document.selection_changed.connect(self._refresh)
        document.workspace_changed.connect(self._refresh)
        self._refresh()

    # -- document to fields ----------------------------------------------------------------------

    def _active(self) -> SceneObject | None:
        scene, selection = self._document.shown_scene, self._document.selection
        if scene is None or not selection:
            return None
        return next((item for item in scene.objects if item.name == selection[-1]), None)

    def _on_draft(self, draft: Scene | None) -> None:
        if draft is None:
            self._refresh()
        elif not self._pace.isActive():
            self._pace.start()

    def _refresh(self) -> None:
        item = self._active()
        self._form.setVisible(item is not None)
        self.name.setVisible(item is not None)
        self._hint.setVisible(item is None)
        if item is None:
            self._note.hide()
            return
        # Only the active one's numbers change here: say which one that is.
        count = len(self._document.selection)
        locked = item.name in self._document.locked
        clay = item.wireframe is not None
        notes = [
            *([f"last of {count} selected"] if count > 1 else []),
            *(["locked"] if locked else []),
            *(["stand-in of clay"] if clay else []),
        ]
        self.name.show_name(item.name)
        self._note.setText(" · ".join(notes))
        self._note.setToolTip(STAND_IN if clay else "")
        self._note.setVisible(bool(notes))
        self._form.setEnabled(not locked)
        for key, values in (
            ("position", item.box.center),
            ("size", item.box.size),
            ("rotation", euler_degrees(item.box)),
        ):
            self._groups[key].show_values(values)

    # -- fields to document ----------------------------------------------------------------------

    def _on_renamed(self, name: str, typed: str) -> None:
        try:
            self._document.rename(name, typed)
        except UserError as error:
            self.refused.emit(str(error))

    def _on_edit(self, key: str, axis: int, value: float, spun: bool) -> None:
        scene, item = self._document.scene, self._active()
        if scene is None or item is None:
            return
        box = _with_number(scene.object(item.name).box, key, axis, value)
        verb = {"position": "Move", "size": "Resize", "rotation": "Turn"}[key]
        merge = f"inspector {item.name} {key} {axis}" if spun else None
        self._document.push(scene.with_box(item.name, box), f"{verb} {item.name}", merge)


def euler_degrees(box: Box) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees: intrinsic rotations about z, y and x in this order."""
    rotation = Rotation.from_quat(box.rotation, scalar_first=True)
    with warnings.catch_warnings():
        # Pitched straight up or down yaw and roll are one; scipy then says that roll is 0.
        warnings.simplefilter("ignore", UserWarning)
        angles = rotation.as_euler("ZYX", degrees=True)
    # Rounding noise would show as -0.0.
    yaw, pitch, roll = (0.0 if abs(angle) < 1e-9 else float(angle) for angle in angles)
    return yaw, pitch, roll


def _with_number(box: Box, key: str, axis: int, value: float) -> Box:
    """The box with one of its numbers changed; the others keep what the fields round off."""
    if key == "rotation":
        angles = list(euler_degrees(box))
        angles[axis] = math.remainder(value, 360.0)
        rotation = Rotation.from_euler("ZYX", angles, degrees=True)
        return box.with_rotation(rotation.as_quat(scalar_first=True))
    numbers = np.array(box.center if key == "position" else box.size)
    numbers[axis] = value
    if key == "position":
        return box.with_center(numbers)
    # What stands on the ground stays there.
    resized = box.with_size(numbers)
    return resized.translated(box.base_center() - resized.base_center())
