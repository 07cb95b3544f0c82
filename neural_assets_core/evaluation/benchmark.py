"""The fixed benchmark: edits with their truth, rendered once into a folder.

Layout: a data set of two-frame clips (source, truth; see `data.dataset`), and beside it::

    DIR/benchmark.json         {benchmark, size}
    DIR/scenes/000000.nascene  the request that clip 000000 answers
    DIR/scenes/000000.json     {task, group, edited}

A clip that exists is whole, so that an interrupted run resumes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from neural_assets_core.data.dataset import (
    AnnotatedFrame,
    Clip,
    ClipDataset,
    DatasetInfo,
    begin_dataset,
    clip_is_complete,
    visible_region,
    write_clip,
)
from neural_assets_core.data.edits import Edit, make_edit
from neural_assets_core.data.families import SEEN, UNSEEN
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.metrics import Image, Mask
from neural_assets_core.files import write_atomically
from neural_assets_core.proxy import appearance_mask
from neural_assets_core.scene import Scene, load_scene, save_scene

BENCHMARK = 1
"""Number of the benchmark: one higher whenever the generator or the list below changes."""
SEED = 30_001
MOST_OBJECTS = 6
SMALLEST_AREA = 0.01
"""A moved object counts if it covers at least this share of the picture in both frames."""

GROUPS = {
    "seen": (
        SEEN,
        {"translate": 60, "turn": 50, "scale": 45, "remove": 45, "insert": 40,
         "background": 30, "camera": 40},
    ),
    "unseen": (
        UNSEEN,
        {"translate": 14, "turn": 12, "scale": 10, "remove": 8, "insert": 10,
         "background": 6, "camera": 8},
    ),
}
"""Families and number of edits by task: of instances, or of families, that training never sees."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Case:
    """One request with its truth.

    Attributes
    ----------
    group, task : str
        A key of `GROUPS` and one of `TASKS`; "pairs" and "move" for pairs of a data set.
    edited : tuple of int
        Ids of the edited objects: in `target`, or in `source` for "remove".
    seed : int or None
        To draw it with; None leaves that to the settings.
    """

    name: str
    group: str
    task: str
    scene: Scene
    source: AnnotatedFrame
    target: AnnotatedFrame
    edited: tuple[int, ...]
    seed: int | None = None

    @property
    def removes(self) -> bool:
        """Whether the edited objects are gone from the truth."""
        return self.task == "remove"

    @property
    def regions(self) -> list[tuple[float, float, float, float]]:
        """2D boxes of the edited objects in the truth; where they were, if removed."""
        frame = self.source if self.removes else self.target
        return [visible_region(frame.mask, number) for number in self.edited]

    def silhouettes(self) -> list[Mask]:
        """What can be seen of the edited objects in the frame of `regions`."""
        frame = self.source if self.removes else self.target
        return [frame.mask == number for number in self.edited]

    def looks(self) -> list[tuple[Image, tuple[float, float, float, float]]]:
        """Where the request shows each edited object: a picture and a 2D box in it."""
        here = {item.id for item in self.source.objects}
        inserted = {item.id: item.name for item in self.target.objects if item.id not in here}
        out = []
        for number in self.edited:
            picture, mask = self.source.image, self.source.mask == number
            if number in inserted:
                appearance = self.scene.object(inserted[number]).appearance
                picture, mask = appearance.view.picture.pixels, appearance_mask(appearance) > 0
            out.append((picture, visible_region(mask.astype(np.uint8), 1)))
        return out


def slots(groups: Sequence[str] = tuple(GROUPS)) -> list[tuple[str, str, int]]:
    """(group, task, number) of all edits, mixed so that any first part is a fair sample."""
    found = [
        ((number + 0.5) / total, group, task, number)
        for group in groups
        for task, total in GROUPS[group][1].items()
        for number in range(total)
    ]
    return [(group, task, number) for _, group, task, number in sorted(found)]


def make_case(group: str, task: str, number: int, size: int) -> Edit:
    """Edit `number` of a task; of one to `MOST_OBJECTS` objects in source and truth."""
    families = GROUPS[group][0]
    for attempt in count():
        edit = make_edit(SEED, number + 1000 * attempt, task, size, families)
        if max(len(edit.source.objects), len(edit.target.objects)) <= MOST_OBJECTS:
            return edit
    raise AssertionError


def case_of(edit: Edit, group: str) -> Case:
    """An edit as a case of some group."""
    scenes = edit.scene, edit.source, edit.target
    return Case(edit.name, group, edit.task, *scenes, edit.edited)


def open_benchmark(
    folder: Path, size: int, pairs: int | None = None, progress: Progress | None = None
) -> list[Case]:
    """The benchmark, or its first `pairs`; what is missing is rendered.

    Raises
    ------
    UserError
        If the folder holds another benchmark, or one that today's generator does not make.
    """
    chosen = slots()[:pairs]
    _begin(folder, size, len(slots()))
    names = [f"{index:06d}" for index in range(len(chosen))]
    missing = [not clip_is_complete(folder, name) for name in names]
    if not all(missing):
        _check_generator(folder, missing.index(False), size)
    for index, (slot, name) in enumerate(zip(chosen, names, strict=True)):
        if missing[index]:
            _write(folder, name, slot, size)
        if progress is not None and any(missing):
            progress(index + 1, len(names))
    return [_read(folder, name) for name in names]


