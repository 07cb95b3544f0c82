"""What is hidden and locked: kept in the scene's file, but no part of the scene.

The scene is what the picture is made from, and a hidden box is still in the picture. In the file
it is one more field; readers that do not know it carry it along.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neural_assets_core.scene import Scene

_FIELD = "workspace"


@dataclass(frozen=True)
class Workspace:
    """Names of objects whose boxes are not shown, and of those that must not be touched."""

    hidden: frozenset[str] = field(default_factory=frozenset)
    locked: frozenset[str] = field(default_factory=frozenset)


def packed(scene: Scene, workspace: Workspace) -> Scene:
    """The scene as it goes into a file."""
    if workspace == Workspace():
        return scene
    names = {"hidden": sorted(workspace.hidden), "locked": sorted(workspace.locked)}
    return scene.with_extra(_FIELD, names)


def unpacked(scene: Scene) -> tuple[Scene, Workspace]:
    """A scene from a file, and what was hidden and locked; what makes no sense is left out."""
    stored = (scene.model_extra or {}).get(_FIELD)
    fields = stored if isinstance(stored, dict) else {}
    names = {item.name for item in scene.objects}
    hidden, locked = (
        frozenset(name for name in names if _listed(fields.get(key), name))
        for key in ("hidden", "locked")
    )
    return scene.with_extra(_FIELD, None), Workspace(hidden, locked)


def _listed(stored: object, name: str) -> bool:
    return isinstance(stored, list) and name in stored
