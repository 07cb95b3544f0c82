"""Edits that are hard in one way each, with their truth.

Their scenes are of the held-out stream with a seed of their own: neither training nor the
benchmark has any of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from neural_assets_core.data.cameras import in_picture
from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.edits import (
    SMALLEST_AREA,
    Edit,
    beside,
    changed,
    edit_between,
    heading,
    is_free,
    stands,
    turned,
)
from neural_assets_core.data.families import SEEN, MadeObject
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Float, lathe
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, compose
from neural_assets_core.data.placing import moved_layout
from neural_assets_core.errors import UserError

SEED = 40_001
ATTEMPTS = 400
ROUND = ("bottle", "drum", "cake", "lamp", "trophy", "plant")
"""Families that are nearly the same from all sides: a label, a spout or a drip tells them."""

Rng = np.random.Generator
Pair = tuple[ClipPlan, ClipPlan, tuple[int, ...]]
"""Before, after, and the numbers of the objects asked for."""
Shares = tuple[float, float]
CLEAR: Shares = (0.7, 1.0)


@dataclass(frozen=True)
class Kind:
    """One way of being hard.

    Attributes
    ----------
    title, about : str
        For the page: a few words, and one sentence on what is asked.
    propose : callable
        An edit of this kind of a plan, or None if the plan does not suit.
    before, after : (least, most)
        Share of the edited object that can be seen in source and truth.
    objects : (least, most)
        How many objects the picture has.
    """

    title: str
    about: str
    propose: Callable[[Rng, ClipPlan], Pair | None]
    before: Shares = CLEAR
    after: Shares = CLEAR
    objects: tuple[int, int] = (1, 5)
    families: Sequence[str] = SEEN


def make_hard_edit(name: str, number: int, size: int) -> Edit:
    """Edit `number` of a kind in `KINDS`, `size` pixels a side; always the same one.

    Raises
    ------
    UserError
        If none is found that can be seen as the kind asks.
    """
    kind = KINDS[name]
    for attempt in range(ATTEMPTS):
        # None of these words may be zero: trailing zeros do not change a seed sequence.
        words = (SEED, SPLITS["heldout"], 1 + list(KINDS).index(name), 1 + number, 1 + attempt)
        scene, edit = np.random.SeedSequence(words).spawn(2)
        plan = compose(scene, "heldout", name, 1, kind.families, piled=0.0)
        if not kind.objects[0] <= len(plan.objects) <= kind.objects[1]:
            continue
        pair = kind.propose(np.random.default_rng(edit), plan)
        made = None if pair is None else _rendered(name, number, pair, size)
        if made is not None:
            return made
    raise UserError(f"No edit {name!r} was found that can be seen well: raise ATTEMPTS.")


def _rendered(name: str, number: int, pair: Pair, size: int) -> Edit | None:
    """The edit in pictures, or None if too little or too much can be seen of what it edits."""
    kind, (source, target, numbers) = KINDS[name], pair
    edit = edit_between(name, f"{name}-{number:02d}", source, target, (), size)
    seen = tuple(
        k + 1
        for k in numbers
        if (edit.target.mask == k + 1).mean() >= SMALLEST_AREA
        and _is_shown(edit.source, k, kind.before)
        and _is_shown(edit.target, k, kind.after)
    )
    return replace(edit, edited=seen) if seen else None


def _is_shown(frame: AnnotatedFrame, k: int, shares: Shares) -> bool:
    return shares[0] <= frame.objects[k].visible_fraction <= shares[1]


# -- the kinds ------------------------------------------------------------------------------------


def _slide(rng: Rng, plan: ClipPlan) -> Pair | None:
    """Over free ground, by about the length of the object."""
    k = int(rng.integers(len(plan.objects)))
    length = float(plan.objects[k].size[:2].max())
    step = float(rng.uniform(0.5, 1.2)) * length * heading(rng)
    return _moved(plan, k, plan.positions[0, k] + step)


def _turn(degrees: float, rng: Rng, plan: ClipPlan) -> Pair | None:
    k = int(rng.integers(len(plan.objects)))
    rotation = turned(plan, k, math.radians(degrees) * float(rng.choice([-1, 1])))
    if not stands(plan, k, plan.objects[k], plan.positions[0, k], rotation):
        return None
    return plan, changed(plan, k, rotation=rotation), (k,)


def _round_body(rng: Rng, plan: ClipPlan) -> Pair | None:
    """A body of revolution instead of an object: moved, and turned, which nobody can see."""
    k = int(rng.integers(len(plan.objects)))
    body = revolved(rng)
    if not stands(plan, k, body, plan.positions[0, k], plan.rotations[0, k]):
        return None
    plan = changed(plan, k, item=body)
    moved = _slide(rng, changed(plan, k, rotation=turned(plan, k, 0.5 * math.pi)))
    return None if moved is None or moved[2] != (k,) else (plan, moved[1], (k,))


def _touch(rng: Rng, plan: ClipPlan) -> Pair | None:
    k, j = _two(rng, plan)
    return _moved(plan, k, beside(plan, k, j, heading(rng)))


def _pulled_out(rng: Rng, plan: ClipPlan) -> Pair | None:
    """From behind another object to where the plan has it."""
    k, j = _two(rng, plan)
    away = plan.positions[0, j] - plan.cameras[0].position
    angle = math.atan2(away[1], away[0]) + float(rng.uniform(-0.35, 0.35))
    behind = beside(plan, k, j, np.array([math.cos(angle), math.sin(angle), 0.0]))
    if not _fits(plan, k, behind):
        return None
    return changed(plan, k, position=behind), plan, (k,)


def _depth(low: float, high: float, rng: Rng, plan: ClipPlan) -> Pair | None:
    """Along the ground to `low` to `high` times the distance from the camera."""
    k = int(rng.integers(len(plan.objects)))
    foot = plan.cameras[0].position * (1, 1, 0)
    way = plan.positions[0, k] - foot
    return _moved(plan, k, foot + float(rng.uniform(low, high)) * way)


def _enlarged(rng: Rng, plan: ClipPlan) -> Pair | None:
    k = int(rng.integers(len(plan.objects)))
    item = plan.objects[k].scaled(float(rng.uniform(1.8, 2.2)))
    if not stands(plan, k, item, plan.positions[0, k], plan.rotations[0, k]):
        return None
    return plan, changed(plan, k, item=item), (k,)


def _leaves(rng: Rng, plan: ClipPlan) -> Pair | None:
    """Sideways until the middle of the box is about on the picture's left or right border."""
    k = int(rng.integers(len(plan.objects)))
    camera, start = plan.cameras[0], plan.positions[0, k]
    middle = start + plan.objects[k].center
    across, _ = in_picture(camera, middle[None])[0]
    border = float(rng.choice([-1, 1]) * rng.uniform(0.88, 1.06))
    metres = 0.5 * camera.width * float(camera.to_camera(middle[None])[0, 2]) / camera.k[0, 0]
    position = start + (border - across) * metres * camera.extrinsics[0, :3] * (1, 1, 0)
    if not _fits(plan, k, position):
        return None
    return plan, changed(plan, k, position=position), (k,)


