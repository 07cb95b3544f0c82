"""Meshes read from files of strangers: one file, limited, and nothing that it refers to."""

from __future__ import annotations

import io
import json
import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry.box import MINIMUM_EXTENT, Float

MESH_SUFFIXES = frozenset({".obj", ".glb", ".ply", ".stl"})
MAXIMUM_BYTES = 200 * 2**20
MAXIMUM_FACES = 2_000_000
MAXIMUM_PARTS = 10_000
"""Placed pieces of a GLB file, some of them perhaps the same one over and over."""

MILLIMETRES_FROM = 20.0
"""A thing so large, in the file's own unit, is one of a few millimetres or metres in
millimetres: rooms are smaller, and printers count in those."""

_Y_UP = frozenset({".glb", ".obj"})
_FROM_Y_UP: Float = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Theirs: y up, front along z. Ours: z up, front along x."""


@dataclass(frozen=True)
class Mesh:
    """Triangles.

    Attributes
    ----------
    name : str
        The file's, without its ending.
    vertices : array (N, 3)
        Metres, z up; standing on z = 0 with their middle over the origin.
    faces : int array (M, 3)
        Indices of vertices.
    """

    name: str
    vertices: Float
    faces: NDArray[np.int64]

    @property
    def size(self) -> Float:
        """(3,) metres along x, y and z."""
        return np.asarray(np.ptp(self.vertices, axis=0))


def load_mesh(path: str | Path, scale: float | None = None) -> Mesh:
    """Read a mesh file.

    Parameters
    ----------
    path : str or Path
        OBJ and GLB files have y up, PLY and STL files z. Materials, textures and whatever else
        a file refers to is left alone.
    scale : float, optional
        Metres of the file's unit. Default: 1, but a thing of `MILLIMETRES_FROM` units or more is
        taken to be in millimetres, except in GLB files, whose unit is the metre.

    Raises
    ------
    UserError
        If the file is missing, damaged, too large, needs other files, or holds no triangles.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in MESH_SUFFIXES:
        raise UserError(f"{path.name} is no mesh that can be read: choose OBJ, GLB, PLY or STL.")
    if scale is not None and not 0 < scale < np.inf:
        raise UserError(f"A scale must be greater than 0, not {scale}.")
    vertices, faces = _triangles(_content(path), kind, path.name)
    used = vertices[faces.ravel()] if len(faces) else vertices[:0]
    if not len(used):
        raise UserError(f"{path.name} holds no triangles: export it as a mesh.")
    if not np.isfinite(used).all() or np.abs(used).max() > 1e12:
        raise UserError(f"{path.name} has points that are nowhere (NaN or too far): repair it.")
    if kind in _Y_UP:
        vertices, used = vertices @ _FROM_Y_UP.T, used @ _FROM_Y_UP.T
    low, high = used.min(axis=0), used.max(axis=0)
    largest = float((high - low).max())
    if scale is None:
        scale = 1e-3 if kind != ".glb" and largest >= MILLIMETRES_FROM else 1.0
    if not MINIMUM_EXTENT <= scale * largest <= 1000:
        raise UserError(
            f"{path.name} would be {scale * largest:.3g} m large: scale it to 1 mm to 1 km first."
        )
    base = np.array([*(0.5 * (low + high))[:2], low[2]])
    return Mesh(path.stem or "mesh", scale * (vertices - base), faces)


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UserError(f"There is no file {path}: check the name.")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise UserError(
                f"{path.name} is too large (the limit is {MAXIMUM_BYTES >> 20} MiB): decimate it."
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from None


def _triangles(data: bytes, kind: str, name: str) -> tuple[Float, NDArray[np.int64]]:
    """Vertices (N, 3) and faces (M, 3) of a file's content."""
    # Late: it takes its time to load.
    import trimesh

    # It logs the tracebacks of what it raises anyway.
    logging.getLogger("trimesh").setLevel(logging.CRITICAL)
    try:
        if kind == ".glb":
            _check_claims(data)
        # From memory, without its path: so there is no other file that it could name.
        loaded: Any = trimesh.load_scene(
            io.BytesIO(data), file_type=kind[1:], resolver=None, skip_materials=True, process=False
        )
        parts = [
            (matrix, loaded.geometry[part])
            for matrix, part in map(loaded.graph.get, list(loaded.graph.nodes_geometry))
            if isinstance(loaded.geometry[part], trimesh.Trimesh)
        ]
        _check_number(parts, name)
        vertices = [
            np.asarray(part.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
            for matrix, part in parts
        ]
        starts = np.cumsum([0, *map(len, vertices)])
        faces = [
            np.asarray(part.faces, np.int64).reshape(-1, 3) + start
            for (_, part), start in zip(parts, starts[:-1], strict=True)
        ]
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{name} does not fit into memory: decimate it.") from None
    except Exception as error:  # Readers of ten formats raise whatever comes.
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(
            f"{name} is damaged, or needs other files ({reason}): export it as one GLB file."
        ) from None
    if not parts:
        return np.empty((0, 3)), np.empty((0, 3), np.int64)
    points, corners = np.concatenate(vertices), np.concatenate(faces)
    if len(corners) and (corners.min() < 0 or corners.max() >= len(points)):
        raise UserError(f"{name} is damaged: a triangle has no such corner.")
    return points, corners


def _check_claims(data: bytes) -> None:
    """Refuse a GLB file that claims to hold more numbers than its bytes do.

    An accessor without data stands for zeros: a few bytes of them would fill the memory.

    Raises
    ------
    ValueError
    """
    (length,) = struct.unpack_from("<I", data, 12)
    accessors = json.loads(data[20 : 20 + length]).get("accessors", [])
    if sum(max(int(accessor["count"]), 0) for accessor in accessors) > len(data):
        raise ValueError("it claims to hold more than it does")


def _check_number(parts: list[Any], name: str) -> None:
    # Before they are put together: the same one may be placed many times.
    number = sum(len(part.faces) for _, part in parts)
    if len(parts) > MAXIMUM_PARTS or number > MAXIMUM_FACES:
        raise UserError(
            f"{name} has {number} triangles in {len(parts)} parts (the limit is {MAXIMUM_FACES} "
            f"in {MAXIMUM_PARTS}): decimate it."
        )
