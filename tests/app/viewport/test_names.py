"""Names stand near their boxes, and never over what can be grabbed."""

import math
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.viewport.gizmo import TOOLS
from app.viewport.labels import label_size
from neural_assets_core.geometry.picking import distance_to_segments

NONE = Qt.MouseButton.NoButton
LETTER = 8.0
"""Radius of a letter on its plate, pixels."""


def labels(hand, boxed=True):
    """Texts over the picture and their middles: names, or the letters of handles."""
    shown = hand.viewport._frame().strokes.labels
    return {label.text: np.array(label.at) for label in shown if label.boxed == boxed}


def inside(text, at):
    """Positions (N, 2) four pixels apart, all over the plate of a name."""
    width, height = label_size(text)
    across = np.arange(-0.5 * width, 0.5 * width + 1, 4.0)
    down = np.arange(-0.5 * height, 0.5 * height + 1, 4.0)
    return at + np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)


def gap(hand):
    """Pixels between names and what can be grabbed; 0 where one covers the other."""
    handles = hand.viewport._interaction.highlights().handles
    letters = np.array(list(labels(hand, boxed=False).values())).reshape(-1, 2)
    gaps = [math.inf]
    for text, at in labels(hand).items():
        for spot in inside(text, at):
            gaps += [distance_to_segments(h.segments, spot).min() for h in handles]
            gaps += list(np.linalg.norm(letters - spot, axis=1) - LETTER)
    return min(gaps)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("zoom", [0.2, 1.0, 2.5])
def test_no_name_covers_a_handle(hand, tool, zoom):
    hand.viewport.tools.set_tool(tool)
    hand.viewport.zoom(zoom)
    for active, other in (("mug", "kettle"), ("kettle", "book"), ("book", "mug")):
        hand.document.select([active])
        hand.viewport._interaction._hovered_box = other
        assert labels(hand).keys() == {active, other}
        assert gap(hand) >= 2.0


def test_two_names_in_one_place_stand_beside_each_other(hand):
    scene = hand.document.scene
    hand.document.set_scene(scene.with_box("mug", hand.box("kettle")))
    hand.document.select(["mug"])
    hand.viewport._interaction._hovered_box = "kettle"
    (mug, kettle), size = labels(hand).values(), np.array(label_size("kettle"))
    assert (abs(mug - kettle) > 0.5 * size).any()


def test_a_name_stays_on_its_side_during_a_drag_and_comes_back_to_it(hand):
    hand.document.select(["mug"])
    hand.move(hand.front("mug"), NONE)
    start = hand.handle("move x")

    def beside():
        corners = hand.viewport.screen_camera().project(hand.box("mug").corners())[:, :2]
        return labels(hand)["mug"] - [np.ptp(corners[:, 0]) / 2 + corners[:, 0].min(), 0.0]

    at_rest = beside()
    hand.press(start)
    for step in np.linspace(0.0, 200.0, 40):
        hand.move(start + [step, 0.1 * step])
        hand.wait()
        assert beside()[0] == pytest.approx(at_rest[0], abs=1e-6)
    hand.key(Qt.Key.Key_Escape)
    assert beside() == pytest.approx(at_rest)


def test_a_name_does_not_change_sides_for_nothing(hand):
    hand.document.select(["book"])
    labels(hand)
    names, view = hand.viewport._names, hand.viewport.navigation
    spots = [names._spots["book"]]
    for factor in [1.2] * 5 + [1 / 1.2] * 15 + [1.2] * 10:
        hand.viewport.zoom(factor)
        labels(hand)
        spots.append(names._spots["book"])
    # Only when something comes there, or there is much more room: nothing goes to and fro.
    assert sum(a != b for a, b in pairwise(spots)) <= 4
    assert hand.viewport.navigation.scale == pytest.approx(view.scale)
    # Near by, the arrow is inside the box, and there is room in the middle above it.
    assert min(spots) == 0 < spots[0]
    assert spots[-1] > 0


def test_names_are_read_at_the_borders_of_the_screen(hand):
    screen = np.array([hand.viewport.native.width(), hand.viewport.native.height()])
    hand.document.select(["mug"])
    for dx, dy in ((-360, 0), (420, 0), (0, -330), (0, 300)):
        hand.viewport.pan(dx, dy)
        (at,), half = labels(hand).values(), 0.5 * np.array(label_size("mug"))
        assert (at - half >= 0).all()
        assert (at + half <= screen).all()
        hand.viewport.pan(-dx, -dy)
    # Out of sight there is none.
    hand.viewport.pan(2000.0, 0.0)
    assert labels(hand) == {}
