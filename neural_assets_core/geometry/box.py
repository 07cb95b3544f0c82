"""Oriented 3D boxes: an object's pose and size in one value.

Corner order (bits of the index are x, y, z; 0 = minus half extent, 1 = plus)::

          3-------7
         /|      /|        z
        / |     / |        |   y
       1-------5  |        |  /
       |  2----|--6        | /
       | /     | /         |/
       0-------4           +------ x

p0 is the origin corner, p1 = +z, p2 = +y, p4 = +x: together a local coordinate frame.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy.spatial.transform import Rotation

Float = NDArray[np.float64]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Vector3 = tuple[Finite, Finite, Finite]
Quaternion = tuple[Finite, Finite, Finite, Finite]

MINIMUM_EXTENT = 1e-3
"""Smallest side of a box in metres: handles can never turn a box inside out."""

NO_TURN = 1e-9
"""Radians that are not worth a turn."""

CORNER_SIGNS: Float = np.array(
    [[(k >> 2 & 1), (k >> 1 & 1), (k & 1)] for k in range(8)], dtype=np.float64
) * 2.0 - 1.0
"""(8, 3) signs of the corners along the box's own axes."""

EDGES: tuple[tuple[int, int], ...] = tuple(
    (k, k | bit) for bit in (4, 2, 1) for k in range(8) if not k & bit
)
"""The twelve edges as pairs of corner indices: four along x, four along y, four along z."""

FACES: tuple[tuple[int, int, int, int], ...] = (
    (0, 1, 3, 2),
    (4, 6, 7, 5),
    (0, 4, 5, 1),
    (2, 3, 7, 6),
    (0, 2, 6, 4),
    (1, 5, 7, 3),
)
"""The faces -x, +x, -y, +y, -z, +z, corners counter-clockwise seen from outside."""


