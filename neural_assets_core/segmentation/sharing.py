"""Objects of one photograph: whose pixels are whose, and boxes that heed what hides them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.calibration.enclosing import box_around_mask
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.standing import lowest, seen_at_height
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.scene import Picture

Mask = NDArray[np.bool_]
U8 = NDArray[np.uint8]

TAKEN = 0.25
"""Share of an object's pixels from which on another one that has them, too, is wrong."""

SEAM = 3
"""Pixels between two things that touch, at most."""

UNDER, FLUSH = 0.85, 0.12
"""Share of an object's upper edge that something upon it hides, if that is as wide; and by how much
its sides may differ, in widths."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An object in the photograph.

    Attributes
    ----------
    mask : uint8 (height, width)
    box : Box
    free : bool
        Nobody has fitted the box by hand: it may follow the mask.
    """

    mask: U8
    box: Box
    free: bool

    @property
    def inside(self) -> Mask:
        """(height, width) its pixels."""
        return self.mask > 127


def parted(camera: Camera, seen: list[Seen]) -> list[Seen]:
    """The objects without what the last one takes of others, or they of it.

    Somebody drew a rectangle round each: pixels of two are those of the one of which they are the
    greater share.
    """
    out, last = list(seen), len(seen) - 1
    for index in range(last):
        both = int((out[index].inside & out[last].inside).sum())
        shares = {one: both / max(int(out[one].inside.sum()), 1) for one in (index, last)}
        keeps = max(shares, key=lambda one: shares[one])
        if shares[keeps] > TAKEN:
            loses = last + index - keeps
            out[loses] = without(camera, out[loses], out[keeps].inside)
    return out


def cut(camera: Camera, seen: list[Seen]) -> list[Seen]:
    """The objects, the last one and each other free of what is in front of them of the other."""
    out = list(seen)
    order = back_to_front(camera, [one.box for one in seen])
    last = len(seen) - 1
    for index in range(last):
        front, behind = sorted((index, last), key=order.index, reverse=True)
        if (np.minimum(out[front].mask, out[behind].mask) > 0).any():
            mask = np.minimum(out[behind].mask, 255 - out[front].mask)
            out[behind] = replace(out[behind], mask=mask)
    return out


def refitted(camera: Camera, seen: list[Seen]) -> list[Seen]:
    """The objects, those that the last one hides in part in boxes that heed that."""
    out, last = list(seen), len(seen) - 1
    order = back_to_front(camera, [one.box for one in seen])
    for index, one in enumerate(seen):
        hidden = index == last or order.index(last) > order.index(index)
        if one.free and hidden and (one.mask > 127).any():
            hiding = hiding_of(seen, order, index)
            # Where that leaves no box on the ground, the one that it had is better than none.
            with suppress(UserError):
                box = around(camera, one.mask, hiding, lowest(one.box)) if hiding.any() else one.box
                out[index] = replace(one, box=box)
    return out


def without(camera: Camera, one: Seen, hiding: Mask) -> Seen:
    """An object without what stands before it, its box put around the rest if it may be."""
    mask = np.where(hiding, np.uint8(0), one.mask)
    if not one.free or not (mask > 127).any():
        return replace(one, mask=mask)
    return replace(one, mask=mask, box=around(camera, mask, hiding, lowest(one.box)))


def around(camera: Camera, mask: U8, hiding: Mask, height: float) -> Box:
    """The box around what a mask shows, that stands at a height."""
    box = box_around_mask(camera, Picture(mask), hiding if hiding.any() else None).box
    box = seen_at_height(camera, box, height) or box
    y = _covered(mask > 127, hiding)
    return box if y is None else _as_tall(camera, box, y)


def _covered(inside: Mask, hiding: Mask) -> float | None:
    """Where something as wide hides all of an object's top: the y at which its front ends."""
    columns = np.flatnonzero(inside.any(axis=0))
    if not (len(columns) and hiding.any()):
        return None
    top = inside[:, columns].argmax(axis=0)
    y = int(np.median(top[len(top) // 3 : -(len(top) // 3) or None]))
    just_above = hiding[np.maximum(top - SEAM, 0), columns]
    upon = np.flatnonzero(hiding[max(0, y - len(columns) // 4) : y].any(axis=0))
    if just_above.mean() < UNDER or not len(upon):
        return None
    sides = np.abs([upon[0] - columns[0], upon[-1] - columns[-1]])
    return float(y) if sides.max() < FLUSH * len(columns) else None


def _as_tall(camera: Camera, box: Box, y: float) -> Box:
    """A box, about as deep as wide, whose nearest side ends at a row of pixels."""
    eye = box.to_local(camera.position)[:2]
    toward = np.append(eye / max(float(np.abs(eye).max()), 1e-9), -1.0)
    near = box.to_world(toward)
    _, ray = camera.rays(np.array([camera.project(near)[0], y]))
    away = float(np.linalg.norm((near - camera.position)[:2]))
    steepness = float(ray[2]) / max(float(np.linalg.norm(ray[:2])), 1e-9)
    tall = float(camera.position[2]) + steepness * away - float(near[2])
    if tall <= box.size[2]:
        return box
    out = box.with_size((box.size[0], box.size[0], tall))
    return out.with_center(out.center + near - out.to_world(toward))


def hiding_of(seen: list[Seen], order: list[int], index: int) -> Mask:
    """(height, width) where something stands before an object that may hide it.

    `order` is that of all, back to front.
    """
    nearer_ones = [seen[other] for other in order[order.index(index) + 1 :]]
    mask = seen[index].mask
    return union([one.inside for one in nearer_ones if may_touch(mask, one.mask)], mask.shape)


def may_touch(one: U8, other: U8) -> bool:
    """Whether the rectangles around two masks meet."""
    spans = [
        [np.flatnonzero((mask > 127).any(axis=axis)) for mask in (one, other)] for axis in (0, 1)
    ]
    return all(
        len(first) > 0
        and len(second) > 0
        and first[0] <= second[-1] + SEAM
        and second[0] <= first[-1] + SEAM
        for first, second in spans
    )


def union(masks: list[Mask], shape: tuple[int, ...]) -> Mask:
    out = np.zeros(shape, dtype=bool)
    for mask in masks:
        out |= mask
    return out
