"""The judge that ships: distances that grow with damage, crops that come back where they were."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.judge import JUDGE, Judge, look_at
from neural_assets_core.geometry import Box, Camera
from tests.neural_assets_core.conftest import paint


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


@pytest.fixture
def picture(camera: Camera, boxes: list[Box]) -> np.ndarray:
    return paint(camera, boxes)[0]


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "worsen",
    [
        lambda image, much: cv2.GaussianBlur(image, (0, 0), 0.6 * much),
        lambda image, much: np.roll(image, 2 * much, axis=1),
        lambda image, much: noisy(image, 8 * much),
    ],
    ids=["blur", "shift", "noise"],
)
def test_the_distance_grows_with_damage(judge: Judge, picture: np.ndarray, worsen) -> None:
    distances = [judge.distance(worsen(picture, much), picture) for much in (1, 2, 4)]
    assert 0 < distances[0] < distances[1] < distances[2]


def test_equal_pictures_are_at_no_distance(judge: Judge, picture: np.ndarray) -> None:
    assert judge.distance(picture, picture) == pytest.approx(0, abs=1e-6)


def test_what_is_cropped_comes_back_where_it_was() -> None:
    mask = np.zeros((90, 120), dtype=np.uint8)
    mask[30:55, 40:80] = 255
    look = look_at((40 / 120, 30 / 90, 80 / 120, 55 / 90), 120, 90)
    back = look.uncrop(look.crop(mask, 64).astype(np.float32), mask.shape)
    np.testing.assert_array_equal(back[32:53, 42:78] > 127, True)
    assert (back > 127).sum() == pytest.approx((mask > 0).sum(), rel=0.06)


def test_readings_have_the_size_of_the_picture(judge: Judge, picture: np.ndarray) -> None:
    readings = judge.read(picture, [(0.1, 0.4, 0.4, 0.7), (0.6, 0.4, 0.9, 0.7)])
    assert [r.silhouette.shape for r in readings] == [picture.shape[:2]] * 2
    assert np.linalg.norm(readings[0].identity) == pytest.approx(1, abs=1e-4)
    assert judge.read(picture, []) == []


def test_the_shipped_judge_is_small() -> None:
    assert sum(file.stat().st_size for file in JUDGE.iterdir()) < 4 * 2**20


def test_a_missing_judge_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train it again"):
        Judge.load(tmp_path)
