"""Drawing an edited photograph: the parts that `photograph` prepared, put where they are now."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import takewhile

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.proxy.background import fill_holes, is_untouched, seen_from
from neural_assets_core.proxy.cutout import Cutout, extent
from neural_assets_core.proxy.ground import Shade, draw_shade
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.photograph import Photograph, photograph_of
from neural_assets_core.proxy.render import ProxyLayers, check_boxes
from neural_assets_core.proxy.warp import MIRRORED, warp
from neural_assets_core.scene import Appearance, Scene, SceneObject

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

@dataclass(frozen=True)
class _Canvas:
    """What is drawn into, changed in place; uint8 arrays (height, width[, 3]).

    Attributes
    ----------
    picture, coverage, confidence, came
        As in `ProxyLayers`, 255 for 1.
    changed
        255 where the picture is no longer the photograph.
    hole
        255 where nothing is known of the background.
    """

    picture: U8
    coverage: U8
    confidence: U8
    came: U8
    changed: U8
    hole: U8

    @classmethod
    def of(cls, picture: U8, changed: U8, hole: U8) -> _Canvas:
        """Of a background."""
        coverage, confidence, came = (np.zeros(hole.shape, dtype=np.uint8) for _ in range(3))
        return cls(picture, coverage, confidence, came, changed, hole)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.picture.nbytes + 5 * self.hole.nbytes

    def copy(self) -> _Canvas:
        """The same, to be drawn on."""
        return _Canvas(**{one.name: getattr(self, one.name).copy() for one in fields(self)})


def draw_photograph(scene: Scene, camera: Camera) -> ProxyLayers:
    """Draw an edited photograph without any weights.

    Where nothing changed, the photograph's own pixels stay.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        `scene.camera`, or a window of it at another resolution.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    check_boxes(scene)
    photograph = photograph_of(scene.background)
    same = camera == scene.background.view.camera
    stayed = [
        one for one in scene.background.occluders if same and is_untouched(scene, one)
    ]
    order = back_to_front(camera, [item.box for item in scene.objects])
    riders = photograph.riders(scene)
    parts = [
        _Part(
            item,
            frozenset(index for _, carrier, index in riders if carrier is item),
            item.appearance in stayed and item.box == item.appearance.box,
            any(rider is item for rider, _, _ in riders),
        )
        for item in (scene.objects[index] for index in order)
    ]
    # What is behind all that moved is the same at every step of a drag.
    behind = list(takewhile(lambda part: part.stays, parts))
    key = camera, tuple(stayed), tuple((part.item.appearance, part.carried) for part in behind)
    canvas = photograph.kept(
        key, lambda: _standing(photograph, camera, stayed, behind)
    ).copy()
    for part in parts[len(behind) :]:
        _draw(canvas, photograph, part, camera)
    unit = np.float32(1 / 255)
    return ProxyLayers(
        picture=canvas.picture,
        hole=(canvas.hole > 127) & (canvas.coverage < 128),
        coverage=canvas.coverage * unit,
        confidence=canvas.confidence * unit,
        gone=np.zeros(canvas.hole.shape, dtype=np.float32),
        came=canvas.came * unit,
    )


@dataclass(frozen=True)
class _Part:
    """An object to be drawn.

    Attributes
    ----------
    item : SceneObject
    carried : frozenset of int
        Occluders that stand on it as they did.
    stays : bool
        It stands where the photograph shows it.
    rides : bool
        It stands on another object as it did: its shadow there is that one's.
    """

    item: SceneObject
    carried: frozenset[int]
    stays: bool
    rides: bool


def _standing(
    photograph: Photograph, camera: Camera, stayed: list[Appearance], behind: list[_Part]
) -> _Canvas:
    """The photograph without what is not where it was, and what stays behind all else."""
    canvas = _emptied(photograph, camera, stayed)
    for part in behind:
        _draw(canvas, photograph, part, camera)
    return canvas


def _draw(canvas: _Canvas, photograph: Photograph, part: _Part, camera: Camera) -> None:
    item = part.item
    if part.stays and _as_it_was(canvas, photograph, item.appearance):
        return
    piece = photograph.piece(item.appearance, part.carried)
    if piece.cutout is None:
        return
    if part.stays:
        _keep(canvas, piece.cutout)
        return
    if not part.rides:
        _shade(canvas, piece.shade, item, camera)
    _move(canvas, piece.cutout, item, camera)


