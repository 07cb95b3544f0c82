"""What the picture makes up, shown as made up."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.disk_jobs import DiskJobs
from app.document import Document
from app.viewport import Viewport
from app.viewport.mask_strokes import MaskShape
from neural_assets_core.proxy import draw_photograph
from neural_assets_core.scene import Scene


class Guessed(DiskJobs):
    """Lays a tint over everything in the picture that the photograph never showed.

    Parameters
    ----------
    document : Document
    viewport : Viewport
    """

    _found = Signal(object, object)

    def __init__(
        self, document: Document, viewport: Viewport, parent: QObject | None = None
    ) -> None:
        super().__init__("search for what is guessed", parent)
        self._document, self._viewport = document, viewport
        self._shown = False
        self._found.connect(self._on_found)
        document.scene_changed.connect(self._look)
        document.draft_changed.connect(self._look)

    def set_shown(self, on: bool) -> None:
        """Show it, also after the next edits, or no longer."""
        self._shown = on
        self._look()

    def _look(self, _: Scene | None = None) -> None:
        scene = self._document.scene
        # While something is dragged it would lag behind.
        self._viewport.show_guessed(None)
        if self._shown and scene is not None and self._document.draft is None:
            self._do(partial(self._find, scene))

    def _find(self, scene: Scene) -> None:
        if scene is self._document.scene:
            layers = draw_photograph(scene, scene.camera)
            self._tell(self._found, scene, MaskShape.of(layers.guessed()))

    def _on_found(self, scene: Scene, shape: MaskShape) -> None:
        wanted = self._shown and self._document.draft is None
        if wanted and scene is self._document.scene:
            self._viewport.show_guessed(shape)
