"""Appearance tokens that assets brought along; importing this imports no torch.

A scene says whose looks its objects have, not how an encoder understood them. So tokens are kept
here by the content that they were made from, for as long as the program runs: whichever pipeline
has the same encoder takes them instead of encoding that content once more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.scene import Appearance

KEPT = 512
"""Objects; the ones not used for longest go first."""


@dataclass(frozen=True)
class KeptTokens:
    """What an encoder made of an appearance.

    Attributes
    ----------
    encoder : str
        Its identity, see `neural_assets_core.model.identity`.
    array : float array (k, c)
    """

    encoder: str
    array: NDArray[np.floating[Any]]


_KEPT: OrderedDict[Hashable, KeptTokens] = OrderedDict()
_LOCK = threading.Lock()


def appearance_key(appearance: Appearance) -> Hashable:
    """The content of an appearance, without keeping its pictures alive."""
    view, mask = appearance.view, appearance.mask
    return (
        view.picture.sha256, view.camera, appearance.box, None if mask is None else mask.sha256
    )


def remember_tokens(appearance: Appearance, tokens: KeptTokens) -> None:
    """Keep tokens, instead of those that another encoder made of the same appearance."""
    with _LOCK:
        key = appearance_key(appearance)
        _KEPT[key] = tokens
        _KEPT.move_to_end(key)
        while len(_KEPT) > KEPT:
            _KEPT.popitem(last=False)


def remembered_tokens(appearance: Appearance) -> KeptTokens | None:
    """What was kept for an appearance."""
    with _LOCK:
        key = appearance_key(appearance)
        if key in _KEPT:
            _KEPT.move_to_end(key)
        return _KEPT.get(key)


def encoded_again(name: str) -> str:
    """What to tell the user when tokens of another encoder were of no use."""
    return f"{name} was encoded again from its crop: another encoder made its tokens."
