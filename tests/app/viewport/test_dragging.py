"""Dragging boxes and handles with real mouse events on the real canvas."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def test_a_box_is_dragged_along_the_ground_under_the_pointer(hand):
    before = hand.box("mug")
    grabbed = before.to_world(np.array([0.2, -1.0, 0.1]))
    start = hand.pixel(grabbed)
    end = start + [83.4, 21.7]
    hand.drag(start, end)
    moved = np.subtract(hand.box("mug").center, before.center)
    assert np.linalg.norm(hand.pixel(grabbed + moved) - end) < 0.5
    assert moved[2] == 0.0
    assert hand.document.undo_stack.count() == 0
    hand.release(end)
    assert hand.document.draft is None
    assert hand.document.selection == ("mug",)
    assert hand.document.undo_stack.count() == 1
    assert hand.document.undo_stack.undoText() == "Move mug"
    hand.document.undo_stack.undo()
    assert hand.box("mug") == before


def test_there_and_back_leaves_no_trace(hand):
    before = hand.document.scene
    start = hand.front("mug")
    hand.drag(start, start + [60.3, 20.1])
    hand.move(start)
    hand.release(start)
    assert hand.document.scene == before
    assert hand.document.undo_stack.count() == 0


def test_a_trembling_press_is_a_click(hand):
    start = hand.front("mug")
    hand.press(start)
    hand.move(start + [2.0, 1.5])
    hand.release(start + [2.0, 1.5])
    assert hand.document.selection == ("mug",)
    assert hand.document.undo_stack.count() == 0


@pytest.mark.parametrize("way", ["escape", "right button", "focus"])
def test_a_drag_can_be_given_up(hand, way):
    before = hand.document.scene
    start = hand.front("mug")
    hand.drag(start, start + [50.0, 20.0])
    assert hand.document.draft is not None
    if way == "escape":
        hand.key(Qt.Key.Key_Escape)
    elif way == "right button":
        hand.press(start, Qt.MouseButton.RightButton)
    else:
        QApplication.sendEvent(hand.viewport.native, QFocusEvent(QEvent.Type.FocusOut))
    assert hand.document.shown_scene is before
    hand.move(start + [90.0, 0.0])
    hand.release(start + [90.0, 0.0])
    assert hand.document.shown_scene is before
    assert hand.document.undo_stack.count() == 0


@pytest.mark.parametrize(("name", "axis"), [("move x", 0), ("move y", 1), ("move z", 2)])
def test_an_arrow_moves_along_its_axis(hand, name, axis):
    hand.document.select(["mug"])
    before, start = hand.box("mug"), hand.handle(name)
    origin = hand.pixel(before.base_center())
    end = start + 0.8 * (start - origin)
    # The world point of the arrow that lies under the pointer at the press.
    direction = np.eye(3)[axis]
    hand.drag(start, end)
    hand.release(end)
    moved = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(np.delete(moved, axis), 0.0, atol=1e-12)
    assert moved[axis] > 0.05
    reach = np.linspace(0, 2, 40001)[:, None] * direction
    camera = hand.viewport.screen_camera()
    gaps = np.linalg.norm(camera.project(before.base_center() + reach)[:, :2] - start, axis=1)
    grabbed = before.base_center() + reach[np.argmin(gaps)]
    assert np.linalg.norm(hand.pixel(grabbed + moved) - end) < 0.5


def test_the_ring_turns_about_the_vertical(hand):
    hand.document.select(["book"])
    before = hand.box("book")
    ring = next(h for h in hand.viewport._interaction.highlights().handles if h.name == "turn z")
    center = before.base_center()

    def rim(degrees):
        a = math.radians(degrees)
        return hand.pixel(center + ring.length * np.array([math.cos(a), math.sin(a), 0.0]))

    hand.press(rim(-100))
    for degrees in range(-100, -49, 5):
        hand.move(rim(degrees))
    hand.release(rim(-50))
    after = hand.box("book")
    assert math.degrees(after.yaw() - before.yaw()) == pytest.approx(50, abs=0.1)
    assert np.allclose(after.base_center(), center)
    assert hand.document.undo_stack.undoText() == "Turn book"


def test_a_corner_scales_about_the_opposite_one(hand):
    hand.document.select(["kettle"])
    before, start = hand.box("kettle"), hand.handle("scale 7")
    opposite = hand.pixel(before.corners()[0])
    hand.drag(start, start + 0.3 * (start - opposite))
    hand.release(start + 0.3 * (start - opposite))
    after = hand.box("kettle")
    factor = np.divide(after.size, before.size)
    assert factor == pytest.approx([factor[0]] * 3)
    assert factor[0] > 1.1
    assert np.allclose(after.corners()[0], before.corners()[0])
    end = start + 0.3 * (start - opposite)
    assert np.linalg.norm(hand.pixel(after.corners()[7]) - end) < 0.5


def test_pulling_a_face_keeps_the_opposite_one(hand):
    hand.viewport.tools.set_tool("box")
    hand.document.select(["mug"])
    before, start = hand.box("mug"), hand.handle("pull +z")
    hand.drag(start, start - [0.0, 40.0])
    hand.release(start - [0.0, 40.0])
    after = hand.box("mug")
    assert after.size[:2] == before.size[:2]
    assert after.size[2] > before.size[2]
    assert np.allclose(after.base_center(), before.base_center())
    assert hand.pixel(after.to_world(np.array([0.0, 0.0, 1.0])))[1] == pytest.approx(
        start[1] - 40, abs=0.5
    )


def test_several_selected_boxes_move_together(hand):
    hand.document.select(["mug", "book"])
    before = [np.array(hand.box(name).center) for name in ("mug", "book")]
    start = hand.front("book")
    hand.drag(start, start + [-40.0, 15.0])
    hand.release(start + [-40.0, 15.0])
    moved = [np.array(hand.box(n).center) - c for n, c in zip(("mug", "book"), before, strict=True)]
    assert np.allclose(moved[0], moved[1])
    assert hand.document.undo_stack.count() == 1
    assert hand.document.undo_stack.undoText() == "Move 2 objects"


def test_ctrl_snaps_and_lets_go_again(hand):
    before, start = hand.box("mug"), hand.front("mug")
    end = start + [70.0, 30.0]
    hand.drag(start, end, modifiers=CONTROL)
    moved = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(moved, np.round(moved, 1), atol=1e-9)
    hand.move(end, modifiers=CONTROL | SHIFT)
    fine = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(fine, np.round(fine, 2), atol=1e-9)
    QTest.keyRelease(hand.viewport.native, Qt.Key.Key_Control)
    free = np.subtract(hand.box("mug").center, before.center)
    assert not np.allclose(free, np.round(free, 2), atol=1e-6)


def test_shift_slows_to_a_tenth(hand):
    hand.document.select(["mug"])
    hand.viewport.tools.set_tool("move")
    start = hand.handle("move view")
    hand.drag(start, start + [80.0, 0.0], modifiers=SHIFT)
    assert hand.handle("move view") - start == pytest.approx([8.0, 0.0], abs=0.1)
    # Letting go of Shift does not jump: from here the pointer counts in full again.
    hand.move(start + [90.0, 0.0])
    hand.wait()
    assert hand.handle("move view") - start == pytest.approx([18.0, 0.0], abs=0.1)


def test_alt_frees_the_drag_from_the_ground(hand):
    alt = Qt.KeyboardModifier.AltModifier
    before, start = hand.box("mug"), hand.front("mug")
    end = start - [10.0, 60.0]
    hand.drag(start, end, modifiers=alt)
    moved = np.subtract(hand.box("mug").center, before.center)
    assert moved[2] > 0.1
    assert moved @ hand.viewport.screen_camera().forward == pytest.approx(0.0, abs=1e-9)
    # Let go under a resting pointer, it is back on the ground.
    QTest.keyRelease(hand.viewport.native, Qt.Key.Key_Alt)
    assert hand.box("mug").center[2] == before.center[2]


def test_the_release_counts_where_it_happens(hand):
    before, start = hand.box("mug"), hand.front("mug")
    grabbed = start + [70.25, 30.5]
    hand.press(start)
    # Not one move in between, and outside of the window.
    hand.release(grabbed)
    assert hand.document.undo_stack.count() == 1
    assert hand.box("mug").center[2] == before.center[2]
    hand.document.undo_stack.undo()
    hand.drag(start, start + [10.0, 5.0])
    for x in range(20, 70):
        hand.move(start + [x, 20.0])
    hand.release(grabbed)
    direct = hand.box("mug")
    hand.document.undo_stack.undo()
    hand.drag(start, grabbed, steps=40)
    hand.release(grabbed)
    assert np.allclose(hand.box("mug").center, direct.center, atol=1e-12)


def test_a_flood_of_moves_costs_one_draft_a_frame(hand):
    start = hand.front("mug")
    hand.press(start)
    drafts, frames, draw = [], [], hand.viewport._canvas._frame
    hand.document.draft_changed.connect(drafts.append)
    hand.viewport._canvas._frame = lambda: frames.append(1) or draw()
    for i in range(2000):
        hand.move(start + [0.05 * i, 0.01 * i])
    # All of them came before the next frame: the first one of them counted, and the last one will.
    assert len(drafts) <= 2
    end = start + [100.125, 20.25]
    hand.move(end)
    hand.wait()
    QTest.qWait(50)
    assert len(drafts) <= 4
    assert 1 <= len(frames) <= 5
    by_flood = hand.box("mug")
    hand.release(end)
    assert hand.box("mug") == by_flood
    assert hand.document.undo_stack.count() == 1


def test_a_lost_release_ends_the_drag_at_the_next_move(hand):
    start = hand.front("mug")
    hand.drag(start, start + [50.0, 10.0])
    shown = hand.box("mug")
    hand.move(start + [50.0, 10.0], Qt.MouseButton.NoButton)
    assert hand.document.draft is None
    assert hand.document.undo_stack.count() == 1
    hand.move(start + [90.0, 90.0], Qt.MouseButton.NoButton)
    assert hand.box("mug") == shown


def test_keys_during_a_drag_are_the_drags(hand):
    before, start = hand.box("mug"), hand.front("mug")
    hand.drag(start, start + [50.0, 20.0])
    hand.key(Qt.Key.Key_X)
    moved = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(moved[1:], 0.0)
    for key in (Qt.Key.Key_G, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Delete):
        hand.key(key)
    assert hand.document.undo_stack.count() == 0
    assert np.allclose(np.subtract(hand.box("mug").center, before.center), moved)
    hand.release(start + [50.0, 20.0])
    assert hand.document.undo_stack.count() == 1


def test_another_scene_in_the_middle_of_a_drag(hand):
    start = hand.front("mug")
    hand.drag(start, start + [50.0, 20.0])
    without = hand.document.scene.without("mug")
    hand.document.push(without, "Delete mug")
    hand.move(start + [90.0, 40.0])
    hand.release(start + [90.0, 40.0])
    assert hand.document.shown_scene is without
    assert hand.document.undo_stack.count() == 1


@pytest.mark.parametrize("handle", [True, False])
def test_what_was_locked_since_the_press_is_not_dragged(hand, handle):
    hand.document.select(["mug"])
    before = hand.document.scene
    start = hand.handle("move x") if handle else hand.front("mug")
    hand.press(start)
    hand.document.set_locked(["mug"], True)
    hand.move(start + [30.0, 0.0])
    hand.release(start + [30.0, 0.0])
    assert hand.document.scene is before
    assert not hand.viewport.busy
