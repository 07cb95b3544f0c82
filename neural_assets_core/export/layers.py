"""A finished picture taken apart: background, and every object with its own transparency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.proxy import ProxyLayers, check_boxes, is_untouched
from neural_assets_core.proxy.objects import FAINTEST
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.scene import Picture, Scene, SceneObject

Drawer = Callable[[Scene], ProxyLayers]
"""Draws a scene as the proxy, in the way in which the scene's decoder does."""


@dataclass(frozen=True)
class ObjectLayer:
    """One object of a picture; all arrays are (height, width[, 3]).

    Attributes
    ----------
    name : str
    edited : bool
        It does not stand where the background's photograph shows it.
    colour : uint8 (h, w, 3)
        Not multiplied by `alpha`.
    alpha : float32 (h, w)
        How much of the pixel it covers, other objects in front of it aside.
    visible : float32 (h, w)
        How much of the pixel it covers in the picture.
    """

    name: str
    edited: bool
    colour: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    visible: NDArray[np.float32]


@dataclass(frozen=True)
class PictureLayers:
    """A background without objects, and the objects, the farthest first."""

    background: NDArray[np.uint8]
    objects: tuple[ObjectLayer, ...]


def is_edited(scene: Scene, item: SceneObject) -> bool:
    """Whether an object stands elsewhere than in the background's photograph, or is new there."""
    return item.box != item.appearance.box or not is_untouched(scene, item.appearance)


def object_layers(scene: Scene, draw: Drawer) -> tuple[ObjectLayer, ...]:
    """Every object as the proxy draws it, the farthest first.

    Parameters
    ----------
    scene : Scene
    draw : callable
        How the proxy draws a scene.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    order = back_to_front(scene.camera, [item.box for item in scene.objects])
    ordered = [scene.objects[index] for index in order]
    empty = draw(_only(scene)).picture.astype(np.float32)
    layers: list[ObjectLayer] = []
    free = np.ones(empty.shape[:2], dtype=np.float32)
    for item in reversed(ordered):
        alone = draw(_only(scene, item))
        alpha = np.where(alone.coverage < FAINTEST, np.float32(0), alone.coverage)
        colour = _unmixed(alone.picture, empty, alpha)
        edited = is_edited(scene, item)
        layers.append(ObjectLayer(item.name, edited, colour, alpha, alpha * free))
        free = free * (1 - alpha)
    return tuple(reversed(layers))


def take_apart(picture: Picture, scene: Scene, draw: Drawer) -> PictureLayers:
    """Layers that give the picture when they are put over each other.

    What no object covers is the picture's own background, and what is seen of an object has the
    picture's own colours; what lies behind is the proxy's.

    Parameters
    ----------
    picture : Picture
        Of the scene's size.
    scene : Scene
        What it shows.
    draw : callable
        How the proxy draws a scene.
    """
    layers = object_layers(scene, draw)
    shown = picture.pixels
    empty = draw(_only(scene)).picture
    mixed = np.zeros(shown.shape, dtype=np.float32)
    free = np.ones(shown.shape[:2], dtype=np.float32)
    for layer in layers:
        mixed += layer.colour * layer.visible[..., None]
        free -= layer.visible
    # What shines through a soft edge is the picture's; what is hidden is made up.
    through = (shown - mixed) / np.maximum(free, 0.5)[..., None]
    seen = np.where((free > 0.5)[..., None], np.clip(np.round(through), 0, 255), empty)
    background = np.where((free == 1)[..., None], shown, seen).astype(np.uint8)
    beneath = background.astype(np.float32)
    finished = []
    for index, layer in enumerate(layers):
        alpha = layer.alpha[..., None]
        hidden = np.zeros(free.shape, dtype=bool)
        for other in layers[index + 1 :]:
            hidden |= other.alpha > 0
        own = (layer.alpha > 0) & ~hidden
        # The colour that, laid over what is beneath, gives the picture.
        exact = _unmixed(shown, beneath, layer.alpha)
        colour = np.where(own[..., None], exact, layer.colour)
        beneath = alpha * colour + (1 - alpha) * beneath
        finished.append(
            ObjectLayer(
                layer.name, layer.edited, colour, layer.alpha, layer.visible
            )
        )
    return PictureLayers(background, tuple(finished))


def edited_objects(picture: Picture, scene: Scene, draw: Drawer) -> NDArray[np.uint8]:
    """(h, w, 4) the edited objects alone, or all while none is edited.

    Colours are the picture's, the fourth channel is what is seen of them.
    """
    objects = take_apart(picture, scene, draw).objects
    edited = tuple(layer for layer in objects if layer.edited)
    colour = np.zeros(picture.pixels.shape, dtype=np.float32)
    alpha = np.zeros(picture.pixels.shape[:2], dtype=np.float32)
    for layer in edited or objects:
        colour += layer.colour * layer.visible[..., None]
        alpha += layer.visible
    straight = colour / np.maximum(alpha, 1e-6)[..., None]
    return np.dstack([np.round(straight), np.round(255 * alpha)]).clip(0, 255).astype(np.uint8)


def box_depth(scene: Scene) -> NDArray[np.float32]:
    """(h, w) metres along the viewing axis to the nearest box; infinite where there is none."""
    check_boxes(scene)
    depth = np.full((scene.camera.height, scene.camera.width), np.inf, dtype=np.float32)
    for item in scene.objects:
        hits = cast_box(scene.camera, item.box)
        seen = depth[hits.rect.slices]
        nearer = np.where(hits.hit, hits.entry_depth, np.inf)
        depth[hits.rect.slices] = np.minimum(seen, nearer)
    return depth


def _only(scene: Scene, *items: SceneObject) -> Scene:
    """The scene without all other objects."""
    return scene.model_copy(update={"objects": items})


def _unmixed(
    picture: NDArray[np.uint8], beneath: NDArray[np.float32], alpha: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The colours that give the picture when they are laid over `beneath`."""
    share = np.maximum(alpha, FAINTEST)[..., None]
    exact = (picture - (1 - share) * beneath) / share
    return np.clip(np.round(exact), 0, 255).astype(np.uint8)
