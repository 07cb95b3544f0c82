"""Kill the window while somebody edits: `xvfb-run -a python -m tests.kill_editing --rounds 200`.

A child process opens the real window on a scene, edits, undoes and saves it every few
milliseconds, with an autosave that follows as quickly, and tells what it is about to do and has
done. It is killed at a random moment. Then

- the scene's file must be the one that was saved last, or was being saved, whole;
- if changes had been kept since, another window must offer them, whole and no older, and open
  them as unsaved changes to that file; and leave nothing behind when it is closed.

A state of the scene is known by its seed, and everything else in it follows from that.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from app import autosave
from app.main_window import MainWindow
from neural_assets_core.scene import Scene, load_scene, save_scene
from neural_assets_core.scene.recovery import FIELD, Sidecar
from tests.kill_saving import make_scene

EDIT_MS, AUTOSAVE_MS = 8, 20
LONGEST = 0.8
"""Seconds from the first edit to the latest killing."""

SAVING = 0.03
"""Seconds that saving takes at most, about."""

PATIENCE = 60.0
"""Seconds to wait for a window."""

Event = tuple[str, int]
"""What is told: "at" a state, "saving" it, "saved" it, "kept" it for the case of a crash, and
"forgetting" what was kept."""


def state(step: int) -> Scene:
    """The scene after so many edits."""
    scene = make_scene(200, 150).with_settings(decoder="proxy", seed=step)
    return scene.with_box("box", scene.object("box").box.translated((0.0, step * 1e-3, 0.0)))


def plain(scene: Scene) -> Scene:
    """Without what a file holds besides the scene."""
    return scene.with_extra(FIELD, None).with_extra("workspace", None)


# -- in the child ----------------------------------------------------------------------------------


def start(folder: Path) -> tuple[QApplication, MainWindow]:
    """The window on the scene, with settings and data of its own."""
    os.environ["XDG_DATA_HOME"] = str(folder / "data")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    QCoreApplication.setOrganizationName("neural-assets-tests")
    QCoreApplication.setApplicationName("neural-assets-tests")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    path = str(folder / "settings")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, path)
    autosave.INTERVAL_MS = AUTOSAVE_MS
    application = QApplication([])
    window = MainWindow()
    window.show()
    window.open(folder / "scene.nascene")
    return application, window


def keep_editing(folder: Path, seed: int, told: Connection) -> None:
    """Edit until killed."""
    turn, chance = threading.Lock(), random.Random(seed)

    def tell(what: str, step: int) -> None:
        # The autosave has a thread of its own.
        with turn:
            told.send((what, step))

    write, remove = Sidecar.write, Sidecar.remove

    def kept(sidecar: Sidecar, scene: Scene, file: Path | None) -> None:
        write(sidecar, scene, file)
        tell("kept", scene.settings.seed)

    def forgotten(sidecar: Sidecar) -> None:
        tell("forgetting", 0)
        remove(sidecar)

    Sidecar.write, Sidecar.remove = kept, forgotten  # type: ignore[method-assign]
    application, window = start(folder)
    document, latest, done = window.document, 0, [0]

    def edit() -> None:
        nonlocal latest
        now = document.scene.settings.seed
        assert now == done[-1]
        kind = chance.random()
        if kind < 0.15:
            tell("saving", now)
            window.actions_by_id["save"].trigger()
            tell("saved", now)
        elif kind < 0.3 and document.undo_stack.canUndo():
            done.pop()
            tell("at", done[-1])
            window.actions_by_id["undo"].trigger()
        else:
            latest += 1
            done.append(latest)
            tell("at", latest)
            document.push(state(latest), "Move box")

    timer = QTimer(interval=EDIT_MS)
    timer.timeout.connect(edit)
    timer.start()
    application.exec()


def recover(folder: Path, expected: bool, told: Connection) -> None:
    """Open the window again, take what it offers, say which state that is, and close."""
    application, window = start(folder)
    until = time.monotonic() + (PATIENCE if expected else 0.5)
    while not window.offers.text and time.monotonic() < until:
        application.processEvents()
        time.sleep(0.005)
    step = -1
    if window.offers.text:
        button = next(b for b in window.offers.findChildren(QPushButton) if b.text() == "Recover")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        found = window.document.scene
        step = found.settings.seed
        assert plain(found) == state(step), "what was offered is not whole"
        assert window.document.path == folder / "scene.nascene"
        assert window.document.modified
        assert not window.offers.text, "something else is offered, too"
    window.document.undo_stack.setClean()
    window.close()
    application.processEvents()
    told.send(("recovered", step))
    told.close()
    # Qt's own end is not what is looked at.
    os._exit(0)


# -- in the parent ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a killing left: which of both the file was, what was recovered, edits before it."""

    file: str
    recovered: bool
    edits: int


