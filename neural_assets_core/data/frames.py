"""Annotated frames as scenes: what training, evaluation and samples all start from."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.dataset import AnnotatedFrame, ObjectAnnotation
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    scene_from_view,
)


def frame_view(frame: AnnotatedFrame) -> View:
    """The frame's picture and camera."""
    return View(picture=Picture(frame.image), camera=frame.camera)


def frame_appearance(
    frame: AnnotatedFrame, view: View, item: ObjectAnnotation, *, masked: bool = True
) -> Appearance:
    """The object's looks in the frame; with `masked`, its visible pixels are known if measured."""
    masked = masked and frame.measured
    pixels = np.where(frame.mask == item.id, 255, 0).astype(np.uint8)
    return Appearance(view=view, box=item.box, mask=Picture(pixels) if masked else None)


def scene_from_frame(frame: AnnotatedFrame, *, masked: bool = True) -> Scene:
    """A scene of one frame, nothing edited."""
    view = frame_view(frame)
    return scene_from_view(
        view,
        tuple(
            SceneObject(
                name=item.name,
                category=item.category,
                box=item.box,
                appearance=frame_appearance(frame, view, item, masked=masked),
            )
            for item in frame.objects
        ),
    )


def scene_from_pair(
    source: AnnotatedFrame, target: AnnotatedFrame, *, masked: bool = True
) -> Scene:
    """The edit that turns `source` into `target`: appearance from one, poses from the other.

    Objects that only the target frame has are left out: nothing shows what they look like.
    """
    scene = scene_from_frame(source, masked=masked)
    target_boxes = {item.id: item.box for item in target.objects}
    names = {item.id: item.name for item in source.objects}
    objects = tuple(
        scene.object(name).model_copy(update={"box": target_boxes[id_]})
        for id_, name in names.items()
        if id_ in target_boxes
    )
    return scene.model_copy(update={"objects": objects, "camera": target.camera})


__all__ = ["frame_appearance", "frame_view", "scene_from_frame", "scene_from_pair"]
