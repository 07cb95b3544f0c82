"""Filling holes with shifted copies of the picture: which pixel shows which copy.

Where copies meet they should agree: a labelling of the hole's pixels by loopy belief propagation
(Pritch et al. 2009, Shift-map image editing; Kwatra et al. 2003, Graphcut textures). Copies keep
the picture's full resolution and grain, and the lines on the ground keep their perspective.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.filling import fill_texture, spread
from neural_assets_core.proxy.sampling import enlarged
from neural_assets_core.proxy.shifts import CLIP, RIM, Shift, Work, find_shifts, ground_at

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int16]

SEAM = 18.0
"""What a step from one copy to another costs, besides how much they differ."""

MOST_SEAM = 400.0
UNKNOWN = 400.0
"""What a pixel costs of which its copy knows nothing."""

ROUNDS = 16
"""Of messages between neighbours."""

MOST_LIGHT = 0.4
"""By how much the logarithm of what is filled is changed to fit its surroundings, at most."""

DARK = 8.0


def fill_shifted(
    picture: U8,
    hole: Mask,
    known: Mask,
    camera: Camera,
    plain: Mask | None = None,
) -> U8:
    """Fill a hole with what repeats itself around it.

    Parameters
    ----------
    picture : uint8 (h, w, 3)
    hole : bool (h, w)
        Pixels to fill; all others stay.
    known : bool (h, w)
        Pixels that show background.
    camera : Camera
        Of the picture; its ground z = 0 is moved in perspective.
    plain : bool (h, w), optional
        Pixels of it that may be copied, without shadows say.

    Returns
    -------
    uint8 (h, w, 3)
        Deterministic.
    """
    known = known & ~hole
    if not hole.any():
        return picture
    plain = known if plain is None else known & plain
    work = Work.of(picture, hole, known, plain, camera)
    shifts = find_shifts(work)
    if not shifts:
        return fill_texture(picture, hole, known)
    labels = _labelled(work, shifts)
    return _composed(picture, hole, known, plain, camera, work, shifts, labels)


def _labelled(work: Work, shifts: Sequence[Shift]) -> Labels:
    """(h, w) which shift each pixel of the hole and its rim shows; -1 elsewhere."""
    inside = work.hole | work.rim
    pixels = Work.centers(inside)
    ground = ground_at(work.camera, pixels)
    shown = [work.shown(shift.moved(pixels, ground, work.camera)) for shift in shifts]
    colours = np.stack([colour for colour, _ in shown], axis=1)
    known = np.stack([valid for _, valid in shown], axis=1)
    rim = work.rim[inside]
    cost = np.where(known, 0.0, UNKNOWN).astype(np.float32)
    error = np.abs(colours - work.picture[inside][:, None]).sum(axis=-1)
    cost[rim] += np.minimum(error, 3 * CLIP)[rim]
    index = np.full(inside.shape, -1, dtype=np.intp)
    index[inside] = np.arange(len(pixels))
    chosen = _propagated(cost, colours, _neighbours(index))
    labels = np.full(inside.shape, -1, dtype=np.int16)
    labels[inside] = chosen
    return labels


def _neighbours(index: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs of numbers beside and below each other in (h, w) `index`, without its negative ones."""
    pairs = []
    for first, second in ((index[:, :-1], index[:, 1:]), (index[:-1], index[1:])):
        both = (first >= 0) & (second >= 0)
        pairs.append((first[both], second[both]))
    return pairs


