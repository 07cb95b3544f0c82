"""Random composition of made clips: objects, ground, light, and how things move.

A plan is pure data derived from a seed; `render` turns it into pictures. World: z up, metres,
ground z = 0. All cameras are planned for a unit-less square picture and resized on rendering,
so that the same clip can be rendered at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.families import FAMILIES, MadeObject, make_object
from neural_assets_core.data.families.parts import Float
from neural_assets_core.data.surroundings import Surroundings, make_surroundings
from neural_assets_core.geometry import CORNER_SIGNS, Box, Camera

Rng = np.random.Generator

SPLITS = {"train": 0, "heldout": 1}
MARGIN = 0.012
"""Least gap between the footprints of two objects, metres."""


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """Everything about a clip except its pixels.

    `positions` (F, N, 3) metres and `rotations` (F, N, 4) quaternions (w, x, y, z) place the
    objects' own frames (origin under the middle of the box) in the world.
    """

    name: str
    objects: tuple[MadeObject, ...]
    names: tuple[str, ...]
    positions: Float
    rotations: Float
    cameras: tuple[Camera, ...]
    surroundings: Surroundings

    def box(self, frame: int, index: int) -> Box:
        """The tight box of object `index` in frame `frame`, world metres."""
        item = self.objects[index]
        turn = Rotation.from_quat(self.rotations[frame, index], scalar_first=True)
        center = self.positions[frame, index] + turn.apply(item.center)
        w, x, y, z = (float(q) for q in self.rotations[frame, index])
        cx, cy, cz = (float(c) for c in center)
        sx, sy, sz = (float(s) for s in item.size)
        return Box(center=(cx, cy, cz), size=(sx, sy, sz), rotation=(w, x, y, z))


def plan_clip(seed: int, split: str, index: int, frames: int) -> ClipPlan:
    """Compose clip `index` of a dataset.

    The result depends only on the arguments. The splits use disjoint seed streams, and the
    instances of the held-out split have odd parameter seeds, those of the train split even ones.
    More `frames` extend a clip without changing its first ones.
    """
    number = SPLITS[split]
    stream = np.random.SeedSequence((seed, number, index))
    layout, look, *later = (np.random.default_rng(s) for s in stream.spawn(2 + frames - 1))
    count = int(layout.choice([1, 2, 3, 4, 5], p=[0.14, 0.26, 0.28, 0.20, 0.12]))
    categories = [str(c) for c in layout.choice(list(FAMILIES), count, replace=False)]
    if count > 1 and layout.random() < 0.2:  # two of a kind, told apart by their looks
        categories[1] = categories[0]
    objects = []
    for category in categories:
        instance = 2 * int(layout.integers(2**60)) + number
        extent = float(layout.uniform(0.27, 0.40))
        objects.append(make_object(category, np.random.default_rng(instance), extent))
    names = [
        c if categories.index(c) == k else f"{c} {categories[: k + 1].count(c)}"
        for k, c in enumerate(categories)
    ]
    poses = [_first_layout(layout, objects)]
    camera = _first_camera(layout, objects, *poses[0])
    cameras = [camera]
    for rng in later:
        positions, rotations = _moved_layout(rng, objects, *poses[0], camera)
        poses.append((positions, rotations))
        cameras.append(_moved_camera(rng, camera, positions, objects))
    surroundings = make_surroundings(look, camera)
    return ClipPlan(
        name=f"{index:06d}",
        objects=tuple(objects),
        names=tuple(names),
        positions=np.stack([p for p, _ in poses]),
        rotations=np.stack([r for _, r in poses]),
        cameras=tuple(cameras),
        surroundings=surroundings,
    )


# -- placing objects -----------------------------------------------------------------------------


def _corners(item: MadeObject, position: Float, rotation: Float) -> Float:
    """(8, 3) world corners of an object's box."""
    turn = Rotation.from_quat(rotation, scalar_first=True)
    return np.asarray(position + turn.apply(item.center + 0.5 * CORNER_SIGNS * item.size))


def _apart(a: Float, b: Float) -> bool:
    """Whether the footprints of two boxes, given by their corners (8, 3), are disjoint.

    Separating axes: the horizontal directions of both boxes' sides. For tilted boxes this is
    conservative, never wrong.
    """
    for corners in (a, b):
        for other in (corners[4] - corners[0], corners[2] - corners[0]):
            axis = other[:2] / max(float(np.linalg.norm(other[:2])), 1e-9)
            p, q = a[:, :2] @ axis, b[:, :2] @ axis
            if p.max() + MARGIN < q.min() or q.max() + MARGIN < p.min():
                return True
    return False


def _yaw(angle: float) -> Float:
    return np.array([math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)])


def _first_layout(rng: Rng, objects: list[MadeObject]) -> tuple[Float, Float]:
    """A compact group around the origin: (N, 3) positions, (N, 4) rotations."""
    positions, rotations = [], []
    placed: list[Float] = []
    radius = 0.17 * math.sqrt(len(objects) - 1) + 0.02
    for item in objects:
        while True:
            reach = radius * math.sqrt(float(rng.random()))
            angle = float(rng.uniform(0, 2 * math.pi))
            position = np.array([reach * math.cos(angle), reach * math.sin(angle), 0.0])
            rotation = _yaw(float(rng.uniform(-math.pi, math.pi)))
            corners = _corners(item, position, rotation)
            if all(_apart(corners, other) for other in placed):
                break
            radius *= 1.03
        positions.append(position)
        rotations.append(rotation)
        placed.append(corners)
    return np.array(positions), np.array(rotations)


