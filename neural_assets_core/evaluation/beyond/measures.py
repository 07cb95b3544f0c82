"""What is measured in the pictures of a trial: rows of figures, one for each picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.animation.flicker import measure_flicker
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.beyond.synthesis import (
    both_shown,
    contested,
    distances,
    heading_error,
    place_of,
    share_nearer,
    swapped,
    turn_to,
)
from neural_assets_core.evaluation.beyond.trials import DISTINCT, Trial
from neural_assets_core.evaluation.composition import copies_there
from neural_assets_core.evaluation.judge import Judge
from neural_assets_core.evaluation.methods import Method
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.evaluation.scores import (
    NAN,
    SMALLEST_BACKGROUND,
    UNCHANGED,
    background_change,
    pose_scores,
    untouched,
)
from neural_assets_core.scene import Picture

RIGHT = 15.0
"""Degrees by which a heading may be off to count as right."""
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """Figures of one picture, or of all pictures of a turn together.

    Attributes
    ----------
    angle : float
        By how much the first edited object was turned, degrees; nan of a whole turn.
    area : float
        Share of the picture that it covers in the truth, %.
    figures : dict
        By the names of `summary.MEASURES`; what does not apply is not there.
    """

    method: str
    case: str
    task: str
    group: str
    kind: str
    objects: int
    angle: float
    area: float
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Look:
    """What the judge recognises an object by in a picture, and in the truth."""

    row: Row
    seen: Vector
    truth: Vector


def measure(
    trials: Iterable[Trial],
    methods: Sequence[Method],
    judge: Judge,
    tell: Callable[[int], object] = lambda done: None,
) -> list[Row]:
    """The rows of all trials, of each for all methods; `tell` is told how many are done."""
    rows: list[Row] = []
    looks: list[_Look] = []
    for done, trial in enumerate(trials, start=1):
        cases, turns = trial.cases(), trial.task == "turn"
        known = [_identity(case, case.target.image, judge) for case in cases if turns]
        for method in methods:
            pictures = [method.picture(case) for case in cases]
            if turns:
                whole, *found = _turn(method.name, trial, cases, pictures)
                rows += [whole, *found]
                seen = [_identity(*pair, judge) for pair in zip(cases, pictures, strict=True)]
                looks += map(_Look, found, seen, known)
            else:
                figures = _ALONE[trial.task](trial, cases[0], pictures[0], judge)
                rows.append(_row(method.name, trial, cases[0], figures))
        tell(done)
    _recognise(looks)
    return rows


def _row(
    method: str, trial: Trial, case: Case, figures: dict[str, float], angle: float | None = None
) -> Row:
    area = 100 * float((case.target.mask == trial.edited[0]).mean())
    asked = turned_by(case) if angle is None else angle
    about = trial.name, trial.task, trial.group, trial.kind, trial.objects
    return Row(method, *about, asked, area, figures)


def turned_by(case: Case) -> float:
    """How far the first edited object was turned about the vertical, degrees from 0 to 180."""
    boxes = [
        next(item.box for item in frame.objects if item.id == case.edited[0])
        for frame in (case.source, case.target)
    ]
    turn = boxes[1].rotation_matrix() @ boxes[0].rotation_matrix().T
    return abs(math.degrees(math.atan2(turn[1, 0], turn[0, 0])))


# -- one picture ----------------------------------------------------------------------------------


def _pose(trial: Trial, case: Case, picture: Image, judge: Judge) -> dict[str, float]:
    place = place_of([case.target, *trial.others], trial.edited[0])
    error = heading_error(distances(picture, trial.others, place), trial.angles)
    pose = pose_scores(case, judge.read(picture, case.regions))
    return {
        **{name: pose[name] for name in ("silhouette_iou", "centroid_error", "size_error")},
        "orientation_error": error,
        "oriented": 100.0 * (error <= RIGHT),
        "background_error": background_change(case, picture),
        "background_pixels": _changed_pixels(case, picture),
        "others_error": _others_error(case, picture),
    }


def _changed_pixels(case: Case, picture: Image) -> float:
    """Share of the pixels far from the edit that are not the source's, %."""
    place = untouched(case)
    if place.mean() < SMALLEST_BACKGROUND:
        return NAN
    return 100 * float((_difference(picture, case.source.image)[place] > UNCHANGED).mean())


def _others_error(case: Case, picture: Image) -> float:
    """Mean difference from the source of objects that nobody touched, % of the range."""
    same = _difference(case.source.image, case.target.image) <= UNCHANGED
    place = same & (case.target.mask > 0) & ~np.isin(case.target.mask, case.edited)
    if not place.any():
        return NAN
    change = np.abs(picture.astype(np.int16) - case.source.image.astype(np.int16))
    return 100 * float(change[place].mean()) / 255


def _difference(a: Image, b: Image) -> NDArray[np.int16]:
    """(height, width) largest difference over the channels, levels."""
    difference = np.abs(a.astype(np.int16) - b.astype(np.int16))
    return np.asarray(difference.max(axis=2), dtype=np.int16)


def _flip(trial: Trial, case: Case, picture: Image, judge: Judge) -> dict[str, float]:
    place = place_of([case.target, *trial.others], trial.edited[0])
    right, unrotated, mirror = distances(picture, [case.target, *trial.others], place)
    # A thing with a plane of symmetry is its own mirror image.
    handed = distances(case.target.image, trial.others[1:], place)[0] >= DISTINCT
    return {
        "flipped": 100.0 * (right < unrotated and not (handed and mirror < right)),
        "unrotated": 100.0 * (unrotated < right),
        "mirrored": 100.0 * (mirror < right) if handed else NAN,
    }


def _collision(trial: Trial, case: Case, picture: Image, judge: Judge) -> dict[str, float]:
    answers = case.target, trial.others, trial.edited
    order = share_nearer(picture, case.target.image, swapped(*answers), contested(*answers))
    return {"in_order": 100 * order, "both_there": 100.0 * both_shown(picture, *answers)}


def _count(trial: Trial, case: Case, picture: Image, judge: Judge) -> dict[str, float]:
    there = copies_there(case, picture, judge)
    return {
        "counted": 100 * there / trial.objects,
        "all_there": 100.0 * (there == trial.objects),
    }


_ALONE: dict[str, Callable[[Trial, Case, Image, Judge], dict[str, float]]] = {
    "pose": _pose,
    "flip": _flip,
    "collision": _collision,
    "count": _count,
}


# -- a turn ---------------------------------------------------------------------------------------


def _turn(method: str, trial: Trial, cases: Sequence[Case], pictures: Sequence[Image]) -> list[Row]:
    """A row for the whole turn, then one for each angle."""
    views, angles = trial.targets[:-1], trial.angles[:-1]
    place = place_of(views, trial.edited[0])
    rows = []
    for case, picture, angle in zip(cases, pictures, trial.angles, strict=True):
        off = [turn_to(other - angle) for other in angles]
        error = heading_error(distances(picture, views, place), off)
        rows.append(_row(method, trial, case, {"orientation_error": error}, angle))
    flicker = measure_flicker([case.scene for case in cases], map(Picture, pictures))
    whole = {
        "closing": float(np.abs(place.of(pictures[0]) - place.of(pictures[-1])).mean()),
        "flicker": NAN if flicker.objects is None else flicker.objects,
    }
    return [_row(method, trial, cases[0], whole, math.nan), *rows]


def _identity(case: Case, picture: Image, judge: Judge) -> Vector:
    return judge.read(picture, case.regions)[0].identity


def _recognise(looks: Sequence[_Look]) -> None:
    """Likeness to the truth at that angle, and whether no view of another instance is nearer."""
    known = {(look.row.case, look.row.angle): look.truth for look in looks}
    names, views = np.array([case for case, _ in known]), np.array(list(known.values()))
    for look in looks:
        figures, own = look.row.figures, float(look.seen @ look.truth)
        figures["similarity"] = own
        rivals = views[names != look.row.case]
        if len(rivals):
            figures["identity"] = 100.0 * (own > float((rivals @ look.seen).max()))


__all__ = ["RIGHT", "Row", "measure", "turned_by"]
