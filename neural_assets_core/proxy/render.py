"""All of the proxy: objects over background."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import NEAR, bounding_rect, cast_box
from neural_assets_core.proxy.background import draw_background
from neural_assets_core.proxy.filling import fill_texture
from neural_assets_core.proxy.objects import (
    CARVER,
    Canvas,
    Layer,
    Lifter,
    draw_layer,
    object_layer,
)
from neural_assets_core.proxy.plate import CERTAIN, KEPT_PIXELS, Fill, clean_plate
from neural_assets_core.proxy.shadows import Caster, Light, cast_shadows, find_light, shaded
from neural_assets_core.proxy.shelf import Shelf
from neural_assets_core.scene import Appearance, Background, Scene, SceneObject
from neural_assets_core.yielding import yield_point

FARTHEST = 10_000.0
"""Greatest depth of a box in metres; beyond it half-precision numbers end."""


CONFIDENT = 0.75
"""Confidence under which an object's colours count as guessed."""

_stages, _pictures = Shelf(64 * 2**20), Shelf(32 * 2**20)
"""Two threads that draw the same edit, for a preview and for a decoder, find each other's work."""


@dataclass(frozen=True)
class ProxyLayers:
    """What the proxy knows of a picture; all arrays are (height, width[, 3]).

    Attributes
    ----------
    picture : uint8 (h, w, 3)
        Objects over background, the hole filled.
    hole : bool (h, w)
        Nothing in the sources shows what is here: made up from the surroundings.
    coverage : float32 (h, w)
        How much of the pixel objects cover.
    confidence : float32 (h, w)
        1 where an object's visible side was carried over, less where it was mirrored or guessed.
    gone, came : float32 (h, w)
        Where the ground lost and gained a shadow, as far as the light is known.
    """

    picture: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    coverage: NDArray[np.float32]
    confidence: NDArray[np.float32]
    gone: NDArray[np.float32]
    came: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return _nbytes(
            self.picture, self.hole, self.coverage, self.confidence, self.gone, self.came
        )

    def guessed(self) -> NDArray[np.uint8]:
        """(h, w) 255 where the sources never showed what is here: holes, and hidden sides."""
        unsure = (self.coverage > 0.5) & (self.confidence < CONFIDENT * self.coverage)
        guessed = np.where(self.hole | unsure, np.uint8(255), np.uint8(0))
        # An edge of a pixel is no news.
        return np.asarray(cv2.morphologyEx(guessed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))

    def settled(self, source: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(h, w) where objects look as in the source (h, w, 3): there is nothing to decide."""
        # numpy is slow at reducing so short an axis.
        same = np.asarray(cv2.inRange(self.picture ^ source, (0, 0, 0), (0, 0, 0))) > 0
        return np.asarray(same & (self.coverage > 0.5))


def proxy_picture(scene: Scene, lifter: Lifter) -> ProxyLayers:
    """`render_proxy` as the scene's own camera sees it; what was drawn last is kept, read-only."""

    def draw() -> ProxyLayers:
        layers = render_proxy(scene, scene.camera, lifter)
        for field in fields(layers):
            getattr(layers, field.name).setflags(write=False)
        return layers

    if not _is_small(scene.camera):
        return draw()
    objects = tuple((item.box, item.appearance) for item in scene.objects)
    return _pictures.get((scene.background, scene.camera, objects, weakref.ref(lifter)), draw)


def render_proxy(
    scene: Scene, camera: Camera, lifter: Lifter = CARVER, fill: Fill = fill_texture
) -> ProxyLayers:
    """Draw the scene as `camera` sees it.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        `scene.camera`, or a window of it at another resolution.
    lifter : Lifter
        Gives objects that moved their shapes; by default these are carved from their masks.
    fill : callable
        Fills what they leave behind.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    check_boxes(scene)
    yield_point()
    stage = _stage_of(scene, camera, lifter, fill)
    after = [(item.box, item.appearance) for item in scene.objects]
    came = np.zeros(stage.hole.shape, dtype=np.float32)
    moved = [caster for caster in after if caster not in stage.stayed]
    yield_point()
    if stage.light is not None and moved:
        came = cast_shadows(camera, moved, stage.light, lifter) * stage.lit
        came[stage.objects] = 0.0
    yield_point()
    picture = stage.picture.copy()
    if stage.light is not None and stage.light.certainty >= CERTAIN:
        yield_point()
        picture = shaded(picture, stage.light, came)
    yield_point()
    canvas = Canvas(
        picture,
        depth=np.full(stage.hole.shape, np.inf),
        coverage=np.zeros(stage.hole.shape, dtype=np.float32),
        confidence=np.zeros(stage.hole.shape, dtype=np.float32),
    )
    for item in sorted(scene.objects, key=lambda item: -_distance(item, camera)):
        kept = stage.layers.get(item.appearance) if item.box == item.appearance.box else None
        others = scene.background.occluders
        yield_point()
        for layer in kept or [object_layer(item.box, item.appearance, camera, lifter, others)]:
            draw_layer(canvas, layer)
    return ProxyLayers(
        picture,
        stage.hole & (canvas.coverage < 0.5),
        canvas.coverage,
        canvas.confidence,
        stage.gone,
        came,
    )


@dataclass(frozen=True)
class _Stage:
    """What of a picture does not depend on where the moved objects are now; (h, w) arrays.

    Attributes
    ----------
    stayed : frozenset of Caster
        Boxes and objects that the background shows where they are.
    picture : uint8 (h, w, 3)
        The background, the hole filled, without the shadows that went.
    hole, objects : bool
        Where the background is unknown, and where it shows objects that stayed.
    light : Light or None
        Of shadows that went or came.
    gone, lit : float32
        Where the ground lost a shadow, and how much light those that stayed leave it.
    layers : dict of Appearance to list of Layer
        Objects that stand where they stood: they look as they looked.
    """

    stayed: frozenset[Caster]
    picture: NDArray[np.uint8]
    hole: NDArray[np.bool_]
    objects: NDArray[np.bool_]
    light: Light | None
    gone: NDArray[np.float32]
    lit: NDArray[np.float32]
    layers: dict[Appearance, list[Layer]]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        layers = sum(layer.nbytes for own in self.layers.values() for layer in own)
        return layers + _nbytes(self.picture, self.hole, self.objects, self.gone, self.lit)


def _stage_of(scene: Scene, camera: Camera, lifter: Lifter, fill: Fill) -> _Stage:
    before = {(occluder.box, occluder) for occluder in scene.background.occluders}
    after = {(item.box, item.appearance) for item in scene.objects}
    # The camera must stand where it stood, too, if anything is to look as it looked.
    still = scene.camera.world_to_camera == scene.background.view.camera.world_to_camera
    alike = {appearance for box, appearance in after if still and box == appearance.box}
    changed = before != after

    def make() -> _Stage:
        return _new_stage(
            scene.background, camera, frozenset(before & after), frozenset(alike), changed,
            lifter, fill,
        )

    if not _is_small(camera):
        return make()
    # Remembered without keeping the lifter, and the network in it, alive.
    key = (
        scene.background, camera, frozenset(before & after), frozenset(alike), changed,
        weakref.ref(lifter), fill,
    )
    return _stages.get(key, make)


def _new_stage(
    background: Background,
    camera: Camera,
    stayed: frozenset[Caster],
    alike: frozenset[Appearance],
    changed: bool,
    lifter: Lifter,
    fill: Fill,
) -> _Stage:
    """While one object is dragged, all frames have the same stage."""
    light = find_light(background, lifter) if changed else None
    casters = [(occluder.box, occluder) for occluder in background.occluders]
    moved = [caster for caster in casters if caster not in stayed]
    plate = clean_plate(
        background,
        frozenset(background.occluders) - alike,
        frozenset(occluder for _, occluder in moved),
        light,
        lifter,
        fill,
    )
    picture, hole, objects = draw_background(background, camera, alike, plate)
    gone, lit = np.zeros(hole.shape, dtype=np.float32), np.ones(hole.shape, dtype=np.float32)
    if light is not None:
        standing = [caster for caster in casters if caster in stayed]
        # What stays needs no better shape than its mask's.
        lit = 1.0 - cast_shadows(camera, standing, light, CARVER)
        if moved:
            gone = cast_shadows(camera, moved, light, lifter) * lit
        # What still stands there hides the ground: its pixels keep their light.
        gone[objects] = 0.0
    layers = {}
    for appearance in alike:
        layers[appearance] = [object_layer(appearance.box, appearance, camera, CARVER)]
        # Only where something that stood before it is gone: its hidden part comes to light.
        if lifter is not CARVER and _reaches(appearance.box, camera, hole):
            others = background.occluders
            hidden = object_layer(appearance.box, appearance, camera, lifter, others)
            layers[appearance].insert(0, hidden.among(hole.reshape(-1)[hidden.pixels]))
    for array in (picture, hole, objects, gone, lit):
        array.setflags(write=False)
    return _Stage(stayed, picture, hole, objects, light, gone, lit, layers)


def _is_small(camera: Camera) -> bool:
    """Whether its pictures are kept: large photographs are worth a wait, but not that much memory.
    """
    return camera.width * camera.height <= KEPT_PIXELS


def _nbytes(*arrays: NDArray[Any]) -> int:
    return sum(array.nbytes for array in arrays)


def _reaches(box: Box, camera: Camera, area: NDArray[np.bool_]) -> bool:
    """Whether any of an area (h, w) of the camera's picture is seen through the box."""
    rect = bounding_rect(camera, box)
    if not area[rect.slices].any():
        return False
    hits = cast_box(camera, box)
    return bool((hits.hit & area[hits.rect.slices]).any())


def _distance(item: SceneObject, camera: Camera) -> float:
    return float(camera.to_camera(np.asarray(item.box.center))[2])


def check_boxes(scene: Scene) -> None:
    """Refuse boxes that the camera cannot see in front of it.

    Raises
    ------
    UserError
        Names the first object whose box reaches behind the camera, or is absurdly far away.
    """
    if not scene.objects:
        return
    with np.errstate(all="ignore"):
        corners = np.array([item.box.corners() for item in scene.objects])
        depths = scene.camera.to_camera(corners)[..., 2]
    # Written so that NaN is too far.
    near = np.asarray((depths <= NEAR).any(axis=1))
    far = ~np.asarray((depths < FARTHEST).all(axis=1))
    for index, item in enumerate(scene.objects):
        if near[index]:
            raise UserError(
                f"The box of {item.name!r} reaches behind the camera: move it into the picture."
            )
        if far[index]:
            raise UserError(
                f"The box of {item.name!r} is more than {FARTHEST:.0f} m away: move it into the "
                "picture."
            )
