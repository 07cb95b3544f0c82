"""Drawing an edited photograph: the parts that `photograph` prepared, put where they are now."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields
from itertools import takewhile

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy.background import fill_holes, seen_from, untouched
from neural_assets_core.proxy.cutout import Cutout
from neural_assets_core.proxy.ground import draw_shade
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.photograph import Photograph, photograph_of
from neural_assets_core.proxy.relighting import FAINT, relit, relit_part
from neural_assets_core.proxy.render import ProxyLayers, check_boxes
from neural_assets_core.proxy.sampling import enlarged, strips, touched
from neural_assets_core.proxy.warp import MIRRORED, warp
from neural_assets_core.scene import Appearance, Scene, SceneObject
from neural_assets_core.yielding import yield_point

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

KEPT_PIXELS = 2048 * 2048
"""Of the largest picture of which a drag's still parts, and what is known, are kept."""

@dataclass(frozen=True)
class _Known:
    """What is known of a picture, changed in place; uint8 (height, width), 255 for 1.

    Attributes
    ----------
    coverage, confidence, came
        As in `ProxyLayers`.
    hole
        255 where nothing is known of the background.
    """

    coverage: U8
    confidence: U8
    came: U8
    hole: U8


@dataclass(frozen=True)
class _Canvas:
    """What is drawn into, changed in place.

    Attributes
    ----------
    picture : uint8 (height, width, 3)
    changed : uint8 (height, width)
        255 where the picture is no longer the photograph.
    known : _Known or None
        None if only the picture is wanted.
    """

    picture: U8
    changed: U8
    known: _Known | None

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.picture.nbytes + (1 if self.known is None else 5) * self.changed.nbytes

    def copy(self) -> _Canvas:
        """The same, to be drawn on."""
        known = self.known
        if known is not None:
            known = _Known(*(getattr(known, one.name).copy() for one in fields(known)))
        return _Canvas(self.picture.copy(), self.changed.copy(), known)


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
    canvas = _drawn(scene, camera, measured=True)
    known, unit = canvas.known, np.float32(1 / 255)
    assert known is not None
    return ProxyLayers(
        picture=canvas.picture,
        hole=(known.hole > 127) & (known.coverage < 128),
        coverage=known.coverage * unit,
        confidence=known.confidence * unit,
        gone=np.zeros(known.hole.shape, dtype=np.float32),
        came=known.came * unit,
    )


def draw_edit(scene: Scene, camera: Camera) -> U8:
    """The picture (height, width, 3) of `draw_photograph` alone: large ones fit into memory."""
    return _drawn(scene, camera, measured=camera.width * camera.height <= KEPT_PIXELS).picture


