"""What the status bar says while nothing is dragged."""

from __future__ import annotations

from app.document import Document
from app.viewport.gizmo import Tool
from neural_assets_core.scene.faults import box_faults

_TOOL_HINTS: dict[Tool, str] = {
    "select": "Click to select · drag a box along the ground · drag beside it for a frame",
    "move": "Move · drag a box along the ground, or an arrow",
    "turn": "Turn · drag a ring",
    "scale": "Scale · drag a corner",
    "box": "Box · drag a corner to scale, a dot to pull one face",
    "draw": "Draw box · in the picture",
    "mask": "Mask · in the picture",
}
_SELECTION_HINT = "Drag a handle or the box · hold O original · F3 all commands · F1 all keys"
_EMPTY_HINT = "No objects yet · Shift+B to draw a box around one"
_HIDDEN_HINT = "All objects are hidden · Object > Show all brings them back"
_FITTING_HINT = "Fitting boxes to the photograph, which stays as it is · Enter when they fit"


def resting_hint(document: Document, tool: Tool, hovered: str | None) -> str:
    """What is wrong with a box, or else what can be done.

    Parameters
    ----------
    document : Document
    tool : Tool
    hovered : str or None
        Name of the object under the pointer.
    """
    fault = _fault(document, hovered)
    if fault:
        return fault
    if document.fitting:
        return _FITTING_HINT
    scene = document.visible_scene
    if tool not in ("draw", "mask") and scene is not None and not scene.objects:
        return _HIDDEN_HINT if document.hidden else _EMPTY_HINT
    return _SELECTION_HINT if tool == "select" and document.editable else _TOOL_HINTS[tool]


def _fault(document: Document, hovered: str | None) -> str:
    """What is wrong with the box under the pointer, or else with the active one."""
    scene = document.visible_scene
    faults = box_faults(scene) if scene is not None else {}
    for name in (hovered, *document.selection[-1:]):
        if name in faults:
            return f"{name} {' and '.join(faults[name])}"
    return ""
