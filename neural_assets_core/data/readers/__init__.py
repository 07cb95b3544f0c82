"""Readers of published data sets and of one's own footage.

All yield the same annotated frames as made data, one at a time and only when asked for. What a
folder holds is told from its files; see each module for its layout and conventions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from neural_assets_core.data.dataset import ClipDataset, Clips
from neural_assets_core.data.readers.folder import FolderClips
from neural_assets_core.data.readers.movi import MoviClips, movi_folder
from neural_assets_core.data.readers.objectron import ObjectronClips
from neural_assets_core.data.readers.threedit import TASKS, EditClips
from neural_assets_core.data.readers.waymo import WaymoClips
from neural_assets_core.errors import UserError

Split = Literal["train", "heldout"]

MADE = "made"
FORMATS = {
    MADE: "made data",
    "movi": "MOVi (tfds shards)",
    "objectron": "Objectron",
    "waymo": "Waymo Open v2",
    "object": "OBJect (3DIT)",
    "folder": "footage with clip.json files",
}
"""Names of formats, and what they are called."""

_READERS: dict[str, Callable[[Path, str], Clips]] = {
    "movi": MoviClips,
    "objectron": ObjectronClips,
    "waymo": WaymoClips,
    "object": EditClips,
}


def find_format(path: Path) -> str | None:
    """The name in `FORMATS` of what a folder holds; None if it is nothing known."""
    signs = {
        MADE: (path / "dataset.json").is_file(),
        "objectron": (path / "annotations").is_dir() and (path / "videos").is_dir(),
        "waymo": any(path.glob("camera_image")) or any(path.glob("*/camera_image")),
        "object": any((path / task).is_dir() for task in TASKS),
        "folder": any(path.glob("*/clip.json")),
    }
    for name, found in signs.items():
        if found:
            return name
    return "movi" if movi_folder(path) is not None else None


def heldout_folder(path: Path) -> Path:
    """Where the held-out part of made data and of footage lies: beside the rest."""
    return path.with_name(path.name + "-heldout")


def open_clips(path: str | Path, split: Split = "train") -> Clips:
    """Open a data set of any known format.

    Parameters
    ----------
    path : str or Path
    split : {"train", "heldout"}
        Published sets have a split of their own; made data and footage have a second folder, see
        `heldout_folder`.

    Raises
    ------
    UserError
        If the folder is missing, holds nothing known, or not this split.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"There is no data set folder {path}: check the path.")
    kind = find_format(path)
    if kind is None:
        raise UserError(
            f"{path} holds no data set that is known here ({', '.join(FORMATS.values())}): "
            "check the path."
        )
    if kind in _READERS:
        return _READERS[kind](path, split)
    folder = path if split == "train" else heldout_folder(path)
    if kind == MADE:
        return ClipDataset(folder)
    return FolderClips(folder)