def _enters(rng: Rng, plan: ClipPlan) -> Pair | None:
    pair = _leaves(rng, plan)
    return None if pair is None else (pair[1], pair[0], pair[2])


def _shuffled(rng: Rng, plan: ClipPlan) -> Pair | None:
    """All objects displaced and turned, each on its own."""
    objects, camera = list(plan.objects), plan.cameras[0]
    positions, rotations = moved_layout(
        rng, objects, plan.positions[0], plan.rotations[0], camera
    )
    moved = np.any(positions != plan.positions[0], axis=1)
    if moved.sum() < 4:
        return None
    target = replace(plan, positions=positions[None], rotations=rotations[None])
    return plan, target, tuple(int(k) for k in np.flatnonzero(moved))


KINDS: dict[str, Kind] = {
    "ordinary": Kind(
        "An ordinary move",
        "One object moves over free ground by about its own length: the yardstick for the rest.",
        _slide,
    ),
    "turn-45": Kind("A turn by 45°", "Most of what comes into sight was seen.", partial(_turn, 45)),
    "turn-90": Kind("A turn by 90°", "Half of what comes into sight was not seen.",
                    partial(_turn, 90)),
    "turn-180": Kind("A turn by 180°", "Nothing that comes into sight was seen.",
                     partial(_turn, 180)),
    "nearly-round": Kind(
        "Nearly round things, turned by 90°",
        "Bottles, drums, cakes, lamps, trophies and plants: the outline hardly changes, a label "
        "or a spout has to go round.",
        partial(_turn, 90),
        families=ROUND,
    ),
    "round": Kind(
        "Balls, vases and spinning tops, moved and turned by 90°",
        "Bodies that training never sees, the same from all sides: the turn must not be seen.",
        _round_body,
    ),
    "touching": Kind(
        "Up against a neighbour",
        "One object moves until its box touches another one's.",
        _touch,
        after=(0.4, 1.0),
        objects=(2, 5),
    ),
    "pulled-out": Kind(
        "Pulled out from behind another object",
        "The source shows a tenth to a half of it; the truth shows it free.",
        _pulled_out,
        before=(0.1, 0.5),
        after=(0.85, 1.0),
        objects=(2, 5),
    ),
    "leaves": Kind(
        "Half out of the picture",
        "One object moves sideways until the border cuts through its box.",
        _leaves,
        after=(0.3, 0.75),
    ),
    "enters": Kind(
        "Into the picture",
        "The border cuts through the box in the source; the truth shows the whole object.",
        _enters,
        before=(0.3, 0.75),
    ),
    "enlarged": Kind(
        "Enlarged to twice its size",
        "1.8 to 2.2 times as large in all directions; training has at most 1.6 times.",
        _enlarged,
    ),
    "far": Kind(
        "Far back",
        "One object moves to 1.5 to 2 times its distance from the camera.",
        partial(_depth, 1.5, 2.0),
    ),
    "near": Kind(
        "To the front",
        "One object moves to 0.55 to 0.7 times its distance from the camera.",
        partial(_depth, 0.55, 0.7),
    ),
    "crowd": Kind(
        "Six to eight objects, most of them moved",
        "Every object is displaced and turned on its own, all at once.",
        _shuffled,
        before=(0.3, 1.0),
        after=(0.3, 1.0),
        objects=(6, 8),
    ),
}


