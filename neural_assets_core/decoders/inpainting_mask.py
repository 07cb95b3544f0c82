"""Which pixels of the proxy's picture are to be painted anew, in which windows, and back again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.proxy import ProxyLayers, draw_photograph, grown, is_untouched
from neural_assets_core.scene import Scene

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

TRUSTED = 0.75
"""Confidence of the proxy from which on its pixels stay."""

SEAM = 0.004
"""Half the width of the seam around a moved object, as a fraction of the picture's larger side."""

CONTEXT = 0.3
"""Surroundings that the model sees on each side, as a fraction of the larger side of the mask."""

LOOKED_AT = 1024
"""Pixels a side on which windows are found, at most."""

MOST_WINDOWS = 4
LONGEST = 2.0
"""Ratio of a window's sides up to which the model draws well."""

TINT_REACH = 1 / 32
"""How far into the mask colours are matched, as a fraction of the window's larger side."""


@dataclass(frozen=True)
class Crop:
    """A part of the picture as the model sees it.

    Attributes
    ----------
    left, top, right, bottom : int
        Pixels of the picture, inside it.
    size : (int, int)
        Width and height in pixels of the model.
    """

    left: int
    top: int
    right: int
    bottom: int
    size: tuple[int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def doubtful_pixels(scene: Scene, layers: ProxyLayers) -> Mask:
    """(height, width) where the proxy made something up: holes, guessed sides, and seams.

    Parameters
    ----------
    scene : Scene
    layers : ProxyLayers
        What `draw_photograph` drew of it.
    """
    view = scene.background.view
    same = scene.camera == view.camera
    changed = np.ones(layers.hole.shape, dtype=bool)
    if same:
        changed = np.asarray((layers.picture != view.picture.pixels).any(axis=-1))
    moved = tuple(
        item
        for item in scene.objects
        if not (
            same and item.box == item.appearance.box and is_untouched(scene, item.appearance)
        )
    )
    covered = layers.coverage > 0.5
    guessed = covered & changed & (layers.confidence < TRUSTED * layers.coverage)
    doubtful = layers.hole | guessed
    radius = max(2.0, SEAM * max(layers.hole.shape))
    if moved:
        alone = draw_photograph(scene.model_copy(update={"objects": moved}), scene.camera)
        body = (alone.coverage > 0.5).astype(np.uint8)
        outline = cv2.morphologyEx(body, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
        doubtful |= outline & grown(changed, 2.0)
    return grown(doubtful, radius) if doubtful.any() else doubtful


def crops(mask: Mask, area: int, multiple: int) -> list[Crop]:
    """Windows that hold all of the mask, with surroundings.

    Parameters
    ----------
    mask : bool (height, width)
        At least one pixel set.
    area : int
        Pixels that the model draws best, all together.
    multiple : int
        What its widths and heights are multiples of.
    """
    height, width = mask.shape
    least = round(math.sqrt(area))
    shrink = min(1.0, LOOKED_AT / max(mask.shape))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(small.astype(np.uint8), connectivity=8)
    boxes = [
        _with_context(
            (
                math.floor(x * width / size[0]),
                math.floor(y * height / size[1]),
                math.ceil((x + w) * width / size[0]),
                math.ceil((y + h) * height / size[1]),
            ),
            (width, height),
            least,
        )
        for x, y, w, h in stats[1:count, :4].tolist()
    ]
    return [
        Crop(*box, _model_size(box[2] - box[0], box[3] - box[1], area, multiple))
        for box in _apart(boxes)
    ]


Bounds = tuple[int, int, int, int]


def _with_context(box: Bounds, size: tuple[int, int], least: int) -> Bounds:
    """The bounds with surroundings, neither tiny nor too long, inside the picture."""
    extents = box[2] - box[0], box[3] - box[1]
    margin = round(CONTEXT * max(extents))
    wanted = [max(extent + 2 * margin, least) for extent in extents]
    shortest = math.ceil(max(wanted) / LONGEST)
    out = []
    for axis in (0, 1):
        side = min(max(wanted[axis], shortest), size[axis])
        middle = (box[axis] + box[axis + 2]) / 2
        start = min(max(round(middle - side / 2), 0), size[axis] - side)
        out.append((start, start + side))
    return out[0][0], out[1][0], out[0][1], out[1][1]


def _apart(boxes: Sequence[Bounds]) -> list[Bounds]:
    """Bounds that do not overlap, and not too many: those that do are joined."""
    out: list[Bounds] = []
    for box in boxes:
        while True:
            met = next((other for other in out if _overlap(box, other)), None)
            if met is None:
                break
            out.remove(met)
            box = _joined(box, met)
        out.append(box)
    if len(out) <= MOST_WINDOWS:
        return out
    pairs = [(one, other) for i, one in enumerate(out) for other in out[i + 1 :]]
    closest = min(pairs, key=lambda pair: _area(_joined(*pair)))
    rest = [box for box in out if box not in closest]
    return _apart([*rest, _joined(*closest)])


def _overlap(one: Bounds, other: Bounds) -> bool:
    return all(max(one[i], other[i]) < min(one[i + 2], other[i + 2]) for i in (0, 1))


def _joined(one: Bounds, other: Bounds) -> Bounds:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def _area(box: Bounds) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _model_size(width: int, height: int, area: int, multiple: int) -> tuple[int, int]:
    # What is longer than the model draws well is squeezed a little.
    ratio = min(max(width / height, 1 / LONGEST), LONGEST)
    wide, tall = math.sqrt(area * ratio), math.sqrt(area / ratio)
    return (
        max(1, round(wide / multiple)) * multiple,
        max(1, round(tall / multiple)) * multiple,
    )


# -- to the model and back ---------------------------------------------------------------------


def shown(picture: U8, crop: Crop) -> U8:
    """The crop of a picture at the model's size, (h, w, 3)."""
    part = picture[crop.slices]
    method = cv2.INTER_AREA if crop.size[0] < part.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, crop.size, interpolation=method), dtype=np.uint8)


