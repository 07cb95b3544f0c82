"""Thousands of edits, cancels, undos, other scenes and faults, and the last picture is right."""

from __future__ import annotations

import gc
import hashlib
import os
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.document import Document
from app.generation import Pictures
from app.generation.generator import stuck_threads
from neural_assets_core.decoders import Cancelled, Generation, Progress
from neural_assets_core.decoders.base import check_cancelled
from neural_assets_core.device_faults import device_faults
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import Preferences, store_preferences
from neural_assets_core.scene import GenerationSettings, Picture, Scene

ROUNDS = 2000
WARM = 500
"""Rounds after which memory must no longer grow."""

FAULTS = ("exception", "exit", "memory", "gpu memory", "lost gpu", "refusal", "slow step")


def painting(scene: Scene) -> Picture:
    """The right picture of a scene: noise that boxes, looks, seed and decoder decide."""
    boxes = [(item.box.model_dump_json(), item.appearance.view.picture.sha256)
             for item in scene.objects]
    said = repr((boxes, scene.settings.seed, scene.settings.decoder))
    seed = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big")
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Picture(pixels)


class Studio:
    """Opens painters, and says what goes wrong in them."""

    def __init__(self) -> None:
        self.random = random.Random(1)
        self.faulty = True
        self.happened: Counter[str] = Counter()
        self.misused: list[str] = []
        self.painters: weakref.WeakSet[Painter] = weakref.WeakSet()

    def open(self, settings: GenerationSettings, preferences: Preferences) -> Painter:
        if self.faulty and self.random.random() < 0.02:
            self.happened["not opened"] += 1
            raise UserError("This decoder cannot be opened: choose another.")
        return Painter(self)

    def fault(self) -> str:
        if not self.faulty or self.random.random() > 0.06:
            return ""
        return self.random.choice(FAULTS)


class Painter:
    """A decoder: paints row by row, one a step, and fails now and then."""

    device = "cpu"

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._at_work = threading.Lock()
        self._weights = np.zeros(1_000_000, dtype=np.uint8)
        self._broken = False
        studio.painters.add(self)

    def generate(self, scene, *, progress=None, cancel=None) -> Generation:
        if self._broken:
            self._studio.misused.append("a broken decoder was used again")
        if not self._at_work.acquire(blocking=False):
            self._studio.misused.append("two requests at once")
        try:
            with device_faults():
                return self._painted(scene, progress, cancel)
        except (Cancelled, UserError):
            raise
        except BaseException:
            self._broken = True
            raise
        finally:
            self._at_work.release()

    def _painted(self, scene, progress, cancel) -> Generation:
        started = time.perf_counter()
        true = painting(scene).pixels
        rows = np.zeros_like(true)
        for row in range(len(true)):
            check_cancelled(cancel)
            progress(Progress("denoising", row, len(true)))
            self._fail(self._studio.fault())
            rows[row] = true[row]
            time.sleep(0.0002)
        check_cancelled(cancel)
        return Generation(scene, Picture(rows), time.perf_counter() - started)

    def _fail(self, fault: str) -> None:
        import torch

        if not fault:
            return
        self._studio.happened[fault] += 1
        if fault == "slow step":
            time.sleep(0.03)
        elif fault == "exception":
            raise ZeroDivisionError("division by zero")
        elif fault == "exit":
            raise SystemExit(1)
        elif fault == "refusal":
            raise UserError("This box reaches behind the camera: move it into the picture.")
        else:
            if fault == "memory":
                raise MemoryError
            if fault == "gpu memory":
                raise torch.OutOfMemoryError("CUDA out of memory")
            raise RuntimeError("CUDA error: unspecified launch failure")


class Hand:
    """Does something at random to the document, as fast as it can."""

    def __init__(self, document: Document, pictures: Pictures, scenes: list[Scene]) -> None:
        self.document, self.pictures, self.scenes = document, pictures, scenes
        self.random = random.Random(2)
        self.did: Counter[str] = Counter()
        self.made = 0
        pictures.generator.finished.connect(self._count)
        self._commands = {
            self.move: 30, self.drag: 8, self.remove: 3, self.reseed: 6, self.switch: 2,
            self.cancel: 12, self.generate: 4, self.undo: 18, self.redo: 10, self.open: 4,
            self.close: 1, self.toggle: 2,
        }

    def act(self) -> None:
        commands = list(self._commands)
        (command,) = self.random.choices(commands, weights=list(self._commands.values()))
        self.did[command.__name__] += 1
        command()

    def _count(self, _: Generation) -> None:
        self.made += 1

    def _moved(self) -> Scene | None:
        scene = self.document.scene
        if scene is None or not scene.objects:
            return None
        item = self.random.choice(scene.objects)
        return scene.with_box(item.name, item.box.translated((self.random.gauss(0, 0.1), 0, 0)))

    def _push(self, scene: Scene | None) -> None:
        if scene is not None:
            self.document.push(scene, "Edit")

    def move(self) -> None:
        self._push(self._moved())

    def drag(self) -> None:
        for _ in range(3):
            self.document.set_draft(self._moved())
            QCoreApplication.processEvents()
        draft = self.document.draft
        if draft is not None and self.random.random() < 0.6:
            self.document.push(draft, "Drag")
        else:
            self.document.set_draft(None)

    def remove(self) -> None:
        scene = self.document.scene
        if scene is not None and scene.objects:
            self._push(scene.without(self.random.choice(scene.objects).name))

    def reseed(self) -> None:
        scene = self.document.scene
        self._push(scene and scene.with_settings(seed=self.random.randrange(1000)))

    def switch(self) -> None:
        scene = self.document.scene
        self._push(scene and scene.with_settings(checkpoint=self.random.choice("ab")))

    def cancel(self) -> None:
        self.pictures.generator.cancel()
        before = self.made
        for _ in range(3):
            time.sleep(0.001)
            QCoreApplication.processEvents()
        assert self.made == before, "a cancelled picture was delivered"

    def generate(self) -> None:
        self.pictures.generate()

    def undo(self) -> None:
        self.document.undo_stack.undo()

    def redo(self) -> None:
        self.document.undo_stack.redo()

    def open(self) -> None:
        self.document.set_scene(self.random.choice(self.scenes))

    def close(self) -> None:
        self.document.set_scene(None)

    def toggle(self) -> None:
        self.pictures.automatic = not self.pictures.automatic


