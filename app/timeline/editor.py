"""Pointer and keys over the timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QRubberBand

from app.document import Document
from app.timeline.plot import RULER, Plot
from app.timeline.rows import LOW, Row
from app.timeline.timeline import Timeline
from neural_assets_core.errors import UserError
from neural_assets_core.scene.motion import Easing, Mark

EASINGS: dict[Easing, str] = {"ease": "&Smooth", "linear": "&Linear", "hold": "&Hold"}
_NEAR = 8.0
"""Pixels around a keyframe, or the playhead, in which the pointer is on it."""

_WHEEL_ZOOM = 1.2
_NOTCH = 120.0
Key = Qt.Key
SHIFT, ALT, CONTROL = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@dataclass
class _Drag:
    """What the pointer does while a button is held.

    Attributes
    ----------
    kind : str
        "scrub", "keys" or "band".
    start : QPointF
    moved : bool
        Whether it has left the place of the press.
    before : frozenset of Mark
        What was selected.
    """

    kind: str
    start: QPointF
    before: frozenset[Mark]
    moved: bool = False


class Editor(Plot):
    """The timeline with its hand.

    On the ruler, or at the playhead, dragging scrubs; keyframes are dragged in time, and selected
    by clicks and by a frame drawn around them. The keys are those of `_keys`.
    """

    def __init__(self, document: Document, timeline: Timeline) -> None:
        super().__init__(document, timeline)
        self._drag: _Drag | None = None
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self.viewport())
        self._bindings = self._keys_bound()
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Keyframes")
        self.setAccessibleDescription(
            "Left and right go from frame to frame, with Shift from keyframe to keyframe, up and "
            "down from row to row. Space plays, I inserts a keyframe, Delete takes it away."
        )

    # -- what is where ---------------------------------------------------------------------------

    def mark_at(self, at: QPointF) -> Mark | None:
        """The keyframe under a position."""
        found: tuple[float, Mark] | None = None
        for row in self.rows:
            for key in row.track.keyframes:
                place = self.position(key.time, row)
                far = max(abs(place.x() - at.x()), abs(place.y() - at.y()))
                if far <= _NEAR and (found is None or far < found[0]):
                    found = far, (row.name, key.time)
        return None if found is None else found[1]

    def _at_playhead(self, at: QPointF) -> bool:
        x = self.plotItem.vb.mapViewToScene(QPointF(self.moment, 0.0)).x()
        return at.y() < RULER or abs(x - at.x()) <= 0.5 * _NEAR

    # -- pointer ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton or self._document.scene is None:
            return
        at, mark = event.position(), self.mark_at(event.position())
        marked = self._timeline.marked
        if mark is not None and at.y() >= RULER:
            self._timeline.player.stop()
            more = bool(event.modifiers() & (SHIFT | CONTROL))
            if more:
                self._timeline.mark(marked ^ {mark})
            elif mark not in marked:
                self._timeline.mark([mark])
            self.choose(mark[0])
            self._drag = _Drag("keys", at, marked)
        elif self._at_playhead(at):
            self._drag = _Drag("scrub", at, marked, moved=True)
            self._timeline.player.scrub(self.time_at(at.x()))
        else:
            self._drag = _Drag("band", at, marked)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()
        drag, at = self._drag, event.position()
        if drag is None:
            self.viewport().setCursor(self._cursor(at))
            return
        apart = (at - drag.start).manhattanLength()
        if not drag.moved and apart < QApplication.startDragDistance() / 2:
            return
        drag.moved = True
        if drag.kind == "scrub":
            self._timeline.player.scrub(self.time_at(at.x()))
        elif drag.kind == "keys":
            self._drag_keys(drag, at)
        else:
            area = QRect(drag.start.toPoint(), at.toPoint()).normalized()
            self._band.setGeometry(area)
            self._band.show()
            kept = drag.before if event.modifiers() & SHIFT else frozenset()
            self._timeline.mark(kept | self._marks_in(area))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
        drag, self._drag = self._drag, None
        if drag is None or event.button() != Qt.MouseButton.LeftButton:
            self._drag = drag
            return
        self._band.hide()
        self._dragged_marks = None
        if drag.kind == "scrub":
            self._timeline.player.settle()
        elif drag.kind == "keys" and drag.moved:
            self._try(partial(self._timeline.shift, self._dragged(drag, event.position())))
            self.redraw()
        elif drag.kind == "band" and not drag.moved:
            self._timeline.mark([])
            row = self.row_at(event.position().y())
            if row is not None:
                self.choose(row.name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        notches = (turned.y() or turned.x()) / _NOTCH
        if event.modifiers() & CONTROL:
            self.zoom(_WHEEL_ZOOM**notches, self.time_at(event.position().x()))
        elif event.modifiers() & SHIFT or not turned.y():
            self.pan(-0.1 * notches)
        else:
            self.scroll(-notches * LOW)
        event.accept()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._give_up()

    def _cursor(self, at: QPointF) -> Qt.CursorShape:
        if at.y() >= RULER and self.mark_at(at) is not None:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.SplitHCursor if self._at_playhead(at) else Qt.CursorShape.ArrowCursor

    def _dragged(self, drag: _Drag, at: QPointF) -> float:
        return self.time_at(at.x()) - self.time_at(drag.start.x())

    def _drag_keys(self, drag: _Drag, at: QPointF) -> None:
        """Show how it would be: as a draft."""
        made = self._timeline.shifted(self._dragged(drag, at))
        if made is not None:
            scene, self._dragged_marks = made
            self._document.set_draft(scene)

    def _marks_in(self, area: QRect) -> frozenset[Mark]:
        return frozenset(
            (row.name, key.time)
            for row in self.rows
            for key in row.track.keyframes
            if area.contains(self.position(key.time, row).toPoint())
        )

    def _give_up(self) -> None:
        """What was begun by the pointer is as if it had not been."""
        drag, self._drag = self._drag, None
        self._band.hide()
        self._dragged_marks = None
        if drag is None:
            return
        if drag.kind == "scrub":
            self._timeline.player.settle()
        else:
            self._document.set_draft(None)
            self._timeline.mark(drag.before)

    # -- rows ------------------------------------------------------------------------------------

    def _go_to_row(self, step: int) -> None:
        names = [row.name for row in self.rows]
        if names:
            here = names.index(self.current) if self.current in names else -max(step, 0)
            self.choose(names[min(max(here + step, 0), len(names) - 1)])

    def _go_to_key(self, step: int) -> None:
        row: Row | None = self.current_row()
        if row is None:
            return
        ahead = [key.time for key in row.track.keyframes if (key.time - self.moment) * step > 1e-6]
        if ahead:
            moment = ahead[0] if step > 0 else ahead[-1]
            self._timeline.player.seek(moment)
            self._timeline.mark([(row.name, moment)])

    # -- keys ------------------------------------------------------------------------------------

    def _keys_bound(self) -> dict[str, Callable[[], object]]:
        timeline, player = self._timeline, self._timeline.player
        frame = lambda step: timeline.shift(step / player.animation.fps, "keyframes")  # noqa: E731
        return {
            "Left": partial(player.step, -1),
            "Right": partial(player.step, 1),
            "Ctrl+Left": partial(player.step, -10),
            "Ctrl+Right": partial(player.step, 10),
            "Shift+Left": partial(self._go_to_key, -1),
            "Shift+Right": partial(self._go_to_key, 1),
            "Alt+Left": partial(frame, -1),
            "Alt+Right": partial(frame, 1),
            "Home": partial(player.seek, 0.0),
            "End": lambda: player.seek(player.length),
            "Up": partial(self._go_to_row, -1),
            "Down": partial(self._go_to_row, 1),
            "Space": player.toggle,
            "Del": timeline.delete,
            "Backspace": timeline.delete,
            "X": timeline.delete,
            "Ctrl+A": lambda: timeline.mark(self._all()),
            "A": lambda: timeline.mark(self._all()),
            "Ctrl+C": timeline.copy,
            "Ctrl+V": timeline.paste,
            "+": lambda: self.zoom(_WHEEL_ZOOM, self.moment),
            "-": lambda: self.zoom(1 / _WHEEL_ZOOM, self.moment),
        }

    def event(self, event: QEvent) -> bool:
        """Its own keys go before the window's."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            busy = self._drag is not None and event.key() == Key.Key_Escape
            if busy or _name(event) in self._bindings:
                event.accept()
                return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bound = self._bindings.get(_name(event))
        if event.key() == Key.Key_Escape and self._drag is not None:
            self._give_up()
        elif bound is not None:
            # While the pointer drags keyframes, they are not to be anything else.
            if self._drag is None:
                self._try(bound)
        else:
            event.ignore()

    def _all(self) -> frozenset[Mark]:
        return frozenset((r.name, key.time) for r in self.rows for key in r.track.keyframes)

    def _try(self, edit: Callable[[], object]) -> None:
        try:
            edit()
        except UserError as error:
            self._timeline.player.failed.emit(str(error))

    # -- menu ------------------------------------------------------------------------------------

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            mark = self.mark_at(QPointF(event.pos()))
            if mark is not None and mark not in self._timeline.marked:
                self._timeline.mark([mark])
                self.choose(mark[0])
            where = event.globalPos()
        else:
            where = self._menu_place()
        self.menu().popup(where)

    def menu(self) -> QMenu:
        """What can be done with the selected keyframes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        timeline, marked = self._timeline, self._timeline.marked
        keys = [timeline.player.animation.keyframe(mark) for mark in marked]
        used = {key.easing for key in keys if key is not None}
        for easing, text in EASINGS.items():
            action = self._entry(menu, text, partial(timeline.set_easing, easing), bool(marked))
            action.setCheckable(True)
            action.setChecked(used == {easing})
        menu.addSeparator()
        self._entry(menu, "&Copy", timeline.copy, bool(marked), "Ctrl+C")
        self._entry(menu, "&Paste", timeline.paste, timeline.can_paste, "Ctrl+V")
        self._entry(menu, "&Delete", timeline.delete, bool(marked), "Del")
        menu.addSeparator()
        everything = self._all()
        self._entry(
            menu, "Select &all", partial(timeline.mark, everything), bool(everything), "Ctrl+A"
        )
        return menu

    def _entry(
        self, menu: QMenu, text: str, do: Callable[[], object], enabled: bool, keys: str = ""
    ) -> QAction:
        action = menu.addAction(text)
        action.setEnabled(enabled)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda: self._try(do))
        return action

    def _menu_place(self) -> QPoint:
        places = [
            self.position(time, row).toPoint()
            for name, time in self._timeline.marked
            for row in self.rows
            if row.name == name
        ]
        at = places[0] if places else self.viewport().rect().center()
        return self.viewport().mapToGlobal(at)


def _name(event: QKeyEvent) -> str:
    """A key with its modifiers, in Qt's portable words."""
    modifiers = event.modifiers() & (SHIFT | ALT | CONTROL)
    key = Key(event.key())
    if key in (Key.Key_Plus, Key.Key_Minus):
        # Some keyboards have them behind Shift.
        modifiers = Qt.KeyboardModifier.NoModifier
    return QKeySequence(modifiers.value | key.value).toString()
