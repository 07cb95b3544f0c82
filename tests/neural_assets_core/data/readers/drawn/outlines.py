"""Known boxes, and pictures of them from their projected corners."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
"""Corners p0 to p7: x slowest, z fastest."""
COLOURS = ((200, 60, 40), (40, 90, 210))


@dataclass
class Truth:
    """Pixel positions (8, 2) of corners, by frame and object; pictures, masks."""

    corners: list[list[np.ndarray]] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)


@dataclass
class Cuboid:
    """Size, rotation and place in the format's own world; all sides differ."""

    center: tuple[float, float, float]
    size: tuple[float, float, float]
    turn: Rotation

    def points(self, signs: np.ndarray = SIGNS) -> np.ndarray:
        return self.turn.apply(signs / 2 * np.array(self.size)) + np.array(self.center)


def draw(width: int, height: int, outlines: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Picture and ids; outlines (n, 2) of pixel positions, the last in front."""
    image = np.full((height, width, 3), 140, dtype=np.uint8)
    image[::8] = 120
    ids = np.zeros((height, width), dtype=np.uint8)
    at = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    for number, points in enumerate(outlines, start=1):
        hull = points[ConvexHull(points).vertices]
        edges = np.roll(hull, -1, axis=0) - hull
        away = at[:, :, None] - hull
        # On the same side of all edges; vertices go around counter-clockwise.
        inside = (edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0] >= 0).all(axis=-1)
        image[inside], ids[inside] = COLOURS[number - 1], number
    return image, ids


def looking(eye, target, up) -> np.ndarray:
    """(4, 4) camera to world: axes right, up, backward, as OpenGL and Blender have them."""
    back = np.subtract(eye, target) / np.linalg.norm(np.subtract(eye, target))
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = eye
    return pose


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
