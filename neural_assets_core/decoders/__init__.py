"""Ways from a scene to a picture, behind one interface; importing this imports no torch."""

from __future__ import annotations

from neural_assets_core.decoders.base import Cancelled, Decoder, Generation, Progress
from neural_assets_core.decoders.proxy import ProxyDecoder
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.scene import GenerationSettings

__all__ = ["Cancelled", "Decoder", "Generation", "Progress", "ProxyDecoder", "open_decoder"]


def open_decoder(settings: GenerationSettings) -> Decoder:
    """The decoder that `settings` names, its weights loaded.

    Raises
    ------
    UserError
        If the checkpoint is missing or does not fit its configuration.
    """
    if settings.decoder == "proxy":
        return ProxyDecoder()
    # Loading torch takes seconds: only who needs weights pays for it, and not for a wrong name.
    resolve_checkpoint(settings.checkpoint)
    from neural_assets_core.decoders.neural import NeuralDecoder

    return NeuralDecoder.open(settings.checkpoint)
