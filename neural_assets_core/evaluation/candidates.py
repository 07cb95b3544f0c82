"""A checkpoint that a report is about, and how it is to be run; importing this imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.scene import GenerationSettings
from neural_assets_core.scene.validation import describe

_RUN = re.compile(r"(?P<checkpoint>.+)@(?P<steps>\d+)(?:,(?P<guidance>\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class Candidate:
    """A row of the report's tables.

    Attributes
    ----------
    name : str
        As the user called it.
    checkpoint : str
        "default" or a folder.
    settings : GenerationSettings
    """

    name: str
    checkpoint: str
    settings: GenerationSettings


def parse_candidate(text: str, settings: GenerationSettings) -> Candidate:
    """What `CHECKPOINT[@STEPS[,GUIDANCE]]` says; the rest is taken from `settings`.

    Raises
    ------
    UserError
        If there is no such checkpoint, or steps or guidance are out of range.
    """
    found = _RUN.fullmatch(text)
    given = {key: value for key, value in (found.groupdict() if found else {}).items() if value}
    checkpoint = given.setdefault("checkpoint", text)
    resolve_checkpoint(checkpoint)
    try:
        own = GenerationSettings.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        raise UserError(f"{text}: {describe(error)}.") from None
    return Candidate(text, checkpoint, own)
