"""Requests that tell one ability each, with their truth, in scenes of one to eight objects.

Scenes are of the held-out stream with a seed of their own: neither training nor another benchmark
has any of them. Every fourth trial has families that training never sees.

pose
    One object elsewhere on the ground, and turned by 15 to 180 degrees. Beside the truth, the
    same scene with the object at other headings.
turn
    One object turned in place, once round in `STEP`.
flip
    One object turned by 180 degrees in place. Beside the truth: the object as it stood, and the
    mirror image of the right one. In every other trial that must be told from it, as by lettering.
collision
    One object in front of another one, behind it, or pushed into it. Beside the truth: each of
    the two without the other.
count
    An object of its own becomes two to eight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.edits import beside, changed, heading, stands, turned
from neural_assets_core.data.families import SEEN, UNSEEN, MadeObject
from neural_assets_core.data.families.parts import Float
from neural_assets_core.data.frames import scene_from_frame, scene_from_pair
from neural_assets_core.data.made import render_frames
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, compose
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.beyond.synthesis import contested, distances, place_of, turn_to
from neural_assets_core.evaluation.composition import make_copies
from neural_assets_core.scene import Scene

SEED = 80_001
MOST = 8
"""Objects in a scene."""
TASKS = {"pose": 1, "turn": 1, "flip": 1, "collision": 2, "count": 2}
"""With how many objects each begins."""
STEP = 30
"""Between the pictures of a turn, degrees."""
HEADINGS = 24
"""That the object of a `pose` is drawn at beside the truth, 15 degrees apart."""
TELLING = 30.0
"""From this angle on, a wrong heading must show, degrees."""
DISTINCT = 12.0
"""How much, at least: root mean square of levels of 255 where the object is."""
CONTESTED = 0.0025
"""Least share of the picture in which it shows which of two objects is in front."""
AREA = 0.008
"""Least share of the picture that an edited object covers."""
CLEAR, PARTLY = 0.6, 0.3
"""Least share of it that can be seen, as a rule, and where another one is in front of it."""
ATTEMPTS = 300
AWAY = (1000.0, 0.0, -1000.0)
"""Where an object is that is not there, metres: below the ground, out of the camera's reach."""

Rng = np.random.Generator


@dataclass(frozen=True)
class Trial:
    """A source, what is asked of it, and how right and wrong answers look.

    Attributes
    ----------
    task : str
        One of `TASKS`.
    group : {"seen", "unseen"}
        Families that training sees, or not.
    objects : int
        In the truth.
    edited : tuple of int
        Ids of the objects that are looked at.
    source : AnnotatedFrame
    targets : sequence of AnnotatedFrame
        The truth; of "turn" one for each of `angles`.
    others : sequence of AnnotatedFrame
        What wrong answers would look like: see the tasks.
    angles : sequence of float
        Degrees. Of "turn", by how much the object was turned; of "pose", by how much `others`
        are turned from the truth.
    kind : str
        Of "collision": "before", "behind" or "into".
    """

    name: str
    task: str
    group: str
    objects: int
    edited: tuple[int, ...]
    source: AnnotatedFrame
    targets: Sequence[AnnotatedFrame]
    others: Sequence[AnnotatedFrame]
    angles: Sequence[float]
    kind: str = ""

    def cases(self) -> list[Case]:
        """The requests, with one truth each."""
        return [
            Case(
                self.name,
                self.group,
                self.task,
                self._request(target),
                self.source,
                target,
                self.edited,
            )
            for target in self.targets
        ]

    def _request(self, target: AnnotatedFrame) -> Scene:
        if self.task != "count":
            return scene_from_pair(self.source, target)
        scene = scene_from_frame(self.source)
        for item in target.objects[1:]:
            scene = scene.duplicated(scene.objects[0].name, item.box)
        return scene


@dataclass(frozen=True, eq=False)
class _Draft:
    """Plans of the same objects; `edited` are their numbers. `others` may need more objects."""

    source: ClipPlan
    targets: list[ClipPlan]
    others: list[ClipPlan]
    edited: tuple[int, ...]
    angles: list[float]
    least: float = CLEAR
    kind: str = ""


