"""What is wrong with a data set, in words: what a reader can read may still be nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.contact_sheet import spread
from neural_assets_core.data.dataset import (
    AnnotatedFrame,
    ClipDataset,
    Clips,
    FrameClip,
    ObjectAnnotation,
)
from neural_assets_core.data.readers.movi import MoviClip
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import MINIMUM_EXTENT
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.raycast import silhouette

OUTSIDE = 0.15
"""Share of an object's pixels that may lie outside of its box's silhouette."""
FILLED = 0.12
"""Share of a wholly visible box's silhouette that its object fills at least."""
THINNEST = 2 * MINIMUM_EXTENT
FARTHEST = 500.0
"""Metres from the camera beyond which a box is more likely one of another unit."""
_SMALL = 12
"""Objects of fewer pixels say little."""


@dataclass
class Fault:
    """One kind of fault: in words, how often, and where it was first met."""

    what: str
    where: str
    count: int = 1


@dataclass
class Findings:
    """What a check looked at, and what it found."""

    clips: int = 0
    frames: int = 0
    objects: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)

    def add(self, what: str, where: str) -> None:
        """Count a fault; only the first of its kind is remembered by its place."""
        if what in self.faults:
            self.faults[what].count += 1
        else:
            self.faults[what] = Fault(what, where)


def find_faults(
    clips: Clips,
    most_clips: int,
    most_frames: int,
    progress: Callable[[int, int], None] | None = None,
) -> Findings:
    """Look at clips and frames, spread over all of them.

    Parameters
    ----------
    clips : Clips
    most_clips, most_frames : int
        At most so many clips, and frames of each.
    progress : callable (clips done, clips in all), optional
    """
    found = Findings()
    if isinstance(clips, ClipDataset) and len(clips) < clips.info.scenes:
        found.add(f"{clips.info.scenes - len(clips)} clips are not rendered yet", str(clips.path))
    chosen = spread(range(len(clips)), most_clips)
    for done, number in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen))
        _check_clip(clips[number], most_frames, found)
        found.clips += 1
    if progress is not None:
        progress(len(chosen), len(chosen))
    return found


def _check_clip(clip: FrameClip, most_frames: int, found: Findings) -> None:
    try:
        if isinstance(clip, MoviClip):
            clip.verify()
        length = len(clip)
    except UserError as error:
        found.add(str(error), clip.name)
        return
    if length < 2:
        found.add("a clip has one frame only, so no pair can be made of it", clip.name)
    seen: set[int] = set()
    named: dict[int, str] = {}
    for index in spread(range(length), most_frames):
        where = f"clip {clip.name}, frame {index}"
        try:
            frame = clip[index]
        except UserError as error:
            found.add(str(error), where)
            continue
        found.frames += 1
        found.objects += len(frame.objects)
        for what in frame_faults(frame):
            found.add(what, where)
        named.update({item.id: item.name for item in frame.objects})
        seen.update(int(number) for number in np.unique(frame.mask))
    if not named:
        found.add("no object is in front of the camera in any frame", clip.name)
    for number in sorted(named.keys() - seen):
        found.add("an object is hidden or outside in all frames", f"{clip.name}, {named[number]}")


def frame_faults(frame: AnnotatedFrame) -> Iterator[str]:
    """What is wrong with one frame."""
    size = (frame.camera.height, frame.camera.width)
    if frame.image.shape != (*size, 3) or frame.mask.shape != size:
        yield "picture, mask and camera are of different sizes"
        return
    if int(np.ptp(frame.image)) == 0:
        yield "the picture is of one colour"
    ids = {item.id for item in frame.objects}
    if len(ids) < len(frame.objects):
        yield "two objects have the same id"
    if set(np.unique(frame.mask).tolist()) - ids - {0}:
        yield "the mask has pixels of an object that is not annotated"
    for item in frame.objects:
        yield from _object_faults(frame, item)


def _object_faults(frame: AnnotatedFrame, item: ObjectAnnotation) -> Iterator[str]:
    if min(item.box.size) < THINNEST:
        yield f"a box is thinner than {1000 * THINNEST:.0f} mm"
    if behind_camera(frame.camera, item.box):
        yield "a box reaches behind the camera"
        return
    if float(frame.camera.to_camera(np.asarray(item.box.center))[2]) > FARTHEST:
        yield f"a box is more than {FARTHEST:.0f} m away: are lengths in metres?"
    visible = frame.mask == item.id
    if not frame.measured or int(visible.sum()) < _SMALL:
        return
    box = silhouette(frame.camera, item.box)
    # Outlines are drawn to the pixel at best.
    wide = cv2.dilate(box.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if float((visible & ~wide).sum()) > OUTSIDE * float(visible.sum()):
        yield "an object shows outside of its box: do axes, units and camera fit?"
    elif _free(frame, item, box) and float(visible.sum()) < FILLED * float(box.sum()):
        yield "a box is far larger than the object in it"


def _free(frame: AnnotatedFrame, item: ObjectAnnotation, box: NDArray[np.bool_]) -> bool:
    """Whether no other object shows inside of the silhouette, and no border cuts it."""
    others = (frame.mask != item.id) & (frame.mask != 0)
    border = box[0].any() or box[-1].any() or box[:, 0].any() or box[:, -1].any()
    return not border and not (others & box).any()
