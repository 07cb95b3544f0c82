"""The shape of an object in a photograph, guessed from its box and its mask.

Of a few simple solids that touch all sides of the box the one is taken whose outline fits the
mask best; what of the mask sticks out of that becomes a thin sheet. If none fits, the mask is
blown up like a cushion about the box's middle. The outcome is two depths for every pixel of the
source view: where its ray enters the object, and where it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.outlines import ellipse_of
from neural_assets_core.proxy.filling import spread

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Span = tuple[Float, Float]

FITS = 0.72
"""Overlap (IoU) with the mask from which on a solid is believed."""

ROUND_BONUS = 0.015
SHEET = 0.03
"""Thickness of what sticks out of a solid, as a fraction of the box's extent in depth."""

CLEARLY = 0.01
"""By how much a solid must fit better than a more usual one: hidden parts hang on it."""

STEEPEST = 2.5
"""How fast something grows thicker from its edge on, if that is not its solid's: so it shows no
wall until it is turned by more than about 20 degrees."""

GRAZING = 3.0
"""Pixels of depth to a pixel from which on a ray grazes a solid: its edge is not known as well."""

WALL = 3
"""Pixels by which the edges of a mask and of a solid may be apart, and are the same."""

WIDER = 1.0, 1.1, 1.2
"""How wide something round may be, in widths of its box: whoever drew that may have missed."""

REACH, BEYOND = 1.25, 0.05
"""How far objects are sought at least, and how far beyond their pixels, in half-sides of a box."""

ROUND, SQUARE, CUSHION = "round", "square", "cushion"


@dataclass(frozen=True)
class Relief:
    """An object's front and back in the source view.

    Attributes
    ----------
    front, back : float32 (h, w)
        Depths in metres; beyond the mask they are continued.
    kind : str
        `ROUND`, `SQUARE` or `CUSHION`: how its hidden side is completed.
    outline : bool (h, w)
        Where the solid is seen, or would be if nothing stood before it.
    """

    front: F32
    back: F32
    kind: str
    outline: Mask


def relief(camera: Camera, box: Box, mask: Mask, known: Mask) -> Relief:
    """Guess an object's shape.

    Parameters
    ----------
    camera : Camera
        Sees just the object, at a small size (h, w).
    box : Box
    mask : bool (h, w)
        Where the object is seen.
    known : bool (h, w)
        Where nothing stands before it.
    """
    origin, directions = camera.rays(camera.pixel_centers())
    start = box.to_local(origin)
    along = directions @ box.rotation_matrix() / (0.5 * np.asarray(box.size))
    best: tuple[float, str, Span] | None = None
    for kind, span in _solids(start, along):
        inside = span[1] > span[0]
        union = float(((inside | mask) & known).sum())
        overlap = float((inside & mask & known).sum()) / max(union, 1.0)
        overlap += ROUND_BONUS * (kind == ROUND)
        if best is None or overlap > best[0] + CLEARLY:
            best = overlap, kind, span
    assert best is not None
    overlap, kind, (enter, leave) = best
    inside = leave > enter
    if overlap < FITS or not (inside & mask).any():
        mask = mask | (_hull(mask) & ~known)
        kind, (enter, leave) = CUSHION, _cushion(camera, box, mask)
        inside = mask & (leave > enter)
    widest = box.with_size(np.asarray(box.size) * [WIDER[-1], WIDER[-1], 1.0])
    depths = camera.to_camera((widest if kind == ROUND else box).corners())[:, 2]
    near, far = max(float(depths.min()), 1e-3), float(depths.max())
    front = np.where(inside, enter, leave).clip(near, far)
    back = np.where(inside, leave, front).clip(near, far)
    # What is seen of a rim tells how it goes on better than any solid.
    rim = ellipse_of(mask, ~known) if kind == ROUND and not known.all() else None
    outline = inside if rim is None else rim.filled(mask.shape)
    beside = ~(mask | ~known)
    if kind == SQUARE:
        # Where the mask ends as the solid does, that has a wall; elsewhere it is another thing.
        beside &= cv2.erode(inside.astype(np.uint8), np.ones((2 * WALL + 1,) * 2)) > 0
    if kind != CUSHION:
        back = _thinned(camera, mask, beside, front, back)
    if kind != CUSHION and not inside.all():
        inside = _firm(camera, inside, front)
    if inside.any() and not inside.all():
        front = _continued(front, inside)
        # The edge of a solid is where its front and back meet.
        back = np.where(inside, back, front)
    # What sticks out of the solid grows from its edge into a sheet.
    pixels = np.asarray(cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5))
    sheet = np.minimum(pixels * front / camera.k[0, 0], SHEET * (far - near))
    return Relief(
        (front - 0.25 * sheet).astype(np.float32),
        (back + 0.75 * sheet).astype(np.float32),
        kind,
        outline,
    )


