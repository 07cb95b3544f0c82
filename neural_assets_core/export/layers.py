"""A finished picture taken apart: background, and every object with its own transparency."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.proxy import ProxyLayers, check_boxes, is_untouched
from neural_assets_core.proxy.objects import FAINTEST
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.scene import Picture, Scene, SceneObject

_Number = TypeVar("_Number", bound=np.generic)

Drawer = Callable[[Scene], ProxyLayers]
"""Draws a scene as the proxy, in the way in which the scene's decoder does."""

BAND = 256
"""Rows that are computed at once: a whole photograph with fractions takes gigabytes."""


@dataclass(frozen=True)
class ObjectLayer:
    """One object of a picture; its arrays reach no further than it does, (h, w[, 3]).

    Attributes
    ----------
    name : str
    edited : bool
        It does not stand where the background's photograph shows it.
    left, top : int
        Where in the picture the arrays begin.
    colour : uint8 (h, w, 3)
        Not multiplied by `alpha`.
    alpha : float32 (h, w)
        How much of the pixel it covers, other objects in front of it aside.
    visible : float32 (h, w)
        How much of the pixel it covers in the picture.
    """

    name: str
    edited: bool
    left: int
    top: int
    colour: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    visible: NDArray[np.float32]

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def spread(self, values: NDArray[_Number], camera: Camera) -> NDArray[_Number]:
        """Values of its own pixels in an array of the picture's size, 0 elsewhere."""
        whole = np.zeros((camera.height, camera.width, *values.shape[2:]), values.dtype)
        whole[self.place] = values
        return whole

    def meets(self, rows: slice) -> tuple[slice, slice]:
        """Which of the given rows of the picture it has, and which of its own they are."""
        start = min(max(rows.start, self.top), rows.stop)
        stop = max(min(rows.stop, self.top + len(self.alpha)), start)
        own = slice(start - self.top, stop - self.top) if stop > start else slice(0, 0)
        return slice(start - rows.start, stop - rows.start), own

    def across(self, rows: slice, width: int) -> _Strip:
        """What it is in some rows of the picture."""
        here, own = self.meets(rows)
        there, shape = (here, self.place[1]), (rows.stop - rows.start, width)
        colour = np.zeros((*shape, 3), dtype=np.uint8)
        alpha, visible = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        colour[there], alpha[there] = self.colour[own], self.alpha[own]
        visible[there] = self.visible[own]
        return _Strip(colour, alpha, visible)


class _Strip(NamedTuple):
    """Some whole rows of a layer."""

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
    return _layers_over(draw(_only(scene)).picture, scene, draw)


def _layers_over(
    empty: NDArray[np.uint8], scene: Scene, draw: Drawer
) -> tuple[ObjectLayer, ...]:
    """The objects' layers; `empty` is the scene without them."""
    order = back_to_front(scene.camera, [item.box for item in scene.objects])
    ordered = [scene.objects[index] for index in order]
    layers: list[ObjectLayer] = []
    free = np.ones(empty.shape[:2], dtype=np.float32)
    for item in reversed(ordered):
        alone = draw(_only(scene, item))
        place = _extent(alone.coverage >= FAINTEST)
        seen = alone.coverage[place]
        alpha = np.where(seen < FAINTEST, np.float32(0), seen)
        colour = np.empty((*alpha.shape, 3), dtype=np.uint8)
        for rows in _bands(len(colour)):
            colour[rows] = _unmixed(
                alone.picture[place][rows], empty[place][rows].astype(np.float32), alpha[rows]
            )
        left, top = place[1].start, place[0].start
        visible = alpha * free[place]
        layers.append(
            ObjectLayer(item.name, is_edited(scene, item), left, top, colour, alpha, visible)
        )
        free[place] *= 1 - alpha
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
    shown, empty = picture.pixels, draw(_only(scene)).picture
    layers = _layers_over(empty, scene, draw)
    background = np.empty_like(shown)
    for rows in _bands(len(shown)):
        strips = [layer.across(rows, picture.width) for layer in layers]
        background[rows], colours = _strips_apart(shown[rows], empty[rows], strips)
        for layer, colour in zip(layers, colours, strict=True):
            here, own = layer.meets(rows)
            layer.colour[own] = colour[here, layer.place[1]]
    return PictureLayers(background, layers)


def _strips_apart(
    shown: NDArray[np.uint8], empty: NDArray[np.uint8], layers: Sequence[_Strip]
) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    """The background, and every layer's own colours, of some rows of a picture."""
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
    colours = []
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
        colours.append(colour)
    return background, colours


def edited_objects(picture: Picture, scene: Scene, draw: Drawer) -> NDArray[np.uint8]:
    """(h, w, 4) the edited objects alone, or all while none is edited.

    Colours are the picture's, the fourth channel is what is seen of them.
    """
    objects = take_apart(picture, scene, draw).objects
    edited = tuple(layer for layer in objects if layer.edited)
    cut = np.empty((picture.height, picture.width, 4), dtype=np.uint8)
    for rows in _bands(picture.height):
        colour = np.zeros((*cut[rows].shape[:2], 3), dtype=np.float32)
        alpha = np.zeros(cut[rows].shape[:2], dtype=np.float32)
        for layer in edited or objects:
            strip = layer.across(rows, picture.width)
            colour += strip.colour * strip.visible[..., None]
            alpha += strip.visible
        straight = colour / np.maximum(alpha, 1e-6)[..., None]
        cut[rows] = np.dstack([np.round(straight), np.round(255 * alpha)]).clip(0, 255)
    return cut


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


def _bands(height: int) -> Iterator[slice]:
    """All rows of a picture, `BAND` at a time."""
    for start in range(0, height, BAND):
        yield slice(start, min(start + BAND, height))


def _extent(covered: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns that hold all that is covered; at least one pixel."""
    rows, columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
