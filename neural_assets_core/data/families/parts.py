"""Shape parts: small textured surfaces from which the families build their objects.

Everything is a triangle surface with explicit normals and texture coordinates, because the
simulator's own primitives smear textures over their sides. Each part also lists convex pieces
(vertex index sets); the union of their projections is the part's silhouette, which gives the
unoccluded extent of an object without another render pass.

Frame: the object's own, x forward, z up; units are arbitrary until the object is scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Index = NDArray[np.int32]
Color = tuple[float, float, float]
Point = tuple[float, float, float]

SMOOTH_COSINE = 0.72
"""Neighbouring facets closer than acos(0.72), about 44 degrees, are shaded as one surface."""


@dataclass(frozen=True, eq=False)
class Material:
    """Surface look. `texture` is (H, W, 3) uint8 or None; `color` multiplies it."""

    color: Color = (1.0, 1.0, 1.0)
    texture: NDArray[np.uint8] | None = None
    specular: float = 0.2
    shininess: float = 0.4
    emission: float = 0.0


@dataclass(frozen=True, eq=False)
class Part:
    """A surface: vertices (N, 3), unit normals (N, 3), uv (N, 2), faces (M, 3), pieces."""

    vertices: Float
    normals: Float
    uv: Float
    faces: Index
    pieces: tuple[Index, ...]
    material: Material

    def moved(self, offset: Point = (0, 0, 0), axis: Point = (0, 0, 1), angle: float = 0.0) -> Part:
        """Turned by `angle` radians about `axis` through the origin, then shifted."""
        turn = rotation(axis, angle)
        return replace(
            self,
            vertices=self.vertices @ turn.T + np.asarray(offset, dtype=np.float64),
            normals=self.normals @ turn.T,
        )

    def warped(self, function: Callable[[Float], Float]) -> Part:
        """Vertices replaced by `function(vertices)`; normals are kept (gentle warps only)."""
        return replace(self, vertices=function(self.vertices))


def rotation(axis: Point, angle: float) -> Float:
    """(3, 3) rotation by `angle` radians about `axis` (Rodrigues' formula)."""
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return np.asarray(turn)


def moved(
    parts: Sequence[Part], offset: Point = (0, 0, 0), axis: Point = (0, 0, 1), angle: float = 0.0
) -> list[Part]:
    """`Part.moved` for a group."""
    return [part.moved(offset, axis, angle) for part in parts]


def mirrored(parts: Sequence[Part]) -> list[Part]:
    """The parts and their mirror images in the plane y = 0."""
    flip = np.array([1.0, -1.0, 1.0])
    images = [
        replace(p, vertices=p.vertices * flip, normals=p.normals * flip, faces=p.faces[:, ::-1])
        for p in parts
    ]
    return [*parts, *images]


def part_of(
    vertices: Float, normals: Float, uv: Float, faces: Index, pieces: list[Index], look: Material
) -> Part:
    """Drop degenerate triangles and turn the others so that they face along their normals."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    area = np.linalg.norm(facing, axis=1)
    solid = area > 1e-9
    faces, facing = faces[solid], facing[solid]
    inward = np.einsum("ij,ij->i", facing, normals[faces].sum(axis=1)) < 0
    faces[inward] = faces[inward][:, ::-1]
    return Part(vertices, normals, uv, faces, tuple(pieces), look)


def box(size: Point, at: Point, look: Material) -> Part:
    """An axis-aligned box of full extents `size` centred at `at`; each face shows the texture."""
    vertices: list[Float] = []
    normals: list[Float] = []
    uv: list[tuple[int, int]] = []
    faces: list[tuple[int, int, int]] = []
    half = 0.5 * np.asarray(size)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            # Tops read upright for a viewer in front (+x).
            up = np.array([0, 0, 1.0]) if axis != 2 else np.array([-1.0, 0, 0])
            right = np.cross(up, normal)
            start = 4 * len(normals)
            for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
                vertices.append((normal + (2 * u - 1) * right + (2 * v - 1) * up) * half)
                uv.append((u, v))
            normals.append(normal)
            faces += [(start, start + 1, start + 2), (start, start + 2, start + 3)]
    return part_of(
        np.array(vertices) + np.asarray(at, dtype=np.float64),
        np.repeat(np.array(normals), 4, axis=0),
        np.array(uv, dtype=np.float64),
        np.array(faces, dtype=np.int32),
        [np.arange(24, dtype=np.int32)],
        look,
    )


def _soft_normals(edges: Float, closed: bool) -> tuple[Float, Float]:
    """Normals at the start and at the end of every edge of a planar outline.

    `edges` (K, 2) are unit edge normals. Neighbours share a normal where the bend is gentle.
    """
    before, after = np.roll(edges, 1, axis=0), np.roll(edges, -1, axis=0)
    if not closed:
        before[0], after[-1] = edges[0], edges[-1]
    ends = []
    for other in (before, after):
        gentle = (np.sum(edges * other, axis=1) > SMOOTH_COSINE)[:, None]
        mixed = np.where(gentle, edges + other, edges)
        ends.append(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))
    return ends[0], ends[1]


def lathe(
    profile: Sequence[tuple[float, float]],
    look: Material,
    at: Point = (0, 0, 0),
    slices: int = 24,
    cap_uv: bool = False,
) -> Part:
    """Surface of revolution about z.

    Parameters
    ----------
    profile : sequence of (radius, z)
        From the bottom of the outside upwards (and down again for a hollow shape).
    cap_uv : bool
        Map the texture flat from above instead of around (u = 0.5 faces +x).
    """
    outline = np.asarray(profile, dtype=np.float64)
    step = np.diff(outline, axis=0)
    length = np.linalg.norm(step, axis=1)
    keep = length > 1e-9
    lower, upper = outline[:-1][keep], outline[1:][keep]
    step, length = step[keep], length[keep]
    edge = np.stack([step[:, 1], -step[:, 0]], axis=1) / length[:, None]
    first, last = _soft_normals(edge, closed=False)
    along = np.concatenate([[0.0], np.cumsum(length)]) / length.sum()
    angle = np.linspace(-np.pi, np.pi, slices + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = np.arange(slices)
    vertices, normals, uv, faces, pieces = [], [], [], [], []
    widest = float(np.abs(outline[:, 0]).max())
    for k in range(len(lower)):
        start = 2 * k * (slices + 1)
        for end, normal, v in ((lower[k], first[k], along[k]), (upper[k], last[k], along[k + 1])):
            vertices.append(np.column_stack([end[0] * circle, np.full(slices + 1, end[1])]))
            normals.append(np.column_stack([normal[0] * circle, np.full(slices + 1, normal[1])]))
            flat = 0.5 + 0.5 * end[0] / widest * circle[:, ::-1] * (-1, 1)
            around = np.column_stack([np.linspace(0, 1, slices + 1), np.full(slices + 1, v)])
            uv.append(flat if cap_uv else around)
        a = start + ring
        b = a + slices + 1
        faces += [np.column_stack([a, a + 1, b + 1]), np.column_stack([a, b + 1, b])]
        pieces.append(np.arange(start, start + 2 * (slices + 1), dtype=np.int32))
    return part_of(
        np.concatenate(vertices) + np.asarray(at, dtype=np.float64),
        np.concatenate(normals),
        np.concatenate(uv),
        np.concatenate(faces).astype(np.int32),
        pieces,
        look,
    )


def cylinder(
    radius: float, height: float, at: Point, look: Material, axis: str = "z", slices: int = 24
) -> Part:
    """A closed cylinder centred at `at` along the axis "x", "y" or "z"."""
    half = 0.5 * height
    upright = lathe([(0, -half), (radius, -half), (radius, half), (0, half)], look, slices=slices)
    return _along(upright, axis).moved(at)


def _along(part: Part, axis: str) -> Part:
    """Turn a part built along z to lie along another axis."""
    if axis == "x":
        return part.moved(axis=(0, 1, 0), angle=np.pi / 2)
    if axis == "y":
        return part.moved(axis=(1, 0, 0), angle=-np.pi / 2)
    return part


def wheel(radius: float, width: float, at: Point, tyre: Material, hub: Material) -> list[Part]:
    """A wheel rolling along x: tyre with rounded shoulders and a hub on both sides."""
    h = 0.5 * width
    r = radius
    rubber = lathe(
        [(0.5 * r, -h), (0.9 * r, -h), (r, -0.6 * h), (r, 0.6 * h), (0.9 * r, h), (0.5 * r, h)],
        tyre,
    )
    h *= 0.9
    disc = lathe(
        [(0, -1.1 * h), (0.25 * r, -h), (0.56 * r, -h), (0.56 * r, h), (0.25 * r, h), (0, 1.1 * h)],
        hub,
        slices=16,
    )
    return [_along(rubber, "y").moved(at), _along(disc, "y").moved(at)]


def ellipsoid(radii: Point, at: Point, look: Material, slices: int = 20) -> Part:
    """An ellipsoid with semi-axes `radii`; u = 0.5 faces +x, v rises with z."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, slices // 2 + 1)
    unit = lathe([(float(np.cos(a)), float(np.sin(a))) for a in angle], look, slices=slices)
    scale = np.asarray(radii, dtype=np.float64)
    normals = unit.normals / scale
    return replace(
        unit,
        vertices=unit.vertices * scale + np.asarray(at, dtype=np.float64),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        pieces=(np.arange(len(unit.vertices), dtype=np.int32),),
    )


def tube(
    path: Sequence[Point] | Float,
    radius: float | Sequence[float],
    look: Material,
    slices: int = 12,
    flatten: float = 1.0,
) -> Part:
    """A tube along a path of points with flat ends; `radius` may vary along the path.

    `flatten` scales the cross-section across the path's first bending plane.
    """
    points = np.asarray(path, dtype=np.float64)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(points),))
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    helper = np.cross(points[-1] - points[0], points[len(points) // 2] - points[0])
    if np.linalg.norm(helper) < 1e-9:
        helper = np.array([0.0, 1.0, 0.0]) if abs(tangent[0, 1]) < 0.9 else np.array([1.0, 0, 0])
    side = helper - tangent * (tangent @ helper)[:, None]
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    angle = np.linspace(0, 2 * np.pi, slices + 1)
    cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    around = flatten * cos * side[:, None] + sin * other[:, None]
    rings = points[:, None] + radii[:, None, None] * around
    normals = cos * side[:, None] + flatten * sin * other[:, None]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    count = slices + 1
    total = len(points) * count
    v = np.linspace(0, 1, len(points))
    uv = np.stack(np.broadcast_arrays(np.linspace(0, 1, count)[None], v[:, None]), axis=2)
    ring = np.arange(slices)
    faces, pieces = [], []
    for k in range(len(points) - 1):
        a = k * count + ring
        faces += [
            np.column_stack([a, a + 1, a + 1 + count]),
            np.column_stack([a, a + 1 + count, a + count]),
        ]
        pieces.append(np.arange(k * count, (k + 2) * count, dtype=np.int32))
    # Two end caps as fans around the rings' first vertices.
    caps = np.concatenate([rings[0], rings[-1]])
    cap_normals = np.repeat(np.stack([-tangent[0], tangent[-1]]), count, axis=0)
    fan = np.arange(1, slices - 1)
    for start in (total, total + count):
        faces.append(np.column_stack([np.full(len(fan), start), start + fan, start + fan + 1]))
    return part_of(
        np.concatenate([rings.reshape(-1, 3), caps]),
        np.concatenate([normals.reshape(-1, 3), cap_normals]),
        np.concatenate([uv.reshape(-1, 2), np.full((2 * count, 2), 0.5)]),
        np.concatenate(faces).astype(np.int32),
        pieces,
        look,
    )


def arc(
    center: Point, radius: tuple[float, float], start: float, end: float, plane: str, count: int = 9
) -> Float:
    """(count, 3) points of an elliptical arc in the plane "xz", "yz" or "xy"; angles in radians."""
    angle = np.linspace(start, end, count)
    points = np.tile(np.asarray(center, dtype=np.float64), (count, 1))
    points[:, "xyz".index(plane[0])] += radius[0] * np.cos(angle)
    points[:, "xyz".index(plane[1])] += radius[1] * np.sin(angle)
    return points


def rounded(
    width: float, height: float, radius: float, at: tuple[float, float] = (0, 0)
) -> list[tuple[float, float]]:
    """Outline of a rectangle with rounded corners, counter-clockwise, centred at `at`."""
    radius = min(radius, 0.499 * width, 0.499 * height)
    corners = []
    for k, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        for angle in np.linspace(0, np.pi / 2, 4) + k * np.pi / 2:
            x = sx * (0.5 * width - radius) + radius * float(np.cos(angle)) + at[0]
            y = sy * (0.5 * height - radius) + radius * float(np.sin(angle)) + at[1]
            corners.append((x, y))
    return corners


def extrude(
    outline: Sequence[tuple[float, float]],
    depth: float,
    look: Material,
    plane: str = "xz",
    at: Point = (0, 0, 0),
) -> Part:
    """A prism: a simple polygon in "xz", "xy" or "yz", `depth` thick about its plane.

    On the caps the texture covers the polygon's bounding rectangle.
    """
    polygon = np.asarray(outline, dtype=np.float64)
    following = np.roll(polygon, -1, axis=0)
    if float(np.sum(polygon[:, 0] * following[:, 1] - following[:, 0] * polygon[:, 1])) < 0:
        polygon = polygon[::-1]
        following = np.roll(polygon, -1, axis=0)
    edge = following - polygon
    length = np.linalg.norm(edge, axis=1)
    outward = np.stack([edge[:, 1], -edge[:, 0]], axis=1) / length[:, None]
    first, last = _soft_normals(outward, closed=True)
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    cap_uv = (polygon - low) / (high - low)
    n = len(polygon)
    h = 0.5 * depth
    flat, normals, uv, faces = [], [], [], []
    for k in range(n):
        start = 4 * k
        u0, u1 = k / n, (k + 1) / n
        flat += [(*polygon[k], -h), (*following[k], -h), (*following[k], h), (*polygon[k], h)]
        normals += [(*first[k], 0), (*last[k], 0), (*last[k], 0), (*first[k], 0)]
        uv += [(u0, 0), (u1, 0), (u1, 1), (u0, 1)]
        faces += [(start, start + 1, start + 2), (start, start + 2, start + 3)]
    triangles = _ears(polygon)
    pieces = []
    for side in (-1.0, 1.0):
        start = len(flat)
        flat += [(*p, side * h) for p in polygon]
        normals += [(0, 0, side)] * n
        mirror = side > 0 if plane == "xz" else side < 0
        uv += [(1 - u if mirror else u, v) for u, v in cap_uv]
        faces += [(start + a, start + b, start + c) for a, b, c in triangles]
    convex = len(triangles) == n - 2 and _is_convex(polygon)
    cap = 4 * n
    for group in [tuple(range(n))] if convex else triangles:
        pieces.append(np.array([cap + s + i for i in group for s in (0, n)], dtype=np.int32))
    order = {"xz": [0, 2, 1], "xy": [0, 1, 2], "yz": [2, 0, 1]}[plane]
    return part_of(
        np.array(flat)[:, order] + np.asarray(at, dtype=np.float64),
        np.array(normals, dtype=np.float64)[:, order],
        np.array(uv, dtype=np.float64),
        np.array(faces, dtype=np.int32),
        pieces,
        look,
    )


def _cross(a: Float, b: Float, c: Float) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _is_convex(polygon: Float) -> bool:
    n = len(polygon)
    return all(_cross(polygon[k - 1], polygon[k], polygon[(k + 1) % n]) >= -1e-9 for k in range(n))


def _ears(polygon: Float) -> list[tuple[int, int, int]]:
    """Triangles of a simple counter-clockwise polygon by ear clipping."""
    if _is_convex(polygon):
        return [(0, k, k + 1) for k in range(1, len(polygon) - 1)]
    left = list(range(len(polygon)))
    triangles: list[tuple[int, int, int]] = []
    while len(left) > 3:
        for k in range(len(left)):
            i, j, m = left[k - 1], left[k], left[(k + 1) % len(left)]
            a, b, c = polygon[i], polygon[j], polygon[m]
            if _cross(a, b, c) <= 1e-12:
                continue
            rest = (polygon[q] for q in left if q not in (i, j, m))
            if not any(
                _cross(a, b, p) >= 0 and _cross(b, c, p) >= 0 and _cross(c, a, p) >= 0 for p in rest
            ):
                triangles.append((i, j, m))
                left.pop(k)
                break
        else:  # numerically flat remainder
            left.pop()
    triangles.append((left[0], left[1], left[2]))
    return triangles
