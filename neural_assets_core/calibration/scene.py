"""Scenes from photographs: none of their objects is known until a box is drawn around it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.calibration.boxes import cuboid_from_clicks
from neural_assets_core.calibration.photograph import Photograph
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT, Box, Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.standing import lowest, seen_at_height, stands_on
from neural_assets_core.scene import (
    Appearance,
    Background,
    GenerationSettings,
    Picture,
    Scene,
    SceneObject,
    View,
)
from neural_assets_core.scene.scene import MAXIMUM_OBJECTS

BASE_AND_TOP = (0, 4, 6, 7)
"""A box's corners as four clicks: one edge of the base, its depth, and the top above that."""


def scene_from_photograph(photograph: Photograph, camera: Camera) -> Scene:
    """A scene with no objects yet, drawn by the proxy: made weights know no photographs.

    Raises
    ------
    UserError
        If the camera is for another picture size.
    """
    _check_size(camera, photograph.picture)
    view = View(picture=photograph.picture, camera=camera)
    background = Background(view=view, photograph=True)
    return Scene(
        camera=camera, background=background, settings=GenerationSettings(decoder="proxy")
    )


def with_drawn_object(
    scene: Scene,
    box: Box,
    name: str = "object",
    category: str = "",
    mask: Picture | None = None,
) -> Scene:
    """One more object, seen in the background's picture where its box was drawn.

    The background learns that the object hides it there: when the object moves, what is left
    is a hole that is filled.

    Parameters
    ----------
    scene : Scene
    box : Box
        World metres.
    name, category : str
        A name already taken gets a number.
    mask : Picture, optional
        The object's pixels in the background's picture, 255 inside.

    Raises
    ------
    UserError
        If the box reaches behind the photograph's camera, the mask has another size, or the
        scene is full.
    """
    view, hidden = scene.background.view, scene.background.occluders
    if behind_camera(view.camera, box):
        raise UserError("The box reaches behind the photograph's camera: draw it in front of it.")
    if mask is not None and mask.pixels.shape != view.picture.pixels.shape[:2]:
        raise UserError(
            f"The mask must have one channel and the photograph's size, {view.picture.width} x "
            f"{view.picture.height} pixels."
        )
    if len(hidden) >= MAXIMUM_OBJECTS:
        raise UserError(f"At most {MAXIMUM_OBJECTS} objects can be drawn on one photograph.")
    looks = Appearance(view=view, box=box, mask=mask)
    item = SceneObject(name=name, category=category, box=box, appearance=looks)
    grown = Background.model_validate({**dict(scene.background), "occluders": (*hidden, looks)})
    return scene.with_object(item).with_background(grown)


def recalibrated(scene: Scene, camera: Camera) -> Scene:
    """The same photograph seen by another camera, with everything that was drawn on it.

    Boxes keep their footprint in the picture: the corners of each box, put upright on the
    ground, are clicked again through the new camera (see `cuboid_from_clicks`). Lifts, tilts and
    edits are then as they were relative to the box. A scene whose own camera was moved keeps
    that motion.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        Of the background's picture.

    Raises
    ------
    UserError
        If a box would stand above the new horizon, or the camera is for another picture size.
    """
    old = scene.background.view
    _check_size(camera, old.picture)
    new = View(picture=old.picture, camera=camera)
    looks: dict[Appearance, Appearance] = {}
    names = {item.appearance: item.name for item in scene.objects}
    carriers = _carriers(scene.background.occluders)
    for seen in (*scene.background.occluders, *names):
        if seen.view == old:
            # What stands on something is put on the ground where it looks the same, for a while.
            low = seen_at_height(old.camera, seen.box, 0.0) if seen in carriers else None
            name = names.get(seen, "a removed object")
            box = _standing_again(low or seen.box, old.camera, camera, name)
            looks[seen] = Appearance.model_validate({**dict(seen), "view": new, "box": box})
    for seen in sorted(carriers, key=lambda one: one.box.center[2]):
        below = carriers[seen]
        foot = np.array([*below.box.center[:2], lowest(seen.box)])
        height = float(looks[below].box.to_world(below.box.to_local(foot))[2])
        box = seen_at_height(camera, looks[seen].box, height) or looks[seen].box
        looks[seen] = looks[seen].model_copy(update={"box": box})
    background = {
        **dict(scene.background),
        "view": new,
        "occluders": tuple(looks[seen] for seen in scene.background.occluders),
    }
    return scene.model_copy(
        update={
            "camera": _followed(scene.camera, old.camera, camera),
            "objects": tuple(_seen_again(item, looks, old, camera) for item in scene.objects),
            "background": Background.model_validate(background),
        }
    )


