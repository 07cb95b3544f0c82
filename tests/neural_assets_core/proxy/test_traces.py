"""What objects leave of themselves where they stood, and how clean they come along."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from neural_assets_core.calibration.enclosing import rings
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy import fill_texture
from neural_assets_core.proxy.cutout import cut_out, solid_of
from neural_assets_core.proxy.ground import draw_shade, lift_shade
from neural_assets_core.proxy.relief import ROUND, relief
from neural_assets_core.proxy.relighting import DARK, left_over, lifts_of
from neural_assets_core.proxy.warp import warp
from neural_assets_core.scene import Appearance, Picture, View

SHAPE = (120, 160)
RED = np.array([190.0, 50.0, 20.0])
CUP = Box(center=(0.0, 0.0, 0.05), size=(0.1, 0.1, 0.1))


@pytest.fixture
def above() -> Camera:
    return Camera.looking_at((0.0, -0.3, 0.35), (0.0, 0.0, 0.05), 160, 120, 0.5)


def _disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.hypot(columns - x, rows - y) < radius


def _soft(shadow: np.ndarray, depth: float) -> np.ndarray:
    """(h, w) natural logarithm of the light that a shadow takes."""
    return np.asarray(cv2.GaussianBlur(depth * shadow.astype(np.float32), (0, 0), 2.0))


def _cup_mask(camera: Camera) -> np.ndarray:
    mask = np.zeros((camera.height, camera.width), np.uint8)
    seen = camera.project(rings(CUP))[:, :2].astype(np.float32)
    cv2.fillConvexPoly(mask, np.round(cv2.convexHull(seen)).astype(np.int32), 255)
    return mask


def test_reflections_in_a_shadow_go_with_the_object_and_edges_of_the_ground_stay() -> None:
    mask, shadow = _disc(80, 40, 24), _disc(80, 66, 30)
    lift = np.repeat(_soft(shadow, 1.2)[..., None], 3, axis=2)
    picture = (RED + DARK) * np.exp(-lift) - DARK
    glint, rim = _disc(58, 58, 2.5), np.zeros(SHAPE, bool)
    picture[glint] = 150
    # A line that goes on where there is no shadow.
    rim[72, 20:140] = True
    picture[rim] *= 1.5
    found = left_over(picture.astype(np.uint8), lift, mask, ~mask)
    assert found[glint].all()
    assert not (found & rim).any()
    assert found.sum() < 8 * glint.sum()
    # Rough ground has such spots of its own.
    rough = picture * np.random.default_rng(0).uniform(0.6, 1.4, (*SHAPE, 1))
    assert not left_over(rough.astype(np.uint8), lift, mask, ~mask).any()


def test_something_small_in_a_large_shadow_takes_only_its_own() -> None:
    large, small = _disc(60, 40, 30), _disc(95, 75, 9)
    wide, narrow = _soft(_disc(72, 62, 42) & ~large, 1.0), _soft(_disc(97, 79, 11), 0.6)
    picture = RED * np.exp(-(wide + narrow))[..., None]
    support = ~(large | small)
    lifts = lifts_of(
        picture.astype(np.uint8), support, [large, small],
        [(wide > 0.2) & support, (narrow > 0.1) & support], [None, None],
    )
    own = np.zeros((*SHAPE, 3))
    own[lifts[1].at] = lifts[1].values
    beside = support & (wide > 0.9) & (narrow < 0.02) & _disc(95, 75, 16)
    assert beside.sum() > 100
    # Of the darkness beside it little: that goes on around it. Right at it most, and that is more.
    assert own[beside].mean() < 0.2
    assert 0.4 < own[support & (narrow > 0.4)].mean() < 0.9


def test_a_shadow_has_the_colours_of_what_it_fell_on_there_only(above: Camera) -> None:
    mask = _cup_mask(above)
    one = Appearance(
        view=View(picture=Picture(np.full((*mask.shape, 3), 90, np.uint8)), camera=above),
        box=CUP, mask=Picture(mask),
    )
    near = cv2.dilate(mask, np.ones((25, 25))) > 0
    lift = np.where(near[..., None], np.float32([0.6, 1.2, 0.6]), np.float32(0))
    shade = lift_shade(one, lift, mask > 0, mask == 0, False, ground=False)
    assert shade is not None
    darker = []
    for tinted in (True, False):
        picture = np.full((*mask.shape, 3), 200, np.uint8)
        assert draw_shade(picture, above, CUP, shade, one, tinted=tinted) is not None
        darkest = picture.reshape(-1, 3)[picture.sum(axis=-1).argmin()].astype(float)
        darker.append(darkest[1] / darkest[0])
    assert darker[0] < 0.85
    assert darker[1] > 0.98


def test_what_no_copy_suits_goes_on_smoothly() -> None:
    """Grey at both ends of a hole, and glaring stripes that are all there is to be copied."""
    picture = np.full((*SHAPE, 3), 120, np.uint8)
    picture[:40, ::2], picture[:40, 1::2] = 255, 0
    hole = np.zeros(SHAPE, bool)
    hole[70:100, 60:100] = True
    plain = np.zeros(SHAPE, bool)
    plain[:36] = True
    filled = fill_texture(picture, hole, ~hole, plain=plain)
    assert np.abs(filled[hole].astype(int) - 120).max() < 12


def test_depths_do_not_jump_where_rays_graze_something_round(above: Camera) -> None:
    mask = _cup_mask(above) > 0
    shape = relief(above, CUP, mask, np.ones_like(mask))
    assert shape.kind == ROUND
    steps = np.maximum(*(np.abs(step[:-1, :-1]) for step in (
        np.diff(shape.front, axis=0, append=0), np.diff(shape.front, axis=1, append=0)
    )))
    pixel = shape.front.mean() / above.k[0, 0]
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3)))[:-1, :-1] > 0
    assert steps[inside].max() < 4.5 * pixel


def test_nothing_from_elsewhere_shines_in_at_the_edge_of_something_turned(above: Camera) -> None:
    """Red on the left and blue on the right: what is made up at the right edge is blue."""
    mask, blue = _cup_mask(above), np.array([30.0, 40.0, 200.0])
    sides = np.where((np.arange(mask.shape[1]) < 90)[None, :, None], RED, blue)
    pixels = np.where(mask[..., None] > 0, sides, [20, 200, 60]).astype(np.uint8)
    view = View(picture=Picture(pixels), camera=above)
    looks = Appearance(view=view, box=CUP, mask=Picture(mask))
    cutout = cut_out(looks, solid_of(looks))
    assert cutout is not None
    (drawn,) = warp(cutout, CUP.rotated((0, 0, 1), -0.5), above)
    right = drawn.alpha > 20
    right[:, :-12] = False
    assert right.sum() > 100
    assert np.percentile(drawn.colour[right][:, 0], 95) < 60


def test_what_is_made_up_has_the_light_of_what_it_meets() -> None:
    """A grainy cup, lighter to the right, with a post before it."""
    camera = Camera.looking_at((0.0, -0.3, 0.35), (0.0, 0.0, 0.05), 320, 240, 0.5)
    mask, grain = _cup_mask(camera), np.random.default_rng(0).normal(1.0, 0.03, (240, 320, 1))
    light = np.broadcast_to(0.5 + np.arange(320)[None, :, None] / 320, (240, 320, 1))
    pixels = (RED * light * grain).clip(0, 255).astype(np.uint8)
    post = np.zeros_like(mask)
    post[90:, 150:200] = 255
    view = View(picture=Picture(pixels), camera=camera)
    seen = Picture(np.minimum(mask, 255 - post))
    looks = Appearance(view=view, box=CUP, mask=seen)
    cutout = cut_out(looks, solid_of(looks, [post]))
    assert cutout is not None
    at = cutout.rect.slices
    made = ((post > 0) & (mask > 0))[at] & (cutout.alpha > 200)
    edge = made & (cv2.dilate(seen.pixels[at], np.ones((9, 9))) > 0)
    assert edge.sum() > 500
    error = np.abs(cv2.blur(cutout.colour.astype(np.float32), (5, 5)) - (RED * light)[at])
    assert error[edge].mean() < 2.0


def test_what_is_hidden_of_something_turned_is_as_its_other_side() -> None:
    """A cup on a narrow foot, in a box as wide as its rim; something hides its right half below."""
    camera = Camera.looking_at((0.0, -0.3, 0.35), (0.0, 0.0, 0.05), 320, 240, 0.5)
    mask = np.zeros((240, 320), np.uint8)
    seen = camera.project(rings(CUP, 0.5))[:, :2].astype(np.float32)
    cv2.fillConvexPoly(mask, np.round(cv2.convexHull(seen)).astype(np.int32), 255)
    hiding = np.zeros_like(mask)
    hiding[150:, 165:] = 255
    pixels = np.where(mask[..., None] > 0, RED, [20, 200, 60]).astype(np.uint8)
    pixels[hiding > 0] = 200
    view = View(picture=Picture(pixels), camera=camera)
    looks = Appearance(view=view, box=CUP, mask=Picture(np.minimum(mask, 255 - hiding)))
    cutout = cut_out(looks, solid_of(looks, [hiding]))
    at = cutout.rect.slices
    hidden, true = hiding[at] > 0, mask[at] > 0
    made = cutout.alpha > 127
    assert (hidden & true).sum() > 500
    assert (made != true)[hidden].sum() < 0.15 * (hidden & true).sum()
    # Rings of which nothing is seen have the colour of the next one.
    assert np.abs(cutout.colour[hidden & true].astype(float) - RED).max() < 30
