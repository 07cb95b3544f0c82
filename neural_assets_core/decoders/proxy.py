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
from neural_assets_core.proxy import Lifter, draw_edit, proxy_picture
from neural_assets_core.scene import Picture, Scene


class ProxyDecoder:
    """The proxy as a decoder.

    Parameters
    ----------
    lifter : Lifter, optional
        Gives objects their shapes: then it draws what the neural decoder starts from. Without
        one it draws as well as it can on any photograph.
    """

    def __init__(self, lifter: Lifter | None = None) -> None:
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
            if self.lifter is None:
                pixels = draw_edit(scene, scene.camera)
            else:
                pixels = proxy_picture(scene, self.lifter).picture
        check_cancelled(cancel)
        # Nobody changes it: large ones are not copied.
        pixels.setflags(write=False)
        picture = Picture(pixels)
        if progress is not None:
            progress(Progress("drawing", 1, 1))
        check_cancelled(cancel)
        return Generation(scene, picture, time.perf_counter() - started)