def make_trial(task: str, objects: int, number: int, size: int) -> Trial:
    """Trial `number` of a task in scenes of so many objects; always the same one.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    objects : int
        From what the task begins with to `MOST`.
    size : int
        Side of the pictures, pixels.

    Raises
    ------
    UserError
        If no scene is found in which the task can be told.
    """
    group, families = ("unseen", UNSEEN) if (number + objects) % 4 == 3 else ("seen", SEEN)
    name = f"{task}-{objects}-{number:02d}"
    if task == "count":
        edit = make_copies(number, size, objects, families)
        frames = edit.source, [edit.target]
        return Trial(name, task, group, objects, edit.edited, *frames, [], [])
    for attempt in range(ATTEMPTS):
        # None of these words may be zero: trailing zeros do not change a seed sequence.
        words = (1 + list(TASKS).index(task), objects, 1 + number, 1 + attempt)
        first, second = np.random.SeedSequence((SEED, SPLITS["heldout"], *words)).spawn(2)
        plan = compose(first, "heldout", name, 1, families, piled=0.0, count=objects)
        draft = _PROPOSE[task](np.random.default_rng(second), plan, number)
        trial = None if draft is None else _rendered(name, group, draft, size)
        if trial is not None and is_telling(trial, handed=number % 2 == 1):
            return trial
    raise UserError(f"No {task} of {objects} objects can be told: choose larger pictures.")


def _rendered(name: str, group: str, draft: _Draft, size: int) -> Trial | None:
    """The trial, or None if its objects cannot be seen well in source and truth."""
    count = len(draft.source.objects)
    first = _pictures([draft.source, draft.targets[0]], size)
    if not _all_shown(first[:1], draft.edited, CLEAR):
        return None
    if not _all_shown(first[1:], draft.edited, draft.least):
        return None
    targets = first[1:] + _pictures(draft.targets[1:], size)
    if not _all_shown(targets, draft.edited, draft.least):
        return None
    others = _pictures(draft.others, size)
    task, ids = name.split("-")[0], tuple(k + 1 for k in draft.edited)
    return Trial(name, task, group, count, ids, first[0], targets, others, draft.angles, draft.kind)


def _pictures(plans: Sequence[ClipPlan], size: int) -> list[AnnotatedFrame]:
    """First frames of plans; those of the same objects in a row share a renderer."""
    frames: list[AnnotatedFrame] = []
    for _, same in groupby(plans, key=lambda plan: plan.objects):
        alike = list(same)
        together = replace(
            alike[0],
            positions=np.concatenate([plan.positions[:1] for plan in alike]),
            rotations=np.concatenate([plan.rotations[:1] for plan in alike]),
            cameras=alike[0].cameras[:1] * len(alike),
        )
        frames += render_frames(together, range(len(alike)), size)
    return frames


def _all_shown(frames: Sequence[AnnotatedFrame], edited: Sequence[int], least: float) -> bool:
    return all(
        frame.objects[k].visible_fraction >= least and float((frame.mask == k + 1).mean()) >= AREA
        for frame in frames
        for k in edited
    )


def is_telling(trial: Trial, *, handed: bool = False) -> bool:
    """Whether what is wrong would show: things that look alike from two sides tell nothing.

    With `handed`, the mirror image of a flipped object must show too.
    """
    truth = trial.targets[0]
    if trial.task == "collision":
        return float(contested(truth, trial.others, trial.edited).mean()) >= CONTESTED
    views = list(trial.targets[:-1] if trial.task == "turn" else [truth, *trial.others])
    place = place_of(views, trial.edited[0])
    if trial.task == "flip":
        unrotated, mirror = distances(truth.image, trial.others, place)
        return bool(unrotated >= DISTINCT and (mirror >= DISTINCT or not handed))
    angles = np.array(trial.angles[:-1] if trial.task == "turn" else [0.0, *trial.angles])
    for index in range(len(views) if trial.task == "turn" else 1):
        off = np.abs([turn_to(angle - angles[index]) for angle in angles]) >= TELLING
        if distances(views[index].image, views, place)[off].min() < DISTINCT:
            return False
    return True


# -- the tasks: plans, or None if this scene does not suit -----------------------------------------


