"""What commands that draw have in common: the scene as it is asked for, and one open decoder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.decoders import Decoder
    from neural_assets_core.scene import Scene


def requested(path: Path, **options: object) -> Scene:
    """A scene file's scene with some of its generation settings changed; None changes nothing.

    Raises
    ------
    UserError
        If the file cannot be read or a setting is impossible.
    """
    from pydantic import ValidationError

    from neural_assets_core.scene import load_scene
    from neural_assets_core.scene.validation import describe

    changes = {name: value for name, value in options.items() if value is not None}
    scene = load_scene(path)
    try:
        return scene.with_settings(**changes)
    except ValidationError as error:
        raise UserError(f"--{describe(error)}.") from None


def decoder_of(scene: Scene) -> Decoder:
    """The scene's decoder; loaded once while one scene after the other wants the same."""
    return _opened(scene.settings.decoder, scene.settings.checkpoint)


@lru_cache(maxsize=1)
def _opened(decoder: str, checkpoint: str) -> Decoder:
    from neural_assets_core.decoders import open_decoder
    from neural_assets_core.preferences import load_preferences
    from neural_assets_core.scene import GenerationSettings

    settings = GenerationSettings.model_validate({"decoder": decoder, "checkpoint": checkpoint})
    return open_decoder(settings, load_preferences(warn))
