"""What every decoder is: a scene in; progress, previews and a picture out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from neural_assets_core.scene import Picture, Scene
from neural_assets_core.yielding import yield_point


class Cancelled(Exception):
    """The generation was stopped on request; there is no picture."""


PHASES = ("loading", "encoding", "preparing", "denoising", "decoding")
"""What a generation goes through, in this order; phases with nothing to do are left out."""

STEPPED_PHASE = "denoising"
"""The one phase that has steps."""


@dataclass(frozen=True)
class Progress:
    """What a generation is about to do.

    Attributes
    ----------
    phase : str
        The phase that begins, one of `PHASES`, or another word for the user.
    step, steps : int
        Denoising steps done of all of them.
    elapsed : float
        Seconds since the request was taken up; filled in by whoever holds the watch.
    left : float or None
        Seconds that the rest is expected to take; None if nothing like it was measured yet.
    """

    phase: str
    step: int
    steps: int
    elapsed: float = 0.0
    left: float | None = None


@dataclass(frozen=True)
class Generation:
    """A finished picture and the scene it shows.

    Attributes
    ----------
    scene : Scene
        The request: seed, steps, guidance, decoder and checkpoint are its settings.
    picture : Picture
        The size of `scene.camera`.
    seconds : float
        Wall-clock time.
    notes : tuple of str
        What the user should know of how it was made, in sentences.
    """

    scene: Scene
    picture: Picture
    seconds: float
    notes: tuple[str, ...] = ()


ProgressCallback = Callable[[Progress], None]


class Decoder(Protocol):
    """Makes a picture of a scene."""

    def generate(
        self,
        scene: Scene,
        *,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> Generation:
        """Make the picture.

        Parameters
        ----------
        scene : Scene
        progress : callable, optional
            Called on the calling thread before every phase and every denoising step.
        cancel : threading.Event, optional
            Checked before encoding, between any two steps, before decoding and on delivery.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        DeviceFault
            If memory ran out or the device is gone; open another decoder then.
        UserError
            If the scene cannot be drawn (a box behind the camera, say) or the checkpoint used.
        """
        ...


def check_cancelled(cancel: threading.Event | None) -> None:
    """Raise `Cancelled` if the event is set; a yield point, too."""
    yield_point()
    if cancel is not None and cancel.is_set():
        raise Cancelled
