"""Unit quaternions (w, x, y, z): the little of them that boxes need.

Not scipy's: that asks of every argument whether it is a torch tensor, and fails while another
thread is still importing torch.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]


def matrices(quaternions: ArrayLike) -> Float:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4), which need not be of unit length."""
    q = np.asarray(quaternions, dtype=np.float64)
    q = q / np.sqrt((q * q).sum(axis=-1, keepdims=True))
    w, x, y, z = (q[..., index] for index in range(4))
    ww, xx, yy, zz = w * w, x * x, y * y, z * z
    xy, xz, yz, wx, wy, wz = x * y, x * z, y * z, w * x, w * y, w * z
    made = np.empty((*q.shape[:-1], 3, 3))
    made[..., 0, 0], made[..., 1, 1], made[..., 2, 2] = (
        ww + xx - yy - zz, ww - xx + yy - zz, ww - xx - yy + zz,
    )  # fmt: skip
    made[..., 0, 1], made[..., 1, 0] = 2 * (xy - wz), 2 * (xy + wz)
    made[..., 0, 2], made[..., 2, 0] = 2 * (xz + wy), 2 * (xz - wy)
    made[..., 1, 2], made[..., 2, 1] = 2 * (yz - wx), 2 * (yz + wx)
    return made


def about(axis: ArrayLike, angle: float) -> Float:
    """(4,) the turn by `angle` radians about a direction (3,)."""
    direction = np.asarray(axis, dtype=np.float64)
    turned = math.sin(0.5 * angle) * direction / np.linalg.norm(direction)
    return np.array([math.cos(0.5 * angle), *turned])


def product(second: ArrayLike, first: ArrayLike) -> Float:
    """(4,) first the one turn, then the other."""
    p, q = np.asarray(second, dtype=np.float64), np.asarray(first, dtype=np.float64)
    (a, b), (u, v) = (p[0], q[0]), (p[1:], q[1:])
    return np.array([a * b - u @ v, *(a * v + b * u + np.cross(u, v))])
