"""Which moment of the animation the document stands at: scrubbed, stepped and played."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.document import Document
from neural_assets_core.animation import scene_at
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Animation, Scene
from neural_assets_core.scene.motion import LONGEST

EMPTY_SECONDS = 4.0
"""Length of an animation that has none yet."""

REST_MS = 150
"""After so long without another step the picture of the moment is made."""


class Player(QObject):
    """Takes the document from moment to moment, without undo entries: nothing is edited.

    On the way the scene of the moment is a draft, drawn by the preview; where it comes to rest, it
    becomes the document's scene, and its picture is made as after an edit.
    """

    playing_changed = Signal(bool)

    failed = Signal(str)
    """A sentence for the user."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._draft: Scene | None = None
        self._ticker = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._ticker.timeout.connect(self._on_tick)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.settle)
        # Moment and time of day of its start, while it plays.
        self._started: tuple[float, float] | None = None
        document.scene_changed.connect(self._on_other)
        document.draft_changed.connect(self._on_other)

    # -- the moment ------------------------------------------------------------------------------

    @property
    def animation(self) -> Animation:
        """Of what is shown; its `time` is the moment."""
        scene = self._document.shown_scene
        return Animation() if scene is None else scene.animation

    @property
    def length(self) -> float:
        """Seconds that are played."""
        return self.animation.seconds or EMPTY_SECONDS

    @property
    def playing(self) -> bool:
        return self._started is not None

    def snapped(self, moment: float) -> float:
        """The moment of the nearest frame, seconds."""
        fps = self.animation.fps
        return min(max(round(moment * fps) / fps, 0.0), LONGEST)

    def scrub(self, moment: float) -> None:
        """Show a moment (seconds) on the way to another one; `settle` ends it."""
        self.pause()
        self._show(self.snapped(moment))

    def seek(self, moment: float) -> None:
        """Go to a moment; its picture is made once no other step follows soon."""
        self.scrub(moment)
        self._rest.start()

    def step(self, frames: int) -> None:
        """Go some frames on, or back."""
        self.seek(self.animation.time + frames / self.animation.fps)

    def settle(self) -> None:
        """Stay at the moment that is shown."""
        self._rest.stop()
        draft, self._draft = self._draft, None
        if draft is not None and draft is self._document.draft:
            self._document.show(draft)

    # -- playing ---------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Play from the moment that is shown, from the beginning at the end; or stop there."""
        if self.playing:
            self.stop()
            return
        if self._document.scene is None:
            return
        start = self.animation.time
        last = self.length - 0.5 / self.animation.fps
        self._started = (0.0 if start >= last else start, time.perf_counter())
        self._ticker.start(max(round(1000 / self.animation.fps), 1))
        self.playing_changed.emit(True)

    def stop(self) -> None:
        """Stop playing, or whatever it was on the way to, and stay there."""
        self.pause()
        self.settle()

    def pause(self) -> None:
        """Stop playing, on the way to another moment."""
        self._rest.stop()
        if self.playing:
            self._started = None
            self._ticker.stop()
            self.playing_changed.emit(False)

    def _on_tick(self) -> None:
        if self._started is None:
            return
        start, since = self._started
        # By the clock, not by the number of ticks: what comes too late is left out.
        moment = start + time.perf_counter() - since
        if moment < self.length:
            self._show(self.snapped(moment))
        elif self.animation.loop:
            self._started = (0.0, time.perf_counter())
            self._show(0.0)
        else:
            self._show(self.snapped(self.length))
            self.stop()

    # -- the document ----------------------------------------------------------------------------

    def _show(self, moment: float) -> None:
        scene = self._document.scene
        if scene is None or moment == self.animation.time:
            return
        # Fitting, moving a box would change where it was seen.
        self._document.set_fitting(False)
        try:
            self._draft = scene_at(scene, moment)
        except UserError as error:
            self.pause()
            self.failed.emit(str(error))
            return
        self._document.set_draft(self._draft)

    def _on_other(self, shown: Scene | None) -> None:
        """Somebody else edits, or opened another scene: that goes first."""
        if (self.playing or self._draft is not None) and shown is not self._draft:
            self._draft = None
            self.pause()
