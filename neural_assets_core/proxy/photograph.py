"""The proxy on a photograph, without any weights, at the photograph's own quality.

What does not depend on where things stand now is prepared once for a photograph and kept: the
picture without its objects and their shadows, and every object cut out of it, completed where
others hide it. A drag then only draws.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.geometry.standing import stands_on
from neural_assets_core.proxy.cutout import (
    MISSED,
    MOST_LIFTED,
    Cutout,
    Solid,
    cut_out,
    extent,
    in_shadow,
    solid_of,
    with_rim,
)
from neural_assets_core.proxy.filling import find_filling
from neural_assets_core.proxy.ground import Shade, contact_shade, find_shadow, lift_shade
from neural_assets_core.proxy.objects import CARVER
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.relief import ROUND
from neural_assets_core.proxy.relighting import (
    FAINT,
    Lift,
    left_over,
    lifts_of,
    relit,
    relit_part,
    unreadable,
)
from neural_assets_core.proxy.sampling import appearance_mask, enlarged, grown, touched
from neural_assets_core.proxy.shadows import cast_shadows, find_light
from neural_assets_core.proxy.shelf import S, Shelf, Sized
from neural_assets_core.scene import Appearance, Background, Scene, SceneObject
from neural_assets_core.yielding import yield_point

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

WORKING_SIDE = 480
"""Pixels a side on which shadows and holes are found."""

MOST_RIDERS = 4
"""Of an object that is prepared for each of them being moved."""

MARGIN = 4.0
"""Pixels of a working picture around an object that are filled with it: masks are not exact."""

GROUND = -1
"""What stands on no object."""


_SHELF = Shelf()


def photograph_of(background: Background) -> Photograph:
    """What is prepared of a background's view."""
    key = (background.view.picture.sha256, background.view.camera) + tuple(
        _key(one) for one in background.occluders
    )
    return _SHELF.get(key, lambda: Photograph(background))


def prepare_photograph(background: Background, cancel: threading.Event | None = None) -> None:
    """Make all that drawing a first edit will need, and keep it; from any thread.

    Parameters
    ----------
    background : Background
    cancel : threading.Event, optional
        Looked at between any two parts.
    """
    photograph_of(background).prepare(cancel)


def _key(appearance: Appearance) -> Hashable:
    view, mask, shape = appearance.view, appearance.mask, appearance.relief
    looks = mask and mask.sha256, shape and shape.sha256
    return view.picture.sha256, view.camera, appearance.box, *looks


class Piece:
    """An object ready to be drawn elsewhere.

    Attributes
    ----------
    cutout : Cutout or None
        None if its source view does not show it.
    shade : Shade
    """

    def __init__(self, cutout: Cutout | None, shade: Shade) -> None:
        self.cutout, self.shade = cutout, shade

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.shade.ratio.nbytes + (0 if self.cutout is None else self.cutout.nbytes)


def _brought(appearance: Appearance) -> Piece:
    """An object of another view."""
    solid = solid_of(appearance)
    return Piece(None if solid is None else cut_out(appearance, solid), contact_shade())


@dataclass(frozen=True, eq=False)
class Plate:
    """A part of a view.

    Attributes
    ----------
    rect : PixelRect
    pixels : uint8 (h, w, 3)
    """

    rect: PixelRect
    pixels: U8


