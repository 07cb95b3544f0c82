"""Colours and sizes of what is drawn over the picture, in logical pixels."""

from __future__ import annotations

from app.viewport.strokes import Color

HANDLE_LENGTH = 90.0
"""Screen length of the gizmo's arrows at the object's own depth."""

RING_RATIO = 1.2
"""The ring's radius over the arrows' length: the tips do not touch it."""

PICK_DISTANCE = 8.0
"""How near the pointer must come to a handle."""

EDGE_TOLERANCE = 4.0
"""How near the pointer must come to the outline of a box that it misses."""

DEAD_ZONE = 3.0
"""How far the pointer moves before a press becomes a drag."""

ACCENT: Color = (1.0, 0.62, 0.16, 1.0)
SELECTED: Color = (0.93, 0.47, 0.10, 1.0)
"""Selected but not active."""
PLAIN: Color = (0.94, 0.94, 0.94, 0.8)
HOVERED: Color = (1.0, 1.0, 1.0, 1.0)
CASING: Color = (0.0, 0.0, 0.0, 0.55)
"""Under every light line, so that it shows on a light picture too."""
GHOST: Color = (1.0, 1.0, 1.0, 0.45)
"""Where a dragged box stood at the press."""

# A box at each `box_strokes.Level`: plain, hovered, selected, active.
BOX_COLORS: tuple[Color, ...] = (PLAIN, HOVERED, SELECTED, ACCENT)
BOX_WIDTHS = (1.2, 2.0, 1.8, 2.0)
HIDDEN_OPACITY = (0.55, 0.7, 0.7, 0.7)
FACE_OPACITY = (0.05, 0.18, 0.08, 0.08)
DASH = 7.0
"""Period of the dashes of hidden edges."""

FRONT_MARK = (6.0, 20.0)
"""Half width of the mark before a box's front, at least and at most."""

WARNING: Color = (1.0, 0.84, 0.1, 1.0)
WARNING_GAP: Color = (0.08, 0.08, 0.08, 0.9)
"""Between the stripes."""
WARNING_WIDTHS = (3.6, 5.0, 5.0, 5.0)
WARNING_DASH = 11.0

AXES: tuple[Color, Color, Color] = (
    (0.98, 0.33, 0.36, 1.0),
    (0.52, 0.83, 0.25, 1.0),
    (0.33, 0.62, 1.0, 1.0),
)
AXIS_NAMES = ("X", "Y", "Z")


def faded(color: Color, opacity: float) -> Color:
    """The colour with its opacity multiplied."""
    return (*color[:3], color[3] * opacity)


def brighter(color: Color) -> Color:
    """Halfway to white: the thing under the pointer."""
    red, green, blue, opacity = color
    return (0.5 + 0.5 * red, 0.5 + 0.5 * green, 0.5 + 0.5 * blue, opacity)
