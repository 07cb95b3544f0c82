"""Which picture the viewport shows, from which decoder, and when one is asked for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.generation.generator import Generator, looks_alike
from app.generation.history import ResultHistory
from neural_assets_core.decoders import Generation
from neural_assets_core.preferences import load_preferences
from neural_assets_core.scene import Scene
from neural_assets_core.scene.working import is_large

REST_MS = 250
"""A hand that keeps still for so long in a gesture wants to see what comes of it."""

EXPECT_MS = 60
"""A pointer that only passes over an object leaves it sooner."""

_NUDGE = (0.0, 0.0, 1e-6)
"""Metres: for the proxy an object that has moved, for the eye none."""


class Pictures(QObject):
    """Keeps the picture in step with the document.

    While a gesture is under way and until the decoder has answered, the proxy draws, in
    milliseconds once its small network is loaded. When the hand rests, the scene's own decoder
    makes a picture of few steps, and on release one of all its steps: from the same seed, so that
    the picture sharpens and does not change. What is behind the object that will be dragged next,
    the one under the pointer or the selected one, is drawn ahead.

    Attributes
    ----------
    generator : Generator
        The scene's own decoder.
    preview : Generator
        The proxy, on a second thread.
    history : ResultHistory
        Finished pictures on disk; those of earlier sessions come back from there.
    automatic : bool
        Whether every change of the scene asks for a picture.
    """

    picture_changed = Signal(object)
    """`Picture`, or None if nothing is open."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.automatic = True
        self.generator = Generator(parent=self)
        self.preview = Generator(live=True, parent=self)
        self.history = ResultHistory(document, self)
        self._document = document
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)
        self._soon = QTimer(self, singleShot=True, interval=EXPECT_MS)
        self._soon.timeout.connect(self._anticipate)
        self._asked: Scene | None = None
        self._hovered = ""
        self._anticipated: tuple[Scene, tuple[str, ...]] | None = None
        document.scene_changed.connect(self._on_scene)
        document.draft_changed.connect(self._on_draft)
        document.selection_changed.connect(lambda *_: self._soon.start())
        self.generator.finished.connect(self._on_finished)
        self.preview.finished.connect(self._on_preview)
        self.history.found.connect(self._on_found)

    def result(self) -> Generation | None:
        """The finished picture of the current scene, if it has been made."""
        return self.generator.result(self._document.scene)

    def generate(self) -> None:
        """Make the current scene's picture now, and keep it, whatever draws it."""
        self._asked = self._document.scene
        if self._asked is not None:
            self.generator.request(self._asked)

    def expect(self, name: str) -> None:
        """The pointer is over an object, or over none (empty): it may be dragged next."""
        self._hovered = name
        self._soon.start()

    def shutdown(self) -> bool:
        """Stop both workers; whether they did."""
        self._rest.stop()
        self._soon.stop()
        # Both come to a stop at the same time.
        self.generator.cancel()
        preview_stopped = self.preview.shutdown()
        stopped = self.generator.shutdown() and preview_stopped
        return self.history.shutdown() and stopped

    # -- from the document -----------------------------------------------------------------------

    def _on_scene(self, scene: Scene | None) -> None:
        if scene is None:
            self.generator.cancel()
            self.picture_changed.emit(None)
            return
        known = self.generator.result(scene)
        if known is not None:
            self.picture_changed.emit(known.picture)
        elif not self.automatic or scene.settings.decoder != "proxy" or is_large(scene):
            self.preview.request(_proxied(scene))
        if known is None and scene.settings.decoder != "proxy":
            # Both at once: whichever has the picture first.
            self.history.find(scene)
        if self.automatic:
            self.generator.request(scene)
        elif self.generator.busy:
            # Its answer would no longer fit the scene.
            self.generator.cancel()

    def _on_draft(self, draft: Scene | None) -> None:
        self._rest.stop()
        if draft is None:
            self._on_scene(self._document.scene)
        else:
            # The cores belong to the preview until the hand rests.
            self.generator.cancel()
            self.preview.request(_proxied(draft))
            self._rest.start()

    def _on_rest(self) -> None:
        draft = self._document.draft
        if draft is not None and self.automatic and draft.settings.decoder != "proxy":
            self.generator.request(_quick(draft))

    def _anticipate(self) -> None:
        """Have the preview make what the first move of an object will need."""
        scene, selection = self._document.scene, self._document.editable
        # Photographs are prepared on a thread of their own.
        if scene is None or _proxied(scene).settings.decoder == "proxy":
            return
        known = {item.name for item in scene.objects}
        under = self._hovered if self._hovered in known else ""
        names = (under,) if under and under not in selection else selection
        names = names or tuple(item.name for item in scene.objects[:1])
        # While a picture is made or a gesture is under way the cores are theirs.
        free = self._document.draft is None and self.result() is not None
        if not names or not free or (scene, names) == self._anticipated:
            return
        self._anticipated = scene, names
        moved = scene
        for name in names:
            moved = moved.with_box(name, scene.object(name).box.translated(_NUDGE))
        self.preview.request(_proxied(moved))

    # -- from the workers ------------------------------------------------------------------------

    def _on_finished(self, generation: Generation) -> None:
        draft, scene = self._document.draft, self._document.scene
        made = generation.scene
        # The proxy makes one in milliseconds after every edit: kept are those that were asked for.
        if draft is None and (made.settings.decoder != "proxy" or made == self._asked):
            self.history.add(generation)
        wanted = scene if draft is None else _quick(draft)
        if wanted is not None and looks_alike(generation.scene, wanted):
            self.picture_changed.emit(generation.picture)
        self._soon.start()

    def _on_found(self, generation: Generation) -> None:
        scene = self._document.scene
        current = scene is not None and looks_alike(scene, generation.scene)
        if current and self._document.draft is None and self.result() is None:
            self.generator.deliver(generation)

    def _on_preview(self, generation: Generation) -> None:
        scene = self._document.scene
        # A late answer may still be about the scene that was open before.
        if scene is None or generation.scene.background.view is not scene.background.view:
            return
        if self._document.draft is not None or (
            self.result() is None and looks_alike(generation.scene, _proxied(scene))
        ):
            self.picture_changed.emit(generation.picture)


def _quick(scene: Scene) -> Scene:
    most = load_preferences().preview_steps
    return scene if scene.settings.steps <= most else scene.with_settings(steps=most)


def _proxied(scene: Scene) -> Scene:
    if scene.settings.decoder == "proxy":
        return scene
    if scene.settings.decoder == "inpainting":
        # What it starts from.
        return scene.with_settings(decoder="proxy")
    return scene.with_settings(decoder="preview")
