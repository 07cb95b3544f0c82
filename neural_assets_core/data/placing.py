"""Where the objects of a made scene stand, and how they move from frame to frame.

Positions are those of the objects' own frames (origin under the middle of the tight box), world
metres, ground z = 0; rotations are quaternions (w, x, y, z).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.cameras import corners_of, well_seen
from neural_assets_core.data.families import MadeObject
from neural_assets_core.data.families.parts import Float
from neural_assets_core.geometry import Camera

Rng = np.random.Generator

MARGIN = 0.012
"""Least gap between the footprints of two objects as a rule, metres."""
CONTACT = 0.001
"""The same where objects stand close together."""


def apart(a: Float, b: Float, margin: float = MARGIN) -> bool:
    """Whether the footprints of two boxes, given by corners (8, 3), are `margin` metres apart.

    Separating axes: the horizontal directions of both boxes' sides. For tilted boxes this is
    conservative, never wrong.
    """
    for corners in (a, b):
        for other in (corners[4] - corners[0], corners[2] - corners[0]):
            axis = other[:2] / max(float(np.linalg.norm(other[:2])), 1e-9)
            p, q = a[:, :2] @ axis, b[:, :2] @ axis
            if p.max() + margin < q.min() or q.max() + margin < p.min():
                return True
    return False


def upright(angle: float) -> Float:
    """(4,) the quaternion of a turn by `angle` radians about the vertical."""
    return np.array([math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)])


def first_layout(rng: Rng, objects: list[MadeObject]) -> tuple[Float, Float]:
    """A compact group around the origin: (N, 3) positions, (N, 4) rotations.

    In a part of the groups, objects touch or nearly do.
    """
    positions, rotations = [], []
    placed: list[Float] = []
    close = rng.random() < 0.35
    margin, density = (CONTACT, 0.06) if close else (MARGIN, 0.17)
    radius = density * math.sqrt(len(objects) - 1) + 0.02
    for item in objects:
        while True:
            reach = radius * math.sqrt(float(rng.random()))
            angle = float(rng.uniform(0, 2 * math.pi))
            position = np.array([reach * math.cos(angle), reach * math.sin(angle), 0.0])
            rotation = upright(float(rng.uniform(-math.pi, math.pi)))
            corners = corners_of(item, position, rotation)
            if all(apart(corners, other, margin) for other in placed):
                break
            radius *= 1.01 if close else 1.03
        positions.append(position)
        rotations.append(rotation)
        placed.append(corners)
    return np.array(positions), np.array(rotations)


def moved_layout(
    rng: Rng, objects: list[MadeObject], positions: Float, rotations: Float, camera: Camera
) -> tuple[Float, Float]:
    """The objects of the first frame displaced and turned, each on its own.

    In some frames none moves, in some only one does.
    """
    style = float(rng.random())
    still = 1.0 if style < 0.08 else 0.18
    mover = int(rng.integers(len(objects))) if style > 0.75 else None
    for _ in range(6):
        out_positions, out_rotations = positions.copy(), rotations.copy()
        placed: list[Float] = []
        # Objects that stay take their places before those that look for one.
        for k in sorted(rng.permutation(len(objects)), key=lambda k: k == mover):
            unmoved = rng.random() < still if mover is None else k != mover
            for attempt in range(30):
                position, rotation = positions[k], rotations[k]
                if not unmoved and attempt < 29:
                    position, rotation = _moved(rng, objects[k], position, rotation)
                corners = corners_of(objects[k], position, rotation)
                if all(apart(corners, other, CONTACT) for other in placed) and (
                    unmoved or attempt == 29 or well_seen(camera, corners)
                ):
                    out_positions[k], out_rotations[k] = position, rotation
                    placed.append(corners)
                    break
                # Somebody else may have taken the place of an unmoved object.
                unmoved = False
            else:
                break
        if len(placed) == len(objects):
            return out_positions, out_rotations
    return positions.copy(), rotations.copy()


def _moved(rng: Rng, item: MadeObject, position: Float, rotation: Float) -> tuple[Float, Float]:
    length = float(item.size.max())
    reach = float(rng.uniform(0.0, 1.7)) * length
    angle = float(rng.uniform(0, 2 * math.pi))
    out = position + np.array([reach * math.cos(angle), reach * math.sin(angle), 0.0])
    turn = float(rng.uniform(-math.pi, math.pi) if rng.random() < 0.5 else rng.normal(0, 0.4))
    base = Rotation.from_quat(rotation, scalar_first=True)
    spun = Rotation.from_rotvec([0, 0, turn]) * base
    if rng.random() < 0.06:  # a small share is lifted, or tilted and resting on an edge
        tilt = float(rng.uniform(-0.5, 0.5)) * float(rng.random() < 0.6)
        heading = float(rng.uniform(0, 2 * math.pi))
        lean = Rotation.from_rotvec([tilt * math.cos(heading), tilt * math.sin(heading), 0])
        spun = lean * spun
        low = float(corners_of(item, out, spun.as_quat(scalar_first=True))[:, 2].min())
        lift = float(rng.uniform(0.0, 0.5)) * length if tilt == 0 else 0.0
        out = out + np.array([0, 0, lift - low])
    return out, np.asarray(spun.as_quat(scalar_first=True))
