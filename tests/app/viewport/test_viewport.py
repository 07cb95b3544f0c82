"""Selecting, dragging, zooming with real mouse and key events on the real canvas."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from neural_assets_core.scene import Picture

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.MouseButton.NoButton
ABOVE_MUG = np.array([-0.2, 0.9, 1.05])
"""A point of the kettle that the mug does not hide."""


def front(hand, name):
    """A screen position on the box's front."""
    return hand.pixel(hand.box(name).to_world(np.array([0.0, 0.0, 0.0])))


def screen(hand):
    """What the canvas shows, as (height, width, 3) pixels."""
    image = hand.viewport.native.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


# -- selecting ---------------------------------------------------------------------------------


def test_a_click_selects_and_a_click_on_nothing_deselects(hand):
    hand.click(front(hand, "book"))
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
    hand.click(front(hand, "book"))
    hand.click(hand.pixel(ABOVE_MUG), SHIFT)
    assert hand.document.selection == ("book", "kettle")
    hand.click(front(hand, "book"), SHIFT)
    assert hand.document.selection == ("kettle",)


# -- dragging ----------------------------------------------------------------------------------


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
    start = front(hand, "mug")
    hand.drag(start, start + [60.3, 20.1])
    hand.move(start)
    hand.release(start)
    assert hand.document.scene == before
    assert hand.document.undo_stack.count() == 0


def test_a_trembling_press_is_a_click(hand):
    start = front(hand, "mug")
    hand.press(start)
    hand.move(start + [2.0, 1.5])
    hand.release(start + [2.0, 1.5])
    assert hand.document.selection == ("mug",)
    assert hand.document.undo_stack.count() == 0


@pytest.mark.parametrize("way", ["escape", "right button", "focus"])
def test_a_drag_can_be_given_up(hand, way):
    before = hand.document.scene
    start = front(hand, "mug")
    hand.drag(start, start + [50.0, 20.0])
    assert hand.document.draft is not None
    if way == "escape":
        QTest.keyClick(hand.viewport.native, Qt.Key.Key_Escape)
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
    reach = np.linspace(0, 1, 20001)[:, None] * direction
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


def test_a_corner_scales_about_the_base(hand):
    hand.document.select(["kettle"])
    before, start = hand.box("kettle"), hand.handle("scale 7")
    center = hand.pixel(before.base_center())
    hand.drag(start, start + 0.3 * (start - center))
    hand.release(start + 0.3 * (start - center))
    after = hand.box("kettle")
    factor = np.divide(after.size, before.size)
    assert factor == pytest.approx([factor[0]] * 3)
    assert factor[0] > 1.1
    assert np.allclose(after.base_center(), before.base_center())
    end = start + 0.3 * (start - center)
    assert np.linalg.norm(hand.pixel(after.corners()[7]) - end) < 0.5


def test_pulling_a_face_keeps_the_opposite_one(hand):
    hand.viewport.set_tool("scale")
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
    start = front(hand, "book")
    hand.drag(start, start + [-40.0, 15.0])
    hand.release(start + [-40.0, 15.0])
    moved = [np.array(hand.box(n).center) - c for n, c in zip(("mug", "book"), before, strict=True)]
    assert np.allclose(moved[0], moved[1])
    assert hand.document.undo_stack.count() == 1
    assert hand.document.undo_stack.undoText() == "Move 2 objects"


# -- modifiers ---------------------------------------------------------------------------------


def test_ctrl_snaps_and_lets_go_again(hand):
    before, start = hand.box("mug"), front(hand, "mug")
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
    start = hand.handle("move ground")
    origin = hand.pixel(hand.box("mug").base_center())
    hand.drag(start, start + [80.0, 0.0], modifiers=SHIFT)
    slow = hand.pixel(hand.box("mug").base_center()) - origin
    assert slow == pytest.approx([8.0, 0.0], abs=0.1)
    # Letting go of Shift does not jump: from here the pointer counts in full again.
    hand.move(start + [90.0, 0.0])
    assert (hand.pixel(hand.box("mug").base_center()) - origin)[0] == pytest.approx(18.0, abs=0.1)


# -- keys --------------------------------------------------------------------------------------


def test_arrow_keys_nudge_and_merge(hand):
    hand.document.select(["mug"])
    before = hand.box("mug")
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        QTest.keyClick(hand.viewport.native, key)
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
    QTest.keyClick(hand.viewport.native, Qt.Key.Key_Z)
    lifted = np.subtract(hand.box("mug").center, before.center)
    assert np.allclose(lifted[:2], 0.0)
    assert lifted[2] < 0
    QTest.keyClick(hand.viewport.native, Qt.Key.Key_Return)
    assert hand.document.undo_stack.count() == 1
    hand.viewport.start_gesture("turn")
    hand.move(here + [80.0, 90.0], NONE)
    assert hand.document.draft is not None
    QTest.keyClick(hand.viewport.native, Qt.Key.Key_Escape)
    hand.viewport.start_gesture("scale")
    hand.move(here, NONE)
    hand.press(here)
    hand.release(here)
    assert hand.document.undo_stack.count() == 2
    assert hand.document.selection == ("mug",)


def test_handles_keep_their_size_on_the_screen(hand):
    hand.document.select(["mug"])
    lengths = []
    for notches in (0, 5, -8):
        hand.wheel(hand.pixel(hand.box("mug").base_center()), notches)
        tip, origin = hand.handle("move z"), hand.pixel(hand.box("mug").base_center())
        lengths.append(np.linalg.norm(tip - origin))
    assert lengths == pytest.approx([lengths[0]] * 3, rel=0.05)
    assert 70 < lengths[0] < 100


# -- looking -----------------------------------------------------------------------------------


