"""Picture and orbit view side by side in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QInputDevice, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.viewport.scene_view import PAN_STEP, WHEEL_STEP

Key = Qt.Key


@pytest.fixture
def ready(window, qtbot):
    qtbot.waitUntil(window.isActiveWindow)
    window.viewport.native.setFocus()
    return window


def enter(view):
    native, spot = view.native, QPointF(50, 50)
    QApplication.sendEvent(native, QEnterEvent(spot, spot, native.mapToGlobal(spot)))


def test_v_shows_it_beside_the_picture_and_takes_it_away(ready):
    views = ready.views
    assert views.picture.isVisible()
    assert not views.orbit.isVisible()
    QTest.keyClick(views.picture.native, Key.Key_V)
    assert views.picture.isVisible()
    assert views.orbit.isVisible()
    QTest.keyClick(views.picture.native, Key.Key_V)
    assert views.picture.isVisible()
    assert not views.orbit.isVisible()


def test_commands_go_to_the_view_in_use(ready):
    views, name = ready.views, ready.document.scene.objects[0].name
    ready.actions_by_id["orbit"].trigger()
    ready.document.select([name])
    enter(views.orbit)
    before, place = views.orbit.turntable, views.picture.navigation
    ready.actions_by_id["frame"].trigger()
    assert views.orbit.turntable != before
    assert views.picture.navigation == place
    enter(views.picture)
    before = views.orbit.turntable
    ready.actions_by_id["frame"].trigger()
    assert views.orbit.turntable == before
    assert views.picture.navigation != place
    place = views.picture.navigation
    ready.actions_by_id["zoom_in"].trigger()
    assert views.picture.navigation.scale == pytest.approx(WHEEL_STEP * place.scale)
    ready.actions_by_id["zoom_out"].trigger()
    assert views.picture.navigation.scale == pytest.approx(place.scale)


def test_alone_is_the_view_in_use(ready):
    views = ready.views
    ready.actions_by_id["orbit"].trigger()
    enter(views.orbit)
    ready.actions_by_id["alone"].trigger()
    assert views.orbit.isVisible()
    assert not views.picture.isVisible()
    ready.actions_by_id["alone"].trigger()
    assert views.orbit.isVisible()
    assert views.picture.isVisible()


def test_both_show_the_same_tools(ready):
    views = ready.views
    ready.actions_by_id["tool_turn"].trigger()
    assert views.picture.tools is views.orbit.tools
    assert views.orbit.tools.tool == "turn"


def test_sides_need_the_orbit_view(ready):
    assert not ready.actions_by_id["look_top"].isEnabled()
    ready.actions_by_id["orbit"].trigger()
    assert ready.actions_by_id["look_top"].isEnabled()
    QTest.keyClick(ready.views.orbit.native, Key.Key_7, Qt.KeyboardModifier.KeypadModifier)
    assert ready.views.orbit.turntable.pitch == pytest.approx(1.5708, abs=1e-4)


def test_two_fingers_pan_and_a_wheel_zooms(ready):
    view = ready.views.picture
    pad = QPointingDevice(
        "pad", 77, QInputDevice.DeviceType.TouchPad, QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.PixelScroll | QInputDevice.Capability.Scroll, 2, 0,
    )
    mouse = QPointingDevice.primaryPointingDevice()
    spot = QPointF(80, 90)

    def turned(pixels, angles, device, modifiers=Qt.KeyboardModifier.NoModifier):
        """How far the view is shifted, and by how much it comes nearer."""
        before = view.navigation
        event = QWheelEvent(
            spot, view.native.mapToGlobal(spot), QPoint(*pixels), QPoint(*angles),
            Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.ScrollUpdate,
            False, Qt.MouseEventSource.MouseEventNotSynthesized, device,
        )
        QApplication.sendEvent(view.native, event)
        after = view.navigation
        return after.x - before.x, after.y - before.y, after.scale / before.scale

    assert turned((12, -7), (0, -20), pad) == (12, -7, 1.0)
    # On X11 no pixels are told.
    assert turned((0, 0), (30, -60), pad) == pytest.approx((12.0, -24.0, 1.0))
    assert turned((0, 0), (120, 0), mouse) == pytest.approx((PAN_STEP, 0.0, 1.0))
    for device in (mouse, pad):
        control = Qt.KeyboardModifier.ControlModifier
        assert turned((0, 0), (0, 120), device, control)[2] == pytest.approx(WHEEL_STEP)
    assert turned((0, 0), (0, 120), mouse)[2] == pytest.approx(WHEEL_STEP)
    alt = Qt.KeyboardModifier.AltModifier
    assert turned((0, 0), (120, 0), mouse, alt)[2] == pytest.approx(WHEEL_STEP)


def test_focus_goes_round_with_f6(ready):
    ready.actions_by_id["orbit"].trigger()
    ready.viewport.setFocus()
    QTest.keyClick(ready.views.picture.native, Key.Key_F6)
    assert ready.views.orbit.native.hasFocus()
    assert ready.views.current is ready.views.orbit
