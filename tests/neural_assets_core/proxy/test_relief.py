"""The shape of an object as its photograph and its box tell it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from neural_assets_core.calibration.enclosing import rings
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.proxy.cutout import cut_out, solid_of
from neural_assets_core.proxy.relief import ROUND, Relief, relief
from neural_assets_core.proxy.warp import warp
from neural_assets_core.scene import Appearance, Picture, View

PLATE = Box(center=(0.0, 0.0, 0.01), size=(0.2, 0.2, 0.02))


@pytest.fixture
def above() -> Camera:
    return Camera.looking_at((0.0, -0.3, 0.35), (0.0, 0.0, 0.0), 160, 120, 0.7)


def outline(camera: Camera, box: Box) -> np.ndarray:
    """(h, w) pixels of something round that fills the box."""
    seen = camera.project(rings(box))[:, :2].astype(np.float32)
    mask = np.zeros((camera.height, camera.width), np.uint8)
    cv2.fillConvexPoly(mask, np.round(cv2.convexHull(seen)).astype(np.int32), 1)
    return mask > 0


def agreement(shape: Relief, truth: np.ndarray) -> float:
    return float((shape.outline & truth).sum() / (shape.outline | truth).sum())


def test_a_rim_goes_on_behind_what_hides_it_though_the_box_is_wrong(above: Camera) -> None:
    whole = outline(above, PLATE)
    known = np.ones_like(whole)
    known[:52, 60:105] = False
    larger = PLATE.with_size((0.23, 0.23, 0.03))
    shape = relief(above, larger, whole & known, known)
    assert shape.kind == ROUND
    assert agreement(shape, whole) > 0.96


def test_what_is_wider_than_its_box_has_no_torn_edge(above: Camera) -> None:
    cup = Box(center=(0.0, 0.0, 0.05), size=(0.1, 0.1, 0.1))
    mask = outline(above, cup)
    narrow = cup.with_size((0.085, 0.085, 0.1))
    shape = relief(above, narrow, mask, np.ones_like(mask))
    assert shape.kind == ROUND
    # As before a box of the right size: outside of the solid it would be a sheet.
    assert (shape.outline & mask).sum() > 0.97 * mask.sum()


def test_a_wrong_box_cuts_nothing_off_what_is_moved(above: Camera) -> None:
    """A mask that touches the picture's edge, with pixels far outside of its box."""
    mask = np.zeros((above.height, above.width), np.uint8)
    cv2.ellipse(mask, (70, 95), (38, 40), 0, 0, 360, 255, -1)
    pixels = np.full((*mask.shape, 3), 90, np.uint8)
    box = Box(center=(-0.02, -0.06, 0.03), size=(0.06, 0.05, 0.06))
    view = View(picture=Picture(pixels), camera=above)
    looks = Appearance(view=view, box=box, mask=Picture(mask))
    cutout = cut_out(looks, solid_of(looks))
    assert cutout is not None
    assert (np.ptp(cutout.reach, axis=0) > 2.6).any()
    (drawn,) = warp(cutout, box.translated((0.03, 0.0, 0.0)), above)
    full = np.zeros_like(mask)
    full[drawn.rect.slices] = drawn.alpha
    step = np.diff(above.project(np.array([box.center, np.add(box.center, (0.03, 0, 0))]))[:, 0])
    moved = np.roll(mask, round(float(step[0])), axis=1) > 127
    shown = full > 127
    assert (shown & moved).sum() > 0.93 * (shown | moved).sum()
    # No more of it hangs together less: neither holes nor slivers.
    assert cv2.connectedComponents(shown.astype(np.uint8))[0] == 2
    assert cv2.connectedComponents((~shown).astype(np.uint8))[0] == 2
    assert shown[-1].sum() > 0.9 * moved[-1].sum()
