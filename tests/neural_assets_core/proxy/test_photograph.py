"""The proxy on photographs: painted scenes whose truth is known."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import PixelRect, silhouette
from neural_assets_core.proxy import composite, draw_edit, draw_photograph, prepare_photograph
from neural_assets_core.proxy import warp as warping
from neural_assets_core.proxy.cutout import cut_out, solid_of, with_rim
from neural_assets_core.proxy.filling import spread
from neural_assets_core.proxy.ground import contact_shade, draw_shade, find_shadow, lift_shade
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.photograph import photograph_of
from neural_assets_core.proxy.relief import ROUND, SQUARE, relief
from neural_assets_core.proxy.relighting import lifts_of, relit, relit_part, unreadable
from neural_assets_core.proxy.sampling import enlarged
from neural_assets_core.proxy.shelf import Shelf
from neural_assets_core.proxy.turning import complete_round
from neural_assets_core.scene import Appearance, Picture, Scene, View
from tests.neural_assets_core.conftest import paint, painted_scene


def error(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float))[where].mean())


# -- objects -------------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [True, False])
def test_nothing_edited_gives_the_source(camera: Camera, boxes: list[Box], masked: bool) -> None:
    scene = painted_scene(camera, boxes, masked=masked)
    layers = draw_photograph(scene, camera)
    assert np.array_equal(layers.picture, scene.background.view.picture.pixels)
    assert not layers.hole.any()


def test_a_moved_box_matches_the_truth(scene: Scene, camera: Camera, boxes: list[Box]) -> None:
    moved = boxes[0].translated((0.1, -0.3, 0.0))
    layers = draw_photograph(scene.with_box("box 1", moved), camera)
    truth, ids = paint(camera, [moved, boxes[1]])
    inner = cv2.erode((ids == 1).astype(np.uint8), np.ones((3, 3))) > 0
    assert error(layers.picture, truth, inner) < 8
    assert layers.coverage[inner].mean() > 0.98
    # Far from the edit not a single pixel changes.
    assert np.array_equal(layers.picture[:15], truth[:15])


def test_a_turned_box_shows_its_sides_where_they_are(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    turned = boxes[0].rotated((0, 0, 1), math.radians(25))
    layers = draw_photograph(scene.with_box("box 1", turned), camera)
    truth, ids = paint(camera, [turned, boxes[1]])
    source = scene.background.view.picture.pixels
    assert error(layers.picture, truth, ids == 1) < 0.5 * error(source, truth, ids == 1)


def test_unseen_sides_are_told_by_their_confidence(scene: Scene, boxes: list[Box]) -> None:
    half = scene.with_box("box 1", boxes[0].rotated((0, 0, 1), math.pi))
    layers = draw_photograph(half, half.camera)
    seen = silhouette(half.camera, half.object("box 1").box)
    inner = cv2.erode(seen.astype(np.uint8), np.ones((3, 3))) > 0
    assert layers.coverage[inner].mean() > 0.9
    # The top is still seen; the side that faced away before is not.
    assert 0.2 < (layers.confidence[inner] < 0.75).mean() < 0.9


def test_what_stays_in_front_hides_what_moves(scene: Scene, boxes: list[Box]) -> None:
    behind = boxes[0].with_center((0.5, 0.9, 0.2))
    layers = draw_photograph(scene.with_box("box 1", behind), scene.camera)
    front = scene.camera.project(np.asarray(boxes[1].center))[:2].astype(int)
    source = scene.background.view.picture.pixels
    near = np.abs(layers.picture[front[1], front[0]].astype(int) - source[front[1], front[0]])
    assert near.max() <= 2


def test_a_moved_camera_carries_ground_and_objects(scene: Scene, boxes: list[Box]) -> None:
    moved = Camera.looking_at((0.35, -2.9, 1.65), (0.05, 0.0, 0.2), 96, 96, 0.8)
    layers = draw_photograph(scene.with_camera(moved), moved)
    truth, ids = paint(moved, boxes)
    source = scene.background.view.picture.pixels
    for part in (ids == 1, ids == 2):
        assert error(layers.picture, truth, part) < 0.7 * error(source, truth, part)


def test_a_box_behind_the_camera_is_named(scene: Scene, boxes: list[Box]) -> None:
    behind = scene.with_box("box 1", boxes[0].with_center((0.2, -3.0, 1.6)))
    with pytest.raises(UserError, match="box 1"):
        draw_photograph(behind, behind.camera)


@settings(max_examples=12, deadline=None)
@given(
    x=st.floats(-3, 3), y=st.floats(-1.2, 6), lift=st.floats(-1, 2),
    turn=st.floats(-math.pi, math.pi), scale=st.floats(0.05, 3),
)
def test_any_place_can_be_drawn(x: float, y: float, lift: float, turn: float, scale: float) -> None:
    camera = Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), 64, 48, 0.8)
    scene = painted_scene(camera, [Box(center=(-0.45, 0.0, 0.2), size=(0.5, 0.4, 0.4))])
    box = scene.objects[0].box.translated((x, y, lift)).rotated((0, 0, 1), turn).scaled(scale)
    edited = scene.with_box("box 1", box)
    try:
        layers = draw_photograph(edited, camera)
    except UserError:
        return
    for layer in (layers.coverage, layers.confidence, layers.came):
        assert layer.min() >= 0
        assert layer.max() <= 1 + 1e-6
    assert np.array_equal(layers.picture, draw_photograph(edited, camera).picture)


def test_an_object_from_another_view_is_drawn(scene: Scene, camera: Camera) -> None:
    other = painted_scene(camera, [Box(center=(0.0, 0.2, 0.25), size=(0.4, 0.4, 0.5))])
    guest = other.objects[0]
    placed = scene.with_object(
        guest.model_copy(update={"box": guest.box.with_center((0.0, -0.7, 0.25))})
    )
    layers = draw_photograph(placed, camera)
    seen = silhouette(camera, placed.objects[-1].box)
    assert layers.coverage[seen].mean() > 0.9


def test_an_object_whose_source_does_not_show_it_is_left_out(scene: Scene, camera: Camera) -> None:
    item = scene.objects[0]
    empty = Picture(np.zeros((camera.height, camera.width), np.uint8))
    hidden = item.appearance.model_copy(update={"mask": empty})
    edited = scene.with_appearance("box 1", hidden)
    assert draw_photograph(edited, camera).picture.shape == (camera.height, camera.width, 3)


# -- edges, order, shape -------------------------------------------------------------------------


def test_no_fringe_of_the_background_comes_along(camera: Camera, boxes: list[Box]) -> None:
    """A red object before green, its edge mixed of both: nothing green may be carried."""
    inside = silhouette(camera, boxes[0]).astype(np.float32)
    soft = cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None]
    pixels = np.round(soft * (220, 20, 20) + (1 - soft) * (20, 220, 20)).astype(np.uint8)
    view = View(picture=Picture(pixels), camera=camera)
    mask = Picture(np.round(255 * soft[..., 0]).astype(np.uint8))
    looks = Appearance(view=view, box=boxes[0], mask=mask)
    cutout = cut_out(looks, solid_of(looks))
    assert cutout is not None
    carried = cutout.colour[cutout.alpha > 25].astype(int)
    assert carried[:, 1].max() < 40


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_boxes_apart_are_painted_in_an_exact_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    camera = Camera.looking_at((0.0, -4.0, 1.5), (0.0, 0.0, 0.2), 48, 36, 0.9)
    boxes = [
        Box(
            center=(float(x), float(y), 0.2),
            size=tuple(random.uniform(0.1, 0.55, 3)),
        )
        for x, y in zip(np.repeat([-0.6, 0, 0.6], 2), np.tile([-0.4, 0.4], 3), strict=True)
    ]
    order = back_to_front(camera, boxes)
    assert sorted(order) == list(range(len(boxes)))
    ids = np.zeros((36, 48), int)
    for index in order:
        ids[silhouette(camera, boxes[index])] = index + 1
    assert np.array_equal(ids, paint(camera, boxes)[1])


def _ball(camera: Camera, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Mask and depth of the ellipsoid in a box."""
    origin, directions = camera.rays(camera.pixel_centers())
    start = box.to_local(origin)
    along = directions @ box.rotation_matrix() / (0.5 * np.asarray(box.size))
    a, b = (along**2).sum(-1), (along * start).sum(-1)
    inner = b * b - a * ((start**2).sum() - 1)
    return inner > 0, (-b - np.sqrt(np.maximum(inner, 0))) / a


