"""Thin two-sided surfaces: leaves, walls of paper or icing."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.families.parts import Float, Material, Part, part_of


def _sheet(rows: Float, normals: Float, look: Material) -> Part:
    """A two-sided sheet over a grid of points (R, C, 3) with normals of the same shape."""
    down, across = rows.shape[:2]
    count = down * across
    u, v = np.meshgrid(np.linspace(0, 1, across), np.linspace(0, 1, down))
    a = (np.arange(down - 1)[:, None] * across + np.arange(across - 1)).ravel()
    front = np.concatenate(
        [
            np.column_stack([a, a + 1, a + 1 + across]),
            np.column_stack([a, a + 1 + across, a + across]),
        ]
    )
    quads = [np.array([k, k + 1, k + across, k + 1 + across], dtype=np.int32) for k in a]
    return part_of(
        np.concatenate([rows.reshape(-1, 3)] * 2),
        np.concatenate([normals.reshape(-1, 3), -normals.reshape(-1, 3)]),
        np.tile(np.column_stack([u.ravel(), v.ravel()]), (2, 1)),
        np.concatenate([front, front + count]).astype(np.int32),
        quads,
        look,
    )


def ribbon(path: Float, width: Float, look: Material) -> Part:
    """A flat two-sided band, such as a leaf, along a path (N, 3); `width` (N,) is its half width.

    It lies as level as the path allows.
    """
    along = np.gradient(path, axis=0)
    side = np.cross(np.array([0.0, 0.0, 1.0]), along)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    normal = np.cross(along, side)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    edges = [path - width[:, None] * side, path + width[:, None] * side]
    return _sheet(np.stack(edges, axis=1), np.stack([normal, normal], axis=1), look)


def wall(path: Float, low: float, high: float, look: Material) -> Part:
    """An upright two-sided sheet over a path (N, 2) on the ground, from `low` to `high`."""
    along = np.gradient(path, axis=0)
    normal = np.column_stack([along[:, 1], -along[:, 0], np.zeros(len(path))])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    rows = np.stack([np.column_stack([path, np.full(len(path), z)]) for z in (low, high)])
    return _sheet(rows, np.stack([normal, normal]), look)
