"""The measurement of calibration and drawing, on a few views."""

from __future__ import annotations

import numpy as np
import pytest

from neural_assets_core.evaluation.calibration import (
    FOCAL,
    IOU,
    TRUE_CAMERA,
    TURN,
    WAYS,
    found_camera,
    iou,
    made_view,
    measure,
    table,
)
from neural_assets_core.geometry import Box


def test_a_few_views_are_found_about_as_exactly_as_all() -> None:
    figures = measure(views=12, seed=5)
    best = figures[WAYS[0].name]
    assert np.median(best[FOCAL]) < 4.0
    assert np.median(best[TURN]) < 1.5
    assert np.median(figures[TRUE_CAMERA][IOU]) > 0.85
    assert len(best[IOU]) == len(figures[TRUE_CAMERA][IOU]) == 36
    printed = table(figures)
    assert f"| {WAYS[0].name} |" in printed
    assert "nan" not in printed


def test_the_same_seed_makes_the_same_view() -> None:
    one, other = (made_view(np.random.default_rng(3)) for _ in range(2))
    assert one == other
    assert found_camera(one, WAYS[0]) == found_camera(other, WAYS[0])


def test_shared_space_of_boxes() -> None:
    box = Box(center=(1.0, 2.0, 0.5), size=(1.0, 2.0, 1.0))
    assert iou(box, box, np.eye(4)) == pytest.approx(1.0)
    half = box.translated((0.5, 0.0, 0.0))
    assert iou(box, half, np.eye(4)) == pytest.approx(1 / 3, abs=0.05)
    shift = np.eye(4)
    shift[0, 3] = 0.5
    assert iou(box, half, shift) == pytest.approx(1.0)
    assert iou(box, box.translated((9.0, 0.0, 0.0)), np.eye(4)) == 0.0
