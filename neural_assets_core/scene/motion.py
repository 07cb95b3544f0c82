"""What moves in a scene, and when: keyframes of objects and of the camera, as values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from neural_assets_core.geometry import Box, Camera

MAXIMUM_KEYFRAMES = 4000
"""Of all tracks of a scene together: its description has to stay small."""
LONGEST = 3600.0
SAME_MOMENT = 1e-4
"""Seconds; keyframes of a track that are nearer to each other are one."""

Seconds = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
Easing = Literal["linear", "ease", "hold"]
"""How a keyframe leads to the next: evenly; slowly away and slowly in; not at all."""

Mark = tuple[str | None, float]
"""Names a keyframe: the object (None: the camera) and the time, seconds."""


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

    def at(self, time: float) -> Keyframe | None:
        """The keyframe of a moment, if there is one."""
        near = (key for key in self.keyframes if abs(key.time - time) < SAME_MOMENT)
        return next(near, None)


class Animation(_Value):
    """What moves in a scene, and how it is played.

    Attributes
    ----------
    tracks : tuple of Track
        At most one of each object, and one of the camera.
    time : float
        The moment, in seconds, at which the scene itself stands: where its keyframes were looked
        at last. Edits of what moves are edits at this moment.
    duration : float or None
        Seconds of the film; None: until the last keyframe.
    fps : float
        Frames a second.
    loop : bool
        Whether it begins anew after its end, in the window and in formats that know of that.
    """

    tracks: tuple[Track, ...] = Field(default=(), max_length=65)
    time: Seconds = 0.0
    duration: Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)] | None = None
    fps: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)] = 25.0
    loop: bool = True

    @model_validator(mode="after")
    def _tracks_are_unique(self) -> Animation:
        moved = [track.object for track in self.tracks]
        if len(set(moved)) < len(moved):
            raise ValueError("two tracks move the same")
        if sum(len(track.keyframes) for track in self.tracks) > MAXIMUM_KEYFRAMES:
            raise ValueError(f"a scene has at most {MAXIMUM_KEYFRAMES} keyframes")
        return self

    @property
    def seconds(self) -> float:
        """Length of the film."""
        last = max((track.keyframes[-1].time for track in self.tracks), default=0.0)
        return last if self.duration is None else self.duration

    def track(self, name: str | None) -> Track | None:
        """What moves an object, or the camera (None), if anything does."""
        return next((track for track in self.tracks if track.object == name), None)

    def keyframe(self, mark: Mark) -> Keyframe | None:
        """The keyframe at a mark, if there is one."""
        track = self.track(mark[0])
        return None if track is None else track.at(mark[1])

    # -- edits, each a new animation; a ValidationError if there cannot be such a one ----------

    def with_fields(self, **fields: object) -> Animation:
        """Another duration, frame rate, loop or moment; validated."""
        return Animation.model_validate({**dict(self), **fields})

    def with_keyframe(self, name: str | None, keyframe: Keyframe) -> Animation:
        """One more keyframe of an object, or of the camera (None); at its time it replaces."""
        return self._with_keyframes(name, [keyframe])

    def without(self, marks: Collection[Mark]) -> Animation:
        """Keyframes taken away; what has none left does not move."""
        tracks = []
        for track in self.tracks:
            gone = {id(self.keyframe(mark)) for mark in marks if mark[0] == track.object}
            kept = tuple(key for key in track.keyframes if id(key) not in gone)
            if kept:
                tracks.append(track.model_copy(update={"keyframes": kept}))
        return self.with_fields(tracks=tuple(tracks))

    def shifted(self, marks: Collection[Mark], seconds: float) -> Animation:
        """Keyframes moved in time, all by the same; what stands where they come to is replaced."""
        made = self.without(marks)
        for name in {name for name, _ in marks}:
            keys = [self.keyframe(mark) for mark in marks if mark[0] == name]
            moved = [
                key.model_copy(update={"time": max(key.time + seconds, 0.0)})
                for key in keys
                if key is not None
            ]
            made = made._with_keyframes(name, moved)
        return made

    def eased(self, marks: Collection[Mark], easing: Easing) -> Animation:
        """Keyframes that lead differently to the next ones."""
        made = self
        for mark in marks:
            key = self.keyframe(mark)
            if key is not None:
                made = made.with_keyframe(mark[0], key.model_copy(update={"easing": easing}))
        return made

    def renamed(self, name: str, new_name: str) -> Animation:
        """After an object got another name."""
        tracks = (
            track.model_copy(update={"object": new_name}) if track.object == name else track
            for track in self.tracks
        )
        return self if self.track(name) is None else self.with_fields(tracks=tuple(tracks))

    def with_boxes(self, name: str, change: Callable[[Box], Box]) -> Animation:
        """After an object came to stand elsewhere: its keyframes, each box changed alike."""
        track = self.track(name)
        if track is None:
            return self
        boxes = [key.box for key in track.keyframes if key.box is not None]
        keys = tuple(
            key.model_copy(update={"box": change(box)})
            for key, box in zip(track.keyframes, boxes, strict=True)
        )
        made = track.model_copy(update={"keyframes": keys})
        return self.with_fields(tracks=tuple(made if t is track else t for t in self.tracks))

    def without_object(self, name: str | None) -> Animation:
        """After an object was removed; None is the camera."""
        tracks = tuple(track for track in self.tracks if track.object != name)
        return self if self.track(name) is None else self.with_fields(tracks=tracks)

    def _with_keyframes(self, name: str | None, fresh: Iterable[Keyframe]) -> Animation:
        old = self.track(name)
        keys = [] if old is None else list(old.keyframes)
        for key in fresh:
            keys = [kept for kept in keys if abs(kept.time - key.time) >= SAME_MOMENT]
            keys.append(Keyframe.model_validate(dict(key)))
        if not keys:
            return self
        track = Track(object=name, keyframes=tuple(sorted(keys, key=lambda key: key.time)))
        # A track that was there keeps its place.
        tracks = [track if had is old else had for had in self.tracks]
        return self.with_fields(tracks=(*tracks, *([track] if old is None else [])))
