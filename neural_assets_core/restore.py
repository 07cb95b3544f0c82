"""Scenes back from exported pictures, whose metadata name the source pictures by hash alone.

The metadata may come from anybody. They are limited and checked like a scene file, and every
picture that is found is checked against its hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.export.image import read_request
from neural_assets_core.history import History
from neural_assets_core.scene import SCENE_SUFFIX, Picture, Scene
from neural_assets_core.scene.archive import read_pictures_of, scene_from_json, wireframes_of
from neural_assets_core.scene.container import DAMAGE, parse_document, pictures_of, references
from neural_assets_core.scene.validation import describe

MAXIMUM_NEIGHBOURS = 50
"""Scene files beside the picture that are looked into, newest first."""


@dataclass(frozen=True)
class Request:
    """What a picture was made from, as far as its metadata say it; not yet checked.

    Attributes
    ----------
    path : Path
        The picture's file.
    text : str
        The scene's JSON.
    objects : int
        How many it has.
    """

    path: Path
    text: str
    objects: int


def request_of(path: Path) -> Request | None:
    """What a picture's metadata ask for; None if it is no picture, or they say nothing usable."""
    try:
        text = read_request(path)
        if text is None:
            return None
        objects = parse_document(text.encode()).get("objects")
    except (*DAMAGE, UserError):
        return None
    return Request(path, text, len(objects)) if isinstance(objects, list) else None


def restored(
    request: Request, known: Scene | None, history: History, files: Iterable[Path]
) -> Scene:
    """The scene that a picture was made from.

    Parameters
    ----------
    request : Request
    known : Scene or None
        An open scene: its pictures are at hand.
    history : History
        Has the pictures of everything that was made on this machine.
    files : iterable of Path
        Scene files that may have them; those beside the picture are looked into anyway.

    Raises
    ------
    UserError
        If the metadata describe no possible scene, or a source picture is in none of these places.
    """
    name = request.path.name
    try:
        wanted = references(parse_document(request.text.encode()))
        pictures = _find(wanted, known, history, [*files, *_neighbours(request.path)])
        if not pictures.keys() >= wanted:
            raise UserError(
                f"{name} was made from a photograph that is neither in the history nor in a scene "
                "opened lately: open the scene file that it was exported from (perhaps "
                f"{request.path.stem}{SCENE_SUFFIX}), then drop it again."
            )
        wireframes = {} if known is None else wireframes_of(known)
        return scene_from_json(request.text, pictures, wireframes)
    except ValidationError as error:
        raise UserError(f"The scene in {name} cannot be used: {describe(error)}.") from None
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"The scene in {name} is damaged: {reason}.") from None


def _find(
    wanted: set[str], known: Scene | None, history: History, files: Iterable[Path]
) -> dict[str, Picture]:
    have = {} if known is None else {part.sha256: part for part in pictures_of(known)}
    found = {sha256: have[sha256] for sha256 in wanted & have.keys()}
    for sha256 in wanted - found.keys():
        picture = history.source(sha256)
        if picture is not None:
            found[sha256] = picture
    for path in dict.fromkeys(files):
        if found.keys() >= wanted:
            break
        # One of them that is damaged or gone must not keep the others from being looked into.
        with suppress(UserError):
            found.update(read_pictures_of(path, wanted - found.keys()))
    return found


def _neighbours(path: Path) -> list[Path]:
    with suppress(OSError):
        scenes = path.parent.glob(f"*{SCENE_SUFFIX}")
        return sorted(scenes, key=lambda file: -file.stat().st_mtime)[:MAXIMUM_NEIGHBOURS]
    return []
