"""Results on disk as the user meets them, in the real window."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app import menus
from app.dialogs.compare import CompareDialog
from app.dialogs.export import ExportDialog
from app.generation.history import WAITING
from tests.app.hand import choose as choose_file
from tests.app.hand import moved


@pytest.fixture
def panel(window, scene, qtbot):
    """The open history with two results: the scene as it was, and with the mug moved."""
    # Made elsewhere: no weights are here to make them with.
    window.actions_by_id["automatic"].trigger()
    keep(window, scene)
    window.document.push(neural(scene), "Move mug")
    keep(window, moved(scene, 0.1))
    dock = next(dock for dock in window.docks if dock.windowTitle() == "History")
    dock.show()
    wait_for(window, qtbot, 2)
    return window.history


def neural(scene, seed=5):
    return scene.with_settings(decoder="neural", seed=seed)


def keep(window, scene, seed=5):
    made = window.pictures.generator.result(scene.with_settings(decoder="proxy"))
    made = made or next(iter(window.pictures.generator._results.values()))
    window.pictures.history.add(replace(made, scene=neural(scene, seed)))


def wait_for(window, qtbot, count):
    qtbot.waitUntil(lambda: len(window.history.model.entries) == count)


def choose(panel, *rows):
    panel.list.clearSelection()
    for row in rows:
        panel.list.selectionModel().setCurrentIndex(
            panel.model.index(row), QItemSelectionModel.SelectionFlag.Select
        )
    panel.list.setFocus()


def test_restoring_is_one_undo_step(window, scene, panel, qtbot):
    before = window.document.scene
    choose(panel, 0)
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.document.scene == neural(moved(scene, 0.1)))
    window.document.undo_stack.undo()
    assert window.document.scene == before


def test_thumbnails_come(panel, qtbot):
    icons = panel.model._icons
    qtbot.waitUntil(
        lambda: len(icons) == 2 and all(i is not panel.model._blank for i in icons.values())
    )


def test_every_deletion_can_be_taken_back_until_the_next_result(window, scene, panel, qtbot):
    first, second = (entry.path for entry in panel.model.entries)
    for left in (1, 0):
        choose(panel, 0)
        qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
        wait_for(window, qtbot, left)
    # The key was the list's: no object was deleted.
    assert len(window.document.scene.objects) == 3
    assert panel.note.text() == "Deleted 2 results."
    qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    wait_for(window, qtbot, 1)
    assert panel.model.entries[0].path == second
    panel.commands["result_undelete"].trigger()
    wait_for(window, qtbot, 2)
    assert panel.model.entries[0].path == first
    assert not panel.commands["result_undelete"].isEnabled()

    choose(panel, 0)
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    wait_for(window, qtbot, 1)
    keep(window, scene, seed=6)
    wait_for(window, qtbot, 2)
    assert panel.undo.isHidden()


def test_star_and_name(panel, qtbot):
    choose(panel, 0)
    panel.commands["result_star"].trigger()
    qtbot.waitUntil(lambda: panel.model.entries[0].starred)
    panel.model.setData(panel.model.index(0), "  evening  light ")
    qtbot.waitUntil(lambda: panel.model.entries[0].name == "evening light")
    assert panel.model.entries[0].starred
    assert panel.model.index(0).data() == "★ evening light\nSeed 5"
    tip = panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Seed 5\n1 step, guidance 1\nCheckpoint default" in tip


def test_a_name_is_typed_from_the_menu(window, scene, panel, qtbot):
    choose(panel, 1)
    panel.commands["result_name"].trigger()
    field = QApplication.focusWidget()
    qtbot.keyClicks(field, "du")
    # Neither a thumbnail nor a new result disturbs the typing.
    keep(window, scene, seed=6)
    with qtbot.waitSignal(window.pictures.history.listed):
        pass
    panel.model._on_thumbnail(panel.model.entries[1].path, QImage(8, 8, QImage.Format.Format_RGB32))
    qtbot.keyClicks(field, "sk")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    wait_for(window, qtbot, 3)
    qtbot.waitUntil(lambda: panel.model.entries[2].name == "dusk")


def test_compare_two(window, panel, qtbot):
    choose(panel, 0, 1)
    panel.commands["result_compare"].trigger()
    qtbot.waitUntil(lambda: window.findChild(CompareDialog) is not None)
    dialog = window.findChild(CompareDialog)
    assert not dialog.isModal()
    qtbot.waitExposed(dialog)
    view = dialog.view
    at = view.frame()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at.center().toPoint())
    assert view.divider == pytest.approx(0.5, abs=0.01)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.divider == pytest.approx(0.48, abs=0.01)
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.divider == 1.0
    dialog.close()


@pytest.mark.parametrize(
    ("rows", "possible"),
    [
        ((), set()),
        ((0,), {"restore", "star", "name", "export", "delete"}),
        ((0, 1), {"compare", "star", "delete"}),
    ],
)
def test_commands_fit_the_selection(window, panel, rows, possible):
    choose(panel, *rows)
    enabled = {id_ for id_ in menus.RESULTS if window.actions_by_id[id_].isEnabled()}
    assert enabled == {f"result_{name}" for name in possible}


class TestExport:
    def test_the_selected_result_with_its_own_scene(
        self, window, scene, panel, tmp_path, monkeypatch, qtbot
    ):
        choose_file(monkeypatch, tmp_path / "old")
        choose(panel, 1)
        with qtbot.waitSignal(window.pictures.history.wanted):
            panel.commands["result_export"].trigger()
        with qtbot.waitSignal(window.exports.stills.written, timeout=30_000):
            window.findChild(ExportDialog).go.click()
        with Image.open(tmp_path / "old.png") as image:
            assert image.text["neural-assets-scene"] == neural(scene).model_dump_json()

    def test_nothing_is_replaced_unasked(
        self, window, panel, tmp_path, monkeypatch, answer, qtbot
    ):
        target = tmp_path / "mine.png"
        target.write_bytes(b"precious")
        choose_file(monkeypatch, tmp_path / "mine")
        answers = iter([1, 0])
        monkeypatch.setattr(QFileDialog, "exec", lambda _: next(answers))
        choose(panel, 0)
        with qtbot.waitSignal(window.pictures.history.wanted):
            panel.commands["result_export"].trigger()
        answer(QMessageBox.StandardButton.Cancel)
        window.findChild(ExportDialog).go.click()
        assert list(answers) == []
        assert target.read_bytes() == b"precious"

    def test_damage_is_told(self, window, panel, tmp_path, monkeypatch, qtbot):
        choose_file(monkeypatch, tmp_path / "old")
        path = panel.model.entries[0].path
        path.write_bytes(path.read_bytes()[:-300])
        choose(panel, 0)
        panel.commands["result_export"].trigger()
        qtbot.waitUntil(lambda: "damaged" in window.messages.text)
        assert not (tmp_path / "old.png").exists()


def test_another_session_has_the_results(window, scene, panel):
    assert window.pictures.shutdown()
    folder = window.pictures.history.folder
    found = folder.find(neural(scene))
    assert found is not None
    assert len(folder.entries(scene.background.view.picture)) == 2


def test_of_the_proxys_pictures_those_that_were_asked_for_are_kept(window, scene, qtbot):
    assert window.pictures.result() is not None
    with qtbot.waitSignal(window.pictures.generator.finished):
        window.document.push(moved(scene, 0.1), "Move mug")
    window.actions_by_id["generate"].trigger()
    with qtbot.waitSignal(window.pictures.generator.finished):
        window.document.push(moved(scene, 0.2), "Move mug")
    assert window.pictures.shutdown()
    history = window.pictures.history.folder
    kept = history.entries(scene.background.view.picture)
    assert [history.scene(entry.path) for entry in kept] == [moved(scene, 0.1)]


def test_a_disk_that_hangs_costs_the_oldest_pictures_and_says_so(window, scene, qtbot, caplog):
    disk = threading.Event()
    window.pictures.history._do(disk.wait)
    for seed in range(WAITING + 2):
        keep(window, scene, seed)
    disk.set()
    wait_for(window, qtbot, WAITING)
    seeds = {entry.settings.seed for entry in window.history.model.entries}
    assert seeds == set(range(2, WAITING + 2))
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        f"a result (seed {seed}) was not kept: the disk is too slow" for seed in (0, 1)
    ]


def test_a_known_request_is_answered_from_disk(window, scene, slow_scene, qtbot):
    picture = window.pictures.result().picture
    generation = type(window.pictures.result())(slow_scene, picture, 1.0)
    window.pictures.history.folder.add(generation)
    # A thousand steps would take minutes.
    window.document.push(slow_scene, "Slow")
    qtbot.waitUntil(lambda: window.pictures.result() is not None)
    assert window.pictures.result().picture == picture
