"""The orbit view: looking around, and the same hand on the same boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from app.document import Document
from app.viewport import OrbitView, orbit_view
from tests.app.viewport.conftest import Hand
from tests.app.viewport.scenes import made_scene

MIDDLE = Qt.MouseButton.MiddleButton
LEFT = Qt.MouseButton.LeftButton
Mod = Qt.KeyboardModifier


@pytest.fixture
def orbit(qtbot: QtBot) -> Iterator[Hand]:
    document = Document()
    window = QMainWindow()
    view = OrbitView(document)
    window.setCentralWidget(view)
    window.resize(800, 700)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    document.set_scene(made_scene())
    view.native.setFocus()
    yield Hand(view, document)
    document.set_scene(None)


def swipe(hand: Hand, by, button=MIDDLE, modifiers=Mod.NoModifier) -> None:
    start = np.array([300.0, 300.0])
    hand.press(start, button, modifiers)
    hand.move(start + by, button, modifiers)
    hand.release(start + by, button)


def test_everything_is_in_sight_at_first(orbit):
    width, height = orbit.viewport.native.width(), orbit.viewport.native.height()
    scene = orbit.document.scene
    points = [item.box.corners() for item in scene.objects] + [scene.camera.position[None]]
    for corner in np.concatenate(points):
        u, v = orbit.pixel(corner)
        assert 0 <= u <= width
        assert 0 <= v <= height


def test_the_middle_button_circles(orbit):
    before = orbit.viewport.turntable
    swipe(orbit, [100, 50])
    after = orbit.viewport.turntable
    assert after.target == before.target
    assert after.distance == before.distance
    assert after.yaw < before.yaw
    assert after.pitch > before.pitch
    assert orbit.document.undo_stack.count() == 0


@pytest.mark.parametrize("modifier", [Mod.AltModifier, None])
def test_without_a_middle_button(orbit, modifier):
    before = orbit.viewport.turntable
    if modifier is None:
        QTest.keyPress(orbit.viewport.native, Qt.Key.Key_Space)
        swipe(orbit, [60, 0], LEFT)
        QTest.keyRelease(orbit.viewport.native, Qt.Key.Key_Space)
    else:
        swipe(orbit, [60, 0], LEFT, modifier)
    assert orbit.viewport.turntable.yaw < before.yaw
    # And the left button is the scene's again.
    turned = orbit.viewport.turntable
    orbit.click(orbit.front("mug"))
    assert orbit.viewport.turntable is turned
    assert len(orbit.document.selection) == 1


def test_shift_pans_and_control_zooms(orbit):
    table = orbit.viewport.turntable
    swipe(orbit, [40, -30], modifiers=Mod.ShiftModifier)
    width, height = orbit.viewport.native.width(), orbit.viewport.native.height()
    assert orbit.pixel(np.array(table.target)) == pytest.approx([width / 2 + 40, height / 2 - 30])
    swipe(orbit, [0, -50], modifiers=Mod.ControlModifier)
    assert orbit.viewport.turntable.distance < table.distance


def test_the_wheel_keeps_what_is_under_it(orbit):
    target = np.array(orbit.viewport.turntable.target)
    swipe(orbit, [120, 80], modifiers=Mod.ShiftModifier)
    place = orbit.pixel(target)
    orbit.wheel(place, 3)
    assert orbit.pixel(target) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize("side", ["front", "right", "top"])
def test_sides(orbit, side):
    orbit.viewport.look_from(side)
    forward = orbit.viewport.screen_camera().forward
    expected = {"front": [0, 1, 0], "right": [-1, 0, 0], "top": [0, 0, -1]}[side]
    assert forward == pytest.approx(expected, abs=1e-9)


def test_as_the_picture_does(orbit):
    orbit.viewport.look_from("camera")
    camera = orbit.document.scene.camera
    assert orbit.viewport.screen_camera().position == pytest.approx(camera.position)


def test_a_box_is_moved_by_its_body(orbit):
    orbit.viewport.look_from("top")
    orbit.viewport.frame_selection()
    before = orbit.box("mug")
    start = orbit.front("mug")
    orbit.drag(start, start + [60, 0])
    orbit.release(start + [60, 0])
    after = orbit.box("mug")
    # Seen from above, to the right is along x, and nothing leaves the ground.
    assert after.center[0] > before.center[0] + 0.01
    assert after.center[1:] == pytest.approx(before.center[1:], abs=1e-6)
    assert orbit.document.undo_stack.count() == 1


@pytest.mark.parametrize("name", ["move x", "move y", "move z"])
def test_an_arrow_follows_the_pointer(orbit, name):
    orbit.document.select(["mug"])
    names = [handle.name for handle in orbit.viewport._interaction.highlights().handles]
    assert name in names
    tip, base = orbit.handle(name), orbit.pixel(orbit.box("mug").base_center())
    away = (tip - base) / np.linalg.norm(tip - base)
    before = orbit.box("mug")
    orbit.drag(tip, tip + 40 * away)
    orbit.release(tip + 40 * away)
    moved = np.array(orbit.box("mug").center) - before.center
    assert np.linalg.norm(moved) > 0.01
    # One axis of the box's heading alone.
    local = before.rotation_matrix().T @ moved
    assert np.count_nonzero(np.abs(local) > 1e-9) == 1


def test_turning_with_the_keyboard_in_the_orbit_view(orbit):
    orbit.document.select(["mug"])
    yaw = orbit.box("mug").yaw()
    orbit.viewport.start_gesture("turn")
    orbit.keys("90")
    orbit.key(Qt.Key.Key_Return)
    assert math.remainder(orbit.box("mug").yaw() - yaw, math.tau) == pytest.approx(math.pi / 2)


def test_a_gesture_outside_the_picture_says_so(orbit):
    said: list[str] = []
    orbit.viewport.status_changed.connect(said.append)
    box = orbit.box("mug")
    behind = orbit.document.scene.camera.position - 1.0 * orbit.document.scene.camera.forward
    scene = orbit.document.scene.with_box("mug", box.translated(behind - np.array(box.center)))
    orbit.document.push(scene, "Move")
    orbit.document.select(["mug"])
    assert said[-1] == "mug reaches behind the camera"


def test_ground_and_camera_are_drawn(orbit):
    orbit.document.set_scene(made_scene().without("mug").without("kettle").without("book"))
    pixels = orbit.screen().astype(int)
    # Grey lines, the camera's bluish ones, and the three colours of the axes.
    assert (np.abs(pixels - 41).max(axis=2) > 12).mean() > 0.005
    bluish = (pixels[..., 2] > 200) & (pixels[..., 2] - pixels[..., 0] > 30)
    assert bluish.sum() > 100


class TestCamera:
    def eye(self, orbit: Hand) -> np.ndarray:
        return orbit.pixel(orbit.document.shown_scene.camera.position)

    def aim(self, orbit: Hand) -> np.ndarray:
        scene = orbit.document.shown_scene
        reach = orbit_view._reach(scene)
        return orbit.pixel(scene.camera.position + reach * scene.camera.forward)

    def test_its_centre_moves_it_level(self, orbit):
        before = orbit.document.scene.camera
        start = self.eye(orbit)
        orbit.drag(start, start + [30, 5])
        assert self.eye(orbit) == pytest.approx(start + [30, 5], abs=0.5)
        orbit.release(start + [30, 5])
        after = orbit.document.scene.camera
        assert after.position[2] == pytest.approx(before.position[2])
        assert after.forward == pytest.approx(before.forward)
        assert orbit.document.undo_stack.undoText() == "Move the camera"
        assert orbit.document.undo_stack.count() == 1

    def test_alt_moves_it_up(self, orbit):
        before = orbit.document.scene.camera.position
        start = self.eye(orbit)
        orbit.press(start)
        orbit.move(start - [0, 25], modifiers=Mod.AltModifier)
        orbit.release(start - [0, 25])
        after = orbit.document.scene.camera.position
        assert after[2] > before[2]
        assert after[:2] == pytest.approx(before[:2])

    def test_the_middle_of_its_picture_turns_it(self, orbit):
        before = orbit.document.scene.camera
        start = self.aim(orbit)
        away = start - self.eye(orbit)
        aside = start + 0.3 * np.array([-away[1], away[0]])
        orbit.drag(start, aside)
        orbit.release(aside)
        after = orbit.document.scene.camera
        assert after.position == pytest.approx(before.position)
        assert after.forward @ before.forward < 0.999
        # It points to where the pointer is.
        turned = self.aim(orbit) - self.eye(orbit)
        wanted = aside - self.eye(orbit)
        cosine = turned @ wanted / np.linalg.norm(turned) / np.linalg.norm(wanted)
        assert cosine > math.cos(math.radians(3.0))

    @pytest.mark.parametrize("by", ["escape", "right button"])
    def test_given_up_it_is_where_it_was(self, orbit, by):
        scene, start = orbit.document.scene, self.eye(orbit)
        orbit.drag(start, start + [40, 0])
        assert orbit.document.draft is not None
        if by == "escape":
            orbit.key(Qt.Key.Key_Escape)
        else:
            orbit.press(start + [40, 0], Qt.MouseButton.RightButton)
        assert orbit.document.draft is None
        orbit.release(start + [40, 0])
        assert orbit.document.scene is scene
        assert orbit.document.undo_stack.count() == 0

    def test_it_says_what_it_does(self, orbit):
        said: list[str] = []
        orbit.viewport.status_changed.connect(said.append)
        orbit.move(self.eye(orbit), buttons=Qt.MouseButton.NoButton)
        assert "move the camera" in said[-1]
