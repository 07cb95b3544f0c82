"""Scenes put together: pure functions from scenes and assets to a new scene.

Removing and duplicating are methods of `Scene`; here is what needs an asset or a second scene.
The ground is z = 0 everywhere and sizes are metres, so what differs between two pictures is
where their cameras stand: things keep the side that they show to the camera.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.manipulation import drop_to_ground
from neural_assets_core.library.asset import Asset
from neural_assets_core.model.kept_tokens import KeptTokens, remember_tokens
from neural_assets_core.scene import Background, Picture, Scene, SceneObject, View

VERTICAL = (0.0, 0.0, 1.0)
BACKDROP = 200
"""Grey of the empty background behind isolated objects."""

FARTHEST_GROUND = 100.0
"""Metres; ground further off is as good as the horizon."""


@dataclass(frozen=True)
class Placed:
    """An object asset and where it is to stand.

    Attributes
    ----------
    asset : Asset
    at : tuple of 2 floats, optional
        The middle of its box over the ground, world metres. Default: where the middle of the
        picture shows the ground.
    turn : float
        Radians about the vertical, from the side that its source picture shows.
    """

    asset: Asset
    at: tuple[float, float] | None = None
    turn: float = 0.0


def placed_box(
    asset: Asset, camera: Camera, at: tuple[float, float] | None = None, turn: float = 0.0
) -> Box:
    """The box of an asset that stands on the ground of another picture; see `Placed`.

    It has the size that it had, and the camera sees it from the side that its own camera saw.

    Parameters
    ----------
    camera : Camera
        Of the picture into which it is put.

    Raises
    ------
    UserError
        If the asset is a background.
    """
    looks = asset.object_appearance()
    angle = _heading(camera) - _heading(looks.view.camera) + turn
    box = drop_to_ground(looks.box.rotated(VERTICAL, angle))
    x, y = ground_middle(camera)[:2] if at is None else at
    return box.with_center(np.array([x, y, box.center[2]]))


def inserted(
    scene: Scene, asset: Asset, at: tuple[float, float] | None = None, turn: float = 0.0
) -> Scene:
    """One more object, standing on the ground; see `placed_box`.

    Raises
    ------
    UserError
        If the asset is a background, or the scene is full.
    """
    return scene.with_object(_scene_object(asset, placed_box(asset, scene.camera, at, turn)))


def replaced(scene: Scene, name: str, asset: Asset) -> Scene:
    """An asset instead of the object `name`: in its place, turned as it was, of its own size.

    Raises
    ------
    UserError
        If there is no such object, or the asset is a background.
    """
    at, old = scene.index(name), scene.object(name)
    looks = asset.object_appearance()

    def resized(box: Box) -> Box:
        # It stands where the old one stood, not where its middle was.
        made = box.with_size(looks.box.size)
        return made.translated(box.base_center() - made.base_center())

    rest = scene.without(name)
    fresh = rest.with_object(_scene_object(asset, resized(old.box))).objects[-1]
    # It moves as the old one did.
    animation = scene.animation.renamed(name, fresh.name).with_boxes(fresh.name, resized)
    objects = (*rest.objects[:at], fresh, *rest.objects[at:])
    return rest.model_copy(update={"objects": objects, "animation": animation})


def transferred(scene: Scene, source: Scene, names: Iterable[str]) -> Scene:
    """Objects of another scene added to this one.

    They keep their sizes, their places to one another, and the place and side that they show to
    the camera: what stands in the middle of `source` comes to stand in the middle of `scene`.

    Raises
    ------
    UserError
        If `source` has no such object, or the scene is full.
    """
    for name in names:
        item = source.object(name)
        box = carried(item.box, source.camera, scene.camera)
        scene = scene.with_object(item.model_copy(update={"box": box}))
    return scene


def isolated(scene: Scene, names: Iterable[str]) -> Scene:
    """The objects `names` alone, before an even grey and with nothing else of their picture.

    Raises
    ------
    UserError
        If there is no such object.
    """
    kept = [scene.object(name) for name in names]
    camera = scene.camera
    grey = Picture(np.full((camera.height, camera.width, 3), BACKDROP, dtype=np.uint8))
    background = Background(view=View(picture=grey, camera=camera))
    for item in scene.objects:
        if item not in kept:
            scene = scene.without(item.name)
    return scene.with_background(background)


def with_surroundings(scene: Scene, background: Background) -> Scene:
    """All objects of the scene in another background, seen by that background's camera.

    They keep their places to one another, and the place and side that they show to the camera,
    at all moments; how the camera moved belongs to the picture that it took.

    Parameters
    ----------
    background : Background
        Of another scene, or `Asset.surroundings()`; its own objects stay hidden.
    """
    camera = background.view.camera
    carry = partial(carried, source=scene.camera, target=camera)
    animation = scene.animation.without_object(None)
    for item in scene.objects:
        animation = animation.with_boxes(item.name, carry)
        scene = scene.with_box(item.name, carry(item.box))
    return scene.model_copy(
        update={"camera": camera, "background": background, "animation": animation}
    )


def composed(background: Background, parts: Iterable[Placed] = ()) -> Scene:
    """A scene made of a background and assets from anywhere.

    Raises
    ------
    UserError
        If one of the assets is a background, or there are too many.
    """
    scene = Scene(camera=background.view.camera, background=background)
    for part in parts:
        scene = inserted(scene, part.asset, part.at, part.turn)
    return scene


def carried(box: Box, source: Camera, target: Camera) -> Box:
    """The box where `target` sees it as `source` did, as far as the ground allows.

    Turned about the vertical by the angle between the cameras' headings, about what stands in
    the middle of the pictures.
    """
    if source == target:
        return box
    start = ground_middle(source)
    turned = box.rotated(VERTICAL, _heading(target) - _heading(source), pivot=start)
    return turned.translated(ground_middle(target) - start)


def ground_middle(camera: Camera) -> Float:
    """(3,) the ground that the picture's middle shows, or the nearest below the middle.

    Raises
    ------
    UserError
        If the picture shows no ground at all.
    """
    for height in (0.5, 0.65, 0.8, 1.0):
        origin, direction = camera.rays(np.array([0.5, height]) * [camera.width, camera.height])
        if direction[2] * origin[2] < 0 and (reach := -origin[2] / direction[2]) < FARTHEST_GROUND:
            return np.asarray((origin + reach * direction) * [1.0, 1.0, 0.0])
    raise UserError("The picture shows no ground to stand on: move the camera, or say where.")


def _heading(camera: Camera) -> float:
    """The direction of the picture's right side about the vertical, radians."""
    # Defined for cameras that look straight down too, unlike the viewing direction's.
    right = camera.extrinsics[0, :3]
    return math.atan2(right[1], right[0])


def _scene_object(asset: Asset, box: Box) -> SceneObject:
    looks, tokens = asset.object_appearance(), asset.token_array()
    if tokens is not None:
        # For the decoder: the scene itself says nothing about encoders.
        remember_tokens(looks, KeptTokens(asset.encoder, tokens))
    return SceneObject(
        name=asset.name,
        category=asset.category,
        box=box,
        appearance=looks,
        wireframe=asset.wireframe,
    )
