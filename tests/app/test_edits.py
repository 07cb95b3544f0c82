"""Commands on the selection."""

from __future__ import annotations

import numpy as np
import pytest

from app.document import Document
from app.edits import EditCommands
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene


@pytest.fixture
def document(scene: Scene, qapp: object) -> Document:
    document = Document()
    document.set_scene(scene)
    return document


@pytest.fixture
def edits(document: Document) -> EditCommands:
    return EditCommands(document)


def test_next_and_previous_go_round_and_leave_out_what_cannot_be_picked(
    document: Document, edits: EditCommands
) -> None:
    edits.select_previous()
    assert document.selection == ("book",)
    document.select(())
    seen = []
    for _ in range(4):
        edits.select_next()
        seen.append(document.selection[0])
    assert seen == ["mug", "kettle", "book", "mug"]
    document.set_locked(["kettle"], True)
    edits.select_next()
    assert document.selection == ("book",)
    edits.select_all()
    assert document.selection == ("mug", "book")
    edits.select_none()
    assert document.selection == ()


def test_drop_to_the_ground_is_one_entry(document: Document, edits: EditCommands) -> None:
    lifted = document.scene
    for name, height in (("mug", 0.7), ("book", -0.4)):
        lifted = lifted.with_box(name, lifted.object(name).box.translated((0.0, 0.0, height)))
    document.set_scene(lifted)
    document.select(["mug", "book"])
    edits.drop_to_ground()
    for name in ("mug", "book"):
        corners = document.scene.object(name).box.corners()
        assert corners[:, 2].min() == pytest.approx(0.0, abs=1e-12)
    assert document.undo_stack.count() == 1
    edits.drop_to_ground()
    assert document.undo_stack.count() <= 2


def test_hide_and_lock_make_no_entries(document: Document, edits: EditCommands) -> None:
    document.select(["mug"])
    edits.hide()
    assert document.hidden == {"mug"}
    document.select(["book"])
    edits.lock()
    with pytest.raises(UserError, match="book cannot be edited"):
        edits.delete()
    edits.show_all()
    edits.unlock_all()
    assert not document.hidden | document.locked
    assert document.undo_stack.count() == 0
    assert document.selection == ("book",)


def test_objects_are_pasted_into_another_scene(
    document: Document, edits: EditCommands, scene: Scene
) -> None:
    with pytest.raises(UserError, match="Nothing was copied"):
        edits.paste()
    document.select(["mug", "book"])
    edits.copy()
    other = scene.without("mug")
    document.set_scene(other)
    edits.paste()
    assert [item.name for item in document.scene.objects] == ["kettle", "book", "mug", "book 2"]
    assert document.selection == ("mug", "book 2")
    assert document.undo_stack.count() == 1
    # One of them stood just there: they keep their places to one another beside it.
    old, new = (s.object("book").box.center for s in (scene, document.scene))
    assert old == new
    shift = [
        np.subtract(document.scene.object(to).box.center, scene.object(of).box.center)
        for of, to in (("mug", "mug"), ("book", "book 2"))
    ]
    np.testing.assert_allclose(shift[0], shift[1], atol=1e-9)
    assert np.linalg.norm(shift[0]) > 0.1


def test_isolating_leaves_the_selected_objects_alone(
    document: Document, edits: EditCommands
) -> None:
    document.select(["mug", "kettle"])
    edits.isolate()
    assert [item.name for item in document.scene.objects] == ["mug", "kettle"]
    assert document.scene.background.occluders == ()
    document.undo_stack.undo()
    assert len(document.scene.objects) == 3
