"""Users' own meshes as families: .glb, .gltf, .obj, .ply and .stl files.

glTF and OBJ files have y up and their front towards +z, as those formats' exporters write them;
PLY and STL files have z up and their front towards +x. Every instance is the same shape a little
stretched and tinted.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image as PILImage

from neural_assets_core.data.families.parts import (
    SMOOTH_COSINE,
    Color,
    Float,
    Index,
    Material,
    Part,
    part_of,
)
from neural_assets_core.errors import UserError

Rng = np.random.Generator

SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl")
_Y_UP = (".glb", ".gltf", ".obj")
MOST_FACES = 100_000
MOST_TEXELS = 512
"""Largest side of a texture; larger pictures are reduced."""
_CELLS = 16
"""The silhouette is made of the hulls of what lies in each cell of a grid of this many a side."""


def find_meshes(folder: Path) -> tuple[str, ...]:
    """The paths of all mesh files in a folder, sorted; each has been read once.

    Raises
    ------
    UserError
        If there is no such folder, it has no mesh files, or one of them cannot be used.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: give one with mesh files in it.")
    paths = sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise UserError(f"{folder} has no mesh files: put {', '.join(SUFFIXES)} files there.")
    for path in paths:
        _read(path)
    return tuple(paths)


def mesh_parts(path: str, rng: Rng) -> list[Part]:
    """An instance of the mesh in a file, in its own units.

    Raises
    ------
    UserError
        If the file cannot be read or holds no surface.
    """
    stretch, tint = rng.uniform(0.88, 1.12, 3), rng.uniform(0.75, 1.0, 3)
    out = []
    for part in _read(path):
        r, g, b = (float(c) for c in np.asarray(part.material.color) * tint)
        normals = part.normals / stretch
        out.append(
            replace(
                part,
                vertices=part.vertices * stretch,
                normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
                material=replace(part.material, color=(r, g, b)),
            )
        )
    return out


@lru_cache(maxsize=64)
def _read(path: str) -> tuple[Part, ...]:
    file = Path(path)
    try:
        meshes = [m for m in trimesh.load_scene(file).dump() if isinstance(m, trimesh.Trimesh)]
    # The readers of these formats raise whatever the damage leads to.
    except Exception as error:
        raise UserError(
            f"{file} cannot be read as a mesh ({type(error).__name__}): export it again."
        ) from error
    count = sum(len(mesh.faces) for mesh in meshes)
    if count > MOST_FACES:
        raise UserError(
            f"{file} has {count} triangles: reduce it to at most {MOST_FACES} and try again."
        )
    parts = tuple(
        part for mesh in meshes if (part := _part(mesh, file.suffix.lower() in _Y_UP)) is not None
    )
    if not parts:
        raise UserError(f"{file} holds no surface: export a mesh with faces.")
    return parts


def _part(mesh: Any, y_up: bool) -> Part | None:
    """The mesh with vertices of its own for each face, or None if it has no area."""
    corners = np.asarray(mesh.vertices, dtype=np.float64)[mesh.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(flat, axis=1)
    extent = float(np.ptp(corners.reshape(-1, 3), axis=0).max()) if len(corners) else 0.0
    # Also false where a coordinate is not a number.
    solid = area > 1e-10 * extent**2
    if not solid.any():
        return None
    corners, flat = corners[solid], flat[solid] / area[solid, None]
    faces = np.asarray(mesh.faces)[solid]
    soft = np.asarray(mesh.vertex_normals)[faces]
    gentle = np.einsum("ijk,ik->ij", soft, flat) > SMOOTH_COSINE
    normals = np.where(gentle[..., None], soft, flat[:, None]).reshape(-1, 3)
    uv, look = _look(mesh.visual, faces, solid)
    vertices = corners.reshape(-1, 3)
    if y_up:
        vertices, normals = vertices[:, [2, 0, 1]], normals[:, [2, 0, 1]]
    index = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    return part_of(vertices, normals, uv, index, _pieces(vertices), look)


def _pieces(vertices: Float) -> list[Index]:
    """Vertices of neighbouring faces, grouped by the cell of a grid that a face lies in."""
    middles = vertices.reshape(-1, 3, 3).mean(axis=1)
    low, span = middles.min(axis=0), float(np.ptp(middles, axis=0).max())
    cell = np.minimum((middles - low) / max(span, 1e-12) * _CELLS, _CELLS - 1).astype(np.int64)
    number = cell @ np.array([_CELLS**2, _CELLS, 1])
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    return [(3 * group[:, None] + np.arange(3)).ravel().astype(np.int32) for group in groups]


def _look(
    visual: Any, faces: NDArray[np.int64], solid: NDArray[np.bool_]
) -> tuple[Float, Material]:
    """Texture coordinates (3 M, 2) and the material: a texture, colours of faces, or grey."""
    uv = getattr(visual, "uv", None)
    if visual.kind == "texture" and uv is not None:
        image = _picture(visual.material)
        color = _tone(visual.material, (1.0, 1.0, 1.0) if image is not None else (0.7, 0.7, 0.7))
        return np.asarray(uv, dtype=np.float64)[faces].reshape(-1, 2), Material(color, image)
    if visual.kind in ("vertex", "face"):
        tones = (
            visual.vertex_colors[faces].mean(axis=1)
            if visual.kind == "vertex"
            else (visual.face_colors[solid])
        )
        return _palette(np.asarray(tones)[:, :3].round().astype(np.uint8))
    color = _tone(visual.material, (0.7, 0.7, 0.7)) if visual.kind == "texture" else (0.7, 0.7, 0.7)
    return np.zeros((3 * len(faces), 2)), Material(color)


def _palette(tones: NDArray[np.uint8]) -> tuple[Float, Material]:
    """A texture of the different colours, and for each face (all its corners) its texel."""
    colors, which = np.unique(tones, axis=0, return_inverse=True)
    side = int(np.ceil(np.sqrt(len(colors))))
    texture = np.zeros((side * side, 3), dtype=np.uint8)
    texture[: len(colors)] = colors
    row, column = np.divmod(which.reshape(-1), side)
    at = np.column_stack([(column + 0.5) / side, 1 - (row + 0.5) / side])
    return np.repeat(at, 3, axis=0), Material(texture=texture.reshape(side, side, 3))


def _picture(material: Any) -> NDArray[np.uint8] | None:
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if image is None:
        return None
    image = image.convert("RGB")
    image.thumbnail((MOST_TEXELS, MOST_TEXELS), PILImage.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.uint8)


def _tone(material: Any, default: Color) -> Color:
    """The material's own colour, or the default."""
    color = getattr(material, "baseColorFactor", None)
    if color is None and not hasattr(material, "baseColorFactor"):
        color = None if getattr(material, "image", None) is not None else material.main_color
    if color is None:
        return default
    r, g, b = (float(c) / 255 for c in np.asarray(color)[:3])
    return (r, g, b)
