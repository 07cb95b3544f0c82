"""Tokens for an asset of the user's library, made by the decoder that is open."""

from __future__ import annotations

import logging
from pathlib import Path

from neural_assets_core.decoders import Decoder
from neural_assets_core.errors import UserError
from neural_assets_core.library import user_library

log = logging.getLogger(__name__)


def keep_tokens(decoder: Decoder | None, path: Path) -> bool:
    """Put tokens into the file of an asset that has none; whether it has got them.

    Parameters
    ----------
    decoder : Decoder
        Nothing happens unless it is a neural one.
    path : Path
        In the user's library; it may have been moved or damaged meanwhile.
    """
    # These bring torch, which an open decoder has brought already.
    from neural_assets_core.decoders.neural import NeuralDecoder
    from neural_assets_core.library.tokens import encoded

    if not isinstance(decoder, NeuralDecoder):
        return False
    library = user_library()
    try:
        asset = library.load(path)
        if asset.appearance is None or asset.tokens:
            return False
        return library.keep_tokens(path, encoded(asset, decoder.pipeline))
    except UserError as error:
        log.info("no tokens for %s: %s", path.name, error)
    except Exception:
        # Nobody waits for tokens: whatever is wrong will be told when a picture is made.
        log.exception("no tokens for %s", path.name)
    return False
