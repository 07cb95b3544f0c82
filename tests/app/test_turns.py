"""The window comes first: workers wait while a frame is due."""

import threading

import numpy as np
import pytest

from app import turns
from neural_assets_core.decoders import open_decoder
from neural_assets_core.proxy.render import _pictures
from neural_assets_core.yielding import yielding_to


@pytest.fixture
def patient(monkeypatch):
    """A frame that is due keeps workers waiting for as long as it takes."""
    monkeypatch.setattr(turns, "LONGEST_S", 60.0)
    monkeypatch.setattr(turns, "GRANTED_S", 0.0)
    yield
    turns.frame_is_shown()


def waiting() -> threading.Thread:
    """A worker at a yield point."""
    worker = threading.Thread(target=turns.let_frame_pass, daemon=True)
    worker.start()
    return worker


def test_a_worker_waits_until_the_frame_is_shown(patient):
    turns.frame_is_due()
    worker = waiting()
    worker.join(0.05)
    assert worker.is_alive()
    turns.frame_is_shown()
    worker.join(10.0)
    assert not worker.is_alive()


def test_frame_upon_frame_leaves_a_worker_its_share(patient, monkeypatch):
    monkeypatch.setattr(turns, "GRANTED_S", 60.0)
    turns.frame_is_due()
    threading.Timer(0.02, turns.frame_is_shown).start()
    turns.let_frame_pass()
    turns.frame_is_due()
    turns.let_frame_pass()


def test_a_frame_that_never_comes_is_not_waited_for_twice(patient, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_S", 0.01)
    turns.frame_is_due()
    turns.let_frame_pass()
    monkeypatch.setattr(turns, "LONGEST_S", 60.0)
    turns.let_frame_pass()


def test_a_redraw_keeps_workers_waiting(patient, window, qtbot):
    canvas = window.viewport._canvas
    with qtbot.waitSignal(window.viewport.frame_swapped):
        canvas.update()
        assert waiting().is_alive()
    worker = waiting()
    worker.join(10.0)
    assert not worker.is_alive()


def test_a_canvas_that_is_not_seen_keeps_nobody_waiting(patient, window, qtbot):
    window.hide()
    window.viewport._canvas.update()
    worker = waiting()
    worker.join(10.0)
    assert not worker.is_alive()


@pytest.mark.parametrize("decoder", ["proxy", "preview"])
def test_previews_often_ask_whether_they_may_go_on(scene, decoder):
    edited = scene.with_box("mug", scene.object("mug").box.translated((0.03, 0.0, 0.0)))
    edited = edited.with_settings(decoder=decoder)
    drawn = open_decoder(edited.settings)
    once = drawn.generate(edited).picture
    _pictures.clear()
    asked = []
    with yielding_to(lambda: asked.append(1)):
        again = drawn.generate(edited).picture
    assert len(asked) >= 10
    assert np.array_equal(once.pixels, again.pixels)
