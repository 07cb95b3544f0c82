"""scipy's rotations, made safe for a program of several threads.

scipy asks of each kind of argument, the first time that it sees one, whether it is a tensor of
torch's, and fails if another thread is just then importing torch. Whoever imports this package asks
for all kinds before.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation, Slerp


def _ask() -> None:
    for quaternion in ((0.0, 0.0, 0.0, 1.0), [0.0, 0.0, 0.0, 1.0], np.array([0.0, 0.0, 0.0, 1.0])):
        Rotation.from_quat(quaternion).as_matrix()
    for angle in (0, 0.0, np.float64(0.0)):
        Rotation.from_euler("x", angle)
    turn = Rotation.from_rotvec([0.0, 0.0, 0.0]) * Rotation.from_euler("ZYX", [0.0, 0.0, 0.0])
    both = Rotation.concatenate([turn, turn])
    for time in (0.5, np.array([0.5])):
        Slerp([0.0, 1.0], both)(time)


_ask()