def reach(camera: Camera, box: Box, shape: Relief, mask: Mask) -> tuple[Float, Float]:
    """The least and greatest x, y, z (3,) that an object takes in half-sides of its box.

    Parameters
    ----------
    camera : Camera
        Sees just the object, at the shape's size.
    box : Box
        As somebody drew it: pixels may lie outside.
    shape : Relief
    mask : bool (h, w)
    """
    origin, directions = camera.rays(camera.pixel_centers())
    low, high = np.full(3, -REACH), np.full(3, REACH)
    for depth in (shape.front, shape.back):
        points = box.to_local(origin + (directions * depth[..., None])[mask])
        low = np.minimum(low, points.min(axis=0, initial=0.0) - BEYOND)
        high = np.maximum(high, points.max(axis=0, initial=0.0) + BEYOND)
    return low, high


def _solids(start: Float, along: Float) -> list[tuple[str, Span]]:
    """Where rays enter and leave solids inscribed in [-1, 1]^3; leaving first means missing.

    The usual ones first, at last round ones that are wider than the box.
    """
    out = [(SQUARE, _slabs(start, along, (0, 1, 2)))]
    for factor in WIDER:
        wide = np.array([factor, factor, 1.0])
        for bottom, top in [(1, 1), (0.8, 1), (0.6, 1), (1, 0.8), (1, 0.5), (1, 0.05)]:
            out.append((ROUND, _cone(start / wide, along / wide, (0, 1, 2), bottom, top)))
        out.append((ROUND, _ball(start / wide, along / wide)))
    for axes in ((1, 2, 0), (2, 0, 1)):
        out.append((SQUARE, _cone(start, along, axes, 1, 1)))
    return out


def _slabs(start: Float, along: Float, axes: tuple[int, ...]) -> Span:
    safe = np.where(np.abs(along) < 1e-12, 1e-12, along)
    first, second = (-1 - start) / safe, (1 - start) / safe
    chosen = list(axes)
    enter = np.minimum(first, second)[..., chosen].max(axis=-1)
    leave = np.maximum(first, second)[..., chosen].min(axis=-1)
    return np.asarray(enter), np.asarray(leave)


def _ball(start: Float, along: Float) -> Span:
    return _roots(
        (along * along).sum(axis=-1),
        (along * start).sum(axis=-1),
        np.full(along.shape[:-1], float((start * start).sum()) - 1.0),
    )


def _cone(
    start: Float, along: Float, axes: tuple[int, int, int], bottom: float, top: float
) -> Span:
    """A cylinder or the stump of a cone about the last of `axes`, its radii at both ends given."""
    x, y, z = axes
    slope, middle = 0.5 * (top - bottom), 0.5 * (top + bottom)
    here = middle + slope * start[z]
    a = along[..., x] ** 2 + along[..., y] ** 2 - (slope * along[..., z]) ** 2
    b = along[..., x] * start[x] + along[..., y] * start[y] - slope * along[..., z] * here
    c = np.full(a.shape, start[x] ** 2 + start[y] ** 2 - here**2)
    low, high = _slabs(start, along, (z,))
    first, second = _roots(np.abs(a), np.where(a < 0, -b, b), np.where(a < 0, -c, c))
    enter, leave = np.maximum(low, first), np.minimum(high, second)
    # Steeper than the cone: inside are the two ends of the ray, one of them of the cone's twin.
    steep = a < 0
    missed = second <= first
    before = np.minimum(high, np.where(missed, high, first))
    after = np.maximum(low, second)
    upper = before > low
    enter = np.where(steep, np.where(upper, low, after), enter)
    leave = np.where(steep, np.where(upper, before, high), leave)
    return enter, leave


