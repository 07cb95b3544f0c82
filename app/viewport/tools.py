"""Which handles there are, what turns keep in place, and where axes point."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.viewport.gizmo import Frame, Tool
from app.viewport.grab import Pivot


class Tools(QObject):
    """The choices that all views of a scene share.

    Attributes
    ----------
    tool : Tool
        "select" shows all handles, "move", "turn", "scale" and "box" their own; "draw" makes new
        boxes, "mask" paints which pixels an object is.
    pivot : Pivot
        What turns and scales of several objects keep in place: the base of the "active" one, the
        "common" middle, or "each" one's base.
    axes : Frame
        Where the handles point: the active box's level heading ("ground"), the "world"'s axes, or
        the box's own ("local"). The first press of an axis key means the world's axes, or the
        box's own with "local"; the second press the other ones.
    """

    changed = Signal()
    tool_changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: Tool = "select"
        self.pivot: Pivot = "active"
        self.axes: Frame = "ground"

    def set_tool(self, tool: Tool) -> None:
        """Choose the handles."""
        if tool != self.tool:
            self.tool = tool
            self.tool_changed.emit(tool)
            self.changed.emit()

    def set_pivot(self, pivot: Pivot) -> None:
        """Choose what stays in place."""
        self.pivot = pivot
        self.changed.emit()

    def set_axes(self, axes: Frame) -> None:
        """Choose where the handles point."""
        self.axes = axes
        self.changed.emit()
