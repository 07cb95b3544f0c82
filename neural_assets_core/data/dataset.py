"""The on-disk dataset format: writer and lazy reader.

Layout::

    DIR/dataset.json               {format, version, size, scenes, frames, seed, split, families}
    DIR/clips/000000/clip.json     {name, frames: [{camera, ground, objects}, ...]}
    DIR/clips/000000/000.png       frame 0: RGB picture, `size` pixels a side
    DIR/clips/000000/000_mask.png  frame 0: 8-bit, pixel value = object id, 0 = background
    DIR/clips/000000/001.png       frame 1, ...
    DIR/clips/000001/...

In `clip.json`, with the frames in order:

camera
    `Camera`: width, height, intrinsics (3 x 3, pixels), world_to_camera (4 x 4, metres).
ground
    (a, b, c, d) of the plane ax + by + cz + d = 0.
objects
    The same in all frames of a clip, whether seen or not: id, name (unique in the clip),
    category, box (`Box`: center, size, rotation), region, visible_fraction; see
    `ObjectAnnotation`.

World: right-handed, z up, metres. `dataset.json` is written first; `scenes` is the number of
clips that the latest run was asked for. A clip is written into a folder with a temporary name
(`.000000.partial`) that is renamed when complete, so a clip folder that exists is whole: an
interrupted run resumes, a finished one can be extended, and a dataset can be read while it still
grows. Clips depend on nothing but size, frames, seed, split and their number: the same seed gives
the same bytes, whatever the number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.geometry import Box, Camera

FORMAT = "neural-assets-dataset"
VERSION = 2
"""2: other scenes from the same seeds. The layout is that of version 1, which is still read."""
GROUND = (0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class ObjectAnnotation:
    """One object in one frame.

    Attributes
    ----------
    id : int
        Pixel value in the mask, the same in all frames of a clip.
    box : Box
        Tight around the object, world metres.
    region : tuple of 4 floats
        Box of the visible pixels (x0, y0, x1, y1) as fractions of the image; zeros if unseen.
    visible_fraction : float
        Visible pixels over the pixels of the whole, unoccluded and uncropped silhouette.
    """

    id: int
    name: str
    category: str
    box: Box
    region: tuple[float, float, float, float]
    visible_fraction: float


@dataclass(frozen=True)
class AnnotatedFrame:
    """A picture (H, W, 3) uint8 with its mask (H, W) uint8, camera, objects and ground plane.

    `ground` holds (a, b, c, d) of the plane ax + by + cz + d = 0 in world metres. Where nobody
    has `measured` the mask, it holds the silhouettes of the boxes.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    camera: Camera
    objects: tuple[ObjectAnnotation, ...]
    ground: tuple[float, float, float, float]
    measured: bool = True


class FrameClip(Protocol):
    """Frames of one world, with the same objects under the same ids; read when asked for."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> AnnotatedFrame: ...


class Clips(Protocol):
    """What training and evaluation read: made data, or those of `data.readers`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> FrameClip: ...


@dataclass(frozen=True)
class DatasetInfo:
    """What `dataset.json` says: `size` in pixels, `scenes` clips of `frames` each when complete."""

    size: int
    scenes: int
    frames: int
    seed: int
    split: str
    families: tuple[str, ...]
    version: int = VERSION


class Clip:
    """A clip on disk. Its annotations are read on first use, its pictures on each access."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._frames: list[dict[str, Any]] | None = None

    def _annotations(self) -> list[dict[str, Any]]:
        if self._frames is None:
            content = _read_json(self.path / "clip.json")
            frames = content.get("frames") if isinstance(content, dict) else None
            if not isinstance(frames, list):
                raise _damaged(self.path / "clip.json")
            self._frames = frames
        return self._frames

    def __len__(self) -> int:
        return len(self._annotations())

    def __getitem__(self, index: int) -> AnnotatedFrame:
        frames = self._annotations()
        if not -len(frames) <= index < len(frames):
            raise IndexError(index)
        index %= len(frames)
        image = _read_image(self.path / f"{index:03d}.png", "RGB")
        mask = _read_image(self.path / f"{index:03d}_mask.png", "L")
        try:
            record = frames[index]
            return AnnotatedFrame(
                image=image,
                mask=mask,
                camera=Camera.model_validate(record["camera"]),
                objects=tuple(_object(item) for item in record["objects"]),
                ground=_four(record["ground"]),
            )
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise _damaged(self.path / "clip.json") from error

    def __iter__(self) -> Iterator[AnnotatedFrame]:
        return (self[k] for k in range(len(self)))


class ClipDataset:
    """The complete clips of a dataset folder, in the order of their numbers.

    Raises
    ------
    UserError
        If the folder, its `dataset.json` or all clips are missing, or the format is unknown.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info = read_info(self.path)
        folder = self.path / "clips"
        names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        # Folders under construction have other names.
        self._clips = [Clip(folder / name) for name in names if name.isdigit()]
        if not self._clips:
            raise UserError(
                f"The dataset {self.path} holds no complete clip yet; "
                "render it again to continue where it stopped."
            )

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Clip:
        return self._clips[index]

    def __iter__(self) -> Iterator[Clip]:
        return iter(self._clips)


