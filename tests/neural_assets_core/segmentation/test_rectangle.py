"""Objects found in rectangles that were drawn around them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from neural_assets_core.calibration import (
    Photograph,
    camera_from_horizon,
    guessed_camera,
    scene_from_photograph,
)
from neural_assets_core.calibration.ground import is_guessed
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.scene import Picture, load_scene
from neural_assets_core.segmentation import object_in_rectangle, segment_rectangle
from neural_assets_core.segmentation.belonging import belonging
from neural_assets_core.segmentation.evidence import Evidence
from neural_assets_core.segmentation.outline import outlined
from neural_assets_core.segmentation.turned import turned

COFFEE = Path(__file__).parents[3] / "resources" / "photographs" / "coffee.nascene"
CUP = (172.0, 18.0, 408.0, 308.0)
Mask = np.ndarray


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def cup_on_its_saucer() -> tuple[Picture, Mask]:
    """White inside, red outside, on a red saucer from which only an edge tells it; and its mask."""
    random = np.random.default_rng(0)
    pixels = np.full((240, 320, 3), (90, 60, 40), np.uint8)
    truth = np.zeros((240, 320), np.uint8)
    cv2.ellipse(pixels, (160, 130), (140, 95), 0, 0, 360, (170, 40, 25), -1, cv2.LINE_AA)
    for image, colour in ((pixels, (140, 28, 18)), (truth, 1)):
        cv2.ellipse(image, (160, 140), (50, 34), 0, 0, 360, colour, -1)
        cv2.fillPoly(image, [np.array([[90, 70], [230, 70], [208, 150], [112, 150]])], colour)
    cv2.ellipse(truth, (160, 70), (70, 48), 0, 0, 360, 1, -1)
    cv2.ellipse(pixels, (160, 70), (70, 48), 0, 0, 360, (235, 230, 220), -1, cv2.LINE_AA)
    cv2.ellipse(pixels, (160, 78), (50, 30), 0, 0, 360, (190, 120, 40), -1, cv2.LINE_AA)
    noisy = pixels + random.normal(0, 3, pixels.shape)
    return Picture(noisy.clip(0, 255).astype(np.uint8)), truth > 0


def with_handle(picture: Picture, mask: Mask) -> tuple[Picture, Mask]:
    """The same cup with a handle at its right, of the same red, in a photograph saved as JPEG."""
    pixels, truth = picture.pixels.copy(), mask.astype(np.uint8)
    for image, colour in ((pixels, (140, 28, 18)), (truth, 1)):
        cv2.ellipse(image, (225, 122), (24, 17), 0, 0, 360, colour, -1)
    _, saved = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 70])
    return Picture(np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR), np.uint8)), truth > 0


def around(mask: Mask) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return (
        float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
    )


def test_what_has_the_colour_of_its_surroundings_belongs_to_the_object() -> None:
    picture, truth = cup_on_its_saucer()
    found = segment_rectangle(picture, around(truth)).pixels > 127
    # The white alone, which is all that has a colour of its own, is 0.7 of it.
    assert overlap(found, truth) > 0.9
    assert found[165, 160]
    assert found[78, 160]


def test_handles_belong_to_what_is_turned() -> None:
    bare, body = cup_on_its_saucer()
    picture, truth = with_handle(bare, body)
    left, top, right, bottom = around(truth)
    # A hand's rectangle, too small at one side and too large at two others.
    found = segment_rectangle(picture, (left + 3, top - 4, right + 4, bottom)).pixels > 127
    assert overlap(found, truth) > 0.93
    assert found[122, 240]


def test_a_saucer_is_not_the_cup_on_it() -> None:
    """A rim below which all goes on to the sides of the rectangle is another thing's."""
    picture, cup = cup_on_its_saucer()
    for region, there in (((48, 20, 272, 226), False), (around(cup), True)):
        left, top, right, bottom = (int(edge) for edge in region)
        inside = np.zeros_like(cup)
        inside[top:bottom, left:right] = True
        found = turned(Evidence.of(picture.pixels, inside, (False,) * 4), inside, 0.07)
        assert (found is not None) == there


def test_the_line_reaches_all_sides() -> None:
    picture, truth = cup_on_its_saucer()
    left, top, right, bottom = (int(edge) for edge in around(truth))
    inside = np.zeros_like(truth)
    inside[top:bottom, left:right] = True
    line = outlined(Evidence.of(picture.pixels, inside, (False,) * 4), inside, 0.03)
    rows, columns = np.flatnonzero(line.any(axis=1)), np.flatnonzero(line.any(axis=0))
    assert (columns[0], rows[0]) == pytest.approx((left, top), abs=6)
    assert (columns[-1] + 1, rows[-1] + 1) == pytest.approx((right, bottom), abs=6)
    assert overlap(line, truth) > 0.85


