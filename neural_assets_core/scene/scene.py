"""The scene: one frozen value that says everything a picture is generated from.

An edit makes a new `Scene`. The same value is the undo step, the request that a decoder
answers, the history entry, the metadata of an exported picture and the content of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Finite
from neural_assets_core.scene.motion import Animation
from neural_assets_core.scene.picture import Picture, check_size
from neural_assets_core.scene.wireframe import Wireframe

MAXIMUM_OBJECTS = 64
MAXIMUM_NAME = 200
MAXIMUM_PROMPT = 1000

USUAL: dict[str, dict[str, Any]] = {
    "neural": {"steps": 1, "guidance": 1.0, "strength": 1.0},
    "inpainting": {"steps": 30, "guidance": 7.5, "strength": 0.8},
}
"""Settings that suit a decoder, until somebody chooses others."""


class _Value(BaseModel):
    # Unknown fields survive a round trip: a newer minor version may have written them.
    model_config = ConfigDict(frozen=True, extra="allow")


class View(_Value):
    """A picture and the calibrated camera that took it."""

    picture: Picture
    camera: Camera

    @model_validator(mode="after")
    def _sizes_agree(self) -> View:
        if self.picture.pixels.ndim != 3:
            raise ValueError("a view needs a colour picture")
        size = (self.picture.width, self.picture.height)
        if size != (self.camera.width, self.camera.height):
            raise ValueError(f"the camera is for another picture size than {size}")
        return self


class Appearance(_Value):
    """Where an object's looks come from: a view, and the object's place in it.

    Attributes
    ----------
    view : View
        The source picture.
    box : Box
        The object's box in the source view's world.
    mask : Picture or None
        The object's visible pixels in the source picture (255 inside), same size. None: the
        whole silhouette of the box counts as object.
    relief : Picture or None
        How deep in its box the object's front is in the source picture, same size: from 1 at the
        depth of the box's nearest corner to 255 at that of its farthest; 0 where nothing is
        known. None: the shape is guessed.
    """

    view: View
    box: Box
    mask: Picture | None = None
    relief: Picture | None = None

    @model_validator(mode="after")
    def _mask_fits(self) -> Appearance:
        shape = self.view.picture.pixels.shape[:2]
        for what, map_ in (("mask", self.mask), ("relief", self.relief)):
            if map_ is not None and map_.pixels.shape != shape:
                raise ValueError(
                    f"an object's {what} must have the size of its picture, one channel"
                )
        return self


class SceneObject(_Value):
    """One neural asset placed in the scene: whose looks, and where now.

    Attributes
    ----------
    name, category : str
    box : Box
    appearance : Appearance
    wireframe : Wireframe or None
        Of a stand-in: the mesh that the object was made of, whose looks are those of plain clay.
        No picture depends on it.
    """

    name: str = Field(min_length=1, max_length=MAXIMUM_NAME)
    category: str = Field(default="", max_length=MAXIMUM_NAME)
    box: Box
    appearance: Appearance
    wireframe: Wireframe | None = None

    @field_validator("wireframe", mode="before")
    @classmethod
    def _wireframe_is_found(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        # Only a help for the eye: without it, it is the same scene.
        return (info.context or {}).get("wireframes", {}).get(value)


class Background(_Value):
    """The remaining asset: everything in a view that is not one of its objects.

    Attributes
    ----------
    view : View
    occluders : tuple of Appearance
        The objects that hide parts of the background in that view, all of them in `view`.
    photograph : bool
        Whether the view was imported as a photograph: the default checkpoint knows made ones.
    """

    view: View
    occluders: tuple[Appearance, ...] = Field(default=(), max_length=MAXIMUM_OBJECTS)
    photograph: bool = False

    @model_validator(mode="after")
    def _occluders_are_in_the_view(self) -> Background:
        if any(occluder.view != self.view for occluder in self.occluders):
            raise ValueError("an occluder is from another view")
        return self


class GenerationSettings(_Value):
    """How a picture is made from the scene.

    Attributes
    ----------
    seed : int
        Same seed, same picture, on the same machine.
    steps : int
        Denoising steps.
    guidance : float
        Classifier-free guidance scale; 1 switches guidance off (half the time).
    decoder : {"neural", "proxy", "preview", "inpainting"}
        "preview" is what the neural decoder starts from: the proxy with the checkpoint's shapes.
        "inpainting" is the proxy whose holes, seams and guessed parts a Stable Diffusion
        inpainting checkpoint paints.
    checkpoint : str
        "default" (of the neural decoder alone), or a folder in diffusers layout.
    strength : float
        1 paints from noise alone; less starts from what the proxy drew, and takes that share of
        the steps. The proxy itself has none.
    prompt : str
        Of inpainting: words for what is to be seen; may be empty.
    keep_source : bool
        Keep the source's own pixels wherever the edit cannot be seen, and its texture where it is
        known. Without it the neural decoder's picture is taken as it is, all of it.
    """

    seed: int = Field(default=0, ge=0, lt=2**63)
    steps: int = Field(default=1, ge=1, le=1000)
    guidance: Finite = Field(default=1.0, ge=0, le=50)
    decoder: Literal["neural", "proxy", "preview", "inpainting"] = "neural"
    checkpoint: str = "default"
    strength: Finite = Field(default=1.0, gt=0, le=1)
    prompt: str = Field(default="", max_length=MAXIMUM_PROMPT)
    keep_source: bool = True


class Scene(_Value):
    """A picture's objects and background, and how they stand now.

    Attributes
    ----------
    camera : Camera
        The camera of the picture to be made; at first the source's own.
    objects : tuple of SceneObject
        Names are unique. An object that was removed is simply not here, and its place in the
        source picture is still known to `background.occluders`.
    background : Background
    settings : GenerationSettings
    animation : Animation
        Keyframes. The scene is how all stands at the animation's `time`, and the picture does
        not depend on the other moments.
    """

    camera: Camera
    objects: tuple[SceneObject, ...] = Field(default=(), max_length=MAXIMUM_OBJECTS)
    background: Background
    settings: GenerationSettings = GenerationSettings()
    animation: Animation = Animation()

    @field_validator("camera")
    @classmethod
    def _size_is_possible(cls, camera: Camera) -> Camera:
        try:
            check_size(camera.width, camera.height, "the scene's picture")
        except UserError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        return camera

    @field_validator("objects")
    @classmethod
    def _names_are_unique(cls, objects: tuple[SceneObject, ...]) -> tuple[SceneObject, ...]:
        names = [item.name for item in objects]
        if len(set(names)) != len(names):
            raise ValueError("two objects have the same name")
        return objects

    # -- reading ---------------------------------------------------------------------------

    def object(self, name: str) -> SceneObject:
        """The object called `name`.

        Raises
        ------
        UserError
            If there is none; the message lists the names there are.
        """
        for item in self.objects:
            if item.name == name:
                return item
        known = ", ".join(item.name for item in self.objects) or "none"
        raise UserError(f"There is no object called {name!r} in this scene (it has: {known}).")

    def index(self, name: str) -> int:
        """Position of the object called `name` in `objects`."""
        item = self.object(name)
        # By identity: comparing objects costs a drag of many at once a good part of its time.
        return next(at for at, other in enumerate(self.objects) if other is item)

    # -- edits, each a new scene -------------------------------------------------------------

    def with_box(self, name: str, box: Box) -> Scene:
        """The object's pose and size changed."""
        return self._map(name, lambda item: (item.model_copy(update={"box": box}),))

    def renamed(self, name: str, new_name: str) -> Scene:
        """The object called differently; a name already taken gets a number."""
        if new_name == name:
            return self
        free = self.free_name(new_name)
        renamed = self._map(name, lambda item: (_updated(item, {"name": free}),))
        return renamed._updated(animation=self.animation.renamed(name, free))

    def without(self, name: str) -> Scene:
        """The object removed with its keyframes; its old place will be filled with background."""
        rest = self._map(name, lambda item: ())
        return rest._updated(animation=self.animation.without_object(name))

    def with_object(self, item: SceneObject) -> Scene:
        """One more object, renamed if its name is taken."""
        fresh = _updated(item, {"name": self.free_name(item.name)})
        return self._updated(objects=(*self.objects, fresh))

    def duplicated(self, name: str, box: Box | None = None) -> Scene:
        """A copy of the object, placed at `box` (or exactly on the original), put last."""
        item = self.object(name)
        return self.with_object(item.model_copy(update={"box": box or item.box}))

    def with_appearance(self, name: str, appearance: Appearance) -> Scene:
        """The object replaced by another one's looks, its pose kept; no longer a stand-in."""
        fields = {"appearance": appearance, "wireframe": None}
        return self._map(name, lambda item: (item.model_copy(update=fields),))

    def with_background(self, background: Background) -> Scene:
        return self._updated(background=background)

    def with_camera(self, camera: Camera) -> Scene:
        return self._updated(camera=camera)

    def with_animation(self, animation: Animation) -> Scene:
        return self._updated(animation=animation)

    def with_settings(self, **changes: Any) -> Scene:
        """Some generation settings changed, by name; validated.

        Raises
        ------
        pydantic.ValidationError
            If a value is out of range.
        TypeError
            If there is no such setting.
        """
        # Files of later versions may have more; who types a name has mistyped it.
        for name in changes.keys() - GenerationSettings.model_fields.keys():
            raise TypeError(
                f"no setting is called {name!r}: {', '.join(GenerationSettings.model_fields)}"
            )
        settings = GenerationSettings.model_validate({**self.settings.model_dump(), **changes})
        return self._updated(settings=settings)

    def with_decoder(self, decoder: str, **changes: Any) -> Scene:
        """Drawn by another decoder; settings that were left as usual become what it is used to.

        Parameters
        ----------
        decoder : str
        changes : other settings, by name

        Raises
        ------
        pydantic.ValidationError
            If there is no such decoder or a value is out of range.
        """
        before = self.settings
        if decoder != before.decoder:
            old, new = (USUAL.get(name, USUAL["neural"]) for name in (before.decoder, decoder))
            left = {name: new[name] for name in old if getattr(before, name) == old[name]}
            if "inpainting" in (before.decoder, decoder):
                # No checkpoint serves both kinds.
                left["checkpoint"] = "default"
            changes = {**left, "decoder": decoder, **changes}
        return self.with_settings(**changes)

    def with_extra(self, name: str, value: Any) -> Scene:
        """A field that is no part of the scene itself carried along in its file; None drops it.

        Parameters
        ----------
        name : str
            Not one of the scene's own fields.
        value : JSON value or None

        Raises
        ------
        ValueError
            If the scene has a field of its own called `name`.
        """
        if name in type(self).model_fields:
            raise ValueError(f"{name} is one of the scene's own fields")
        present = self.model_extra or {}
        if value is None and name not in present:
            return self
        extra = {key: kept for key, kept in present.items() if key != name}
        if value is not None:
            extra[name] = value
        own = {key: getattr(self, key) for key in type(self).model_fields}
        return type(self).model_construct(self.model_fields_set, **own, **extra)

    def free_name(self, wanted: str) -> str:
        """`wanted`, or `wanted 2`, `wanted 3` ... if that is taken; cut if it gets too long."""
        taken = {item.name for item in self.objects}
        if wanted not in taken:
            return wanted
        stem, _, last = wanted.rpartition(" ")
        stem = stem if stem and last.isdigit() else wanted
        for number in count(2):
            end = f" {number}"
            name = stem[: MAXIMUM_NAME - len(end)] + end
            if name not in taken:
                break
        return name

    def _map(self, name: str, change: Callable[[SceneObject], tuple[SceneObject, ...]]) -> Scene:
        at = self.index(name)
        changed = change(self.objects[at])
        return self._updated(objects=self.objects[:at] + changed + self.objects[at + 1 :])

    def _updated(self, **fields: Any) -> Scene:
        # model_copy keeps the parts that did not change identical (and does not validate them
        # again at every pointer move); limits on the whole are checked here.
        scene = self.model_copy(update=fields)
        if len(scene.objects) > MAXIMUM_OBJECTS:
            raise UserError(f"A scene holds at most {MAXIMUM_OBJECTS} objects: remove one first.")
        return scene


def _updated(item: SceneObject, fields: dict[str, Any]) -> SceneObject:
    # Pictures and boxes are values already: only the changed fields need validation.
    return SceneObject.model_validate({**dict(item), **fields})


def scene_from_view(view: View, objects: tuple[SceneObject, ...]) -> Scene:
    """A scene in which nothing has been edited yet: every object stands where it was seen.

    Parameters
    ----------
    view : View
        The source picture and its camera.
    objects : tuple of SceneObject
        What stands in it, each with its appearance taken from `view`.
    """
    occluders = tuple(item.appearance for item in objects)
    return Scene(
        camera=view.camera,
        objects=objects,
        background=Background(view=view, occluders=occluders),
    )