def _drawn(scene: Scene, camera: Camera, *, measured: bool) -> _Canvas:
    check_boxes(scene)
    photograph = photograph_of(scene.background)
    yield_point()
    same = camera == scene.background.view.camera
    occluders = scene.background.occluders
    there = untouched(scene, occluders) if same else frozenset()
    stayed = [one for one in occluders if one in there]
    yield_point()
    order = back_to_front(camera, [item.box for item in scene.objects])
    yield_point()
    riders = photograph.riders(scene)
    parts = [
        _Part(
            item,
            frozenset(index for _, carrier, index in riders if carrier is item),
            item.appearance in there and item.box == item.appearance.box,
            any(rider is item for rider, _, _ in riders),
            photograph.carrier(item, scene),
        )
        for item in (scene.objects[index] for index in order)
    ]
    # What is behind all that moved, and behind its shadow, is the same at every step of a drag.
    behind = list(takewhile(lambda part: part.stays, parts))
    fallen: dict[int, list[_Part]] = {}
    for part in parts:
        if part.falls_on is not None:
            fallen.setdefault(id(part.falls_on), []).append(part)
    first = next((n for n, part in enumerate(behind) if id(part.item) in fallen), len(behind))
    behind = behind[: first + 1]
    yield_point()

    if camera.width * camera.height > KEPT_PIXELS:
        canvas = _emptied(photograph, camera, stayed, measured)
        for part in behind:
            _draw(canvas, photograph, part, camera)
    else:
        still = photograph.kept(
            (camera, tuple(stayed), measured),
            lambda: _Still(_emptied(photograph, camera, stayed, measured)),
        )
        canvas = still.behind(behind, photograph, camera).copy()
    for number, part in enumerate(parts):
        if number >= len(behind):
            _draw(canvas, photograph, part, camera)
        # What else stands there is before these shadows.
        for other in fallen.get(id(part.item), ()):
            _shade(canvas, photograph, other, camera)
            yield_point()
    return canvas


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
    carrier : SceneObject or None
        What it stands on if it stood on that: its shadow there has that one's colours.
    """

    item: SceneObject
    carried: frozenset[int]
    stays: bool
    rides: bool
    carrier: SceneObject | None

    @property
    def falls_on(self) -> SceneObject | None:
        """The object that its new shadow falls on; None if that is the ground, or there is none."""
        return None if self.stays or self.rides else self.carrier


class _Still:
    """What a drag leaves as it is.

    Parameters
    ----------
    emptied : _Canvas
        The photograph without what is not where it was.
    """

    def __init__(self, emptied: _Canvas) -> None:
        self._emptied = emptied
        self._last: tuple[Hashable, _Canvas] | None = None

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._emptied.nbytes + (0 if self._last is None else self._last[1].nbytes)

    def behind(self, parts: list[_Part], photograph: Photograph, camera: Camera) -> _Canvas:
        """With what stays behind all that moved: other parts when that passes one of them."""
        key = tuple((part.item.appearance, part.carried) for part in parts)
        if self._last is None or self._last[0] != key:
            canvas = self._emptied.copy()
            for part in parts:
                _draw(canvas, photograph, part, camera)
            self._last = key, canvas
        return self._last[1]


def _draw(canvas: _Canvas, photograph: Photograph, part: _Part, camera: Camera) -> None:
    yield_point()
    item = part.item
    if part.stays and _as_it_was(canvas, photograph, item.appearance):
        return
    piece = photograph.piece(item.appearance, part.carried)
    yield_point()
    if piece.cutout is None:
        return
    if part.stays:
        _keep(canvas, piece.cutout)
        return
    if not part.rides and part.carrier is None:
        _shade(canvas, photograph, part, camera)
        yield_point()
    _move(canvas, piece.cutout, item, camera)


def _emptied(
    photograph: Photograph, camera: Camera, stayed: list[Appearance], measured: bool
) -> _Canvas:
    """The photograph without what is not where it was, and without its shadow."""
    view, shape = photograph.view, (camera.height, camera.width)
    known = None
    if measured:
        known = _Known(*(np.zeros(shape, dtype=np.uint8) for _ in range(4)))
    left = [one for one in photograph.occluders if one not in stayed]
    if camera != view.camera:
        plate, unknown = seen_from(
            photograph.emptied, photograph.holes(left), view.camera, camera
        )
        outside = unknown > 254
        picture = fill_holes(plate, outside, outside)
        if known is not None:
            known.hole[:] = unknown
        return _Canvas(picture, np.full(shape, 255, np.uint8), known)
    pixels = view.picture.pixels
    canvas = _Canvas(pixels.copy(), np.zeros(shape, dtype=np.uint8), known)
    lift, freed = photograph.lift(left), photograph.relit(left)
    if lift.any():
        rect = touched(lift.max(axis=-1) > 0, shape)
        canvas.picture[rect.slices] = relit_part(pixels, lift, rect)
        freed |= lift.max(axis=-1) > FAINT
    if freed.any():
        rect = touched(freed, shape)
        for strip in strips(rect):
            part = enlarged(freed.astype(np.float32), strip, shape)
            canvas.changed[strip.slices] = np.where(part > 0, np.uint8(255), np.uint8(0))
    share = photograph.holes(left)
    if share.any():
        _uncover(canvas, photograph, share, photograph.lift(stayed))
    return canvas


def _uncover(canvas: _Canvas, photograph: Photograph, share: F32, dark: F32) -> None:
    """Show what is behind objects, where their `share` (h, w) of a small picture is not 0.

    `dark` (h, w, 3) are the shadows of what stayed: they lie on that, too.
    """
    plate = photograph.plate
    assert plate is not None
    shape, shaded = canvas.changed.shape, dark.any()
    for strip in strips(touched(share > 0, shape)):
        at = strip.slices
        hole = np.round(255 * enlarged(share, strip, shape)).astype(np.uint8)
        behind = plate.pixels[
            strip.top - plate.rect.top : strip.bottom - plate.rect.top,
            strip.left - plate.rect.left : strip.right - plate.rect.left,
        ]
        if shaded:
            behind = relit(behind, -enlarged(dark, strip, shape))
        _blend(canvas.picture[at], behind, hole)
        canvas.changed[at] |= np.where(hole > 0, np.uint8(255), np.uint8(0))
        if canvas.known is not None:
            canvas.known.hole[at] = hole


def _as_it_was(canvas: _Canvas, photograph: Photograph, appearance: Appearance) -> bool:
    """Whether what stands where it stood has nothing that changed near it; then it is kept."""
    mask = photograph.mask(appearance)
    at = photograph.extent(appearance).slices
    if canvas.changed[at].any():
        return False
    known, alpha = canvas.known, mask[at]
    if known is not None:
        np.maximum(known.coverage[at], alpha, out=known.coverage[at])
        np.maximum(known.confidence[at], alpha, out=known.confidence[at])
    return True


def _keep(canvas: _Canvas, cutout: Cutout) -> None:
    """What stands where it stood: seen before what changed behind it, and completed."""
    at, alpha, known = cutout.rect.slices, cutout.alpha, canvas.known
    if known is not None:
        sure = np.where(cutout.seen, np.uint8(255), np.uint8(255 * MIRRORED))
        np.maximum(known.coverage[at], alpha, out=known.coverage[at])
        _blend(known.confidence[at], sure, alpha)
    left, top, width, height = cv2.boundingRect(canvas.changed[at])
    part = slice(top, top + height), slice(left, left + width)
    touched = alpha[part] & canvas.changed[at][part]
    _blend(canvas.picture[at][part], cutout.colour[part], touched)


def _shade(canvas: _Canvas, photograph: Photograph, part: _Part, camera: Camera) -> None:
    """The shadow that something throws at a new place."""
    item, piece = part.item, photograph.piece(part.item.appearance, part.carried)
    if piece.cutout is None:
        return
    found = draw_shade(
        canvas.picture, camera, item.box, piece.shade, item.appearance,
        tinted=part.carrier is not None,
    )
    if found is None:
        return
    at, dark = found[0].slices, 255 - found[1]
    _mark(canvas, at, dark)
    if canvas.known is not None:
        np.maximum(canvas.known.came[at], dark, out=canvas.known.came[at])


def _move(canvas: _Canvas, cutout: Cutout, item: SceneObject, camera: Camera) -> None:
    """What was moved, turned, scaled, copied or brought here."""
    for drawn in warp(cutout, item.box, camera):
        yield_point()
        at, known = drawn.rect.slices, canvas.known
        _blend(canvas.picture[at], drawn.colour, drawn.alpha)
        _mark(canvas, at, drawn.alpha)
        if known is not None:
            _blend(known.confidence[at], drawn.trust, drawn.alpha)
            np.maximum(known.coverage[at], drawn.alpha, out=known.coverage[at])


def _mark(canvas: _Canvas, at: tuple[slice, slice], touched: U8) -> None:
    """Remember that a part of the picture changed where `touched` (h, w) is not 0."""
    changed = canvas.changed[at]
    np.maximum(changed, cv2.threshold(touched, 0, 255, cv2.THRESH_BINARY)[1], out=changed)


def _blend(picture: U8, colour: U8, alpha: U8) -> None:
    """Colours over a picture, in place; `alpha` (h, w)."""
    if picture.size == 0:
        return
    height, width = alpha.shape
    for strip in strips(PixelRect(0, 0, width, height)):
        rows = strip.slices[0]
        share = alpha[rows] * np.float32(1 / 255)
        picture[rows] = cv2.blendLinear(
            np.ascontiguousarray(colour[rows]), np.ascontiguousarray(picture[rows]),
            share, 1 - share,
        )
