"""Drawing an edited photograph: the parts that `photograph` prepared, put where they are now."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.proxy.background import fill_holes, is_untouched, seen_from
from neural_assets_core.proxy.cutout import Cutout
from neural_assets_core.proxy.ground import Shade, draw_shade
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.photograph import Photograph, photograph_of
from neural_assets_core.proxy.render import ProxyLayers, check_boxes
from neural_assets_core.proxy.warp import MIRRORED, warp
from neural_assets_core.scene import Appearance, Scene, SceneObject

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

VISIBLE = 0.004
"""Least share of a pixel that is drawn."""


@dataclass(frozen=True)
class _Canvas:
    """What is drawn into, changed in place; arrays (height, width[, 3])."""

    picture: U8
    changed: U8
    coverage: F32
    confidence: F32
    came: F32


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
    canvas, hole, gone = _emptied(scene, camera, photograph, stayed)
    order = back_to_front(camera, [item.box for item in scene.objects])
    riders = photograph.riders(scene)
    for item in (scene.objects[index] for index in order):
        carried = frozenset(index for _, carrier, index in riders if carrier is item)
        piece = photograph.piece(item.appearance, carried)
        if piece.cutout is None:
            continue
        if item.appearance in stayed and item.box == item.appearance.box:
            _keep(canvas, piece.cutout)
            continue
        if not any(rider is item for rider, _, _ in riders):
            _shade(canvas, piece.shade, item, camera)
        _move(canvas, piece.cutout, item, camera)
    return ProxyLayers(
        picture=canvas.picture,
        hole=hole & (canvas.coverage < 0.5),
        coverage=canvas.coverage,
        confidence=canvas.confidence,
        gone=gone,
        came=canvas.came,
    )


def _emptied(
    scene: Scene, camera: Camera, photograph: Photograph, stayed: list[Appearance]
) -> tuple[_Canvas, Mask, F32]:
    """The photograph without what is not where it was; where that is; and shadows that went."""
    view = scene.background.view
    shape = (camera.height, camera.width)
    zeros = [np.zeros(shape, dtype=np.float32) for _ in range(4)]
    left = [one for one in scene.background.occluders if one not in stayed]
    changed = np.zeros(shape, dtype=np.uint8)
    if camera != view.camera:
        plate, unknown = seen_from(
            photograph.plate, photograph.holes(left), view.camera, camera
        )
        outside = unknown > 254
        picture = fill_holes(plate, outside, outside)
        changed[:] = 255
        return _Canvas(picture, changed, *zeros[:3]), unknown > 127, zeros[3]
    picture = view.picture.pixels.copy()
    hole = np.zeros(shape, dtype=bool)
    if left:
        share = photograph.holes(left)
        at, part = _enlarged(share, shape)
        _blend(picture[at], photograph.plate[at], part)
        changed[at] = np.where(part > VISIBLE, 255, 0)
        hole[at] = part > 0.5
    return _Canvas(picture, changed, *zeros[:3]), hole, zeros[3]


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


def _keep(canvas: _Canvas, cutout: Cutout) -> None:
    """What stands where it stood: seen before what changed behind it, and completed."""
    at = cutout.rect.slices
    alpha = cutout.alpha.astype(np.float32) * np.float32(1 / 255)
    known = np.where(cutout.seen, np.float32(1.0), np.float32(MIRRORED))
    touched = canvas.changed[at] > 0
    canvas.coverage[at] = np.maximum(canvas.coverage[at], alpha)
    canvas.confidence[at] += alpha * (known - canvas.confidence[at])
    if touched.any():
        _blend(canvas.picture[at], cutout.colour, np.where(touched, alpha, np.float32(0.0)))


def _shade(canvas: _Canvas, shade: Shade, item: SceneObject, camera: Camera) -> None:
    """The shadow that something throws at a new place."""
    found = draw_shade(canvas.picture, camera, item.box, shade, item.appearance)
    if found is None:
        return
    at, ratio = found[0].slices, found[1][..., 1]
    canvas.changed[at] |= np.where(ratio < 255, np.uint8(255), np.uint8(0))
    np.maximum(canvas.came[at], 1 - ratio * np.float32(1 / 255), out=canvas.came[at])


def _move(canvas: _Canvas, cutout: Cutout, item: SceneObject, camera: Camera) -> None:
    """What was moved, turned, scaled, copied or brought here."""
    drawn = warp(cutout, item.box, camera)
    if drawn is None:
        return
    at = drawn.rect.slices
    _blend(canvas.picture[at], drawn.colour, drawn.alpha)
    canvas.changed[at] |= np.where(drawn.alpha > VISIBLE, np.uint8(255), np.uint8(0))
    np.maximum(canvas.coverage[at], drawn.alpha, out=canvas.coverage[at])
    canvas.confidence[at] += drawn.alpha * (drawn.trust - canvas.confidence[at])


def _blend(picture: U8, colour: U8, alpha: F32) -> None:
    """Colours over a picture, in place."""
    picture[:] = cv2.blendLinear(
        np.ascontiguousarray(colour), np.ascontiguousarray(picture), alpha, 1 - alpha
    )

