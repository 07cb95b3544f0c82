"""Keyframes in the real window: inserted, dragged, played, with the pointer and with keys."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from typer.testing import CliRunner

from app.main_window import MainWindow
from app.timeline.editor import Editor
from app.timeline.plot import RULER
from app.timeline.rows import _numbers, curves_of
from neural_assets_core.animation import place_at, scene_at, with_keyframes
from neural_assets_core.cli.main import app as command_line
from neural_assets_core.geometry.camera_pose import placed_camera
from neural_assets_core.scene import Animation, Scene, load_scene
from tests.app.hand import ALT, CONTROL, SHIFT, choose, moved, press

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
MUG, KETTLE = "mug", "kettle"


def animated(scene: Scene) -> Scene:
    """The mug moves by 0.4 m within two seconds, the kettle has one keyframe, at 10 per second."""
    scene = with_keyframes(scene, [MUG, KETTLE], 0.0)
    end = with_keyframes(moved(scene, 0.4), [MUG], 2.0)
    return scene.with_animation(end.animation.with_fields(fps=10.0, duration=4.0))


@pytest.fixture
def editor(window: MainWindow, scene: Scene, qtbot: QtBot) -> Editor:
    """The timeline of an animated scene, with the keyboard's focus."""
    window.document.set_scene(animated(scene))
    window.actions_by_id["timeline"].trigger()
    qtbot.waitUntil(lambda: window.findChild(Editor) is not None)
    editor = window.findChild(Editor)
    qtbot.waitUntil(editor.hasFocus)
    return editor


def place(editor: Editor, name: str | None, time: float) -> QPoint:
    """Where a keyframe is on the screen."""
    row = next(row for row in editor.rows if row.name == name)
    return editor.position(time, row).toPoint()


def drag(editor: Editor, qtbot: QtBot, start: QPoint, end: QPoint) -> None:
    view = editor.viewport()
    qtbot.mousePress(view, LEFT, pos=start)
    for share in (0.3, 0.7, 1.0):
        qtbot.mouseMove(view, start + (end - start) * share)
    qtbot.mouseRelease(view, LEFT, pos=end)


def times(window: MainWindow, name: str | None) -> list[float]:
    track = window.document.scene.animation.track(name)
    return [] if track is None else [key.time for key in track.keyframes]


def x_of(scene: Scene) -> float:
    return scene.object(MUG).box.center[0]


