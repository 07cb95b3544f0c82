"""What the first drag needs is made beside the work, and the work comes first."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.document import Document
from app.main_window import MainWindow
from app.preparation import LATER_MS, Preparation
from neural_assets_core.decoders import Generation
from neural_assets_core.proxy.photograph import photograph_of
from neural_assets_core.proxy.render import _stages
from neural_assets_core.scene import Picture, Scene
from tests.app.viewport.conftest import Hand
from tests.benchmarks.scenes import crowded_scene, moved


def test_it_waits_while_something_is_dragged_and_then_goes_on(qtbot: QtBot) -> None:
    document = Document()
    preparation = Preparation(document, lambda: False)
    # No other test has had this picture prepared.
    scene = crowded_scene(3, seed=1910)
    photograph = photograph_of(scene.background)
    before = photograph.nbytes
    try:
        document.set_scene(scene)
        document.set_draft(moved(scene, 0.1))
        qtbot.wait(2 * LATER_MS)
        assert photograph.nbytes == before
        document.set_draft(None)
        qtbot.waitUntil(lambda: photograph.nbytes > before, timeout=60_000)
    finally:
        assert preparation.shutdown()


def test_what_is_behind_the_object_under_the_pointer_is_drawn_ahead(
    empty_window: MainWindow, slow_scene: Scene, qtbot: QtBot
) -> None:
    document, pictures = empty_window.document, empty_window.pictures
    pictures.automatic = False
    document.set_scene(slow_scene)
    drawn: list[Generation] = []
    pictures.preview.finished.connect(drawn.append)
    qtbot.waitUntil(lambda: bool(drawn), timeout=60_000)
    pictures.generator.deliver(Generation(slow_scene, drawn[0].picture, 0.0))
    hand = Hand(empty_window.viewport, document)
    shown: list[Picture] = []
    pictures.picture_changed.connect(shown.append)
    hand.move(hand.front("kettle"), buttons=Qt.MouseButton.NoButton)

    def ahead() -> bool:
        return bool(drawn) and drawn[-1].scene.object("kettle").box != kettle.box

    kettle = slow_scene.object("kettle")
    qtbot.waitUntil(ahead, timeout=60_000)
    assert shown == []
    made = len(_stages)
    hand.drag(hand.front("kettle"), hand.front("kettle") + [40.0, 0.0])
    qtbot.waitUntil(lambda: bool(shown), timeout=60_000)
    assert len(_stages) == made
    hand.release(hand.front("kettle"))
