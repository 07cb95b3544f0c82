"""Content credentials (C2PA): a signed statement inside a file of how its picture came to be.

They say which photograph was opened, that a trained model (or geometry alone) made the edit,
which checkpoint that was and with which settings. They are made by c2pa-python, which need not be
installed, and without any network.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from neural_assets_core import __version__
from neural_assets_core.errors import UserError
from neural_assets_core.export.signing import Signature, check_installed
from neural_assets_core.resources import DEFAULT_CHECKPOINT
from neural_assets_core.scene import Picture, Scene

FORMATS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
}
"""Those that can carry credentials here, by suffix."""

PROGRAM = "Neural Assets Studio"
ASSERTION = "example.neural-assets.generation"
"""Label of the statement that is the program's own: decoder, checkpoint, seed, source."""

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_TRAINED = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
_BY_HAND = _SOURCE_TYPES + "humanEdits"
"""The proxy is a tool that generates nothing: it carries pixels about, as a hand would."""

_SETTINGS: dict[str, Any] = {
    # Nothing is fetched, and a picture of 1024 pixels would be larger than many a JPEG.
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"long_edge": 256}},
}


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials say.

    Attributes
    ----------
    state : {"Valid", "Trusted", "Invalid"}
        Valid: nothing was changed since, but nobody known vouches for the signer. Invalid: the
        file was changed, or the credentials are damaged.
    generator : str
        The program that wrote them, with its version.
    signer : str
        Organisation of the certificate.
    actions : tuple of dict
        As C2PA has them.
    generation : dict
        The program's own statement; empty in files of other programs.
    """

    state: str
    generator: str
    signer: str
    actions: tuple[dict[str, Any], ...]
    generation: dict[str, Any]


# -- writing -------------------------------------------------------------------------------------


def check_credentials(path: Path) -> None:
    """Say before long work, not after it, that a file of this name cannot carry any.

    Raises
    ------
    UserError
        If its format cannot, or c2pa-python is missing.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"{path.name} cannot carry content credentials: choose a name that ends in "
            f"{' or '.join(FORMATS)}, or leave them out."
        )
    check_installed()


def with_credentials(
    data: bytes, suffix: str, scene: Scene, signature: Signature, edited: bool = True
) -> bytes:
    """A file's content with credentials in it.

    Parameters
    ----------
    data : bytes
        The finished file, its metadata included: the signature is for all of it.
    suffix : str
        One of `FORMATS`.
    scene : Scene
        What was asked for.
    signature : Signature
    edited : bool
        False if it shows the photograph just as it was.

    Raises
    ------
    UserError
        If it cannot be signed.
    """
    signed = io.BytesIO()
    sign(io.BytesIO(data), signed, suffix, scene, signature, edited)
    return signed.getvalue()


def sign(
    file: BinaryIO,
    out: BinaryIO,
    suffix: str,
    scene: Scene,
    signature: Signature,
    edited: bool = True,
) -> None:
    """Copy a file, and put credentials into the copy.

    Parameters
    ----------
    file, out : binary files
        The latter can be read, too.
    suffix : str
        One of `FORMATS`.
    scene : Scene
        What was asked for; of a film, its first frame.
    signature : Signature
    edited : bool
        False if it shows the photograph just as it was.

    Raises
    ------
    UserError
        If it cannot be signed.
    """
    check_installed()
    import c2pa

    try:
        context = c2pa.Context.from_dict(_SETTINGS)
        with c2pa.Builder(manifest(scene, edited), context) as builder:
            for name, relationship, picture in _ingredients(scene, edited):
                told = {"title": name, "relationship": relationship, "label": picture.sha256}
                told["instance_id"] = f"sha256:{picture.sha256}"
                builder.add_ingredient(told, "image/png", _png(picture))
            builder.sign(signature.signer(), FORMATS[suffix], file, out)
    except c2pa.C2paError as error:
        raise UserError(
            f"Content credentials could not be written ({error}): check the certificate, or "
            "leave them out."
        ) from None


def manifest(scene: Scene, edited: bool = True) -> dict[str, Any]:
    """The statement, as c2pa-python takes it; ingredients are named by their pictures' hashes."""
    actions: list[dict[str, Any]] = []
    for _, relationship, picture in _ingredients(scene, edited):
        verb = "c2pa.opened" if relationship == "parentOf" else "c2pa.placed"
        actions.append({"action": verb, "parameters": {"ingredientIds": [picture.sha256]}})
    if edited:
        actions.append(_edit(scene))
    agent = {"name": PROGRAM, "version": __version__}
    return {
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": ASSERTION, "data": generation(scene)},
        ],
    }