def _emptied(photograph: Photograph, camera: Camera, stayed: list[Appearance]) -> _Canvas:
    """The photograph without what is not where it was, and without its shadow."""
    view, shape = photograph.view, (camera.height, camera.width)
    left = [one for one in photograph.occluders if one not in stayed]
    if camera != view.camera:
        plate, unknown = seen_from(
            photograph.plate, photograph.holes(left), view.camera, camera
        )
        outside = unknown > 254
        picture = fill_holes(plate, outside, outside)
        return _Canvas.of(picture, np.full(shape, 255, np.uint8), unknown)
    picture, changed = view.picture.pixels.copy(), np.zeros(shape, dtype=np.uint8)
    hole = np.zeros(shape, dtype=np.uint8)
    if left:
        share = photograph.holes(left)
        if share.any():
            at, part = _enlarged(share, shape)
            hole[at] = np.round(255 * part)
            changed[at] = np.where(hole[at] > 0, 255, 0)
            _blend(picture[at], photograph.plate[at], hole[at])
    return _Canvas.of(picture, changed, hole)


def _enlarged(share: F32, shape: tuple[int, int]) -> tuple[tuple[slice, slice], F32]:
    """The part of a small map that is not zero, at the full size."""
    rows, columns = np.flatnonzero(share.any(axis=1)), np.flatnonzero(share.any(axis=0))
    scale = shape[0] / share.shape[0], shape[1] / share.shape[1]
    at = (
        slice(int(rows[0] * scale[0]), min(shape[0], int(np.ceil((rows[-1] + 1) * scale[0])))),
        slice(
            int(columns[0] * scale[1]), min(shape[1], int(np.ceil((columns[-1] + 1) * scale[1])))
        ),
    )
    matrix = np.array([
        [1 / scale[1], 0, (at[1].start + 0.5) / scale[1] - 0.5],
        [0, 1 / scale[0], (at[0].start + 0.5) / scale[0] - 0.5],
    ])
    size = (at[1].stop - at[1].start, at[0].stop - at[0].start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(share, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return at, np.asarray(part, dtype=np.float32)


def _as_it_was(canvas: _Canvas, photograph: Photograph, appearance: Appearance) -> bool:
    """Whether what stands where it stood has nothing that changed near it; then it is kept."""
    mask = photograph.mask(appearance)
    at = extent(mask).slices
    if canvas.changed[at].any():
        return False
    alpha = mask[at]
    np.maximum(canvas.coverage[at], alpha, out=canvas.coverage[at])
    np.maximum(canvas.confidence[at], alpha, out=canvas.confidence[at])
    return True


def _keep(canvas: _Canvas, cutout: Cutout) -> None:
    """What stands where it stood: seen before what changed behind it, and completed."""
    at, alpha = cutout.rect.slices, cutout.alpha
    known = np.where(cutout.seen, np.uint8(255), np.uint8(255 * MIRRORED))
    np.maximum(canvas.coverage[at], alpha, out=canvas.coverage[at])
    _blend(canvas.confidence[at], known, alpha)
    left, top, width, height = cv2.boundingRect(canvas.changed[at])
    part = slice(top, top + height), slice(left, left + width)
    touched = alpha[part] & canvas.changed[at][part]
    _blend(canvas.picture[at][part], cutout.colour[part], touched)


def _shade(canvas: _Canvas, shade: Shade, item: SceneObject, camera: Camera) -> None:
    """The shadow that something throws at a new place."""
    found = draw_shade(canvas.picture, camera, item.box, shade, item.appearance)
    if found is None:
        return
    at, dark = found[0].slices, 255 - found[1]
    np.maximum(canvas.changed[at], cv2.threshold(dark, 0, 255, cv2.THRESH_BINARY)[1],
               out=canvas.changed[at])
    np.maximum(canvas.came[at], dark, out=canvas.came[at])


def _move(canvas: _Canvas, cutout: Cutout, item: SceneObject, camera: Camera) -> None:
    """What was moved, turned, scaled, copied or brought here."""
    drawn = warp(cutout, item.box, camera)
    if drawn is None:
        return
    at = drawn.rect.slices
    _blend(canvas.picture[at], drawn.colour, drawn.alpha)
    _blend(canvas.confidence[at], drawn.trust, drawn.alpha)
    np.maximum(canvas.coverage[at], drawn.alpha, out=canvas.coverage[at])
    np.maximum(canvas.changed[at], cv2.threshold(drawn.alpha, 0, 255, cv2.THRESH_BINARY)[1],
               out=canvas.changed[at])


def _blend(picture: U8, colour: U8, alpha: U8) -> None:
    """Colours over a picture, in place; `alpha` (h, w)."""
    if picture.size == 0:
        return
    share = alpha * np.float32(1 / 255)
    picture[:] = cv2.blendLinear(
        np.ascontiguousarray(colour), np.ascontiguousarray(picture), share, 1 - share
    )