def test_shapes_are_told_by_their_outlines(camera: Camera) -> None:
    box = Box(center=(0.0, 0.0, 0.3), size=(0.6, 0.6, 0.6), rotation=(0.92, 0, 0, 0.39))
    everywhere = np.ones((camera.height, camera.width), bool)
    square = relief(camera, box, silhouette(camera, box), everywhere)
    assert square.kind == SQUARE
    mask, depth = _ball(camera, box)
    ball = relief(camera, box, mask, everywhere)
    assert ball.kind == ROUND
    assert np.abs(ball.front - depth)[mask].mean() < 0.01
    # What is hidden is told by what is seen.
    half = everywhere.copy()
    half[:, camera.width // 2 :] = False
    assert relief(camera, box, mask & half, half).kind == ROUND


def test_something_round_shows_no_wall_where_its_mask_ends(camera: Camera) -> None:
    """A bowl in its box: the solid that fits best is wider than it, below the rim."""
    box = Box(center=(0.0, 0.0, 0.3), size=(0.6, 0.6, 0.6))
    mask, _ = _ball(camera, box)
    mask[:, : camera.width // 2 - 12] = False
    shape = relief(camera, box, mask, np.ones_like(mask))
    assert shape.kind == ROUND
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    metre = shape.front / camera.k[0, 0]
    thick = (shape.back - shape.front)[mask & (away < 6)]
    assert (thick <= (3.5 * (away + 1) * metre)[mask & (away < 6)]).all()
    assert (shape.back - shape.front)[mask].max() > 0.3


# -- holes and shadows ---------------------------------------------------------------------------


def _grain(seed: int = 0, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    random = np.random.default_rng(seed)
    light = np.linspace(90, 150, shape[1])[None, :, None]
    return (light + random.normal(0, 12, (*shape, 1)) * [1, 0.9, 0.8]).clip(0, 255).astype(np.uint8)


def test_values_are_continued_smoothly() -> None:
    known = np.zeros((30, 40), bool)
    known[:, 0] = known[:, -1] = True
    values = np.broadcast_to(np.linspace(0, 100, 40)[None, :, None], (30, 40, 1)).astype(np.float32)
    out = spread(values * known[..., None], known)
    assert np.array_equal(out[known], values[known])
    assert 20 < out[15, 20, 0] < 80


def test_a_soft_shadow_is_found_and_nothing_else() -> None:
    y, x = np.mgrid[:120, :160]
    mask = np.hypot(x - 80, y - 50) < 22
    shadow = np.hypot((x - 92) / 34, (y - 66) / 18) < 1
    apart = np.hypot(x - 20, y - 100) < 8
    light = cv2.GaussianBlur(np.where(shadow | apart, 0.45, 1.0).astype(np.float32), (0, 0), 2)
    wood = np.array([190.0, 120.0, 70.0])
    found = find_shadow((light[..., None] * wood).astype(np.uint8), mask, ~mask)
    wanted = shadow & ~mask
    assert (found & wanted).sum() / wanted.sum() > 0.7
    assert not (found & apart).any()
    even = np.broadcast_to(wood, (120, 160, 3)).astype(np.uint8)
    assert not find_shadow(even, mask, ~mask).any()
    # No darker than the shadow, but red: something that lies there.
    saucer = np.where(shadow[..., None], [150.0, 25.0, 12.0], wood).astype(np.uint8)
    assert not find_shadow(saucer, mask, ~mask).any()


def test_a_shadow_leaves_with_its_object(camera: Camera, boxes: list[Box]) -> None:
    """A dark patch beside the box goes, and comes where the box is now."""
    image, ids = paint(camera, [boxes[0]])
    image[ids == 0] = 150
    at = camera.project(np.array([-0.45, -0.32, 0.0]))[:2]
    y, x = np.mgrid[: camera.height, : camera.width] + 0.5
    dark = (np.hypot((x - at[0]) / 13, (y - at[1]) / 6) < 1) & (ids == 0)
    image[dark] = 60
    view = View(picture=Picture(image.astype(np.uint8)), camera=camera)
    scene = painted_scene(camera, [boxes[0]])
    mask = scene.objects[0].appearance.mask
    look = Appearance(view=view, box=boxes[0], mask=mask)
    item = scene.objects[0].model_copy(update={"appearance": look})
    background = scene.background.model_copy(update={"view": view, "occluders": (look,)})
    scene = scene.model_copy(update={"objects": (item,), "background": background})
    gone = draw_photograph(scene.without("box 1"), camera).picture
    assert gone[dark].mean() > 130
    moved = scene.with_box("box 1", boxes[0].translated((0.7, 0.0, 0.0)))
    layers = draw_photograph(moved, camera)
    there = camera.project(np.array([0.25, -0.32, 0.0]))[:2].astype(int)
    assert layers.picture[there[1], there[0]].mean() < 115
    assert layers.came[there[1], there[0]] > 0.2


def test_ground_in_a_carried_shadow_keeps_its_hue(camera: Camera, boxes: list[Box]) -> None:
    scene = painted_scene(camera, [boxes[0]])
    ground = np.array([150, 90, 40], np.uint8)
    picture = np.broadcast_to(ground, (camera.height, camera.width, 3)).copy()
    found = draw_shade(picture, camera, boxes[0], contact_shade(), scene.objects[0].appearance)
    assert found is not None
    dark = picture[found[0].slices][found[1] < 200].astype(float)
    assert len(dark) > 20
    assert dark.mean() < 0.8 * ground.mean()
    assert np.abs(dark / dark.mean(axis=1, keepdims=True) - ground / ground.mean()).max() < 0.05


def test_a_shadow_found_on_an_object_is_soft_and_grey(camera: Camera, boxes: list[Box]) -> None:
    one = painted_scene(camera, boxes).objects[0].appearance
    assert one.mask is not None
    mask = one.mask.pixels > 0
    support = ~mask
    striped = support & (np.arange(mask.shape[1]) % 8 < 4)
    lift = np.where(striped[..., None], np.float32([0.3, 0.6, 0.9]), np.float32(0))
    sharp = lift_shade(one, lift, mask, support, True)
    soft = lift_shade(one, lift, mask, support, True, ground=False)
    assert sharp is not None
    assert soft is not None
    assert np.ptp(soft.ratio, axis=-1).max() <= 1 < np.ptp(sharp.ratio, axis=-1).max()
    steepest = [np.abs(np.diff(s.ratio.astype(int), axis=1)).max() for s in (soft, sharp)]
    assert steepest[0] < 0.7 * steepest[1]


def _shadow_scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lit grain, what a soft shadow leaves of it, the object's mask, and the shadow's."""
    y, x = np.mgrid[:120, :160]
    mask = np.hypot(x - 80, y - 50) < 20
    shadow = (np.hypot((x - 92) / 34, (y - 66) / 18) < 1) & ~mask
    depth = cv2.GaussianBlur(np.where(shadow, 1.0, 0.0).astype(np.float32), (0, 0), 1.5)
    lit = _grain()
    ratio = 1 - depth[..., None] * np.array([0.55, 0.6, 0.65])
    return lit, (lit * ratio).astype(np.uint8), mask, shadow


def _lifts(pixels: np.ndarray, *of: Any) -> list[np.ndarray]:
    """What `lifts_of` finds, each as large as the picture."""
    out = []
    for lift in lifts_of(pixels, *of):
        out.append(np.zeros(pixels.shape, dtype=np.float32))
        out[-1][lift.at] = lift.values
    return out


def test_a_shadow_is_relit_and_its_texture_kept() -> None:
    lit, dark, mask, shadow = _shadow_scene()
    found = find_shadow(dark, mask, ~mask)
    (lift,) = _lifts(dark, ~mask, [mask], [found], [None])
    assert lift.min() >= 0
    assert lift[:, :30].max() < 0.02
    light = relit(dark, lift)
    inner = cv2.erode(shadow.astype(np.uint8), np.ones((5, 5))) > 0
    assert abs(light[inner].mean() - lit[inner].mean()) < 12
    assert error(light, lit, shadow) < 0.3 * error(dark, lit, shadow)
    # Its grain is the ground's own, where another place's would have nothing to do with it.
    own, true = (one[inner].mean(axis=-1) for one in (light.astype(float), lit.astype(float)))
    assert np.corrcoef(own, true)[0, 1] > 0.8
    assert not unreadable(dark, lift)[inner].any()
    black = np.where(shadow[..., None], dark // 12, dark)
    (deep,) = _lifts(black, ~mask, [mask], [find_shadow(black, mask, ~mask)], [None])
    assert unreadable(black, deep)[inner].mean() > 0.8


def test_a_shadow_of_two_is_shared() -> None:
    _, dark, mask, shadow = _shadow_scene()
    y, x = np.mgrid[:120, :160]
    other = np.hypot(x - 125, y - 90) < 6
    support = ~mask & ~other
    shadows = [shadow & support, shadow & support]
    lifts = _lifts(dark, support, [mask, other], shadows, [None, None])
    (whole,) = _lifts(dark, support, [mask], [shadow & support], [None])
    assert np.allclose(sum(lifts), whole, atol=1e-4)
    # Beside the large object most is its own; it takes all if the light says so.
    beside = shadow & support & (np.hypot(x - 80, y - 50) < 26)
    assert lifts[0][beside].mean() > 4 * lifts[1][beside].mean()
    sun = [np.zeros(mask.shape, np.float32), shadow.astype(np.float32)]
    many = _lifts(dark, support, [mask, *[other] * 5], [shadows[0]] * 6, [None] * 6)
    assert np.allclose(sum(many), whole, atol=1e-4)
    told = _lifts(dark, support, [mask, other], shadows, sun)
    assert told[1][beside].mean() > 2 * lifts[1][beside].mean()


def test_large_pictures_are_relit_in_parts() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (90, 80, 3), dtype=np.uint8)
    lift = cv2.GaussianBlur(random.random((30, 40, 3)).astype(np.float32), (0, 0), 4)
    rect = PixelRect(7, 5, 71, 88)
    whole = relit(picture, enlarged(lift, PixelRect(0, 0, 80, 90), picture.shape))
    part = relit_part(picture, lift, rect).astype(int)
    assert np.abs(part[12:-12, 12:-12] - whole[rect.slices][12:-12, 12:-12]).max() <= 1


def test_a_hidden_rim_goes_on(camera: Camera) -> None:
    """A disc of rings, partly hidden: what is filled in has the rings where they belong."""
    box = Box(center=(0.0, 0.0, 0.3), size=(0.9, 0.9, 0.6))
    camera = camera.resized(192, 192)
    mask, depth = _ball(camera, box)
    origin, directions = camera.rays(camera.pixel_centers())
    local = box.to_local(origin + directions * np.where(mask, depth, 1.0)[..., None])
    ring = np.where(np.sin(14 * local[..., 2]) > 0, 200.0, 60.0)
    truth = (ring[..., None] * [1.0, 0.5, 0.3] * mask[..., None]).astype(np.uint8)
    shape = relief(camera, box, mask, np.ones_like(mask))
    missing = mask & (np.arange(192) > 60) & (np.arange(192) < 95)
    picture = np.where(missing[..., None], np.uint8(255), truth)
    filled = complete_round(
        picture, mask & ~missing, missing, np.ones_like(mask), camera, box, shape
    )
    assert error(filled, truth, missing) < 0.35 * error(picture, truth, missing)
    assert np.array_equal(filled[~missing], picture[~missing])


def test_a_mask_that_misses_its_rim_leaves_none_behind() -> None:
    y, x = np.mgrid[:100, :100]
    away = np.hypot(x - 50, y - 50)
    picture = np.where((away < 30)[..., None], [190, 20, 20], [90, 120, 90]).astype(np.uint8)
    found = with_rim(picture, away < 26)
    assert (found == (away < 30))[away < 40].mean() > 0.98
    assert not with_rim(picture, np.zeros((100, 100), bool)).any()


# -- large photographs ---------------------------------------------------------------------------


def test_large_drawings_are_the_same_in_strips(
    scene: Scene, camera: Camera, boxes: list[Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        scene.with_box("box 1", boxes[0].translated((0.15, -0.2, 0)).rotated((0, 0, 1), 0.3)),
        scene.without("box 2"),
    ]
    whole = [draw_edit(step, camera) for step in steps]
    assert np.array_equal(whole[0], draw_photograph(steps[0], camera).picture)
    monkeypatch.setattr(composite, "KEPT_PIXELS", 100)
    monkeypatch.setattr(warping, "WHOLE", 2000)
    for step, one in zip(steps, whole, strict=True):
        apart = np.abs(draw_edit(step, camera).astype(int) - one)
        assert (apart > 12).mean() < 0.01


# -- what is kept --------------------------------------------------------------------------------


def test_kept_things_are_bounded_in_bytes() -> None:
    shelf = Shelf(limit=1000)
    for number in range(20):
        shelf.get(number, lambda: np.zeros(30))
        assert shelf.nbytes <= 1000
    made: list[int] = []
    shelf.get(19, lambda: made.append(1) or np.zeros(1))
    assert not made
    assert shelf.get("large", lambda: np.zeros(5000)).nbytes == shelf.nbytes


def test_every_step_of_a_drag_is_drawn_as_if_it_were_the_only_one(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    steps = [scene.with_box("box 1", boxes[0].translated((x, -0.1, 0))) for x in (0.1, 0.2, 0.3)]
    steps += [scene.with_box("box 2", boxes[1].translated((0.1, 0.1, 0))), steps[0], scene]
    dragged = [draw_photograph(step, camera) for step in steps]
    for step, layers in zip(steps, dragged, strict=True):
        photograph_of(step.background)._last = None
        alone = draw_photograph(step, camera)
        for name in ("picture", "hole", "coverage", "confidence", "came"):
            assert np.array_equal(getattr(layers, name), getattr(alone, name)), name


def test_what_was_prepared_is_what_is_drawn(camera: Camera, boxes: list[Box]) -> None:
    scene = painted_scene(camera, [boxes[0].translated((0.01, 0, 0)), boxes[1]])
    prepare_photograph(scene.background)
    photograph = photograph_of(scene.background)
    pieces = dict(photograph._pieces)
    draw_photograph(scene.with_box("box 1", boxes[0]), camera)
    assert photograph._pieces == pieces


def test_what_is_made_up_is_told(scene: Scene, camera: Camera, boxes: list[Box]) -> None:
    assert not draw_photograph(scene, camera).guessed().any()
    gone = draw_photograph(scene.without("box 1"), camera).guessed() > 0
    was = scene.objects[0].appearance.mask.pixels > 127
    assert gone[was].mean() > 0.95
    half = scene.with_box("box 1", boxes[0].rotated((0, 0, 1), math.pi))
    made_up = (draw_photograph(half, camera).guessed() > 0)[was].mean()
    assert 0.15 < made_up < 0.9
