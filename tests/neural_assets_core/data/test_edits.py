"""Edits with their ground truth: the request asks for exactly what the target shows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neural_assets_core.data.dataset import AnnotatedFrame, ObjectAnnotation
from neural_assets_core.data.edits import (
    SMALLEST_AREA,
    TASKS,
    Edit,
    changed,
    edit_between,
    make_edit,
    stepped_back,
    turned,
)
from neural_assets_core.data.families import SEEN, UNSEEN
from neural_assets_core.data.frames import scene_from_frame
from neural_assets_core.data.made_scenes import plan_clip
from neural_assets_core.errors import UserError

SIZE = 64


@pytest.fixture(scope="module")
def edits() -> dict[str, list[Edit]]:
    return {task: [make_edit(3, k, task, SIZE, SEEN) for k in range(2)] for task in TASKS}


def item(frame: AnnotatedFrame, number: int) -> ObjectAnnotation:
    return next(found for found in frame.objects if found.id == number)


def test_the_same_arguments_give_the_same_edit(edits: dict[str, list[Edit]]) -> None:
    again, other = (make_edit(3, k, "turn", SIZE, SEEN) for k in (1, 0))
    first = edits["turn"][1]

    assert again.scene == first.scene
    assert np.array_equal(again.target.image, first.target.image)
    assert not np.array_equal(other.source.image, first.source.image)


@pytest.mark.parametrize("task", TASKS)
def test_the_request_has_the_poses_of_the_truth(edits: dict[str, list[Edit]], task: str) -> None:
    for edit in edits[task]:
        assert edit.task == task
        assert task in edit.name
        assert edit.scene.camera == edit.target.camera
        wanted = {found.name: found.box for found in edit.target.objects}
        assert {placed.name: placed.box for placed in edit.scene.objects} == wanted


@pytest.mark.parametrize("task", TASKS)
def test_what_was_edited_can_be_seen(edits: dict[str, list[Edit]], task: str) -> None:
    for edit in edits[task]:
        frames = {"remove": [edit.source], "insert": [edit.target], "replace": [edit.target]}
        for frame in frames.get(task, [edit.source, edit.target]):
            for number in edit.edited:
                assert (frame.mask == number).mean() >= SMALLEST_AREA
        assert edit.edited


@pytest.mark.parametrize("task", ["translate", "turn", "scale", "remove", "insert"])
def test_nothing_else_changes(edits: dict[str, list[Edit]], task: str) -> None:
    for edit in edits[task]:
        ids = [{found.id for found in f.objects} for f in (edit.source, edit.target)]
        assert edit.source.camera == edit.target.camera
        for number in (ids[0] & ids[1]) - set(edit.edited):
            assert item(edit.source, number).box == item(edit.target, number).box
        # Pixels that show background in both and lie far from the object keep their colour.
        same = (edit.source.mask == edit.target.mask) & (edit.source.mask == 0)
        gap = np.abs(edit.source.image.astype(int) - edit.target.image).max(axis=2)
        assert (gap[same] <= 2).mean() > 0.7


def test_moves_keep_the_pose_and_turns_the_place(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["translate"]:
        before, after = (item(f, edit.edited[0]).box for f in (edit.source, edit.target))
        assert (after.size, after.rotation) == (before.size, before.rotation)
        assert after.center[2] == before.center[2]
        assert math.dist(after.center, before.center) > 0.02
    for edit in edits["turn"]:
        before, after = (item(f, edit.edited[0]).box for f in (edit.source, edit.target))
        assert after.center == pytest.approx(before.center)
        assert after.size == before.size
        turn = after.rotation_matrix() @ before.rotation_matrix().T
        assert turn[2, 2] == pytest.approx(1)
        assert math.acos(turn[0, 0].clip(-1, 1)) > math.radians(14)
    for edit in edits["scale"]:
        before, after = (item(f, edit.edited[0]).box for f in (edit.source, edit.target))
        factor = after.size[0] / before.size[0]
        assert after.corners() == pytest.approx(before.scaled(factor).corners())
        assert abs(math.log(factor)) > 0.1


def test_some_moves_end_touching_a_neighbour() -> None:
    gaps = []
    for k in range(6):
        edit = make_edit(8, k, "translate", 48, SEEN)
        moved = item(edit.target, edit.edited[0]).box
        for found in edit.target.objects:
            if found.id not in edit.edited:
                # Distance of the other's corners and centre in the moved box's frame.
                points = np.vstack([found.box.corners(), found.box.center])
                gaps.append(np.abs(moved.to_local(points))[:, :2].max(axis=1).min())
    assert min(gaps) < 1.25


def test_a_removed_object_is_gone_and_an_inserted_one_is_new(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["remove"]:
        gone = edit.edited[0]
        assert gone not in {found.id for found in edit.target.objects}
        assert not (edit.target.mask == gone).any()
        assert len(edit.scene.background.occluders) == len(edit.source.objects)
    for edit in edits["insert"]:
        new = edit.edited[0]
        assert new not in {found.id for found in edit.source.objects}
        placed = edit.scene.object(item(edit.target, new).name)
        assert placed.appearance.view != edit.scene.background.view
        assert placed.appearance.box.size == placed.box.size
        assert placed.appearance.mask is not None
        assert placed.appearance.mask.pixels.any()


def test_a_replaced_object_hands_on_its_place(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["replace"]:
        new = item(edit.target, edit.edited[0])
        (gone,) = {found.id for found in edit.source.objects} - {
            found.id for found in edit.target.objects
        }
        old = item(edit.source, gone).box
        assert new.box.base_center() == pytest.approx(old.base_center())
        assert new.box.rotation == old.rotation
        assert edit.scene.object(new.name).appearance.view != edit.scene.background.view
        assert len(edit.scene.objects) == len(edit.source.objects)


def test_a_background_is_another_pictures(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["background"]:
        view = edit.scene.background.view
        assert view.camera == edit.target.camera
        assert not np.array_equal(view.picture.pixels, edit.source.image)
        looks = [placed.appearance for placed in scene_from_frame(edit.source).objects]
        assert [placed.appearance for placed in edit.scene.objects] == looks
        # Where neither picture has an object, the truth looks like the background's picture.
        free = edit.target.mask == 0
        for occluder in edit.scene.background.occluders:
            assert occluder.mask is not None
            free &= occluder.mask.pixels == 0
        gap = np.abs(view.picture.pixels.astype(int) - edit.target.image).max(axis=2)
        assert (gap[free] <= 2).mean() > 0.6


def test_a_camera_edit_moves_only_the_camera(edits: dict[str, list[Edit]]) -> None:
    for edit in edits["camera"]:
        assert edit.source.camera != edit.target.camera
        assert [f.box for f in edit.source.objects] == [f.box for f in edit.target.objects]


def test_from_further_away_objects_are_smaller() -> None:
    near, far = (make_edit(3, 0, "scale", SIZE, SEEN, distance=d) for d in (1.0, 3.0))
    shares = [(edit.target.mask > 0).mean() for edit in (near, far)]
    assert shares[1] < 0.5 * shares[0]
    plan = plan_clip(5, "heldout", 0, 1)
    back, middle = stepped_back(plan, 3.0), plan.positions[0]
    depths = [np.median(p.cameras[0].to_camera(middle)[:, 2]) for p in (plan, back)]
    assert depths[1] == pytest.approx(3 * depths[0])
    assert back.cameras[0].forward == pytest.approx(plan.cameras[0].forward)


def test_an_edit_between_two_plans_asks_for_the_second() -> None:
    plan = plan_clip(5, "heldout", 0, 1)
    target = changed(plan, 0, rotation=turned(plan, 0, math.pi / 3), item=plan.objects[0].scaled(2))
    edit = edit_between("my own", "a", plan, target, (1,), SIZE)
    before, after = (item(f, 1).box for f in (edit.source, edit.target))
    assert (edit.task, edit.edited) == ("my own", (1,))
    assert after.size == pytest.approx(2 * np.array(before.size))
    turn = after.rotation_matrix() @ before.rotation_matrix().T
    assert math.acos(turn[0, 0]) == pytest.approx(math.pi / 3)
    assert [placed.box for placed in edit.scene.objects] == [f.box for f in edit.target.objects]


def test_families_are_those_asked_for() -> None:
    edit = make_edit(1, 0, "camera", 48, UNSEEN[:2])

    assert {found.category for found in edit.source.objects} <= set(UNSEEN[:2])


def test_impossible_wishes_are_told() -> None:
    with pytest.raises(UserError, match="There is no task 'paint'; use one of translate"):
        make_edit(0, 0, "paint", 48, SEEN)
    with pytest.raises(UserError, match="There is no split 'test'"):
        make_edit(0, 0, "turn", 48, SEEN, "test")
    with pytest.raises(UserError, match="kept for the benchmark"):
        make_edit(0, 0, "turn", 48, UNSEEN, "train")