def _roots(a: Float, b: Float, c: Float) -> Span:
    """Between which t it holds that a t² + 2 b t + c < 0, for a > 0."""
    inner = b * b - a * c
    root = np.sqrt(np.maximum(inner, 0.0))
    safe = np.maximum(a, 1e-12)
    miss = inner <= 0
    return (
        np.where(miss, np.inf, (-b - root) / safe),
        np.where(miss, -np.inf, (-b + root) / safe),
    )


def _cushion(camera: Camera, box: Box, mask: Mask) -> Span:
    """A mask blown up about a plane through the box's middle, which stands or lies as that does."""
    origin, directions = camera.rays(camera.pixel_centers())
    size = np.asarray(box.size)
    faces = np.abs(camera.forward @ box.rotation_matrix()) * size[[1, 2, 0]] * size[[2, 0, 1]]
    if faces.argmax() == 2:
        # Seen from above, or lying flat.
        normal = box.rotation_matrix()[:, 2].copy()
    else:
        normal = camera.forward * [1, 1, 0]
    normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
    normal = normal if normal @ camera.forward > 0 else -normal
    slope = directions @ normal
    middle = (np.asarray(box.center) - origin) @ normal / np.where(slope > 0.05, slope, 0.05)
    pixels = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inward = pixels * middle / camera.k[0, 0]
    # A half circle where it is thin, flat where it is thick.
    most = 0.5 * float(min(box.size))
    reach = np.minimum(inward, most)
    thick = np.sqrt(np.maximum(reach * (2 * most - reach), 0.0))
    thick = np.minimum(thick, STEEPEST * inward)
    return np.where(mask, middle - thick, np.inf), np.where(mask, middle + thick, -np.inf)


def _thinned(camera: Camera, mask: Mask, beside: Mask, front: Float, back: Float) -> Float:
    """The back of a solid, which near what is `beside` it cannot be far behind its front.

    A solid that is wider than what is seen would get a wall along that edge.
    """
    # Cut off by the picture's edge, it has no wall there either.
    ends = np.pad(mask, 1, mode="edge")
    ends[1:-1, 1:-1] = beside
    pixels = cv2.distanceTransform((~ends).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    # Without the steps of pixels.
    inward = cv2.GaussianBlur(np.asarray(pixels), (0, 0), 1.0) * front / camera.k[0, 0]
    return np.asarray(np.minimum(back, front + STEEPEST * inward))


def _firm(camera: Camera, inside: Mask, front: Float) -> Mask:
    """Where a solid's front is told by its pixels: not where rays graze it."""
    limit = GRAZING / camera.k[0, 0]
    steep = np.zeros_like(inside)
    for one, other in (((slice(1, None),), (slice(-1),)),
                       ((slice(None), slice(1, None)), (slice(None), slice(-1)))):
        step = np.abs(front[one] - front[other]) > limit * front[one]
        step &= inside[one] & inside[other]
        steep[one] |= step
        steep[other] |= step
    firm = inside & ~steep
    return firm if firm.any() else inside


def _continued(front: Float, inside: Mask) -> Float:
    """Depths (h, w) beyond a solid as they are at its edge, without steps between these."""
    rim = inside & ~(cv2.erode(inside.astype(np.uint8), np.ones((5, 5)), borderValue=1) > 0)
    rim = rim if rim.any() else inside
    wide = spread(np.where(rim, front, 0.0)[..., None].astype(np.float32), rim)[..., 0]
    return np.where(inside, front, wide)


def _hull(mask: Mask) -> Mask:
    """The convex hull of a mask."""
    hull = np.zeros(mask.shape, dtype=np.uint8)
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0