def _propagated(
    cost: F32, colours: F32, pairs: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> NDArray[np.intp]:
    """(n,) the label of each pixel, by min-sum messages, damped.

    Parameters
    ----------
    cost : float32 (n, k)
        Of a pixel with a label.
    colours : float32 (n, k, 3)
        Two neighbours of different labels cost what these differ by at both.
    pairs : list of pairs of int arrays
        Neighbours, each pixel at most once on either side of a pair.
    """
    count = cost.shape[1]
    links = []
    for first, second in pairs:
        seam = np.full((len(first), count, count), SEAM, dtype=np.float32)
        for end in (first, second):
            seam += np.abs(colours[end][:, :, None] - colours[end][:, None]).sum(axis=-1)
        np.minimum(seam, MOST_SEAM, out=seam)
        seam[:, np.arange(count), np.arange(count)] = 0.0
        silent = np.zeros((len(first), count), dtype=np.float32)
        links.append((first, second, seam, silent, silent.copy()))

    def beliefs() -> F32:
        total = cost.copy()
        for first, second, _, ahead, back in links:
            total[second] += ahead
            total[first] += back
        return total

    for _ in range(ROUNDS):
        total = beliefs()
        for first, second, seam, ahead, back in links:
            forth = ((total[first] - back)[:, :, None] + seam).min(axis=1)
            hither = ((total[second] - ahead)[:, None] + seam).min(axis=2)
            ahead[:] = 0.5 * (ahead + forth - forth.min(axis=1, keepdims=True))
            back[:] = 0.5 * (back + hither - hither.min(axis=1, keepdims=True))
    return np.asarray(beliefs().argmin(axis=1))


def _composed(
    picture: U8,
    hole: Mask,
    known: Mask,
    plain: Mask,
    camera: Camera,
    work: Work,
    shifts: Sequence[Shift],
    labels: Labels,
) -> U8:
    """The copies at full size, soft where they meet, their light fitted to the hole's edge."""
    scale = np.array(hole.shape[::-1]) / work.hole.shape[::-1]
    rect = _around(hole, int(np.ceil(RIM * scale.max())) + 1)
    at = rect.slices
    columns, rows = np.meshgrid(
        np.arange(rect.left, rect.right) + 0.5, np.arange(rect.top, rect.bottom) + 0.5
    )
    pixels = np.stack([columns, rows], axis=-1)
    ground = ground_at(camera, pixels)
    usable = plain.astype(np.uint8)
    everywhere = _spread_labels(labels)
    total = np.zeros((*rows.shape, 3), dtype=np.float32)
    weight = np.zeros((*rows.shape, 1), dtype=np.float32)
    for number in np.unique(labels[labels >= 0]):
        maps = (shifts[number].scaled(scale).moved(pixels, ground, camera) - 0.5).astype(np.float32)
        copy = cv2.remap(picture, maps, None, cv2.INTER_LINEAR)
        valid = cv2.remap(usable, maps, None, cv2.INTER_NEAREST)
        own = cv2.GaussianBlur((everywhere == number).astype(np.float32), (0, 0), 0.6)
        share = enlarged(np.asarray(own), rect, hole.shape) ** 2 * np.asarray(valid)
        total += np.asarray(copy) * share[..., None]
        weight += share[..., None]
    gap = hole[at]
    shown = weight[..., 0] > 1e-3
    mean = (total / np.maximum(weight, 1e-3)).astype(np.float32)
    filled = _fitted(picture[at], mean, known[at], shown)
    # Soft at the edge as well.
    ramp = cv2.GaussianBlur(gap.astype(np.float32), (0, 0), max(0.7, 0.25 * scale.max()))
    mix = np.where(gap, 1.0, np.asarray(ramp) * known[at])[..., None] * shown[..., None]
    out = picture.copy()
    out[at] = np.round(picture[at] * (1 - mix) + filled * mix).astype(np.uint8)
    left = np.zeros_like(hole)
    left[at] = gap & ~shown
    # What no copy knows is little.
    return fill_texture(out, left, (known | hole) & ~left) if left.any() else out


def _around(hole: Mask, margin: int) -> PixelRect:
    """The part of the picture that the hole and a margin take."""
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    return PixelRect(
        left=max(0, left - margin),
        top=max(0, top - margin),
        right=min(hole.shape[1], left + width + margin),
        bottom=min(hole.shape[0], top + height + margin),
    )


def _spread_labels(labels: Labels) -> Labels:
    """The nearest label (h, w) for every pixel."""
    _, nearest = cv2.distanceTransformWithLabels(
        (labels < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(np.max(nearest)) + 1, dtype=np.int16)
    table[np.asarray(nearest)[labels >= 0]] = labels[labels >= 0]
    return np.asarray(table[np.asarray(nearest)])


def _fitted(picture: U8, filled: F32, known: Mask, shown: Mask) -> F32:
    """What is filled (h, w, 3), as bright at its edge as what it meets there."""
    rim = known & shown
    if not rim.any():
        return filled
    wanted, found = (np.log(image.astype(np.float32) + DARK) for image in (picture, filled))
    # Brightness alone: a stain at the edge must not colour what is filled.
    error = (wanted - found).mean(axis=-1)
    # In broad strokes: a line that misses its continuation is no light.
    weight = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), 3.0)
    smooth = cv2.GaussianBlur(np.where(rim, error, 0.0).astype(np.float32), (0, 0), 3.0)
    error = np.asarray(smooth) / np.maximum(np.asarray(weight), 1e-3)
    error = np.where(rim, error.clip(-MOST_LIGHT, MOST_LIGHT), 0.0).astype(np.float32)
    light = spread(error[..., None], rim).reshape(rim.shape)
    light = cv2.GaussianBlur(light, (0, 0), 3.0)
    return np.asarray((np.exp(found + np.asarray(light)[..., None]) - DARK).clip(0, 255))
