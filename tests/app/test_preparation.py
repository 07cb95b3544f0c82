"""The photograph is taken apart beside the work, and the work comes first."""

from pytestqt.qtbot import QtBot

from app.document import Document
from app.preparation import LATER_MS, Preparation
from neural_assets_core.proxy.photograph import photograph_of
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
