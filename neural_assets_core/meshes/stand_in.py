"""A mesh as an object that can be placed: drawn as plain clay until an asset replaces it."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import MINIMUM_EXTENT, Float
from neural_assets_core.library import Asset, load_asset
from neural_assets_core.meshes.lines import clustered, wireframe_of
from neural_assets_core.meshes.reading import MESH_SUFFIXES, Mesh, load_mesh
from neural_assets_core.scene import Appearance, Picture, View
from neural_assets_core.scene.scene import MAXIMUM_NAME

STAND_IN = "stand-in"
"""Category of objects that are made of meshes."""

SIDE = 384
"""Pixels of the clay's picture."""

_FACES = 40_000
_CELLS = (160, 120, 90, 64)
_GREY = 128
_CLAY = np.array([168.0, 160.0, 150.0])
_LIGHT = np.array([0.5, -0.35, 0.8]) / np.linalg.norm([0.5, -0.35, 0.8])
_SEEN_FROM = (0.82, -0.46, 0.34)
"""From ahead, a little aside and above."""

_FIELD = math.radians(30.0)
_SUBPIXEL = 4


def load_placeable(path: Path) -> Asset:
    """What a file can put into a scene: an asset, or a stand-in of a mesh.

    Raises
    ------
    UserError
        If the file is neither, or is damaged.
    """
    if path.suffix.lower() in MESH_SUFFIXES:
        return stand_in(load_mesh(path))
    return load_asset(path)


def stand_in(mesh: Mesh) -> Asset:
    """An object asset of a mesh: clay in a box of its size, and its wireframe.

    Parameters
    ----------
    mesh : Mesh

    Returns
    -------
    Asset
        Its `wireframe` is the mesh's, and its category `STAND_IN`.
    """
    size = np.maximum(mesh.size, MINIMUM_EXTENT)
    box = Box(center=(0.0, 0.0, 0.5), size=(1.0, 1.0, 1.0))
    box = box.with_size(size).with_center(np.array([0.0, 0.0, 0.5 * size[2]]))
    looks = _clay(mesh, box)
    name = " ".join(mesh.name.split())[:MAXIMUM_NAME] or "mesh"
    return Asset(
        name=name, category=STAND_IN, appearance=looks, wireframe=wireframe_of(mesh, box)
    )


def _clay(mesh: Mesh, box: Box) -> Appearance:
    """The mesh in one colour, under one light."""
    away = np.asarray(_SEEN_FROM) / np.linalg.norm(_SEEN_FROM)
    reach = 1.15 * float(np.linalg.norm(box.size)) / (2 * math.sin(0.5 * _FIELD))
    middle = np.asarray(box.center)
    x, y, z = (float(side) for side in middle + reach * away)
    camera = Camera.looking_at((x, y, z), box.center, SIDE, SIDE, _FIELD)
    colors, mask, relief = _drawn(camera, box, *_few(mesh, box))
    return Appearance(
        view=View(picture=Picture(colors), camera=camera),
        box=box,
        mask=Picture(mask),
        relief=Picture(relief),
    )


def _few(mesh: Mesh, box: Box) -> tuple[Float, NDArray[np.int64]]:
    """The mesh, coarse enough to be drawn in a moment."""
    vertices, faces = mesh.vertices, mesh.faces
    for cells in _CELLS:
        if len(faces) <= _FACES:
            break
        points, faces = clustered(box.to_local(mesh.vertices), mesh.faces, cells)
        vertices = box.to_world(points)
    return vertices, faces


def _drawn(
    camera: Camera, box: Box, vertices: Float, faces: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Triangles, the farthest first.

    Returns
    -------
    colors : uint8 array (SIDE, SIDE, 3)
    mask : uint8 array (SIDE, SIDE)
    relief : uint8 array (SIDE, SIDE)
        See `Appearance.relief`.
    """
    pixels = camera.project(vertices)
    near, far = np.percentile(camera.to_camera(box.corners())[:, 2], [0, 100])
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    # Which side is out is not to be relied on: the one that is seen.
    facing = np.einsum("ij,ij->i", normals, camera.position - corners[:, 0])
    normals *= np.where(facing < 0, -1.0, 1.0)[:, None]
    shades = 0.35 + 0.65 * np.clip(0.3 + 0.7 * normals @ _LIGHT, 0, 1)
    depths = pixels[faces, 2].mean(axis=1)
    levels = 1 + 254 * np.clip((depths - near) / max(far - near, 1e-9), 0, 1)
    shapes = np.round(pixels[faces, :2] * 2**_SUBPIXEL - 2 ** (_SUBPIXEL - 1)).astype(np.int32)
    colors = np.full((SIDE, SIDE, 3), _GREY, np.uint8)
    relief = np.zeros((SIDE, SIDE), np.uint8)
    for index in np.argsort(-depths):
        color = tuple(map(float, shades[index] * _CLAY))
        cv2.fillConvexPoly(colors, shapes[index], color, cv2.LINE_8, _SUBPIXEL)
        cv2.fillConvexPoly(relief, shapes[index], round(levels[index]), cv2.LINE_8, _SUBPIXEL)
    mask = np.where(relief > 0, 255, 0).astype(np.uint8)
    return colors, mask, relief
