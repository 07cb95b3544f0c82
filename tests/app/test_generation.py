"""The worker on its own thread: latest wins, cancel, failures, shutdown."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from app.document import Document
from app.generation import Generator, Pictures
from neural_assets_core.decoders import Generation, Progress
from neural_assets_core.preferences import Preferences, store_preferences
from neural_assets_core.scene import Picture, Scene


@pytest.fixture
def generator(qapp: object) -> Iterator[Generator]:
    generator = Generator()
    yield generator
    assert generator.shutdown()


def moved(scene: Scene, x: float) -> Scene:
    return scene.with_box("mug", scene.object("mug").box.translated((x, 0.0, 0.0)))


def test_result_is_kept_and_returned_at_once(
    generator: Generator, scene: Scene, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(generator.finished) as made:
        generator.request(scene)
    assert made.args[0].scene is scene
    again: list[Generation] = []
    generator.finished.connect(again.append)
    generator.request(moved(scene, 0.0))  # equal, though not the same object
    assert again == [made.args[0]]
    assert not generator.busy


def test_latest_request_wins(generator: Generator, slow_scene: Scene, qtbot: QtBot) -> None:
    finished: list[Generation] = []
    generator.finished.connect(finished.append)
    with qtbot.waitSignal(generator.progress, timeout=60_000):
        generator.request(slow_scene)
    latest = moved(slow_scene, 0.3).with_settings(steps=2)
    generator.request(moved(slow_scene, 0.1))
    generator.request(moved(slow_scene, 0.2))
    with qtbot.waitSignal(generator.finished, timeout=60_000):
        generator.request(latest)
    assert [generation.scene for generation in finished] == [latest]
    assert not generator.busy


def test_cancel_while_denoising(generator: Generator, slow_scene: Scene, qtbot: QtBot) -> None:
    def denoising(progress: Progress) -> bool:
        return progress.phase == "denoising"

    finished: list[Generation] = []
    generator.finished.connect(finished.append)
    with qtbot.waitSignal(generator.progress, timeout=60_000, check_params_cb=denoising):
        generator.request(slow_scene)
    with qtbot.waitSignal(generator.cancelled) as cancelled:
        generator.cancel()
    assert cancelled.args == [slow_scene]
    assert not generator.busy
    assert finished == []
    with qtbot.waitSignal(generator.finished):
        generator.request(slow_scene.with_settings(decoder="proxy"))


def test_missing_checkpoint_is_told_and_the_next_request_works(
    generator: Generator, slow_scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    missing = slow_scene.with_settings(checkpoint=str(tmp_path / "nowhere"))
    with qtbot.waitSignal(generator.failed, timeout=60_000) as failed:
        generator.request(missing)
    assert failed.args[0] is missing
    assert "nowhere" in failed.args[1]
    with qtbot.waitSignal(generator.finished):
        generator.request(slow_scene.with_settings(decoder="proxy"))


def test_unexpected_failure_is_told_with_its_type(
    generator: Generator, scene: Scene, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    broken = scene.model_copy(update={"background": None})
    with qtbot.waitSignal(generator.failed) as failed:
        generator.request(broken)
    assert "AttributeError" in failed.args[1]
    assert "Traceback" in caplog.text
    with qtbot.waitSignal(generator.finished):
        generator.request(scene)


def test_out_of_memory_is_told_and_the_next_picture_gets_a_fresh_decoder(
    generator: Generator, slow_scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest keeps logged tracebacks, and they keep the decoder.
    monkeypatch.setattr("app.generation.worker.log.disabled", True)

    def exhaust(*_: object) -> None:
        raise MemoryError

    scene = slow_scene.with_settings(steps=2)
    with qtbot.waitSignal(generator.finished, timeout=60_000):
        generator.request(scene)
    decoder = generator._worker._decoder
    decoder.pipeline.unet.register_forward_pre_hook(exhaust)
    again = scene.with_settings(seed=1)
    with qtbot.waitSignal(generator.failed) as failed:
        generator.request(again)
    assert "not enough memory" in failed.args[1]
    old = [weakref.ref(part) for part in (decoder.pipeline, decoder.pipeline.unet)]
    del decoder
    with qtbot.waitSignal(generator.finished, timeout=60_000):
        generator.request(again)
    # Its weights and what it kept are gone: two decoders might not fit.
    assert [part() for part in old] == [None, None]


def test_only_preferences_that_compute_reopen_the_decoder(
    generator: Generator, slow_scene: Scene, qtbot: QtBot
) -> None:
    preferences, decoders = Preferences(), []
    for seed, changes in enumerate(
        ({}, {"preview_steps": 9, "memory": 7}, {"precision": "bf16"}, {"threads": 1})
    ):
        preferences = preferences.changed(**changes)
        store_preferences(preferences)
        with qtbot.waitSignal(generator.finished, timeout=60_000):
            generator.request(slow_scene.with_settings(steps=2, seed=seed))
        decoders.append(generator._worker._decoder)
    assert decoders[1] is decoders[0]
    assert decoders[2] is not decoders[1]
    assert decoders[3] is not decoders[2]


def test_kept_pictures_obey_the_preferred_memory(
    generator: Generator, scene: Scene
) -> None:
    scenes = [moved(scene, 0.1 * number) for number in range(4)]
    # As large as a picture of a real camera.
    large = Picture(np.zeros((1000, 2000, 3), np.uint8))
    store_preferences(Preferences(memory=large.pixels.nbytes * 2 // 2**20 + 1))
    for changed in scenes:
        generator.deliver(Generation(changed, large, 0.0))
    assert [generator.result(each) is not None for each in scenes] == [False, False, True, True]
    store_preferences(Preferences(memory=0))
    generator.deliver(Generation(scenes[1], large, 0.0))
    assert [generator.result(each) is not None for each in scenes] == [False, True, False, False]


def test_time_left_is_told_from_the_second_picture_on_and_goes_by(
    generator: Generator, slow_scene: Scene, qtbot: QtBot
) -> None:
    told: list[Progress] = []
    generator.progress.connect(told.append)
    for seed in (1, 2):
        first = len(told)
        with qtbot.waitSignal(generator.finished, timeout=60_000):
            generator.request(slow_scene.with_settings(steps=100, seed=seed))
        left = [progress.left for progress in told[first:] if progress.phase != "loading"]
        if seed == 1:
            assert set(left) == {None}
    assert left[0] is not None
    assert left[-1] is None or left[-1] < left[0]
    elapsed = [progress.elapsed for progress in told[first:]]
    assert elapsed == sorted(elapsed)


def test_shutdown_in_the_middle_of_a_generation(slow_scene: Scene, qtbot: QtBot) -> None:
    generator = Generator()
    with qtbot.waitSignal(generator.progress, timeout=60_000):
        generator.request(slow_scene)
    assert generator.shutdown()


def test_work_is_done_off_the_gui_thread(
    generator: Generator, scene: Scene, qtbot: QtBot
) -> None:
    assert generator._worker.thread() is not QThread.currentThread()
    with qtbot.waitSignal(generator.busy_changed):
        generator.request(scene)
    qtbot.waitUntil(lambda: not generator.busy)


class TestPictures:
    @pytest.fixture
    def document(self, qapp: object) -> Document:
        return Document()

    @pytest.fixture
    def pictures(self, document: Document) -> Iterator[Pictures]:
        pictures = Pictures(document)
        yield pictures
        assert pictures.shutdown()

    def test_unedited_scene_shows_the_photo(
        self, document: Document, pictures: Pictures, scene: Scene, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(pictures.generator.finished):
            document.set_scene(scene)
        assert pictures.result().picture == scene.background.view.picture

    def test_draft_is_drawn_while_dragging_and_forgotten_after(
        self, document: Document, pictures: Pictures, scene: Scene, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(pictures.generator.finished):
            document.set_scene(scene)
        shown: list[Picture] = []
        pictures.picture_changed.connect(shown.append)
        document.set_draft(moved(scene, 0.4))
        photo = scene.background.view.picture
        qtbot.waitUntil(lambda: bool(shown) and shown[-1] != photo)
        document.set_draft(None)
        assert shown[-1] == photo

    def test_a_resting_hand_sees_the_decoders_picture(
        self, document: Document, pictures: Pictures, slow_scene: Scene, qtbot: QtBot
    ) -> None:
        few = slow_scene.with_settings(steps=2)
        with qtbot.waitSignal(pictures.generator.finished, timeout=60_000):
            document.set_scene(few)
        made: list[Generation] = []
        pictures.generator.finished.connect(made.append)
        shown: list[Picture] = []
        pictures.picture_changed.connect(shown.append)
        draft = moved(few, 0.4)
        document.set_draft(draft)
        qtbot.waitUntil(lambda: bool(made), timeout=60_000)
        assert made[0].scene == draft
        assert shown[-1] is made[0].picture
        # Letting go there needs nothing more.
        document.push(draft, "Move")
        assert not pictures.generator.busy
        assert shown[-1] is made[0].picture

    def test_a_resting_hand_gets_few_steps(
        self, document: Document, pictures: Pictures, slow_scene: Scene, qtbot: QtBot
    ) -> None:
        pictures.automatic = False
        document.set_scene(slow_scene)
        pictures.automatic = True
        with qtbot.waitSignal(pictures.generator.finished, timeout=60_000) as made:
            document.set_draft(moved(slow_scene, 0.4))
        assert made.args[0].scene.settings.steps == Preferences().preview_steps
        assert made.args[0].scene.settings.seed == slow_scene.settings.seed

    def test_switched_off_nothing_is_generated_until_asked_for(
        self, document: Document, pictures: Pictures, scene: Scene, qtbot: QtBot
    ) -> None:
        pictures.automatic = False
        with qtbot.waitSignal(pictures.picture_changed):  # the preview
            document.set_scene(scene)
        document.push(moved(scene, 0.4), "Move")
        assert pictures.result() is None
        with qtbot.waitSignal(pictures.generator.finished):
            pictures.generate()
        assert pictures.result() is not None

    def test_rename_keeps_the_picture(
        self, document: Document, pictures: Pictures, scene: Scene, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(pictures.generator.finished):
            document.set_scene(scene)
        made = pictures.result()
        document.push(scene.renamed("mug", "cup"), "Rename mug")
        assert not pictures.generator.busy
        assert pictures.result().picture is made.picture
        assert pictures.result().scene is document.scene

    def test_gesture_stops_the_decoder_until_it_is_given_up(
        self,
        document: Document,
        pictures: Pictures,
        slow_scene: Scene,
        qtbot: QtBot,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # On a busy machine a hand would rest, and ask anew, before a step ends.
        monkeypatch.setattr(pictures._rest, "start", lambda: None)

        def denoising(progress: Progress) -> bool:
            return progress.phase == "denoising"

        progress = pictures.generator.progress
        # Loading cannot be interrupted: a hand at rest would ask anew before it ends.
        with qtbot.waitSignal(progress, timeout=60_000, check_params_cb=denoising):
            document.set_scene(slow_scene)
        with qtbot.waitSignal(pictures.generator.cancelled):
            document.set_draft(moved(slow_scene, 0.4))
        assert not pictures.generator.busy
        document.set_draft(None)
        assert pictures.generator.busy

    def test_undo_shows_the_finished_picture_at_once(
        self, document: Document, pictures: Pictures, scene: Scene, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(pictures.generator.finished):
            document.set_scene(scene)
        with qtbot.waitSignal(pictures.generator.finished):
            document.push(moved(scene, 0.4), "Move")
        shown: list[Picture] = []
        pictures.picture_changed.connect(shown.append)
        document.undo_stack.undo()
        assert shown[0] == scene.background.view.picture