def _carriers(seen: Sequence[Appearance]) -> dict[Appearance, Appearance]:
    """What each that does not stand on the ground stands on."""
    out = {}
    for one in seen:
        below = [other for other in seen if other is not one and stands_on(one.box, other.box)]
        if below:
            out[one] = max(below, key=lambda other: other.box.center[2])
    return out


def with_looks(scene: Scene, looks: Mapping[Appearance, Appearance]) -> Scene:
    """The scene whose photograph shows some of its objects otherwise: their masks, their boxes.

    Objects that were edited are edited alike, relative to their new boxes.

    Parameters
    ----------
    scene : Scene
    looks : mapping
        What was thought to be seen, and what is. The view is the same.
    """
    background = {
        **dict(scene.background),
        "occluders": tuple(looks.get(seen, seen) for seen in scene.background.occluders),
    }
    return scene.model_copy(
        update={
            "objects": tuple(
                _following(item, looks[item.appearance]) if item.appearance in looks else item
                for item in scene.objects
            ),
            "background": Background.model_validate(background),
        }
    )


def _seen_again(
    item: SceneObject, looks: dict[Appearance, Appearance], old: View, camera: Camera
) -> SceneObject:
    """An object of the scene as the new camera has it."""
    before = item.appearance
    after = looks.get(before)
    if after is None:
        # Its looks come from elsewhere: only its place is in this picture.
        box = _standing_again(item.box, old.camera, camera, item.name)
        return item.model_copy(update={"box": box})
    return _following(item, after)


def _following(item: SceneObject, after: Appearance) -> SceneObject:
    """An object that looks otherwise now, and stands to its new looks as it did to the old."""
    before = item.appearance
    # Exactly the same where nothing was edited: then it counts as untouched.
    edited = item.box != before.box
    box = _carried(item.box, before.box, after.box) if edited else after.box
    return item.model_copy(update={"box": box, "appearance": after})


def _standing_again(box: Box, old: Camera, new: Camera, name: str) -> Box:
    """The box whose footprint `new` sees where `old` sees that of `box`."""
    upright = _upright(box)
    seen = old.project(upright.corners()[list(BASE_AND_TOP)])
    clicks = [(float(x), float(y)) for x, y in seen[:, :2]]
    try:
        return _carried(box, upright, cuboid_from_clicks(new, clicks))
    except UserError as error:
        raise UserError(
            f"This camera cannot see {name!r} where its box was drawn ({error}) Remove it first, "
            "or set another camera."
        ) from None


def _upright(box: Box) -> Box:
    """The box set on the ground, its tilt taken away."""
    x, y, _ = box.center
    half = 0.5 * box.yaw()
    return Box(
        center=(x, y, 0.5 * box.size[2]),
        size=box.size,
        rotation=(math.cos(half), 0.0, 0.0, math.sin(half)),
    )


def _carried(box: Box, before: Box, after: Box) -> Box:
    """The box that is to `after` as `box` is to `before`."""
    turn = after.rotation_matrix() @ before.rotation_matrix().T
    rotation = Rotation.from_matrix(turn @ box.rotation_matrix()).as_quat(scalar_first=True)
    growth = np.asarray(after.size) / np.asarray(before.size)
    size = np.maximum(np.asarray(box.size) * growth, MINIMUM_EXTENT)
    center = after.to_world(before.to_local(np.asarray(box.center)))
    return box.with_center(center).with_size(size).with_rotation(rotation)


def _followed(camera: Camera, old: Camera, new: Camera) -> Camera:
    """The scene's camera: moved from `new` as it was from `old`, in proportion to the heights."""
    if camera == old:
        return new
    motion = camera.extrinsics @ old.camera_to_world
    motion[:3, 3] *= new.position[2] / old.position[2]
    k = new.resized(camera.width, camera.height).k
    return Camera.from_matrices(camera.width, camera.height, k, motion @ new.extrinsics)


def _check_size(camera: Camera, picture: Picture) -> None:
    if (camera.width, camera.height) != (picture.width, picture.height):
        raise UserError(
            f"The camera is for a picture of {camera.width} x {camera.height} pixels, not of "
            f"{picture.width} x {picture.height}: calibrate this one."
        )
