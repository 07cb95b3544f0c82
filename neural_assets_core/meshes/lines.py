"""The few thousand lines that show what a mesh is like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box
from neural_assets_core.geometry.box import Float
from neural_assets_core.meshes.reading import Mesh
from neural_assets_core.scene import Wireframe
from neural_assets_core.scene.wireframe import MAXIMUM_EDGES, MAXIMUM_POINTS

Ints = NDArray[np.int64]

_SHARP = np.cos(np.radians(30.0))
_STEPS = 4096
"""Points nearer to each other than the box's size by this are one."""

_CELLS = (96, 64, 48, 36, 28, 22, 17, 13, 10, 7, 5)


def wireframe_of(mesh: Mesh, box: Box) -> Wireframe:
    """Lines of a mesh: all of its edges, or sharp ones and those of a coarser mesh.

    Parameters
    ----------
    mesh : Mesh
    box : Box
        Around the mesh, in the mesh's own coordinates.
    """
    places = box.to_local(mesh.vertices)
    points, faces = clustered(places, mesh.faces, _STEPS)
    edges = _edges(faces)
    if max(len(edges), len(points)) > min(MAXIMUM_EDGES, MAXIMUM_POINTS):
        sharp = _sharp_edges(points, faces)
        kept = sharp if len(sharp) <= MAXIMUM_EDGES // 2 else sharp[:0]
        points, edges = _with_coarse(points, faces, kept)
    used, numbers = np.unique(edges, return_inverse=True)
    return Wireframe(points[used], numbers.reshape(-1, 2))


def clustered(points: Float, faces: Ints, cells: int) -> tuple[Float, Ints]:
    """A coarser mesh: what lies in one cell of a grid becomes one point, its mean.

    Parameters
    ----------
    points : array (N, 3)
        In [-1, 1]^3.
    faces : int array (M, 3)
    cells : int
        Along each side.

    Returns
    -------
    points : array (P, 3)
    faces : int array (Q, 3)
        Those that did not shrink to a line, each once.
    """
    cell = np.clip(((points + 1) * (0.5 * cells)).astype(np.int64), 0, cells - 1)
    keys = (cell[:, 0] * cells + cell[:, 1]) * cells + cell[:, 2]
    _, number = np.unique(keys, return_inverse=True)
    count = np.bincount(number)[:, None]
    sums = np.stack([np.bincount(number, weights=axis) for axis in points.T], axis=1)
    merged = number[faces]
    whole = (merged != np.roll(merged, 1, axis=1)).all(axis=1)
    merged = merged[whole]
    _, first = np.unique(np.sort(merged, axis=1), axis=0, return_index=True)
    return sums / count, merged[np.sort(first)]


def _edges(faces: Ints) -> Ints:
    """(E, 2) every edge once."""
    pairs = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return np.asarray(np.unique(pairs, axis=0))


def _sharp_edges(points: Float, faces: Ints) -> Ints:
    """(E, 2) edges at which the surface ends, or bends by more than 30 degrees."""
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    pairs = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, owner = pairs[order], owner[order]
    edges, first, count = np.unique(pairs, axis=0, return_index=True, return_counts=True)
    second = np.minimum(first + 1, len(owner) - 1)
    bend = np.einsum("ij,ij->i", normals[owner[first]], normals[owner[second]])
    # Windings are not to be relied on.
    return np.asarray(edges[(count != 2) | (np.abs(bend) < _SHARP)])


def _with_coarse(points: Float, faces: Ints, sharp: Ints) -> tuple[Float, Ints]:
    """Sharp edges, and the edges of the finest coarser mesh for which there is room."""
    ends = len(np.unique(sharp))
    for cells in _CELLS:
        coarse, merged = clustered(points, faces, cells)
        edges = _edges(merged)
        fits = len(edges) + len(sharp) <= MAXIMUM_EDGES and len(coarse) + ends <= MAXIMUM_POINTS
        if fits and len(edges):
            return np.concatenate([points, coarse]), np.concatenate([sharp, edges + len(points)])
    return points, sharp if len(sharp) else _edges(faces)[:MAXIMUM_EDGES]
