"""Pinhole cameras in float64: the one place where pixels, rays and metres meet.

World: right-handed, z up, metres. Camera: x right, y down, z forward. Pixel (i, j) covers
[i, i + 1) x [j, j + 1), so the centre of the image is (width / 2, height / 2).
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from neural_assets_core.geometry.box import Finite, Float, Vector3

Row3 = tuple[Finite, Finite, Finite]
Row4 = tuple[Finite, Finite, Finite, Finite]
Matrix3 = tuple[Row3, Row3, Row3]
Matrix4 = tuple[Row4, Row4, Row4, Row4]
Pixels = Annotated[int, Field(ge=1, le=1_000_000)]


class Camera(BaseModel):
    """A calibrated pinhole camera and the size of its picture.

    Attributes
    ----------
    width, height : int
        Picture size in pixels.
    intrinsics : 3 x 3 nested tuples
        K in pixels; an off-centre principal point is allowed, skew is not used.
    world_to_camera : 4 x 4 nested tuples
        Rigid transform, metres.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    width: Pixels
    height: Pixels
    intrinsics: Matrix3
    world_to_camera: Matrix4

    @field_validator("intrinsics")
    @classmethod
    def _focal_lengths_are_positive(cls, value: Matrix3) -> Matrix3:
        if value[0][0] <= 0 or value[1][1] <= 0 or value[2] != (0, 0, 1):
            raise ValueError("intrinsics need positive focal lengths and a last row of 0 0 1")
        return value

    @field_validator("world_to_camera")
    @classmethod
    def _extrinsics_are_rigid(cls, value: Matrix4) -> Matrix4:
        rotation = np.asarray(value)[:3, :3]
        rigid = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
        if not rigid or np.linalg.det(rotation) < 0 or value[3] != (0, 0, 0, 1):
            raise ValueError("world_to_camera must be a rigid transform (a rotation and a shift)")
        return value

    @classmethod
    def from_matrices(cls, width: int, height: int, k: Float, world_to_camera: Float) -> Camera:
        """Build from arrays: `k` (3, 3) in pixels, `world_to_camera` (4, 4)."""
        return cls(
            width=width,
            height=height,
            intrinsics=_rows(k),
            world_to_camera=_rows(world_to_camera),
        )

    @classmethod
    def looking_at(
        cls, eye: Vector3, target: Vector3, width: int, height: int, vertical_fov: float
    ) -> Camera:
        """A level camera at `eye` looking at `target` (world metres), `vertical_fov` radians."""
        forward = np.asarray(target, dtype=np.float64) - np.asarray(eye, dtype=np.float64)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        pose = np.eye(4)
        pose[:3, :3] = rotation
        pose[:3, 3] = -rotation @ np.asarray(eye)
        focal = 0.5 * height / math.tan(0.5 * vertical_fov)
        k = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        return cls.from_matrices(width, height, k, pose)

    # -- reading ---------------------------------------------------------------------------

    @property
    def k(self) -> Float:
        """(3, 3) intrinsics in pixels."""
        return np.asarray(self.intrinsics, dtype=np.float64)

    @property
    def extrinsics(self) -> Float:
        """(4, 4) world-to-camera."""
        return np.asarray(self.world_to_camera, dtype=np.float64)

    @property
    def camera_to_world(self) -> Float:
        """(4, 4) exact rigid inverse of the extrinsics."""
        rotation, shift = self.extrinsics[:3, :3], self.extrinsics[:3, 3]
        inverse = np.eye(4)
        inverse[:3, :3] = rotation.T
        inverse[:3, 3] = -rotation.T @ shift
        return inverse

    @property
    def position(self) -> Float:
        """(3,) the centre of projection in world metres."""
        return self.camera_to_world[:3, 3]

    @property
    def forward(self) -> Float:
        """(3,) unit viewing direction in the world."""
        return self.extrinsics[2, :3]

    # -- projecting ------------------------------------------------------------------------

    def to_camera(self, points: Float) -> Float:
        """World points (..., 3) to camera coordinates, metres."""
        return np.asarray(points) @ self.extrinsics[:3, :3].T + self.extrinsics[:3, 3]

    def project(self, points: Float) -> Float:
        """World points (..., 3) to (u px, v px, depth m).

        Depth is along the viewing axis. Points at or behind the camera plane keep their depth
        and get NaN for u and v: callers clip or refuse them, they never draw them.
        """
        local = self.to_camera(points)
        depth = local[..., 2]
        safe = np.where(depth > 1e-9, depth, np.nan)
        u = self.k[0, 0] * local[..., 0] / safe + self.k[0, 2]
        v = self.k[1, 1] * local[..., 1] / safe + self.k[1, 2]
        return np.stack([u, v, depth], axis=-1)

    def rays(self, pixels: Float) -> tuple[Float, Float]:
        """Viewing rays through pixel positions.

        Parameters
        ----------
        pixels : array (..., 2)
            Positions in pixels (a pixel's centre is at + 0.5).

        Returns
        -------
        origin : array (3,)
            World metres.
        directions : array (..., 3)
            In the world, scaled so that one unit is one metre of depth.
        """
        at = np.asarray(pixels, dtype=np.float64)
        local = np.stack(
            [
                (at[..., 0] - self.k[0, 2]) / self.k[0, 0],
                (at[..., 1] - self.k[1, 2]) / self.k[1, 1],
                np.ones(at.shape[:-1]),
            ],
            axis=-1,
        )
        return self.position, local @ self.extrinsics[:3, :3]

    # -- other pictures of the same view ------------------------------------------------------

    def resized(self, width: int, height: int) -> Camera:
        """The same view at another resolution."""
        scale = np.diag([width / self.width, height / self.height, 1.0])
        return Camera.from_matrices(width, height, scale @ self.k, self.extrinsics)

    def cropped(self, left: float, top: float, width: int, height: int) -> Camera:
        """The view through a window of the picture; (left, top) in pixels, may lie outside."""
        k = self.k
        k[0, 2] -= left
        k[1, 2] -= top
        return Camera.from_matrices(width, height, k, self.extrinsics)

    def pixel_centers(self) -> NDArray[np.float64]:
        """(height, width, 2) pixel positions (u, v) of all pixel centres."""
        u, v = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        return np.stack([u, v], axis=-1)


def _rows(matrix: Float) -> Any:
    # The model's own validation checks the shape.
    return tuple(tuple(float(x) for x in row) for row in np.asarray(matrix))
