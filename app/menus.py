"""Where the commands stand: menus, tool strip, and the menus of the right button."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.commands import BY_ID, Command

SEPARATOR = ""


@dataclass(frozen=True)
class Submenu:
    """A menu inside a menu."""

    title: str
    ids: tuple[str, ...]


RESULTS = ("result_restore", "result_compare", "result_star", "result_name", "result_export",
           "result_delete", "result_undelete")
"""What can be done with results of the history."""

LIBRARY = (
    "library_insert", "library_replace", "library_rename", "library_tag", "library_move",
    "library_export", "library_delete", "library_undo", "folder_make", "folder_rename",
    "folder_delete", "library_empty_trash",
)
"""What can be done with assets and folders of the library."""

RECENT, PANELS = "recent", "panels"
"""Places of the submenus whose entries come and go."""

MENUS: Mapping[str, Sequence[str | Submenu]] = {
    "&File": ("photo_open", "photo_paste", SEPARATOR, "open", RECENT, "import_mesh", SEPARATOR,
              "save", "save_as", "export", "turntable", "film", SEPARATOR, "close", "quit"),
    "&Edit": (
        "undo", "redo", SEPARATOR, "copy", "paste", "duplicate", "duplicate_move", "rename",
        "delete", "isolate", SEPARATOR,
        Submenu("&Select", ("select_all", "select_none", "select_next", "select_previous")),
        SEPARATOR,
        Submenu("&Keymap", ("keymap_blender", "keymap_maya")), "settings",
    ),
    "&Object": (
        "move_now", "turn_now", "scale_now", SEPARATOR,
        Submenu("T&ool", ("tool_select", "tool_move", "tool_turn", "tool_scale", "tool_box",
                          "tool_draw")),
        Submenu("&Pivot", ("pivot_active", "pivot_common", "pivot_each")),
        Submenu("&Axes", ("axes_ground", "axes_world", "axes_local")), SEPARATOR,
        "drop", "put_back", "copy_size", "fit_boxes",
        Submenu("Ma&sk", ("tool_mask", "cut_out", "mask_box", "mask_larger", "mask_smaller",
                          "mask_swap")), SEPARATOR,
        "hide", "show_all", "lock", "unlock_all", SEPARATOR,
        "asset_add", "asset_add_background", Submenu("L&ibrary", ("library", *LIBRARY)),
    ),
    "&Scene": (
        "calibrate", "estimate", "reset_camera", "background_swap", SEPARATOR,
        Submenu("&Animation", ("timeline", "play", "key_insert", "key_camera", "key_previous",
                               "key_next", "auto_key")),
    ),
    "&Picture": (
        "generate", "cancel", SEPARATOR, "new_seed", "variants", "automatic", SEPARATOR,
        Submenu("&History", RESULTS),
    ),
    "&View": (
        "frame", "fit", "actual", "zoom_in", "zoom_out", SEPARATOR,
        "boxes", "original", "guessed", "difference",
        "evaluation", SEPARATOR, "orbit",
        Submenu("&Look from", ("look_front", "look_right", "look_top", "look_camera")),
        "alone", SEPARATOR, PANELS, "docks",
        "next_pane", "previous_pane",
    ),
    # Not Alt+H: that shows hidden objects again.
    "He&lp": ("palette", "shortcuts", "diagnostics", "about"),
}

TOOL_STRIP = ("tool_select", "tool_move", "tool_turn", "tool_scale", "tool_box", "tool_draw",
              "tool_mask", "fit_boxes", SEPARATOR, "boxes", "original", "orbit", SEPARATOR, "fit",
              "actual", SEPARATOR, "undo", "redo")

OBJECT_MENU = (
    "move_now", "turn_now", "scale_now", SEPARATOR,
    "duplicate", "duplicate_move", "copy", "rename", "delete", "library_replace", SEPARATOR,
    "drop", "put_back", "copy_size", SEPARATOR, "tool_mask", "cut_out", SEPARATOR,
    "hide", "lock", "isolate", SEPARATOR, "asset_add", "key_insert", SEPARATOR, "frame",
)
"""What the right button offers on an object."""

PICTURE_MENU = (
    "tool_draw", "library", "library_insert", "import_mesh", "paste", SEPARATOR,
    "select_all", "select_none", "show_all", "unlock_all", SEPARATOR,
    "frame", "fit", "actual", SEPARATOR, "boxes", "original", "guessed", "orbit", SEPARATOR,
    "background_swap", "calibrate", "generate", "export",
)
"""What the right button offers beside all objects."""


def in_menus() -> Iterator[tuple[Command, tuple[str, ...]]]:
    """Every command of the menus in their order, with the titles of the menus that lead to it."""
    for title, entries in MENUS.items():
        for entry in entries:
            if isinstance(entry, Submenu):
                for id_ in entry.ids:
                    yield BY_ID[id_], (plain(title), plain(entry.title))
            elif entry in BY_ID:
                yield BY_ID[entry], (plain(title),)


def build_menus(
    bar: QMenuBar, actions: Mapping[str, QAction], submenus: Mapping[str, QMenu]
) -> None:
    """Fill the menu bar; `submenus` are for `RECENT` and `PANELS`."""
    for title, entries in MENUS.items():
        menu = bar.addMenu(title)
        menu.setToolTipsVisible(True)
        for entry in entries:
            if isinstance(entry, Submenu):
                inner = menu.addMenu(entry.title)
                inner.setToolTipsVisible(True)
                inner.addActions([actions[id_] for id_ in entry.ids])
            elif entry == SEPARATOR:
                menu.addSeparator()
            elif entry in submenus:
                menu.addMenu(submenus[entry])
            else:
                menu.addAction(actions[entry])


def context_menu(parent: QWidget, actions: Mapping[str, QAction], ids: Sequence[str]) -> QMenu:
    """A menu of the same commands as in the menu bar, which is gone once it is closed."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for id_ in ids:
        if id_ == SEPARATOR:
            menu.addSeparator()
        else:
            menu.addAction(actions[id_])
    return menu


def plain(text: str) -> str:
    """A menu text without its mnemonic and ellipsis."""
    return re.sub("&(.)", r"\1", text).removesuffix(" …")
