"""Every command once: menus, tool bar, buttons and shortcuts sheet are built from this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.panels.fields import commit_typing
from app.theme import icon
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow

SEPARATOR = ""


@dataclass(frozen=True)
class Command:
    """Something the user can do.

    Attributes
    ----------
    id : str
    text : str
        For the menu; "&" marks the mnemonic.
    run : callable
        Gets the window; a `UserError` it raises is shown inline. Checkable commands look at
        their action to see which way.
    shortcuts : tuple of str
        The first is the one that menus show.
    enabled : callable
        Whether it can be done now.
    tip : str
        More than the text says, for the tooltip.
    """

    id: str
    text: str
    run: Callable[[MainWindow], object]
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    enabled: Callable[[MainWindow], bool] = lambda window: True
    tip: str = ""
    checkable: bool = False
    checked: bool = False


def _has_scene(window: MainWindow) -> bool:
    return window.document.scene is not None


def _has_selection(window: MainWindow) -> bool:
    return bool(window.document.selection)


COMMANDS = (
    Command("open", "&Open …", lambda w: w.files.browse(), ("Ctrl+O",), "open"),
    Command("save", "&Save", lambda w: w.files.save(), ("Ctrl+S",), "save", _has_scene),
    Command("save_as", "Save &as …", lambda w: w.files.save_as(), ("Ctrl+Shift+S",),
            enabled=_has_scene),
    Command("export", "&Export picture …", lambda w: w.files.export(), ("Ctrl+E",), "export",
            lambda w: w.pictures.result() is not None,
            "Write the finished picture as PNG, with the whole scene inside"),
    Command("close", "&Close", lambda w: w.files.close(), ("Ctrl+W",), enabled=_has_scene),
    Command("quit", "&Quit", lambda w: w.close(), ("Ctrl+Q",)),
    Command("undo", "&Undo", lambda w: w.document.undo_stack.undo(), ("Ctrl+Z",), "undo",
            lambda w: w.document.undo_stack.canUndo()),
    Command("redo", "&Redo", lambda w: w.document.undo_stack.redo(),
            ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", lambda w: w.document.undo_stack.canRedo()),
    Command("duplicate", "&Duplicate", lambda w: w.edits.duplicate(), ("Shift+D", "Ctrl+D"),
            "duplicate", _has_selection),
    Command("delete", "De&lete", lambda w: w.edits.delete(), ("Del", "X"), "delete",
            _has_selection),
    Command("rename", "Re&name", lambda w: w.outliner.edit_name(), ("F2",), "rename",
            _has_selection),
    Command("select_all", "Select &all", lambda w: w.edits.select_all(), ("Ctrl+A", "A"),
            enabled=_has_scene),
    Command("select_none", "Select n&one", lambda w: w.document.select(()),
            ("Ctrl+Shift+A", "Alt+A"), enabled=_has_selection),
    Command("move_now", "&Move", lambda w: w.viewport.start_gesture("move"), ("G",), "",
            _has_selection, "Move the selection with the pointer; X, Y or Z for one axis"),
    Command("turn_now", "&Turn", lambda w: w.viewport.start_gesture("turn"), ("R",), "",
            _has_selection, "Turn the selection with the pointer"),
    Command("scale_now", "S&cale", lambda w: w.viewport.start_gesture("scale"), ("S",), "",
            _has_selection, "Scale the selection with the pointer"),
    Command("tool_select", "Select tool", lambda w: w.viewport.set_tool("select"), ("1",),
            "select", tip="Select: click a box; all handles", checkable=True, checked=True),
    Command("tool_move", "Move tool", lambda w: w.viewport.set_tool("move"), ("2",), "move",
            tip="Move: arrows, and dragging along the ground (G moves at once)", checkable=True),
    Command("tool_turn", "Turn tool", lambda w: w.viewport.set_tool("turn"), ("3",), "turn",
            tip="Turn: the ring (R turns at once)", checkable=True),
    Command("tool_scale", "Scale tool", lambda w: w.viewport.set_tool("scale"), ("4",), "scale",
            tip="Scale: corners, and pulling faces (S scales at once)", checkable=True),
    Command("generate", "&Generate", lambda w: w.pictures.generate(), ("Ctrl+Return",),
            "generate", _has_scene, "Make the picture now"),
    Command("cancel", "&Cancel", lambda w: w.pictures.generator.cancel(), ("Ctrl+.",), "cancel",
            lambda w: w.pictures.generator.busy, "Stop the picture being generated"),
    Command("new_seed", "&New seed", lambda w: w.edits.new_seed(), ("Ctrl+R",), "dice",
            lambda w: w.document.scene is not None
            and w.document.scene.settings.decoder == "neural",
            "Another random seed: another picture of the same scene"),
    Command("automatic", "Generate after every &edit", lambda w: w.set_automatic(),
            tip="Make the picture as soon as a box is let go", checkable=True, checked=True),
    Command("fit", "&Fit picture", lambda w: w.viewport.fit(), ("Home", "F"), "fit",
            _has_scene),
    Command("actual", "Actual &pixels, 1:1", lambda w: w.viewport.zoom_to_actual(), ("Ctrl+1",),
            "actual", _has_scene),
    Command("boxes", "Show &boxes", lambda w: w.show_boxes(), ("B",), "boxes", _has_scene,
            "Show boxes and handles", checkable=True, checked=True),
    Command("original", "Show &original", lambda w: w.show_original(), ("Shift+O",), "compare",
            _has_scene, "Compare with the original photo; or hold O", checkable=True),
    Command("hold_original", "Show original while held", lambda w: w.hold_original(), ("O",),
            enabled=_has_scene),
    Command("docks", "Hide &panels", lambda w: w.toggle_docks(), ("Tab",),
            tip="Nothing but the picture", checkable=True),
    Command("shortcuts", "&Keyboard shortcuts", lambda w: w.show_shortcuts(), ("F1", "?")),
    Command("about", "&About", lambda w: w.show_about()),
)

RECENT, PANELS = "recent", "panels"
"""Places of the submenus whose entries come and go."""

MENUS: Mapping[str, Sequence[str]] = {
    "&File": ("open", RECENT, SEPARATOR, "save", "save_as", "export", SEPARATOR, "close", "quit"),
    "&Edit": ("undo", "redo", SEPARATOR, "move_now", "turn_now", "scale_now", SEPARATOR,
              "duplicate", "rename", "delete", SEPARATOR, "select_all", "select_none"),
    "&Picture": ("generate", "cancel", SEPARATOR, "new_seed", "automatic"),
    "&View": ("fit", "actual", SEPARATOR, "boxes", "original", SEPARATOR, PANELS, "docks"),
    "&Help": ("shortcuts", "about"),
}

TOOL_STRIP = ("tool_select", "tool_move", "tool_turn", "tool_scale", SEPARATOR, "boxes",
              "original", SEPARATOR, "fit", "actual", SEPARATOR, "undo", "redo")
TOOLS = {"select": "tool_select", "move": "tool_move", "turn": "tool_turn", "scale": "tool_scale"}


def build_actions(window: MainWindow) -> dict[str, QAction]:
    """One QAction for every command, by id; they belong to the window."""
    return {command.id: _build(window, command) for command in COMMANDS}


def build_menus(
    bar: QMenuBar, actions: Mapping[str, QAction], submenus: Mapping[str, QMenu]
) -> None:
    """Fill the menu bar; `submenus` are for `RECENT` and `PANELS`."""
    for title, ids in MENUS.items():
        menu = bar.addMenu(title)
        for id_ in ids:
            if id_ == SEPARATOR:
                menu.addSeparator()
            elif id_ in submenus:
                menu.addMenu(submenus[id_])
            else:
                menu.addAction(actions[id_])


def refresh(window: MainWindow) -> None:
    """Enable what can be done now."""
    for command in COMMANDS:
        window.actions_by_id[command.id].setEnabled(command.enabled(window))


def refresh_icons(actions: Mapping[str, QAction]) -> None:
    """Draw the icons in the colours of the current scheme."""
    for command in COMMANDS:
        if command.icon:
            actions[command.id].setIcon(icon(command.icon))


def _build(window: MainWindow, command: Command) -> QAction:
    action = QAction(command.text, window)
    action.setObjectName(command.id)
    action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
    # A key held down must not run a command again and again.
    action.setAutoRepeat(command.id in ("undo", "redo"))
    action.setCheckable(command.checkable)
    action.setChecked(command.checked)
    action.setToolTip(_tool_tip(command))
    if command.icon:
        action.setIcon(icon(command.icon))
        action.setIconVisibleInMenu(False)
    action.triggered.connect(lambda: _run(window, command))
    window.addAction(action)
    return action


def _run(window: MainWindow, command: Command) -> None:
    if command.id not in ("undo", "redo"):
        commit_typing()
    try:
        command.run(window)
    except UserError as error:
        window.report(str(error))


def _tool_tip(command: Command) -> str:
    text = command.tip or plain(command.text)
    if not command.shortcuts:
        return text
    return f"{text} ({shortcut_text(command)})"


def shortcut_text(command: Command) -> str:
    """The command's keys as this platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(keys).toString(native) for keys in command.shortcuts)


def plain(text: str) -> str:
    """A menu text without its mnemonic and ellipsis."""
    return text.replace("&", "").removesuffix(" …")