class Photograph:
    """A photograph taken apart, each part on demand.

    Parameters
    ----------
    background : Background
        The view, and the objects in it.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self.view, self.occluders = background.view, background.occluders
        self._pieces: dict[tuple[Appearance, frozenset[int]], Piece] = {}
        height, width = self.view.picture.pixels.shape[:2]
        scale = min(1.0, WORKING_SIDE / max(height, width))
        self._size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._small = self._shrunk(self.view.picture.pixels)
        self._making = threading.RLock()
        self._last: tuple[Hashable, Sized] | None = None

    @property
    def nbytes(self) -> int:
        """Memory taken, without the photograph itself."""
        made = self.__dict__
        own = made["plate"].pixels.nbytes if made.get("plate") is not None else 0
        own += made["emptied"].nbytes if "emptied" in made else 0
        # Besides the small picture, some masks of each object.
        small = self._small.nbytes + 5 * self._size[0] * self._size[1] * len(self.occluders)
        small += sum(lift.values.nbytes for lift in made.get("_lifts", ()))
        last = self._last
        drawn = 0 if last is None else last[1].nbytes
        pieces = sum(piece.nbytes for piece in list(self._pieces.values()))
        return int(own + small + drawn + pieces)

    def kept(self, key: Hashable, make: Callable[[], S]) -> S:
        """What was drawn last, if it was under the same key; else what `make` draws now."""
        last = self._last
        if last is None or last[0] != key:
            last = self._last = key, make()
        return last[1]  # type: ignore[return-value]

    def mask(self, appearance: Appearance) -> U8:
        """(height, width) where an object of this view is seen; 255 inside."""
        return self._full_masks[self._index[appearance]]

    def extent(self, appearance: Appearance) -> PixelRect:
        """The part of the photograph that an object of this view takes."""
        return self._extents_of_masks[self._index[appearance]]

    def prepare(self, cancel: threading.Event | None = None) -> None:
        """See `prepare_photograph`: for edits of one object, or of all."""
        wanted = [(one, frozenset[int]()) for one in self.occluders]
        for index, one in enumerate(self.occluders):
            riders = frozenset(other for other, on in enumerate(self.supports) if on == index)
            left = [riders - {moved} for moved in riders] if len(riders) <= MOST_RIDERS else []
            wanted += [(one, kept) for kept in (*left, riders) if kept]
        _ = self.plate
        for one, kept in wanted:
            if cancel is not None and cancel.is_set():
                return
            self.piece(one, kept)

    def holes(self, gone: list[Appearance]) -> F32:
        """(h, w) of a small picture: 1 where these objects hid the ground, soft edges."""
        total = np.zeros(self._size[::-1], dtype=bool)
        for index, occluder in enumerate(self.occluders):
            if occluder in gone:
                total |= self._extents[index]
        soft = np.asarray(cv2.GaussianBlur(total.astype(np.float32), (0, 0), 1.0))
        return np.where(soft < 1 / 255, np.float32(0), soft)

    def lift(self, chosen: list[Appearance]) -> F32:
        """(h, w, 3) of a small picture: logarithm of the light that these take from the ground."""
        return self._sum(
            index
            for index, occluder in enumerate(self.occluders)
            if occluder in chosen and self.supports[index] == GROUND
        )

    def relit(self, gone: list[Appearance]) -> Mask:
        """(h, w) of a small picture: where these threw shadows on other objects."""
        total = np.zeros(self._size[::-1], dtype=bool)
        for index, occluder in enumerate(self.occluders):
            if occluder in gone and self.supports[index] != GROUND:
                lift = self._lifts[index]
                total[lift.at] |= lift.values.max(axis=-1) > FAINT
        return total

    @cached_property
    def plate(self) -> Plate | None:
        """What is behind the objects, without their shadows; None if there are none."""
        hole = np.zeros(self._size[::-1], dtype=bool)
        for hidden in self._extents:
            hole |= hidden
        if not hole.any():
            return None
        # As wide as `holes` reach with their soft edges.
        hole = grown(hole, 3.0)
        lift = self.lift(list(self.occluders))
        # What was dark has less to give.
        usable = ~hole & (lift.max(axis=-1) < MOST_LIFTED)
        usable = usable if usable.sum() > 0.3 * hole.sum() else ~hole
        camera = self.view.camera.resized(*self._size)
        filling = find_filling(relit(self._small, lift), hole, ~hole, camera, usable).lifted(lift)
        pixels = self.view.picture.pixels
        rect = touched(hole, pixels.shape)
        return Plate(rect, filling.draw(pixels, rect))

    @cached_property
    def emptied(self) -> U8:
        """(height, width, 3) the view without its objects and their shadows."""
        pixels, everything = self.view.picture.pixels, list(self.occluders)
        if self.plate is None:
            return pixels
        lift = self.lift(everything)
        out = pixels.copy()
        if lift.any():
            rect = touched(lift.max(axis=-1) > 0, pixels.shape)
            out[rect.slices] = relit_part(pixels, lift, rect)
        gap = enlarged(self.holes(everything), self.plate.rect, pixels.shape)[..., None]
        part = out[self.plate.rect.slices]
        part[:] = np.round(gap * self.plate.pixels + (1 - gap) * part)
        return out

    def piece(self, appearance: Appearance, riders: frozenset[int] = frozenset()) -> Piece:
        """An object of this view, or of any other.

        Parameters
        ----------
        appearance : Appearance
        riders : frozenset of int
            Indices of `occluders` whose shadows on the object stay where they are.
        """
        if appearance not in self._index:
            return _SHELF.get(_key(appearance), lambda: _brought(appearance))
        key = appearance, riders
        # Two threads that want the same wait for one of them.
        with self._making:
            if key not in self._pieces:
                self._pieces[key] = self._own(self._index[appearance], riders)
            return self._pieces[key]

    def riders(self, scene: Scene) -> list[tuple[SceneObject, SceneObject, int]]:
        """What still stands on the same object at the same place: who, on whom, which occluder."""
        out = []
        for index, support in enumerate(self.supports):
            if support == GROUND:
                continue
            one, below = self.occluders[index], self.occluders[support]
            place = below.box.to_local(one.box.corners())
            for carrier in scene.objects:
                if carrier.appearance != below:
                    continue
                for item in scene.objects:
                    same = item.appearance == one and np.allclose(
                        carrier.box.to_local(item.box.corners()), place, atol=1e-6
                    )
                    if same:
                        out.append((item, carrier, index))
        return out

    def carrier(self, item: SceneObject, scene: Scene) -> SceneObject | None:
        """The object on which something stands, if it stands on that in the photograph, too."""
        index = self._index.get(item.appearance)
        if index is None or self.supports[index] == GROUND:
            return None
        below = self.occluders[self.supports[index]]
        carriers = [one for one in scene.objects if one.appearance == below]
        return next((one for one in carriers if stands_on(item.box, one.box)), None)

    # -- what stands where -----------------------------------------------------------------------

    @cached_property
    def _order(self) -> list[int]:
        return back_to_front(self.view.camera, [one.box for one in self.occluders])

    @cached_property
    def _index(self) -> dict[Appearance, int]:
        return {one: index for index, one in enumerate(self.occluders)}

    @cached_property
    def _extents_of_masks(self) -> list[PixelRect]:
        return [extent(mask) for mask in self._full_masks]

    @cached_property
    def _full_masks(self) -> list[U8]:
        return [appearance_mask(one) for one in self.occluders]

    @cached_property
    def _masks(self) -> list[Mask]:
        return [self._shrunk(mask) > 96 for mask in self._full_masks]

    @cached_property
    def _labels(self) -> NDArray[np.int16]:
        """(h, w) which object is seen where, or `GROUND`."""
        labels = np.full(self._size[::-1], GROUND, dtype=np.int16)
        for index in self._order:
            labels[self._masks[index]] = index
        return labels

    @cached_property
    def supports(self) -> list[int]:
        """What each object stands on: an object whose box is below its own, or `GROUND`."""
        out = []
        for index, occluder in enumerate(self.occluders):
            below = [
                other
                for other, one in enumerate(self.occluders)
                if other != index and stands_on(occluder.box, one.box)
            ]
            # Of a cup's saucer and the tray under that, the saucer.
            height = [self.occluders[other].box.center[2] for other in below]
            out.append(below[int(np.argmax(height))] if below else GROUND)
        return out

    def _seen(self, support: int) -> Mask:
        """(h, w) where an object, or the ground, is seen and nothing else."""
        seen = (self._labels == support).astype(np.uint8)
        # Pixels at the edge are of both.
        return np.asarray(cv2.erode(seen, np.ones((3, 3)), borderValue=1) > 0)

    @cached_property
    def _shadows(self) -> list[Mask]:
        return [
            find_shadow(
                self._small, grown(mask, 1.0), self._seen(on) & ~grown(mask, 2.0),
                ground=on == GROUND,
            )
            for mask, on in zip(self._masks, self.supports, strict=True)
        ]

    @cached_property
    def _lifts(self) -> list[Lift]:
        """What takes each object's shadow off that on which it stands."""
        out: dict[int, Lift] = {}
        for support in set(self.supports):
            standing = [index for index, on in enumerate(self.supports) if on == support]
            lifts = lifts_of(
                self._small,
                self._seen(support),
                [self._masks[index] for index in standing],
                [self._shadows[index] for index in standing],
                [self._expected(index) for index in standing],
            )
            out |= dict(zip(standing, lifts, strict=True))
        return [out[index] for index in range(len(self.occluders))]

    def _expected(self, index: int) -> F32 | None:
        """(h, w) where the light throws an object's shadow on the ground, if there is telling."""
        light = find_light(self._background, CARVER)
        if light is None or self.supports[index] != GROUND or len(self.occluders) == 1:
            return None
        one = self.occluders[index]
        camera = self.view.camera.resized(*self._size)
        return cast_shadows(camera, [(one.box, one)], light, CARVER)

    @cached_property
    def _deep(self) -> list[Mask]:
        """Where what lies in each object's shadow cannot be seen at all, or is the object's."""
        out = []
        for lift, mask, on in zip(self._lifts, self._masks, self.supports, strict=True):
            deep, at, seen = np.zeros(self._size[::-1], dtype=bool), lift.at, self._seen(on)
            deep[at] = unreadable(self._small[at], lift.values)
            deep[at] |= left_over(self._small[at], lift.values, mask[at], seen[at])
            out.append(deep & (self._labels == on))
        return out

    @cached_property
    def _extents(self) -> list[Mask]:
        """Where the ground is not seen for each object, with a margin."""
        out = []
        for index, (mask, deep, on) in enumerate(
            zip(self._masks, self._deep, self.supports, strict=True)
        ):
            hidden = with_rim(self._small, mask)
            solid = self._solids[index]
            if solid is not None and solid.shape.kind == ROUND:
                # What is round has no bites in it.
                hidden = hidden | (grown(mask, MISSED) & self._outline(solid))
            hidden = grown(hidden, MARGIN)
            # A deep shadow's edge is known no better than its middle.
            out.append(hidden | grown(deep, 4.0) if on == GROUND else hidden)
        return out

    def _outline(self, solid: Solid) -> Mask:
        """(h, w) where an object's solid would be seen if nothing stood before it."""
        height, width = self.view.picture.pixels.shape[:2]
        across, down = self._size[0] / width, self._size[1] / height
        rect, outline = solid.rect, solid.shape.outline
        onto_small = np.array([
            [(rect.right - rect.left) / outline.shape[1] * across, 0, rect.left * across],
            [0, (rect.bottom - rect.top) / outline.shape[0] * down, rect.top * down],
        ])
        small = cv2.warpAffine(outline.astype(np.float32), onto_small, self._size)
        return np.asarray(small) > 0.5

    # -- objects ---------------------------------------------------------------------------------

    def _own(self, index: int, riders: frozenset[int]) -> Piece:
        standing = [other for other, support in enumerate(self.supports) if support == index]
        if riders:
            # Its own shadow does not depend on what stands on it, nor does what is made up.
            bare = self.piece(self.occluders[index])
            if bare.cutout is None:
                return bare
            gone = self._sum([other for other in standing if other not in riders])
            return Piece(in_shadow(bare.cutout, gone, self._sum(riders)), bare.shade)
        solid = self._solids[index]
        if solid is None:
            return Piece(None, self._shade(index, None))
        deep = np.zeros(self._size[::-1], dtype=bool)
        for other in standing:
            deep |= self._deep[other]
        lift = self._sum(standing) if standing else None
        cutout = cut_out(self.occluders[index], solid, lift, deep)
        return Piece(cutout, self._shade(index, cutout))

    def _sum(self, chosen: Iterable[int]) -> F32:
        """(h, w, 3) the lifts of some objects together."""
        total = np.zeros((*self._size[::-1], 3), dtype=np.float32)
        for index in chosen:
            total[self._lifts[index].at] += self._lifts[index].values
        return total

    @cached_property
    def _solids(self) -> list[Solid | None]:
        """What each object is taken for."""
        out = []
        for index, one in enumerate(self.occluders):
            yield_point()
            after = self._order[self._order.index(index) + 1 :]
            nearer = [self._full_masks[other] for other in after if self._overlap(index, other)]
            out.append(solid_of(one, nearer))
        return out

    def _overlap(self, one: int, other: int) -> bool:
        return bool((self._nearly[one] & self._nearly[other]).any())

    @cached_property
    def _nearly(self) -> list[Mask]:
        """Where each object, or what touches it, is seen."""
        return [grown(mask, 2.0) for mask in self._masks]

    def _shade(self, index: int, cutout: Cutout | None) -> Shade:
        turns = cutout is not None and cutout.shape.kind != ROUND
        found = lift_shade(
            self.occluders[index], self._sum([index]), self._masks[index],
            self._seen(self.supports[index]), turns, ground=self.supports[index] == GROUND,
        )
        return contact_shade() if found is None else found

    def _shrunk(self, image: U8) -> U8:
        if image.shape[1::-1] == self._size:
            return image
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)