def read_info(path: Path) -> DatasetInfo:
    """Read and check `dataset.json`; raises `UserError`."""
    if not path.is_dir():
        raise UserError(f"There is no dataset folder {path}; check the path or render one there.")
    file = path / "dataset.json"
    if not file.is_file():
        raise UserError(f"{path} has no dataset.json; choose a folder made by the data renderer.")
    content = _read_json(file)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{file} is not of the format {FORMAT!r}; choose another folder.")
    if content.get("version") not in range(1, VERSION + 1):
        raise UserError(
            f"{file} has version {content.get('version')!r} but this program reads versions up "
            f"to {VERSION}; render the dataset again or update the program."
        )
    try:
        return DatasetInfo(
            size=int(content["size"]),
            scenes=int(content["scenes"]),
            frames=int(content["frames"]),
            seed=int(content["seed"]),
            split=str(content["split"]),
            families=tuple(str(name) for name in content["families"]),
            version=int(content["version"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file) from error


def begin_dataset(path: Path, info: DatasetInfo) -> None:
    """Create the folder and `dataset.json`, or check that an existing one is of this dataset.

    One of an earlier version that needs nothing more is left as it is.

    Raises
    ------
    UserError
        If the folder holds another dataset, or cannot be written.
    """
    if (path / "dataset.json").exists():
        # A longer run of the same data continues a shorter one: clips do not depend on `scenes`.
        found = replace(read_info(path), scenes=info.scenes)
        if found.version < VERSION and found == replace(
            info, version=found.version, families=found.families
        ):
            if all(clip_is_complete(path, f"{index:06d}") for index in range(info.scenes)):
                return
            raise UserError(
                f"{path} holds an unfinished dataset of an earlier version of this program; "
                "choose another folder."
            )
        if found != info:
            raise UserError(
                f"{path} already holds a dataset made with other settings; "
                "choose another folder or the same size, frames, seed and split."
            )
    content = {"format": FORMAT, **asdict(info)}
    text = json.dumps(content, indent=1) + "\n"
    try:
        (path / "clips").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Cannot make the folder {path} ({error.strerror}): choose another place."
        ) from None
    write_atomically(path / "dataset.json", text.encode())


def clip_is_complete(path: Path, name: str) -> bool:
    """Whether the clip's folder has its final name."""
    return (path / "clips" / name).is_dir()


def write_clip(path: Path, name: str, frames: list[AnnotatedFrame]) -> None:
    """Write a clip under a temporary name, then rename it.

    Raises
    ------
    UserError
        If it cannot be written, for example because the disk is full.
    """
    try:
        _write_clip(path, name, frames)
    except OSError as error:
        raise UserError(
            f"Cannot write clip {name} in {path} ({error.strerror}): make room and run again, "
            "complete clips are kept."
        ) from None


def _write_clip(path: Path, name: str, frames: list[AnnotatedFrame]) -> None:
    final = path / "clips" / name
    work = path / "clips" / f".{name}.partial"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    records = []
    for index, frame in enumerate(frames):
        _write_png(work / f"{index:03d}.png", frame.image[..., ::-1])
        _write_png(work / f"{index:03d}_mask.png", frame.mask)
        records.append(
            {
                "camera": frame.camera.model_dump(mode="json"),
                "ground": frame.ground,
                "objects": [
                    {
                        "id": item.id,
                        "name": item.name,
                        "category": item.category,
                        "box": item.box.model_dump(mode="json"),
                        "region": item.region,
                        "visible_fraction": item.visible_fraction,
                    }
                    for item in frame.objects
                ],
            }
        )
    text = json.dumps({"name": name, "frames": records})
    (work / "clip.json").write_text(text + "\n", encoding="utf-8")
    os.replace(work, final)


def visible_region(mask: NDArray[np.uint8], number: int) -> tuple[float, float, float, float]:
    """Box (x0, y0, x1, y1) of the pixels equal to `number`, as fractions; zeros if none."""
    x, y, width, height = cv2.boundingRect((mask == number).astype(np.uint8))
    if width == 0:
        return (0.0, 0.0, 0.0, 0.0)
    rows, columns = mask.shape
    return (x / columns, y / rows, (x + width) / columns, (y + height) / rows)


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    done, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    if not done:
        raise RuntimeError(f"could not encode {path.name}")
    path.write_bytes(encoded.tobytes())


def _read_image(path: Path, mode: str) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as opened:
            return np.array(opened.convert(mode), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(path) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error


def _object(record: dict[str, Any]) -> ObjectAnnotation:
    return ObjectAnnotation(
        id=int(record["id"]),
        name=str(record["name"]),
        category=str(record["category"]),
        box=Box.model_validate(record["box"]),
        region=_four(record["region"]),
        visible_fraction=float(record["visible_fraction"]),
    )


def _four(values: Any) -> tuple[float, float, float, float]:
    a, b, c, d = (float(value) for value in values)
    return (a, b, c, d)


def _damaged(path: Path) -> UserError:
    what = "clip folder" if path.name != "dataset.json" else "dataset"
    return UserError(f"{path} is missing or damaged; delete its {what} and render it again.")