def _pose(rng: Rng, plan: ClipPlan, number: int) -> _Draft | None:
    k = int(rng.integers(len(plan.objects)))
    item, length = plan.objects[k], float(plan.objects[k].size[:2].max())
    for _ in range(40):
        angle = float(rng.uniform(math.radians(15), math.pi)) * float(rng.choice([-1, 1]))
        position = plan.positions[0, k] + float(rng.uniform(0.3, 1.5)) * length * heading(rng)
        rotation = turned(plan, k, angle)
        if stands(plan, k, item, position, rotation):
            break
    else:
        return None
    target = changed(plan, k, position=position, rotation=rotation)
    # Shifted by chance: the truth itself must not be among what it is compared with.
    step = 360.0 / HEADINGS
    shift = float(rng.uniform(-0.5, 0.5)) * step
    angles = [turn_to(shift + step * number) for number in range(HEADINGS)]
    others = [changed(target, k, rotation=turned(target, k, math.radians(a))) for a in angles]
    return _Draft(plan, [target], others, (k,), angles)


def _turn(rng: Rng, plan: ClipPlan, number: int) -> _Draft | None:
    k = int(rng.integers(len(plan.objects)))
    angles = [float(angle) for angle in range(0, 361, STEP)]
    targets = [changed(plan, k, rotation=turned(plan, k, math.radians(a))) for a in angles]
    item = plan.objects[k]
    if not all(stands(t, k, item, t.positions[0, k], t.rotations[0, k]) for t in targets):
        return None
    return _Draft(plan, targets, [], (k,), angles)


def _flip(rng: Rng, plan: ClipPlan, number: int) -> _Draft | None:
    k = int(rng.integers(len(plan.objects)))
    item, rotation = plan.objects[k], turned(plan, k, math.pi)
    if not stands(plan, k, item, plan.positions[0, k], rotation):
        return None
    target = changed(plan, k, rotation=rotation)
    return _Draft(plan, [target], [plan, changed(target, k, item=mirrored(item))], (k,), [])


def mirrored(item: MadeObject) -> MadeObject:
    """Its mirror image in the plane through its middle from which left and right are told."""
    sign = np.array([1.0, -1.0, 1.0])
    parts = tuple(
        replace(
            part,
            vertices=part.vertices * sign,
            normals=part.normals * sign,
            faces=np.ascontiguousarray(part.faces[:, ::-1]),
        )
        for part in item.parts
    )
    return replace(item, parts=parts)


def _collision(rng: Rng, plan: ClipPlan, number: int) -> _Draft | None:
    k, j = (int(n) for n in rng.choice(len(plan.objects), 2, replace=False))
    kind = ("before", "behind", "into")[(number + len(plan.objects)) % 3]
    near = plan.cameras[0].position - plan.positions[0, j]
    angle = math.atan2(near[1], near[0]) + float(rng.uniform(-0.6, 0.6))
    if kind == "behind" or (kind == "into" and rng.random() < 0.5):
        angle += math.pi
    direction = np.array([math.cos(angle), math.sin(angle), 0.0])
    start, touching = plan.positions[0, j] * (1, 1, 0), beside(plan, k, j, direction)
    if kind == "into":
        position = start + float(rng.uniform(0.45, 0.8)) * (touching - start)
    else:
        length = float(plan.objects[k].size[:2].max())
        position = touching + float(rng.uniform(0.0, 0.5)) * length * direction
    if not _fits(plan, k, j, kind, position):
        return None
    target = changed(plan, k, position=position)
    without = [changed(target, gone, position=np.array(AWAY)) for gone in (k, j)]
    return _Draft(plan, [target], without, (k, j), [], PARTLY, kind)


def _fits(plan: ClipPlan, k: int, j: int, kind: str, position: Float) -> bool:
    """Whether object `k` is well seen there and free of all others; pushed into j, but for it."""
    if kind == "into":
        plan = changed(plan, j, position=np.array(AWAY))
    return stands(plan, k, plan.objects[k], position, plan.rotations[0, k])


_PROPOSE: dict[str, Callable[[Rng, ClipPlan, int], _Draft | None]] = {
    "pose": _pose,
    "turn": _turn,
    "flip": _flip,
    "collision": _collision,
}


__all__ = ["MOST", "STEP", "TASKS", "TELLING", "Trial", "is_telling", "make_trial", "mirrored"]
