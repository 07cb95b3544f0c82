"""Keyframes of objects and of the camera, kept in the scene and turned into frames."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.spatial.transform import Rotation, Slerp

from neural_assets_core.animation.paths import checked, frame_count
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Scene
from neural_assets_core.scene.validation import describe

FIELD = "animation"
"""Name of the scene file's field."""

MAXIMUM_KEYFRAMES = 1000

Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Easing = Literal["linear", "ease", "hold"]
"""How a keyframe leads to the next: evenly; slowly away and slowly in; not at all."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Keyframe(_Value):
    """Where an object stands, or the camera, at a moment.

    Attributes
    ----------
    time : float
        Seconds from the beginning.
    box : Box or None
        Of an object's track.
    camera : Camera or None
        Of the camera's track.
    easing : {"linear", "ease", "hold"}
        On the way to the next keyframe.
    """

    time: Seconds
    box: Box | None = None
    camera: Camera | None = None
    easing: Easing = "ease"

    @model_validator(mode="after")
    def _one_of_both(self) -> Keyframe:
        if (self.box is None) == (self.camera is None):
            raise ValueError("a keyframe has either a box or a camera")
        return self


class Track(_Value):
    """The keyframes of one object, or of the camera, in the order of their times.

    Attributes
    ----------
    object : str or None
        Name of the object; None is the camera.
    keyframes : tuple of Keyframe
    """

    object: str | None = None
    keyframes: tuple[Keyframe, ...] = Field(min_length=1, max_length=MAXIMUM_KEYFRAMES)

    @model_validator(mode="after")
    def _keyframes_fit(self) -> Track:
        times = [key.time for key in self.keyframes]
        if any(later <= sooner for sooner, later in pairwise(times)):
            raise ValueError("the keyframes of a track must have increasing times")
        if any((key.camera is None) == (self.object is None) for key in self.keyframes):
            raise ValueError("an object's keyframes have boxes, the camera's have cameras")
        return self


class Animation(_Value):
    """What moves in a scene, and when.

    Attributes
    ----------
    tracks : tuple of Track
        At most one of each object, and one of the camera.
    """

    tracks: tuple[Track, ...] = Field(default=(), max_length=65)

    @model_validator(mode="after")
    def _tracks_are_unique(self) -> Animation:
        moved = [track.object for track in self.tracks]
        if len(set(moved)) < len(moved):
            raise ValueError("two tracks move the same")
        return self

    @property
    def seconds(self) -> float:
        """Until the last keyframe."""
        return max((track.keyframes[-1].time for track in self.tracks), default=0.0)

    def with_keyframe(self, name: str | None, keyframe: Keyframe) -> Animation:
        """One more keyframe of an object, or of the camera (None); at its time it replaces."""
        kept = [track for track in self.tracks if track.object != name]
        old = next((track.keyframes for track in self.tracks if track.object == name), ())
        keys = sorted(
            (*(key for key in old if key.time != keyframe.time), keyframe),
            key=lambda key: key.time,
        )
        return Animation(tracks=(*kept, Track(object=name, keyframes=tuple(keys))))


# -- in the scene --------------------------------------------------------------------------------


def animation_of(scene: Scene) -> Animation | None:
    """The animation that a scene carries along, if it has one.

    Raises
    ------
    UserError
        If what the scene carries is none.
    """
    fields = (scene.model_extra or {}).get(FIELD)
    if fields is None:
        return None
    try:
        return Animation.model_validate(fields)
    except ValidationError as error:
        raise UserError(f"The scene's animation cannot be used: {describe(error)}.") from None


def with_animation(scene: Scene, animation: Animation | None) -> Scene:
    """The scene with an animation, kept in its file; None takes it away."""
    fields = None if animation is None else animation.model_dump(mode="json", exclude_none=True)
    return scene.with_extra(FIELD, fields)


def with_key_scene(scene: Scene, time: float, target: Scene, easing: Easing = "ease") -> Scene:
    """Keyframes at `time` for the camera and every object of both that `target` places.

    Parameters
    ----------
    scene : Scene
        What is animated.
    time : float
        Seconds.
    target : Scene
        How it stands then, `scene` after some edits say. Objects are found by their names.
    easing : {"linear", "ease", "hold"}
        On the way to the next keyframe.

    Raises
    ------
    UserError
        If the time is impossible, or the pictures are of different sizes.
    """
    if (target.camera.width, target.camera.height) != (scene.camera.width, scene.camera.height):
        raise UserError("The scenes of an animation need pictures of the same size.")
    animation = animation_of(scene) or Animation()
    places = {item.name: item.box for item in target.objects}
    try:
        for item in scene.objects:
            if item.name in places:
                key = Keyframe(time=time, box=places[item.name], easing=easing)
                animation = animation.with_keyframe(item.name, key)
        key = Keyframe(time=time, camera=target.camera, easing=easing)
        animation = animation.with_keyframe(None, key)
    except ValidationError as error:
        raise UserError(f"This keyframe is impossible: {describe(error)}.") from None
    return with_animation(scene, animation)


# -- frames --------------------------------------------------------------------------------------


def animation_frames(scene: Scene, fps: float = 25.0) -> list[Scene]:
    """One scene for each frame of a scene's animation, the first and the last keyframe's among.

    Raises
    ------
    UserError
        If there is no animation, it moves an object that is not there, or a frame cannot be
        drawn.
    """
    animation = animation_of(scene)
    if animation is None or not animation.tracks:
        raise UserError("This scene has no keyframes: give it some, with --key say.")
    still = with_animation(scene, None)
    count = frame_count(animation.seconds, fps) + 1 if animation.seconds else 1
    return checked([scene_at(still, animation, index / fps) for index in range(count)])


def scene_at(scene: Scene, animation: Animation, time: float) -> Scene:
    """The scene as it stands at a moment; before the first and after the last keyframe it rests.

    Parameters
    ----------
    scene : Scene
    animation : Animation
    time : float
        Seconds.
    """
    for track in animation.tracks:
        start, end, share = _between(track.keyframes, time)
        if start.camera is not None and end.camera is not None:
            scene = scene.with_camera(blended_camera(start.camera, end.camera, share))
        elif start.box is not None and end.box is not None:
            assert track.object is not None
            scene = scene.with_box(track.object, blended_box(start.box, end.box, share))
    return scene


def blended_box(start: Box, end: Box, share: float) -> Box:
    """On the way from one box to another: straight, turning the short way, sizes by ratio."""
    if share in (0.0, 1.0) or start == end:
        return end if share == 1.0 else start
    size = np.exp((1 - share) * np.log(start.size) + share * np.log(end.size))
    center = (1 - share) * np.asarray(start.center) + share * np.asarray(end.center)
    both = Rotation.from_quat([start.rotation, end.rotation], scalar_first=True)
    rotation = Slerp([0.0, 1.0], both)(share).as_quat(scalar_first=True)
    return start.with_center(center).with_size(size).with_rotation(rotation)


def blended_camera(start: Camera, end: Camera, share: float) -> Camera:
    """On the way from one camera to another: straight, turning the short way."""
    if share in (0.0, 1.0) or start == end:
        return end if share == 1.0 else start
    position = (1 - share) * start.position + share * end.position
    both = Rotation.from_matrix([start.extrinsics[:3, :3], end.extrinsics[:3, :3]])
    rotation = Slerp([0.0, 1.0], both)(share).as_matrix()
    pose: Float = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ position
    k = (1 - share) * start.k + share * end.k
    return Camera.from_matrices(start.width, start.height, k, pose)


def eased(share: float, easing: Easing) -> float:
    """How far between two keyframes when a share of the time has passed, both in [0, 1]."""
    if easing == "hold":
        return 0.0 if share < 1 else 1.0
    return share if easing == "linear" else share * share * (3 - 2 * share)


def _between(keyframes: Sequence[Keyframe], time: float) -> tuple[Keyframe, Keyframe, float]:
    """The keyframes around a moment, and how far it is between them."""
    after = bisect_right([key.time for key in keyframes], time)
    if after == 0:
        return keyframes[0], keyframes[0], 0.0
    if after == len(keyframes):
        return keyframes[-1], keyframes[-1], 0.0
    start, end = keyframes[after - 1], keyframes[after]
    share = (time - start.time) / (end.time - start.time)
    return start, end, eased(min(max(share, 0.0), 1.0), start.easing)
