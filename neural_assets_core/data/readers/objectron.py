"""Objectron: phone videos around single objects, with boxes that stand still in the world.

Layout as published::

    DIR/annotations/cup/batch-0/3.pbdata      one `Sequence` message
    DIR/videos/cup/batch-0/3/video.MOV
    DIR/index/cup_annotations_test            optional: "cup/batch-0/3", a line each

Conventions of the messages (annotation_data.proto, object.proto, a_r_capture_metadata.proto):

- The world is y up, in metres: turned here to z up, and moved so that the plane on which the
  objects stand is z = 0. Box axes are turned alike, so that a box's own z points up.
- Keypoints are the centre, then the eight corners in our own order.
- `view_matrix` and `projection_matrix` (row-major, axes of OpenGL) are those of the sensor, which
  lies on its side in most clips: the picture is then the sensor's, turned clockwise by 90 degrees.
  How far a clip is turned is found from the keypoints, whose 2D positions are fractions of the
  upright picture; a clip where no turn fits is refused.

Source: github.com/google-research-datasets/Objectron.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.readers import wire
from neural_assets_core.data.readers.annotating import (
    MAXIMUM_IDS,
    OPENGL_TO_OURS,
    ClipList,
    Item,
    annotated,
    at_index,
    damaged,
    names_of,
    placed_box,
    posed_camera,
)
from neural_assets_core.data.readers.video import video_frame
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import CORNER_SIGNS, Box, Camera
from neural_assets_core.geometry.box import Float

Y_UP_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
KEYPOINTS = 9
KEYPOINT_SIGNS = CORNER_SIGNS @ Y_UP_TO_Z_UP.T
"""(8, 3) where the keypoints after the centre lie in a box, its axes turned to z up."""

TOLERANCE = 0.02
"""Largest mean distance of a box's corners from its keypoints, as a fraction of the picture."""


@dataclass(frozen=True)
class Shot:
    """A frame's annotation.

    Attributes
    ----------
    number : int
        Of the frame in the video.
    camera : Camera
        Of the upright picture, at the sensor's resolution.
    quarters : int
        Clockwise quarter turns from the sensor's picture to the upright one.
    objects : tuple of int
        Which of the sequence's objects are seen.
    """

    number: int
    camera: Camera
    quarters: int
    objects: tuple[int, ...]


@dataclass(frozen=True)
class Sequence:
    """A clip's annotations: the objects by their ids, and the frames."""

    boxes: dict[int, Box]
    categories: dict[int, str]
    shots: tuple[Shot, ...]


class ObjectronClip:
    """One video and its annotation file."""

    def __init__(self, name: str, annotation: Path, video: Path) -> None:
        self.name, self.annotation, self.video = name, annotation, video

    def __len__(self) -> int:
        return len(read_sequence(self.annotation).shots)

    def __getitem__(self, index: int) -> AnnotatedFrame:
        sequence = read_sequence(self.annotation)
        shot = sequence.shots[at_index(index, len(sequence.shots))]
        pixels, turned = video_frame(self.video, shot.number)
        image = _upright(pixels, turned, shot)
        order = sorted(sequence.boxes)
        names = names_of([sequence.categories[key] for key in order])
        items = [
            Item(place + 1, names[place], sequence.categories[key], sequence.boxes[key])
            for place, key in enumerate(order)
            if key in shot.objects
        ]
        camera = shot.camera.resized(image.shape[1], image.shape[0])
        return annotated(image, camera, items)


class ObjectronClips(ClipList[ObjectronClip]):
    """The clips of one split: those in the index files, or all if there are none.

    Raises
    ------
    UserError
        If no clip is there.
    """

    def __init__(self, path: Path, split: str) -> None:
        files = sorted((path / "annotations").glob("*/*/*.pbdata"))
        names = [str(file.relative_to(path / "annotations").with_suffix("")) for file in files]
        word = "train" if split == "train" else "test"
        listed = _listed(path, word)
        clips = []
        for name, file in zip(names, files, strict=True):
            video = path / "videos" / name / "video.MOV"
            if video.is_file() and (listed is None or name in listed):
                clips.append(ObjectronClip(name, file, video))
        if not clips:
            raise UserError(
                f"{path} has no annotated video of the split {word!r}: it needs "
                "annotations/CLASS/batch-I/J.pbdata and videos/CLASS/batch-I/J/video.MOV."
            )
        super().__init__(clips)


def _listed(path: Path, word: str) -> set[str] | None:
    files = list((path / "index").glob(f"*_annotations_{word}"))
    if not files:
        return None
    return {line.strip() for file in files for line in file.read_text().splitlines()}


