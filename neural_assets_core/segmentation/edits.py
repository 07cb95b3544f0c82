"""Masks in a scene."""

from __future__ import annotations

from neural_assets_core.scene import Appearance, Picture, Scene


def with_mask(scene: Scene, name: str, mask: Picture | None) -> Scene:
    """The scene in which the object called `name` has this mask.

    All that looks like the object follows: its copies, and its place in the background.

    Parameters
    ----------
    scene : Scene
    name : str
    mask : Picture or None
        Of its source picture's size, one channel, 255 inside; None for the box's silhouette.

    Raises
    ------
    UserError
        If there is no such object.
    pydantic.ValidationError
        If the mask has another size than the picture.
    """
    before = scene.object(name).appearance
    after = Appearance.model_validate({**dict(before), "mask": mask})
    for item in scene.objects:
        if item.appearance == before:
            scene = scene.with_appearance(item.name, after)
    background = scene.background
    occluders = tuple(after if one == before else one for one in background.occluders)
    if occluders == background.occluders:
        return scene
    return scene.with_background(background.model_copy(update={"occluders": occluders}))
