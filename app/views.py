"""The middle of the window: the picture, and beside it the same scene from any side."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QSettings, Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from app.document import Document
from app.keyboard import PictureFrame
from app.viewport import OrbitView, Viewport
from app.viewport.scene_view import SceneView
from app.viewport.tools import Tools

_SIZES_KEY = "views/sizes"


class Views(QSplitter):
    """Picture and orbit view, one or both of them shown.

    Both exist from the start, so that showing one never makes a new OpenGL context.

    Attributes
    ----------
    tools : Tools
        Handles, pivot and axes of both.
    picture : Viewport
    orbit : OrbitView
    beside : bool
        Whether the orbit view is shown beside the picture.
    current : SceneView
        The one that was last used: commands go there.
    """

    status_changed = Signal(str)

    hovered_changed = Signal(str)
    """Name of the object under the pointer, in either view; empty if none."""

    menu_requested = Signal(QPoint, bool)
    """Where on the screen, and whether for the selected objects, else for the picture."""

    def __init__(self, document: Document) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setChildrenCollapsible(False)
        self.tools = Tools(self)
        self.picture = Viewport(document, self.tools)
        self.orbit = OrbitView(document, self.tools)
        self.current: SceneView = self.picture
        self.beside = self._alone = False
        self._frames: dict[SceneView, QWidget] = {}
        for view in (self.picture, self.orbit):
            frame = PictureFrame(view)
            self._frames[view] = frame
            self.addWidget(frame)
            view.native.installEventFilter(self)
            view.hovered_changed.connect(self.hovered_changed)
            view.menu_requested.connect(self.menu_requested)
            view.status_changed.connect(lambda text, said=view: self._say(said, text))
        sizes = QSettings().value(_SIZES_KEY)
        if isinstance(sizes, QByteArray):
            self.restoreState(sizes)
        else:
            self.setSizes([500, 500])
        self._arrange()

    def set_beside(self, on: bool) -> None:
        """Show the orbit view beside the picture, or the picture alone."""
        self.beside = on
        if not on and self.current is self.orbit:
            self.picture.setFocus()
            self.current = self.picture
        self._arrange()

    def set_alone(self, on: bool) -> None:
        """Show only the view that was used last, or all again."""
        self._alone = on
        self._arrange()

    def store_sizes(self) -> None:
        """Have the same division in the next session."""
        if self.beside and not self._alone:
            QSettings().setValue(_SIZES_KEY, self.saveState())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The view that gets the focus, or that the pointer enters, is the current one."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter):
            for view in self._frames:
                if watched is view.native:
                    self._use(view)
        return super().eventFilter(watched, event)

    def _use(self, view: SceneView) -> None:
        other = self.orbit if view is self.picture else self.picture
        if view is not self.current and not other.busy:
            self.current = view

    def _say(self, view: SceneView, text: str) -> None:
        if view is self.current:
            self.status_changed.emit(text)

    def _arrange(self) -> None:
        for view, frame in self._frames.items():
            shown = view is self.current if self._alone else self.beside or view is self.picture
            frame.setVisible(shown)
