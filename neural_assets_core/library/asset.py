"""The asset: an object's or a background's looks, kept apart from the scene it was seen in."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from safetensors import SafetensorError
from safetensors.numpy import load

from neural_assets_core.errors import UserError
from neural_assets_core.geometry.raycast import bounding_rect
from neural_assets_core.model.conditioning import GREY, region
from neural_assets_core.scene import Appearance, Background, Picture, Scene, View, Wireframe
from neural_assets_core.scene.scene import MAXIMUM_NAME

LARGEST_OBJECT = 1024
"""Pixels a side of an object's kept crop, at most."""
LARGEST_BACKGROUND = 2048
ROOM = 2.0
"""Side of the crop in extents of the object: an encoder knows objects amid a picture."""
KEPT_MARGIN = 0.15
"""Pixels kept around the object, in its extents; what lies further out becomes grey."""
MAXIMUM_TAGS = 64
MAXIMUM_TAG = 60
MAXIMUM_LICENCE = 2000
MAXIMUM_TOKENS = 4096
MAXIMUM_TOKEN_WIDTH = 16_384
MAXIMUM_TOKEN_BYTES = 8 * 2**20
TOKENS = "tokens"
"""Name of the one tensor in `Asset.tokens`."""

Text = Annotated[str, StringConstraints(max_length=MAXIMUM_NAME)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=MAXIMUM_TAG, strip_whitespace=True)]


class _Value(BaseModel):
    # Unknown fields survive a round trip: a newer minor version may have written them.
    model_config = ConfigDict(frozen=True, extra="allow")


class Provenance(_Value):
    """Where an asset comes from.

    Attributes
    ----------
    scene : str
        Name of the scene it was taken from.
    image : str
        `Picture.sha256` of the whole source picture.
    licence : str
        The user's own note on what may be done with it.
    date : str
        Day on which it was taken, ISO 8601.
    """

    scene: Text = ""
    image: Text = ""
    licence: Annotated[str, StringConstraints(max_length=MAXIMUM_LICENCE)] = ""
    date: Text = ""


class Label(_Value):
    """What a list shows of an asset without reading its pictures.

    Attributes
    ----------
    category : str
        Kind of object, or empty.
    tags : tuple of str
        Unique, in the user's order.
    encoder : str
        Identity of the encoder that made `Asset.tokens`; empty if there are none.
    provenance : Provenance
    """

    category: Text = ""
    tags: tuple[Tag, ...] = Field(default=(), max_length=MAXIMUM_TAGS)
    encoder: Text = ""
    provenance: Provenance = Provenance()

    @field_validator("tags")
    @classmethod
    def _tags_are_unique(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tags))


class Asset(Label):
    """An object or a background that can be placed in any scene.

    Attributes
    ----------
    name : str
        The name of its file; no part of the file's content.
    appearance : Appearance or None
        An object: its crop of the source picture, that crop's camera, mask, and box: size and
        pose relative to the camera, from which it can be encoded again at any time.
    background : Background or None
        A background; an asset is exactly one of the two.
    tokens : bytes
        Safetensors with one finite tensor (k, c) called "tokens": what `encoder` makes of the
        crop. Empty until it was encoded.
    wireframe : Wireframe or None
        Of a mesh that has no other looks than clay; no part of the file's content.
    """

    name: str = Field(min_length=1, max_length=MAXIMUM_NAME, exclude=True)
    appearance: Appearance | None = None
    background: Background | None = None
    tokens: bytes = Field(default=b"", exclude=True, repr=False)
    wireframe: Wireframe | None = Field(default=None, exclude=True)

    @field_validator("tokens")
    @classmethod
    def _tokens_are_sound(cls, tokens: bytes) -> bytes:
        if tokens:
            _token_array(tokens)
        return tokens

    @model_validator(mode="after")
    def _is_one_thing(self) -> Asset:
        if (self.appearance is None) == (self.background is None):
            raise ValueError("an asset is either an object or a background")
        if bool(self.tokens) != bool(self.encoder) or (self.tokens and self.appearance is None):
            raise ValueError("tokens need an object and the name of their encoder")
        return self

    @property
    def kind(self) -> str:
        """"object" or "background"."""
        return "background" if self.appearance is None else "object"

    def token_array(self) -> NDArray[np.floating[Any]] | None:
        """(k, c) appearance tokens; None if the asset was never encoded."""
        return _token_array(self.tokens) if self.tokens else None

    def object_appearance(self) -> Appearance:
        """The object's looks.

        Raises
        ------
        UserError
            If it is a background.
        """
        if self.appearance is None:
            raise UserError(f"{self.name} is a background: choose an object for this.")
        return self.appearance

    def surroundings(self) -> Background:
        """The background.

        Raises
        ------
        UserError
            If it is an object.
        """
        if self.background is None:
            raise UserError(f"{self.name} is an object: choose a background for this.")
        return self.background

    def with_label(self, **changes: Any) -> Asset:
        """Other tags, category, name or provenance; validated.

        Raises
        ------
        pydantic.ValidationError
        """
        return Asset.model_validate({**dict(self), **changes})


