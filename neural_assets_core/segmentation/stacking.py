"""Objects of one photograph together: which stands on which, and whose pixels are whose."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.calibration.enclosing import box_around_mask, is_dish
from neural_assets_core.calibration.scene import recalibrated, with_drawn_object, with_looks
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.geometry.standing import (
    base_points,
    foot_is_over,
    lowest,
    nearer,
    seen_at_height,
    stands_on,
)
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.sampling import appearance_mask
from neural_assets_core.scene import Appearance, Picture, Scene
from neural_assets_core.scene.source_box import in_place
from neural_assets_core.segmentation.edits import with_mask
from neural_assets_core.segmentation.sharing import (
    Seen,
    around,
    cut,
    hiding_of,
    may_touch,
    parted,
    refitted,
    union,
    without,
)

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

MIDDLE, BITTEN = 0.5, 0.2
"""How much of a base is looked at, half-sides, and the share of that which may show what it
stands on."""

NARROWER = (0.7, 0.5, 0.35, 0.25)
"""Depths, in widths, of what would not stand on something if it were deeper."""

LOW = 0.25
"""Height of what nothing can hide that stands before it, in its lesser sides."""

SUNK, DEEPEST = 0.35, 0.25
"""How high in a dish things stand, in its heights, and how deep they sink, in their own."""

WORKING_SIDE = 800
"""Pixels a side of the picture in which a box that was drawn is compared with the others, at
most: the hand waits for that."""

SAME = 1e-6
"""How much a box may differ, in its sides, and still be as it was found."""


def with_found_object(scene: Scene, mask: Picture, name: str, category: str) -> Scene:
    """The scene with one more object, of which only its pixels in the photograph are known.

    A box is put around it. If it stands on another object, or another on it, they are set upon
    each other: the picture of neither changes. Pixels that both claim are those of whichever is
    in front.

    Parameters
    ----------
    scene : Scene
    mask : Picture
        255 inside.
    name, category : str
        As for `with_drawn_object`.

    Raises
    ------
    UserError
        If the mask is empty, or no box on the ground can be there.
    """
    camera, occluders = scene.background.view.camera, scene.background.occluders
    new = Seen(mask.pixels, box_around_mask(camera, mask).box, free=True)
    seen = parted(camera, [*_seen(scene), new])
    number = len(occluders)
    below, above = _related(camera, seen)
    hiding = union([seen[one].inside for one in above], mask.pixels.shape)
    if above:
        seen[number] = without(camera, new, hiding)
    for one in below:
        # Not the new object alone hides it.
        upon = [other for other in range(number) if stands_on(seen[other].box, seen[one].box)]
        parts = [seen[other].inside for other in (*upon, number)]
        seen[one] = without(camera, seen[one], union(parts, mask.pixels.shape))
    seen[number] = replace(
        seen[number], box=_upon(camera, seen[number], [seen[one] for one in below])
    )
    for one, box in _raised(camera, seen, above).items():
        seen[one] = replace(seen[one], box=box)
    seen = refitted(camera, cut(camera, seen))
    looks = {
        before: before.model_copy(update={"box": after.box, "mask": Picture(after.mask)})
        for before, after in zip(occluders, seen[:-1], strict=True)
        if after.box != before.box or (after.mask != appearance_mask(before)).any()
    }
    scene = with_looks(scene, looks)
    return with_drawn_object(
        scene, seen[number].box, name, category, Picture(seen[number].mask)
    )


def with_boxed_object(scene: Scene, box: Box, name: str = "object", category: str = "") -> Scene:
    """The scene with one more object, of which only its box was drawn, as if on the ground.

    If it stands on another object, or another on it, they are set upon each other as in
    `with_found_object`. Whose pixels are whose is told when it is cut out: see `with_cut_out`.

    Parameters
    ----------
    scene : Scene
    box : Box
        World metres, as by `cuboid_from_clicks`.
    name, category : str
        As for `with_drawn_object`.

    Raises
    ------
    UserError
        As from `with_drawn_object`.
    """
    view, occluders = scene.background.view, scene.background.occluders
    if behind_camera(view.camera, box):
        return with_drawn_object(scene, box, name, category)
    camera = _reduced(view.camera)
    looks = [*occluders, Appearance(view=view, box=box)]
    seen = [Seen(_reduced_mask(camera, one), one.box, free=False) for one in looks]
    below, above = _related(camera, seen)
    box = _upon(camera, seen[-1], [seen[one] for one in below])
    seen[-1] = replace(seen[-1], box=box)
    raised = _raised(camera, seen, above)
    carried = {
        occluders[one]: occluders[one].model_copy(update={"box": upon})
        for one, upon in raised.items()
    }
    return with_drawn_object(with_looks(scene, carried), box, name, category)


def with_cut_out(scene: Scene, name: str, mask: Picture) -> Scene:
    """The scene in which the mask of an object was found, and ends where others begin.

    Pixels that another object has, too, are those of whichever is in front.

    Parameters
    ----------
    scene : Scene
    name : str
    mask : Picture
        255 inside; as for `with_mask`.

    Raises
    ------
    UserError
        If there is no such object.
    """
    scene = with_mask(scene, name, mask)
    looks, occluders = scene.object(name).appearance, scene.background.occluders
    if looks not in occluders:
        return scene
    # What has no mask yet has no outline that could end anywhere.
    order = [*(one for one in occluders if one.mask is not None and one != looks), looks]
    seen = [Seen(appearance_mask(one), one.box, free=False) for one in order]
    changed = {
        before: before.model_copy(update={"mask": Picture(after.mask)})
        for before, after in zip(order, cut(looks.view.camera, seen), strict=True)
        if (after.mask != appearance_mask(before)).any()
    }
    return with_looks(scene, changed)


def carried_by(scene: Scene, name: str) -> str:
    """"one stands on other", if an object stands on another or carries one; else nothing."""
    item = scene.object(name)
    others = [other for other in scene.objects if other is not item]
    for one, below in [(item, other) for other in others] + [(other, item) for other in others]:
        if stands_on(one.box, below.box):
            return f"{one.name} stands on {below.name}"
    return ""


def is_as_found(scene: Scene) -> bool:
    """Whether all objects are where they were found, in boxes that nobody has fitted."""
    looks = [item.appearance for item in scene.objects]
    return (
        looks == list(scene.background.occluders)
        and all(in_place(scene, item) for item in scene.objects)
        and all(one.free for one in _seen(scene))
    )


def found_again(scene: Scene, camera: Camera) -> Scene:
    """The scene `is_as_found`, its objects found by another camera.

    Raises
    ------
    UserError
        If there can be no box on that camera's ground where an object is.
    """
    background = scene.background.model_copy(update={"occluders": ()})
    out = recalibrated(scene.model_copy(update={"objects": (), "background": background}), camera)
    for item in scene.objects:
        assert item.appearance.mask is not None
        out = with_found_object(out, item.appearance.mask, item.name, item.category)
    return out


def _seen(scene: Scene) -> list[Seen]:
    """What the background's picture shows, in order of its occluders."""
    camera, occluders = scene.background.view.camera, scene.background.occluders
    out = [Seen(appearance_mask(one), one.box, free=False) for one in occluders]
    order = back_to_front(camera, [one.box for one in out])
    free = [
        _as_found(camera, one, hiding_of(out, order, index)) for index, one in enumerate(occluders)
    ]
    return [replace(one, free=is_free) for one, is_free in zip(out, free, strict=True)]


