"""Ways from a scene to a picture, behind one interface; importing this imports no torch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from neural_assets_core.decoders.base import Cancelled, Decoder, Generation, Progress
from neural_assets_core.decoders.inpainting_checkpoint import find_inpainting
from neural_assets_core.decoders.libraries import load_libraries, load_without_lock
from neural_assets_core.decoders.proxy import ProxyDecoder
from neural_assets_core.model.checkpoints import find_lifter, resolve_checkpoint
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.proxy import CARVER
from neural_assets_core.scene import GenerationSettings, Scene

if TYPE_CHECKING:
    from neural_assets_core.device_choice import Machine

__all__ = [
    "OPENING",
    "Cancelled",
    "Decoder",
    "Generation",
    "Progress",
    "ProxyDecoder",
    "doubts_about",
    "find_inpainting",
    "look_at_machine",
    "open_decoder",
]

MADE_ONLY = (
    "The default checkpoint knows made scenes, not photographs: use the proxy, or train one on "
    "your own footage."
)

OPENING = threading.Lock()
"""Held while torch and what is built on it are imported: two threads at once get half of them."""


def open_decoder(
    settings: GenerationSettings, preferences: Preferences | None = None
) -> Decoder:
    """The decoder that `settings` names, its weights loaded.

    The proxy needs no weights; the preview is the proxy with the checkpoint's lifting network, if
    it has one; inpainting needs a Stable Diffusion inpainting checkpoint of the user's. May be
    called from any thread; they take turns. Device, precision, memory and threads are the
    preferences', by default the stored ones.

    Raises
    ------
    UserError
        If the checkpoint is missing or does not fit its configuration.
    """
    # Diffusers has lazy parts too.
    with OPENING:
        return _opened(settings, preferences or load_preferences())


def doubts_about(scene: Scene) -> str:
    """What is to be said about the scene's decoder before it draws, in one line; mostly nothing."""
    settings = scene.settings
    made = settings.decoder == "neural" and settings.checkpoint == "default"
    return MADE_ONLY if made and scene.background.photograph else ""


def look_at_machine() -> Machine:
    """What there is to compute on; from any thread, in turn with `open_decoder`.

    Raises
    ------
    ImportError
        If torch is not installed.
    """
    from neural_assets_core.device_choice import find_machine

    # The first look imports torch.
    with OPENING:
        load_libraries()
        return find_machine()


def _opened(settings: GenerationSettings, preferences: Preferences) -> Decoder:
    # Loading torch takes seconds: only who needs weights pays for it, and not for a wrong name.
    if settings.decoder == "proxy":
        return ProxyDecoder()
    if settings.decoder == "preview":
        if find_lifter(settings.checkpoint) is None:
            return ProxyDecoder(CARVER)
        load_libraries()
        from neural_assets_core.model.loading import placement, shared_lifter

        _use_threads(preferences)
        return ProxyDecoder(shared_lifter(settings.checkpoint, placement(preferences)[0]))
    if settings.decoder == "inpainting":
        find_inpainting(settings.checkpoint)
        load_libraries()
        from neural_assets_core.decoders.inpainting import InpaintingDecoder

        _use_threads(preferences)
        return InpaintingDecoder.open(settings.checkpoint, preferences)
    resolve_checkpoint(settings.checkpoint)
    load_libraries()
    # Its networks may run on this one, too.
    load_without_lock(
        "openvino", "libs/libopenvino.so*", "libs/libopenvino_intel_cpu_plugin.so"
    )
    from neural_assets_core.decoders.neural import NeuralDecoder

    _use_threads(preferences)
    return NeuralDecoder.open(settings.checkpoint, preferences)


def _use_threads(preferences: Preferences) -> None:
    import torch

    if preferences.threads:
        torch.set_num_threads(preferences.threads)