def tagged(label: Label, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Label:
    """The label with more tags, put last, and without others.

    Raises
    ------
    UserError
        If there are too many, or one is empty or too long.
    """
    removed = {tag.strip() for tag in remove}
    kept = (tag for tag in label.tags if tag not in removed)
    return label.model_copy(update={"tags": checked_tags((*kept, *add))})


def checked_tags(words: Iterable[str]) -> tuple[str, ...]:
    """Words as tags: trimmed, each once.

    Raises
    ------
    UserError
        If there are too many, or one is empty or too long.
    """
    tags = tuple(dict.fromkeys(word.strip() for word in words))
    if len(tags) > MAXIMUM_TAGS or not all(0 < len(tag) <= MAXIMUM_TAG for tag in tags):
        raise UserError(
            f"An asset takes up to {MAXIMUM_TAGS} tags of 1 to {MAXIMUM_TAG} letters: "
            "use fewer or shorter ones."
        )
    return tags


def licensed(label: Label, licence: str) -> Label:
    """The label with another note on what may be done with the asset.

    Raises
    ------
    UserError
        If it is too long.
    """
    fields = {"licence": checked_licence(licence)}
    return label.model_copy(update={"provenance": label.provenance.model_copy(update=fields)})


def checked_licence(licence: str) -> str:
    """A licence note.

    Raises
    ------
    UserError
        If it is too long.
    """
    if len(licence) > MAXIMUM_LICENCE:
        raise UserError(
            f"A licence note takes up to {MAXIMUM_LICENCE} letters: name the licence or link to it."
        )
    return licence


def categorized(label: Label, category: str) -> Label:
    """The label with another kind of object.

    Raises
    ------
    UserError
        If its name is too long.
    """
    if len(category) > MAXIMUM_NAME:
        raise UserError(f"A category takes up to {MAXIMUM_NAME} letters: use a shorter word.")
    return label.model_copy(update={"category": category})


def object_asset(
    scene: Scene, name: str, *, source: str = "", licence: str = "", tags: tuple[str, ...] = ()
) -> Asset:
    """An object of a scene as an asset: a crop of its source picture, and its box there.

    Of the picture around the object nothing is kept: who shares an asset shares no more than
    the object.

    Parameters
    ----------
    scene : Scene
    name : str
        The object.
    source : str
        What the scene is called.
    licence : str
        A note on what may be done with the asset.

    Raises
    ------
    UserError
        If there is no such object, or nothing of it can be seen in its source picture.
    """
    item = scene.object(name)
    looks = item.appearance
    return Asset(
        name=name,
        category=item.category,
        tags=tags,
        provenance=_provenance(looks.view.picture, source, licence),
        appearance=cropped(looks, name),
    )


def background_asset(
    scene: Scene, name: str, *, source: str = "", licence: str = "", tags: tuple[str, ...] = ()
) -> Asset:
    """A scene's background as an asset called `name`: picture, camera, and what hides it."""
    view = scene.background.view
    return Asset(
        name=name,
        tags=tags,
        provenance=_provenance(view.picture, source, licence),
        background=_shrunk_background(scene.background),
    )


def cropped(appearance: Appearance, name: str = "the object") -> Appearance:
    """The same looks from a square crop of the source picture, grey away from the object.

    Raises
    ------
    UserError
        If nothing of the object can be seen.
    """
    view = appearance.view
    camera = view.camera
    seen = np.asarray(region(appearance)) * ([camera.width, camera.height] * 2)
    if not seen.any():
        raise UserError(f"Nothing of {name} can be seen in its picture: there is nothing to keep.")
    rect = bounding_rect(camera, appearance.box)
    low = np.minimum(seen[:2], [rect.left, rect.top])
    high = np.maximum(seen[2:], [rect.right, rect.bottom])
    extent = float((high - low).max())
    left, top, right, bottom = _window(low, high, ROOM * extent, camera.width, camera.height)
    at = (slice(top, bottom), slice(left, right))
    pixels = np.full((bottom - top, right - left, 3), GREY, dtype=np.uint8)
    margin = KEPT_MARGIN * extent
    x0, y0 = np.floor(np.maximum(low - margin - [left, top], 0)).astype(int)
    x1, y1 = np.ceil(np.maximum(high + margin - [left, top], 0)).astype(int)
    pixels[y0:y1, x0:x1] = view.picture.pixels[at][y0:y1, x0:x1]
    mask = None if appearance.mask is None else appearance.mask.pixels[at]
    relief = None if appearance.relief is None else np.zeros_like(pixels[..., 0])
    if relief is not None and appearance.relief is not None:
        relief[y0:y1, x0:x1] = appearance.relief.pixels[at][y0:y1, x0:x1]
    crop = View(
        picture=Picture(pixels), camera=camera.cropped(left, top, right - left, bottom - top)
    )
    small = _shrunk_view(crop, LARGEST_OBJECT)
    return Appearance(
        view=small,
        box=appearance.box,
        mask=_fitting(mask, small),
        relief=_fitting(relief, small, cv2.INTER_NEAREST),
    )


def _window(
    low: NDArray[Any], high: NDArray[Any], side: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a square around a rectangle, cut to the picture."""
    wanted = max(1, min(round(side), max(width, height)))
    edges = []
    for start, stop, length in zip(low, high, (width, height), strict=True):
        size = min(wanted, length)
        first = int(np.clip(round((start + stop - size) / 2), 0, length - size))
        edges.append((first, first + size))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _shrunk_background(background: Background) -> Background:
    view = _shrunk_view(background.view, LARGEST_BACKGROUND)
    return Background(
        view=view,
        occluders=tuple(
            Appearance(
                view=view,
                box=occluder.box,
                mask=_fitting(None if occluder.mask is None else occluder.mask.pixels, view),
            )
            for occluder in background.occluders
        ),
    )


def _shrunk_view(view: View, largest: int) -> View:
    camera = view.camera
    shrink = largest / max(camera.width, camera.height)
    if shrink >= 1.0:
        return view
    size = (max(1, round(camera.width * shrink)), max(1, round(camera.height * shrink)))
    pixels = cv2.resize(view.picture.pixels, size, interpolation=cv2.INTER_AREA)
    return View(picture=Picture(np.asarray(pixels)), camera=camera.resized(*size))


def _fitting(
    mask: NDArray[np.uint8] | None, view: View, how: int = cv2.INTER_AREA
) -> Picture | None:
    """The mask at the view's size; of a relief no two depths may be mixed."""
    if mask is None:
        return None
    size = (view.camera.width, view.camera.height)
    if mask.shape[::-1] != size:
        mask = np.asarray(cv2.resize(mask, size, interpolation=how), dtype=np.uint8)
    return Picture(mask)


def _provenance(picture: Picture, source: str, licence: str) -> Provenance:
    today = datetime.date.today().isoformat()
    return Provenance(
        scene=source[:MAXIMUM_NAME], image=picture.sha256, licence=licence, date=today
    )


def _token_array(data: bytes) -> NDArray[np.floating[Any]]:
    """The one tensor, once nothing about it is wrong."""
    if len(data) > MAXIMUM_TOKEN_BYTES:
        raise ValueError(f"its tokens take more than {MAXIMUM_TOKEN_BYTES >> 20} MiB")
    try:
        tensors = load(data)
    # KeyError: a number format that numpy does not know.
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"its tokens are no safetensors ({error})") from None
    if set(tensors) != {TOKENS}:
        raise ValueError(f"its tokens must be one tensor called {TOKENS}")
    array: NDArray[np.floating[Any]] = tensors[TOKENS]
    if array.dtype not in (np.float16, np.float32) or array.ndim != 2:
        raise ValueError(f"its tokens are {array.dtype} {array.shape} instead of floats (k, c)")
    count, width = array.shape
    if not (1 <= count <= MAXIMUM_TOKENS and 1 <= width <= MAXIMUM_TOKEN_WIDTH):
        raise ValueError(f"its tokens have the impossible shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("its tokens hold numbers that are not finite")
    return array
