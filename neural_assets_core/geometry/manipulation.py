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

FLAT = math.radians(3.0)
"""A plane seen within this angle of edge on is not followed upward: a pixel would be metres."""

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
        ends at `MAXIMUM_DEPTH_RATIO` times the anchor's depth, on the way to the pointer. On a
        plane seen nearly edge on, only the motion along its image is followed exactly.
    """
    view = _view(camera, anchor)
    if abs(float(np.dot(normal, view))) < math.sin(FLAT):
        return _on_flat_plane(camera, anchor, normal, pixel - start)
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
    if abs(float(np.dot(_view(camera, origin), axis))) > math.cos(ALONG_VIEW):
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
    view = _view(camera, center)
    if abs(float(np.dot(axis, view))) < math.sin(EDGE_ON):
        toward = np.dot(view, axis) * axis - view
        # On a wide picture the ring may reach around the camera: its near point must not.
        reach = min(radius, 0.5 * float(camera.project(center)[2]))
        front = center + reach * toward / np.linalg.norm(toward)
        tangent = _image_velocity(camera, front, np.cross(axis, front - center))
        return float(np.dot(pixel - start, tangent) / np.dot(tangent, tangent))
    a = _on_plane(camera, center, axis, start) - center
    b = _on_plane(camera, center, axis, pixel) - center
    angle = math.atan2(float(np.dot(axis, np.cross(a, b))), float(np.dot(a, b)))
    # Whole turns are added last: at the press' own pixel the angle is exactly a multiple of them.
    return angle + math.tau * round((previous - angle) / math.tau)


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


def grabbed_on_plane(camera: Camera, anchor: Float, normal: Float, pixel: Float) -> Float:
    """The point of a plane that a press takes hold of.

    Parameters
    ----------
    camera : Camera
    anchor, normal : arrays (3,)
        The plane, world metres; the anchor in front of the camera.
    pixel : array (2,)

    Returns
    -------
    array (3,)
        Under the pixel; the anchor itself if the plane is seen nearly edge on.
    """
    if abs(float(np.dot(normal, _view(camera, anchor)))) < math.sin(FLAT):
        return anchor
    return _on_plane(camera, anchor, normal, pixel)


def grabbed_on_axis(camera: Camera, origin: Float, axis: Float, pixel: Float) -> Float:
    """The point of a line that a press takes hold of.

    Parameters
    ----------
    camera : Camera
    origin, axis : arrays (3,)
        The line, world metres, its origin in front of the camera; unit direction.
    pixel : array (2,)

    Returns
    -------
    array (3,)
        At the foot of the pixel on the line's image; the origin if that is seen nearly end on.
    """
    if abs(float(np.dot(_view(camera, origin), axis))) > math.cos(ALONG_VIEW):
        return origin
    return np.asarray(origin + _along_line(camera, origin, axis, pixel) * axis)


def stretched(box: Box, axes: Float, factors: Float, pivot: Float) -> Box:
    """A box scaled along some directions only.

    Parameters
    ----------
    box : Box
    axes : array (N, 3)
        Unit world directions, perpendicular to each other.
    factors : array (N,)
        One for each direction.
    pivot : array (3,)
        What stays put, world metres.

    Returns
    -------
    Box
        Each side grows as an edge of the box would, and the base's centre goes where it would.
        Along the box's own axes that is exact, and no other side changes; across them a box
        would have to shear, and keeps its rotation.
    """
    stretch = np.eye(3) + (axes.T * (np.asarray(factors) - 1.0)) @ axes
    grown = np.linalg.norm(stretch @ box.rotation_matrix(), axis=0)
    grown = np.where(np.abs(grown - 1.0) < 1e-12, 1.0, grown)
    size = np.maximum(np.asarray(box.size) * grown, MINIMUM_EXTENT)
    base = pivot + stretch @ (box.base_center() - pivot)
    return box.with_center(base + 0.5 * size[2] * box.rotation_matrix()[:, 2]).with_size(size)


def drop_to_ground(box: Box) -> Box:
    """The box lifted or lowered until its lowest corner is at z = 0."""
    return box.translated((0.0, 0.0, -float(box.corners()[:, 2].min())))


def _view(camera: Camera, point: Float) -> Float:
    """(3,) unit direction from the camera to a world point."""
    return np.asarray((point - camera.position) / np.linalg.norm(point - camera.position))


def _on_flat_plane(camera: Camera, anchor: Float, normal: Float, moved: Float) -> Float:
    """(3,) offset in a plane that is nearly a line in the picture, for `moved` (2,) pixels.

    Across that line the pointer moves away, or nearer, as fast as on a plane that is tilted just
    enough to be followed.
    """
    view = _view(camera, anchor)
    away = view - np.dot(view, normal) * normal
    away /= np.linalg.norm(away)
    right = np.cross(away, normal)
    along = _image_velocity(camera, anchor, right)
    across = np.array([along[1], -along[0]]) / np.linalg.norm(along)
    side = 1.0 if np.dot(normal, view) <= 0 else -1.0
    depth, focal = float(camera.project(anchor)[2]), float(camera.k[1, 1])
    # The far side of a plane appears on its normal's side, if that is the camera's side too.
    if np.dot(across, _image_velocity(camera, anchor, side * normal)) < 0:
        across = -across
    rise = float(np.dot(moved, across)) / (focal * math.sin(FLAT))
    limit = math.log(MAXIMUM_DEPTH_RATIO)
    distance = depth * math.expm1(min(max(rise, -limit), limit))
    return np.asarray(float(np.dot(moved, along)) / np.dot(along, along) * right + distance * away)


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