class TestPointer:
    def test_ruler_scrubs_with_live_boxes_and_without_undo(
        self, window: MainWindow, scene: Scene, editor: Editor, qtbot: QtBot
    ) -> None:
        document, view = window.document, editor.viewport()
        start = x_of(scene)
        at = [QPoint(round(place(editor, MUG, t).x()), RULER // 2) for t in (0.5, 1.0)]
        qtbot.mousePress(view, LEFT, pos=at[0])
        qtbot.mouseMove(view, at[1])
        assert document.draft is not None
        assert x_of(document.shown_scene) == pytest.approx(start + 0.2)
        assert document.scene.animation.time == 0
        with qtbot.waitSignal(window.pictures.picture_changed):
            qtbot.mouseRelease(view, LEFT, pos=at[1])
        assert document.draft is None
        assert document.scene.animation.time == 1.0
        assert x_of(document.scene) == pytest.approx(start + 0.2)
        assert not document.undo_stack.canUndo()
        assert not document.modified

    def test_diamond_is_dragged_in_time(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        drag(editor, qtbot, place(editor, MUG, 2.0), place(editor, MUG, 3.0))
        assert times(window, MUG) == [0.0, 3.0]
        assert window.timeline.marked == {(MUG, 3.0)}
        assert window.document.selection == (MUG,)
        window.document.undo_stack.undo()
        assert times(window, MUG) == [0.0, 2.0]
        # Given up with Esc, nothing happened.
        view = editor.viewport()
        qtbot.mousePress(view, LEFT, pos=place(editor, MUG, 2.0))
        qtbot.mouseMove(view, place(editor, MUG, 3.0))
        qtbot.mouseMove(view, place(editor, MUG, 3.5))
        assert window.document.draft is not None
        press(qtbot, Key.Key_Escape)
        assert window.document.draft is None
        qtbot.mouseRelease(view, LEFT, pos=place(editor, MUG, 3.5))
        assert times(window, MUG) == [0.0, 2.0]

    def test_frame_around_diamonds_selects_them(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        # Away from the playhead, which would be taken along.
        window.timeline.player.scrub(3.0)
        window.timeline.player.settle()
        first = place(editor, MUG, 0.0)
        drag(editor, qtbot, first + QPoint(-14, -9), place(editor, KETTLE, 0.0) + QPoint(14, 9))
        assert window.timeline.marked == {(MUG, 0.0), (KETTLE, 0.0)}
        qtbot.mouseClick(editor.viewport(), LEFT, SHIFT, place(editor, MUG, 0.0))
        assert window.timeline.marked == {(KETTLE, 0.0)}
        # Names at the left choose rows too.
        qtbot.mouseClick(editor.names, LEFT, pos=QPoint(20, place(editor, KETTLE, 0.0).y()))
        assert window.document.selection == (KETTLE,)

    def test_menu_changes_how_it_leads_on(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        at = place(editor, MUG, 0.0)
        event = QContextMenuEvent(
            QContextMenuEvent.Reason.Mouse, at, editor.viewport().mapToGlobal(at)
        )
        QApplication.sendEvent(editor.viewport(), event)
        menu = QApplication.activePopupWidget()
        texts = [action.text() for action in menu.actions()]
        assert [a.isChecked() for a in menu.actions()[:3]] == [True, False, False]
        menu.actions()[texts.index("&Hold")].trigger()
        menu.close()
        keys = window.document.scene.animation.track(MUG).keyframes
        assert [key.easing for key in keys] == ["hold", "ease"]
        window.timeline.player.seek(1.9)
        assert x_of(window.document.shown_scene) == keys[0].box.center[0]


class TestKeys:
    def test_inserts_plays_copies_and_deletes_by_keys_alone(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        document, player = window.document, window.timeline.player
        document.select([MUG])
        for _ in range(5):
            press(qtbot, Key.Key_Right)
        qtbot.waitUntil(lambda: document.scene.animation.time == 0.5)
        press(qtbot, Key.Key_I)
        assert times(window, MUG) == [0.0, 0.5, 2.0]
        assert window.timeline.marked == {(MUG, 0.5)}
        press(qtbot, Key.Key_C, CONTROL)
        press(qtbot, Key.Key_End)
        qtbot.waitUntil(lambda: document.scene.animation.time == 4.0)
        press(qtbot, Key.Key_V, CONTROL)
        assert times(window, MUG) == [0.0, 0.5, 2.0, 4.0]
        assert x_of(document.scene) == pytest.approx(
            document.scene.animation.keyframe((MUG, 0.5)).box.center[0]
        )
        press(qtbot, Key.Key_Left, ALT)
        press(qtbot, Key.Key_Left, ALT)
        assert times(window, MUG)[-1] == pytest.approx(3.8)
        press(qtbot, Key.Key_Delete)
        assert times(window, MUG) == [0.0, 0.5, 2.0]
        # The object itself is not deleted, and not the picture's selection copied.
        assert MUG in [item.name for item in document.scene.objects]
        press(qtbot, Key.Key_Left, SHIFT)
        assert window.timeline.marked == {(MUG, 2.0)}
        assert player.animation.time == 2.0
        press(qtbot, Key.Key_Down)
        assert document.selection == (KETTLE,)
        # Nudged by two frames is one step back; then the paste, then the insertion.
        for expected in (4, 4, 3, 2):
            press(qtbot, Key.Key_Z, CONTROL)
            assert len(times(window, MUG)) == expected
        assert not document.modified

    def test_plays_in_real_time_while_the_window_stays_usable(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        document, player = window.document, window.timeline.player
        seen: list[float] = []
        document.draft_changed.connect(
            lambda draft: seen.append(draft.animation.time) if draft else None
        )
        press(qtbot, Key.Key_Space)
        assert player.playing
        qtbot.waitUntil(lambda: len(seen) >= 4 and seen[-1] >= 0.4)
        press(qtbot, Key.Key_Space)
        assert not player.playing
        assert seen == sorted(seen)
        assert document.draft is None
        assert document.scene.animation.time == seen[-1]
        assert not document.modified
        # Something that is grabbed stands still.
        press(qtbot, Key.Key_Space)
        qtbot.mousePress(window.viewport.native, LEFT, pos=QPoint(5, 5))
        assert not player.playing
        qtbot.mouseRelease(window.viewport.native, LEFT, pos=QPoint(5, 5))

    def test_the_end_is_followed_by_the_beginning_only_if_wanted(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        player, panel = window.timeline.player, editor.window().timeline
        window.timeline.set_playback(duration=0.3, loop=False)
        player.toggle()
        qtbot.waitUntil(lambda: not player.playing)
        assert player.animation.time == pytest.approx(0.3)
        panel.set_playback(loop=True)
        player.toggle()
        qtbot.wait(450)
        assert player.playing
        player.stop()


class TestKeying:
    def test_edits_of_what_moves_are_keyframes(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        document, player = window.document, window.timeline.player
        player.scrub(1.0)
        player.settle()
        document.push(moved(document.scene, 0.5), "Move mug")
        assert times(window, MUG) == [0.0, 1.0, 2.0]
        assert document.undo_stack.count() == 1
        window.actions_by_id["auto_key"].trigger()
        document.push(moved(document.scene, 0.5), "Move mug")
        assert x_of(document.scene) != document.scene.animation.keyframe((MUG, 1.0)).box.center[0]
        # Without a keyframe it is there until another moment is shown.
        player.scrub(0.0)
        player.scrub(1.0)
        player.settle()
        keyframe = document.scene.animation.keyframe((MUG, 1.0))
        assert document.scene.object(MUG).box == keyframe.box

    def test_undo_goes_back_to_the_moment_of_the_edit(
        self, window: MainWindow, editor: Editor
    ) -> None:
        document, player = window.document, window.timeline.player
        player.scrub(1.0)
        player.settle()
        document.push(moved(document.scene, 0.5), "Move mug")
        player.scrub(2.0)
        player.settle()
        document.undo_stack.undo()
        assert document.scene == scene_at(document.scene, 1.0)
        assert editor.moment == 1.0

    def test_camera_has_a_row_of_its_own(
        self, window: MainWindow, editor: Editor, qtbot: QtBot
    ) -> None:
        press(qtbot, Key.Key_I, SHIFT)
        assert [row.title for row in editor.rows] == ["Camera", MUG, KETTLE]
        assert times(window, None) == [0.0]


def test_comes_to_the_front_from_behind_another_tab(
    window: MainWindow, editor: Editor, qtbot: QtBot
) -> None:
    library, rows = window.assets.panel.list.viewport(), editor.viewport()
    window.actions_by_id["library"].trigger()
    qtbot.waitUntil(lambda: not library.visibleRegion().isEmpty())
    qtbot.waitUntil(lambda: rows.visibleRegion().isEmpty())
    window.actions_by_id["timeline"].trigger()
    qtbot.waitUntil(lambda: not rows.visibleRegion().isEmpty())
    window.actions_by_id["timeline"].trigger()
    assert not editor.isVisible()


def test_curves_are_those_that_change(scene: Scene) -> None:
    track = animated(scene).animation.track(MUG)
    (curve,) = curves_of(track)
    assert curve.name == "x"
    assert (curve.heights[0], curve.heights[-1]) == pytest.approx((0, 1))
    assert (np.diff(curve.heights) > -1e-9).all()


def test_curves_go_where_the_film_goes(scene: Scene) -> None:
    start = with_keyframes(scene, [MUG, None], 0.0)
    box = scene.object(MUG).box.translated((0.1, -0.2, 0.0)).with_size((1.0, 0.5, 1.2))
    there = start.with_box(MUG, box.rotated((0.2, 0.1, 1.0), 2.9))
    turned = placed_camera(scene.camera, (0.3, -1.0, 0.7), (170.0, -20.0, 15.0))
    there = with_keyframes(there.with_camera(turned), [MUG, None], 2.0, "hold")
    ends = with_keyframes(scene_at(there, 1.0), [MUG, None], 3.0)
    for track in ends.animation.tracks:
        curves = curves_of(track)
        assert {curve.name for curve in curves} >= {"y", "heading"}
        for number, name in ((3, "heading"), (4, "size")):
            for curve in (one for one in curves if one.name == name):
                told = [_numbers(place_at(track, time))[number] for time in curve.times]
                told = np.unwrap(told, period=360) if name == "heading" else np.array(told)
                heights = (told - told.min()) / np.ptp(told)
                np.testing.assert_allclose(curve.heights, heights, atol=1e-9)


def test_window_and_command_line_make_the_same_frames(
    window: MainWindow,
    editor: Editor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    window.timeline.set_playback(duration=0.5)
    window.document.save(tmp_path / "a.nascene")
    loaded = load_scene(tmp_path / "a.nascene")
    assert loaded.animation == window.document.scene.animation != Animation()
    choose(monkeypatch, tmp_path / "window.mp4")
    window.actions_by_id["film"].trigger()
    dialog = window.exports.turntable
    assert dialog.windowTitle() == "Export animation"
    assert dialog.fps.value() == 10
    with qtbot.waitSignal(window.exports.films.made, timeout=60_000):
        qtbot.mouseClick(dialog.go, LEFT)
    arguments = ["animate", tmp_path / "a.nascene", "--out", tmp_path / "line.mp4", "-q"]
    assert CliRunner().invoke(command_line, list(map(str, arguments))).exit_code == 0
    ours, theirs = (decoded(tmp_path / name) for name in ("window.mp4", "line.mp4"))
    assert len(ours) == 6
    np.testing.assert_array_equal(ours, theirs)
    assert np.abs(ours[0].astype(int) - ours[-1]).max() > 20


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def test_pyqtgraph_is_loaded_only_for_the_open_panel(empty_window: MainWindow) -> None:
    assert empty_window.findChild(Editor) is None
