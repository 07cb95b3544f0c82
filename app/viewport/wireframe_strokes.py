"""The lines of meshes that stand in for objects, inside their boxes."""

from __future__ import annotations

from collections.abc import Iterable

from app.viewport import style
from app.viewport.box_strokes import Level
from app.viewport.strokes import Strokes
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.rays import project_segments
from neural_assets_core.scene import SceneObject

WIDTH = 1.0
OPACITY = 0.3


def draw_wireframes(
    strokes: Strokes, camera: Camera, items: Iterable[SceneObject], levels: Iterable[Level]
) -> None:
    """Draw the wireframe of every object that has one, in its box's colour.

    Parameters
    ----------
    strokes : Strokes
    camera : Camera
        Any; its pixels are the screen's.
    items : iterable of SceneObject
    levels : iterable of Level
        One for each.
    """
    for item, level in zip(items, levels, strict=True):
        if item.wireframe is not None:
            ends = item.box.to_world(item.wireframe.segments)
            segments, visible = project_segments(camera, ends[:, 0], ends[:, 1])
            color = style.faded(style.BOX_COLORS[level], OPACITY)
            strokes.segments(segments[visible], color, WIDTH)