def _moved_layout(
    rng: Rng, objects: list[MadeObject], positions: Float, rotations: Float, camera: Camera
) -> tuple[Float, Float]:
    """The objects of the first frame displaced and turned, each on its own."""
    for _ in range(6):
        out_positions, out_rotations = positions.copy(), rotations.copy()
        placed: list[Float] = []
        for k in rng.permutation(len(objects)):
            unmoved = rng.random() < 0.18
            for attempt in range(30):
                position, rotation = positions[k], rotations[k]
                if not unmoved and attempt < 29:
                    position, rotation = _moved(rng, objects[k], position, rotation)
                corners = _corners(objects[k], position, rotation)
                if all(_apart(corners, other) for other in placed) and (
                    unmoved or attempt == 29 or _well_seen(camera, corners)
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
        low = float(_corners(item, out, spun.as_quat(scalar_first=True))[:, 2].min())
        lift = float(rng.uniform(0.0, 0.5)) * length if tilt == 0 else 0.0
        out = out + np.array([0, 0, lift - low])
    return out, np.asarray(spun.as_quat(scalar_first=True))


# -- cameras -------------------------------------------------------------------------------------


def _normalised(camera: Camera, points: Float) -> Float:
    """(N, 2) positions in the picture, (0, 0) the middle and +-1 the borders."""
    projected = camera.project(points)
    projected[projected[:, 2] < 0.05] = np.nan
    return np.asarray(projected[:, :2] / (0.5 * camera.width) - 1.0)


def _well_seen(camera: Camera, corners: Float) -> bool:
    """Inside the picture for the most part, neither tiny nor filling it."""
    at = _normalised(camera, corners)
    if not np.isfinite(at).all():
        return False
    width = float(np.ptp(at[:, 0])) / 2
    middle = float(np.abs(at.mean(axis=0)).max())
    return 0.12 <= width <= 0.62 and middle <= 0.84 and float(np.abs(at).max()) <= 1.25


def _first_camera(
    rng: Rng, objects: list[MadeObject], positions: Float, rotations: Float
) -> Camera:
    """Looks at the group from a distance at which it fills most of the picture."""
    corners = np.concatenate(
        [_corners(item, p, r) for item, p, r in zip(objects, positions, rotations, strict=True)]
    )
    azimuth = float(rng.uniform(-math.pi, math.pi))
    elevation = math.radians(float(rng.triangular(10, 24, 50)))
    fov = math.radians(float(rng.uniform(35, 60)))
    fill = float(rng.uniform(*{1: (0.40, 0.72), 2: (0.64, 0.90)}.get(len(objects), (0.76, 0.98))))
    middle = 0.5 * (corners.min(axis=0) + corners.max(axis=0)) + rng.normal(0, 0.015, 3)
    away = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    for _ in range(3):
        near, far = 0.3, 6.0
        for _ in range(16):
            distance = 0.5 * (near + far)
            camera = _looking(middle + distance * away, middle, fov, 0.0)
            at = _normalised(camera, corners)
            if np.isfinite(at).all() and float(np.abs(at).max()) <= fill:
                far = distance
            else:
                near = distance
        # Aim at the middle of what is seen: perspective shifts it from the middle in space.
        camera = _looking(middle + far * away, middle, fov, 0.0)
        at = _normalised(camera, corners)
        right, down = 0.5 * (at.min(axis=0) + at.max(axis=0)) * far * math.tan(fov / 2)
        middle = middle + right * camera.extrinsics[0, :3] + down * camera.extrinsics[1, :3]
    return _looking(middle + far * away, middle, fov, math.radians(float(rng.normal(0, 1.2))))


def _looking(eye: Float, target: Float, fov: float, roll: float) -> Camera:
    ex, ey, ez = (float(v) for v in eye)
    tx, ty, tz = (float(v) for v in target)
    camera = Camera.looking_at((ex, ey, ez), (tx, ty, tz), 1000, 1000, fov)
    return _turned(camera, np.zeros(3), np.array([0.0, 0.0, roll]))


def _turned(camera: Camera, shift: Float, turn: Float) -> Camera:
    """Shifted by `shift` (metres, camera axes) and turned by the rotation vector `turn`."""
    step = np.eye(4)
    step[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    step[:3, 3] = -step[:3, :3] @ shift
    return Camera.from_matrices(camera.width, camera.height, camera.k, step @ camera.extrinsics)


def _moved_camera(rng: Rng, camera: Camera, positions: Float, objects: list[MadeObject]) -> Camera:
    """In half of the frames the first camera itself, else one close to it."""
    if rng.random() < 0.5:
        return camera
    middles = positions + np.array([item.center for item in objects])
    distance = float(np.median(camera.project(middles)[:, 2]))
    for _ in range(12):
        shift = rng.uniform(-1, 1, 3) * distance * 0.09
        turn = np.radians(rng.normal(0, 1, 3) * (2.2, 2.2, 1.0))
        candidate = _turned(camera, shift, turn)
        at = _normalised(candidate, middles)
        if (
            candidate.position[2] > 0.08
            and np.isfinite(at).all()
            and float(np.abs(at).max()) < 0.92
        ):
            return candidate
    return camera
