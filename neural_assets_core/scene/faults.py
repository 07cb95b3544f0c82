"""What is wrong with a scene's boxes, in words: what a warning outline stands for."""

from __future__ import annotations

from functools import lru_cache

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.checks import behind_camera, intersecting, outside_picture
from neural_assets_core.geometry.standing import rests_in
from neural_assets_core.scene.scene import Scene
from neural_assets_core.scene.source_box import in_place


def box_faults(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Why boxes have a warning outline.

    Parameters
    ----------
    scene : Scene
        Checked against its own camera, whatever camera it is being looked at with.

    Returns
    -------
    dict
        Names of objects to one or more reasons, each to be read after the name ("mug" - "reaches
        into kettle"); objects with nothing wrong are left out. Two that the photograph shows where
        they are may share what they like.
    """
    if not scene.objects:
        return {}
    names, boxes = zip(*((item.name, item.box) for item in scene.objects), strict=True)
    met: dict[int, list[str]] = {}
    for one, other in _pairs(boxes):
        if all(in_place(scene, scene.objects[index]) for index in (one, other)):
            # Boxes are no more than near what they stand for, and this is how it was seen.
            continue
        met.setdefault(one, []).append(names[other])
        met.setdefault(other, []).append(names[one])
    found = {}
    for index, (name, box) in enumerate(zip(names, boxes, strict=True)):
        reasons = list(_misplaced(scene.camera, box))
        if index in met:
            reasons.append(f"reaches into {', '.join(met[index])}")
        if reasons:
            found[name] = tuple(reasons)
    return found


# Kept: while one box is dragged the others stay, and while the pointer only moves all of them do.


@lru_cache(maxsize=1024)
def _misplaced(camera: Camera, box: Box) -> tuple[str, ...]:
    if behind_camera(camera, box):
        return ("reaches behind the camera",)
    return ("is outside the picture",) if outside_picture(camera, box) else ()


@lru_cache(maxsize=8)
def _pairs(boxes: tuple[Box, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (one, other)
        for one, other in sorted(intersecting(boxes))
        if not rests_in(boxes[one], boxes[other]) and not rests_in(boxes[other], boxes[one])
    )
