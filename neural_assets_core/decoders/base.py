"""What every decoder is: a scene in; progress, previews and a picture out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from neural_assets_core.errors import UserError
from neural_assets_core.scene import Picture, Scene


class Cancelled(Exception):
    """The generation was stopped on request; there is no picture."""


@dataclass(frozen=True)
class Progress:
    """A generation's progress.

    Attributes
    ----------
    phase : str
        What is being done, in the user's words ("encoding", "denoising", "decoding" ...).
    step, steps : int
        Steps done of all steps.
    """

    phase: str
    step: int
    steps: int


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
    """

    scene: Scene
    picture: Picture
    seconds: float


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
            Called on the calling thread after every step.
        cancel : threading.Event, optional
            Checked before encoding, between any two steps, before decoding and on delivery.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        UserError
            If the scene cannot be drawn (a box behind the camera, say) or the checkpoint used.
        """
        ...


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn running out of memory, the GPU's included, into a sentence for the user.

    Raises
    ------
    UserError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch.OutOfMemoryError is a RuntimeError; torch itself is not imported for its sake.
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            raise UserError(
                "There is not enough memory for this picture: close other programs, or choose "
                "the proxy decoder or a smaller picture."
            ) from None
        raise


def check_cancelled(cancel: threading.Event | None) -> None:
    """Raise `Cancelled` if the event is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled
