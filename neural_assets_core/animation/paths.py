"""Ready-made motions: every frame is a scene like any other."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.proxy import check_boxes
from neural_assets_core.scene import Scene

MAXIMUM_FRAMES = 10_000
WIDEST_ORBIT = 180.0
"""Degrees; the far side of a scene is on no photograph."""


def frame_count(seconds: float, fps: float) -> int:
    """Frames of an animation, at least one.

    Raises
    ------
    UserError
        If a number is not positive and finite, or there would be more than `MAXIMUM_FRAMES`.
    """
    if not (0 < seconds < math.inf and 0 < fps <= 240):
        raise UserError("An animation needs more than 0 seconds, and 1 to 240 frames in each.")
    if seconds * fps > MAXIMUM_FRAMES:
        raise UserError(
            f"That would be {seconds * fps:.0f} frames (the limit is {MAXIMUM_FRAMES}): make it "
            "shorter, or with fewer frames a second."
        )
    return max(1, round(seconds * fps))


def turntable(
    scene: Scene, name: str, *, seconds: float = 4.0, fps: float = 25.0, degrees: float = 360.0
) -> list[Scene]:
    """An object turns in place about its vertical axis; everything else stays.

    Parameters
    ----------
    scene : Scene
    name : str
        The object.
    seconds, fps : float
    degrees : float
        Counter-clockwise seen from above. After whole turns the first frame follows the last
        without a halt; other turns begin with the scene as it is.

    Returns
    -------
    list of Scene
        One for each frame.

    Raises
    ------
    UserError
        If there is no such object, or it would reach behind the camera.
    """
    if not math.isfinite(degrees):
        raise UserError("The turn needs a finite number of degrees.")
    count = frame_count(seconds, fps)
    box = scene.object(name).box
    whole = math.remainder(degrees, 360.0) == 0
    # Whole turns keep half a step off where the photograph shows the object: that one frame would
    # be the photograph itself, sharper than all the others.
    first, last = (0.5, count) if whole else (0.0, max(count - 1, 1))
    step = math.radians(degrees) / last
    frames = [
        scene.with_box(name, box.rotated((0.0, 0.0, 1.0), step * (first + index)))
        for index in range(count)
    ]
    return checked(frames)


def camera_orbit(
    scene: Scene, *, degrees: float = 10.0, seconds: float = 4.0, fps: float = 25.0
) -> list[Scene]:
    """The camera swings around the middle of the objects, to both sides and back.

    Parameters
    ----------
    scene : Scene
    degrees : float
        From one end to the other. The first frame is close to the scene as it is, and follows
        the last.
    seconds, fps : float

    Returns
    -------
    list of Scene
        One for each frame.

    Raises
    ------
    UserError
        If `degrees` is not in (0, `WIDEST_ORBIT`], or the camera would meet an object.
    """
    if not 0 < degrees <= WIDEST_ORBIT:
        raise UserError(f"The camera can swing by up to {WIDEST_ORBIT:.0f} degrees.")
    count = frame_count(seconds, fps)
    pivot = orbit_center(scene)
    swing = 0.5 * math.radians(degrees)
    # Half a step off, as in a turntable: no frame is the photograph itself.
    angles = [swing * math.sin(math.tau * (index + 0.5) / count) for index in range(count)]
    frames = [scene.with_camera(turned(scene.camera, pivot, angle)) for angle in angles]
    return checked(frames)


def orbit_center(scene: Scene) -> Float:
    """(3,) what the camera circles: the middle of the objects, else a point ahead of it."""
    if scene.objects:
        return np.asarray(np.mean([item.box.center for item in scene.objects], axis=0))
    camera = scene.camera
    below = camera.forward[2]
    reach = -camera.position[2] / below if below < -0.05 else 3.0
    return np.asarray(camera.position + max(reach, 0.1) * camera.forward)


def turned(camera: Camera, pivot: Float, angle: float) -> Camera:
    """A camera carried around the vertical through `pivot` (world metres) by radians."""
    turn = Rotation.from_rotvec([0.0, 0.0, angle]).as_matrix()
    pose = camera.extrinsics
    rotation = pose[:3, :3] @ turn.T
    eye = pivot + turn @ (camera.position - pivot)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ eye
    return Camera.from_matrices(camera.width, camera.height, camera.k, pose)


def checked(frames: list[Scene]) -> list[Scene]:
    """The frames, once every one can be drawn.

    Raises
    ------
    UserError
        Names the frame.
    """
    for index, frame in enumerate(frames, start=1):
        try:
            check_boxes(frame)
        except UserError as error:
            raise UserError(f"Frame {index} of {len(frames)}: {error}") from None
    return frames
