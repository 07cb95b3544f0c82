"""Large photographs at a size that can be worked with; the scene itself keeps the full one."""

from __future__ import annotations

import threading
from collections import OrderedDict

import cv2
import numpy as np

from neural_assets_core.geometry import Camera
from neural_assets_core.scene.picture import Picture
from neural_assets_core.scene.scene import Appearance, Background, Scene, View

WORKING_SIDE = 2048
"""Pixels of the longer side: more than a window shows of it."""

KEPT = 64
"""Shrunk pictures and masks."""

Size = tuple[int, int]

_LOCK = threading.Lock()
# By hash: a key must not keep the large picture alive.
_SMALL: OrderedDict[tuple[str, Size], Picture] = OrderedDict()


def is_large(scene: Scene, side: int = WORKING_SIDE) -> bool:
    """Whether the scene's picture has more than `side` pixels a side."""
    return max(scene.camera.width, scene.camera.height) > side


def at_working_size(scene: Scene, side: int = WORKING_SIDE) -> Scene:
    """The same scene with no picture larger than `side`; scenes without large ones as they are.

    What is equal in the scene is equal in the result, so that an unedited object stays one.

    Parameters
    ----------
    scene : Scene
    side : int
        Pixels.
    """
    looks = {item.appearance for item in scene.objects} | set(scene.background.occluders)
    views = {scene.background.view, *(one.view for one in looks)}
    if not is_large(scene, side) and not any(_size(one.camera, side) for one in views):
        return scene
    smaller = {view: _shrunk_view(view, side) for view in views}
    seen = {one: _shrunk_looks(one, smaller) for one in looks}
    background = Background.model_validate({
        **dict(scene.background),
        "view": smaller[scene.background.view],
        "occluders": tuple(seen[one] for one in scene.background.occluders),
    })
    objects = tuple(
        item.model_copy(update={"appearance": seen[item.appearance]}) for item in scene.objects
    )
    size = _size(scene.camera, side)
    camera = scene.camera if size is None else scene.camera.resized(*size)
    return scene.model_copy(
        update={"background": background, "objects": objects, "camera": camera}
    )


def _size(camera: Camera, side: int) -> Size | None:
    """Width and height to shrink to; None if it is small enough."""
    scale = side / max(camera.width, camera.height)
    if scale >= 1.0:
        return None
    return max(1, round(camera.width * scale)), max(1, round(camera.height * scale))


def _shrunk_view(view: View, side: int) -> View:
    size = _size(view.camera, side)
    if size is None:
        return view
    return View(picture=_shrunk(view.picture, size), camera=view.camera.resized(*size))


def _shrunk_looks(looks: Appearance, smaller: dict[View, View]) -> Appearance:
    view = smaller[looks.view]
    if view is looks.view:
        return looks
    size = view.camera.width, view.camera.height
    maps = {
        name: None if one is None else _shrunk(one, size)
        for name, one in (("mask", looks.mask), ("relief", looks.relief))
    }
    return Appearance.model_validate({**dict(looks), "view": view, **maps})


def _shrunk(picture: Picture, size: Size) -> Picture:
    key = picture.sha256, size
    with _LOCK:
        known = _SMALL.get(key)
        if known is None:
            pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
            known = _SMALL[key] = Picture(np.asarray(pixels, dtype=np.uint8))
        _SMALL.move_to_end(key)
        while len(_SMALL) > KEPT:
            _SMALL.popitem(last=False)
        return known
