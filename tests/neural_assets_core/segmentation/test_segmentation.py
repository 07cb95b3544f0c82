from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.scene import Appearance, Picture, Scene, View
from neural_assets_core.segmentation import (
    GrabCut,
    Segmenter,
    Stroke,
    corrected,
    segment,
    with_mask,
)
from neural_assets_core.segmentation.grabcut import painted

SIZE = (240, 180)
CAMERA = Camera.looking_at((0.0, -3.0, 1.2), (0.0, 0.0, 0.3), *SIZE, 0.7)
BOX = Box(center=(0.0, 0.0, 0.35), size=(0.7, 0.7, 0.7))


def ball(colour: tuple[int, int, int] = (200, 60, 40)) -> tuple[View, np.ndarray]:
    """A coloured disc over a grainy ground; the view and its true mask."""
    random = np.random.default_rng(0)
    middle = CAMERA.project(np.asarray(BOX.center))
    v, u = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    radius = 0.33 * CAMERA.k[0, 0] / middle[2]
    inside = np.hypot(u - middle[0], v - middle[1]) < radius
    grain = random.normal(0, 6, (*SIZE[::-1], 3))
    pixels = np.where(inside[..., None], colour, (110, 120, 90)) + grain
    return View(picture=Picture(pixels.clip(0, 255).astype(np.uint8)), camera=CAMERA), inside


def overlap(mask: Picture, truth: np.ndarray) -> float:
    found = mask.pixels > 127
    return float((found & truth).sum() / (found | truth).sum())


def test_a_coloured_ball_is_found_in_its_box() -> None:
    view, truth = ball()
    mask = segment(view, BOX)
    assert mask.pixels.shape == truth.shape
    assert overlap(mask, truth) > 0.95
    assert overlap(Picture(silhouette(CAMERA, BOX).astype(np.uint8) * 255), truth) < 0.8
    # The same picture, the same mask.
    assert segment(view, BOX) == mask


def test_the_edge_is_sharp_at_the_full_size() -> None:
    """GrabCut works at a smaller size than a photograph's; the edge follows the photograph."""
    large = CAMERA.resized(SIZE[0] * 5, SIZE[1] * 5)
    _, small_truth = ball()
    truth = np.repeat(np.repeat(small_truth, 5, axis=0), 5, axis=1)
    pixels = np.where(truth[..., None], (200, 60, 40), (110, 120, 90)).astype(np.uint8)
    mask = segment(View(picture=Picture(pixels), camera=large), BOX)
    assert overlap(mask, truth) > 0.985
    soft = (mask.pixels > 10) & (mask.pixels < 245)
    assert soft.mean() < 0.02


def test_without_contrast_it_is_the_silhouette() -> None:
    view = View(picture=Picture(np.full((*SIZE[::-1], 3), 120, np.uint8)), camera=CAMERA)
    outline = silhouette(CAMERA, BOX)
    mask = segment(view, BOX)
    assert overlap(mask, outline) > 0.6


def test_a_box_that_fills_the_picture_is_its_silhouette() -> None:
    view, _ = ball()
    everything = Box(center=(0.0, 0.0, 0.35), size=(30.0, 2.0, 30.0))
    assert (segment(view, everything).pixels == 255).all()


def test_a_box_out_of_the_picture_has_no_pixels() -> None:
    view, _ = ball()
    assert not segment(view, BOX.translated((30.0, 0.0, 0.0))).pixels.any()


def test_the_ground_in_shadow_is_no_part_of_the_object() -> None:
    view, truth = ball()
    pixels = view.picture.pixels.astype(np.float32)
    v, u = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    y, x = (values.mean() for values in np.nonzero(truth))
    shadow = (np.hypot((u - x - 18) / 44, (v - y - 26) / 18) < 1) & ~truth
    pixels[shadow] *= 0.25
    shaded = View(picture=Picture(pixels.astype(np.uint8)), camera=CAMERA)
    mask = segment(shaded, BOX)
    assert (mask.pixels > 127)[shadow].mean() < 0.15
    assert overlap(mask, truth) > 0.9


def test_what_is_dark_itself_is_kept() -> None:
    view, truth = ball((30, 33, 25))
    assert overlap(segment(view, BOX), truth) > 0.9


def test_strokes_win() -> None:
    view, truth = ball()
    middle = tuple(CAMERA.project(np.asarray(BOX.center))[:2])
    far = (middle[0] + 60, middle[1])
    mask = segment(view, BOX, [Stroke([middle], 6, False), Stroke([far], 5, True)]).pixels
    assert mask[int(middle[1]), int(middle[0])] == 0
    assert mask[int(far[1]), int(far[0])] == 255
    again = segment(view, BOX, [Stroke([middle], 6, False), Stroke([middle], 8, True)])
    assert overlap(again, truth) > 0.9


@settings(max_examples=8, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.floats(-500, 800), st.floats(-500, 800)), min_size=0, max_size=4
    ),
    radius=st.floats(0, 60),
    foreground=st.booleans(),
)
def test_any_stroke_gives_a_mask(
    points: list[tuple[float, float]], radius: float, foreground: bool
) -> None:
    view, _ = ball()
    mask = segment(view, BOX, [Stroke(points, radius, foreground)])
    assert mask.pixels.shape == SIZE[::-1]
    assert mask.pixels.dtype == np.uint8