def pairs_of(data: Path, pairs: int | None = None) -> list[Case]:
    """Pairs of an annotated data set: the first two frames of clips in which an object moves.

    Raises
    ------
    UserError
        If it is no data set, or no clip has two frames in which a visible object moves.
    """
    chosen: list[Case] = []
    for clip in ClipDataset(data):
        if len(chosen) == pairs:
            break
        if len(clip) < 2:
            raise UserError(f"{clip.path} has fewer than two frames: make clips of two or more.")
        source, target = clip[0], clip[1]
        moved = moved_objects(source, target)
        if moved:
            scene = scene_from_pair(source, target)
            chosen.append(Case(clip.name, "pairs", "move", scene, source, target, moved))
    if not chosen:
        raise UserError(f"{data} holds no pair in which a visible object moves: make more clips.")
    return chosen


def moved_objects(source: AnnotatedFrame, target: AnnotatedFrame) -> tuple[int, ...]:
    """Ids of the objects that moved and cover enough of both pictures."""
    before = {item.id: item for item in source.objects}
    moved = []
    for item in target.objects:
        old = before.get(item.id)
        shares = [float(np.mean(frame.mask == item.id)) for frame in (source, target)]
        if old is not None and old.box != item.box and min(shares) >= SMALLEST_AREA:
            moved.append(item.id)
    return tuple(moved)


def fingerprint(cases: Sequence[Case]) -> str:
    """Of what the cases ask: reports with different ones must not be compared.

    Cameras, boxes and tasks, rounded; pictures differ a little from one renderer to another.
    """
    digest = hashlib.sha256()
    for case in cases:
        digest.update(f"{case.group} {case.task} {case.edited}".encode())
        for frame in (case.source, case.target):
            digest.update(_numbers(frame).tobytes())
    return digest.hexdigest()[:16]


def _numbers(frame: AnnotatedFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    boxes = [np.concatenate([item.box.center, item.box.size]) for item in frame.objects]
    parts = [frame.camera.k.ravel(), frame.camera.extrinsics.ravel(), *boxes]
    return np.asarray(np.round(1000 * np.concatenate(parts)), dtype=np.int64)


def _begin(folder: Path, size: int, total: int) -> None:
    wanted = {"benchmark": BENCHMARK, "size": size}
    stamp = folder / "benchmark.json"
    if stamp.exists() and _read_stamp(stamp) != wanted:
        raise UserError(
            f"{folder} holds another benchmark than number {BENCHMARK} at {size} pixels: delete "
            "it, or choose another --out."
        )
    begin_dataset(folder, DatasetInfo(size, total, 2, SEED, "heldout", (*SEEN, *UNSEEN)))
    (folder / "scenes").mkdir(exist_ok=True)
    write_atomically(stamp, json.dumps(wanted).encode())


def _read_stamp(stamp: Path) -> object:
    """What it says; None of a damaged one, which is no benchmark's."""
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(folder: Path, name: str, slot: tuple[str, str, int], size: int) -> None:
    group, task, _ = slot
    edit = make_case(*slot, size)
    save_scene(edit.scene, folder / "scenes" / f"{name}.nascene")
    about = {"group": group, "task": task, "edited": edit.edited}
    write_atomically(folder / "scenes" / f"{name}.json", json.dumps(about).encode())
    # Last: it says that the case is complete.
    write_clip(folder, name, [edit.source, edit.target])


def _read(folder: Path, name: str) -> Case:
    clip = Clip(folder / "clips" / name)
    about = json.loads((folder / "scenes" / f"{name}.json").read_text())
    scene = load_scene(folder / "scenes" / f"{name}.nascene")
    edited = tuple(about["edited"])
    return Case(name, about["group"], about["task"], scene, clip[0], clip[1], edited)


def _check_generator(folder: Path, index: int, size: int) -> None:
    """One case is made again: a changed generator would silently mix two benchmarks."""
    group, task, number = slots()[index]
    stored, made = _read(folder, f"{index:06d}"), make_case(group, task, number, size)
    same = all(
        np.array_equal(_numbers(a), _numbers(b))
        and np.abs(a.image.astype(int) - b.image.astype(int)).mean() < 2
        for a, b in ((stored.source, made.source), (stored.target, made.target))
    )
    if not same:
        raise UserError(
            f"The generator has changed since {folder} was rendered: delete that folder, and "
            f"raise BENCHMARK ({BENCHMARK}) if reports of both could be mixed up."
        )


__all__ = [
    "BENCHMARK",
    "GROUPS",
    "Case",
    "case_of",
    "fingerprint",
    "open_benchmark",
    "pairs_of",
]
