"""Figures and intervals on a painted pair."""

from __future__ import annotations

import numpy as np
import pytest

from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.judge import Reading
from neural_assets_core.evaluation.report import gains_over, interval, summarise, targets_of
from neural_assets_core.evaluation.scores import METRICS, background_change, pose_scores, untouched
from neural_assets_core.evaluation.sheet import best_median_worst
from neural_assets_core.geometry import Box, Camera
from tests.neural_assets_core.evaluation.test_run import frame


@pytest.fixture
def case(camera: Camera, boxes: list[Box]) -> Case:
    source = frame(camera, boxes)
    target = frame(camera, [boxes[0].translated((0.1, -0.2, 0)), boxes[1]])
    return Case("a", "seen", "translate", scene_from_pair(source, target), source, target, (1,))


def read(silhouette: np.ndarray) -> list[Reading]:
    return [Reading(silhouette, np.ones(4, np.float32))]


def test_the_true_silhouette_has_no_error(case: Case) -> None:
    figures = pose_scores(case, read(case.target.mask == 1))
    assert figures["silhouette_iou"] == 1
    assert figures["centroid_error"] == figures["size_error"] == 0


def test_a_shifted_silhouette_is_off_by_its_shift(case: Case) -> None:
    side = case.target.mask.shape[1]
    figures = pose_scores(case, read(np.roll(case.target.mask == 1, 3, axis=0)))
    assert figures["centroid_error"] == pytest.approx(100 * 3 / side)
    assert figures["size_error"] == 0
    assert figures["silhouette_iou"] < 1


def test_an_object_that_is_not_found_costs_all(case: Case) -> None:
    figures = pose_scores(case, read(np.zeros_like(case.target.mask, dtype=bool)))
    assert (figures["silhouette_iou"], figures["size_error"]) == (0, 100)
    assert figures["centroid_error"] > 5


def test_background_counts_only_where_nothing_was_edited(case: Case) -> None:
    assert background_change(case, case.source.image) == 0
    assert background_change(case, case.target.image) < 1
    painted = case.source.image.copy()
    painted[~untouched(case)] = 0
    assert background_change(case, painted) == 0
    lighter = np.clip(case.source.image.astype(int) + 10, 0, 255).astype(np.uint8)
    assert background_change(case, lighter) == pytest.approx(100 * 10 / 255, rel=0.05)


def test_intervals_hold_the_mean_and_shrink_with_cases() -> None:
    rng = np.random.default_rng(0)
    few, many = (interval(rng.normal(5, 1, n)) for n in (20, 500))
    assert few is not None
    assert many is not None
    assert few.low < few.mean < few.high
    assert many.high - many.low < few.high - few.low
    assert interval(np.array([np.nan])) is None


def test_gains_are_paired() -> None:
    hard = np.array([10.0, 20, 30, 15])
    rows = {
        "neural": [{"object_psnr": value + 0.5} for value in hard],
        "other": [{"object_psnr": value} for value in hard],
    }
    gain = gains_over(rows, ["other"])["other"]
    assert gain.low == gain.high == pytest.approx(0.5)


@pytest.mark.parametrize(("reads", "reached"), [(0.9, True), (0.6, None)])
def test_pose_counts_only_if_the_judge_can_read_the_truth(
    reads: float, reached: bool | None
) -> None:
    names = {"silhouette_iou": 0.8, "centroid_error": 2.0, "object_psnr": 18.0}
    rows = {name: [names] for name in ("neural", "copy", "ceiling")}
    rows["truth"] = [{**names, "silhouette_iou": reads}]
    full = {
        method: [{name: found[0].get(name, np.nan) for name in METRICS}]
        for method, found in rows.items()
    }
    targets = {t.label: t for t in targets_of(summarise(full, {"seen": [0]}), {}, [])}
    assert targets["at least 0.75: silhouette IoU"].reached is reached
    assert targets["at most 3: centroid error, %"].reached is reached
    assert targets["at least 20: PSNR inside the objects, dB"].reached is False


def test_the_sheet_has_best_median_and_worst() -> None:
    assert best_median_worst(list(range(10)), each=2) == [9, 8, 5, 4, 1, 0]
