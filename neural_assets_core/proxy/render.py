"""All of the proxy: objects over background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.raycast import NEAR
from neural_assets_core.proxy.background import draw_background, fill_holes, is_untouched
from neural_assets_core.proxy.objects import CARVER, Canvas, Lifter, draw_object
from neural_assets_core.proxy.shadows import Caster, Light, cast_shadows, find_light, shaded
from neural_assets_core.scene import Scene, SceneObject

FARTHEST = 10_000.0
"""Greatest depth of a box in metres; beyond it half-precision numbers end."""


CERTAIN = 0.3
"""Certainty of a light whose shadows are drawn; doubtful ones are only reported."""


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


def render_proxy(scene: Scene, camera: Camera, lifter: Lifter = CARVER) -> ProxyLayers:
    """Draw the scene as `camera` sees it.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        `scene.camera`, or a window of it at another resolution.
    lifter : Lifter
        Gives objects that moved their shapes; by default these are carved from their masks.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    check_boxes(scene)
    picture, hole, objects = draw_background(scene, camera)
    light, gone, came = _changed_shadows(scene, camera, lifter)
    # What still stands there hides the ground: its pixels keep their light.
    gone[objects] = came[objects] = 0.0
    if light is not None:
        picture = shaded(picture, light, -gone)
    # Filled before the objects are drawn, and from background alone: no object bleeds into it.
    picture = fill_holes(picture, hole, hole | objects)
    if light is not None:
        picture = shaded(picture, light, came)
    canvas = Canvas(
        picture,
        depth=np.full(hole.shape, np.inf),
        coverage=np.zeros(hole.shape, dtype=np.float32),
        confidence=np.zeros(hole.shape, dtype=np.float32),
    )
    for item in sorted(scene.objects, key=lambda item: -_distance(item, camera)):
        # What stands where it stood looks as it looked.
        stayed = item.box == item.appearance.box and is_untouched(scene, item.appearance)
        if not stayed:
            draw_object(canvas, item.box, item.appearance, camera, lifter)
            continue
        if lifter is not CARVER:
            # Only where something that stood before it is gone: its hidden part comes to light.
            draw_object(canvas, item.box, item.appearance, camera, lifter, hole)
        draw_object(canvas, item.box, item.appearance, camera, CARVER)
    return ProxyLayers(
        picture, hole & (canvas.coverage < 0.5), canvas.coverage, canvas.confidence, gone, came
    )


def _changed_shadows(
    scene: Scene, camera: Camera, lifter: Lifter
) -> tuple[Light | None, NDArray[np.float32], NDArray[np.float32]]:
    """A light that is certain enough to draw with, and the shadows that went and that came."""
    before = [(occluder.box, occluder) for occluder in scene.background.occluders]
    after = [(item.box, item.appearance) for item in scene.objects]
    nothing = np.zeros((camera.height, camera.width), dtype=np.float32)
    if set(before) == set(after):
        return None, nothing, nothing.copy()
    light = find_light(scene.background, lifter)
    if light is None:
        return None, nothing, nothing.copy()
    gone = _shadows(camera, before, after, light, lifter)
    came = _shadows(camera, after, before, light, lifter)
    return (light if light.certainty >= CERTAIN else None), gone, came


def _shadows(
    camera: Camera, casters: list[Caster], others: list[Caster], light: Light, lifter: Lifter
) -> NDArray[np.float32]:
    """Where `casters` cast shadows that `others` do not: (h, w) in [0, 1]."""
    stayed = [caster for caster in casters if caster in others]
    moved = [caster for caster in casters if caster not in others]
    if not moved:
        return np.zeros((camera.height, camera.width), dtype=np.float32)
    cast = cast_shadows(camera, moved, light, lifter)
    return cast * (1.0 - cast_shadows(camera, stayed, light, lifter))


def _distance(item: SceneObject, camera: Camera) -> float:
    return float(camera.to_camera(np.asarray(item.box.center))[2])


def check_boxes(scene: Scene) -> None:
    """Refuse boxes that the camera cannot see in front of it.

    Raises
    ------
    UserError
        Names the first object whose box reaches behind the camera, or is absurdly far away.
    """
    for item in scene.objects:
        with np.errstate(all="ignore"):
            depth = scene.camera.to_camera(item.box.corners())[:, 2]
        if np.any(depth <= NEAR):
            raise UserError(
                f"The box of {item.name!r} reaches behind the camera: move it into the picture."
            )
        # Written so that NaN fails too.
        if not np.all(depth < FARTHEST):
            raise UserError(
                f"The box of {item.name!r} is more than {FARTHEST:.0f} m away: move it into the "
                "picture."
            )
