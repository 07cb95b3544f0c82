"""Which keys run which command: one table for each habit of the hand.

Keys are Qt's portable names; the first of a command is the one that menus show. While something
is dragged all keys (axes, digits) are the viewport's, and a text field keeps what it can type.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSettings

Keymap = Mapping[str, tuple[str, ...]]
"""Command id to key sequences; a command that is not listed has none."""

_COMMON: Keymap = {
    "open": ("Ctrl+O",),
    "photo_open": ("Ctrl+N",),
    "photo_paste": ("Ctrl+Shift+V",),
    "calibrate": ("K",),
    "fit_boxes": ("J",),
    "tool_mask": ("M",),
    "put_back": ("Alt+G",),
    "save": ("Ctrl+S",),
    "save_as": ("Ctrl+Shift+S",),
    "export": ("Ctrl+E",),
    "turntable": ("Ctrl+Shift+E",),
    "close": ("Ctrl+W",),
    "quit": ("Ctrl+Q",),
    "undo": ("Ctrl+Z",),
    "settings": ("Ctrl+,",),
    "redo": ("Ctrl+Shift+Z", "Ctrl+Y"),
    "copy": ("Ctrl+C",),
    "paste": ("Ctrl+V",),
    "rename": ("F2",),
    "select_next": ("]",),
    "select_previous": ("[",),
    "library": ("L",),
    "timeline": ("Shift+T",),
    "play": ("P",),
    "key_insert": ("I",),
    "key_camera": ("Shift+I",),
    "key_previous": (",",),
    "key_next": (".",),
    "asset_add": ("Shift+L",),
    "lock": ("Ctrl+L",),
    "unlock_all": ("Ctrl+Shift+L",),
    "drop": ("End",),
    "generate": ("Ctrl+Return",),
    "cancel": ("Ctrl+.",),
    "new_seed": ("Ctrl+R",),
    "variants": ("Ctrl+Shift+R",),
    "actual": ("Ctrl+1",),
    "zoom_in": ("Ctrl++", "Ctrl+=", "Num++"),
    "zoom_out": ("Ctrl+-", "Num+-"),
    "boxes": ("B",),
    "original": ("Shift+O",),
    "hold_original": ("O",),
    "guessed": ("Shift+G",),
    "orbit": ("V",),
    "alone": ("Shift+V",),
    "look_front": ("Num+1",),
    "look_right": ("Num+3",),
    "look_top": ("Num+7",),
    "look_camera": ("Num+0",),
    "docks": ("Tab",),
    "next_pane": ("F6",),
    "previous_pane": ("Shift+F6",),
    "palette": ("Ctrl+Shift+P", "F3"),
    "shortcuts": ("F1", "?"),
}

KEYMAPS: Mapping[str, Keymap] = {
    "blender": {
        **_COMMON,
        "move_now": ("G",),
        "turn_now": ("R",),
        "scale_now": ("S",),
        "tool_select": ("1",),
        "tool_move": ("2",),
        "tool_turn": ("3",),
        "tool_scale": ("4",),
        "tool_box": ("5",),
        "tool_draw": ("6", "Shift+B"),
        "duplicate": ("Ctrl+D",),
        "duplicate_move": ("Shift+D",),
        "delete": ("X", "Del"),
        "select_all": ("A", "Ctrl+A"),
        "select_none": ("Alt+A", "Ctrl+Shift+A"),
        "hide": ("H",),
        "show_all": ("Alt+H",),
        "frame": ("F", "Num+."),
        "fit": ("Home",),
    },
    "maya": {
        **_COMMON,
        "tool_select": ("Q",),
        "tool_move": ("W",),
        "tool_turn": ("E",),
        "tool_scale": ("R",),
        "tool_box": ("T",),
        "tool_draw": ("Y", "Shift+B"),
        "duplicate": ("Ctrl+D",),
        "duplicate_move": ("Shift+D",),
        "delete": ("Del", "Backspace"),
        "select_all": ("Ctrl+A",),
        "select_none": ("Ctrl+Shift+A",),
        "hide": ("H", "Ctrl+H"),
        "show_all": ("Shift+H", "Ctrl+Shift+H"),
        "frame": ("F",),
        "fit": ("A", "Home"),
    },
}
DEFAULT = "blender"
_KEY = "keymap"


def stored_keymap() -> str:
    """The keymap of the last session."""
    stored = QSettings().value(_KEY)
    return stored if isinstance(stored, str) and stored in KEYMAPS else DEFAULT


def store_keymap(name: str) -> None:
    """Start with this keymap the next time."""
    if name != stored_keymap():
        QSettings().setValue(_KEY, name)
