"""Holes filled with what repeats itself around them."""

import cv2
import numpy as np
import pytest

from neural_assets_core.evaluation.metrics import psnr
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.raycast import PixelRect
from neural_assets_core.proxy import fill_smoothly, fill_texture
from neural_assets_core.proxy.filling import find_filling

SIZE = 160
CAMERA = Camera.looking_at((0.0, -3.0, 2.2), (0.0, 0.0, 0.2), SIZE, SIZE, 0.9)


def tiled(camera: Camera) -> np.ndarray:
    """A floor of tiles of 0.4 m, turned a little."""
    origin, directions = camera.rays(camera.pixel_centers())
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -origin[2] / directions[..., 2]
    reach = np.where((reach > 0) & (reach < 60), reach, np.nan)
    ground = (origin + reach[..., None] * directions)[..., :2]
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
    filled = fill_texture(picture, hole, ~hole, CAMERA)
    smooth = fill_smoothly(picture, hole, ~hole, CAMERA, ~hole)
    assert psnr(filled[hole], truth[hole]) > psnr(smooth[hole], truth[hole]) + 6
    assert psnr(filled[hole], truth[hole]) > 16


def test_what_is_far_from_the_hole_stays_and_the_same_is_made_again():
    truth, hole = tiled(CAMERA), disc(95, 80, 20)
    filled = fill_texture(truth, hole, ~hole, CAMERA)
    assert np.array_equal(filled[~disc(95, 80, 26)], truth[~disc(95, 80, 26)])
    assert np.array_equal(filled, fill_texture(truth, hole, ~hole, CAMERA))


def test_what_shows_objects_or_lies_in_shadow_is_not_copied():
    picture, hole = tiled(CAMERA), disc(95, 60, 16)
    red, green = disc(95, 100, 16), disc(140, 60, 16)
    picture[red], picture[green] = [255, 0, 0], [0, 255, 0]
    filled = fill_texture(picture, hole, ~(hole | red), CAMERA, ~green)
    inside = filled[hole].astype(int)
    assert (inside[:, 0] - inside[:, 2]).max() < 120
    assert (inside[:, 1] - inside[:, 0]).max() < 40


def test_a_wall_goes_on_sideways():
    # Looking up: no ground to be seen.
    camera = Camera.looking_at((0.0, 0.0, 1.0), (0.0, 3.0, 3.0), SIZE, SIZE, 0.6)
    rows = np.arange(SIZE)[:, None]
    truth = np.repeat(np.where(rows % 16 < 3, 60, 180)[..., None], SIZE, axis=1).repeat(3, axis=-1)
    truth, hole = truth.astype(np.uint8), disc(80, 80, 20)
    filled = fill_texture(np.where(hole[..., None], np.uint8(0), truth), hole, ~hole, camera)
    assert psnr(filled[hole], truth[hole]) > 24


def test_what_never_repeats_goes_on_along_the_worlds_axes():
    origin, directions = CAMERA.rays(CAMERA.pixel_centers())
    reach = np.clip(-origin[2] / np.minimum(directions[..., 2], -1e-3), 0, 60)
    ground = origin + reach[..., None] * directions
    # Boards of many widths and colours, along x, and hardly longer than the hole.
    edges = np.sort(np.random.default_rng(3).uniform(-3, 6, 26))
    colours = np.random.default_rng(4).integers(30, 220, (27, 80, 3)).astype(np.uint8)
    length = np.floor(ground[..., 0] / 1.3 + 0.5).astype(int).clip(-40, 39)
    truth, hole = colours[np.searchsorted(edges, ground[..., 1]), length], disc(95, 80, 22)
    picture = np.where(hole[..., None], np.uint8(255), truth)
    filled = fill_texture(picture, hole, ~hole, CAMERA)
    copied = find_filling(picture, hole, ~hole, CAMERA).draw(picture, PixelRect(0, 0, SIZE, SIZE))
    assert psnr(filled[hole], truth[hole]) > psnr(copied[hole], truth[hole]) + 6
    # Streaks are no grain.
    noisy = (truth.astype(float) + np.random.default_rng(5).normal(0, 25, truth.shape)).clip(0, 255)
    noisy = noisy.astype(np.uint8)
    streaky = fill_texture(noisy, hole, ~hole, CAMERA)
    along = np.abs(np.diff(streaky.astype(int), axis=1))[hole[:, 1:]].mean()
    assert along > 0.6 * np.abs(np.diff(noisy.astype(int), axis=1))[hole[:, 1:]].mean()


def grain() -> np.ndarray:
    """Grain, and light that grows to the right."""
    light = np.linspace(90, 150, 160)[None, :, None]
    noise = np.random.default_rng(0).normal(0, 12, (120, 160, 1))
    return (light + noise * [1, 0.9, 0.8]).clip(0, 255).astype(np.uint8)