@lru_cache(maxsize=64)
def read_sequence(path: Path) -> Sequence:
    """Read an annotation file.

    Raises
    ------
    UserError
        If it is damaged, or its cameras do not fit its keypoints.
    """
    try:
        message = memoryview(path.read_bytes())
        boxes, categories = _objects(wire.messages(message, 1))
        frames = [_Frame(frame) for frame in wire.messages(message, 2)]
        frames = [frame for frame in frames if frame.keypoints]
        floor = float(np.median([frame.floor for frame in frames])) if frames else 0.0
        boxes = {key: box.translated((0.0, 0.0, -floor)) for key, box in boxes.items()}
        shots = tuple(_shot(frame, boxes, floor) for frame in frames)
    except (OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise damaged(path, error) from None
    if not shots or len(boxes) > MAXIMUM_IDS:
        raise damaged(path, "no frame is annotated" if not shots else "too many objects")
    return Sequence(boxes, categories, shots)


def _objects(messages: list[memoryview]) -> tuple[dict[int, Box], dict[int, str]]:
    boxes, categories = {}, {}
    for message in messages:
        number = wire.integer(message, 1)
        turn = _sized(wire.floats(message, 4), 9).reshape(3, 3)
        shift, size = _sized(wire.floats(message, 5), 3), _sized(wire.floats(message, 6), 3)
        # The same change of axes inside the box as outside.
        rotation = Y_UP_TO_Z_UP @ turn @ Y_UP_TO_Z_UP.T
        boxes[number] = placed_box(Y_UP_TO_Z_UP @ shift, np.abs(Y_UP_TO_Z_UP @ size), rotation)
        categories[number] = wire.text(message, 2) or "object"
    return boxes, categories


class _Frame:
    """A `FrameAnnotation`, in its own axes."""

    def __init__(self, message: memoryview) -> None:
        self.number = wire.integer(message, 1)
        camera = wire.messages(message, 3)[-1]
        self.width, self.height = wire.integer(camera, 5), wire.integer(camera, 6)
        self.projection = _sized(wire.floats(camera, 8), 16).reshape(4, 4)
        self.view = _sized(wire.floats(camera, 9), 16).reshape(4, 4)
        self.keypoints: dict[int, Float] = {}
        for annotation in wire.messages(message, 2):
            points = [_point(point) for point in wire.messages(annotation, 2)]
            if len(points) == KEYPOINTS:
                self.keypoints[wire.integer(annotation, 1)] = np.array(points)
        center = wire.floats(message, 5)
        self.floor = 0.0
        if center.size == 3:
            # The plane is given in the sensor's camera.
            self.floor = float((np.linalg.inv(self.view) @ [*center, 1.0])[1])


def _point(message: memoryview) -> tuple[float, float]:
    """(x, y) of an `AnnotatedKeyPoint`, fractions of the upright picture."""
    point = wire.messages(message, 3)[-1]
    x, y = (wire.floats(point, number) for number in (1, 2))
    # Zero is not written.
    return (float(x[-1]) if x.size else 0.0, float(y[-1]) if y.size else 0.0)


def _shot(frame: _Frame, boxes: dict[int, Box], floor: float) -> Shot:
    best: tuple[float, int, Camera] | None = None
    for quarters in range(4):
        camera = upright_camera(frame, quarters, floor)
        errors = [
            _distance(camera, boxes[key], points) for key, points in frame.keypoints.items()
        ]
        if best is None or np.mean(errors) < best[0]:
            best = float(np.mean(errors)), quarters, camera
    assert best is not None
    error, quarters, camera = best
    # Written so that NaN fails too.
    if not error < TOLERANCE:
        raise ValueError(f"the boxes of frame {frame.number} do not fit its keypoints")
    return Shot(frame.number, camera, quarters, tuple(frame.keypoints))


def upright_camera(frame: _Frame, quarters: int, floor: float) -> Camera:
    """The camera of the sensor's picture turned clockwise by `quarters` of a turn."""
    p, width, height = frame.projection, frame.width, frame.height
    # From normalised device coordinates (y up) to pixels (y down).
    k = np.array(
        [
            [p[0, 0] * width / 2, 0.0, (1 - p[0, 2]) * width / 2],
            [0.0, p[1, 1] * height / 2, (1 + p[1, 2]) * height / 2],
            [0.0, 0.0, 1.0],
        ]
    )
    pose = np.asarray(np.linalg.inv(frame.view), dtype=np.float64)
    pose[:3, :3] = Y_UP_TO_Z_UP @ pose[:3, :3] @ OPENGL_TO_OURS
    pose[:3, 3] = Y_UP_TO_Z_UP @ pose[:3, 3] - [0.0, 0.0, floor]
    for _ in range(quarters):
        # Right becomes down, up becomes right: (u, v) goes to (height - v, u).
        pose[:3, :3] = np.stack([-pose[:3, 1], pose[:3, 0], pose[:3, 2]], axis=1)
        k = np.array(
            [[k[1, 1], 0.0, height - k[1, 2]], [0.0, k[0, 0], k[0, 2]], [0.0, 0.0, 1.0]]
        )
        width, height = height, width
    return posed_camera(width, height, k, pose)


def _distance(camera: Camera, box: Box, points: Float) -> float:
    """Mean distance of the centre and the corners from their keypoints, as a fraction."""
    corners = box.to_world(KEYPOINT_SIGNS)
    projected = camera.project(np.vstack([[box.center], corners]))[:, :2]
    difference = projected / [camera.width, camera.height] - points
    return float(np.linalg.norm(difference, axis=1).mean())


def _upright(pixels: NDArray[np.uint8], turned: int, shot: Shot) -> NDArray[np.uint8]:
    """The picture as the annotations mean it, whether or not the file is stored on its side."""
    wide = pixels.shape[1] >= pixels.shape[0]
    upright_wide = shot.camera.width >= shot.camera.height
    if shot.quarters % 2:
        # The upright picture has other proportions than the sensor's: what is stored shows.
        quarters = shot.quarters if wide != upright_wide else 0
    else:
        quarters = turned if turned == shot.quarters else 0
    return np.ascontiguousarray(np.rot90(pixels, -quarters))


def _sized(values: Float, count: int) -> Float:
    if values.size != count:
        raise ValueError(f"{values.size} numbers instead of {count}")
    return values
