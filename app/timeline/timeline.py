"""Commands on keyframes, each one undo entry."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PySide6.QtCore import QEvent, QObject, Signal

from app.document import Document
from app.timeline.player import EMPTY_SECONDS, Player
from app.views import Views
from neural_assets_core.animation import scene_at, with_keyframes, with_playback
from neural_assets_core.animation.keyframes import possible
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Animation, Keyframe, Scene
from neural_assets_core.scene.motion import SAME_MOMENT, Easing, Mark


class Timeline(QObject):
    """What can be done with the keyframes of the open scene.

    Attributes
    ----------
    player : Player
    marked : frozenset of Mark
        The keyframes that are selected.
    """

    marked_changed = Signal()

    def __init__(self, document: Document, views: Views, parent: QObject) -> None:
        """Playing stops when something is grabbed in the views."""
        super().__init__(parent)
        self._document = document
        self.player = Player(document, self)
        self.marked: frozenset[Mark] = frozenset()
        self._copied: list[tuple[str | None, Keyframe]] = []
        document.scene_changed.connect(self._on_scene)
        for view in (views.picture, views.orbit):
            view.native.installEventFilter(self)

    # -- what stands in the way, as advice; empty if nothing does --------------------------------

    def obstacle_to_playing(self) -> str:
        scene = self._document.scene
        if scene is None:
            return "Open a scene first"
        return "" if scene.animation.tracks else "Insert keyframes first"

    @property
    def can_paste(self) -> bool:
        """Whether keyframes were copied."""
        return bool(self._copied)

    def toggle_keying(self) -> None:
        """Follow the menu: edits of what has keyframes are keyframes too, or not."""
        self._document.keying = not self._document.keying

    # -- making keyframes ------------------------------------------------------------------------

    def insert(self) -> None:
        """Keyframes of the selected objects, as they stand, at the moment that is shown."""
        self._insert(self._document.selection)

    def insert_camera(self) -> None:
        """A keyframe of the camera."""
        self._insert((None,))

    def _insert(self, names: tuple[str | None, ...]) -> None:
        self.player.stop()
        scene = self._document.scene
        if scene is None:
            return
        animation = scene.animation
        if not animation.tracks and animation.duration is None:
            # Room for the next ones.
            scene = with_playback(scene, duration=max(EMPTY_SECONDS, animation.time))
        what = "camera" if names == (None,) else f"{names[0]}"
        text = f"Insert keyframe of {what}" if len(names) == 1 else f"Insert {len(names)} keyframes"
        self._document.push(with_keyframes(scene, names), text)
        self.mark((name, animation.time) for name in names)

    # -- editing keyframes -----------------------------------------------------------------------

    def delete(self) -> None:
        """Take the selected keyframes away."""
        scene = self._document.scene
        if scene is not None and self.marked:
            self._push(scene, scene.animation.without(self.marked), "Delete")

    def set_easing(self, easing: Easing) -> None:
        """How the selected keyframes lead to the next ones."""
        scene = self._document.scene
        if scene is not None and self.marked:
            self._push(scene, scene.animation.eased(self.marked, easing), "Ease")

    def shifted(self, seconds: float) -> tuple[Scene, frozenset[Mark]] | None:
        """The scene with the selected keyframes moved in time, and what they are then.

        All move by the same whole number of frames, none of them before the beginning.
        """
        scene = self._document.scene
        if scene is None or not self.marked:
            return None
        fps = scene.animation.fps
        first = min(time for _, time in self.marked)
        by = max(round(seconds * fps) / fps, -first)
        with possible():
            animation = scene.animation.shifted(self.marked, by)
        return _posed(scene, animation), frozenset((name, at + by) for name, at in self.marked)

    def shift(self, seconds: float, merge: str | None = None) -> None:
        """Move the selected keyframes in time."""
        made = self.shifted(seconds)
        if made is not None:
            scene, marks = made
            text = f"Move {_counted(self.marked)}"
            self.marked = frozenset()
            self._document.push(scene, text, merge)
            self.mark(marks)

    def copy(self) -> None:
        """Remember the selected keyframes, to be pasted at another moment."""
        keys = [(mark[0], self.player.animation.keyframe(mark)) for mark in self.marked]
        self._copied = [(name, key) for name, key in keys if key is not None]

    def paste(self) -> None:
        """The copied keyframes again, the first of them at the moment that is shown.

        Those of a single object go to the selected one.

        Raises
        ------
        UserError
            If nothing was copied, or none of it fits the scene.
        """
        self.player.stop()
        scene = self._document.scene
        if scene is None:
            return
        if not self._copied:
            raise UserError("No keyframe was copied yet: select some in the timeline first.")
        names = {item.name for item in scene.objects}
        sources = {name for name, _ in self._copied}
        selected = self._document.selection
        other = selected[-1] if sources != {None} and len(sources) == 1 and selected else None
        first = min(key.time for _, key in self._copied)
        animation, marks = scene.animation, []
        with possible():
            for source, key in self._copied:
                name = source if other is None else other
                if name is None or name in names:
                    at = key.time - first + scene.animation.time
                    animation = animation.with_keyframe(name, key.model_copy(update={"time": at}))
                    marks.append((name, at))
        if not marks:
            raise UserError("The copied keyframes are of objects that are not in this scene.")
        self._push(scene, animation, "Paste", frozenset(marks))
        self.mark(marks)

    def set_playback(
        self, duration: float | None = None, fps: float | None = None, loop: bool | None = None
    ) -> None:
        """Another length (seconds), frame rate, or whether it begins anew after its end."""
        scene = self._document.scene
        if scene is not None:
            made = with_playback(scene, duration=duration, fps=fps, loop=loop)
            what = "length" if duration else "frame rate" if fps else "loop"
            text = f"Change the {what} of the animation"
            self._document.push(made, text, None if what == "loop" else what)

    def go_to_key(self, step: int) -> None:
        """Go to the next moment with a keyframe (step 1), or to the one before (-1)."""
        animation = self.player.animation
        moments = sorted({key.time for track in animation.tracks for key in track.keyframes})
        at = animation.time
        ahead = [m for m in moments if (m - at) * step > SAME_MOMENT]
        if ahead:
            self.player.seek(ahead[0] if step > 0 else ahead[-1])

    def _push(
        self, scene: Scene, animation: Animation, verb: str, what: frozenset[Mark] | None = None
    ) -> None:
        text = f"{verb} {_counted(self.marked if what is None else what)}"
        self._document.push(_posed(scene, animation), text)

    # -- selecting -------------------------------------------------------------------------------

    def mark(self, marks: Iterable[Mark]) -> None:
        """Select these keyframes; those that do not exist are dropped."""
        animation = self.player.animation
        found = [(name, animation.keyframe((name, time))) for name, time in marks]
        marked = frozenset((name, key.time) for name, key in found if key is not None)
        if marked != self.marked:
            self.marked = marked
            self.marked_changed.emit()

    def _on_scene(self, scene: Scene | None) -> None:
        self.mark(self.marked)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What is grabbed stands still."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.player.stop()
        return False


def _posed(scene: Scene, animation: Animation) -> Scene:
    """A scene with other keyframes, as they let it stand at its moment."""
    before = {track.object: track for track in scene.animation.tracks}
    changed = tuple(t for t in animation.tracks if t != before.get(t.object))
    # What was edited without a keyframe stays as it is.
    posed = scene_at(scene.with_animation(animation.with_fields(tracks=changed)), animation.time)
    return posed.with_animation(animation)


def _counted(marks: Collection[Mark]) -> str:
    return "keyframe" if len(marks) == 1 else f"{len(marks)} keyframes"
