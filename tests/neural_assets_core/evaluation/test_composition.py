"""Edits that put pictures together, their truth, and the page about them."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from neural_assets_core.data.placing import apart
from neural_assets_core.evaluation.composition import (
    COPIES,
    TASKS,
    counts,
    likeness,
    make_copies,
    page,
)
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import COPY, NEURAL

SIZE = 64


def test_copies_stand_apart_and_are_asked_for_where_the_truth_has_them() -> None:
    edit, again = make_copies(2, SIZE), make_copies(2, SIZE)
    boxes = [item.box for item in edit.target.objects]
    assert len(boxes) == len(edit.source.objects) * COPIES
    assert {item.box for item in edit.scene.objects} == set(boxes)
    assert all(apart(a.corners(), b.corners(), 0.0) for a, b in combinations(boxes, 2))
    assert len({item.appearance for item in edit.scene.objects}) == 1
    assert np.array_equal(edit.target.image, again.target.image)


def test_the_truth_is_all_right_and_doing_nothing_is_not() -> None:
    ways = {NEURAL: lambda case: case.target.image, COPY: lambda case: case.source.image}
    done: list[int] = []
    found = likeness(ways, 1, SIZE, lambda: done.append(1))
    counted, seen = counts(ways, Judge.load(JUDGE), 2, SIZE, lambda: done.append(1))
    assert len(done) == len(TASKS) + 2
    for rows in found.values():
        (right, same), (nothing, unlike) = rows[NEURAL][0], rows[COPY][0]
        assert right > nothing
        assert same > unlike
    assert all(count.found[NEURAL] == count.truth > count.found[COPY] for count in counted)
    assert np.array_equal(seen[0][1], seen[0][0].target.image)
    about = {"checkpoint": "x", "cases": 2, "size": SIZE, "steps": 1, "guidance": 1.0}
    text = page(about, found, counted)
    assert "| replace |" in text
    assert "doing nothing" in text
