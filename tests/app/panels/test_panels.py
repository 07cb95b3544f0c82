"""Inspector, outliner and generation panel against a real document."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.panels.fields import NumberField
from neural_assets_core.scene import Scene, load_scene


def type_number(qtbot: QtBot, field: NumberField, text: str) -> None:
    number = field.lineEdit()
    qtbot.mouseDClick(number, Qt.MouseButton.LeftButton, pos=number.cursorRect().center())
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


class TestInspector:
    @pytest.fixture(autouse=True)
    def _selected(self, window: MainWindow) -> None:
        window.document.select(["kettle"])

    def test_shows_the_numbers(self, window: MainWindow, scene: Scene) -> None:
        fields, box = window.inspector.fields, scene.object("kettle").box
        assert [field.value() for field in fields["position"]] == pytest.approx(box.center)
        assert [field.value() for field in fields["size"]] == pytest.approx(box.size)
        yaw = fields["rotation"][0].value()
        assert yaw == pytest.approx(math.degrees(box.yaw()), abs=0.05)

    def test_follows_a_draft(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        old, field = scene.object("kettle").box, window.inspector.fields["position"][0]
        for metres in (0.5, 1.0):
            box = old.translated((metres, 0.0, 0.0))
            window.document.set_draft(scene.with_box("kettle", box))
        qtbot.waitUntil(lambda: field.value() == pytest.approx(box.center[0]))
        # Given up, the old numbers are there at once.
        window.document.set_draft(None)
        assert field.value() == pytest.approx(old.center[0])

    @pytest.mark.parametrize(
        ("group", "axis", "text", "value"),
        [("position", 2, "1.25", 1.25), ("size", 0, "0.4", 0.4), ("rotation", 0, "30", 30.0)],
    )
    def test_typed_number_is_one_entry(
        self,
        window: MainWindow,
        scene: Scene,
        qtbot: QtBot,
        group: str,
        axis: int,
        text: str,
        value: float,
    ) -> None:
        before = scene.object("kettle").box
        type_number(qtbot, window.inspector.fields[group][axis], text)
        box = window.document.scene.object("kettle").box
        got = {"position": box.center, "size": box.size, "rotation": (math.degrees(box.yaw()),)}
        assert got[group][axis] == pytest.approx(value)
        # The other numbers are untouched, to the last bit where they are not the same rotation.
        for name in ("center", "size"):
            kept, old = list(getattr(box, name)), list(getattr(before, name))
            if {"position": "center", "size": "size"}.get(group) == name:
                del kept[axis], old[axis]
            assert kept == old
        assert window.document.undo_stack.count() == 1
        window.document.undo_stack.undo()
        assert window.document.scene == scene

    def test_a_typed_name_is_one_entry(self, window: MainWindow, qtbot: QtBot) -> None:
        field = window.inspector.name
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, "pot")
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert window.document.selection == ("pot",)
        qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert field.text() == "kettle"
        assert not window.document.undo_stack.canUndo()
        qtbot.keyClicks(field, "ling")
        qtbot.keyClick(field, Qt.Key.Key_Escape)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert window.document.scene.objects[1].name == "kettle"

    def test_rotation_keeps_its_other_angles(self, window: MainWindow, qtbot: QtBot) -> None:
        fields = window.inspector.fields["rotation"]
        for field, text in zip(fields, ("40", "20", "-10"), strict=True):
            type_number(qtbot, field, text)
        assert [field.value() for field in fields] == pytest.approx([40, 20, -10])

    def test_spinning_is_one_entry(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        field = window.inspector.fields["position"][0]
        field.setFocus()
        for _ in range(5):
            qtbot.keyClick(field, Qt.Key.Key_Up)
        moved = window.document.scene.object("kettle").box.center[0]
        assert moved == pytest.approx(scene.object("kettle").box.center[0] + 0.05)
        assert window.document.undo_stack.count() == 1

    def test_size_never_goes_negative(self, window: MainWindow, qtbot: QtBot) -> None:
        field = window.inspector.fields["size"][1]
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_PageDown)
        for _ in range(20):
            qtbot.keyClick(field, Qt.Key.Key_PageDown)
        assert window.document.scene.object("kettle").box.size[1] == pytest.approx(1e-3)

    def test_straight_up_is_no_trouble(self, window: MainWindow, qtbot: QtBot) -> None:
        type_number(qtbot, window.inspector.fields["rotation"][1], "90")
        matrix = window.document.scene.object("kettle").box.rotation_matrix()
        assert np.isfinite(matrix).all()
        assert matrix[2, 0] == pytest.approx(-1.0)


class TestOutliner:
    def test_what_is_wrong_with_a_box_is_told(self, window: MainWindow, scene: Scene) -> None:
        first = window.outliner.list.item(0)
        plain = first.icon().cacheKey()
        assert "⚠" not in first.toolTip()
        far = scene.with_box("mug", scene.object("mug").box.translated((9.0, 0.0, 0.0)))
        window.document.push(far, "Move")
        assert "⚠ It is outside the picture" in first.toolTip()
        assert first.icon().cacheKey() != plain

    def test_lists_and_selects_both_ways(self, window: MainWindow, qtbot: QtBot) -> None:
        names = window.outliner.list
        assert [names.item(row).text() for row in range(3)] == ["mug", "kettle", "book"]
        window.document.select(["book", "mug"])
        assert {item.text() for item in names.selectedItems()} == {"mug", "book"}
        assert names.currentItem().text() == "mug"
        at = names.visualItemRect(names.item(1)).center()
        qtbot.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert window.document.selection == ("kettle",)

    def test_clicking_adds_the_active_one_last(self, window: MainWindow, qtbot: QtBot) -> None:
        names = window.outliner.list
        for row, modifier in (
            (2, Qt.KeyboardModifier.NoModifier),
            (0, Qt.KeyboardModifier.ControlModifier),
        ):
            at = names.visualItemRect(names.item(row)).center()
            qtbot.mouseClick(names.viewport(), Qt.MouseButton.LeftButton, modifier, at)
        assert window.document.selection == ("book", "mug")

    def rename(self, window: MainWindow, qtbot: QtBot, text: str) -> None:
        window.document.select(["mug"])
        window.actions_by_id["rename"].trigger()
        editor = QApplication.focusWidget()
        assert isinstance(editor, QLineEdit)
        assert window.outliner.list.isAncestorOf(editor)
        assert editor.isVisible()
        editor.setText(text)
        # The list takes the text over a moment later.
        with qtbot.waitSignal(editor.destroyed):
            qtbot.keyClick(editor, Qt.Key.Key_Return)

    def test_rename(self, window: MainWindow, qtbot: QtBot) -> None:
        # The list is shown if need be.
        window.docks[0].hide()
        self.rename(window, qtbot, "cup")
        assert window.document.scene.objects[0].name == "cup"
        assert window.document.selection == ("cup",)
        assert window.document.undo_stack.count() == 1

    def test_taken_name_gets_a_number(self, window: MainWindow, qtbot: QtBot) -> None:
        self.rename(window, qtbot, "book")
        assert window.outliner.list.item(0).text() == "book 2"

    def test_empty_name_is_refused(
        self, window: MainWindow, scene: Scene, qtbot: QtBot
    ) -> None:
        self.rename(window, qtbot, "   ")
        assert window.document.scene == scene
        assert window.outliner.list.item(0).text() == "mug"
        assert window.messages.isVisible()
        # Whoever goes on knows it by now.
        self.rename(window, qtbot, "cup")
        assert not window.messages.isVisible()

    def test_what_locked_or_hidden_ones_refuse_is_told_until_they_no_longer_do(
        self, window: MainWindow
    ) -> None:
        window.document.select(["mug"])
        window.actions_by_id["lock"].trigger()
        window.actions_by_id["delete"].trigger()
        assert "cannot be edited" in window.messages.text
        window.actions_by_id["unlock_all"].trigger()
        assert window.messages.text == ""
        window.actions_by_id["select_all"].trigger()
        window.actions_by_id["hide"].trigger()
        assert "All objects are hidden" in window._hint.text()

    def test_a_name_that_is_being_typed_counts_when_saving(
        self, window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        window.document.save(tmp_path / "a.nascene")
        window.document.select(["mug"])
        window.actions_by_id["rename"].trigger()
        editor = QApplication.focusWidget()
        editor.selectAll()
        qtbot.keyClicks(editor, "cup")
        window.actions_by_id["save"].trigger()
        assert load_scene(tmp_path / "a.nascene").objects[0].name == "cup"
        assert window.document.undo_stack.count() == 1
        with qtbot.waitSignal(editor.destroyed):
            qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert window.document.undo_stack.count() == 1
        assert not window.document.modified

    def mark(self, window: MainWindow, qtbot: QtBot, row: int, mark: str) -> None:
        outliner = window.outliner
        rectangle = outliner.list.visualItemRect(outliner.list.item(row))
        at = outliner.rows.mark_rect(rectangle, mark).center()
        qtbot.mouseClick(outliner.list.viewport(), Qt.MouseButton.LeftButton, pos=at)

    def test_eye_and_lock(self, window: MainWindow, qtbot: QtBot) -> None:
        document = window.document
        document.select(["book"])
        self.mark(window, qtbot, 0, "hidden")
        self.mark(window, qtbot, 2, "locked")
        assert (document.hidden, document.locked) == ({"mug"}, {"book"})
        assert document.selection == ("book",)
        assert not window.inspector.fields["position"][0].isEnabled()
        said = Qt.ItemDataRole.AccessibleTextRole
        assert window.outliner.list.item(0).data(said) == "mug, hidden"
        self.mark(window, qtbot, 0, "hidden")
        self.mark(window, qtbot, 2, "locked")
        assert not document.hidden | document.locked
        assert window.inspector.fields["position"][0].isEnabled()
        assert document.undo_stack.count() == 0

    def test_the_mark_of_one_is_the_mark_of_all_selected(
        self, window: MainWindow, qtbot: QtBot
    ) -> None:
        window.document.select(["mug", "book"])
        self.mark(window, qtbot, 0, "locked")
        assert window.document.locked == {"mug", "book"}


class TestGenerationPanel:
    @pytest.fixture(autouse=True)
    def _by_hand(self, window: MainWindow, scene: Scene) -> None:
        """Neural settings, but nothing that loads weights."""
        window.actions_by_id["automatic"].trigger()
        window.document.set_scene(scene.with_settings(decoder="neural"))

    def test_settings_are_edits_of_the_scene(self, window: MainWindow, qtbot: QtBot) -> None:
        panel, document = window.generation, window.document
        panel.seed.setText(str(2**63 - 1))
        qtbot.keyClick(panel.seed, Qt.Key.Key_Return)
        type_number(qtbot, panel.steps, "12")
        type_number(qtbot, panel.guidance, "3.5")
        panel.checkpoint.setText("/some/folder")
        qtbot.keyClick(panel.checkpoint, Qt.Key.Key_Return)
        settings = document.scene.settings
        assert (settings.seed, settings.steps, settings.guidance, settings.checkpoint) == (
            2**63 - 1, 12, 3.5, "/some/folder",
        )
        assert document.undo_stack.count() == 4
        document.undo_stack.undo()
        assert panel.checkpoint.text() == "default"

    def test_seed_out_of_range_becomes_the_largest(
        self, window: MainWindow, qtbot: QtBot
    ) -> None:
        window.generation.seed.setText("9999999999999999999")
        qtbot.keyClick(window.generation.seed, Qt.Key.Key_Return)
        assert window.document.scene.settings.seed == 2**63 - 1

    def test_decoder(self, window: MainWindow, qtbot: QtBot) -> None:
        panel = window.generation
        panel.decoder.setFocus()
        qtbot.keyClick(panel.decoder, Qt.Key.Key_Down)
        assert window.document.scene.settings.decoder == "proxy"
        assert not panel.steps.isEnabled()
        with qtbot.waitSignal(window.pictures.generator.finished):
            qtbot.mouseClick(panel.generate, Qt.MouseButton.LeftButton)
        assert window.actions_by_id["export"].isEnabled()


class TestCamera:
    def test_numbers_are_the_cameras(self, window: MainWindow, scene: Scene) -> None:
        shown = [field.value() for field in window.camera.position.fields]
        assert shown == pytest.approx(scene.camera.position, abs=1e-3)

    def test_a_typed_number_moves_it(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        type_number(qtbot, window.camera.position.fields[2], str(scene.camera.position[2] + 0.5))
        moved = window.document.scene.camera.position - scene.camera.position
        assert moved == pytest.approx([0.0, 0.0, 0.5], abs=1e-3)
        assert window.document.undo_stack.undoText() == "Move the camera"

    def test_it_can_be_reset(self, window: MainWindow, scene: Scene, qtbot: QtBot) -> None:
        assert not window.camera.reset.isEnabled()
        heading = window.camera.rotation.fields[0]
        type_number(qtbot, heading, str(heading.value() + 5))
        assert window.document.scene.camera != scene.camera
        assert window.camera.reset.isEnabled()
        window.camera.reset.click()
        assert window.document.scene.camera == scene.camera
        window.document.undo_stack.undo()
        assert window.document.scene.camera != scene.camera

    def test_boxes_are_projected_anew(self, window: MainWindow, qtbot: QtBot) -> None:
        box = window.document.scene.object("mug").box
        before = window.viewport.screen_camera().project(box.to_world(np.zeros(3)))
        tilt = window.camera.rotation.fields[1]
        type_number(qtbot, tilt, str(tilt.value() + 3))
        after = window.viewport.screen_camera().project(box.to_world(np.zeros(3)))
        # Looking up, everything sinks.
        assert after[1] > before[1] + 5
