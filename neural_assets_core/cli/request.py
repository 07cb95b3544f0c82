"""What commands that draw have in common: the scene as it is asked for, and one open decoder."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.decoders import Decoder
    from neural_assets_core.export.signing import Signature
    from neural_assets_core.scene import Scene


class DecoderName(StrEnum):
    """The ways from a scene to a picture."""

    neural = "neural"
    proxy = "proxy"
    inpainting = "inpainting"


Prompt = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Of inpainting: what is to be seen.")
]
Strength = Annotated[
    float | None,
    typer.Option(metavar="S", help="1 paints from noise alone, less starts from the proxy."),
]


def requested(path: Path, **options: object) -> Scene:
    """A scene file's scene with some of its generation settings changed; None changes nothing.

    Raises
    ------
    UserError
        If the file cannot be read or a setting is impossible.
    """
    from neural_assets_core.scene import load_scene

    return with_options(load_scene(path), **options)


def with_options(scene: Scene, **options: object) -> Scene:
    """The scene with some of its generation settings changed; None changes nothing.

    Another decoder brings the settings that suit it, and inpainting the checkpoint that was
    chosen last.

    Raises
    ------
    UserError
        If a setting is impossible.
    """
    from pydantic import ValidationError

    from neural_assets_core.preferences import load_preferences
    from neural_assets_core.scene.validation import describe

    changes = {name: value for name, value in options.items() if value is not None}
    chosen = "decoder" in changes
    decoder = str(changes.pop("decoder", scene.settings.decoder))
    if decoder == "inpainting" and decoder != scene.settings.decoder:
        changes = {"checkpoint": load_preferences(warn).inpainting or "default", **changes}
    if decoder == "proxy" and "checkpoint" in changes and not chosen:
        raise UserError(
            "The scene is drawn by the proxy, which has no checkpoint: add --decoder neural, or "
            "inpainting."
        )
    try:
        return scene.with_decoder(decoder, **changes)
    except ValidationError as error:
        raise UserError(f"--{describe(error)}.") from None


def decoder_of(scene: Scene) -> Decoder:
    """The scene's decoder; loaded once while one scene after the other wants the same."""
    return _opened(scene.settings.decoder, scene.settings.checkpoint)


def signature_for(
    wanted: bool, certificate: str | None = None, signing_key: str | None = None
) -> Signature | None:
    """What content credentials are signed with, if they are wanted.

    Raises
    ------
    UserError
        If a certificate is named without that, or there is none that works.
    """
    if not wanted:
        if certificate is not None or signing_key is not None:
            raise UserError("--certificate and --signing-key need --credentials.")
        return None
    from neural_assets_core.export.signing import find_signature
    from neural_assets_core.preferences import load_preferences

    # With another certificate, the key that is set does not fit.
    given = {"certificate": certificate, "signing_key": signing_key or ""} if certificate else {}
    if signing_key is not None and certificate is None:
        raise UserError("--signing-key needs --certificate.")
    return find_signature(load_preferences(warn).changed(**given))


@lru_cache(maxsize=1)
def _opened(decoder: str, checkpoint: str) -> Decoder:
    from neural_assets_core.decoders import open_decoder
    from neural_assets_core.preferences import load_preferences
    from neural_assets_core.scene import GenerationSettings

    settings = GenerationSettings.model_validate({"decoder": decoder, "checkpoint": checkpoint})
    return open_decoder(settings, load_preferences(warn))
