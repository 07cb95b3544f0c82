"""What the timeline shows of an animation: a row for everything that moves, curves of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from neural_assets_core.animation import place_at
from neural_assets_core.animation.keyframes import eased
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.scene import Keyframe, Scene, Track

Float = NDArray[np.float64]

CAMERA = "Camera"
LOW, TALL = 24.0, 76.0
"""Pixels of a row, and of the one whose curves are shown."""

CURVES = ("x", "y", "z", "heading", "size")
_SAMPLES = 240
_EVEN = 1e-6
"""Metres or degrees: a curve that changes less is flat."""


@dataclass(frozen=True)
class Row:
    """A row of keyframes.

    Attributes
    ----------
    name : str or None
        The object; None is the camera.
    title : str
    track : Track
    top, height : float
        Pixels, from the first row's top.
    """

    name: str | None
    title: str
    track: Track
    top: float
    height: float

    @property
    def middle(self) -> float:
        """Where its keyframes are."""
        return self.top + 0.5 * LOW


def rows_of(scene: Scene | None, current: str | None) -> list[Row]:
    """The rows of a scene: the camera first, then objects in the scene's order.

    Parameters
    ----------
    scene : Scene or None
    current : str or None
        What has a tall row, with curves; an object's name, or None for the camera.
    """
    if scene is None:
        return []
    order = {item.name: index for index, item in enumerate(scene.objects)}
    tracks = sorted(
        scene.animation.tracks,
        key=lambda track: -1 if track.object is None else order.get(track.object, len(order)),
    )
    rows, top = [], 0.0
    for track in tracks:
        name = track.object
        title = CAMERA if name is None else name if name in order else f"{name} (removed)"
        height = TALL if name == current else LOW
        rows.append(Row(name, title, track, top, height))
        top += height
    return rows


@dataclass(frozen=True)
class Curve:
    """How one number of a pose goes on.

    Attributes
    ----------
    name : str
        One of `CURVES`.
    times : array (N,)
        Seconds.
    heights : array (N,)
        From 0 to 1. The three of the position have one scale: how far it has come along each.
    """

    name: str
    times: Float
    heights: Float


@lru_cache(maxsize=64)
def curves_of(track: Track) -> tuple[Curve, ...]:
    """The numbers of a track that change, from its first keyframe to its last."""
    first, last = track.keyframes[0].time, track.keyframes[-1].time
    times = np.union1d(
        np.linspace(first, last, _SAMPLES), [key.time for key in track.keyframes]
    )
    ends = pairwise(track.keyframes)
    # Of each way all but its end, where the next one starts.
    ways = [_way(a, b, times[(times >= a.time) & (times < b.time)]) for a, b in ends]
    numbers = np.vstack([*ways, _numbers(place_at(track, last))])
    numbers[:, 3] = np.degrees(np.unwrap(np.radians(numbers[:, 3])))
    numbers -= numbers[0]
    changes = np.ptp(numbers, axis=0) > _EVEN
    for together in ([0, 1, 2], [3], [4]):
        low = numbers[:, together].min()
        numbers[:, together] -= low
        numbers[:, together] /= max(numbers[:, together].max(), _EVEN)
    return tuple(
        Curve(name, times, heights)
        for name, heights, shown in zip(CURVES, numbers.T, changes, strict=True)
        if shown
    )


def pose_told(track: Track, time: float) -> dict[str, str]:
    """The numbers of `CURVES` at a moment (seconds), for people."""
    x, y, z, heading, size = _numbers(place_at(track, time))
    last = f"{size:.0f} px" if track.object is None else f"{size:.2f} m"
    return {
        "x": f"x  {x:.2f} m",
        "y": f"y  {y:.2f} m",
        "z": f"z  {z:.2f} m",
        "heading": f"turn {heading:.0f}°",
        "size": f"{'lens' if track.object is None else 'size'} {last}",
    }


def _way(start: Keyframe, end: Keyframe, times: Float) -> Float:
    """(N, 5) the numbers of `CURVES` on the way between two keyframes, as `place_at` has them.

    All at once: while keyframes are dragged, curves change at every move of the pointer.
    """
    passed = (times - start.time) / (end.time - start.time)
    share = np.array([eased(one, start.easing) for one in passed])
    places = [key.camera or key.box for key in (start, end)]
    low, high = (np.array(_numbers(place)) for place in places if place is not None)
    numbers = low + share[:, None] * (high - low)
    turned = Slerp([0.0, 1.0], Rotation.from_matrix([_axes(place) for place in places]))(share)
    ahead = turned.as_matrix()[:, :, 0]
    numbers[:, 3] = np.degrees(np.arctan2(ahead[:, 1], ahead[:, 0]))
    if start.box is not None:
        numbers[:, 4] = low[4] ** (1 - share) * high[4] ** share
    return numbers


def _axes(place: Box | Camera | None) -> Float:
    """(3, 3) rotation to the world; its first column is where the heading points."""
    if isinstance(place, Camera):
        return np.roll(place.camera_to_world[:3, :3], 1, axis=1)
    assert place is not None
    return place.rotation_matrix()


def _numbers(place: Box | Camera) -> Sequence[float]:
    """Position, heading in degrees, and size: the mean side in metres, or a focal length."""
    if isinstance(place, Camera):
        return (*place.position, camera_angles(place)[0], place.k[0, 0])
    return (*place.center, math.degrees(place.yaw()), float(np.prod(place.size)) ** (1 / 3))
