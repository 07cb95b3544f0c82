"""The camera of the picture to be made, in numbers."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.document import Document
from app.panels.fields import NumberGroup
from app.theme import UNIT
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Vector3
from neural_assets_core.geometry.camera_pose import camera_angles, placed_camera

FAR = 10_000.0
"""Metres: the largest number that can be typed."""


class CameraPanel(QWidget):
    """Where the camera stands and which way it looks; every edit is one undo entry.

    Attributes
    ----------
    position, rotation : NumberGroup
        World metres; heading, tilt and roll in degrees.
    """

    def __init__(
        self, document: Document, reset: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        hint = QLabel(
            "Move it a little: what the photograph never showed has to be guessed.", wordWrap=True
        )
        hint.setProperty("role", "faint")
        self.position = NumberGroup("Position", ("X", "Y", "Z"), (-FAR, FAR, 0.01), "m")
        self.rotation = NumberGroup(
            "Direction", ("Heading", "Tilt", "Roll"), (-360.0, 360.0, 0.5), "°"
        )
        self.position.edited.connect(lambda *edit: self._on_edit("position", *edit))
        self.rotation.edited.connect(lambda *edit: self._on_edit("rotation", *edit))
        self.reset = QPushButton(reset.text().replace("&", ""))
        self.reset.clicked.connect(reset.trigger)
        reset.enabledChanged.connect(self.reset.setEnabled)
        self.reset.setEnabled(reset.isEnabled())
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT)
        for part in (self.position, self.rotation, hint, self.reset):
            column.addWidget(part)
        column.addStretch()
        document.scene_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        scene = self._document.scene
        self.setEnabled(scene is not None)
        if scene is not None:
            position, angles = _numbers(scene.camera)
            self.position.show_values(position)
            self.rotation.show_values(angles)

    def _on_edit(self, kind: str, axis: int, value: float, spun: bool) -> None:
        scene = self._document.scene
        if scene is None:
            return
        # From the camera itself: the other fields keep what they round off.
        numbers = dict(zip(("position", "rotation"), _numbers(scene.camera), strict=True))
        changed = list(numbers[kind])
        changed[axis] = value
        numbers[kind] = (changed[0], changed[1], changed[2])
        camera = placed_camera(scene.camera, numbers["position"], numbers["rotation"])
        verb = "Move" if kind == "position" else "Turn"
        merge = f"camera {kind} {axis}" if spun else None
        self._document.push(scene.with_camera(camera), f"{verb} the camera", merge)


def _numbers(camera: Camera) -> tuple[Vector3, Vector3]:
    x, y, z = (float(side) for side in camera.position)
    return (x, y, z), camera_angles(camera)