def test_zoom_keeps_the_point_under_the_pointer(hand):
    at = np.array([321.25, 222.75])
    before = hand.viewport.navigation.to_picture(at)
    hand.wheel(at, 3)
    assert hand.viewport.navigation.scale > 1.5
    assert np.allclose(hand.viewport.navigation.to_picture(at), before)
    hand.wheel(at, -40)
    hand.wheel(at, 80)
    assert np.allclose(hand.viewport.navigation.to_picture(at), before)


def test_the_middle_button_pans_and_boxes_come_along(hand):
    grabbed = np.array([200.0, 200.0])
    corner, place = hand.pixel(np.zeros(3)), hand.viewport.navigation
    hand.press(grabbed, Qt.MouseButton.MiddleButton)
    hand.move(grabbed + [31.5, -12.25], Qt.MouseButton.MiddleButton)
    hand.release(grabbed, Qt.MouseButton.MiddleButton)
    assert np.allclose(hand.pixel(np.zeros(3)) - corner, [31.5, -12.25])
    assert (hand.viewport.navigation.x - place.x) == 31.5


def test_a_fitted_picture_stays_fitted_when_the_window_changes(hand, qtbot):
    hand.viewport.window().resize(500, 400)
    qtbot.waitUntil(lambda: hand.viewport.native.width() == 500)
    place = hand.viewport.navigation
    assert place.scale * 640 <= 500
    assert place.x == pytest.approx((500 - place.scale * 640) / 2)
    # And what is under the pointer is still found there.
    hand.click(front(hand, "book"))
    assert hand.document.selection == ("book",)


def test_dragging_works_zoomed_in(hand):
    start = front(hand, "book")
    hand.wheel(start, 4)
    before = hand.box("book")
    grabbed = hand.pixel(before.base_center())
    hand.document.select(["book"])
    hand.drag(hand.handle("move ground"), grabbed + [50.0, 10.0])
    assert np.linalg.norm(hand.pixel(hand.box("book").base_center()) - grabbed - [50, 10]) < 0.5


def test_actual_pixels_are_the_pictures_own(hand, qtbot):
    hand.viewport.set_show_boxes(False)
    hand.viewport.zoom_to_actual()
    place = hand.viewport.navigation
    ratio = hand.viewport.native.devicePixelRatioF()
    left, top = round(place.x * ratio), round(place.y * ratio)
    shown = screen(hand)[top : top + 480, left : left + 640]
    assert np.array_equal(shown, hand.document.scene.background.view.picture.pixels)


def test_original_and_generated_pictures(hand):
    blue = Picture(np.full((240, 320, 3), (20, 40, 200), np.uint8))
    middle = lambda: screen(hand)[350, 700].tolist()  # noqa: E731
    hand.viewport.set_show_boxes(False)
    original = middle()
    hand.viewport.show_picture(blue)
    assert middle() == [20, 40, 200]
    hand.viewport.set_show_original(True)
    assert middle() == original
    hand.viewport.set_show_original(False)
    assert middle() == [20, 40, 200]
    hand.viewport.show_picture(None)
    assert middle() == original


def test_selected_boxes_are_drawn_in_the_accent_colour(hand):
    edge = hand.pixel(hand.box("book").corners()[[3, 7]].mean(axis=0))
    ratio = hand.viewport.native.devicePixelRatioF()
    column, row = (int(side * ratio) for side in edge)
    around = np.s_[row - 3 : row + 4, column - 3 : column + 4]
    assert screen(hand)[around].min(axis=2).max() > 200
    hand.document.select(["book"])
    hand.viewport.set_tool("turn")
    red, _, blue = screen(hand)[around].reshape(-1, 3)[
        np.argmax(screen(hand)[around].reshape(-1, 3)[:, 0])
    ]
    assert red > 220
    assert blue < 120


def test_the_status_tells_the_constraint_and_the_change(hand, qtbot):
    start = front(hand, "mug")
    said = []
    hand.viewport.status_changed.connect(said.append)
    with qtbot.waitSignals([hand.viewport.gesture_started, hand.viewport.gesture_finished]):
        hand.drag(start, start + [50.0, 10.0])
        hand.release(start + [50.0, 10.0])
    assert any("on the ground" in text and " m" in text for text in said)


def test_closing_a_scene_leaves_an_empty_viewport(hand):
    hand.document.select(["mug"])
    hand.document.set_scene(None)
    hand.click(np.array([300.0, 300.0]))
    hand.wheel(np.array([300.0, 300.0]), 1)
    QTest.keyClick(hand.viewport.native, Qt.Key.Key_Left)
    hand.viewport.start_gesture("move")
    hand.viewport.fit()
    assert len(np.unique(screen(hand).reshape(-1, 3), axis=0)) == 1


def test_a_box_at_the_camera_or_behind_it_does_no_harm(hand):
    scene = hand.document.scene
    eye, forward = scene.camera.position, scene.camera.forward
    for depth in (0.0, -3.0):
        box = hand.box("book").with_center(eye + depth * forward)
        hand.document.push(scene.with_box("book", box), "Move book")
        hand.document.select(["book"])
        assert screen(hand).any()
    hand.viewport.start_gesture("move")
    assert hand.document.draft is None
    QTest.keyClick(hand.viewport.native, Qt.Key.Key_Up)
    assert hand.document.undo_stack.count() == 3


def test_reaching_behind_the_camera_is_said(hand):
    scene = hand.document.scene
    box = hand.box("mug").with_size((0.5, 14.0, 0.7))
    hand.document.push(scene.with_box("mug", box), "Resize mug")
    said = []
    hand.viewport.status_changed.connect(said.append)
    hand.document.select(["mug"])
    hand.viewport.start_gesture("turn")
    assert "behind the camera" in said[-1]