def test_what_goes_on_beyond_the_rectangle_is_something_else() -> None:
    """A grey ball before a red and a green wall, with a patch of the wall's red on it."""
    random = np.random.default_rng(0)
    pixels = np.full((200, 260, 3), (170, 40, 30), np.uint8)
    pixels[:, 150:] = (60, 120, 50)
    truth = np.zeros((200, 260), np.uint8)
    for image, colour in ((pixels, (120, 120, 125)), (truth, 1)):
        cv2.circle(image, (140, 110), 60, colour, -1)
    cv2.rectangle(pixels, (160, 75), (176, 100), (170, 40, 30), -1)
    noisy = Picture((pixels + random.normal(0, 3, pixels.shape)).clip(0, 255).astype(np.uint8))
    inside = np.zeros(truth.shape, dtype=bool)
    inside[50:171, 80:201] = True
    odds = belonging(Evidence.of(noisy.pixels, inside, (False,) * 4), inside)
    ball = cv2.erode(truth, np.ones((7, 7), np.uint8)) > 0
    wall = inside & (cv2.dilate(truth, np.ones((7, 7), np.uint8)) == 0)
    assert (odds[ball] > 0).mean() > 0.9
    assert (odds[wall] < 0).mean() > 0.95
    # The patch is all inside, the same colour as the wall that is not: likelier than that.
    assert odds[80:96, 164:172].mean() > odds[wall].mean() + 1.0
    found = segment_rectangle(noisy, (78, 48, 203, 172)).pixels > 127
    assert overlap(found, truth > 0) > 0.95


def test_without_contrast_it_is_the_rectangle() -> None:
    plain = Picture(np.full((60, 80, 3), 120, np.uint8))
    mask = segment_rectangle(plain, (20, 10, 50, 40)).pixels
    assert (mask[10:40, 20:50] == 255).all()
    assert mask.sum() == 255 * 30 * 30
    assert (segment_rectangle(plain, (-5, -5, 100, 100)).pixels == 255).all()
    for empty in ((90, 10, 95, 20), (20, 10, 20, 40), (float("nan"), 0, 1, 1)):
        with pytest.raises(UserError, match="rectangle is empty"):
            segment_rectangle(plain, empty)


def test_a_cup_in_a_photograph_and_its_camera() -> None:
    """One rectangle round the cup of the photograph that ships, as JPEG, nothing else told."""
    by_hand = load_scene(COFFEE)
    exact = by_hand.background.view.picture.pixels
    _, saved = cv2.imencode(".jpg", exact[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    picture = Picture(np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR)[..., ::-1], np.uint8))
    photograph = Photograph(picture)
    scene = scene_from_photograph(photograph, guessed_camera(photograph))
    assert is_guessed(scene.camera)
    drawn = object_in_rectangle(scene, CUP, "cup")
    (item,) = drawn.objects
    truth = by_hand.object("cup").appearance.mask
    assert item.appearance.mask is not None
    assert truth is not None
    found = item.appearance.mask.pixels > 127
    # Without the spoon's bowl, which nobody has told from it yet.
    known = np.ones(found.shape, dtype=bool)
    known[215:, 318:] = False
    assert overlap(found & known, (truth.pixels > 127) & known) > 0.93
    # Its handle is as red as the saucer.
    assert found[265:300, 205:225].mean() > 0.9
    # The rim of the cup tells how steeply the camera looks down.
    tilt, true = (camera_angles(one.camera)[1] for one in (drawn, by_hand))
    assert tilt == pytest.approx(true, abs=4.0)
    # About as deep and as high as wide, and around all of it.
    assert np.ptp(np.log(item.box.size)) < 0.5
    corners = drawn.camera.project(item.box.corners())[:, :2]
    around_all = [*corners.min(axis=0), *corners.max(axis=0)]
    assert around_all == pytest.approx(around(found), abs=15.0)


def test_a_camera_that_was_set_stays() -> None:
    picture, truth = cup_on_its_saucer()
    camera = camera_from_horizon((320, 240), 400.0, -60.0, -60.0)
    scene = scene_from_photograph(Photograph(picture), camera)
    after = object_in_rectangle(scene, around(truth))
    assert after.camera == camera
    assert isinstance(after.objects[0].box, Box)


@pytest.mark.parametrize(
    ("shape", "rectangle"),
    [
        ((60, 80), (10, 8, 11.2, 40)),
        ((60, 80), (8, 20, 60, 21.4)),
        ((60, 80), (0, 0, 80, 2.5)),
        ((200, 300), (27, 198.6, 173, 225)),
        ((1, 400), (2, -1, 294, 1.5)),
    ],
)
def test_a_rectangle_too_thin_for_any_rim_is_no_fault(
    shape: tuple[int, int], rectangle: tuple[float, float, float, float]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    mask = segment_rectangle(Picture(noise), rectangle).pixels
    assert mask.shape == shape
    assert mask.any()


def test_specks_of_noise_are_no_object() -> None:
    noise = Picture(np.random.default_rng(5).integers(0, 256, (24, 30, 3), dtype=np.uint8))
    assert (segment_rectangle(noise, (8, 6, 14, 12)).pixels == 255).sum() == 36


def test_an_object_of_one_pixel_has_a_box() -> None:
    """So near to the camera that something round would reach behind it."""
    photograph = Photograph(Picture(np.full((1, 1, 3), 90, np.uint8)))
    camera = camera_from_horizon((1, 1), 0.1232, -0.4587, -0.4587)
    scene = object_in_rectangle(scene_from_photograph(photograph, camera), (0, 0, 1, 1))
    assert len(scene.objects) == 1
