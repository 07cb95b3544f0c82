"""Gestures driven by real keys on the real canvas: axes, typed numbers, copies, nudges."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication

from neural_assets_core.errors import UserError

NONE = Qt.MouseButton.NoButton
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
Key = Qt.Key
HERE = np.array([300.0, 300.0])


def test_arrow_keys_nudge_and_merge(hand):
    hand.document.select(["mug"])
    before = hand.box("mug")
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        hand.key(key)
    after = hand.box("mug")
    shift = hand.pixel(after.base_center()) - hand.pixel(before.base_center())
    assert shift[0] > 0
    assert shift[1] < 0
    assert after.center[2] == before.center[2]
    assert hand.document.undo_stack.count() == 1
    hand.document.undo_stack.undo()
    assert hand.box("mug") == before


def test_a_gesture_without_a_button(hand):
    hand.document.select(["mug"])
    before = hand.box("mug")
    here = np.array([300.0, 300.0])
    hand.move(here, NONE)
    hand.viewport.start_gesture("move")
    hand.move(here + [30.0, 40.0], NONE)
    shift = hand.pixel(hand.box("mug").base_center()) - hand.pixel(before.base_center())
    assert shift == pytest.approx([30.0, 40.0], abs=0.5)
    hand.key(Qt.Key.Key_Z)
    lifted = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(lifted[:2], 0.0)
    assert lifted[2] < 0
    hand.key(Qt.Key.Key_Return)
    assert hand.document.undo_stack.count() == 1
    hand.viewport.start_gesture("turn")
    hand.move(here + [80.0, 90.0], NONE)
    assert hand.document.draft is not None
    hand.key(Qt.Key.Key_Escape)
    hand.viewport.start_gesture("scale")
    hand.move(here, NONE)
    hand.press(here)
    hand.release(here)
    assert hand.document.undo_stack.count() == 2
    assert hand.document.selection == ("mug",)


def begin(hand, motion="move", names=("book",)):
    """Start a gesture with the pointer over the canvas; the box before it."""
    hand.document.select(names)
    hand.move(HERE, NONE)
    before = hand.box(names[-1])
    hand.viewport.start_gesture(motion)
    return before


def moved(hand, before, name="book"):
    return np.subtract(hand.box(name).center, before.center)


def local_axes(box):
    return box.rotation_matrix().T


def test_axis_then_local_then_free(hand):
    before = begin(hand)
    hand.move(HERE + [40.0, 30.0], NONE)
    free = moved(hand, before)
    hand.key(Key.Key_X)
    world = moved(hand, before)
    assert np.allclose(world[1:], 0.0)
    assert abs(world[0]) > 0.01
    hand.key(Key.Key_X)
    own = moved(hand, before)
    assert np.allclose(np.cross(own, local_axes(before)[0]), 0.0)
    assert abs(own[1]) > 0.01
    hand.key(Key.Key_X)
    assert np.allclose(moved(hand, before), free)


def test_shift_and_an_axis_is_the_plane(hand):
    before = begin(hand)
    hand.move(HERE + [40.0, -30.0], NONE)
    hand.key(Key.Key_Y, SHIFT)
    plane = moved(hand, before)
    assert plane[1] == pytest.approx(0.0, abs=1e-12)
    assert abs(plane[0]) > 0.01
    assert abs(plane[2]) > 0.01


def test_local_axes_come_first_if_chosen(hand):
    hand.viewport.tools.set_axes("local")
    before = begin(hand)
    hand.keys("x1")
    assert np.allclose(moved(hand, before), local_axes(before)[0])
    hand.key(Key.Key_X)
    assert np.allclose(moved(hand, before), [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("typed", "offset"),
    [
        ("x1.5", (1.5, 0, 0)),
        ("x1,5", (1.5, 0, 0)),
        ("y.5-", (0, -0.5, 0)),
        ("z-2-", (0, 0, 2)),
        ("1\t2\t0.25", (1, 2, 0.25)),
        ("12\b", (1, 0, 0)),
        ("x1..5", (1.5, 0, 0)),
        ("1x", (1, 0, 0)),
        ("1\t2x5", (15, 0, 0)),
    ],
)
def test_typed_numbers(hand, typed, offset):
    before = begin(hand)
    for character in typed:
        special = {"\t": Key.Key_Tab, "\b": Key.Key_Backspace}
        if character in special:
            hand.key(special[character])
        else:
            hand.keys(character)
    hand.key(Key.Key_Return)
    assert np.allclose(moved(hand, before), offset)
    assert hand.document.undo_stack.count() == 1
    hand.document.undo_stack.undo()
    assert hand.box("book") == before


def test_numbers_are_shown_as_they_are_typed_and_can_be_taken_back(hand):
    said = []
    hand.viewport.status_changed.connect(said.append)
    before = begin(hand)
    hand.move(HERE + [20.0, 10.0], NONE)
    by_pointer = moved(hand, before)
    hand.keys("z-1.")
    assert "[Z -1.|]" in said[-1]
    for _ in range(3):
        hand.key(Key.Key_Backspace)
    hand.key(Key.Key_Z)
    hand.key(Key.Key_Z)
    assert np.allclose(moved(hand, before), by_pointer)


def test_typed_angle_and_factor(hand):
    before = begin(hand, "turn")
    hand.keys("90")
    hand.key(Key.Key_Enter)
    after = hand.box("book")
    assert np.degrees(after.yaw() - before.yaw()) == pytest.approx(90)
    assert np.allclose(after.base_center(), before.base_center())
    begin(hand, "scale")
    said = []
    hand.viewport.status_changed.connect(said.append)
    hand.keys("2")
    assert "[2|]" in said[-1]
    hand.key(Key.Key_Tab)
    assert "[X 2   Y |   Z –]" in said[-1]
    hand.key(Key.Key_Backspace)
    hand.click(HERE)
    assert np.allclose(hand.box("book").size, 2 * np.array(before.size))
    assert hand.document.undo_stack.count() == 2


def test_one_gesture_becomes_another(hand):
    before = begin(hand)
    hand.move(HERE + [60.0, 30.0], NONE)
    hand.key(Key.Key_R)
    assert hand.box("book") == before
    hand.keys("30")
    hand.key(Key.Key_S)
    assert hand.box("book") == before
    hand.key(Key.Key_G)
    hand.keys("x1")
    hand.key(Key.Key_Return)
    assert np.allclose(moved(hand, before), [1, 0, 0])
    assert hand.document.undo_stack.count() == 1


@pytest.mark.parametrize("way", ["escape", "right button", "focus", "scene"])
def test_giving_up_restores_exactly(hand, way):
    before = hand.document.scene
    begin(hand)
    hand.keys("x3")
    if way == "escape":
        hand.key(Key.Key_Escape)
    elif way == "right button":
        hand.press(HERE, Qt.MouseButton.RightButton)
    elif way == "focus":
        QApplication.sendEvent(hand.viewport.native, QFocusEvent(QEvent.Type.FocusOut))
    else:
        hand.document.push(before.without("mug"), "Delete mug")
        before = hand.document.scene
    assert hand.document.draft is None
    assert hand.document.scene is before
    hand.move(HERE + [30.0, 30.0], NONE)
    hand.key(Key.Key_Return)
    assert hand.document.shown_scene is before
    # And the next gesture begins as if nothing had been.
    hand.click(hand.front("book"))
    assert hand.document.selection == ("book",)


def test_duplicate_and_move_is_one_entry(hand):
    hand.document.select(["mug", "book"])
    before = hand.document.scene
    hand.move(HERE, NONE)
    hand.viewport.duplicate_and_move()
    assert len(hand.document.shown_scene.objects) == 5
    hand.keys("y-1")
    hand.key(Key.Key_Return)
    assert hand.document.selection == ("mug 2", "book 2")
    assert np.allclose(moved(hand, before.object("book").box, "book 2"), [0, -1, 0])
    assert hand.box("book") == before.object("book").box
    assert hand.document.undo_stack.count() == 1
    assert hand.document.undo_stack.undoText() == "Duplicate 2 objects"
    hand.document.undo_stack.undo()
    assert hand.document.scene == before


def test_a_copy_given_up_is_gone(hand):
    hand.document.select(["mug"])
    before = hand.document.scene
    hand.move(HERE, NONE)
    hand.viewport.duplicate_and_move()
    hand.move(HERE + [50.0, 20.0], NONE)
    hand.key(Key.Key_S)
    hand.key(Key.Key_Escape)
    assert hand.document.shown_scene is before
    assert hand.document.selection == ("mug",)
    assert hand.document.undo_stack.count() == 0


def test_page_keys_change_the_height(hand):
    hand.document.select(["book"])
    before = hand.box("book")
    for key in (Key.Key_PageUp, Key.Key_PageUp, Key.Key_PageDown):
        hand.key(key)
    lifted = moved(hand, before)
    assert np.allclose(lifted[:2], 0.0)
    assert lifted[2] > 0
    hand.key(Key.Key_PageUp, CONTROL)
    assert moved(hand, before)[2] == pytest.approx(11 * lifted[2])
    assert hand.document.undo_stack.count() == 1


def test_locked_objects_stay_where_they_are(hand):
    hand.document.set_locked(["mug"], True)
    hand.document.select(["mug"])
    with pytest.raises(UserError, match="mug cannot be edited while locked"):
        hand.viewport.start_gesture("move")
    hand.key(Key.Key_Up)
    assert hand.document.undo_stack.count() == 0
    mug, book = hand.box("mug"), begin(hand, names=("mug", "book"))
    hand.keys("x1")
    hand.key(Key.Key_Return)
    assert hand.box("mug") == mug
    assert np.allclose(moved(hand, book), [1, 0, 0])


def test_all_turn_about_the_chosen_pivot(hand):
    names = ("mug", "book")
    before = np.array([hand.box(name).base_center() for name in names])
    fixed = {"active": before[1], "common": before.mean(axis=0)}
    for pivot, point in fixed.items():
        hand.viewport.tools.set_pivot(pivot)
        begin(hand, "turn", names)
        hand.keys("180")
        after = np.array([hand.box(name).base_center() for name in names])
        assert np.allclose(after[:, :2], (2 * point - before)[:, :2])
        hand.key(Key.Key_Escape)
    hand.viewport.tools.set_pivot("each")
    begin(hand, "turn", names)
    hand.keys("180")
    after = np.array([hand.box(name).base_center() for name in names])
    assert np.allclose(after, before)
