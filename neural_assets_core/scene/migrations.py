"""Older scene documents brought up to date, one version after the other.

A step takes the fields of a document as the version before wrote them, straight from JSON and
unchecked, to what its own version means by them. A field that came with a version gets the value
that all scenes had before; so a default that is changed later does not change old scenes. Steps
are never edited once a release has written files of their version. For every version there is a
file in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]
Version = tuple[int, int]


def _to_1_1(fields: Fields) -> Fields:
    """`settings.keep_source`: before it could be chosen, the source's pixels were always kept."""
    settings = fields.get("settings", {})
    if not isinstance(settings, dict):
        return fields
    return {**fields, "settings": {"keep_source": True, **settings}}


def _to_1_2(fields: Fields) -> Fields:
    """`settings.strength`, `settings.prompt`: before there was inpainting, they meant nothing.

    `background.photograph`, which nobody told before, is left at false.
    """
    settings = fields.get("settings", {})
    if not isinstance(settings, dict):
        return fields
    return {**fields, "settings": {"strength": 1.0, "prompt": "", **settings}}


def _to_1_3(fields: Fields) -> Fields:
    """`animation` also says when and how it is played: before, all of it at the frame rate 25."""
    animation = fields.get("animation")
    if not isinstance(animation, dict):
        return fields
    played = {"time": 0.0, "duration": None, "fps": 25.0, "loop": True}
    return {**fields, "animation": {**played, **animation}}


FIRST: Version = (1, 0)
STEPS: dict[Version, Callable[[Fields], Fields]] = {
    (1, 1): _to_1_1,
    (1, 2): _to_1_2,
    (1, 3): _to_1_3,
}
"""By the version that they lead to, oldest first."""

VERSION: Version = max(STEPS)
"""What this program writes."""


def migrated(fields: Fields, version: Version) -> Fields:
    """The fields of a document of `version` as `VERSION` means them; newer ones stay as they are.

    Parameters
    ----------
    fields : dict
        Stays as it is.
    version : (int, int)
        Major and minor.
    """
    for target, step in STEPS.items():
        if version < target:
            fields = step(fields)
    return fields
