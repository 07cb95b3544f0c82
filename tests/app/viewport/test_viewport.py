"""Zoom, pictures, drawing and status of the real viewport."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.viewport.scene_view import PAN_STEP
from neural_assets_core.scene import Picture


def test_handles_keep_their_size_on_the_screen(hand):
    hand.document.select(["mug"])
    lengths = []
    for notches in (0, 5, -8):
        hand.wheel(hand.pixel(hand.box("mug").base_center()), notches)
        (arrow,) = (
            h for h in hand.viewport._interaction.highlights().handles if h.name == "move z"
        )
        lengths.append(np.linalg.norm(arrow.segments[0, 1] - arrow.segments[0, 0]))
    assert lengths == pytest.approx([lengths[0]] * 3, rel=0.15)
    assert 60 < lengths[0] < 90


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
    hand.click(hand.front("book"))
    assert hand.document.selection == ("book",)


def test_dragging_works_zoomed_in(hand):
    start = hand.front("book")
    hand.wheel(start, 4)
    hand.document.select(["book"])
    hand.viewport.tools.set_tool("move")
    grabbed = hand.handle("move view")
    hand.drag(grabbed, grabbed + [50.0, 10.0])
    assert np.linalg.norm(hand.handle("move view") - grabbed - [50, 10]) < 0.5


def test_actual_pixels_are_the_pictures_own(hand, qtbot):
    hand.viewport.set_show_boxes(False)
    hand.viewport.zoom_to_actual()
    place = hand.viewport.navigation
    ratio = hand.viewport.native.devicePixelRatioF()
    left, top = round(place.x * ratio), round(place.y * ratio)
    shown = hand.screen()[top : top + 480, left : left + 640]
    assert np.array_equal(shown, hand.document.scene.background.view.picture.pixels)


def test_original_and_generated_pictures(hand):
    blue = Picture(np.full((240, 320, 3), (20, 40, 200), np.uint8))
    middle = lambda: hand.screen()[350, 700].tolist()  # noqa: E731
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
    assert hand.screen()[around].min(axis=2).max() > 200
    hand.document.select(["book"])
    hand.viewport.tools.set_tool("turn")
    red, _, blue = hand.screen()[around].reshape(-1, 3)[
        np.argmax(hand.screen()[around].reshape(-1, 3)[:, 0])
    ]
    assert red > 220
    assert blue < 120


def test_the_status_tells_the_constraint_and_the_change(hand, qtbot):
    start = hand.front("mug")
    said = []
    hand.viewport.status_changed.connect(said.append)
    with qtbot.waitSignals([hand.viewport.gesture_started, hand.viewport.gesture_finished]):
        hand.drag(start, start + [50.0, 10.0])
        qtbot.waitUntil(lambda: any("on the ground" in text and " m" in text for text in said))
        hand.release(start + [50.0, 10.0])


def test_closing_a_scene_leaves_an_empty_viewport(hand):
    hand.document.select(["mug"])
    hand.document.set_scene(None)
    hand.click(np.array([300.0, 300.0]))
    hand.wheel(np.array([300.0, 300.0]), 1)
    hand.key(Qt.Key.Key_Left)
    hand.viewport.start_gesture("move")
    hand.viewport.fit()
    assert len(np.unique(hand.screen().reshape(-1, 3), axis=0)) == 1


def test_a_box_at_the_camera_or_behind_it_does_no_harm(hand):
    scene = hand.document.scene
    eye, forward = scene.camera.position, scene.camera.forward
    for depth in (0.0, -3.0):
        box = hand.box("book").with_center(eye + depth * forward)
        hand.document.push(scene.with_box("book", box), "Move book")
        hand.document.select(["book"])
        assert hand.screen().any()
    hand.viewport.start_gesture("move")
    assert hand.document.draft is None
    hand.key(Qt.Key.Key_Up)
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


def test_what_is_under_a_resting_pointer_is_asked_again_when_the_view_moves(hand):
    book = hand.front("book")
    hand.move(book, Qt.MouseButton.NoButton)
    hand.wait()
    assert hand.viewport._interaction.hovered == "book"
    hand.viewport.pan(200.0, 0.0)
    assert hand.viewport._interaction.hovered != "book"
    hand.viewport.pan(-200.0, 0.0)
    assert hand.viewport._interaction.hovered == "book"
    hand.document.set_scene(hand.document.scene.without("book"))
    assert hand.viewport._interaction.hovered == ""


def test_arrow_keys_shift_the_view_while_nothing_is_selected(hand):
    before = hand.viewport.navigation
    hand.key(Qt.Key.Key_Left)
    hand.key(Qt.Key.Key_Up)
    after = hand.viewport.navigation
    assert (after.x - before.x, after.y - before.y) == (PAN_STEP, PAN_STEP)
    hand.document.select(["book"])
    hand.key(Qt.Key.Key_Left)
    assert hand.viewport.navigation is after
    assert hand.document.undo_stack.count() == 1


def test_while_the_view_is_dragged_no_box_is_taken(hand):
    start = hand.front("mug")
    hand.press(start, Qt.MouseButton.MiddleButton)
    hand.press(start)
    both = Qt.MouseButton.MiddleButton | Qt.MouseButton.LeftButton
    hand.move(start + [50.0, 20.0], both)
    hand.release(start + [50.0, 20.0])
    hand.release(start + [50.0, 20.0], Qt.MouseButton.MiddleButton)
    assert hand.document.selection == ()
    assert hand.document.undo_stack.count() == 0
    assert not hand.viewport.busy