def resident_bytes() -> int:
    """What the process occupies, once what can be freed is freed."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    import torch  # noqa: F401 - its seconds, before the clock starts

    studio = Studio()
    monkeypatch.setattr("app.generation.worker.open_decoder", studio.open)
    # One picture is kept: memory must stay flat from then on.
    store_preferences(Preferences(memory=0))
    # pytest would keep every logged traceback, and with it every painter.
    monkeypatch.setattr("app.generation.worker.log.disabled", True)
    # Counting what is left looks through all that is there: not through the libraries too.
    gc.collect()
    gc.freeze()
    yield studio
    gc.unfreeze()


@pytest.fixture
def document(qapp: QApplication) -> Document:
    document = Document()
    document.undo_stack.setUndoLimit(50)
    return document


@pytest.fixture
def pictures(document: Document, studio: Studio) -> Iterator[Pictures]:
    threads = set(threading.enumerate())
    pictures = Pictures(document)
    workers = [pictures.generator._thread, pictures.preview._thread]
    yield pictures
    assert pictures.shutdown()
    assert not any(worker.isRunning() for worker in workers)
    assert not stuck_threads()
    assert set(threading.enumerate()) <= threads


def test_whatever_happens_the_last_scene_gets_its_picture(
    document: Document, pictures: Pictures, qtbot: QtBot, studio: Studio, scene: Scene
) -> None:
    neural = scene.with_settings(decoder="neural")
    scenes = [neural, neural.without("book").with_settings(seed=7), scene]
    hand = Hand(document, pictures, scenes)
    wrong: list[Scene] = []
    shown: list[Picture | None] = []
    ends: Counter[str] = Counter()

    def check(generation: Generation) -> None:
        ends["finished"] += 1
        if generation.picture != painting(generation.scene):
            wrong.append(generation.scene)

    pictures.generator.finished.connect(check)
    pictures.preview.finished.connect(check)
    pictures.generator.failed.connect(lambda *_: ends.update(["failed"]))
    pictures.generator.cancelled.connect(lambda *_: ends.update(["cancelled"]))
    pictures.picture_changed.connect(lambda picture: (shown.clear(), shown.append(picture)))
    memory = 0
    for number in range(ROUNDS):
        hand.act()
        for _ in range(hand.random.choice((0, 1, 1, 3))):
            QCoreApplication.processEvents()
            time.sleep(hand.random.choice((0.0, 0.001, 0.004)))
        if number == WARM:
            memory = resident_bytes()
    grown = resident_bytes() - memory

    # The faults stop; whatever the last answer was, asking once more must do.
    studio.faulty = False
    pictures.automatic = True
    document.set_scene(scenes[0])
    last = scenes[0].with_box("mug", scene.object("mug").box.translated((0.123, 0, 0)))
    document.push(last, "Edit")
    qtbot.waitUntil(lambda: not pictures.generator.busy and not pictures.preview.busy)
    if pictures.result() is None:  # a fault was already on its way
        pictures.generate()
        qtbot.waitUntil(lambda: not pictures.generator.busy)
    assert pictures.result().picture == painting(last)
    assert shown == [painting(last)]

    assert wrong == []
    assert studio.misused == []
    assert set(studio.happened) >= {*FAULTS, "not opened"}
    assert min(ends[end] for end in ("finished", "failed", "cancelled")) > 20
    assert min(hand.did.values()) > 5
    assert grown < 16_000_000
    assert len(studio.painters) <= 2


def test_nothing_is_said_or_taken_up_after_shutdown(
    document: Document, pictures: Pictures, qtbot: QtBot, studio: Studio, scene: Scene
) -> None:
    studio.faulty = False
    said: list[object] = []
    with qtbot.waitSignal(pictures.generator.progress):
        document.set_scene(scene)
    for signal in (pictures.generator.finished, pictures.generator.cancelled):
        signal.connect(said.append)
    assert pictures.shutdown()
    assert pictures.shutdown()
    pictures.generate()
    document.push(scene.without("book"), "Delete")
    qtbot.wait(50)
    assert said == []
    assert not pictures.generator.busy
