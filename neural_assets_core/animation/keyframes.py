"""Keyframes of objects and of the camera, turned into frames."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from scipy.spatial.transform import Rotation, Slerp

from neural_assets_core.animation.paths import checked, frame_count
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Animation, Keyframe, Scene, Track
from neural_assets_core.scene.motion import Easing
from neural_assets_core.scene.validation import describe

# -- making keyframes ----------------------------------------------------------------------------


@contextmanager
def possible() -> Iterator[None]:
    """Tells in one sentence why there cannot be such keyframes.

    Raises
    ------
    UserError
    """
    try:
        yield
    except ValidationError as error:
        raise UserError(f"These keyframes are impossible: {describe(error)}.") from None


def with_keyframes(
    scene: Scene, names: Iterable[str | None], time: float | None = None, easing: Easing = "ease"
) -> Scene:
    """Keyframes of what stands in a scene, as it stands; one that is there keeps its easing.

    Parameters
    ----------
    scene : Scene
    names : iterable of str or None
        Objects; None is the camera.
    time : float, optional
        Seconds; else the animation's own moment.
    easing : {"linear", "ease", "hold"}
        Of new keyframes, on the way to the next.

    Raises
    ------
    UserError
        If there is no such object, the time is impossible, or there would be too many.
    """
    animation = scene.animation
    moment = animation.time if time is None else time
    with possible():
        for name in names:
            had = animation.keyframe((name, moment))
            place: dict[str, Box | Camera] = (
                {"camera": scene.camera} if name is None else {"box": scene.object(name).box}
            )
            key = Keyframe.model_validate(
                {"time": moment, "easing": easing if had is None else had.easing, **place}
            )
            animation = animation.with_keyframe(name, key)
    return scene.with_animation(animation)


def with_playback(
    scene: Scene,
    *,
    duration: float | None = None,
    fps: float | None = None,
    loop: bool | None = None,
) -> Scene:
    """Another length (seconds) or frame rate, played over and over or once; None leaves it.

    Raises
    ------
    UserError
        If a number is impossible.
    """
    given = {"duration": duration, "fps": fps, "loop": loop}
    fields = {name: value for name, value in given.items() if value is not None}
    with possible():
        return scene.with_animation(scene.animation.with_fields(**fields))


def played(animation: Animation, path: Path) -> int:
    """How often a film is played, as `render_video` counts it: 0 is for ever, or once in video."""
    return 0 if animation.loop or path.suffix.lower() != ".gif" else 1


def keyed(scene: Scene, before: Scene) -> Scene:
    """An edited scene with a keyframe, at its moment, of all that moves and was edited.

    Parameters
    ----------
    scene : Scene
        An edit of `before`. If it is one of the keyframes themselves, it stays as it is.
    before : Scene

    Raises
    ------
    UserError
        If there would be too many.
    """
    if scene.animation != before.animation:
        return scene
    tracks = scene.animation.tracks
    edited = [t.object for t in tracks if (now := _place(scene, t)) and now != _place(before, t)]
    return with_keyframes(scene, edited) if edited else scene


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
    places = {item.name for item in target.objects}
    names = [item.name for item in scene.objects if item.name in places]
    there = target.with_animation(scene.animation)
    return scene.with_animation(with_keyframes(there, [*names, None], time, easing).animation)


def _place(scene: Scene, track: Track) -> Box | Camera | None:
    """How it stands what a track moves; None if it is not there."""
    if track.object is None:
        return scene.camera
    return next((item.box for item in scene.objects if item.name == track.object), None)


# -- frames --------------------------------------------------------------------------------------


def animation_frames(scene: Scene, fps: float | None = None) -> list[Scene]:
    """One scene for each frame of a scene's animation, its first and last moment among them.

    Parameters
    ----------
    scene : Scene
    fps : float, optional
        Frames a second; else the animation's own.

    Raises
    ------
    UserError
        If there is no animation, it moves an object that is not there, or a frame cannot be
        drawn.
    """
    animation = scene.animation
    if not animation.tracks:
        raise UserError("This scene has no keyframes: give it some, with --key say.")
    rate = animation.fps if fps is None else fps
    count = frame_count(animation.seconds, rate) + 1 if animation.seconds else 1
    frames = [scene_at(scene, index / rate) for index in range(count)]
    return checked([frame.with_animation(Animation()) for frame in frames])


def scene_at(scene: Scene, time: float) -> Scene:
    """The scene as it stands at a moment; before the first and after the last keyframe it rests.

    Parameters
    ----------
    scene : Scene
        What has no keyframes stays as it is.
    time : float
        Seconds.

    Raises
    ------
    UserError
        If an object that moves is not there.
    """
    for track in scene.animation.tracks:
        place = place_at(track, time)
        if isinstance(place, Camera):
            scene = scene.with_camera(place)
        else:
            assert track.object is not None
            scene = scene.with_box(track.object, place)
    return scene.with_animation(scene.animation.with_fields(time=time))


def place_at(track: Track, time: float) -> Box | Camera:
    """How it stands at a moment (seconds) what a track moves."""
    start, end, share = _between(track.keyframes, time)
    if start.camera is not None and end.camera is not None:
        return blended_camera(start.camera, end.camera, share)
    assert start.box is not None
    assert end.box is not None
    return blended_box(start.box, end.box, share)


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
