"""The guide goes through the menus: nothing of the window is missing on the command line."""

from __future__ import annotations

import re

from app.commands import COMMANDS
from app.menus import plain
from neural_assets_core.resources import ROOT

WINDOW_ONLY = {
    "close", "quit", "undo", "redo", "cancel", "automatic",
    "select_all", "select_none", "select_next", "select_previous",
    "hide", "show_all", "lock", "unlock_all",
    "mask_larger", "mask_smaller", "mask_swap", "tool_select", "tool_move", "tool_turn",
    "tool_scale", "tool_box", "pivot_active", "pivot_common", "pivot_each",
    "axes_ground", "axes_world", "axes_local",
    "timeline", "play", "key_previous", "key_next", "auto_key",
    "library", "result_compare", "original", "hold_original", "guessed", "boxes",
    "frame", "fit", "actual", "zoom_in", "zoom_out", "orbit", "alone",
    "look_front", "look_right", "look_top", "look_camera",
    "docks", "next_pane", "previous_pane", "keymap_blender", "keymap_maya",
    "palette", "shortcuts", "about",
}  # fmt: skip
"""Ways of looking, selecting and working by hand, which a program has no use for."""


def test_every_command_is_in_the_guide() -> None:
    page = (ROOT / "guide" / "README.md").read_text().partition("## From the menus")[2]
    first_cells = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    told = {name for cell in first_cells for name in cell.split(", ")}
    missing = {c.id: plain(c.text) for c in COMMANDS if plain(c.text) not in told}
    missing = {id_: text for id_, text in missing.items() if id_ not in WINDOW_ONLY}
    assert not missing, (
        f"{missing}: say in resources/guide/README.md how that is done without a window, or add "
        "it to WINDOW_ONLY"
    )
    # And what the table names is still in the menus.
    assert told - {plain(c.text) for c in COMMANDS} - {"in the window", "---"} == set()