@pytest.mark.parametrize("stroke", [([(math.nan, 3.0)], 3.0), ([(3.0, 3.0)], math.inf)])
def test_a_stroke_nowhere_is_refused(stroke: tuple[list[tuple[float, float]], float]) -> None:
    with pytest.raises(UserError, match="A stroke is nowhere"):
        Stroke(*stroke)


def test_a_brush_far_wider_than_the_picture_paints_all() -> None:
    assert (painted([Stroke([(3.0, 3.0), (9.0, 9.0)], 1e9)], (20, 30)) == cv2.GC_FGD).all()


# -- corrections by hand -------------------------------------------------------------------------


def half_found() -> tuple[Appearance, np.ndarray, tuple[float, float]]:
    """A ball of which the mask has the left half; the truth; and the ball's middle."""
    view, truth = ball()
    middle = CAMERA.project(np.asarray(BOX.center))[:2]
    left = truth.copy()
    left[:, int(middle[0]) :] = False
    mask = Picture(np.where(left, np.uint8(255), np.uint8(0)))
    return Appearance(view=view, box=BOX, mask=mask), truth, (float(middle[0]), float(middle[1]))


def test_a_stroke_spreads_to_the_edges_near_it() -> None:
    looks, truth, (x, y) = half_found()
    assert looks.mask is not None
    assert overlap(looks.mask, truth) < 0.55
    added = corrected(looks, [Stroke([(x + 12, y - 15), (x + 12, y + 15)], 9)])
    assert overlap(added, truth) > 0.93
    # And is taken away again as far as it is of the same colour and not beyond.
    whole = Appearance(view=looks.view, box=BOX, mask=added)
    removed = corrected(whole, [Stroke([(x + 12, y)], 5, False)])
    assert 0.2 < overlap(removed, truth) < 0.95
    assert added == corrected(looks, [Stroke([(x + 12, y - 15), (x + 12, y + 15)], 9)])


@settings(max_examples=10, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(-80, 300), st.floats(-80, 260)), min_size=1, max_size=4),
    radius=st.floats(0.5, 30),
    foreground=st.booleans(),
)
def test_strokes_are_kept_and_nothing_far_from_them_changes(
    points: list[tuple[float, float]], radius: float, foreground: bool
) -> None:
    looks, _, (x, y) = half_found()
    assert looks.mask is not None
    first = Stroke([(x, y)], 6, False)
    before = corrected(looks, [first])
    strokes = [first, Stroke(points, radius, foreground)]
    after = corrected(looks.model_copy(update={"mask": before}), strokes).pixels
    told = painted(strokes, after.shape)
    assert (after[told == cv2.GC_FGD] == 255).all()
    assert (after[told == cv2.GC_BGD] == 0).all()
    # What adds only adds, what removes only removes.
    free = told == cv2.GC_PR_BGD
    grown = after.astype(int) - before.pixels
    assert ((grown if foreground else -grown)[free] >= 0).all()
    new = painted(strokes[1:], after.shape) != cv2.GC_PR_BGD
    away = cv2.distanceTransform((~new).astype(np.uint8), cv2.DIST_L2, 5)
    far = (away > 4 * radius + 8) if new.any() else np.ones(after.shape, bool)
    assert np.array_equal(after[far & free], before.pixels[far & free])


def test_without_a_mask_the_silhouette_is_corrected() -> None:
    looks, _, (x, y) = half_found()
    bare = looks.model_copy(update={"mask": None})
    after = corrected(bare, [Stroke([(x, y)], 4, False)]).pixels
    assert after[int(y), int(x)] == 0
    outline = silhouette(CAMERA, BOX)
    assert (after[outline] > 0).mean() > 0.4
    assert np.array_equal(corrected(bare, []).pixels > 0, outline)


def test_grabcut_is_a_segmenter() -> None:
    view, _ = ball()
    segmenter: Segmenter = GrabCut()
    assert segmenter(view, BOX) == segment(view, BOX)


def test_a_mask_belongs_to_object_copies_and_background(scene: Scene) -> None:
    shape = scene.background.view.picture.pixels.shape[:2]
    mask = Picture(np.full(shape, 7, np.uint8))
    masked = with_mask(scene.duplicated("box 1"), "box 1", mask)
    assert masked.object("box 1").appearance.mask == mask
    assert masked.object("box 2").appearance == scene.object("box 2").appearance
    assert masked.objects[-1].appearance.mask == mask
    assert [one.mask for one in masked.background.occluders].count(mask) == 1
    assert with_mask(masked, "box 1", None).object("box 1").appearance.mask is None


def test_wrong_masks_are_refused(scene: Scene) -> None:
    with pytest.raises(UserError, match="box 7"):
        with_mask(scene, "box 7", None)
    with pytest.raises(ValidationError, match="size"):
        with_mask(scene, "box 1", Picture(np.zeros((3, 3), np.uint8)))