def shown_mask(mask: Mask, crop: Crop) -> Mask:
    """The crop of a mask at the model's size, (h, w): all that is touched by it."""
    part = mask[crop.slices].astype(np.float32)
    method = cv2.INTER_AREA if crop.size[0] < part.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, crop.size, interpolation=method)) > 0


def put_in(picture: U8, painted: U8, mask: Mask, crop: Crop) -> None:
    """Put what the model painted under the mask into the picture, in place.

    Its edge is soft inside of the mask; no pixel beyond the mask changes.

    Parameters
    ----------
    picture : uint8 (height, width, 3)
    painted : uint8 (h, w, 3)
        At the model's size.
    mask : bool (height, width)
    crop : Crop
    """
    at = crop.slices
    inside = mask[at]
    base = shown(picture, crop).astype(np.float32)
    matched = _matched(painted.astype(np.float32), base, ~shown_mask(mask, crop))
    size = (inside.shape[1], inside.shape[0])
    large = cv2.resize(matched, size, interpolation=cv2.INTER_CUBIC)
    band = max(2.0, SEAM * max(mask.shape))
    # Beyond the window there is nothing to be soft towards.
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(np.asarray(depth) / band, 0.0, 1.0)[..., None]
    before = picture[at].astype(np.float32)
    mixed = np.round(before + share * (np.asarray(large) - before))
    picture[at] = np.clip(mixed, 0, 255).astype(np.uint8)


def _matched(painted: F32, base: F32, known: Mask) -> F32:
    """What was painted, in the colours of its surroundings where it meets them.

    Autoencoders shift colours a little, which shows as a seam.
    """
    reach = max(1.0, TINT_REACH * max(known.shape))
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), reach)
    shift = cv2.GaussianBlur((base - painted) * known[..., None], (0, 0), reach)
    return np.asarray(
        painted + shift / np.maximum(np.asarray(weight), 0.05)[..., None], dtype=np.float32
    )
