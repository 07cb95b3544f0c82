"""Fitting an object's box to the photograph: where it was seen changes with where it is."""

from __future__ import annotations

from neural_assets_core.geometry import Box
from neural_assets_core.scene.scene import Scene, SceneObject


def in_place(scene: Scene, item: SceneObject) -> bool:
    """Whether an object stands where the scene's own photograph shows it."""
    looks, view = item.appearance, scene.background.view
    return item.box == looks.box and (looks.view is view or looks.view == view)


def with_source_box(scene: Scene, name: str, box: Box) -> Scene:
    """The object's box where it was seen and where it is now, both at once.

    An ordinary edit moves the object and takes its pixels along; this one leaves the picture as
    it is and says better which part of it the object is. Its mask stays: it says which pixels
    are the object's, whatever the box.

    Parameters
    ----------
    scene : Scene
    name : str
        Copies of the object keep what they look like.
    box : Box
        World metres.

    Raises
    ------
    UserError
        If there is no such object.
    """
    item = scene.object(name)
    looks = item.appearance.model_copy(update={"box": box})
    occluders = tuple(
        looks if occluder == item.appearance else occluder
        for occluder in scene.background.occluders
    )
    background = scene.background.model_copy(update={"occluders": occluders})
    return scene.with_box(name, box).with_appearance(name, looks).with_background(background)


def put_back(scene: Scene, name: str) -> Scene:
    """The object where it was seen, at the size that it had there.

    Raises
    ------
    UserError
        If there is no such object.
    """
    return scene.with_box(name, scene.object(name).appearance.box)
