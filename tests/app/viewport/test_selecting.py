"""Selecting with real mouse events on the real canvas."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
ABOVE_MUG = np.array([-0.2, 0.9, 1.05])
"""A point of the kettle that the mug does not hide."""


def test_a_click_selects_and_a_click_on_nothing_deselects(hand):
    hand.click(hand.front("book"))
    assert hand.document.selection == ("book",)
    hand.click(np.array([40.0, 40.0]))
    assert hand.document.selection == ()
    assert hand.document.undo_stack.count() == 0


def test_clicks_in_one_place_go_through_what_lies_behind(hand):
    at = hand.pixel(np.array([-0.25, -0.4, 0.6]))
    seen = []
    for _ in range(3):
        hand.click(at)
        seen.append(hand.document.selection)
    assert seen == [("mug",), ("kettle",), ("mug",)]


def test_shift_click_adds_and_takes_away(hand):
    hand.click(hand.front("book"))
    hand.click(hand.pixel(ABOVE_MUG), SHIFT)
    assert hand.document.selection == ("book", "kettle")
    hand.click(hand.front("book"), SHIFT)
    assert hand.document.selection == ("kettle",)


GROUND = np.array([40.0, 40.0])


def band(hand, start, end, modifiers=Qt.KeyboardModifier.NoModifier):
    hand.press(start, modifiers=modifiers)
    for share in (0.3, 0.6, 1.0):
        hand.move(start + share * (np.asarray(end) - start), modifiers=modifiers)
    hand.wait()


def around(hand, name, margin=6.0):
    """Two corners of the screen rectangle around a box."""
    pixels = np.array([hand.pixel(corner) for corner in hand.box(name).corners()])
    return pixels.min(axis=0) - margin, pixels.max(axis=0) + margin


def test_a_rubber_band_selects_what_it_touches(hand):
    low, high = around(hand, "book")
    start, end = np.array([high[0], high[1]]), (low + high) / 2
    band(hand, start, end)
    assert hand.document.selection == ("book",)
    # A thin one that only crosses an edge counts too, and one that leaves it again does not.
    hand.move(start + [30.0, 30.0])
    hand.wait()
    assert hand.document.selection == ()
    hand.move(GROUND)
    hand.release(GROUND)
    assert set(hand.document.selection) == {"mug", "kettle", "book"}
    assert hand.document.undo_stack.count() == 0


def test_a_rubber_band_adds_with_shift(hand):
    hand.document.select(["kettle"])
    low, high = around(hand, "book")
    band(hand, high, (low + high) / 2, SHIFT)
    hand.release((low + high) / 2, modifiers=SHIFT)
    assert hand.document.selection == ("kettle", "book")


def test_escape_takes_a_rubber_band_back(hand):
    hand.document.select(["kettle"])
    low, high = around(hand, "book")
    band(hand, high, (low + high) / 2)
    drawn = hand.screen()
    hand.key(Qt.Key.Key_Escape)
    assert hand.document.selection == ("kettle",)
    assert not np.array_equal(drawn, hand.screen())
    hand.move(GROUND)
    hand.release(GROUND)
    assert hand.document.selection == ("kettle",)


@pytest.mark.parametrize("mark", ["hidden", "locked"])
def test_hidden_and_locked_boxes_are_not_picked(hand, mark):
    with_mug = hand.screen()
    change = hand.document.set_hidden if mark == "hidden" else hand.document.set_locked
    change(["mug"], True)
    assert np.array_equal(hand.screen(), with_mug) == (mark == "locked")
    hand.click(hand.pixel(np.array([-0.25, -0.4, 0.6])))
    assert hand.document.selection == ("kettle",)
    band(hand, GROUND, np.array([800.0, 650.0]))
    hand.release(np.array([800.0, 650.0]))
    assert set(hand.document.selection) == {"kettle", "book"}
    change(["mug"], False)
    hand.click(hand.front("mug"))
    assert hand.document.selection == ("mug",)
    assert np.array_equal(hand.document.undo_stack.count(), 0)


def test_a_locked_object_that_is_selected_has_no_handles(hand):
    hand.document.select(["book"])
    assert hand.viewport._interaction.highlights().handles
    hand.document.set_locked(["book"], True)
    assert hand.document.selection == ("book",)
    assert not hand.viewport._interaction.highlights().handles


def test_framing_the_selection(hand):
    hand.document.select(["book"])
    hand.viewport.frame_selection()
    low, high = around(hand, "book", 0.0)
    size = np.array([hand.viewport.native.width(), hand.viewport.native.height()])
    assert (low > 0).all()
    assert (high < size).all()
    assert ((high - low) / size).max() == pytest.approx(0.5, abs=0.05)
    assert (low + high) / 2 == pytest.approx(size / 2, abs=1.0)
    hand.document.select(())
    hand.viewport.frame_selection()
    assert hand.viewport.navigation.scale == pytest.approx(652 / 480, rel=0.1)


def test_a_click_with_control_adds_as_in_lists_but_a_drag_takes_one(hand):
    hand.click(hand.front("book"))
    hand.click(hand.pixel(ABOVE_MUG), CONTROL)
    assert hand.document.selection == ("book", "kettle")
    hand.click(GROUND, CONTROL)
    hand.click(hand.front("book"), CONTROL)
    assert hand.document.selection == ("kettle",)
    # There it snaps.
    start = hand.front("book")
    hand.press(start, modifiers=CONTROL)
    hand.move(start + [40.0, 0.0], modifiers=CONTROL)
    hand.release(start + [40.0, 0.0], modifiers=CONTROL)
    assert hand.document.selection == ("book",)
