"""Pairs of frames as the paper's protocol takes them, from any data set that can be read.

Published data sets are evaluated on pictures of one size, a square, and on pairs of frames of one
clip: the source shows what the objects look like, the target says where they go and is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from neural_assets_core.data.dataset import (
    AnnotatedFrame,
    Clips,
    FrameClip,
    ObjectAnnotation,
    visible_region,
)
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.data.readers.threedit import EditClip
from neural_assets_core.evaluation.benchmark import SMALLEST_AREA, Case
from neural_assets_core.geometry.checks import behind_camera

SIZE = 256
"""Side of the paper's pictures, pixels."""
LONGEST_GAP = 23
"""Frames between source and target, as in training."""
LEAST_SHIFT = 1.0
"""Pixels by which a corner of its box is elsewhere in the target, if an object was edited."""
TRIES = 8
"""Pairs of one clip that are looked at before the clip is left out."""
EDITED = 1
"""Id of the object that a sample of OBJect edits."""
SEEDS = 2**32
"""Seeds of the choice of pairs are taken modulo this."""


@dataclass(frozen=True)
class Pair:
    """A case, the clip it is of, and its frames' numbers there."""

    case: Case
    clip: str
    frames: tuple[int, int]


def paper_pairs(clips: Clips, size: int = SIZE, seed: int = 0) -> Iterator[Pair | None]:
    """One pair of each clip, clips in random order: any first part is a fair sample.

    Parameters
    ----------
    clips : Clips
    size : int
        Side of the pictures in pixels: the middle square of an oblong one, resized.
    seed : int
        Of the order of the clips and the choice of frames.

    Yields
    ------
    Pair or None
        None for a clip without a pair that counts. Of a sample of OBJect the two pictures; of a
        video two frames at most `LONGEST_GAP` apart, between which at least one object moves
        whose 2D box fills `SMALLEST_AREA` of both pictures. All such objects are judged.

    Raises
    ------
    UserError
        If a clip cannot be read.
    """
    for index in np.random.default_rng(seed % SEEDS).permutation(len(clips)):
        clip = clips[int(index)]
        name = f"{int(index):06d}"
        if isinstance(clip, EditClip):
            yield _edit(clip, name, size)
        else:
            yield _moving(clip, name, size, np.random.default_rng((seed % SEEDS, int(index))))


def squared(frame: AnnotatedFrame, size: int) -> AnnotatedFrame:
    """The middle square of a frame, resized; 2D boxes are those of what can be seen there."""
    height, width = frame.mask.shape
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    cut = (slice(top, top + side), slice(left, left + side))
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    image, mask = frame.image[cut], frame.mask[cut]
    if side != size:
        image = np.asarray(cv2.resize(image, (size, size), interpolation=way))
        mask = np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST_EXACT))
    return replace(
        frame,
        image=np.ascontiguousarray(image),
        mask=np.ascontiguousarray(mask),
        camera=frame.camera.cropped(left, top, side, side).resized(size, size),
        objects=tuple(_seen_in(item, frame, mask, cut) for item in frame.objects),
    )


def _seen_in(
    item: ObjectAnnotation,
    frame: AnnotatedFrame,
    mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    cut: tuple[slice, slice],
) -> ObjectAnnotation:
    whole = int((frame.mask == item.id).sum())
    share = int((frame.mask[cut] == item.id).sum()) / max(whole, 1)
    return replace(
        item,
        region=visible_region(mask, item.id),
        visible_fraction=item.visible_fraction * share,
    )


def _moving(
    clip: FrameClip, name: str, size: int, rng: np.random.Generator
) -> Pair | None:
    for _ in range(TRIES if len(clip) > 1 else 0):
        first = int(rng.integers(len(clip)))
        near = [k for k in range(len(clip)) if k != first and abs(k - first) <= LONGEST_GAP]
        second = int(rng.choice(near))
        source, target = in_front(squared(clip[first], size), squared(clip[second], size))
        moved = seen_to_move(source, target)
        judged = tuple(
            number
            for number in moved
            if min(area(number, source), area(number, target)) >= SMALLEST_AREA
        )
        if judged:
            scene = scene_from_pair(source, target)
            case = Case(name, "pairs", "move", scene, source, target, judged)
            return Pair(case, clip.name, (first, second))
    return None


def _edit(clip: EditClip, name: str, size: int) -> Pair | None:
    task = clip.name.partition("/")[0]
    # The folder says whether training saw objects of this kind; the training split does not.
    part = clip.folder.parent.name
    group = part if part in ("seen", "unseen") else "pairs"
    source, target = in_front(squared(clip[0], size), squared(clip[1], size))
    shown = source if task == "remove" else target
    if not area(EDITED, source) or not area(EDITED, shown):
        return None
    scene = scene_from_pair(source, target)
    return Pair(Case(name, group, task, scene, source, target, (EDITED,)), clip.name, (0, 1))


def seen_to_move(source: AnnotatedFrame, target: AnnotatedFrame) -> list[int]:
    """Ids of objects of which a corner is seen `LEAST_SHIFT` elsewhere, whoever moved."""
    before = {item.id: source.camera.project(item.box.corners()) for item in source.objects}
    after = {item.id: target.camera.project(item.box.corners()) for item in target.objects}
    return [
        number
        for number, corners in after.items()
        if number in before
        and np.linalg.norm((corners - before[number])[:, :2], axis=1).max() >= LEAST_SHIFT
    ]


def area(number: int, frame: AnnotatedFrame) -> float:
    """Share of the picture that an object's 2D box fills; 0 if it is not there."""
    found = next((item.region for item in frame.objects if item.id == number), (0.0,) * 4)
    x0, y0, x1, y1 = found
    return (x1 - x0) * (y1 - y0)


def in_front(
    source: AnnotatedFrame, target: AnnotatedFrame
) -> tuple[AnnotatedFrame, AnnotatedFrame]:
    """Both without what reaches behind one of the cameras, or is seen in neither picture."""
    frames = source, target
    items = [item for frame in frames for item in frame.objects]
    behind = {
        item.id for item in items for f in frames if behind_camera(f.camera, item.box)
    }
    seen = {item.id for item in items if item.visible_fraction > 0}
    first, second = (
        replace(
            frame,
            objects=tuple(i for i in frame.objects if i.id in seen and i.id not in behind),
        )
        for frame in frames
    )
    return first, second
