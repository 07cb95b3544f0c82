"""The calibration assistant with a real mouse: lines, the horizon, known lengths."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.viewport.calibration_strokes import draw_sketch
from app.viewport.strokes import Strokes
from neural_assets_core.calibration import horizon
from neural_assets_core.geometry import Camera
from neural_assets_core.scene import Scene
from tests.app.hand import CONTROL, SHIFT
from tests.app.photos import HEIGHT, TRUE, WIDTH, PhotoHand, photo_scene

Key = Qt.Key
GUESS = Camera.looking_at((0.0, 0.0, 1.6), (0.0, 5.0, 0.0), WIDTH, HEIGHT, 0.6)

Z_EDGES = [((-1, 1.6, 0), (-1, 1.6, 1)), ((1, 1.6, 0), (1, 1.6, 1))]
X_EDGES = [((-1, -0.8, 0), (1, -0.8, 0)), ((-1, 1.6, 0), (1, 1.6, 0)), ((-1, 0.4, 0), (1, 0.4, 0))]
Y_EDGES = [((-1, -0.8, 0), (-1, 1.6, 0)), ((1, -0.8, 0), (1, 1.6, 0))]


@pytest.fixture
def guessed() -> Scene:
    return photo_scene(GUESS)


@pytest.fixture
def hand(empty_window: MainWindow, guessed: Scene) -> PhotoHand:
    empty_window.document.set_scene(guessed)
    QApplication.processEvents()
    hand = PhotoHand(empty_window)
    hand.key(Key.Key_K)
    assert empty_window.photo.assistant.active
    QApplication.processEvents()
    return hand


def lay(hand: PhotoHand, edges) -> None:
    for start, end in edges:
        hand.pull(hand.world(start), hand.world(end))


def lay_all(hand: PhotoHand) -> None:
    lay(hand, X_EDGES)
    hand.key(Key.Key_Y)
    lay(hand, Y_EDGES)


class TestLines:
    def test_edges_give_the_camera_as_one_undo_entry(self, hand: PhotoHand, guessed: Scene) -> None:
        assistant, document = hand.window.photo.assistant, hand.document
        lay_all(hand)
        assert [line.axis for line in assistant.sketch.lines] == ["x"] * 3 + ["y"] * 2
        assert max(assistant.solution().residuals) < 1.0
        assert "Two lines along upright edges (Z)" in hand.window.photo.panel._result.text()
        assert document.scene is guessed
        hand.key(Key.Key_Z)
        lay(hand, Z_EDGES)
        assert "upright" not in hand.window.photo.panel._result.text()
        hand.key(Key.Key_Return)
        camera = document.scene.background.view.camera
        assert camera.k[0, 0] == pytest.approx(TRUE.k[0, 0], rel=0.03)
        assert camera.forward[2] == pytest.approx(TRUE.forward[2], abs=0.01)
        assert document.scene.camera == camera
        assert not assistant.active
        assert document.undo_stack.count() == 1
        assert document.undo_stack.undoText() == "Calibrate the camera"
        hand.window.actions_by_id["undo"].trigger()
        assert document.scene == guessed

    def test_a_line_that_goes_astray_is_marked_as_it_is_named(self, hand: PhotoHand) -> None:
        lay_all(hand)
        hand.key(Key.Key_X)
        lay(hand, [((-1, -0.2, 0), (1, 0.3, 0))])
        assistant, place = hand.window.photo.assistant, hand.window.viewport.place()
        assert place is not None
        strokes = Strokes()
        draw_sketch(strokes, place, assistant, None)
        names = [label.text for label in strokes.labels]
        assert names[1:6] == ["X1", "X2", "X3", "Y1", "Y2"]
        missed = max(assistant.solution().residuals)
        assert names[6] == f"X4 · {missed:.0f} px"
        assert "Line 4 along x misses" in hand.window.photo.panel._warning.text()

    def test_undo_takes_back_lines_and_leaves_the_document(self, hand: PhotoHand) -> None:
        assistant = hand.window.photo.assistant
        lay(hand, X_EDGES[:2])
        assert hand.window.actions_by_id["undo"].text().endswith("Lay a line along X")
        hand.key(Key.Key_Z, CONTROL)
        assert len(assistant.sketch.lines) == 1
        hand.key(Key.Key_Z, CONTROL | SHIFT)
        assert len(assistant.sketch.lines) == 2

    def test_esc_changes_nothing_and_the_lines_come_back(
        self, hand: PhotoHand, guessed: Scene
    ) -> None:
        assistant = hand.window.photo.assistant
        lay(hand, X_EDGES)
        lines = assistant.sketch.lines
        hand.key(Key.Key_Escape)
        assert not assistant.active
        assert hand.document.scene is guessed
        assert hand.document.undo_stack.count() == 0
        assert hand.window.viewport.guest is None
        hand.window.actions_by_id["calibrate"].trigger()
        assert assistant.sketch.lines == lines

    def test_ends_and_lines_can_be_dragged_and_deleted(self, hand: PhotoHand) -> None:
        assistant = hand.window.photo.assistant
        lay(hand, X_EDGES[:1])
        start, end = (hand.world(point) for point in X_EDGES[0])
        hand.pull(end, end + [20.0, -30.0])
        (line,) = assistant.sketch.lines
        assert hand.at(line.end) == pytest.approx(end + [20.0, -30.0], abs=0.1)
        assert hand.at(line.start) == pytest.approx(start, abs=0.1)
        middle = 0.5 * (hand.at(line.start) + hand.at(line.end))
        hand.pull(middle, middle + [0.0, 25.0])
        (line,) = assistant.sketch.lines
        assert hand.at(line.start) == pytest.approx(start + [0.0, 25.0], abs=0.1)
        hand.key(Key.Key_Delete)
        assert assistant.sketch.lines == ()
        assert hand.document.scene.objects == ()

    def test_two_clicks_lay_a_line_too_and_esc_gives_it_up(self, hand: PhotoHand) -> None:
        assistant = hand.window.photo.assistant
        first, second = (hand.world(point) for point in X_EDGES[0])
        hand.point(first)
        hand.move(second, buttons=Qt.MouseButton.NoButton)
        hand.key(Key.Key_Escape)
        assert assistant.active
        assert assistant.sketch.lines == ()
        hand.point(first)
        hand.point(second)
        (line,) = assistant.sketch.lines
        assert hand.at(line.end) == pytest.approx(second, abs=0.1)

    def test_edges_share_corners(self, hand: PhotoHand) -> None:
        assistant = hand.window.photo.assistant
        lay(hand, X_EDGES[:1])
        hand.key(Key.Key_Y)
        lay(hand, Y_EDGES[:1])
        assert [line.axis for line in assistant.sketch.lines] == ["x", "y"]
        # A click on a line of the other axis goes to that one.
        start, end = (hand.world(point) for point in X_EDGES[0])
        hand.point(0.5 * (start + end))
        assert (assistant.axis, assistant.selected) == ("x", 0)
        assert len(assistant.sketch.lines) == 2

    def test_zooming_between_two_clicks_changes_nothing(self, hand: PhotoHand) -> None:
        hand.point(hand.world(X_EDGES[0][0]))
        hand.wheel(hand.at((320, 240)), 3)
        hand.point(hand.world(X_EDGES[0][1]))
        (line,) = hand.window.photo.assistant.sketch.lines
        ends = TRUE.project(np.array(X_EDGES[0], dtype=float))[:, :2]
        assert np.array([line.start, line.end]) == pytest.approx(ends, abs=0.1)

    def test_too_few_lines_say_so(self, hand: PhotoHand, guessed: Scene) -> None:
        lay(hand, X_EDGES[:1])
        hand.key(Key.Key_Return)
        assert "two lines" in hand.window.messages.text
        assert hand.document.scene is guessed
        assert not hand.window.photo.panel.apply.isEnabled()

    def test_no_box_is_touched_meanwhile(self, hand: PhotoHand) -> None:
        for key in (Key.Key_G, Key.Key_X, Key.Key_Delete, Key.Key_Up):
            hand.key(key)
        assert hand.document.draft is None
        assert not hand.window.actions_by_id["tool_draw"].isEnabled()


    def test_the_focal_length_is_found_or_set(self, hand: PhotoHand, qtbot: QtBot) -> None:
        panel, assistant = hand.window.photo.panel, hand.window.photo.assistant
        lay(hand, X_EDGES)
        assert panel._focal.isEnabled()
        hand.key(Key.Key_Y)
        lay(hand, Y_EDGES)
        found = assistant.solution().camera.k[0, 0]
        assert not panel._focal.isEnabled()
        panel._fixed.click()
        assert assistant.solution().camera.k[0, 0] == pytest.approx(found)
        panel._focal.setValue(60.0)
        assert assistant.solution().camera.k[0, 0] == pytest.approx(60.0 * 800 / 43.2666, rel=1e-3)
        panel._fixed.click()
        assert assistant.solution().camera.k[0, 0] == pytest.approx(found)


class TestHorizon:
    def test_dragging_it_tilts_the_camera(self, hand: PhotoHand) -> None:
        panel, assistant = hand.window.photo.panel, hand.window.photo.assistant
        panel._methods["horizon"].click()
        left, right = assistant.sketch.horizon
        hand.pull(hand.at((320, 200)), hand.at((320, 260)))
        assert assistant.sketch.horizon == pytest.approx((left + 60, right + 60), abs=0.1)
        hand.pull(hand.at((600, 200)), hand.at((600, 180)))
        assert assistant.sketch.horizon == pytest.approx((left + 60, right + 40), abs=0.1)
        panel._focal.setValue(30.0)
        panel.apply.click()
        camera = hand.document.scene.camera
        assert horizon(camera) == pytest.approx((left + 60, right + 40), abs=0.2)
        assert camera.k[0, 0] == pytest.approx(30.0 * 800 / 43.2666, rel=1e-3)

    def test_a_spun_slider_is_one_step(self, hand: PhotoHand) -> None:
        panel, assistant = hand.window.photo.panel, hand.window.photo.assistant
        panel._methods["horizon"].click()
        before = assistant.sketch
        for stop in (300, 320, 340):
            panel._focal_slider.setValue(stop)
        assert assistant.sketch.focal != before.focal
        hand.key(Key.Key_Z, CONTROL)
        assert assistant.sketch == before


def test_a_known_length_sets_the_scale(hand: PhotoHand, qtbot: QtBot) -> None:
    panel, assistant = hand.window.photo.panel, hand.window.photo.assistant
    lay_all(hand)
    qtbot.mouseClick(panel._measure, Qt.MouseButton.LeftButton)
    hand.pull(hand.world((-1, 0.4, 0)), hand.world((1, 0.4, 0)))
    assert len(assistant.sketch.lines) == 5
    panel._metres.setValue(2.0)
    qtbot.mouseClick(panel.apply, Qt.MouseButton.LeftButton)
    camera = hand.document.scene.camera
    assert camera.position[2] == pytest.approx(TRUE.position[2], rel=0.03)
    # The next key is about the picture again, not about a number beside it.
    assert hand.window.viewport.native.hasFocus()


def test_another_scene_ends_it(hand: PhotoHand) -> None:
    lay(hand, X_EDGES[:1])
    hand.document.set_scene(None)
    assert not hand.window.photo.assistant.active
    assert hand.window.viewport.guest is None


def test_it_is_drawn_over_the_photograph(hand: PhotoHand) -> None:
    before = hand.screen()
    lay_all(hand)
    assert (np.abs(hand.screen().astype(int) - before).sum(axis=-1) > 60).sum() > 2000
