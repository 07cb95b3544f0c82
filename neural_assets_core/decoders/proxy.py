"""The geometric proxy as a decoder."""

from __future__ import annotations

import threading
import time

from neural_assets_core.decoders.base import (
    Generation,
    Progress,
    ProgressCallback,
    check_cancelled,
)
from neural_assets_core.device_faults import device_faults
from neural_assets_core.proxy import CARVER, Lifter, render_proxy
from neural_assets_core.scene import Picture, Scene


class ProxyDecoder:
    """`render_proxy` as a decoder.

    Parameters
    ----------
    lifter : Lifter
        Gives objects their shapes; by default they are carved from their masks.
    """

    def __init__(self, lifter: Lifter = CARVER) -> None:
        self.lifter = lifter

    def generate(
        self,
        scene: Scene,
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """See `Decoder.generate`; takes milliseconds, so it is one step."""
        started = time.perf_counter()
        check_cancelled(cancel)
        with device_faults():
            layers = render_proxy(scene, scene.camera, self.lifter)
        check_cancelled(cancel)
        picture = Picture(layers.picture)
        if progress is not None:
            progress(Progress("drawing", 1, 1))
        check_cancelled(cancel)
        return Generation(scene, picture, time.perf_counter() - started)
