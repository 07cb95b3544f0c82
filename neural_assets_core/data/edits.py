"""Ground truth for edits: a made picture, what a user asks of it, and how it would really look.

Source and target are rendered from the same plan: nothing but the edit differs, light, textures
and the other objects are the same. What each task means:

translate
    One object elsewhere on the ground: near, far, or touching a neighbour.
turn
    One object turned about the vertical through its middle, by up to 180 degrees.
scale
    One object larger or smaller, its base where it was.
remove
    One object gone, its shadow too.
insert
    An object of another picture, of the size that it has there, stands among the others.
background
    All objects in another picture's surroundings, seen by that picture's camera in that
    picture's light: somebody who puts things into another place wants them to look as if they
    were there. They keep their places to one another and the side from which they are seen.
    The other picture shows objects of its own, which the truth does not have.
camera
    Nothing moved, seen by a camera shifted and turned a little.
replace
    An object of another picture, of the size that it has there, in the place of one that is
    here, turned as that one was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from neural_assets_core.data.cameras import corners_of, moved_camera, well_seen
from neural_assets_core.data.dataset import AnnotatedFrame, ObjectAnnotation
from neural_assets_core.data.families import MadeObject
from neural_assets_core.data.families.parts import Float
from neural_assets_core.data.frames import frame_appearance, scene_from_frame, scene_from_pair
from neural_assets_core.data.made import render_frames
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, compose, free_name
from neural_assets_core.data.placing import apart, upright
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.scene import Scene, SceneObject

Rng = np.random.Generator

TASKS = ("translate", "turn", "scale", "remove", "insert", "background", "camera", "replace")
SMALLEST_AREA = 0.01
"""Share of the picture that an edited object covers at least, wherever it is to be seen; less in
proportion if the camera stands back."""
SMALLEST_SHARE = 0.4
"""Share of a single edited object that nothing hides and the borders do not cut off."""
ATTEMPTS = 120
TOUCHING = 0.001
"""Gap between the boxes of touching objects, metres."""


@dataclass(frozen=True)
class Edit:
    """One request with its answer.

    Attributes
    ----------
    task : str
        One of `TASKS`, or the caller's own word for it.
    name : str
        Task and number, for files and tables.
    scene : Scene
        The request as a user would have made it: the source picture as its view; boxes, objects,
        background or camera edited.
    source, target : AnnotatedFrame
        Objects that are in both have the same id in both.
    edited : tuple of int
        Ids of the edited objects: in `target.objects`, or in `source.objects` for "remove". For
        "background" and "camera" all objects that cover 1 % or more of both pictures.
    """

    task: str
    name: str
    scene: Scene
    source: AnnotatedFrame
    target: AnnotatedFrame
    edited: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Proposal:
    """The target's plan, its objects' ids, the edited ids, and the other picture if any."""

    target: ClipPlan
    ids: tuple[int, ...]
    edited: tuple[int, ...]
    other: ClipPlan | None = None


def make_edit(
    seed: int,
    index: int,
    task: str,
    size: int,
    families: Sequence[str],
    split: str = "heldout",
    distance: float = 1.0,
) -> Edit:
    """Edit number `index` of a task, `size` pixels a side; the same arguments, the same edit.

    Parameters
    ----------
    families : sequence of str
        Names of the object families to draw from.
    split : {"train", "heldout"}
        Whose object instances.
    distance : float
        How many times further than it was composed for the camera stands: above 1, objects are
        small in the picture.

    Raises
    ------
    UserError
        If there is no such task or split, or if no edit of these families can be seen well.
    """
    if task not in TASKS:
        raise UserError(f"There is no task {task!r}; use one of {', '.join(TASKS)}.")
    if split not in SPLITS:
        raise UserError(f"There is no split {split!r}; use one of {', '.join(SPLITS)}.")
    for attempt in range(ATTEMPTS):
        # None of these words may be zero: trailing zeros do not change a seed sequence.
        words = (seed, SPLITS[split], index, 1 + TASKS.index(task), 1 + attempt)
        first, second, third = np.random.SeedSequence(words).spawn(3)
        plan = compose(first, split, "source", 1, families, piled=0.0)
        if distance != 1.0:
            plan = stepped_back(plan, distance)
        rng = np.random.default_rng(third)
        other = None
        if task in _WITH_ANOTHER:
            other = compose(second, split, "other", 1, families, piled=0.0)
        proposal = _propose(task, rng, plan, other)
        if proposal is None:
            continue
        area = SMALLEST_AREA / max(distance, 1.0) ** 2
        edit = _rendered(task, f"{task}-{index:04d}", plan, proposal, size, area)
        if edit is not None:
            return edit
    raise UserError(f"No {task} of these families can be seen well: choose other families.")


def _propose(task: str, rng: Rng, plan: ClipPlan, other: ClipPlan | None) -> _Proposal | None:
    if other is not None:
        return _WITH_ANOTHER[task](rng, plan, other)
    return _ALONE[task](rng, plan)


# -- the tasks: a proposal, or None if this scene does not suit ---------------------------------


def _translate(rng: Rng, plan: ClipPlan) -> _Proposal | None:
    k = int(rng.integers(len(plan.objects)))
    others = [j for j in range(len(plan.objects)) if j != k]
    length = float(plan.objects[k].size[:2].max())
    kind = str(rng.choice(["near", "far", "touching"], p=[0.35, 0.4, 0.25]))
    for _ in range(40):
        if kind == "touching" and others:
            position = beside(plan, k, int(rng.choice(others)), heading(rng))
        else:
            reach = float(rng.uniform(0.25, 0.9) if kind == "near" else rng.uniform(0.9, 3.0))
            position = plan.positions[0, k] + reach * length * heading(rng)
        if stands(plan, k, plan.objects[k], position, plan.rotations[0, k]):
            return _one_changed(changed(plan, k, position=position), k)
    return None


def _turn(rng: Rng, plan: ClipPlan) -> _Proposal | None:
    k = int(rng.integers(len(plan.objects)))
    angle = float(rng.uniform(math.radians(15), math.pi)) * float(rng.choice([-1, 1]))
    rotation = turned(plan, k, angle)
    if not stands(plan, k, plan.objects[k], plan.positions[0, k], rotation):
        return None
    return _one_changed(changed(plan, k, rotation=rotation), k)


def _scale(rng: Rng, plan: ClipPlan) -> _Proposal | None:
    k = int(rng.integers(len(plan.objects)))
    factor = math.exp(float(rng.uniform(0.15, 0.5)) * float(rng.choice([-1, 1])))
    item = plan.objects[k].scaled(factor)
    if not stands(plan, k, item, plan.positions[0, k], plan.rotations[0, k]):
        return None
    return _one_changed(changed(plan, k, item=item), k)


def _remove(rng: Rng, plan: ClipPlan) -> _Proposal | None:
    k = int(rng.integers(len(plan.objects)))
    keep = [j for j in range(len(plan.objects)) if j != k]
    target = replace(
        plan,
        objects=tuple(plan.objects[j] for j in keep),
        names=tuple(plan.names[j] for j in keep),
        positions=plan.positions[:, keep],
        rotations=plan.rotations[:, keep],
    )
    return _Proposal(target, tuple(j + 1 for j in keep), (k + 1,))


def _insert(rng: Rng, plan: ClipPlan, other: ClipPlan) -> _Proposal | None:
    """The first object of `other` into `plan`."""
    item, count = other.objects[0], len(plan.objects)
    spread = float(np.linalg.norm(plan.positions[0, :, :2], axis=1).max()) + 0.35
    for _ in range(40):
        position = spread * math.sqrt(float(rng.random())) * heading(rng)
        rotation = upright(float(rng.uniform(-math.pi, math.pi)))
        if stands(plan, None, item, position, rotation):
            break
    else:
        return None
    target = replace(
        plan,
        objects=(*plan.objects, item),
        names=(*plan.names, free_name(item.category, plan.names)),
        positions=np.concatenate([plan.positions, position[None, None]], axis=1),
        rotations=np.concatenate([plan.rotations, rotation[None, None]], axis=1),
    )
    return _Proposal(target, tuple(range(1, count + 2)), (count + 1,), other)


def _replace(rng: Rng, plan: ClipPlan, other: ClipPlan) -> _Proposal | None:
    """The first object of `other` instead of one of `plan`."""
    item, count = other.objects[0], len(plan.objects)
    k = int(rng.integers(count))
    if not stands(plan, k, item, plan.positions[0, k], plan.rotations[0, k]):
        return None
    names = list(plan.names)
    names[k] = free_name(item.category, plan.names)
    target = replace(changed(plan, k, item=item), names=tuple(names))
    ids = tuple(count + 1 if j == k else j + 1 for j in range(count))
    return _Proposal(target, ids, (count + 1,), other)


def _background(rng: Rng, plan: ClipPlan, other: ClipPlan) -> _Proposal | None:
    headings = [math.atan2(c.position[1], c.position[0]) for c in (*plan.cameras, *other.cameras)]
    turn = Rotation.from_rotvec([0, 0, headings[1] - headings[0]])
    turned = turn * Rotation.from_quat(plan.rotations[0], scalar_first=True)
    target = replace(
        plan,
        positions=turn.apply(plan.positions[0])[None],
        rotations=turned.as_quat(scalar_first=True)[None],
        cameras=other.cameras,
        surroundings=other.surroundings,
    )
    seen = all(
        well_seen(target.cameras[0], corners_of(item, *pose))
        for item, *pose in zip(
            target.objects, target.positions[0], target.rotations[0], strict=True
        )
    )
    everything = tuple(range(1, len(plan.objects) + 1))
    return _Proposal(target, everything, everything, other) if seen else None


def _camera(rng: Rng, plan: ClipPlan) -> _Proposal | None:
    for _ in range(20):
        camera = moved_camera(rng, plan.cameras[0], plan.positions[0], list(plan.objects))
        if camera != plan.cameras[0]:
            everything = tuple(range(1, len(plan.objects) + 1))
            return _Proposal(replace(plan, cameras=(camera,)), everything, everything)
    return None


_WITH_ANOTHER: dict[str, Callable[[Rng, ClipPlan, ClipPlan], _Proposal | None]] = {
    "insert": _insert,
    "background": _background,
    "replace": _replace,
}
_ALONE: dict[str, Callable[[Rng, ClipPlan], _Proposal | None]] = {
    "translate": _translate,
    "turn": _turn,
    "scale": _scale,
    "remove": _remove,
    "camera": _camera,
}


# -- what they share; others make edits of their own with these ---------------------------------


def heading(rng: Rng) -> Float:
    """(3,) a horizontal unit vector."""
    angle = float(rng.uniform(-math.pi, math.pi))
    return np.array([math.cos(angle), math.sin(angle), 0.0])


def beside(plan: ClipPlan, k: int, neighbour: int, direction: Float) -> Float:
    """(3,) where object `k`, seen from the neighbour in a horizontal direction, touches its box."""
    start = plan.positions[0, neighbour] * (1, 1, 0)
    fixed = _corners(plan, neighbour)
    near, far = 0.0, 2.0
    while far - near > 0.25 * TOUCHING:
        middle = 0.5 * (near + far)
        moved = corners_of(plan.objects[k], start + middle * direction, plan.rotations[0, k])
        near, far = (near, middle) if apart(moved, fixed, TOUCHING) else (middle, far)
    return np.asarray(start + far * direction)


def turned(plan: ClipPlan, k: int, angle: float) -> Float:
    """(4,) the rotation of object `k` turned by `angle` radians about the vertical."""
    turn = Rotation.from_rotvec([0, 0, angle])
    own = Rotation.from_quat(plan.rotations[0, k], scalar_first=True)
    return np.asarray((turn * own).as_quat(scalar_first=True))


def stands(
    plan: ClipPlan, k: int | None, item: MadeObject, position: Float, rotation: Float
) -> bool:
    """Whether `item`, there instead of object `k`, is well seen and free of the others."""
    seen = well_seen(plan.cameras[0], corners_of(item, position, rotation))
    return seen and is_free(plan, k, item, position, rotation)


def is_free(
    plan: ClipPlan, k: int | None, item: MadeObject, position: Float, rotation: Float
) -> bool:
    """Whether `item`, there instead of object `k`, at most touches the others."""
    corners = corners_of(item, position, rotation)
    return all(
        apart(corners, _corners(plan, j), TOUCHING) for j in range(len(plan.objects)) if j != k
    )


def changed(
    plan: ClipPlan,
    k: int,
    *,
    position: Float | None = None,
    rotation: Float | None = None,
    item: MadeObject | None = None,
) -> ClipPlan:
    """The plan with another position, rotation or shape of object `k`."""
    positions, rotations = plan.positions.copy(), plan.rotations.copy()
    objects = list(plan.objects)
    if position is not None:
        positions[0, k] = position
    if rotation is not None:
        rotations[0, k] = rotation
    if item is not None:
        objects[k] = item
    return replace(plan, objects=tuple(objects), positions=positions, rotations=rotations)


def stepped_back(plan: ClipPlan, factor: float) -> ClipPlan:
    """The plan with the first camera `factor` times as far from the objects, looking as before."""
    camera, pose = plan.cameras[0], plan.cameras[0].extrinsics.copy()
    pose[2, 3] += (factor - 1) * float(np.median(camera.to_camera(plan.positions[0])[:, 2]))
    moved = Camera.from_matrices(camera.width, camera.height, camera.k, pose)
    return replace(plan, cameras=(moved,))


def edit_between(
    task: str, name: str, source: ClipPlan, target: ClipPlan, edited: Sequence[int], size: int
) -> Edit:
    """What turns one plan into another of the same objects, in pictures of `size` pixels.

    `edited` are ids, object k of the plans having k + 1. Nothing is asked of what can be seen.
    """
    before, after = (render_frames(plan, [0], size)[0] for plan in (source, target))
    return Edit(task, name, scene_from_pair(before, after), before, after, tuple(edited))


def _corners(plan: ClipPlan, k: int) -> Float:
    return corners_of(plan.objects[k], plan.positions[0, k], plan.rotations[0, k])


def _one_changed(target: ClipPlan, k: int) -> _Proposal:
    return _Proposal(target, tuple(range(1, len(target.objects) + 1)), (k + 1,))


def _rendered(
    task: str, name: str, plan: ClipPlan, proposal: _Proposal, size: int, area: float
) -> Edit | None:
    """The edit in pictures, or None if something edited cannot be seen well.

    `area` is the share of the picture that an edited object covers at least.
    """
    source = render_frames(plan, [0], size)[0]
    target = _numbered(render_frames(proposal.target, [0], size)[0], proposal.ids)
    other = None if proposal.other is None else render_frames(proposal.other, [0], size)[0]
    shown = {"remove": [source], "insert": [target], "replace": [target]}.get(
        task, [source, target]
    )
    # Where all objects are edited, some may be hidden.
    share = 0.0 if task in ("background", "camera") else SMALLEST_SHARE
    edited = tuple(
        k for k in proposal.edited if all(_is_shown(frame, k, area, share) for frame in shown)
    )
    if not edited:
        return None
    scene = scene_from_pair(source, target)
    if task in ("insert", "replace") and other is not None:
        item = other.objects[0]
        if not _is_shown(other, item.id, SMALLEST_AREA, 2 * SMALLEST_SHARE):
            return None
        placed = next(new for new in target.objects if new.id == edited[0])
        scene = scene.with_object(_taken(other, item, placed))
    elif other is not None:
        scene = scene.with_background(scene_from_frame(other).background)
    return Edit(task, name, scene, source, target, edited)


def _taken(frame: AnnotatedFrame, item: ObjectAnnotation, placed: ObjectAnnotation) -> SceneObject:
    """An object with its looks from `frame`, placed elsewhere."""
    view = scene_from_frame(frame).background.view
    looks = frame_appearance(frame, view, item)
    return SceneObject(name=placed.name, category=placed.category, box=placed.box, appearance=looks)


def _is_shown(frame: AnnotatedFrame, number: int, area: float, share: float) -> bool:
    """Whether the object is large enough in the picture, and this share of it is visible."""
    visible = {item.id: item.visible_fraction for item in frame.objects}[number]
    return float((frame.mask == number).mean()) >= area and visible >= share


def _numbered(frame: AnnotatedFrame, ids: tuple[int, ...]) -> AnnotatedFrame:
    """The frame with other object ids, in the order of its objects."""
    table = np.array([0, *ids], dtype=np.uint8)
    objects = tuple(replace(item, id=k) for item, k in zip(frame.objects, ids, strict=True))
    return replace(frame, mask=table[frame.mask], objects=objects)


__all__ = [
    "SMALLEST_AREA",
    "TASKS",
    "Edit",
    "beside",
    "changed",
    "edit_between",
    "heading",
    "is_free",
    "make_edit",
    "stands",
    "stepped_back",
    "turned",
]
