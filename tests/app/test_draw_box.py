"""Drawing boxes over a photograph with a real mouse, and fitting them."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from neural_assets_core.calibration import (
    Photograph,
    box_from_rectangle,
    camera_from_horizon,
    scene_from_photograph,
)
from neural_assets_core.geometry import Box
from neural_assets_core.geometry.standing import stands_on
from neural_assets_core.scene import SceneObject
from neural_assets_core.segmentation import object_in_rectangle
from tests.app.hand import ALT, CONTROL, SHIFT
from tests.app.photos import TRUE, PhotoHand, photo_scene
from tests.neural_assets_core.segmentation.test_rectangle import around, cup_on_its_saucer

Key = Qt.Key
CAMERA = TRUE.resized(320, 240)
"""Outlines are found sooner in a small photograph."""

CUP = Box(center=(0.1, 0.3, 0.4), size=(0.7, 0.5, 0.8)).rotated((0, 0, 1), 0.4)
# Along the bottom edge that is nearest, to the far bottom corner, and up.
CLICKS = (0, 4, 6, 7)


@pytest.fixture
def hand(empty_window: MainWindow) -> PhotoHand:
    empty_window.document.set_scene(photo_scene(CAMERA))
    QApplication.processEvents()
    hand = PhotoHand(empty_window, CAMERA)
    hand.key(Key.Key_B, SHIFT)
    return hand


def draw(hand: PhotoHand, box: Box = CUP, clicks: int = 4) -> None:
    for corner in CLICKS[:clicks]:
        hand.point(hand.world(box.corners()[corner]))


def cut_out(hand: PhotoHand) -> tuple[SceneObject, ...]:
    """The objects, once the outline of the last one was found."""

    def found() -> bool:
        return hand.document.scene.objects[-1].appearance.mask is not None

    hand.until(found)
    return hand.document.scene.objects


class TestFourClicks:
    def test_make_a_selected_object(self, hand: PhotoHand) -> None:
        document, window = hand.document, hand.window
        draw(hand)
        (item,) = document.scene.objects
        assert item.name == "object 1"
        assert item.box.size == pytest.approx(CUP.size, rel=0.02)
        assert item.box.corners() == pytest.approx(CUP.corners(), abs=0.02)
        assert item.appearance.box == item.box
        assert document.scene.background.occluders == (item.appearance,)
        assert document.selection == ("object 1",)
        assert window.views.tools.tool == "move"
        assert window.viewport.guest is None
        assert document.undo_stack.count() == 1
        hand.key(Key.Key_Z, CONTROL)
        assert not document.scene.objects
        assert not document.scene.background.occluders

    def test_the_next_one_gets_a_number(self, hand: PhotoHand) -> None:
        draw(hand)
        hand.key(Key.Key_B, SHIFT)
        draw(hand, CUP.translated((-0.9, 0.2, 0.0)))
        assert [item.name for item in hand.document.scene.objects] == ["object 1", "object 2"]

    def test_a_preview_follows_the_pointer(self, hand: PhotoHand) -> None:
        draw(hand, clicks=3)
        hand.move(hand.world(CUP.corners()[7]), buttons=Qt.MouseButton.NoButton)
        low = hand.screen()
        higher = CUP.corners()[7] + [0.0, 0.0, 0.4]
        hand.move(hand.world(higher), buttons=Qt.MouseButton.NoButton)
        assert (np.abs(hand.screen().astype(int) - low).sum(axis=-1) > 60).sum() > 200
        assert "3/4" in hand.window._hint.text()
        assert not hand.document.scene.objects

    def test_backspace_takes_the_last_click_back(self, hand: PhotoHand) -> None:
        draw(hand, clicks=2)
        hand.point(hand.world((-2.0, 2.0, 0.0)))
        hand.key(Key.Key_Backspace)
        for corner in CLICKS[2:]:
            hand.point(hand.world(CUP.corners()[corner]))
        (item,) = hand.document.scene.objects
        assert item.box.size == pytest.approx(CUP.size, rel=0.02)

    def test_esc_gives_up_first_the_box_then_the_tool(self, hand: PhotoHand) -> None:
        draw(hand, clicks=3)
        hand.key(Key.Key_Escape)
        assert hand.window.views.tools.tool == "draw"
        draw(hand, clicks=1)
        hand.key(Key.Key_Escape)
        hand.key(Key.Key_Escape)
        assert hand.window.views.tools.tool == "select"
        assert hand.window.viewport.guest is None
        assert hand.document.undo_stack.count() == 0

    def test_zooming_between_clicks_changes_nothing(self, hand: PhotoHand) -> None:
        draw(hand, clicks=2)
        hand.wheel(hand.at((160, 120)), 2)
        for corner in CLICKS[2:]:
            hand.point(hand.world(CUP.corners()[corner]))
        (item,) = hand.document.scene.objects
        assert item.box.size == pytest.approx(CUP.size, rel=0.02)

    def test_the_sky_is_refused_in_one_sentence(self, hand: PhotoHand) -> None:
        hand.point(hand.at((160, 2)))
        assert "horizon" in hand.window.messages.text
        draw(hand, clicks=1)
        assert not hand.window.messages.isVisible()
        hand.key(Key.Key_Escape)
        draw(hand)
        assert len(hand.document.scene.objects) == 1
        assert not hand.window.messages.isVisible()

    def test_not_over_a_moved_camera(self, hand: PhotoHand) -> None:
        scene = hand.document.scene
        moved = scene.with_camera(CAMERA.cropped(5.0, 0.0, CAMERA.width, CAMERA.height))
        hand.document.push(moved, "Move the camera")
        assert hand.window.views.tools.tool == "select"
        assert not hand.window.actions_by_id["tool_draw"].isEnabled()


class TestRectangle:
    def test_a_drag_makes_the_object_that_the_core_finds_in_it(self, hand: PhotoHand) -> None:
        document = hand.document
        before = document.scene
        low, high = (125, 90), (190, 165)
        hand.pull(hand.at(low), hand.at(high))
        hand.until(lambda: bool(document.scene.objects))
        (item,) = document.scene.objects
        assert document.selection == (item.name,)
        assert document.undo_stack.count() == 1
        assert not document.fitting
        assert hand.window.views.tools.tool == "move"
        # The same as on the command line, but for where exactly the mouse was.
        alone = object_in_rectangle(before, (*low, *high)).objects[0]
        assert item.box.center == pytest.approx(alone.box.center, abs=0.05)
        assert item.appearance.mask is not None
        assert alone.appearance.mask is not None
        found, expected = (
            looks.mask.pixels > 127 for looks in (item.appearance, alone.appearance)
        )
        assert (found & expected).sum() > 0.9 * (found | expected).sum()
        # What will move is seen before it moves.
        assert "encloses what will move" in hand.window.messages.text
        lined = hand.screen().astype(int)
        hand.key(Key.Key_Right)
        assert not hand.window.messages.isVisible()
        hand.window.actions_by_id["undo"].trigger()
        hand.until(lambda: hand.window.pictures.result() is not None)
        changed = np.abs(hand.screen() - lined).sum(axis=-1) > 60
        inside = np.asarray(cv2.erode(found.astype(np.uint8), np.ones((3, 3)))) > 0
        edge = np.argwhere(found & ~inside)
        columns, rows = hand.at(edge[:, ::-1] + 0.5).round().astype(int).T
        near = np.asarray(cv2.dilate(changed.astype(np.uint8), np.ones((3, 3))))
        # A white line is lost where the photograph is white.
        assert near[rows, columns].mean() > 0.5

    def test_two_in_a_row_are_both_found(self, hand: PhotoHand) -> None:
        for low, high in (((125, 90), (190, 165)), ((30, 100), (80, 160))):
            hand.pull(hand.at(low), hand.at(high))
            hand.key(Key.Key_B, SHIFT)
        hand.until(lambda: len(hand.document.scene.objects) == 2)
        assert len(hand.document.scene.background.occluders) == 2

    def test_a_cup_is_set_upon_its_saucer(self, empty_window: MainWindow) -> None:
        picture, truth = cup_on_its_saucer()
        seen_from = camera_from_horizon((320, 240), 420.0, -310.0, -310.0)
        empty_window.document.set_scene(scene_from_photograph(Photograph(picture), seen_from))
        QApplication.processEvents()
        hand, document = PhotoHand(empty_window), empty_window.document
        scenes = []
        left, top, right, bottom = around(truth)
        for rectangle in ((20, 35, 300, 225), (left, top, right, bottom)):
            count = len(document.scene.objects)
            hand.key(Key.Key_B, SHIFT)
            hand.pull(hand.at(rectangle[:2]), hand.at(rectangle[2:]))
            hand.until(lambda count=count: len(document.scene.objects) > count)
            scenes.append(document.scene)
        saucer, cup = document.scene.objects
        assert stands_on(cup.box, saucer.box)
        assert f"{cup.name} stands on {saucer.name}" in empty_window.messages.text
        assert document.scene.background.occluders == (saucer.appearance, cup.appearance)
        # What the cup hides of the saucer is a part of the same step.
        assert saucer.appearance != scenes[0].objects[0].appearance
        document.undo_stack.undo()
        assert document.scene == scenes[0]
        document.undo_stack.redo()
        assert document.scene == scenes[1]
        assert not empty_window.messages.isVisible()

    def test_it_is_shown_while_the_outline_is_looked_for(self, hand: PhotoHand) -> None:
        document, window = hand.document, hand.window
        low, high = hand.at((30, 100)), hand.at((80, 160))
        hand.move(high)
        plain = hand.screen()
        hand.pull(low, high)
        # Nothing of what the search finds arrives before the events are handled.
        assert len(window.photo._cut_out.searching) == 1
        left, top, right, bottom = (round(value) for value in (*low, *high))
        changed = np.abs(hand.screen().astype(int) - plain).sum(axis=-1) > 60
        assert changed[top - 1 : top + 2, left:right].any(axis=0).mean() > 0.4
        assert changed[top:bottom, left - 1 : left + 2].any(axis=1).mean() > 0.4
        # The dashes move.
        assert window.photo._march.isActive()
        first = hand.screen()
        time.sleep(0.1)
        assert (hand.screen() != first).any()
        assert "Looking for the outline" in window._hint.text()
        # The clicks of the next box go on when it is found.
        draw(hand, clicks=2)
        hand.until(lambda: bool(document.scene.objects))
        assert not window.photo._cut_out.searching
        assert not window.photo._march.isActive()
        assert window.views.tools.tool == "draw"
        for corner in CLICKS[2:]:
            hand.point(hand.world(CUP.corners()[corner]))
        assert document.scene.objects[-1].box.size == pytest.approx(CUP.size, rel=0.02)

    def test_keys_do_it_too_and_esc_gives_the_search_up(self, hand: PhotoHand) -> None:
        hand.move(hand.at((30, 100)))
        hand.key(Key.Key_Return)
        for key, times in ((Key.Key_Right, 15), (Key.Key_Down, 19)):
            for _ in range(times):
                hand.key(key)
        hand.key(Key.Key_Right, SHIFT)
        hand.key(Key.Key_Return)
        # Steps of a hundredth of the picture's width, or of a fifth of that.
        (found,) = hand.window.photo._cut_out.searching
        assert found == pytest.approx((30, 100, 78.64, 160.8), abs=0.5)
        hand.key(Key.Key_Escape)
        assert hand.window.views.tools.tool == "draw"
        # Until what it was looking for is found.
        assert hand.window.photo._cut_out.shutdown(60_000)
        QApplication.processEvents()
        assert not hand.document.scene.objects

    def test_esc_in_the_middle_leaves_no_box(self, hand: PhotoHand) -> None:
        low, high = hand.at((125, 90)), hand.at((190, 165))
        hand.drag(low, high)
        hand.key(Key.Key_Escape)
        hand.release(high)
        assert not hand.document.scene.objects


class TestUponAnother:
    def test_a_box_by_clicks_is_set_upon_what_it_stands_on(
        self, empty_window: MainWindow
    ) -> None:
        picture, truth = cup_on_its_saucer()
        seen_from = camera_from_horizon((320, 240), 420.0, -310.0, -310.0)
        empty = scene_from_photograph(Photograph(picture), seen_from)
        empty_window.document.set_scene(object_in_rectangle(empty, (20, 35, 300, 225)))
        QApplication.processEvents()
        hand, document = PhotoHand(empty_window, seen_from), empty_window.document
        hand.key(Key.Key_B, SHIFT)
        clicked = box_from_rectangle(seen_from, *around(truth))
        for corner in CLICKS:
            hand.point(hand.world(clicked.corners()[corner]))
        saucer, cup = document.scene.objects
        assert stands_on(cup.box, saucer.box)
        assert "object 1 stands on object" in hand.window.messages.text
        seen = [seen_from.project(box.corners())[:, :2] for box in (cup.box, clicked)]
        assert seen[0] == pytest.approx(seen[1], abs=3.0)
        hand.key(Key.Key_Return)
        saucer, cup = cut_out(hand)
        # What of the saucer is behind the cup is not its own.
        assert saucer.appearance.mask is not None
        assert cup.appearance.mask is not None
        shared = np.minimum(saucer.appearance.mask.pixels, cup.appearance.mask.pixels)
        assert shared.max() < 128
        assert document.scene.background.occluders == (saucer.appearance, cup.appearance)


class TestFitting:
    def test_a_fresh_box_is_fitted_until_enter(self, hand: PhotoHand) -> None:
        draw(hand)
        assert hand.window.actions_by_id["fit_boxes"].isChecked()
        hand.key(Key.Key_Right)
        fitted = hand.document.scene
        (item,) = fitted.objects
        assert item.box == item.appearance.box
        assert fitted.background.occluders == (item.appearance,)
        assert item.box.center[0] != pytest.approx(CUP.center[0], abs=1e-6)
        hand.key(Key.Key_Return)
        assert not hand.window.actions_by_id["fit_boxes"].isChecked()
        (item,) = cut_out(hand)
        hand.key(Key.Key_Right)
        (after,) = hand.document.scene.objects
        assert after.box != item.box
        assert after.appearance == item.appearance

    def test_what_fits_is_cut_out(self, hand: PhotoHand) -> None:
        draw(hand)
        assert hand.document.scene.objects[0].appearance.mask is None
        hand.key(Key.Key_Return)
        (item,) = cut_out(hand)
        assert hand.document.scene.background.occluders == (item.appearance,)
        assert hand.document.undo_stack.undoText() == "Cut out object 1"
        hand.document.undo_stack.undo()
        assert hand.document.scene.objects[0].appearance.mask is None
        hand.window.actions_by_id["cut_out"].trigger()
        assert cut_out(hand) == (item,)

    def test_a_dragged_box_takes_its_source_along(self, hand: PhotoHand) -> None:
        draw(hand)
        start = hand.handle("move x")
        hand.pull(start, start + [25.0, 0.0])
        (item,) = hand.document.scene.objects
        assert item.box == item.appearance.box
        assert hand.document.undo_stack.undoText() == "Move object 1"

    def test_what_was_moved_is_put_back_first(self, hand: PhotoHand) -> None:
        draw(hand)
        hand.key(Key.Key_Return)
        (before,) = cut_out(hand)
        hand.key(Key.Key_Right)
        hand.key(Key.Key_J)
        assert "put it back first" in hand.window.messages.text
        hand.key(Key.Key_G, ALT)
        assert hand.document.scene.objects == (before,)


def test_copy_size(hand: PhotoHand) -> None:
    draw(hand)
    hand.key(Key.Key_Return)
    cut_out(hand)
    hand.key(Key.Key_B, SHIFT)
    draw(hand, CUP.translated((-0.9, 0.2, 0.0)).scaled(0.7))
    hand.key(Key.Key_Return)
    cut_out(hand)
    document = hand.document
    document.select(["object 1", "object 2"])
    hand.window.actions_by_id["copy_size"].trigger()
    one, other = document.scene.objects
    assert one.box.size == pytest.approx(other.box.size)
    assert one.box.base_center() == pytest.approx(CUP.base_center(), abs=0.02)
    document.select(["object 1"])
    hand.window.actions_by_id["copy_size"].trigger()
    assert "Select the objects" in hand.window.messages.text
