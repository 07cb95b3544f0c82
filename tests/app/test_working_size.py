"""A large photograph follows the hand at a working size, and is made at its full one."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from neural_assets_core.calibration import Photograph, scene_from_photograph, with_drawn_object
from neural_assets_core.geometry import Box
from neural_assets_core.scene.working import WORKING_SIDE
from tests.app.photos import TRUE
from tests.app.viewport.scenes import made_picture

WIDTH, HEIGHT = 2176, 480


def test_while_dragging_and_after(empty_window: MainWindow, qtbot: QtBot) -> None:
    window = empty_window
    camera = TRUE.resized(WIDTH, HEIGHT)
    bare = scene_from_photograph(Photograph(made_picture(WIDTH, HEIGHT)), camera)
    box = Box(center=(0.1, 0.5, 0.3), size=(0.4, 0.4, 0.6))
    scene = with_drawn_object(bare, box, "crate")
    window.document.set_scene(scene)
    qtbot.waitUntil(lambda: window.pictures.result() is not None, timeout=60_000)
    draft = scene.with_box("crate", box.translated((0.2, 0.0, 0.0)))
    # On a busy machine one of the scene before may still be on its way.
    with qtbot.waitSignal(
        window.pictures.preview.finished,
        timeout=60_000,
        check_params_cb=lambda made: made.scene is draft,
    ) as told:
        window.document.set_draft(draft)
    made = told.args[0]
    assert max(made.picture.width, made.picture.height) == WORKING_SIDE
    assert window.viewport._picture == made.picture
    window.document.push(draft, "Move crate")
    qtbot.waitUntil(lambda: window.pictures.result() is not None, timeout=60_000)
    assert window.pictures.result().picture.width == WIDTH
    qtbot.waitUntil(lambda: window.viewport._picture.width == WIDTH)
