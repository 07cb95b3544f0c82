"""The commands as QActions: menus, tool strip, buttons, palette and shortcut sheet share them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from app.commands import COMMANDS, Command
from app.edits import Locked
from app.keymaps import Keymap
from app.menus import plain
from app.panels.fields import commit_typing
from app.theme import icon
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from app.main_window import MainWindow


def build_actions(window: MainWindow) -> dict[str, QAction]:
    """One QAction for every command, by id; they belong to the window."""
    made = {command.id: _build(window, command) for command in COMMANDS}
    groups: dict[str, QActionGroup] = {}
    for command in COMMANDS:
        if command.group:
            group = groups.setdefault(command.group, QActionGroup(window))
            group.addAction(made[command.id])
    return made


def set_keys(actions: Mapping[str, QAction], keymap: Keymap) -> None:
    """Give the commands the keys of a keymap."""
    for command in COMMANDS:
        action = actions[command.id]
        action.setShortcuts([QKeySequence(keys) for keys in keymap.get(command.id, ())])
        tip = command.tip or plain(command.text)
        action.setToolTip(f"{tip} ({key_text(action)})" if action.shortcuts() else tip)


def refresh(window: MainWindow) -> None:
    """Enable what can be done now."""
    for command in COMMANDS:
        window.actions_by_id[command.id].setEnabled(not command.obstacle(window))


def refresh_icons(actions: Mapping[str, QAction]) -> None:
    """Draw the icons in the colours of the current scheme."""
    for command in COMMANDS:
        if command.icon:
            actions[command.id].setIcon(icon(command.icon))


def _build(window: MainWindow, command: Command) -> QAction:
    action = QAction(command.text, window)
    action.setObjectName(command.id)
    # A key held down must not run a command again and again.
    action.setAutoRepeat(command.id in ("undo", "redo", "zoom_in", "zoom_out"))
    action.setCheckable(command.checkable or bool(command.group))
    action.setChecked(command.checked)
    action.setShortcutVisibleInContextMenu(True)
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
    except Locked as error:
        window.report(str(error), "warning", "locked")
    except UserError as error:
        window.report(str(error), reporter=command.id)
    else:
        window.outdate(command.id)


def key_text(action: QAction) -> str:
    """The command's keys as this platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(keys.toString(native) for keys in action.shortcuts())
