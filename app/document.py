"""The one mutable thing: which scene is open, what is selected, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.disk_jobs import drawing_meanwhile
from app.workspace import Workspace, packed, unpacked
from neural_assets_core.animation.keyframes import keyed
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Picture, Scene, load_scene, save_scene
from neural_assets_core.scene.scene import MAXIMUM_NAME
from neural_assets_core.scene.source_box import in_place, with_source_box

UNTITLED = "Untitled"
"""The `stem` of a scene that nobody has given a name."""


class Document(QObject):
    """The open scene with its undo history, its selection and its file.

    Viewport and panels read it, listen to its signals, and ask it to change; nothing else holds
    a current scene. A `Scene` is a frozen value, so an undo step is a pair of scenes.

    Attributes
    ----------
    scene : Scene or None
        None while nothing is open.
    draft : Scene or None
        What a gesture in progress shows; not in the history.
    shown_scene : Scene or None
        The draft if there is one, else the scene: what viewport and panels display.
    selection : tuple of str
        Names of the selected objects; the last is the active one.
    hidden, locked : frozenset of str
        Objects whose boxes are not shown, and those that the viewport must not touch. They are in
        the picture all the same: that is how one looks at the scene, no part of it, and no
        undo entry.
    fitting : bool
        Whether boxes are being fitted to the photograph: an edit of the box of an object that
        stands where it was seen then changes where it was seen too, and the picture stays.
    keying : bool
        Whether edits of what moves are keyframes at the animation's moment.
    path : Path or None
        The scene's file.
    stem : str
        What its files are called, without their endings: as its own, or as the photograph or
        the sample that it was begun with.
    modified : bool
        Whether there are changes that the file does not have.
    undo_stack : QUndoStack
        Undo and redo through its own slots.
    """

    scene_changed = Signal(object)
    """The new `Scene` (or None): after every push, undo, redo, open."""

    draft_changed = Signal(object)
    """A `Scene` while a gesture is under way, None when it ends."""

    selection_changed = Signal(object)
    """tuple of str."""

    workspace_changed = Signal()
    """Something was hidden, shown, locked or unlocked."""

    fitting_changed = Signal(bool)

    path_changed = Signal(object)
    """Path or None."""

    modified_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene: Scene | None = None
        self.draft: Scene | None = None
        self.selection: tuple[str, ...] = ()
        self._workspace = Workspace()
        self.fitting = False
        self.keying = True
        self.path: Path | None = None
        self._called = UNTITLED
        # How many scenes have been set.
        self._turn = 0
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._on_clean)

    @property
    def shown_scene(self) -> Scene | None:
        return self.draft if self.draft is not None else self.scene

    @property
    def file_scene(self) -> Scene | None:
        """The scene as it goes into a file, with what is hidden and locked."""
        return None if self.scene is None else packed(self.scene, self._workspace)

    @property
    def stem(self) -> str:
        return self._called if self.path is None else self.path.stem

    @property
    def hidden(self) -> frozenset[str]:
        return self._workspace.hidden

    @property
    def locked(self) -> frozenset[str]:
        return self._workspace.locked

    @property
    def visible_scene(self) -> Scene | None:
        """The shown scene without the objects that are hidden."""
        scene = self.shown_scene
        if scene is not None:
            for item in scene.objects:
                if item.name in self.hidden:
                    scene = scene.without(item.name)
        return scene

    @property
    def editable(self) -> tuple[str, ...]:
        """The selected objects that are neither hidden nor locked; the last one is active."""
        return tuple(n for n in self.selection if n not in self.hidden | self.locked)

    @property
    def modified(self) -> bool:
        return not self.undo_stack.isClean()

    # -- editing -------------------------------------------------------------------------------

    def push(
        self, scene: Scene, text: str, merge: str | None = None, select: Iterable[str] = ()
    ) -> None:
        """Make `scene` the current one, as one undo entry; a draft ends.

        Parameters
        ----------
        scene : Scene
            A scene equal to the current one makes no entry.
        text : str
            What was done, for the Edit menu ("Move mug").
        merge : str, optional
            Consecutive entries with the same key become one (arrow-key nudges, a spinning
            number).
        select : iterable of str
            What to select with it, also when it is done again; empty: what was.
        """
        if self.scene is None:
            raise ValueError("there is no open scene to edit: use set_scene")
        scene = self._fitted(scene)
        if self.keying:
            scene = keyed(scene, self.scene)
        if scene == self.scene:
            self.set_draft(None)
        else:
            self.undo_stack.push(_Edit(self, scene, text, merge, tuple(select)))

    def set_draft(self, scene: Scene | None) -> None:
        """Show `scene` while a gesture is under way; None ends it, back to the current scene."""
        if scene is not self.draft:
            scene = None if scene is None else self._fitted(scene)
            self.draft = scene
            self.draft_changed.emit(scene)

    def set_fitting(self, on: bool) -> None:
        """Fit boxes to the photograph, or edit the scene again."""
        if on != self.fitting:
            self.fitting = on
            self.fitting_changed.emit(on)

    def _fitted(self, scene: Scene) -> Scene:
        """An edited scene as it is meant: fitting, source boxes go with the boxes."""
        before = self.scene
        if not self.fitting or before is None or scene.background is not before.background:
            return scene
        edited = {item.name: item for item in scene.objects}
        for item in before.objects:
            now = edited.get(item.name)
            # Looks that are not the same object were already taken care of.
            same = now is not None and now.appearance is item.appearance
            if now is not None and same and now.box != item.box and in_place(before, item):
                scene = with_source_box(scene, item.name, now.box)
        return scene

    def rename(self, name: str, typed: str) -> None:
        """Call an object as somebody has typed it, in one undo entry.

        Raises
        ------
        UserError
            If that is empty or too long.
        """
        wanted = " ".join(typed.split())
        if not wanted or len(wanted) > MAXIMUM_NAME:
            raise UserError(
                f"An object's name needs 1 to {MAXIMUM_NAME} characters: it stays as it was."
            )
        if self.scene is not None and wanted != name:
            self.push(self.scene.renamed(name, wanted), f"Rename {name}")

    def select(self, names: Iterable[str]) -> None:
        """Select these objects, the last one active; names that do not exist are dropped."""
        known = {item.name for item in self.scene.objects} if self.scene else set()
        selection = tuple(name for name in dict.fromkeys(names) if name in known)
        if selection != self.selection:
            self.selection = selection
            self.selection_changed.emit(selection)

    def set_hidden(self, names: Iterable[str], on: bool) -> None:
        """Hide the boxes of these objects, or show them again; hidden ones are not selected."""
        names = frozenset(names)
        hidden = self.hidden | names if on else self.hidden - names
        self._set_workspace(Workspace(hidden, self.locked))
        self.select(name for name in self.selection if name not in self.hidden)

    def set_locked(self, names: Iterable[str], on: bool) -> None:
        """Keep these objects from being picked and edited in the viewport, or allow it again."""
        names = frozenset(names)
        locked = self.locked | names if on else self.locked - names
        self._set_workspace(Workspace(self.hidden, locked))

    def _set_workspace(self, workspace: Workspace) -> None:
        if workspace != self._workspace:
            self._workspace = workspace
            self.workspace_changed.emit()

    # -- files ---------------------------------------------------------------------------------

    def set_scene(
        self, scene: Scene | None, path: Path | None = None, called: str = UNTITLED
    ) -> None:
        """Replace everything: another scene, no history, nothing selected.

        Parameters
        ----------
        scene : Scene or None
        path : Path, optional
            Its file.
        called : str
            The `stem` while it has none.
        """
        self._called = called
        self._turn += 1
        self.undo_stack.clear()
        self.undo_stack.setClean()
        self.select(())
        self.set_fitting(False)
        self._set_path(path)
        scene, workspace = (None, Workspace()) if scene is None else unpacked(scene)
        # Nothing follows from the scene before: the same names are other objects.
        self._workspace = Workspace()
        self.show(scene)
        self._set_workspace(workspace)

    def open(self, path: str | Path, as_copy: bool = False) -> None:
        """Open a scene file; the current scene stays if that fails.

        Parameters
        ----------
        path : str or Path
        as_copy : bool
            Do not make it the document's own file: saving will ask for one (sample scenes).

        Raises
        ------
        UserError
            If the file is no readable scene.
        """
        scene = drawing_meanwhile(lambda: load_scene(path))
        self.set_scene(scene, None if as_copy else Path(path), Path(path).stem)

    def recover(self, scene: Scene, path: Path | None) -> None:
        """Go on with a scene that no file has: it is modified from the start.

        Parameters
        ----------
        scene : Scene
        path : Path or None
            The file that saving replaces.
        """
        self.set_scene(scene, path)
        self.undo_stack.resetClean()

    def save(self, path: str | Path | None = None, thumbnail: Picture | None = None) -> None:
        """Write the scene to `path`, or to its own file.

        Parameters
        ----------
        path : str or Path, optional
        thumbnail : Picture, optional
            The picture made from the scene, to be shown for the file.

        Raises
        ------
        UserError
            If the file cannot be written; the document stays modified.
        """
        target = self.path if path is None else Path(path)
        scene = self.file_scene
        if scene is None or target is None:
            raise ValueError("saving needs an open scene and a path")
        saved, turn = self.scene, self._turn
        drawing_meanwhile(lambda: save_scene(scene, target, thumbnail))
        if self._turn != turn:
            # A photograph that was still being read has come meanwhile: the file is not its.
            return
        self._set_path(target)
        # What a worker found out meanwhile is not in the file.
        if self.scene is saved:
            self.undo_stack.setClean()

    def _set_path(self, path: Path | None) -> None:
        if path != self.path:
            self.path = path
            self.path_changed.emit(path)

    @Slot(bool)
    def _on_clean(self, clean: bool) -> None:
        self.modified_changed.emit(not clean)

    # -- for undo steps ------------------------------------------------------------------------

    def show(self, scene: Scene | None) -> None:
        """Make `scene` current without a history entry: what an undo step does."""
        selection = _followed(self.selection, self.scene, scene)
        workspace = Workspace(
            frozenset(_followed(tuple(self.hidden), self.scene, scene)),
            frozenset(_followed(tuple(self.locked), self.scene, scene)),
        )
        self.scene = scene
        had_draft, self.draft = self.draft is not None, None
        # Listeners see the new scene and a selection that fits it, whichever signal comes first.
        changed, self.selection = selection != self.selection, selection
        marked, self._workspace = workspace != self._workspace, workspace
        self.scene_changed.emit(scene)
        if had_draft:
            self.draft_changed.emit(None)
        if changed:
            self.selection_changed.emit(self.selection)
        if marked:
            self.workspace_changed.emit()


class _Edit(QUndoCommand):
    """From one scene to another."""

    def __init__(
        self,
        document: Document,
        scene: Scene,
        text: str,
        merge: str | None,
        select: tuple[str, ...],
    ) -> None:
        super().__init__(text)
        self._document = document
        self._before, self._after = document.scene, scene
        self._selection = document.selection
        self._merge = merge
        self._select = select

    def redo(self) -> None:
        self._document.show(self._after)
        if self._select:
            self._document.select(self._select)

    def undo(self) -> None:
        self._document.show(self._before)
        if not self._document.selection:
            # What was selected is gone with the edit (a duplicate, say): back to its original.
            self._document.select(self._selection)

    def id(self) -> int:
        return -1 if self._merge is None else 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other._merge != self._merge:
            return False
        self._after = other._after
        # Spun there and back again: nothing left to undo.
        self.setObsolete(self._after == self._before)
        return True


def _followed(
    selection: tuple[str, ...], before: Scene | None, after: Scene | None
) -> tuple[str, ...]:
    """Names after a change: renamed objects keep their place, removed ones lose it."""
    if before is None or after is None:
        return ()
    names = {item.name for item in after.objects}
    renamed = {}
    if len(before.objects) == len(after.objects):
        renamed = {
            old.name: new.name for old, new in zip(before.objects, after.objects, strict=True)
        }
    followed = (name if name in names else renamed.get(name, "") for name in selection)
    return tuple(dict.fromkeys(name for name in followed if name in names))
