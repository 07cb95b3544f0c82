"""Commands on an object's mask, and the thread that finds edges under the brush."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.cut_out import LATER_MS
from app.disk_jobs import DiskJobs
from app.document import Document
from app.viewport import Viewport
from app.viewport.mask_brush import STEP, MaskBrush
from app.viewport.tools import Tools
from neural_assets_core.scene import Appearance, Picture, Scene
from neural_assets_core.segmentation import Stroke, corrected, with_mask

REMEMBERED = 200
"""Masks whose strokes are known."""


class MaskCommands(DiskJobs):
    """Paints masks, each stroke one undo entry.

    Parameters
    ----------
    document : Document
    viewport : Viewport
    tools : Tools
    warn : callable
        Gets sentences for the user.
    calibrating : callable
        Whether the camera is being calibrated.

    Attributes
    ----------
    brush : MaskBrush
    """

    _corrected = Signal(object, object, object)

    def __init__(
        self,
        document: Document,
        viewport: Viewport,
        tools: Tools,
        warn: Callable[[str], None],
        calibrating: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__("search for an edge", parent)
        self._document, self._viewport, self._tools = document, viewport, tools
        self._warn, self._calibrating = warn, calibrating
        self.brush = MaskBrush(document, self._paint, self._leave)
        self._busy = False
        # What was painted for a mask is kept exactly, also after undo and redo.
        self._known: OrderedDict[str, tuple[Stroke, ...]] = OrderedDict()
        self._corrected.connect(self._on_corrected)
        self.failed.connect(self._on_failed)
        tools.tool_changed.connect(self._on_tool)
        document.scene_changed.connect(self._on_document)
        document.selection_changed.connect(self._on_document)
        document.workspace_changed.connect(self._on_document)

    # -- what stands in the way, as advice; empty if nothing does ------------------------------

    def obstacle(self) -> str:
        scene, subject = self._document.scene, self.brush.subject()
        if scene is None:
            return "Open a scene first"
        if self._calibrating():
            return "Apply or cancel the calibration first"
        if subject is None:
            return "Select an object that is neither hidden nor locked first"
        view = scene.background.view
        if scene.camera != view.camera:
            return "Reset the camera first: masks are painted over the photograph"
        if subject[1].view != view:
            return f"{subject[0]} comes from another picture: its mask is painted there"
        return ""

    def obstacle_to_brushing(self) -> str:
        return "" if self._viewport.guest is self.brush else "Choose the Mask tool first"

    # -- commands ------------------------------------------------------------------------------

    def whole_box(self) -> None:
        """Take all that their boxes cover for the selected objects."""
        scene = self._document.scene
        if scene is None:
            return
        names = self._document.editable
        for name in names:
            scene = with_mask(scene, name, None)
        self._document.push(scene, f"Take the whole box of {', '.join(names)}")

    def larger(self) -> None:
        """Make the brush larger."""
        self.brush.resize(STEP)
        self._viewport.redraw()

    def smaller(self) -> None:
        """Make the brush smaller."""
        self.brush.resize(1 / STEP)
        self._viewport.redraw()

    def swap(self) -> None:
        """Exchange what the two buttons paint."""
        self.brush.removes = not self.brush.removes
        self._viewport.redraw()

    # -- strokes -------------------------------------------------------------------------------

    def _paint(self, stroke: Stroke) -> None:
        self.brush.waiting.append(stroke)
        self._go_on()

    def _go_on(self) -> None:
        """Find the edge of the oldest stroke that waits."""
        subject = self.brush.subject()
        if self._busy or not self.brush.waiting or subject is None:
            return
        _, looks = subject
        strokes = (*self._painted(looks), self.brush.waiting[0])
        self._busy = True
        self._do(partial(self._correct, looks, strokes))

    def _painted(self, looks: Appearance) -> tuple[Stroke, ...]:
        """What a mask was painted with."""
        return () if looks.mask is None else self._known.get(looks.mask.sha256, ())

    def _correct(self, looks: Appearance, strokes: tuple[Stroke, ...]) -> None:
        self._tell(self._corrected, looks, strokes, corrected(looks, strokes))

    def _on_corrected(
        self, looks: Appearance, strokes: tuple[Stroke, ...], mask: Picture
    ) -> None:
        scene, subject = self._document.scene, self.brush.subject()
        if scene is not self._document.shown_scene:
            # Another scene now would take what is being dragged out of the hand.
            QTimer.singleShot(LATER_MS, self, lambda: self._on_corrected(looks, strokes, mask))
            return
        self._busy = False
        waiting, self.brush.waiting = self.brush.waiting[1:], []
        if scene is None or subject is None or subject[1] != looks:
            # Undone, or another object meanwhile: what was painted was about something else.
            self._viewport.redraw()
            return
        if mask.pixels.max() > 127:
            self._known[mask.sha256] = strokes
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            self._document.push(with_mask(scene, subject[0], mask), f"Paint {subject[0]}")
            self.brush.waiting = waiting
        else:
            self._warn(f"Nothing of {subject[0]} would be left: to take it away, delete it.")
        self._go_on()
        self._viewport.redraw()

    def _on_failed(self, text: str) -> None:
        self._busy, self.brush.waiting = False, []
        self._warn(text)
        self._viewport.redraw()

    # -- the tool ------------------------------------------------------------------------------

    def _leave(self) -> None:
        self._tools.set_tool("select")

    def _on_tool(self, tool: str) -> None:
        if tool == "mask":
            self._document.set_fitting(False)
            self.brush.begin()
            self._viewport.set_guest(self.brush)
        elif self._viewport.guest is self.brush:
            self._viewport.set_guest(None)

    def _on_document(self, _: Scene | tuple[str, ...] | None = None) -> None:
        if self._viewport.guest is self.brush and self.obstacle():
            self._leave()
