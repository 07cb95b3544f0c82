"""Painting masks over a photograph with a real mouse."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.viewport.mask_strokes import MaskShape
from neural_assets_core.calibration import Photograph, scene_from_photograph, with_drawn_object
from neural_assets_core.geometry import Box
from neural_assets_core.scene import Picture, Scene
from tests.app.hand import CONTROL, SHIFT
from tests.app.photos import HEIGHT, TRUE, WIDTH, PhotoHand

Key = Qt.Key
RIGHT = Qt.MouseButton.RightButton
BOX = Box(center=(0.1, 0.3, 0.4), size=(0.8, 0.8, 0.8))
MIDDLE = TRUE.project(np.asarray(BOX.center))[:2]
RADIUS = 60


def disc() -> np.ndarray:
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.hypot(u - MIDDLE[0], v - MIDDLE[1]) < RADIUS


def disc_scene() -> Scene:
    """A red disc in a box; its mask has the left half of it."""
    inside = disc()
    grain = np.random.default_rng(0).normal(0, 5, (HEIGHT, WIDTH, 3))
    pixels = np.where(inside[..., None], (200, 60, 40), (110, 120, 90)) + grain
    photograph = Photograph(Picture(pixels.clip(0, 255).astype(np.uint8)))
    half = inside.copy()
    half[:, int(MIDDLE[0]) :] = False
    mask = Picture(np.where(half, np.uint8(255), np.uint8(0)))
    return with_drawn_object(scene_from_photograph(photograph, TRUE), BOX, "disc", mask=mask)


@pytest.fixture
def hand(empty_window: MainWindow, qtbot: QtBot) -> PhotoHand:
    empty_window.document.set_scene(disc_scene())
    empty_window.document.select(["disc"])
    QApplication.processEvents()
    hand = PhotoHand(empty_window)
    hand.qtbot = qtbot
    hand.viewport.native.setFocus()
    hand.key(Key.Key_M)
    hand.window.photo.mask.brush.radius = 12.0
    return hand


def mask_of(hand: PhotoHand) -> np.ndarray:
    mask = hand.document.scene.object("disc").appearance.mask
    assert mask is not None
    return mask.pixels


def overlap(mask: np.ndarray) -> float:
    found, truth = mask > 127, disc()
    return float((found & truth).sum() / (found | truth).sum())


def paint(hand: PhotoHand, points, button=Qt.MouseButton.LeftButton, modifiers=None) -> None:
    """A stroke through positions in the photograph, and its edge found."""
    at = [hand.at(np.asarray(point)) for point in points]
    keys = {} if modifiers is None else {"modifiers": modifiers}
    hand.move(at[0], buttons=Qt.MouseButton.NoButton, **keys)
    hand.press(at[0], button, **keys)
    for place in at[1:]:
        hand.move(place, buttons=button, **keys)
    hand.release(at[-1], button, **keys)
    found(hand)


def found(hand: PhotoHand) -> None:
    """Wait until no stroke waits for its edge."""
    brush = hand.window.photo.mask.brush
    hand.qtbot.waitUntil(lambda: not brush.waiting, timeout=20_000)


def settle(hand: PhotoHand, steps: int) -> None:
    stack = hand.document.undo_stack
    hand.qtbot.waitUntil(lambda: stack.index() == steps, timeout=20_000)


def test_strokes_add_and_remove_one_undo_entry_each(hand: PhotoHand) -> None:
    before = mask_of(hand)
    assert overlap(before) < 0.55
    x, y = MIDDLE
    paint(hand, [(x + 20, y - 25), (x + 25, y), (x + 20, y + 25)])
    added = mask_of(hand)
    assert overlap(added) > 0.9
    assert hand.document.undo_stack.undoText() == "Paint disc"
    assert hand.document.scene.background.occluders[0].mask.pixels is added
    # The right button takes away, exactly what it touched at least.
    paint(hand, [(x - 30, y)], RIGHT)
    assert mask_of(hand)[int(y), int(x) - 30] == 0
    assert hand.viewport.guest is hand.window.photo.mask.brush
    paint(hand, [(x, y - 40)], modifiers=CONTROL)
    assert mask_of(hand)[int(y) - 40, int(x)] == 0
    # Earlier strokes are kept by later ones, which would spread over them, also after undo.
    for _ in range(2):
        paint(hand, [(x - 30, y + 19)])
        assert mask_of(hand)[int(y), int(x) - 30] == 0
        hand.document.undo_stack.setIndex(2)
    hand.key(Key.Key_Z, CONTROL)
    assert np.array_equal(mask_of(hand), added)
    paint(hand, [(x - 30, y - 22), (x - 30, y + 22)], RIGHT)
    assert mask_of(hand)[int(y), int(x) + 24] == 255
    hand.document.undo_stack.setIndex(0)
    assert np.array_equal(mask_of(hand), before)


def test_quick_strokes_wait_for_each_other(hand: PhotoHand) -> None:
    x, y = MIDDLE
    for offset in (-25, 25):
        at = hand.at((x + 22, y + offset))
        hand.move(at, buttons=Qt.MouseButton.NoButton)
        hand.click(at)
    settle(hand, 2)
    mask = mask_of(hand)
    assert mask[int(y) - 25, int(x) + 22] == 255
    assert mask[int(y) + 25, int(x) + 22] == 255


def test_the_brush_is_sized_by_keys_and_wheel_and_drawn_in_true_size(hand: PhotoHand) -> None:
    brush = hand.window.photo.mask.brush
    hand.key(Key.Key_BracketRight)
    assert brush.radius == pytest.approx(12 * 1.2)
    hand.key(Key.Key_BracketLeft)
    at = hand.at(MIDDLE)
    zoom = hand.viewport.navigation.scale
    _wheel(hand, at, 1, CONTROL)
    assert brush.radius == pytest.approx(12 * 1.2)
    assert hand.viewport.navigation.scale == zoom
    _wheel(hand, at, 1)
    assert hand.viewport.navigation.scale > zoom
    # Over the ground the ring is seen, as large as what it would paint.
    brush.radius = 20.0
    spot = np.array([MIDDLE[0] - 150, MIDDLE[1]])
    hand.move(hand.at(spot) + [400, 0], buttons=Qt.MouseButton.NoButton)
    without = hand.screen()
    hand.move(hand.at(spot), buttons=Qt.MouseButton.NoButton)
    changed = np.abs(hand.screen().astype(int) - without).sum(axis=-1) > 90
    ratio = hand.viewport.native.devicePixelRatioF()
    (left, top), (right, bottom) = hand.at(spot - 20) * ratio, hand.at(spot + 20) * ratio
    rows, columns = np.nonzero(changed[:, : int(right) + 40])
    assert columns.min() == pytest.approx(left, abs=4)
    assert columns.max() == pytest.approx(right, abs=4)
    assert (rows.min(), rows.max()) == (pytest.approx(top, abs=4), pytest.approx(bottom, abs=4))


def test_the_tint_follows_the_stroke_at_once(hand: PhotoHand) -> None:
    spot = MIDDLE + [130, 0]
    at, before = hand.at(spot), hand.screen()
    hand.press(hand.at(MIDDLE + [100, 0]))
    hand.move(at)
    hand.move(at + [150, 0])
    ratio = hand.viewport.native.devicePixelRatioF()
    x, y = np.round(at * ratio).astype(int)
    blue = hand.screen()[y, x].astype(int) - before[y, x]
    assert blue[2] - blue[0] > 30
    hand.key(Key.Key_Escape)
    hand.release(at)
    assert hand.document.undo_stack.count() == 0
    assert hand.viewport.guest is not None


def test_esc_and_enter_leave(hand: PhotoHand) -> None:
    window = hand.window
    assert "Mask of disc" in window._hint.text()
    hand.key(Key.Key_Escape)
    assert window.views.tools.tool == "select"
    assert window.viewport.guest is None
    hand.key(Key.Key_M)
    hand.key(Key.Key_Return)
    assert window.viewport.guest is None
    # With nothing to paint on there is no such tool.
    window.document.select(())
    assert not window.actions_by_id["tool_mask"].isEnabled()
    assert not window.actions_by_id["mask_larger"].isEnabled()


def test_it_is_painted_by_keys_alone(hand: PhotoHand) -> None:
    for _ in range(2):
        hand.key(Key.Key_Right)
    hand.key(Key.Key_Down, SHIFT)
    hand.key(Key.Key_Plus)
    settle(hand, 1)
    x, y = MIDDLE
    assert mask_of(hand)[int(y), int(x) + 24] == 255
    hand.key(Key.Key_X)
    assert "left button paints what is not" in hand.window._hint.text()
    hand.key(Key.Key_Minus)
    settle(hand, 2)
    assert mask_of(hand)[int(y), int(x) + 24] == 0


def test_the_whole_box_and_the_automatic_mask(hand: PhotoHand) -> None:
    actions, document = hand.window.actions_by_id, hand.document
    actions["mask_box"].trigger()
    assert document.scene.object("disc").appearance.mask is None
    actions["cut_out"].trigger()
    settle(hand, 2)
    assert overlap(mask_of(hand)) > 0.9


def test_another_object_ends_what_waits(hand: PhotoHand) -> None:
    hand.document.select(())
    assert hand.viewport.guest is None
    assert hand.window.views.tools.tool == "select"


def test_shapes_have_the_masks_area_and_edge() -> None:
    mask = np.zeros((40, 60), np.uint8)
    cv2.circle(mask, (30, 20), 12, 255, -1)
    mask[2:6, 2:6] = 255
    shape = MaskShape.of(mask, (100, 200))
    first, second = (shape.triangles[:, i] - shape.triangles[:, 0] for i in (1, 2))
    area = 0.5 * np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum()
    assert area == (mask > 127).sum()
    points = shape.outline.reshape(-1, 2) - (100, 200)
    corner = points[points[:, 0] < 10]
    assert corner.min(axis=0) == pytest.approx((2, 2), abs=0.3)
    assert corner.max(axis=0) == pytest.approx((6, 6), abs=0.3)
    assert len(MaskShape.of(np.zeros((1, 1), np.uint8)).triangles) == 0


def _wheel(hand: PhotoHand, at, notches: float, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    where, native = QPointF(*at), hand.viewport.native
    event = QWheelEvent(
        where, native.mapToGlobal(where), QPointF(0, 0).toPoint(),
        QPointF(0, 120 * notches).toPoint(), Qt.MouseButton.NoButton, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )
    QApplication.sendEvent(native, event)
