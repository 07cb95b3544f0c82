"""How boxes are drawn: shaded faces, edges, hidden edges, the mark of the front.

Everything is computed for all boxes of a level at once, and kept: with fifty of them, Python would
else spend longer on a frame than the screen waits for the next one. While one box is dragged,
nothing is computed for those that stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.viewport import style
from app.viewport.strokes import Strokes
from neural_assets_core.geometry import CORNER_SIGNS, EDGES, FACES, Box, Camera
from neural_assets_core.geometry.rays import NEAR, project_segments

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_EDGES = np.array(EDGES)
_FACES = np.array(FACES)
_FACE_SIDES = np.stack([_FACES, np.roll(_FACES, -1, axis=1)], axis=-1)
"""(6, 4, 2) corner indices of the sides of each face."""
_EDGE_FACES = np.array(
    [[f for f, face in enumerate(FACES) if a in face and b in face] for a, b in EDGES]
)
"""(12, 2) the two faces that meet at each edge."""
_FACE_AXES = np.arange(6) // 2
_FACE_SIGNS = np.where(np.arange(6) % 2, 1.0, -1.0)

_FRONT = 1
"""The face +x: objects look along their x axis (`Box.yaw`)."""
_LIGHT = np.array([-0.35, -0.55, 0.76])
"""Unit direction towards the light in the world: from above, one side brighter than the next."""

_SIGN = np.array([[0.0, -8.0], [9.0, 7.0], [-9.0, 7.0]])
_SIGN_BAR = np.array([[0.0, -3.5], [0.0, 2.0]])
_SIGN_DOT = np.array([[0.0, 5.2]])


class Level(IntEnum):
    """How much a box stands out; higher ones are drawn over lower ones."""

    PLAIN = 0
    HOVERED = 1
    SELECTED = 2
    ACTIVE = 3


@dataclass(frozen=True)
class _Stack:
    """Many boxes as arrays: centres (N, 3), axes in columns (N, 3, 3), half sizes (N, 3)."""

    centers: Float
    axes: Float
    halves: Float

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> _Stack:
        return cls(
            np.array([box.center for box in boxes]),
            np.stack([box.rotation_matrix() for box in boxes]),
            0.5 * np.array([box.size for box in boxes]),
        )

    def corners(self) -> Float:
        """(N, 8, 3) world metres."""
        scaled = CORNER_SIGNS * self.halves[:, None]
        return np.asarray(self.centers[:, None] + scaled @ self.axes.transpose(0, 2, 1))

    def faces_seen(self, eye: Float) -> Bool:
        """(N, 6) whether each face looks towards the eye; none if that is inside the box."""
        local = np.einsum("nij,ni->nj", self.axes, eye - self.centers)
        return np.asarray(local[:, _FACE_AXES] * _FACE_SIGNS > self.halves[:, _FACE_AXES])


def draw_boxes(
    strokes: Strokes,
    camera: Camera,
    boxes: Sequence[Box],
    levels: Sequence[Level],
    warned: Sequence[bool],
) -> None:
    """Draw boxes so that front and back can be told apart.

    Parameters
    ----------
    strokes : Strokes
    camera : Camera
        Any; its pixels are the screen's.
    boxes : sequence of N Box
    levels : sequence of N Level
    warned : sequence of N bool
        Boxes that get a striped outline: something is wrong with them.
    """
    chosen: dict[Level, list[int]] = {level: [] for level in Level}
    for index, level in enumerate(levels):
        chosen[level].append(index)
    drawn = [
        _drawn(camera, tuple(boxes[i] for i in few), level, tuple(bool(warned[i]) for i in few))
        for level, few in chosen.items()
        if few
    ]
    if drawn:
        depths = np.concatenate([group.depths for group in drawn])
        corners = np.concatenate([group.faces for group in drawn])
        colors = np.concatenate([group.colors for group in drawn])
        far_first = np.argsort(-depths, kind="stable")
        strokes.shade(corners[far_first], colors[far_first])
    for group in drawn:
        strokes.add(group.lines)


@dataclass(frozen=True)
class _Drawn:
    """All boxes of a level.

    Attributes
    ----------
    faces : array (T, 3, 2)
        Triangles on the screen.
    colors : array (T, 4)
    depths : array (T,)
        Of the boxes that the triangles belong to, metres.
    lines : structured array (V,)
        What is drawn over the faces, as `Strokes.vertices` has it.
    """

    faces: Float
    colors: Float
    depths: Float
    lines: NDArray[np.void]


@lru_cache(maxsize=16)
def _drawn(
    camera: Camera, boxes: tuple[Box, ...], level: Level, warned: tuple[bool, ...]
) -> _Drawn:
    stack, marked = _Stack.of(boxes), np.array(warned)
    corners, seen = stack.corners(), stack.faces_seen(camera.position)
    depths = camera.to_camera(stack.centers)[:, 2]
    ends = corners[:, _EDGES].reshape(-1, 2, 3)
    segments, visible = project_segments(camera, ends[:, 0], ends[:, 1])
    edges = _Edges(segments.reshape(-1, 12, 2, 2), visible.reshape(-1, 12), seen[:, _EDGE_FACES])
    far_first, strokes = np.argsort(-depths, kind="stable"), Strokes()
    edges.draw_hidden(strokes, far_first, level)
    edges.draw_warning(strokes, far_first[marked[far_first]], level)
    _draw_front_marks(strokes, camera, stack, seen[:, _FRONT], far_first, level)
    edges.draw_visible(strokes, far_first, level)
    faces, colors, box = _shaded_faces(camera, stack, corners, seen, level)
    return _Drawn(faces, colors, depths[box], strokes.vertices())


def draw_ghosts(strokes: Strokes, camera: Camera, boxes: Sequence[Box]) -> None:
    """Where boxes stood at the press: thin outlines."""
    if boxes:
        ends = _Stack.of(boxes).corners()[:, _EDGES].reshape(-1, 2, 3)
        segments, visible = project_segments(camera, ends[:, 0], ends[:, 1])
        strokes.segments(segments[visible], style.faded(style.CASING, 0.4), 2.4)
        strokes.segments(segments[visible], style.GHOST, 1.0)


def draw_signs(strokes: Strokes, places: Float, size: float) -> None:
    """Warning signs, triangles with an exclamation mark, at screen positions (M, 2).

    `size` is relative to the usual one.
    """
    triangles = places[:, None] + size * _SIGN
    sides = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2, 2)
    marks = places[:, None] + size * _SIGN_BAR
    dots = np.repeat(places[:, None] + size * _SIGN_DOT, 2, axis=1)
    strokes.segments(sides, style.WARNING_GAP, 6.0 * size)
    strokes.triangles(triangles, style.WARNING)
    strokes.segments(sides, style.WARNING, 2.0 * size)
    strokes.segments(marks, style.WARNING_GAP, 2.2 * size)
    strokes.segments(dots, style.WARNING_GAP, 2.6 * size)


# -- edges ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Edges:
    """Edges on the screen.

    Attributes
    ----------
    segments : array (N, 12, 2, 2)
    visible : bool array (N, 12)
        Whether any of the edge is in front of the camera.
    facing : bool array (N, 12, 2)
        Whether each of the edge's two faces looks towards the camera.
    """

    segments: Float
    visible: Bool
    facing: Bool

    def draw_hidden(self, strokes: Strokes, chosen: NDArray[np.intp], level: Level) -> None:
        """Dashed: edges of which both faces look away."""
        hidden = self._of(chosen, np.logical_not(self._faces_camera()))
        color, width = style.BOX_COLORS[level], style.BOX_WIDTHS[level]
        opacity = style.HIDDEN_OPACITY[level]
        strokes.segments(hidden, style.faded(style.CASING, opacity), width + 1.0, dash=style.DASH)
        strokes.segments(hidden, style.faded(color, opacity), 0.8 * width, dash=style.DASH)

    def draw_warning(self, strokes: Strokes, chosen: NDArray[np.intp], level: Level) -> None:
        """Stripes along the outline: edges of which one face looks away."""
        outline = self._of(chosen, self.facing[..., 0] != self.facing[..., 1])
        width = style.WARNING_WIDTHS[level]
        strokes.segments(outline, style.WARNING_GAP, width)
        strokes.segments(outline, style.WARNING, width, dash=style.WARNING_DASH)

    def draw_visible(self, strokes: Strokes, chosen: NDArray[np.intp], level: Level) -> None:
        """Solid, on a darker line that shows them on any picture."""
        front = self._of(chosen, self._faces_camera())
        color, width = style.BOX_COLORS[level], style.BOX_WIDTHS[level]
        strokes.segments(front, style.CASING, width + 2.0)
        strokes.segments(front, color, width)

    def _faces_camera(self) -> Bool:
        return self.facing[..., 0] | self.facing[..., 1]

    def _of(self, chosen: NDArray[np.intp], kind: Bool) -> Float:
        return self.segments[chosen][(self.visible & kind)[chosen]]


# -- faces ---------------------------------------------------------------------------------------


def _shaded_faces(
    camera: Camera, stack: _Stack, corners: Float, seen: Bool, level: Level
) -> tuple[Float, Float, NDArray[np.intp]]:
    """All faces that look towards the camera: triangles, their colours, and whose they are."""
    box, face = np.nonzero(seen)
    normals = stack.axes[box, :, _FACE_AXES[face]] * _FACE_SIGNS[face, None]
    light = 0.5 + 0.5 * normals @ _LIGHT
    colors = np.empty((len(box), 4))
    colors[:, :3] = np.array(style.BOX_COLORS[level][:3]) * light[:, None] ** 2
    colors[:, 3] = style.FACE_OPACITY[level]
    triangles, visible = _face_triangles(camera, corners[box[:, None, None], _FACE_SIDES[face]])
    owner, _ = np.nonzero(visible)
    return triangles[visible], colors[owner], box[owner]


def _face_triangles(camera: Camera, sides: Float) -> tuple[Float, Bool]:
    """Faces, cut at the near plane, as triangles on the screen.

    Parameters
    ----------
    camera : Camera
    sides : array (M, 4, 2, 3)
        World metres: the ends of each face's four sides.

    Returns
    -------
    triangles : array (M, 4, 3, 2)
        From each side to a point of the face.
    visible : bool array (M, 4)
    """
    flat = sides.reshape(-1, 2, 3)
    segments, visible = project_segments(camera, flat[:, 0], flat[:, 1])
    segments, visible = segments.reshape(-1, 4, 2, 2), visible.reshape(-1, 4)
    # The side that the cut itself makes needs no triangle if the common point lies on it.
    behind = (camera.to_camera(sides)[..., 2] < NEAR) & visible[..., None]
    weights = np.where(np.any(behind, axis=(1, 2), keepdims=True), behind, visible[..., None])
    total = np.maximum(weights.sum(axis=(1, 2)), 1)[:, None]
    common = (segments * weights[..., None]).sum(axis=(1, 2)) / total
    apex = np.broadcast_to(common[:, None, None], (*visible.shape, 1, 2))
    return np.concatenate([segments, apex], axis=2), visible


# -- the front -----------------------------------------------------------------------------------


def _draw_front_marks(
    strokes: Strokes,
    camera: Camera,
    stack: _Stack,
    front_seen: Bool,
    chosen: NDArray[np.intp],
    level: Level,
) -> None:
    """An arrowhead on the ground before the front: filled if the front can be seen, else hollow."""
    axes, halves = stack.axes[chosen], stack.halves[chosen]
    ahead, aside = axes[..., 0], axes[..., 1]
    foot = stack.centers[chosen] + ahead * halves[:, :1] - axes[..., 2] * halves[:, 2:]
    depth = np.maximum(camera.to_camera(foot)[:, 2], NEAR)
    # In proportion to the box, but never too small to read nor larger than it needs to be.
    small, large = (pixels * depth / camera.k[0, 0] for pixels in style.FRONT_MARK)
    reach = np.clip(0.4 * halves[:, :2].min(axis=1), small, large)[:, None]
    points = np.stack(
        [foot + reach * aside, foot + 1.6 * reach * ahead, foot - reach * aside], axis=1
    )
    pixels = camera.project(points)
    whole = pixels[..., 2].min(axis=1) > NEAR
    pixels, filled = pixels[whole, :, :2], front_seen[chosen][whole]
    outlines = np.stack([pixels, np.roll(pixels, -1, axis=1)], axis=2)
    color = style.BOX_COLORS[level]
    strokes.segments(outlines.reshape(-1, 2, 2), style.CASING, 3.2)
    strokes.triangles(pixels[filled], color)
    strokes.segments(outlines.reshape(-1, 2, 2), color, 1.2)