# -- what they share ------------------------------------------------------------------------------


def revolved(rng: Rng) -> MadeObject:
    """A ball, a vase or a spinning top with coloured rings: the same from all sides."""
    kind: Literal["ball", "vase", "top"] = ("ball", "vase", "top")[int(rng.integers(3))]
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 21)
    if kind == "ball":
        profile = np.column_stack([np.cos(angle), 1 + np.sin(angle)])
    elif kind == "vase":
        z = np.linspace(0, 1, 21)
        belly = 0.55 + float(rng.uniform(0.15, 0.3)) * np.sin(2 * np.pi * z**0.8)
        profile = np.column_stack([belly, float(rng.uniform(2.0, 3.0)) * z])
        profile = np.vstack([[0, 0], profile, [0, profile[-1, 1] - 0.05]])
    else:
        profile = np.array([[0, 0], [0.1, 0.1], [1, 0.8], [1, 1], [0.15, 1.15], [0.12, 1.6],
                            [0, 1.6]])
    profile *= float(rng.uniform(0.22, 0.4)) / max(np.ptp(profile[:, 1]), 2 * profile[:, 0].max())
    paints = np.array([t.as_bytes(t.pick(rng, t.PAINTS)) for _ in range(4)], dtype=np.uint8)
    rings = paints[rng.integers(4, size=int(rng.integers(3, 9)))]
    texture = np.repeat(np.repeat(rings, 12, axis=0)[:, None], 8, axis=1)
    points = [(float(r), float(z)) for r, z in profile]
    part = lathe(points, t.glossy((1, 1, 1), texture), slices=48)
    return MadeObject(kind, (part,), np.ptp(part.vertices, axis=0))


def _two(rng: Rng, plan: ClipPlan) -> tuple[int, int]:
    k, j = rng.choice(len(plan.objects), 2, replace=False)
    return int(k), int(j)


def _moved(plan: ClipPlan, k: int, position: Float) -> Pair | None:
    if not stands(plan, k, plan.objects[k], position, plan.rotations[0, k]):
        return None
    if not _fits(plan, k, position):
        return None
    return plan, changed(plan, k, position=position), (k,)


def _fits(plan: ClipPlan, k: int, position: Float) -> bool:
    """Whether object `k` is free of others there, on the table if there is one, and no wall."""
    item, around = plan.objects[k], plan.surroundings
    reach = 0.5 * float(np.linalg.norm(item.size[:2]))
    if around.table is not None and np.linalg.norm(position[:2]) + reach > around.table:
        return False
    for wall in around.walls:
        inward = np.array([math.cos(wall.yaw), math.sin(wall.yaw)])
        if (position[:2] - wall.foot) @ inward < reach:
            return False
    return is_free(plan, k, item, position, plan.rotations[0, k])


__all__ = ["KINDS", "Kind", "make_hard_edit", "revolved"]
