"""Drag mathematics: what a pointer that moved from one pixel to another does to a box.

All functions are pure. They measure from the pose at the press, never from the last move, so
that the way back is exact; what was grabbed stays under the pointer. The inverse depth of a
plane or a line is affine in the picture: cutting it off keeps a drag towards the horizon finite.
"""

from __future__ import annotations

import math

import numpy as np

from neural_assets_core.geometry.box import MINIMUM_EXTENT, Box, Float
from neural_assets_core.geometry.camera import Camera
from neural_assets_core.geometry.rays import intersect_plane

MAXIMUM_DEPTH_RATIO = 10.0
"""One drag takes a point at most this many times farther from the camera, or nearer."""

ALONG_VIEW = math.radians(5.0)
"""An axis within this angle of the viewing ray follows the pointer's vertical motion."""

EDGE_ON = math.radians(10.0)
"""A ring seen within this angle of its plane is turned by dragging along its tangent."""

MINIMUM_SCALE = 0.01


def snap(value: float, step: float) -> float:
    """`value` rounded to a multiple of `step`; a step of 0 leaves it alone."""
    return round(value / step) * step if step > 0 else value


def drag_on_plane(
    camera: Camera, anchor: Float, normal: Float, start: Float, pixel: Float
) -> Float:
    """Move along a plane.

    Parameters
    ----------
    camera : Camera
    anchor : array (3,)
        A world point on the plane, in front of the camera: where the box was grabbed.
    normal : array (3,)
        The plane's normal.
    start, pixel : arrays (2,)
        The pointer at the press and now, pixels.

    Returns
    -------
    array (3,)
        World offset in metres, in the plane, that keeps what was grabbed under the pointer. It
        ends at `MAXIMUM_DEPTH_RATIO` times the anchor's depth, on the way to the pointer.
    """
    return _on_plane(camera, anchor, normal, pixel) - _on_plane(camera, anchor, normal, start)


def drag_along_axis(
    camera: Camera, origin: Float, axis: Float, start: Float, pixel: Float
) -> float:
    """Move along a line.

    Parameters
    ----------
    camera : Camera
    origin : array (3,)
        A world point on the line, in front of the camera.
    axis : array (3,)
        Unit direction of the line in the world.
    start, pixel : arrays (2,)
        The pointer at the press and now, pixels.

    Returns
    -------
    float
        Signed metres along `axis`. The point that was grabbed follows the foot of the pointer
        on the line's image. Seen nearly end on, the pointer's way up counts instead.
    """
    view = origin - camera.position
    cosine = abs(float(np.dot(view, axis))) / float(np.linalg.norm(view))
    if cosine > math.cos(ALONG_VIEW):
        metres_per_pixel = camera.project(origin)[2] / camera.k[1, 1]
        return float((start[1] - pixel[1]) * metres_per_pixel)
    return _along_line(camera, origin, axis, pixel) - _along_line(camera, origin, axis, start)


def drag_ring(
    camera: Camera,
    center: Float,
    axis: Float,
    radius: float,
    start: Float,
    pixel: Float,
    previous: float = 0.0,
) -> float:
    """Turn about an axis.

    Parameters
    ----------
    camera : Camera
    center : array (3,)
        The ring's centre in the world, in front of the camera.
    axis : array (3,)
        Unit normal of the ring.
    radius : float
        The ring's radius in metres; matters only when it is seen nearly edge on.
    start, pixel : arrays (2,)
        The pointer at the press and now, pixels.
    previous : float
        The angle that the last move gave: whole turns are counted from it.

    Returns
    -------
    float
        Radians, right-handed about `axis`, from the press to now.
    """
    view = (center - camera.position) / np.linalg.norm(center - camera.position)
    if abs(float(np.dot(axis, view))) < math.sin(EDGE_ON):
        toward = np.dot(view, axis) * axis - view
        front = center + radius * toward / np.linalg.norm(toward)
        tangent = _image_velocity(camera, front, np.cross(axis, front - center))
        return float(np.dot(pixel - start, tangent) / np.dot(tangent, tangent))
    a = _on_plane(camera, center, axis, start) - center
    b = _on_plane(camera, center, axis, pixel) - center
    angle = math.atan2(float(np.dot(axis, np.cross(a, b))), float(np.dot(a, b)))
    return previous + math.remainder(angle - previous, 2 * math.pi)