def _as_found(camera: Camera, one: Appearance, hiding: Mask) -> bool:
    """Whether a box is still where it was put around its pixels."""
    if one.mask is None:
        return False
    try:
        box = around(camera, one.mask.pixels, hiding, lowest(one.box))
    except UserError:
        return False
    return bool(
        np.abs(one.box.to_local(box.corners()) - one.box.to_local(one.box.corners())).max() < SAME
    )


def _reduced(camera: Camera) -> Camera:
    """The camera of a small picture of the same."""
    scale = min(1.0, WORKING_SIDE / max(camera.width, camera.height))
    return camera.resized(*(max(1, round(scale * side)) for side in (camera.width, camera.height)))


def _reduced_mask(camera: Camera, one: Appearance) -> U8:
    """(height, width) of a small picture, 255 where an object is seen, or where its box is."""
    if one.mask is None:
        return silhouette(camera, one.box).astype(np.uint8) * np.uint8(255)
    size = (camera.width, camera.height)
    return np.asarray(cv2.resize(one.mask.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _related(camera: Camera, seen: list[Seen]) -> tuple[list[int], list[int]]:
    """Indices of what the last object stands on, and of what stands on that."""
    new = seen[-1]
    below, above = [], []
    for index, other in enumerate(seen[:-1]):
        if not may_touch(new.mask, other.mask):
            continue
        if _is_upon(camera, new, without(camera, other, new.inside)):
            below.append(index)
        elif _is_upon(camera, other, without(camera, new, other.inside)):
            above.append(index)
    return below, above


def _is_upon(camera: Camera, one: Seen, other: Seen) -> bool:
    """Whether an object would stand over another one, were it as high as that."""
    box = seen_at_height(camera, one.box, _seat(camera, other))
    if box is None:
        return False
    low = other.box.size[2] < LOW * min(other.box.size[:2])
    if not low and _bitten(camera, one, other) > BITTEN:
        return False
    return foot_is_over(camera, box, other.box)


def _bitten(camera: Camera, one: Seen, other: Seen) -> float:
    """Share of the middle of an object's base where another is seen: that stands before it."""
    pixels = camera.project(base_points(one.box, MIDDLE))[:, :2]
    height, width = one.mask.shape
    x, y = (pixels.clip(0, [width - 1, height - 1])).astype(np.intp).T
    return float((other.inside[y, x] & ~one.inside[y, x]).mean())


def _seat(camera: Camera, one: Seen) -> float:
    """Metres over the ground at which things stand on an object."""
    foot, top = lowest(one.box), float(one.box.corners()[:, 2].max())
    return foot + SUNK * (top - foot) if is_dish(camera, one.inside) else top


def _upon(camera: Camera, one: Seen, others: list[Seen]) -> Box:
    """The box of an object that stands on the highest of others."""
    if not others:
        return one.box
    below = max(others, key=lambda other: _seat(camera, other))
    # What looks like a dish may have got too high a box: nothing sinks so deep.
    deepest = DEEPEST * float(np.ptp(one.box.corners()[:, 2]))
    height = max(_seat(camera, below), float(below.box.corners()[:, 2].max()) - deepest)
    out = seen_at_height(camera, one.box, height) or one.box
    for depth in NARROWER if one.free else ():
        if stands_on(out, below.box):
            break
        # It is less deep than was guessed: its middle is on what carries it.
        box = box_around_mask(camera, Picture(one.mask), depths=(depth,)).box
        out = seen_at_height(camera, box, height) or out
    return out


def _raised(camera: Camera, seen: list[Seen], above: list[int]) -> dict[int, Box]:
    """The boxes of those of `above` that are put upon the last object, and of what they carry."""
    out: dict[int, Box] = {}
    height = _seat(camera, seen[-1])
    eye = float(camera.position[2])
    for index in above:
        carriers = [one for one in above if stands_on(seen[index].box, seen[one].box)]
        foot = lowest(seen[index].box)
        if carriers or foot >= height or eye <= height:
            continue
        factor = (eye - height) / (eye - foot)
        carried = [one for one in above if stands_on(seen[one].box, seen[index].box)]
        out[index] = _upon(camera, seen[index], seen[-1:])
        for one in carried:
            out[one] = nearer(camera, seen[one].box, factor) or seen[one].box
    return out
