"""Ways from a scene to a picture, behind one interface; importing this imports no torch."""

from __future__ import annotations

from neural_assets_core.decoders.base import Cancelled, Decoder, Generation, Progress
from neural_assets_core.decoders.proxy import ProxyDecoder
from neural_assets_core.model.checkpoints import find_lifter, resolve_checkpoint
from neural_assets_core.scene import GenerationSettings

__all__ = ["Cancelled", "Decoder", "Generation", "Progress", "ProxyDecoder", "open_decoder"]


def open_decoder(settings: GenerationSettings) -> Decoder:
    """The decoder that `settings` names, its weights loaded.

    The proxy takes the checkpoint's lifting network, and does without if there is none.

    Raises
    ------
    UserError
        If the checkpoint is missing or does not fit its configuration.
    """
    # Loading torch takes seconds: only who needs weights pays for it, and not for a wrong name.
    if settings.decoder == "proxy":
        folder = find_lifter(settings.checkpoint)
        if folder is None:
            return ProxyDecoder()
        from neural_assets_core.model.lifting import VolumeLifter
        from neural_assets_core.model.loading import load_lifter

        return ProxyDecoder(VolumeLifter(load_lifter(folder)))
    resolve_checkpoint(settings.checkpoint)
    from neural_assets_core.decoders.neural import NeuralDecoder

    return NeuralDecoder.open(settings.checkpoint)
