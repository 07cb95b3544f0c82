"""Random composition of made clips: objects, ground, light, and how things move.

A plan is pure data derived from a seed; `render` turns it into pictures. World: z up, metres,
ground z = 0. All cameras are planned for a unit-less square picture and resized on rendering,
so that the same clip can be rendered at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.cameras import corners_of, first_camera, moved_camera, well_seen
from neural_assets_core.data.families import SEEN, UNSEEN, MadeObject, make_object
from neural_assets_core.data.families.parts import Float
from neural_assets_core.data.placing import first_layout, moved_layout
from neural_assets_core.data.settling import Settling
from neural_assets_core.data.surroundings import Surroundings, make_surroundings
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera

Rng = np.random.Generator

SPLITS = {"train": 0, "heldout": 1}
PILED = 0.15
"""Share of the clips whose objects were dropped and lie where they came to rest."""


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


def plan_clip(
    seed: int, split: str, index: int, frames: int, families: Sequence[str] = SEEN
) -> ClipPlan:
    """Compose clip `index` of a dataset.

    The result depends only on the arguments. The splits use disjoint seed streams, and the
    instances of the held-out split have odd parameter seeds, those of the train split even ones.
    More `frames` extend a clip without changing its first ones.
    """
    stream = np.random.SeedSequence((seed, SPLITS[split], index))
    return compose(stream, split, f"{index:06d}", frames, families)


def compose(
    stream: np.random.SeedSequence,
    split: str,
    name: str,
    frames: int,
    families: Sequence[str],
    piled: float = PILED,
    count: int | None = None,
) -> ClipPlan:
    """A clip from a stream of its own; see `plan_clip`. `piled` is the share of piled groups.

    `count` is the number of objects; drawn if not given.

    Raises
    ------
    UserError
        If the benchmark's own families are asked for in training data.
    """
    if split == "train" and (kept := set(families) & set(UNSEEN)):
        raise UserError(
            f"The families {', '.join(sorted(kept))} are kept for the benchmark; "
            "train on other ones."
        )
    layout, look, *later = (np.random.default_rng(s) for s in stream.spawn(2 + frames - 1))
    objects = _objects(layout, SPLITS[split], families, count)
    settling = Settling(objects) if layout.random() < piled else None
    poses = [_first_poses(layout, objects, settling)]
    camera = first_camera(layout, objects, *poses[0])
    cameras = [camera]
    for rng in later:
        if settling is None:
            poses.append(moved_layout(rng, objects, *poses[0], camera))
        else:
            poses.append(_dropped(rng, objects, settling, camera) or poses[0])
        cameras.append(moved_camera(rng, camera, poses[-1][0], objects))
    return ClipPlan(
        name=name,
        objects=tuple(objects),
        names=_names([item.category for item in objects]),
        positions=np.stack([p for p, _ in poses]),
        rotations=np.stack([r for _, r in poses]),
        cameras=tuple(cameras),
        surroundings=make_surroundings(look, camera),
    )


def _first_poses(
    rng: Rng, objects: list[MadeObject], settling: Settling | None
) -> tuple[Float, Float]:
    """(N, 3) positions and (N, 4) rotations of a group that stands or lies around the origin."""
    if settling is not None:
        for _ in range(4):
            poses = settling.drop(rng)
            if poses is not None:
                return poses
    return first_layout(rng, objects)


def _dropped(
    rng: Rng, objects: list[MadeObject], settling: Settling, camera: Camera
) -> tuple[Float, Float] | None:
    """The group dropped anew so that the camera sees it, or None if that fails."""
    if rng.random() < 0.15:  # only the camera moves
        return None
    for _ in range(2):
        poses = settling.drop(rng)
        if poses is not None and all(
            well_seen(camera, corners_of(item, *pose))
            for item, *pose in zip(objects, *poses, strict=True)
        ):
            return poses
    return None


def _objects(
    rng: Rng, parity: int, families: Sequence[str], wanted: int | None
) -> list[MadeObject]:
    """As many instances as wanted, else one to eight; as a rule of different families."""
    drawn = int(rng.choice(8, p=[0.12, 0.22, 0.22, 0.17, 0.12, 0.07, 0.05, 0.03])) + 1
    count = wanted or drawn
    categories = [str(c) for c in rng.choice(list(families), count, replace=count > len(families))]
    if count > 1 and rng.random() < 0.2:  # two of a kind, told apart by their looks
        categories[1] = categories[0]
    objects = []
    for category in categories:
        instance = 2 * int(rng.integers(2**60)) + parity
        extent = float(rng.uniform(0.22, 0.44))
        objects.append(make_object(category, np.random.default_rng(instance), extent))
    return objects


def _names(categories: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for category in categories:
        names.append(free_name(category, names))
    return tuple(names)


def free_name(category: str, taken: Sequence[str]) -> str:
    """The category, numbered from 2 where others have it already."""
    same = sum(name == category or name.startswith(f"{category} ") for name in taken)
    return f"{category} {same + 1}" if category in taken else category
