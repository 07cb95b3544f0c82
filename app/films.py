"""Films that are made while the window stays usable, and those that a crash has interrupted."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, ValidationError
from PySide6.QtCore import QObject, Signal

from app.disk_jobs import DiskJobs
from app.panels.offer_bar import Answer, Offer, OfferBar
from neural_assets_core.animation import animation_frames, camera_orbit, render_video, turntable
from neural_assets_core.animation.codecs import Quality
from neural_assets_core.animation.video import frame_store
from neural_assets_core.decoders import Cancelled, open_decoder
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene
from neural_assets_core.scene.recovery import Abandoned, Sidecar, claim_abandoned

_FIELD = "film"
"""What was wanted, in the scene of a film that was interrupted."""


class FilmRequest(BaseModel):
    """A film that the user wants.

    Attributes
    ----------
    scene : Scene
    motion : {"object", "camera", "keyframes"}
    name : str
        The object that turns.
    degrees, seconds : float
        Of a turn; keyframes have their own times.
    fps : float
    suffix : str
        One of `neural_assets_core.animation.FORMATS`.
    size : int or None
    quality : str
    loop : int
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    scene: Scene
    motion: Literal["object", "camera", "keyframes"]
    name: str = ""
    degrees: float
    seconds: float
    fps: float
    suffix: str
    size: int | None
    quality: Quality
    loop: int

    def scenes(self) -> list[Scene]:
        """The frames.

        Raises
        ------
        UserError
            If one of them cannot be drawn.
        """
        if self.motion == "keyframes":
            return animation_frames(self.scene, self.fps)
        if self.motion == "camera":
            return camera_orbit(
                self.scene, degrees=self.degrees, seconds=self.seconds, fps=self.fps
            )
        return turntable(
            self.scene, self.name, seconds=self.seconds, fps=self.fps, degrees=self.degrees
        )

    def noted(self) -> Scene:
        """The scene with the request in it, for a file."""
        return self.scene.with_extra(_FIELD, self.model_dump(mode="json", exclude={"scene"}))

    @classmethod
    def of_note(cls, scene: Scene) -> FilmRequest:
        """The request in a scene from a file.

        Raises
        ------
        UserError
            If there is none that can be used.
        """
        note: Any = (scene.model_extra or {}).get(_FIELD)
        try:
            return cls.model_validate({**note, "scene": scene.with_extra(_FIELD, None)})
        except (ValidationError, TypeError):
            raise UserError("What is left of that film cannot be used: export it again.") from None


def films_folder() -> Path:
    """Where is noted which films are being made."""
    return user_data_path("Neural Assets Studio", appauthor=False) / "films"


class Films(DiskJobs):
    """Makes one film after the other, with a decoder of its own: the scene's stays free.

    While one is being made, a note of it lies in `films_folder`, and its finished frames beside
    the film. If the program dies, the next one offers to go on from there.
    """

    progressed = Signal(object)
    """`Progress`, in frames."""

    made = Signal(object)
    """`Film`."""

    cancelled = Signal()

    resumed = Signal(object, object, object)
    """`FilmRequest`, Path and `Abandoned` of a film that the user wants to go on with."""

    _found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("film", parent)
        self._cancel = threading.Event()
        self._offers: OfferBar | None = None
        self._offered: list[Abandoned] = []
        self._found.connect(self._offer)

    def make(self, request: FilmRequest, path: Path, left: Abandoned | None = None) -> None:
        """Draw the frames and write the film; `left` is the note of an earlier attempt."""
        self._cancel = cancel = threading.Event()

        def job() -> None:
            note = Sidecar(films_folder())
            # Without a note it is made all the same.
            with suppress(UserError):
                note.write(request.noted(), path)
            if left is not None:
                left.discard()
            try:
                self._make(request, path, cancel)
            finally:
                note.remove()

        self._do(job)

    def _make(self, request: FilmRequest, path: Path, cancel: threading.Event) -> None:
        try:
            scenes = request.scenes()
            film = render_video(
                scenes,
                open_decoder(scenes[0].settings),
                path,
                fps=request.fps,
                size=request.size,
                quality=request.quality,
                loop=request.loop,
                progress=lambda progress: self._tell(self.progressed, progress),
                cancel=cancel,
            )
            self._tell(self.made, film)
        except Cancelled:
            self._tell(self.cancelled)

    def cancel(self) -> None:
        """Stop the film that is being made; nothing of it stays."""
        self._cancel.set()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Give up the film and stop; whether that was in time."""
        self.cancel()
        for left in self._offered:
            left.release()
        return super().shutdown(timeout_ms)

    # -- films that were interrupted -------------------------------------------------------------

    def offer_unfinished(self, offers: OfferBar) -> None:
        """Offer to go on with the films that crashes have interrupted."""
        self._offers = offers
        self._do(lambda: self._tell(self._found, claim_abandoned(films_folder())))

    def _offer(self, found: list[Abandoned]) -> None:
        for left in reversed(found):
            if left.file is None or self._offers is None:
                continue
            self._offered.append(left)
            drawn = len(frame_store(left.file))
            self._offers.offer(
                Offer(
                    str(left.path),
                    f"A crash has interrupted {left.file.name} ({drawn} frames are drawn).",
                    (
                        Answer("Go on", partial(self._go_on, left)),
                        Answer("Discard", partial(self._discard, left)),
                    ),
                )
            )

    def _go_on(self, left: Abandoned) -> None:
        self._offered.remove(left)
        try:
            request = FilmRequest.of_note(left.scene())
        except UserError as error:
            self._do(left.discard)
            self.failed.emit(str(error))
            return
        self.resumed.emit(request, left.file, left)

    def offer_again(self, left: Abandoned) -> None:
        """It could not be gone on with now."""
        self._offer([left])

    def _discard(self, left: Abandoned) -> None:
        self._offered.remove(left)

        def job() -> None:
            if left.file is not None:
                frame_store(left.file).remove()
            left.discard()

        self._do(job)
