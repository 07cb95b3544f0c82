"""The trials of the suite, rendered once into a folder.

Layout::

    DIR/suite.json               {suite, size}
    DIR/clips/pose-3-00/         source, truth(s), wrong answers: frames as in a data set
    DIR/trials/pose-3-00.json    the rest of `Trial`

A clip that exists is whole, so that an interrupted run resumes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_assets_core.data.dataset import Clip, clip_is_complete, write_clip
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.beyond.trials import MOST, TASKS, Trial, make_trial
from neural_assets_core.files import write_atomically

SUITE = 1
"""Number of the suite: one higher whenever the generator or the list below changes."""
EACH = {"pose": 12, "turn": 6, "flip": 12, "collision": 12, "count": 12}
"""Trials of each task with each number of objects."""

Slot = tuple[str, int, int]
Progress = Callable[[int, int], None]


def slots(tasks: Sequence[str] = tuple(EACH)) -> list[Slot]:
    """(task, objects, number) of all trials, mixed so that any first part is a fair sample."""
    found = []
    for order, task in enumerate(tasks):
        counts = range(TASKS[task], MOST + 1)
        own = [(task, objects, number) for number in range(EACH[task]) for objects in counts]
        found += [((k + 0.5) / len(own), order, slot) for k, slot in enumerate(own)]
    return [slot for _, _, slot in sorted(found)]


@dataclass(frozen=True)
class Suite:
    """Rendered trials; each is read when its turn comes."""

    folder: Path
    slots: Sequence[Slot]

    def __len__(self) -> int:
        return len(self.slots)

    def __iter__(self) -> Iterator[Trial]:
        return (_read(self.folder, slot) for slot in self.slots)

    def read(self, name: str) -> Trial:
        """The trial of that name."""
        return _read(self.folder, next(slot for slot in self.slots if _name(slot) == name))


def open_suite(
    folder: Path, size: int, count: int | None = None, progress: Progress | None = None
) -> Suite:
    """The suite, or its first `count` trials; what is missing is rendered.

    Raises
    ------
    UserError
        If the folder holds another suite, or one that today's generator does not make.
    """
    chosen = slots()[:count]
    _begin(folder, size)
    missing = [not clip_is_complete(folder, _name(slot)) for slot in chosen]
    if not all(missing):
        _check_generator(folder, chosen[missing.index(False)], size)
    for index, slot in enumerate(chosen):
        if missing[index]:
            _write(folder, make_trial(*slot, size))
        if progress is not None and any(missing):
            progress(index + 1, len(chosen))
    return Suite(folder, chosen)


def _name(slot: Slot) -> str:
    task, objects, number = slot
    return f"{task}-{objects}-{number:02d}"


def _begin(folder: Path, size: int) -> None:
    wanted = {"suite": SUITE, "size": size}
    stamp = folder / "suite.json"
    if stamp.exists() and json.loads(stamp.read_text()) != wanted:
        raise UserError(
            f"{folder} holds another suite than number {SUITE} at {size} pixels: delete it, or "
            "choose another --out."
        )
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Cannot make the folder {folder} ({error.strerror}): choose another place."
        ) from None
    write_atomically(stamp, json.dumps(wanted).encode())


def _write(folder: Path, trial: Trial) -> None:
    about = {
        "group": trial.group,
        "edited": trial.edited,
        "targets": len(trial.targets),
        "angles": trial.angles,
        "kind": trial.kind,
    }
    write_atomically(folder / "trials" / f"{trial.name}.json", json.dumps(about).encode())
    # Last: it says that the trial is complete.
    write_clip(folder, trial.name, [trial.source, *trial.targets, *trial.others])


def _read(folder: Path, slot: Slot) -> Trial:
    task, objects, _ = slot
    name = _name(slot)
    about = json.loads((folder / "trials" / f"{name}.json").read_text())
    source, *frames = Clip(folder / "clips" / name)
    targets, others = frames[: about["targets"]], frames[about["targets"] :]
    edited = tuple(about["edited"])
    return Trial(
        name,
        task,
        about["group"],
        objects,
        edited,
        source,
        targets,
        others,
        about["angles"],
        about["kind"],
    )


def _check_generator(folder: Path, slot: Slot, size: int) -> None:
    """One trial is made again: a changed generator would silently mix two suites."""
    stored, made = _read(folder, slot), make_trial(*slot, size)
    same = all(
        [item.box for item in a.objects] == [item.box for item in b.objects]
        and np.abs(a.image.astype(int) - b.image.astype(int)).mean() < 2
        for a, b in zip((stored.source, *stored.targets), (made.source, *made.targets), strict=True)
    )
    if not same:
        raise UserError(
            f"The generator has changed since {folder} was rendered: delete that folder, and "
            f"raise SUITE ({SUITE}) if reports of both could be mixed up."
        )


__all__ = ["EACH", "SUITE", "Suite", "open_suite", "slots"]
