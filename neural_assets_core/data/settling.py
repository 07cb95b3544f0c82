"""Tilted and piled poses: objects dropped in MuJoCo's dynamics until they lie still.

An object collides as the convex hulls of its larger parts, each thinned to the points that are
farthest in a few dozen directions; what is smaller than that, or flat, does not collide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco as mj
import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.cameras import corners_of
from neural_assets_core.data.families import MadeObject
from neural_assets_core.data.families.parts import Float
from neural_assets_core.data.placing import apart, upright

Rng = np.random.Generator

STEP = 0.005
STEPS = 320
STILL = 0.06
"""Below this speed (m/s, rad/s) everything lies still."""
REACH = 1.0
"""What comes to rest farther from the origin has rolled away, metres."""
LARGEST_PARTS = 8
SMALLEST_PART = 0.15
"""Share of the object's longest side below which a part does not collide."""


class Settling:
    """The dynamics of a group of objects on the ground z = 0."""

    def __init__(self, objects: Sequence[MadeObject]) -> None:
        self._objects = tuple(objects)
        spec = mj.MjSpec()
        spec.option.timestep = STEP
        spec.option.integrator = mj.mjtIntegrator.mjINT_IMPLICITFAST
        contact = {"friction": [0.9, 0.01, 0.004], "condim": 6}
        spec.worldbody.add_geom(type=mj.mjtGeom.mjGEOM_PLANE, size=[5, 5, 1], **contact)
        for number, item in enumerate(self._objects):
            body = spec.worldbody.add_body(name=f"object{number}")
            joint = body.add_freejoint()
            joint.damping = [0.0008, 0, 0]
            for k, points in enumerate(_hulls(item)):
                name = f"object{number}_{k}"
                spec.add_mesh(name=name, uservert=points.ravel())
                body.add_geom(type=mj.mjtGeom.mjGEOM_MESH, meshname=name, density=200.0, **contact)
        self._model = spec.compile()
        self._data = mj.MjData(self._model)

    def drop(self, rng: Rng) -> tuple[Float, Float] | None:
        """Drop all objects in random poses, some onto others.

        Returns
        -------
        positions : array (N, 3), metres
        rotations : array (N, 4), quaternions (w, x, y, z)
            Or None instead of both if one rolled away.
        """
        model, data = self._model, self._data
        mj.mj_resetData(model, data)
        data.qpos[:] = self._start(rng).ravel()
        for step in range(STEPS):
            mj.mj_step(model, data)
            if step % 20 == 19 and np.abs(data.qvel).max() < STILL:
                break
        poses = data.qpos.reshape(-1, 7)
        positions, rotations = poses[:, :3].copy(), poses[:, 3:].copy()
        if not np.isfinite(poses).all() or np.abs(positions[:, :2]).max() > REACH:
            return None
        for item, position, rotation in zip(self._objects, positions, rotations, strict=True):
            # Soft contacts and parts that do not collide sink in a little.
            position[2] -= min(0.0, _lowest(item, position, rotation))
        return positions, rotations

    def _start(self, rng: Rng) -> Float:
        """(N, 7) positions and rotations in the air, one above the other where they overlap."""
        out: list[Float] = []
        placed: list[Float] = []
        spread = 0.13 * math.sqrt(len(self._objects))
        for item in self._objects:
            heading = float(rng.uniform(-math.pi, math.pi))
            turn = Rotation.from_quat(upright(heading), scalar_first=True)
            if rng.random() < 0.6:
                turn = turn * Rotation.random(rng=rng)
            rotation = turn.as_quat(scalar_first=True)
            angle, reach = float(rng.uniform(-math.pi, math.pi)), spread * float(rng.random())
            position = np.array([reach * math.cos(angle), reach * math.sin(angle), 0.0])
            corners = corners_of(item, position, rotation)
            below = [float(c[:, 2].max()) for c in placed if not apart(corners, c)]
            lift = max(below, default=0.0) + 0.005 - float(corners[:, 2].min())
            position[2] += lift
            placed.append(corners + (0, 0, lift))
            out.append(np.concatenate([position, rotation]))
        return np.array(out)


def _lowest(item: MadeObject, position: Float, rotation: Float) -> float:
    down = Rotation.from_quat(rotation, scalar_first=True).as_matrix()[2]
    used = (part.vertices[np.unique(part.faces)] for part in item.parts)
    return float(position[2]) + min(float((points @ down).min()) for points in used)


def _directions() -> Float:
    """(48, 3) unit vectors spread over the sphere."""
    k = np.arange(48) + 0.5
    z, angle = 1 - 2 * k / 48, math.pi * (1 + math.sqrt(5)) * k
    flat = np.sqrt(1 - z**2)
    return np.column_stack([flat * np.cos(angle), flat * np.sin(angle), z])


_SPREAD = _directions()


def _hulls(item: MadeObject) -> list[Float]:
    """Point sets (M, 3) whose convex hulls stand for the object."""
    hulls = []
    for part in item.parts:
        points = part.vertices[np.unique(part.faces)]
        extent = float(np.linalg.norm(np.ptp(points, axis=0)))
        points = points[np.unique((points @ _SPREAD.T).argmax(axis=0))]
        thickness = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[-1]
        if extent > SMALLEST_PART * item.size.max() and thickness > 0.01 * extent:
            hulls.append((extent, points))
    hulls.sort(key=lambda pair: -pair[0])
    whole = item.center + 0.5 * item.size * np.array(
        [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    )
    return [points for _, points in hulls[:LARGEST_PARTS]] or [whole]