class Box(BaseModel):
    """An oriented box.

    Attributes
    ----------
    center : tuple of 3 floats
        World coordinates, metres (world: right-handed, z up).
    size : tuple of 3 floats
        Full extents along the box's own x, y and z, metres, each at least `MINIMUM_EXTENT`.
    rotation : tuple of 4 floats
        Unit quaternion (w, x, y, z), box to world. Normalised on construction; w >= 0.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    center: Vector3
    size: Vector3
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)

    @field_validator("size")
    @classmethod
    def _size_is_positive(cls, size: Vector3) -> Vector3:
        if min(size) < MINIMUM_EXTENT * (1 - 1e-9):
            raise ValueError(f"a box needs sides of at least {MINIMUM_EXTENT} m, not {size}")
        return size

    @field_validator("rotation")
    @classmethod
    def _rotation_is_unit(cls, rotation: Quaternion) -> Quaternion:
        norm = math.sqrt(sum(q * q for q in rotation))
        # Infinite: the squares of finite numbers may be too large.
        if not 1e-6 <= norm < math.inf:
            raise ValueError("a rotation quaternion must be neither zero nor huge")
        # Within rounding the value is kept bit for bit, so that saving and loading is exact.
        if abs(norm - 1.0) < 1e-12 and rotation[0] >= 0:
            return rotation
        scale = math.copysign(1.0 / norm, rotation[0])
        w, x, y, z = (q * scale for q in rotation)
        return (w, x, y, z)

    # -- reading ---------------------------------------------------------------------------

    def rotation_matrix(self) -> Float:
        """(3, 3) box-to-world rotation; its columns are the box's axes in the world."""
        return _matrix(self.rotation)

    def corners(self) -> Float:
        """(8, 3) world coordinates of the corners in the order of the module's diagram."""
        half = 0.5 * np.asarray(self.size)
        return np.asarray(self.center) + (CORNER_SIGNS * half) @ self.rotation_matrix().T

    def frame_points(self) -> Float:
        """(4, 3) corners p0, p1, p2, p4: position, orientation and size in four points."""
        return self.corners()[[0, 1, 2, 4]]

    def to_local(self, points: Float) -> Float:
        """World points (..., 3) in metres to the box's frame, where the box is [-1, 1]^3."""
        local = (np.asarray(points) - np.asarray(self.center)) @ self.rotation_matrix()
        return np.asarray(local / (0.5 * np.asarray(self.size)))

    def to_world(self, points: Float) -> Float:
        """Inverse of `to_local`: box coordinates (..., 3) in [-1, 1] to world metres."""
        scaled = np.asarray(points) * (0.5 * np.asarray(self.size))
        return np.asarray(self.center) + scaled @ self.rotation_matrix().T

    def base_center(self) -> Float:
        """(3,) world centre of the face -z: what stands on the ground."""
        return self.to_world(np.array([0.0, 0.0, -1.0]))

    def yaw(self) -> float:
        """Heading of the box's x axis about the world's vertical, radians in (-pi, pi]."""
        x_axis = self.rotation_matrix()[:, 0]
        return math.atan2(x_axis[1], x_axis[0])

    # -- edits, each a new box -------------------------------------------------------------

    def translated(self, offset: Vector3 | Float) -> Box:
        """Moved by `offset`, world metres."""
        return self.with_center(np.asarray(self.center) + np.asarray(offset, dtype=np.float64))

    def rotated(
        self, axis: Vector3 | Float, angle: float, pivot: Vector3 | Float | None = None
    ) -> Box:
        """Turned by `angle` radians about the world direction `axis` through `pivot`.

        `pivot` is in world metres; None means the box's own centre.
        """
        direction = np.asarray(axis, dtype=np.float64)
        # Of a great many turns only the last one counts: the square of the number may be infinite.
        angle = math.remainder(angle, math.tau)
        turn = Rotation.from_rotvec(direction / np.linalg.norm(direction) * angle)
        if turn.magnitude() < NO_TURN:
            # A whole turn is none: the picture is the source's again, not one drawn anew.
            return self
        about = np.asarray(self.center if pivot is None else pivot, dtype=np.float64)
        center = about + turn.apply(np.asarray(self.center) - about)
        rotation = turn * Rotation.from_quat(self.rotation, scalar_first=True)
        return self.with_center(center).with_rotation(rotation.as_quat(scalar_first=True))

    def scaled(self, factor: float, pivot: Vector3 | Float | None = None) -> Box:
        """Scaled uniformly about `pivot` (world metres; None: the centre of its base).

        Sides stay at least `MINIMUM_EXTENT`.

        Raises
        ------
        ValueError
            If `factor` is not greater than 0, or not finite: nothing is turned inside out.
        """
        if not 0.0 < factor < math.inf:
            raise ValueError(f"a box is scaled by a finite factor greater than 0, not {factor}")
        size = np.maximum(np.asarray(self.size) * factor, MINIMUM_EXTENT)
        about = self.base_center() if pivot is None else np.asarray(pivot, dtype=np.float64)
        center = about + (np.asarray(self.center) - about) * factor
        return self.with_center(center).with_size(size)

    def with_center(self, center: Vector3 | Float) -> Box:
        return self._replace(center=_floats(center))

    def with_size(self, size: Vector3 | Float) -> Box:
        return self._replace(size=_floats(size))

    def with_rotation(self, rotation: Quaternion | Float) -> Box:
        return self._replace(rotation=_floats(rotation))

    def _replace(self, **fields: tuple[float, ...]) -> Box:
        # Through validation, unlike model_copy: NaN and negative sizes must not slip in.
        return Box.model_validate({**self.model_dump(), **fields})


@lru_cache(maxsize=1024)
def _matrix(rotation: Quaternion) -> Float:
    matrix = np.asarray(Rotation.from_quat(rotation, scalar_first=True).as_matrix())
    matrix.setflags(write=False)
    return matrix


def _floats(values: Vector3 | Quaternion | Float) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
