"""The suite beyond likeness: every measure is best for the truth, and bad where it must be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from neural_assets_core.data.families import make_object
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.beyond.chart import (
    HEIGHT,
    LEGEND,
    WIDTH,
    Panel,
    draw_chart,
    ticks,
)
from neural_assets_core.evaluation.beyond.measures import Row, measure, turned_by
from neural_assets_core.evaluation.beyond.page import draw_sheets, write_page
from neural_assets_core.evaluation.beyond.run import evaluate_beyond
from neural_assets_core.evaluation.beyond.suite import EACH, open_suite, slots
from neural_assets_core.evaluation.beyond.summary import (
    ALL,
    MEASURES,
    BeyondReport,
    by_angle,
    records,
    summarise,
)
from neural_assets_core.evaluation.beyond.synthesis import heading_error, swapped
from neural_assets_core.evaluation.beyond.trials import (
    MOST,
    TASKS,
    Trial,
    is_telling,
    make_trial,
    mirrored,
)
from neural_assets_core.evaluation.intervals import Figure
from neural_assets_core.evaluation.judge import JUDGE, Judge
from neural_assets_core.evaluation.methods import Method
from neural_assets_core.evaluation.metrics import Image as Pixels
from neural_assets_core.evaluation.sheet import HEAD, MARGIN, SIDE
from neural_assets_core.model.build import ModelConfig, build_pipeline

SIZE = 64
PASS = 5
"""Of the first trials each task has one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the suite lies, once it was asked for."""
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def trials(folder: Path) -> dict[str, Trial]:
    """One trial of each task, rendered and read again."""
    suite = open_suite(folder / f"beyond-{SIZE}", SIZE, PASS)
    return {trial.task: trial for trial in suite}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load(JUDGE)


def answered(trials: list[Trial], judge: Judge, **ways: Callable[[Case], Pixels]) -> list[Row]:
    return measure(trials, [Method(name, name, way) for name, way in ways.items()], judge)


def truth(case: Case) -> Pixels:
    return case.target.image


def source(case: Case) -> Pixels:
    return case.source.image


def test_a_wrong_heading_is_off_by_its_angle(trials: dict[str, Trial], judge: Judge) -> None:
    trial = trials["pose"]
    wrong = int(np.argmin(np.abs(np.array(trial.angles) - 90)))
    right, off = answered([trial], judge, right=truth, off=lambda case: trial.others[wrong].image)
    assert right.figures["orientation_error"] < 5
    assert right.figures["oriented"] == 100
    assert off.figures["orientation_error"] == pytest.approx(trial.angles[wrong], abs=1)
    assert off.figures["oriented"] == 0
    assert 15 <= right.angle == turned_by(trial.cases()[0]) <= 180


def test_the_heading_is_found_between_views() -> None:
    angles = [float(a) for a in range(-180, 180, 15)]
    found = np.sqrt(np.array([(a - 22) ** 2 + 9 for a in angles]))
    assert heading_error(found, angles) == pytest.approx(22)


def test_the_pose_figures_fall_with_what_they_measure(
    trials: dict[str, Trial], judge: Judge
) -> None:
    trial = trials["pose"]

    def lighter(case: Case) -> Pixels:
        return np.clip(case.target.image.astype(int) + 10, 0, 255).astype(np.uint8)

    right, still, light = answered([trial], judge, right=truth, still=source, light=lighter)
    for name, worse in (("silhouette_iou", -1), ("centroid_error", 1), ("size_error", 1)):
        assert worse * still.figures[name] > worse * right.figures[name]
    assert right.figures["background_error"] < 0.5
    assert light.figures["background_pixels"] > 90
    assert light.figures["background_error"] == pytest.approx(100 * 10 / 255, rel=0.2)


def test_other_objects_are_left_alone_or_not(trials: dict[str, Trial], judge: Judge) -> None:
    both = trials["collision"]
    # As if only one of the two had been asked for.
    trial = replace(both, task="pose", edited=both.edited[:1], others=both.targets, angles=(0.0,))

    def spoilt(case: Case) -> Pixels:
        out = case.target.image.copy()
        out[~np.isin(case.target.mask, (0, *case.edited))] = 0
        return out

    right, bad = answered([trial], judge, right=truth, bad=spoilt)
    assert right.figures["others_error"] < 0.5
    assert bad.figures["others_error"] > 5
    assert bad.figures["background_error"] == right.figures["background_error"]


def test_a_turn_is_judged_at_every_angle(trials: dict[str, Trial], judge: Judge) -> None:
    whole = trials["turn"]
    trial = replace(whole, targets=whole.targets[::2], angles=whole.angles[::2])
    pictures = [target.image for target in trial.targets]
    backwards, drifting = iter(pictures[::-1]), iter([*pictures[:-1], pictures[1]])
    rows = answered(
        [trial],
        judge,
        right=truth,
        still=source,
        back=lambda case: next(backwards),
        drift=lambda case: next(drifting),
    )
    found = summarise(rows)["turn"]

    def mean(method: str, figure: str) -> float:
        return found[figure][method][ALL].mean

    assert mean("right", "orientation_error") < 15
    # A picture that stands still is off by 60, 120, 180 ... degrees; one that turns back by 120,
    # 120, 0 ...
    assert mean("still", "orientation_error") == pytest.approx(108, abs=15)
    assert mean("back", "orientation_error") == pytest.approx(96, abs=15)
    assert mean("right", "similarity") == pytest.approx(1)
    assert mean("right", "closing") == mean("still", "closing") == mean("still", "flicker") == 0
    assert mean("drift", "closing") > 5
    assert mean("right", "flicker") > 1
    # There is nobody else to take it for.
    assert not found["identity"]["right"]


def test_one_thing_is_told_from_another(trials: dict[str, Trial], judge: Judge) -> None:
    whole = trials["turn"]
    one = replace(whole, targets=whole.targets[::6], angles=whole.angles[::6])
    painted = [replace(f, image=np.ascontiguousarray(255 - f.image)) for f in one.targets]
    other = replace(one, name="other", targets=painted)
    rows = answered([one, other], judge, right=truth, wrong=lambda case: 255 - truth(case))
    named = {row.method: row.figures["identity"] for row in rows if row.angle == 180}
    assert named == {"right": 100, "wrong": 0}


def test_unrotated_and_mirrored_far_sides_are_told(trials: dict[str, Trial], judge: Judge) -> None:
    flip = trials["flip"]
    still, image = flip.others[0], np.ascontiguousarray(255 - flip.targets[0].image)
    trial = replace(flip, others=[still, replace(flip.targets[0], image=image)])
    right, unrotated, reverse = answered(
        [trial],
        judge,
        right=truth,
        still=lambda case: still.image,
        mirror=lambda case: image,
    )
    assert right.figures == {"flipped": 100, "unrotated": 0, "mirrored": 0}
    assert (unrotated.figures["flipped"], unrotated.figures["unrotated"]) == (0, 100)
    assert (reverse.figures["flipped"], reverse.figures["mirrored"]) == (0, 100)


def test_mirror_images_have_their_surfaces_outside() -> None:
    item = make_object("mug", np.random.default_rng(1), 0.3)
    for part, other in zip(item.parts, mirrored(item).parts, strict=True):
        assert np.array_equal(other.vertices * (1, -1, 1), part.vertices)
        a, b, c = (other.vertices[other.faces[:, k]] for k in range(3))
        facing = np.einsum("ij,ij->i", np.cross(b - a, c - a), other.normals[other.faces[:, 0]])
        assert (facing > -1e-9).mean() > 0.98


def test_the_wrong_order_and_lost_objects_are_told(trials: dict[str, Trial], judge: Judge) -> None:
    trial = trials["collision"]
    args = trial.targets[0], trial.others, trial.edited
    right, wrong, lost = answered(
        [trial],
        judge,
        right=truth,
        wrong=lambda case: swapped(*args).astype(np.uint8),
        lost=lambda case: trial.others[0].image,
    )
    assert right.figures["in_order"] == 100
    assert wrong.figures["in_order"] == 0
    assert (right.figures["both_there"], lost.figures["both_there"]) == (100, 0)


def test_copies_are_counted(judge: Judge) -> None:
    # In smaller pictures they are too small for the judge.
    right, still = answered([make_trial("count", 3, 0, 128)], judge, right=truth, still=source)
    assert right.figures == {"counted": 100, "all_there": 100}
    assert still.figures == {"counted": pytest.approx(100 / 3), "all_there": 0}


def test_what_looks_alike_from_two_sides_is_not_asked(trials: dict[str, Trial]) -> None:
    trial = trials["pose"]
    assert is_telling(trial)
    alike = replace(trial, others=[trial.targets[0]] * len(trial.others))
    assert not is_telling(alike)
    flip = trials["flip"]
    assert not is_telling(replace(flip, others=[flip.targets[0], flip.others[1]]))
    assert not is_telling(replace(flip, others=[flip.others[0], flip.targets[0]]), handed=True)


def test_any_first_part_of_the_suite_is_a_fair_sample() -> None:
    found = slots()
    assert (
        len(found)
        == len(set(found))
        == sum(each * (MOST + 1 - TASKS[task]) for task, each in EACH.items())
    )
    assert [task for task, _, _ in found[:PASS]].count("turn") == 1
    half = found[: len(found) // 2]
    for task, each in EACH.items():
        assert sum(slot[0] == task for slot in half) * 2 == each * (MOST + 1 - TASKS[task])


def test_a_suite_is_made_once(trials: dict[str, Trial], folder: Path) -> None:
    told: list[tuple[int, int]] = []
    open_suite(folder / f"beyond-{SIZE}", SIZE, 2, lambda *numbers: told.append(numbers))
    assert told == []
    for trial in trials.values():
        asked = {item.box for item in trial.cases()[-1].scene.objects}
        assert asked == {item.box for item in trial.targets[-1].objects}
    with pytest.raises(UserError, match="another suite"):
        open_suite(folder / f"beyond-{SIZE}", 2 * SIZE, 1)


def test_the_pictures_of_a_turn_are_one_case() -> None:
    def row(case: str, angle: float, error: float, objects: int = 1) -> Row:
        return Row("a", case, "turn", "seen", "", objects, angle, 1.0, {"orientation_error": error})

    rows = [row("x", 0, 99), *(row("x", 30 * k, 10) for k in range(1, 12)), row("y", 30, 20, 3)]
    found = summarise(rows)["turn"]["orientation_error"]["a"]
    assert (found[ALL].mean, found[ALL].cases) == (15, 2)
    assert (found["1"].mean, found["3"].mean) == (10, 20)
    flat = records(rows)
    assert len({tuple(record) for record in flat}) == 1
    assert {"method", "case", "task", "objects", "angle", "orientation_error"} <= flat[0].keys()
    assert flat[0]["flipped"] is None


def test_charts_have_a_panel_for_each_measure(tmp_path: Path) -> None:
    line = [Figure(value, value - 1, value + 1, 5) for value in (2.0, 8.0)]
    panels = [
        Panel(str(k), k in "wx", "objects", [1.0, 8.0], {"a": line, "b": [None, line[0]]})
        for k in "wxyz"
    ]
    draw_chart(panels, {"a": "#ff0000", "b": "#0000ff"}, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as chart:
        assert chart.size == (3 * WIDTH, LEGEND + 2 * HEIGHT)
        pixels = np.array(chart).reshape(-1, 3)
        assert (pixels == (255, 0, 0)).all(axis=1).any()
    assert ticks(0, 97) == [0, 20, 40, 60, 80, 100]
    assert ticks(0, 0.83) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_checkpoint_gets_its_page(
    trials: dict[str, Trial], folder: Path, tiny_model: ModelConfig
) -> None:
    torch.manual_seed(0)
    checkpoint, out = folder / "checkpoint", folder / "run"
    build_pipeline(tiny_model).save_pretrained(str(checkpoint))
    told: list[tuple[str, int, int]] = []
    count = 2
    report = evaluate_beyond(
        str(checkpoint), pairs=count, size=SIZE, out=out,
        progress=lambda *numbers: told.append(numbers),
    )  # fmt: skip
    assert told[-1] == ("evaluating", count, count)
    assert report.figures.keys() == {"pose", "flip"}
    assert json.loads((out / "figures.json").read_text()) == report.to_json()
    page, tables = ((out / name).read_text() for name in ("README.md", "tables.md"))
    for task in report.figures:
        assert f"({task}.png)" in page
        assert (out / f"{task}.png").exists()
        assert (out / f"{task}.jpg").exists()
        assert all(column.label in tables for column in MEASURES[task])
    rows = pyarrow.parquet.read_table(out / "cases.parquet").to_pylist()
    assert len(rows) == len(report.labels) * count
    assert report.figures["flip"]["flipped"]["truth"][ALL].mean == 100


def test_a_place_that_cannot_be_written_is_said_first(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("")
    with pytest.raises(UserError, match="Cannot make the folder"):
        evaluate_beyond("default", out=tmp_path / "page")
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_turn_has_its_charts_and_strips(
    trials: dict[str, Trial], folder: Path, judge: Judge, tmp_path: Path
) -> None:
    way = Method("neural", "this checkpoint", truth)
    rows = measure([trials["turn"]], [way], judge)
    about = {"checkpoint": "x", "suite": 1, "trials": 1, "size": SIZE, "steps": 1}
    report = BeyondReport(
        **about, guidance=1.0, seconds=1.0, labels={way.name: way.label},
        figures=summarise(rows), curves=by_angle(rows),
    )  # fmt: skip
    write_page(report, 30.0, tmp_path)
    draw_sheets(open_suite(folder / f"beyond-{SIZE}", SIZE, PASS), rows, [way], tmp_path)
    assert "turn-angles.png" in (tmp_path / "README.md").read_text()
    for name in ("turn.png", "turn-angles.png"):
        assert (tmp_path / name).exists()
    with Image.open(tmp_path / "turn.jpg") as strip:
        # The truth's row and the method's, thirteen pictures each.
        assert strip.size == (MARGIN + 13 * SIDE, HEAD + 2 * SIDE)
