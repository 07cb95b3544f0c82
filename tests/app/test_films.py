"""Films whose making is interrupted: the process is killed, and the next window goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.films import FilmRequest, films_folder
from app.main_window import MainWindow
from neural_assets_core.animation import render_video
from neural_assets_core.animation.video import frame_store
from neural_assets_core.decoders import Progress, ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene, load_scene, save_scene
from neural_assets_core.scene.recovery import Sidecar
from tests.app.test_drops import press

FRAMES = 12
MAKE = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.films import FilmRequest, Films
from neural_assets_core.scene import load_scene
application = QCoreApplication([])
films = Films()
films.make(FilmRequest.of_note(load_scene(sys.argv[1])), Path(sys.argv[2]))
application.exec()
"""


@pytest.fixture
def request_file(scene: Scene, tmp_path: Path) -> Path:
    """A turn of the book."""
    request = FilmRequest(
        scene=scene, motion="object", name="book", degrees=360, seconds=1.2, fps=10, suffix=".mp4",
        size=64, quality="draft", loop=0,
    )  # fmt: skip
    save_scene(request.noted(), tmp_path / "request.nascene")
    assert FilmRequest.of_note(load_scene(tmp_path / "request.nascene")) == request
    return tmp_path / "request.nascene"


@pytest.fixture
def killed(request_file: Path, data_folder: Path, tmp_path: Path) -> Path:
    """Where a film was to be whose program was killed amid its frames."""
    (tmp_path / "films").mkdir()
    path = tmp_path / "films" / "turn.mp4"
    process = subprocess.Popen([sys.executable, "-c", MAKE, str(request_file), str(path)])
    until = time.monotonic() + 60
    while len(frame_store(path)) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    assert 2 <= len(frame_store(path)) < FRAMES
    return path


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_the_same_call_or_the_next_window_goes_on(
    killed: Path, request_file: Path, empty_window: MainWindow, qtbot: QtBot
) -> None:
    window, drawn = empty_window, len(frame_store(killed))
    told: list[Progress] = []
    # What the command line and scripts do: the same again.
    other = killed.with_name("other.mp4")
    shutil.copytree(frame_store(killed).folder, frame_store(other).folder)
    scenes = FilmRequest.of_note(load_scene(request_file)).scenes()
    render_video(scenes, ProxyDecoder(), other, fps=10, progress=told.append)
    assert told[0].step == drawn
    assert frames_of(other) == FRAMES
    told.clear()
    qtbot.waitUntil(lambda: bool(buttons(window)))
    window.exports.films.progressed.connect(told.append)
    with qtbot.waitSignal(window.exports.films.made, timeout=60_000):
        press(window, "Go on", qtbot)
        assert window.exports.turntable.busy
    assert told[0].step == drawn
    assert frames_of(killed) == FRAMES
    assert sorted(killed.parent.iterdir()) == [other, killed]
    qtbot.waitUntil(lambda: not any(films_folder().iterdir()))


def test_what_is_left_can_be_given_up(
    request_file: Path, data_folder: Path, empty_window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "turn.mp4"
    store = frame_store(path)
    request = FilmRequest.of_note(load_scene(request_file))
    store.add(request.scene, request.scene.background.view.picture)
    note = Sidecar(films_folder())
    note.write(request.noted(), path)
    # As the system unlocks the files of a process that died.
    note._lock.release()
    empty_window.exports.films.offer_unfinished(empty_window.offers)
    qtbot.waitUntil(lambda: bool(buttons(empty_window)))
    press(empty_window, "Discard", qtbot)
    qtbot.waitUntil(lambda: not any(films_folder().iterdir()))
    assert not store.folder.exists()


def buttons(window: MainWindow) -> list[QPushButton]:
    found = window.offers.findChildren(QPushButton)
    return [b for b in found if b.isVisible() and b.text() == "Go on" and b.isEnabled()]


def test_notes_that_are_damaged_are_told(scene: Scene) -> None:
    for note in (None, 5, {}, {"motion": "nothing"}):
        with pytest.raises(UserError, match="export it again"):
            FilmRequest.of_note(scene.with_extra("film", note))
