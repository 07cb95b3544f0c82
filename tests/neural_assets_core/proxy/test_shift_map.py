"""Holes filled with what repeats itself around them."""

import numpy as np
import pytest

from neural_assets_core.evaluation.metrics import psnr
from neural_assets_core.geometry import Camera
from neural_assets_core.proxy import fill_shifted, fill_smoothly
from neural_assets_core.proxy.shifts import ground_at

SIZE = 160
CAMERA = Camera.looking_at((0.0, -3.0, 2.2), (0.0, 0.0, 0.2), SIZE, SIZE, 0.9)


def tiled(camera: Camera) -> np.ndarray:
    """A floor of tiles of 0.4 m, turned a little."""
    ground = ground_at(camera, camera.pixel_centers())
    turned = ground @ np.array([[0.9, -0.43], [0.43, 0.9]])
    even = np.floor(np.nan_to_num(turned) / 0.4).sum(axis=-1) % 2 == 0
    floor = np.where(even[..., None], [200, 190, 170], [90, 60, 50])
    sky = np.isnan(ground[..., :1])
    return np.where(sky, [120, 150, 210], floor).astype(np.uint8)


def disc(row: int, column: int, radius: int) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def test_tiles_go_on_in_perspective_behind_what_left():
    truth, hole = tiled(CAMERA), disc(95, 80, 22)
    picture = np.where(hole[..., None], np.uint8(255), truth)
    filled = fill_shifted(picture, hole, ~hole, CAMERA)
    smooth = fill_smoothly(picture, hole, ~hole, CAMERA, ~hole)
    assert psnr(filled[hole], truth[hole]) > psnr(smooth[hole], truth[hole]) + 6
    assert psnr(filled[hole], truth[hole]) > 16


def test_what_is_far_from_the_hole_stays_and_the_same_is_made_again():
    truth, hole = tiled(CAMERA), disc(95, 80, 20)
    filled = fill_shifted(truth, hole, ~hole, CAMERA)
    assert np.array_equal(filled[~disc(95, 80, 26)], truth[~disc(95, 80, 26)])
    assert np.array_equal(filled, fill_shifted(truth, hole, ~hole, CAMERA))


def test_what_shows_objects_or_lies_in_shadow_is_not_copied():
    picture, hole = tiled(CAMERA), disc(95, 60, 16)
    red, green = disc(95, 100, 16), disc(140, 60, 16)
    picture[red], picture[green] = [255, 0, 0], [0, 255, 0]
    filled = fill_shifted(picture, hole, ~(hole | red), CAMERA, ~green)
    inside = filled[hole].astype(int)
    assert (inside[:, 0] - inside[:, 2]).max() < 120
    assert (inside[:, 1] - inside[:, 0]).max() < 40


def test_a_wall_goes_on_sideways():
    # Looking up: no ground to be seen.
    camera = Camera.looking_at((0.0, 0.0, 1.0), (0.0, 3.0, 3.0), SIZE, SIZE, 0.6)
    rows = np.arange(SIZE)[:, None]
    truth = np.repeat(np.where(rows % 16 < 3, 60, 180)[..., None], SIZE, axis=1).repeat(3, axis=-1)
    truth, hole = truth.astype(np.uint8), disc(80, 80, 20)
    filled = fill_shifted(np.where(hole[..., None], np.uint8(0), truth), hole, ~hole, camera)
    assert psnr(filled[hole], truth[hole]) > 24


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 40)])
def test_the_smallest_pictures_are_filled(size: tuple[int, int]):
    height, width = size
    camera = CAMERA.resized(width, height)
    picture = np.full((height, width, 3), 77, dtype=np.uint8)
    hole = np.zeros(size, dtype=bool)
    hole[0, 0] = True
    filled = fill_shifted(picture, hole, ~hole, camera)
    assert filled.shape == picture.shape
    assert np.array_equal(fill_shifted(picture, ~hole & hole, ~hole, camera), picture)
    # Nothing known at all: grey, and no fault.
    assert fill_shifted(picture, np.ones(size, bool), np.zeros(size, bool), camera).shape == (
        picture.shape
    )