def drag_scale(camera: Camera, pivot: Float, grabbed: Float, start: Float, pixel: Float) -> float:
    """Scale uniformly by a handle that slides on the line from the pivot through itself.

    Parameters
    ----------
    camera : Camera
    pivot, grabbed : arrays (3,)
        What stays put, and the handle at the press; world metres, in front of the camera.
    start, pixel : arrays (2,)
        The pointer at the press and now, pixels.

    Returns
    -------
    float
        The factor, at least `MINIMUM_SCALE`.
    """
    reach = float(np.linalg.norm(grabbed - pivot))
    moved = drag_along_axis(camera, grabbed, (grabbed - pivot) / reach, start, pixel)
    return max(1.0 + moved / reach, MINIMUM_SCALE)


def scale_by_distance(pivot: Float, start: Float, pixel: Float) -> float:
    """Scale without a handle: the pointer's distance from the pivot, now over at the start.

    Parameters
    ----------
    pivot, start, pixel : arrays (2,)
        Pixels. A start closer than 10 pixels to the pivot counts as 10: no wild jumps.

    Returns
    -------
    float
        The factor, at least `MINIMUM_SCALE`; exactly 1 at the start.
    """
    before = float(np.linalg.norm(start - pivot))
    now = float(np.linalg.norm(pixel - pivot))
    return max(1.0 + (now - before) / max(before, 10.0), MINIMUM_SCALE)


def pulled_face(box: Box, axis: int, sign: int, distance: float) -> Box:
    """A box with one face moved along its normal, the opposite face kept in place.

    Parameters
    ----------
    box : Box
    axis : {0, 1, 2}
        The face's normal among the box's own axes.
    sign : {-1, 1}
        Which of the two faces.
    distance : float
        Metres outward; the side never gets smaller than `MINIMUM_EXTENT`.
    """
    size = np.asarray(box.size, dtype=np.float64)
    grown = max(float(size[axis]) + distance, MINIMUM_EXTENT)
    shift = 0.5 * sign * (grown - size[axis]) * box.rotation_matrix()[:, axis]
    size[axis] = grown
    return box.with_size(size).translated(shift)


def _on_plane(camera: Camera, anchor: Float, normal: Float, pixel: Float) -> Float:
    """(3,) the plane's point at `pixel`, its depth limited around the anchor's."""
    u, v, depth = camera.project(anchor)
    at_anchor = np.array([u, v])
    origin, direction = camera.rays(pixel)
    hit = intersect_plane(origin, direction, anchor, normal)
    if hit == 0.0:
        # The camera is in the plane: no position on it can be told from another.
        return anchor
    nearness = depth / hit
    limited = min(max(nearness, 1.0 / MAXIMUM_DEPTH_RATIO), MAXIMUM_DEPTH_RATIO)
    if limited != nearness:
        # Not along the pointer's own ray, which may never meet the plane, but on the straight
        # way to it from the anchor: the direction of the drag stays right.
        share = (limited - 1.0) / (nearness - 1.0)
        origin, direction = camera.rays(at_anchor + share * (pixel - at_anchor))
    return np.asarray(origin + direction * (depth / limited))


def _along_line(camera: Camera, origin: Float, axis: Float, pixel: Float) -> float:
    """Metres along the line at the foot of `pixel` on its image, its depth limited."""
    u, v, depth = camera.project(origin)
    velocity = _image_velocity(camera, origin, axis)
    speed = float(np.linalg.norm(velocity))
    foot = float(np.dot(pixel - np.array([u, v]), velocity)) / speed
    recession = float(np.dot(camera.forward, axis)) / (depth * speed)
    nearness = 1.0 - foot * recession
    limited = min(max(nearness, 1.0 / MAXIMUM_DEPTH_RATIO), MAXIMUM_DEPTH_RATIO)
    if limited != nearness:
        foot = (1.0 - limited) / recession
    return float(foot / (speed * limited))


def _image_velocity(camera: Camera, point: Float, velocity: Float) -> Float:
    """(2,) pixels per unit of time of a world point that moves with `velocity` (3,)."""
    u, v, depth = camera.project(point)
    moved = camera.k @ (camera.extrinsics[:3, :3] @ velocity)
    return np.asarray((moved[:2] - moved[2] * np.array([u, v])) / depth)