def test_holes_are_filled_with_texture():
    picture, hole = grain(), np.zeros((120, 160), bool)
    hole[40:80, 50:110] = True
    filled = fill_texture(picture, hole, ~hole)
    assert np.array_equal(filled[~hole], picture[~hole])
    # As rough as around, and as bright, where a blur would be smooth.
    assert filled[hole].std(axis=0).mean() > 0.3 * picture[~hole].std(axis=0).mean()
    for columns in (slice(50, 70), slice(90, 110)):
        near = picture[20:40, columns].mean()
        assert abs(float(filled[45:75, columns].mean()) - near) < 12
    assert np.array_equal(filled, fill_texture(picture, hole, ~hole))


def test_nothing_unusable_is_copied():
    picture, hole = grain(), np.zeros((120, 160), bool)
    hole[40:80, 50:110] = True
    picture[30:90, 112:140] = (255, 0, 255)
    usable = ~hole
    usable[30:90, 111:141] = False
    filled = fill_texture(picture, hole, usable)[hole].astype(int)
    assert (filled[:, 0] - filled[:, 1]).max() < 60


def test_copies_avoid_what_is_unusable_in_them():
    """Spots all over the picture: no copy is without one, but together they are."""
    picture, hole = grain(), np.zeros((120, 160), bool)
    hole[45:75, 65:95] = True
    spots = np.zeros_like(hole)
    for row in range(6, 120, 20):
        for column in range(6, 160, 20):
            spots[row : row + 4, column : column + 4] = True
    picture[spots & ~hole] = (255, 0, 255)
    filled = fill_texture(picture, hole, ~(hole | spots))[hole].astype(int)
    assert (filled[:, 0] - filled[:, 1]).max() < 60


def test_holes_are_filled_from_one_row_if_asked():
    picture = np.repeat(np.arange(60, 180, dtype=np.uint8)[:, None, None], 160, axis=1)
    picture = np.repeat(picture, 3, axis=2)
    hole = np.zeros((120, 160), bool)
    hole[30:90, 60:100] = True
    filling = find_filling(picture, hole, ~hole, sideways=True)
    assert all(shift[1].tolist() == [0, 1, 0] for part in filling.parts for shift in part.shifts)
    filled = filling.draw(picture, PixelRect(60, 30, 100, 90)).astype(int)
    assert np.abs(filled - picture[30:90, 60:100]).max() <= 6


def test_several_holes_are_drawn_at_any_size_in_parts():
    """Found on a small picture, drawn on a large one as a whole and in windows of it."""
    truth, hole = tiled(CAMERA), disc(95, 40, 12) | disc(110, 120, 14)
    filling = find_filling(np.where(hole[..., None], np.uint8(255), truth), hole, ~hole, CAMERA)
    assert len(filling.parts) == 2
    large = CAMERA.resized(4 * SIZE, 4 * SIZE)
    gap = cv2.resize(hole.astype(np.uint8), (4 * SIZE,) * 2, interpolation=cv2.INTER_NEAREST) > 0
    picture = np.where(gap[..., None], np.uint8(255), tiled(large))
    drawn = filling.draw(picture, PixelRect(0, 0, 4 * SIZE, 4 * SIZE))
    assert psnr(drawn[gap], tiled(large)[gap]) > 14
    assert np.array_equal(drawn[:200], picture[:200])
    window = filling.draw(picture, PixelRect(101, 301, 300, 433))
    apart = np.abs(window.astype(int) - drawn[301:433, 101:300])
    assert (apart > 1).mean() < 0.001


def test_copies_are_as_much_brighter_as_what_they_are_copied_from_should_be():
    picture, hole = grain(), np.zeros((120, 160), bool)
    hole[50:70, 70:90] = True
    lift = np.full((120, 160, 3), 0.3, dtype=np.float32)
    filling, rect = find_filling(picture, hole, ~hole), PixelRect(72, 52, 88, 68)
    darker = (picture * np.exp(-0.3)).astype(np.uint8)
    lifted = filling.lifted(lift).draw(darker, rect).astype(float)
    assert abs(lifted.mean() - filling.draw(picture, rect).mean()) < 4


def test_light_is_not_copied_with_what_it_falls_on():
    """Right around the hole the light is even, and nowhere else."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    light = 120 + 10 * np.sin(columns / 4) * np.sin(rows / 5)
    light[disc(80, 80, 34)] = 120
    picture = np.repeat(np.round(light)[..., None], 3, axis=-1).astype(np.uint8)
    hole = disc(80, 80, 28)
    filled = fill_texture(np.where(hole[..., None], np.uint8(255), picture), hole, ~hole)
    assert np.abs(filled[hole].astype(int) - 120).mean() < 2.0


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 40)])
def test_the_smallest_pictures_are_filled(size: tuple[int, int]):
    height, width = size
    camera = CAMERA.resized(width, height)
    picture = np.full((height, width, 3), 77, dtype=np.uint8)
    hole = np.zeros(size, dtype=bool)
    hole[0, 0] = True
    filled = fill_texture(picture, hole, ~hole, camera)
    assert filled.shape == picture.shape
    assert np.array_equal(fill_texture(picture, ~hole & hole, ~hole, camera), picture)
    # Nothing known at all: grey, and no fault.
    assert fill_texture(picture, np.ones(size, bool), np.zeros(size, bool), camera).shape == (
        picture.shape
    )
