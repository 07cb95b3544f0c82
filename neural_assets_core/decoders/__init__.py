"""Ways from a scene to a picture, behind one interface; importing this imports no torch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from neural_assets_core.decoders.base import Cancelled, Decoder, Generation, Progress
from neural_assets_core.decoders.proxy import ProxyDecoder
from neural_assets_core.model.checkpoints import find_lifter, resolve_checkpoint
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.proxy import CARVER
from neural_assets_core.scene import GenerationSettings

if TYPE_CHECKING:
    from neural_assets_core.device_choice import Machine

__all__ = [
    "Cancelled",
    "Decoder",
    "Generation",
    "Progress",
    "ProxyDecoder",
    "look_at_machine",
    "open_decoder",
]

_OPENING = threading.Lock()


def open_decoder(
    settings: GenerationSettings, preferences: Preferences | None = None
) -> Decoder:
    """The decoder that `settings` names, its weights loaded.

    The proxy needs no weights; the preview is the proxy with the checkpoint's lifting network, if
    it has one. May be called from any thread; they take turns. Device, precision, memory and
    threads are the preferences', by default the stored ones.

    Raises
    ------
    UserError
        If the checkpoint is missing or does not fit its configuration.
    """
    # Two threads that import diffusers at once, now or in its lazy parts, get half of it.
    with _OPENING:
        return _opened(settings, preferences or load_preferences())


def look_at_machine() -> Machine:
    """What there is to compute on; from any thread, in turn with `open_decoder`.

    Raises
    ------
    ImportError
        If torch is not installed.
    """
    from neural_assets_core.device_choice import find_machine

    # The first look imports torch.
    with _OPENING:
        return find_machine()


def _opened(settings: GenerationSettings, preferences: Preferences) -> Decoder:
    # Loading torch takes seconds: only who needs weights pays for it, and not for a wrong name.
    if settings.decoder == "proxy":
        return ProxyDecoder()
    if settings.decoder == "preview":
        folder = find_lifter(settings.checkpoint)
        if folder is None:
            return ProxyDecoder(CARVER)
        from neural_assets_core.model.lifting import VolumeLifter
        from neural_assets_core.model.loading import load_lifter, placement

        _use_threads(preferences)
        device, _ = placement(preferences)
        return ProxyDecoder(VolumeLifter(load_lifter(folder, device)))
    resolve_checkpoint(settings.checkpoint)
    from neural_assets_core.decoders.neural import NeuralDecoder

    _use_threads(preferences)
    return NeuralDecoder.open(settings.checkpoint, preferences)


def _use_threads(preferences: Preferences) -> None:
    import torch

    if preferences.threads:
        torch.set_num_threads(preferences.threads)
