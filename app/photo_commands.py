"""Commands on the photograph behind the scene, and what belongs together for them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QDockWidget, QMainWindow

from app.calibration import Assistant
from app.cut_out import NAME, CutOut
from app.document import Document
from app.estimates import Estimates
from app.guessed import Guessed
from app.mask_commands import MaskCommands
from app.panels.calibration_panel import CalibrationPanel
from app.photographs import Photographs
from app.preparation import Preparation
from app.viewport.calibration_guest import CalibrationGuest
from app.viewport.draw_box import DrawBox
from app.viewport.mask_strokes import MaskShape
from app.views import Views
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.source_box import in_place
from neural_assets_core.segmentation import carried_by, with_boxed_object

PANEL_HEIGHT = 520
"""Pixels at which nothing of the calibration has to be scrolled."""

OUTLINE_ADVICE = (
    "The line encloses what will move. Where it is wrong, paint it right (M). "
    "F2 names it."
)

MARCH_MS = 80
"""Between two frames while an outline is looked for; more would slow the search down."""


class PhotoCommands(QObject):
    """Calibrating the camera, drawing boxes, and fitting them to the photograph.

    Attributes
    ----------
    assistant : Assistant
        The calibration.
    panel : CalibrationPanel
    mask : MaskCommands
    guessed : Guessed
    estimates : Estimates
    """

    said = Signal(str, str)
    """A sentence for the user, and how much it matters: "error", "warning" or "hint"."""

    settled = Signal()
    """What was said last is no longer so."""

    changed = Signal()
    """Other commands can be run now."""

    def __init__(
        self,
        document: Document,
        views: Views,
        photographs: Photographs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._photographs = photographs
        self._document, self._viewport, self._tools = document, views.picture, views.tools
        self._picture: Picture | None = None
        # Whether the last thing said was an advice on an object just drawn.
        self._advised = False
        self.assistant = Assistant(document, self)
        self.panel = CalibrationPanel(self.assistant, self.calibrate, self.apply)
        self._calibration = CalibrationGuest(self.assistant, self.apply)
        self._cut_out = CutOut(document, self)
        self._drawing = DrawBox(
            document, self._cut_out, self._add, self._refuse, self._leave
        )
        self.mask = MaskCommands(
            document, views.picture, views.tools, self._warn, lambda: self.assistant.active, self
        )
        self.estimates = Estimates(document, views, self)
        self._preparation = Preparation(
            document, lambda: self._viewport.guest is self.mask.brush, self
        )
        self.guessed = Guessed(document, views.picture, self)
        self.assistant.changed.connect(self._viewport.redraw)
        self.assistant.active_changed.connect(self._on_active)
        self.assistant.undo_stack.indexChanged.connect(self.changed)
        self._tools.tool_changed.connect(self._on_tool)
        for changed in (
            document.scene_changed, document.draft_changed, document.selection_changed
        ):
            # Until something else is done it is seen what was found.
            changed.connect(lambda *_: self._viewport.show_outline(None))
            changed.connect(lambda *_: self._settle())
        document.scene_changed.connect(self._on_scene)
        document.fitting_changed.connect(self._on_fitting)
        self._cut_out.failed.connect(self._warn)
        self._cut_out.drawn.connect(self._on_drawn)
        self._cut_out.outlined.connect(self._on_outlined)
        self._march = QTimer(self, interval=MARCH_MS)
        self._march.timeout.connect(self._viewport.redraw)
        self._cut_out.searching_changed.connect(self._on_searching)
        photographs.failed.connect(lambda text: self.said.emit(text, "error"))
        photographs.opened.connect(self._on_opened)

    @property
    def undo_stack(self) -> QUndoStack:
        """What undo and redo are about: the calibration while there is one, else the document."""
        return (self.assistant if self.assistant.active else self._document).undo_stack

    # -- what stands in the way, as advice; empty if nothing does ------------------------------

    def obstacle_to_drawing(self) -> str:
        scene = self._document.scene
        if scene is None:
            return "Open a scene first"
        if self.assistant.active:
            return "Apply or cancel the calibration first"
        moved = scene.camera != scene.background.view.camera
        return "Reset the camera first: boxes are drawn over the photograph" if moved else ""

    # -- commands ------------------------------------------------------------------------------

    def calibrate(self) -> None:
        """Start the assistant; once it is there, go to it."""
        if self._document.scene is None:
            return
        if self._tools.tool in ("draw", "mask"):
            self._tools.set_tool("select")
        self._document.set_fitting(False)
        self.settled.emit()
        self.assistant.start()
        self._viewport.native.setFocus()

    def apply(self) -> None:
        """End the calibration with the camera that was found."""
        try:
            self.assistant.apply()
        except UserError as error:
            self._warn(str(error))
        else:
            self.settled.emit()

    def set_fitting(self) -> None:
        """Fit boxes to the photograph, or edit the scene again, whichever is not done now."""
        self._document.set_fitting(not self._document.fitting)
        scene = self._document.scene
        if not self._document.fitting or scene is None:
            return
        for name in self._document.selection:
            if not in_place(scene, scene.object(name)):
                self._warn(
                    f"{name} does not stand where the photograph shows it: put it back first "
                    "(Object menu), then its box can be fitted."
                )
                return

    def cut_out(self) -> None:
        """Find the outlines of the selected objects in their boxes anew."""
        self._cut_out.find(self._document.selection, again=True)

    def shutdown(self) -> None:
        """Give up what is in progress, and stop reading."""
        self.assistant.cancel()
        self._cut_out.shutdown()
        self.mask.shutdown()
        self._preparation.shutdown()
        self.guessed.shutdown()
        self.estimates.shutdown()
        self._photographs.shutdown()

    # -- drawing -------------------------------------------------------------------------------

    def _refuse(self, text: str) -> None:
        if text:
            self._warn(text)
        else:
            self.settled.emit()

    def _add(self, box: Box) -> None:
        scene = self._document.scene
        if scene is None:
            return
        try:
            drawn = with_boxed_object(scene, box, NAME)
        except UserError as error:
            self._warn(str(error))
            return
        name = drawn.objects[-1].name
        self._document.push(drawn, f"Draw {name}", select=[name])
        self._tools.set_tool("move")
        # The next edits say better where it is; nobody wants to move it before that.
        self._document.set_fitting(True)
        self._tell_carried(name)

    def _on_searching(self) -> None:
        if not self._cut_out.searching:
            self._march.stop()
        elif not self._march.isActive():
            self._march.start()
        self._viewport.show_searching(self._cut_out.searching)

    def _on_drawn(self, name: str) -> None:
        self.settled.emit()
        # It is cut out, and its box follows that: it can be moved at once.
        if not self._drawing.begun and not self._cut_out.searching:
            self._tools.set_tool("move")
        scene = self._document.scene
        first = scene is not None and len(scene.objects) == 1
        self._tell_carried(name, OUTLINE_ADVICE if first else "")

    def _on_outlined(self, mask: Picture) -> None:
        self._viewport.show_outline(MaskShape.of(mask.pixels))

    def _tell_carried(self, name: str, advice: str = "") -> None:
        """Say what was drawn upon what, or else an advice."""
        scene = self._document.scene
        carried = carried_by(scene, name) if scene is not None else ""
        if carried:
            advice = f"{carried}. Shift+click selects both, to move them together."
        if advice:
            self._advised = True
            self.said.emit(advice, "hint")

    def _on_fitting(self, on: bool) -> None:
        if not on and self._document.scene is not None:
            # The box fits: what in it is the object can be told now.
            self._cut_out.find(self._document.selection, again=False)

    def _leave(self) -> None:
        self._tools.set_tool("select")

    def _on_tool(self, tool: str) -> None:
        drawing = tool == "draw"
        if drawing or self._viewport.guest is self._drawing:
            self._drawing.forget()
            self._viewport.set_guest(self._drawing if drawing else None)
            self.settled.emit()

    # -- the rest ------------------------------------------------------------------------------

    def _warn(self, text: str) -> None:
        self._advised = False
        self.said.emit(text, "warning")

    def _on_opened(self, advice: str) -> None:
        # There is nothing else that could be done with a photograph first.
        self._tools.set_tool("draw")
        self.said.emit(advice, "hint")

    def _settle(self) -> None:
        """Whoever goes on has read the advice, or needs it no longer."""
        if self._advised:
            self._advised = False
            self.settled.emit()

    def _on_active(self, on: bool) -> None:
        self._viewport.set_guest(self._calibration if on else None)
        if not on:
            # A button that goes away would hand the keys to whatever stands next to it.
            self._viewport.native.setFocus()
        dock = self.panel.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.setVisible(on)
            dock.raise_()
            # Once it has been laid out: before that it cannot be resized.
            QTimer.singleShot(0, self._make_room)
        self.changed.emit()

    def _make_room(self) -> None:
        """Enough height for the panel, at the cost of its neighbours."""
        dock = self.panel.parentWidget()
        window = dock.parentWidget() if dock is not None else None
        if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
            return
        area = window.dockWidgetArea(dock)
        neighbours = [
            other
            for other in window.findChildren(QDockWidget)
            if other is not dock and other.isVisible() and window.dockWidgetArea(other) == area
        ]
        room = dock.height() + sum(other.height() for other in neighbours)
        rest = max(room - PANEL_HEIGHT, 1) // max(len(neighbours), 1)
        sizes = [PANEL_HEIGHT, *[rest] * len(neighbours)]
        window.resizeDocks([dock, *neighbours], sizes, Qt.Orientation.Vertical)

    def _on_scene(self, scene: Scene | None) -> None:
        picture = scene.background.view.picture if scene is not None else None
        if picture != self._picture:
            self._picture = picture
            self._drawing.forget()
            self._cut_out.give_up()
            if self._tools.tool == "draw":
                self._leave()
        if self._tools.tool == "draw" and self.obstacle_to_drawing():
            self._leave()