def run_round(folder: Path, chance: random.Random) -> Found:
    """Edit, kill, check, open again, check.

    Raises
    ------
    AssertionError
        If anything is lost, damaged or left.
    """
    file = folder / "scene.nascene"
    save_scene(state(0), file)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    seed = chance.randrange(2**32)
    child = context.Process(target=keep_editing, args=(folder, seed, there))
    child.start()
    there.close()
    assert here.poll(PATIENCE), "the window did not open"
    time.sleep(chance.uniform(0, LONGEST))
    events = []
    if chance.random() < 0.5:
        # Saving is a small part of the time, and what is looked at most.
        events = _events(here, until="saving")
        time.sleep(chance.uniform(0, SAVING))
    child.kill()
    child.join()
    events += _events(here)
    here.close()
    found = load_scene(file)
    step = found.settings.seed
    assert plain(found) == state(step), "the file is not whole"
    begun, finished = _last(events, "saving"), _last(events, "saved")
    unfinished = begun > finished and step == events[begun][1]
    assert unfinished or step == _saved(events), f"the file has state {step} after {events[-9:]}"
    backup = file.with_name(file.name + "~")
    if backup.exists():
        before = load_scene(backup)
        assert plain(before) == state(before.settings.seed)
    recovered = _check_recovery(folder, events, step)
    edits = sum(what == "at" for what, _ in events)
    return Found("new" if unfinished else "old", recovered, edits)


def _check_recovery(folder: Path, events: list[Event], saved: int) -> bool:
    """Whether something had to be recovered, and was."""
    sidecars = list((folder / "data").rglob("autosave/*.nascene"))
    assert len(sidecars) <= 1
    kept, forgotten = _last(events, "kept"), _last(events, "forgetting")
    if kept > forgotten:
        assert sidecars, f"what was kept is gone: {events[-9:]}"
    elif forgotten >= 0:
        # Only once the scene was as the file has it; that saving is over may be told later.
        before = events[:forgotten]
        begun = _last(before, "saving")
        had = {_saved(before), before[begun][1] if begun >= 0 else 0}
        assert had & _possible(before, kept), events
    offered = False
    if sidecars:
        left = load_scene(sidecars[0])
        offered = plain(left) != plain(load_scene(folder / "scene.nascene"))
        assert left.settings.seed in _possible(events, kept), events[-19:]
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=recover, args=(folder, offered, there))
    child.start()
    there.close()
    assert here.poll(2 * PATIENCE), "the window did not open again"
    _, step = here.recv()
    child.join()
    assert step == (left.settings.seed if offered else -1)
    nothing = [path for path in (folder / "data").rglob("autosave/*") if path.suffix != ".tmp"]
    assert nothing == [], nothing
    assert load_scene(folder / "scene.nascene").settings.seed == saved
    return offered


def _last(events: list[Event], wanted: str) -> int:
    return max((i for i, (what, _) in enumerate(events) if what == wanted), default=-1)


def _saved(events: list[Event]) -> int:
    at = _last(events, "saved")
    return events[at][1] if at >= 0 else 0


def _possible(events: list[Event], kept: int) -> set[int]:
    """States that may have been kept: the last that was told, and all since that one."""
    if kept < 0:
        return {0} | {step for what, step in events if what == "at"}
    last = events[kept][1]
    since = max((i for i, e in enumerate(events[:kept]) if e == ("at", last)), default=0)
    return {last} | {step for what, step in events[since:] if what == "at"}


def _events(told: Connection, until: str = "") -> list[Event]:
    """What has been told by now, and up to the next of a kind that is waited for."""
    events: list[Event] = []
    try:
        while told.poll():
            events.append(told.recv())
        while until and (not events or events[-1][0] != until):
            assert told.poll(PATIENCE), "nothing is told any more"
            events.append(told.recv())
    except (EOFError, OSError):
        pass
    return events


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    outcomes: Counter[str] = Counter()
    recovered = edits = 0
    for _ in range(arguments.rounds):
        folder = Path(tempfile.mkdtemp())
        found = run_round(folder, chance)
        outcomes[found.file] += 1
        recovered += found.recovered
        edits += found.edits
        # Only then: what a failed round has left is to be looked at.
        shutil.rmtree(folder)
    print(
        f"{arguments.rounds} kills during {edits} edits: the file was the old scene "
        f"{outcomes['old']} times, the one being saved {outcomes['new']} times, never anything "
        f"else; unsaved changes were offered again, whole, {recovered} times"
    )


if __name__ == "__main__":
    main()
