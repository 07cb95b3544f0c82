"""The proxy on a photograph, without any weights, at the photograph's own quality.

What does not depend on where things stand now is prepared once for a photograph and kept: the
picture without its objects and their shadows, and every object cut out of it, completed where
others hide it. A drag then only draws.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.proxy.cutout import Cutout, cut_out
from neural_assets_core.proxy.filling import fill_texture
from neural_assets_core.proxy.ground import Shade, contact_shade, find_shadow, lift_shade
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.relief import ROUND
from neural_assets_core.proxy.sampling import appearance_mask, grown
from neural_assets_core.scene import Appearance, Background, Scene, SceneObject

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

WORKING_SIDE = 480
"""Pixels a side on which shadows and holes are found."""

KEPT_BYTES = 192 * 2**20

MOST_RIDERS = 4
"""Of an object that is prepared for each of them being moved."""

GROUND = -1
"""What stands on no object."""


class Sized(Protocol):
    """Something that knows how much memory it takes, which may grow."""

    @property
    def nbytes(self) -> int: ...


S = TypeVar("S", bound=Sized)


class Shelf:
    """Prepared things by what they were made from; those not used for longest go first.

    Parameters
    ----------
    limit : int
        Bytes kept, at most, but always the one used last.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self._lock = threading.RLock()
        self._kept: OrderedDict[Hashable, Sized] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(one.nbytes for one in self._kept.values())

    def get(self, key: Hashable, make: Callable[[], S]) -> S:
        """The thing kept under `key`, or the one that `make` makes now; from any thread."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = make()
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.nbytes > self.limit:
                self._kept.popitem(last=False)
            return kept  # type: ignore[return-value]


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


class Photograph:
    """A photograph taken apart, each part on demand.

    Parameters
    ----------
    background : Background
        The view, and the objects in it.
    """

    def __init__(self, background: Background) -> None:
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
        own = 0 if "plate" not in self.__dict__ else self.plate.nbytes
        small = self._small.nbytes + len(self.occluders) * 4 * self._small.nbytes // 3
        last = self._last
        drawn = 0 if last is None else last[1].nbytes
        return own + small + drawn + sum(piece.nbytes for piece in list(self._pieces.values()))

    def kept(self, key: Hashable, make: Callable[[], S]) -> S:
        """What was drawn last, if it was under the same key; else what `make` draws now."""
        last = self._last
        if last is None or last[0] != key:
            last = self._last = key, make()
        return last[1]  # type: ignore[return-value]

    def mask(self, appearance: Appearance) -> U8:
        """(height, width) where an object of this view is seen; 255 inside."""
        return self._full_masks[self.occluders.index(appearance)]

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
        """(h, w) of a small picture: 1 where these objects and their shadows were, soft edges."""
        total = np.zeros(self._size[::-1], dtype=bool)
        for index, occluder in enumerate(self.occluders):
            if occluder in gone:
                total |= self._extents[index]
        return np.asarray(cv2.GaussianBlur(total.astype(np.float32), (0, 0), 1.0))

    @cached_property
    def plate(self) -> U8:
        """(height, width, 3) the view without its objects and their shadows."""
        hole = np.zeros(self._size[::-1], dtype=bool)
        for extent in self._extents:
            hole |= extent
        # As wide as `holes` reach with their soft edges.
        hole = grown(hole, 3.0)
        pixels = self.view.picture.pixels
        full = cv2.resize(
            hole.astype(np.float32), pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR
        )
        gap = np.asarray(full) > 0.01
        return fill_texture(pixels, gap, ~gap)

    def piece(self, appearance: Appearance, riders: frozenset[int] = frozenset()) -> Piece:
        """An object of this view, or of any other.

        Parameters
        ----------
        appearance : Appearance
        riders : frozenset of int
            Indices of `occluders` whose shadows on the object stay where they are.
        """
        if appearance not in self.occluders:
            return _SHELF.get(
                _key(appearance), lambda: Piece(cut_out(appearance), contact_shade())
            )
        key = appearance, riders
        # Two threads that want the same wait for one of them.
        with self._making:
            if key not in self._pieces:
                self._pieces[key] = self._own(self.occluders.index(appearance), riders)
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

    # -- what stands where -----------------------------------------------------------------------

    @cached_property
    def _order(self) -> list[int]:
        return back_to_front(self.view.camera, [one.box for one in self.occluders])

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
            base = occluder.box.base_center()
            below = [
                other
                for other, one in enumerate(self.occluders)
                if other != index
                and np.all(np.abs(one.box.to_local(base)) < [1, 1, 1.3])
                and one.box.center[2] < occluder.box.center[2]
            ]
            out.append(below[0] if below else GROUND)
        return out

    @cached_property
    def _shadows(self) -> list[Mask]:
        out = []
        for index, mask in enumerate(self._masks):
            support = self._labels == self.supports[index]
            # Pixels at the edge are of both.
            support = cv2.erode(support.astype(np.uint8), np.ones((3, 3)), borderValue=1) > 0
            out.append(find_shadow(self._small, grown(mask, 1.0), support & ~grown(mask, 2.0)))
        return out

    @cached_property
    def _extents(self) -> list[Mask]:
        """Where each object and its shadow are seen, with a margin."""
        return [
            grown(mask | shadow, 2.0)
            for mask, shadow in zip(self._masks, self._shadows, strict=True)
        ]

    # -- objects ---------------------------------------------------------------------------------

    def _own(self, index: int, riders: frozenset[int]) -> Piece:
        after = self._order[self._order.index(index) + 1 :]
        nearer = [self._full_masks[other] for other in after if self._overlap(index, other)]
        shaded = np.zeros(self._size[::-1], dtype=bool)
        for other, support in enumerate(self.supports):
            if support == index and other not in riders:
                shaded |= self._shadows[other]
        size = self.view.picture.pixels.shape[1::-1]
        large = cv2.resize(shaded.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        cutout = cut_out(self.occluders[index], nearer, np.asarray(large) > 0)
        # Its own shadow does not depend on what stands on it.
        shade = self.piece(self.occluders[index]).shade if riders else self._shade(index, cutout)
        return Piece(cutout, shade)

    def _overlap(self, one: int, other: int) -> bool:
        touching = grown(self._masks[other], 2.0) & grown(self._masks[one], 2.0)
        return bool(touching.any())

    def _shade(self, index: int, cutout: Cutout | None) -> Shade:
        appearance, support = self.occluders[index], self.supports[index]
        if support == GROUND:
            lit = self._shrunk(self.plate)
        else:
            lit = self._small.copy()
            below = self.piece(self.occluders[support]).cutout
            if below is not None:
                whole = self.view.picture.pixels.copy()
                whole[below.rect.slices] = below.colour
                lit = self._shrunk(whole)
        turns = cutout is not None and cutout.shape.kind != ROUND
        mask, shadow = self._masks[index], self._shadows[index]
        found = lift_shade(appearance, lit, mask, shadow, self._small, turns)
        return contact_shade() if found is None else found

    def _shrunk(self, image: U8) -> U8:
        if image.shape[1::-1] == self._size:
            return image
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)