def generation(scene: Scene) -> dict[str, Any]:
    """The program's own statement: what would make the same picture again, as far as it fits."""
    settings = scene.settings
    told: dict[str, Any] = {
        "decoder": settings.decoder,
        "source": {"sha256": _source(scene).sha256},
        "keep_source": settings.keep_source,
    }
    if settings.decoder == "proxy":
        return told
    # The folders that lead to the checkpoint are nobody's business.
    told |= settings.model_dump(mode="json", exclude={"checkpoint"})
    return told | {"checkpoint": checkpoint_identity(settings.checkpoint)}


def checkpoint_identity(name: str) -> dict[str, str]:
    """A checkpoint's name, and the hash of its files as they are now, if they are still there.

    The hash is what this prints in its folder, in the C locale::

        sha256sum model_index.json */*.json */*.safetensors | sort -k 2 | sha256sum
    """
    folder = DEFAULT_CHECKPOINT if name == "default" else Path(name).expanduser().resolve()
    identity = {"name": name if name == "default" else folder.name}
    with suppress(OSError):
        stamps = tuple(
            (path, (status := path.stat()).st_size, status.st_mtime_ns)
            for pattern in ("model_index.json", "*/*.json", "*/*.safetensors")
            for path in folder.glob(pattern)
        )
        if stamps:
            identity["sha256"] = _digest(folder, stamps)
    return identity


@lru_cache(maxsize=8)
def _digest(folder: Path, stamps: tuple[tuple[Path, int, int], ...]) -> str:
    lines = []
    for path in sorted((stamp[0] for stamp in stamps), key=lambda p: p.relative_to(folder)):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _edit(scene: Scene) -> dict[str, Any]:
    neural = scene.settings.decoder != "proxy"
    how = "drawn by a trained model" if neural else "carried by geometry, without a trained model"
    return {
        "action": "c2pa.edited",
        "digitalSourceType": _TRAINED if neural else _BY_HAND,
        "softwareAgent": {"name": PROGRAM, "version": __version__},
        "parameters": {"description": f"The objects and the camera as they were placed, {how}."},
    }


def _ingredients(scene: Scene, edited: bool) -> Iterator[tuple[str, str, Picture]]:
    """Title, C2PA's relationship and picture of all that it is made from; the photograph first."""
    yield "The photograph", "parentOf", _source(scene)
    others = (item.appearance.view.picture for item in scene.objects if edited)
    for picture in {p.sha256: p for p in others if p != _source(scene)}.values():
        yield "A photograph that objects come from", "componentOf", picture


def _source(scene: Scene) -> Picture:
    return scene.background.view.picture


def _png(picture: Picture) -> BinaryIO:
    """Fast rather than small: it is read once, and thrown away."""
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, "PNG", compress_level=1)
    file.seek(0)
    return file


# -- reading -------------------------------------------------------------------------------------


def read_credentials(path: str | Path) -> Credentials | None:
    """What a file's credentials say, checked against the file; None if it has none.

    Raises
    ------
    UserError
        If the file cannot be read, or c2pa-python is missing.
    """
    path = Path(path)
    check_credentials(path)
    import c2pa

    try:
        with open(path, "rb") as file:
            context = c2pa.Context.from_dict(_SETTINGS)
            reader = c2pa.Reader.try_create(FORMATS[path.suffix.lower()], file, context=context)
            if reader is None:
                return None
            with reader:
                state = reader.get_validation_state() or "Invalid"
                return _told(state, json.loads(reader.json()))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the name.") from None
    except (c2pa.C2paError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"The content credentials of {path} cannot be read ({error}).") from None


def _told(state: str, store: dict[str, Any]) -> Credentials:
    active = store["manifests"][store["active_manifest"]]
    made_by = active["claim_generator_info"][0]
    statements = {part["label"]: part["data"] for part in active.get("assertions", [])}
    label = next((name for name in statements if name.startswith("c2pa.actions")), "")
    actions: dict[str, Any] = statements.get(label, {})
    return Credentials(
        state=state,
        generator=f"{made_by['name']} {made_by.get('version', '')}".strip(),
        signer=str(active.get("signature_info", {}).get("issuer", "")),
        actions=tuple(actions.get("actions", ())),
        generation=statements.get(ASSERTION, {}),
    )
