"""Objects that stand on others: found in any order, set upon each other, cut out of each other."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.calibration import (
    Photograph,
    camera_from_horizon,
    guessed_camera,
    recalibrated,
    scene_from_photograph,
)
from neural_assets_core.calibration.enclosing import is_dish, rings
from neural_assets_core.calibration.scene import with_looks
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.geometry.standing import lowest, seen_at_height, stands_on
from neural_assets_core.proxy.order import back_to_front
from neural_assets_core.proxy.photograph import photograph_of
from neural_assets_core.scene import Picture, Scene, load_scene
from neural_assets_core.scene.faults import box_faults
from neural_assets_core.scene.source_box import with_source_box
from neural_assets_core.segmentation import object_in_rectangle
from neural_assets_core.segmentation.stacking import (
    found_again,
    is_as_found,
    with_boxed_object,
    with_cut_out,
    with_found_object,
)
from tests.neural_assets_core.calibration.views import seen_boxes, standing_cameras
from tests.neural_assets_core.segmentation.test_rectangle import COFFEE, CUP, overlap

SIZE = (300, 220)
SAUCER = (76.0, 50.0, 481.0, 388.0)
QUICK = settings(max_examples=5, deadline=None)
MANY = settings(max_examples=60, deadline=None)
Mask = np.ndarray


def camera(degrees: float) -> Camera:
    y = 110.0 - 400.0 * math.tan(math.radians(degrees))
    return camera_from_horizon(SIZE, 400.0, y, y)


def crate(x: float, y: float, z: float, wide: float, deep: float, tall: float) -> Box:
    return Box(center=(x, y, z + 0.5 * tall), size=(wide, deep, tall))


def drawn(points: np.ndarray) -> Mask:
    """The convex hull of pixels."""
    out = np.zeros(SIZE[::-1], np.uint8)
    hull = cv2.convexHull(np.round(16 * (points - 0.5)).astype(np.int32))
    cv2.fillConvexPoly(out, hull, 255, cv2.LINE_8, 4)
    return out


def outlines(view: Camera, boxes: list[Box], kinds: str) -> list[Mask]:
    """What is seen of crates ("c") and of round things ("r"), the nearer before the farther."""
    whole = [
        drawn(view.project(box.corners() if kind == "c" else rings(box))[:, :2])
        for box, kind in zip(boxes, kinds, strict=True)
    ]
    out, hidden = {}, np.zeros(SIZE[::-1], bool)
    for index in reversed(back_to_front(view, boxes)):
        out[index] = np.where(hidden, 0, whole[index]).astype(np.uint8)
        hidden |= whole[index] > 0
    return [out[index] for index in range(len(boxes))]


def found(view: Camera, masks: list[Mask], order: tuple[int, ...]) -> Scene:
    plain = Picture(np.full((*SIZE[::-1], 3), 120, np.uint8))
    scene = scene_from_photograph(Photograph(plain), view)
    for index in order:
        scene = with_found_object(scene, Picture(masks[index]), str(index), "")
    return scene


def boxes_of(scene: Scene) -> list[Box]:
    return [scene.object(str(index)).box for index in range(len(scene.objects))]


@MANY
@given(st.data(), st.floats(0.05, 0.6))
def test_what_is_put_at_a_height_looks_the_same(data: st.DataObject, share: float) -> None:
    view = data.draw(standing_cameras())
    box = data.draw(seen_boxes(view))
    height = share * float(view.position[2])
    raised = seen_at_height(view, box, height)
    assert raised is not None
    assert lowest(raised) == pytest.approx(height)
    pixels = [view.project(one.corners())[:, :2] for one in (box, raised)]
    assert pixels[0] == pytest.approx(pixels[1], abs=1e-6)
    assert seen_at_height(view, box, float(view.position[2]) + 0.01) is None


@st.composite
def stacks(
    draw: st.DrawFn,
    tilts: tuple[float, float] = (25.0, 50.0),
    shares: tuple[float, float] = (0.45, 0.82),
) -> tuple[Camera, Box, Box]:
    """A camera, a crate that stands before it, and one upon that, as wide as a share of it."""
    tilt, share = draw(st.floats(*tilts)), draw(st.floats(*shares))
    tall, low = draw(st.floats(0.3, 0.9)), draw(st.floats(0.3, 0.9))
    y = 1.6 / math.tan(math.radians(tilt))
    below = crate(0.0, y, 0.0, 0.5, 0.5, 0.5 * low)
    on = crate(0.0, y, 0.5 * low, 0.5 * share, 0.5 * share, 0.5 * tall)
    return camera(tilt), below, on


@QUICK
@given(stacks(), st.booleans())
def test_a_crate_on_a_crate(stack: tuple[Camera, Box, Box], first_is_below: bool) -> None:
    view, below, on = stack
    masks = outlines(view, [below, on], "cc")
    scene = found(view, masks, (0, 1) if first_is_below else (1, 0))
    ground, upper = boxes_of(scene)
    assert lowest(ground) == pytest.approx(0.0, abs=1e-9)
    assert lowest(upper) == pytest.approx(ground.corners()[:, 2].max(), abs=1e-6)
    assert stands_on(upper, ground)
    assert np.linalg.norm(upper.base_center() - on.base_center()) < 0.15
    assert [one.appearance.box for one in scene.objects] == [one.box for one in scene.objects]
    assert list(scene.background.occluders) == [one.appearance for one in scene.objects]


@QUICK
@given(stacks((20.0, 48.0), (0.9, 1.0)), st.sampled_from(["cc", "rr"]), st.booleans())
def test_as_wide_as_what_carries_it(
    stack: tuple[Camera, Box, Box], kinds: str, first_is_below: bool
) -> None:
    """All of the lower one's top is hidden, but not how high it is."""
    view, below, on = stack
    masks = outlines(view, [below, on], kinds)
    ground, upper = boxes_of(found(view, masks, (0, 1) if first_is_below else (1, 0)))
    assert stands_on(upper, ground)
    assert lowest(upper) == pytest.approx(ground.size[2], abs=1e-6)
    assert ground.size[2] == pytest.approx(below.size[2], rel=0.15)
    assert np.linalg.norm(upper.base_center() - on.base_center()) < 0.08


@QUICK
@given(st.floats(15.0, 45.0), st.floats(0.05, 0.5), st.floats(-0.3, 0.3), st.booleans())
def test_what_stands_behind_stays_behind(
    tilt: float, apart: float, aside: float, first_is_nearer: bool
) -> None:
    view = camera(tilt)
    y = 1.6 / math.tan(math.radians(tilt))
    nearer = crate(0.0, y - 0.2, 0.0, 0.5, 0.3, 0.3)
    behind = crate(aside, y + 0.1 + apart, 0.0, 0.3, 0.3, 0.6)
    masks = outlines(view, [nearer, behind], "cc")
    scene = found(view, masks, (0, 1) if first_is_nearer else (1, 0))
    assert [lowest(box) for box in boxes_of(scene)] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert [one.appearance.mask for one in scene.objects] == [
        Picture(masks[int(one.name)]) for one in scene.objects
    ]


def boxed(view: Camera, boxes: list[Box], order: tuple[int, ...]) -> Scene:
    """Boxes clicked as they are seen, each as if it stood on the ground."""
    plain = Picture(np.full((*SIZE[::-1], 3), 120, np.uint8))
    scene = scene_from_photograph(Photograph(plain), view)
    for index in order:
        clicked = seen_at_height(view, boxes[index], 0.0)
        assert clicked is not None
        scene = with_boxed_object(scene, clicked, str(index))
    return scene


@QUICK
@given(stacks(), st.booleans())
def test_boxes_alone_are_set_upon_each_other(
    stack: tuple[Camera, Box, Box], first_is_below: bool
) -> None:
    view, below, on = stack
    scene = boxed(view, [below, on], (0, 1) if first_is_below else (1, 0))
    for box, true in zip(boxes_of(scene), (below, on), strict=True):
        assert box.corners() == pytest.approx(true.corners(), abs=1e-6)
    assert list(scene.background.occluders) == [one.appearance for one in scene.objects]
    # Whose pixels are whose is told by their masks, whichever is found first.
    part, whole = outlines(view, [below, on], "cc")
    masks = {"0": Picture(np.maximum(part, whole)), "1": Picture(whole)}
    for name in ("0", "1") if first_is_below else ("1", "0"):
        scene = with_cut_out(scene, name, masks[name])
    looks = [scene.object(name).appearance.mask for name in "01"]
    assert looks[0] is not None
    assert not (np.minimum(looks[0].pixels, whole) > 0).any()
    assert looks[1] == masks["1"]
    assert set(scene.background.occluders) == {one.appearance for one in scene.objects}


@QUICK
@given(st.floats(15.0, 45.0), st.floats(0.05, 0.5), st.floats(-0.3, 0.3), st.booleans())
def test_a_box_behind_another_stays_on_the_ground(
    tilt: float, apart: float, aside: float, first_is_nearer: bool
) -> None:
    view = camera(tilt)
    y = 1.6 / math.tan(math.radians(tilt))
    nearer = crate(0.0, y - 0.2, 0.0, 0.5, 0.3, 0.3)
    behind = crate(aside, y + 0.1 + apart, 0.0, 0.3, 0.3, 0.6)
    scene = boxed(view, [nearer, behind], (0, 1) if first_is_nearer else (1, 0))
    assert [lowest(box) for box in boxes_of(scene)] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_nothing_sinks_deep_into_what_is_too_high_for_a_dish() -> None:
    view = camera(40.0)
    y = 1.6 / math.tan(math.radians(40.0))
    dish, cup = crate(0.0, y, 0.0, 0.6, 0.6, 0.05), crate(0.0, y, 0.02, 0.24, 0.24, 0.2)
    scene = found(view, outlines(view, [dish, cup], "rc")[:1], (0,))
    looks = scene.object("0").appearance
    high = looks.model_copy(update={"box": looks.box.with_size((0.6, 0.6, 0.4))})
    scene = with_looks(scene, {looks: high})
    assert is_dish(view, high.mask.pixels > 127)
    scene = with_boxed_object(scene, seen_at_height(view, cup, 0.0), "1")
    assert stands_on(scene.object("1").box, scene.object("0").box)
    assert box_faults(carried(scene)) == {}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_cup_on_a_saucer_on_a_tray(order: tuple[int, ...]) -> None:
    view = camera(48.0)
    y = 1.6 / math.tan(math.radians(48.0))
    tray = crate(0.05, y, 0.0, 0.9, 0.6, 0.07)
    saucer = crate(0.05, y, 0.07, 0.42, 0.42, 0.055)
    cup = crate(0.05, y, 0.09, 0.2, 0.2, 0.16)
    masks = outlines(view, [tray, saucer, cup], "crr")
    boxes = boxes_of(found(view, masks, order))
    assert lowest(boxes[0]) == pytest.approx(0.0, abs=1e-9)
    assert lowest(boxes[1]) == pytest.approx(boxes[0].corners()[:, 2].max(), abs=1e-6)
    # In a saucer, not on its rim.
    assert lowest(boxes[1]) < lowest(boxes[2]) < boxes[1].corners()[:, 2].max()
    assert back_to_front(view, boxes) == [0, 1, 2]
    for box, true in zip(boxes, (tray, saucer, cup), strict=True):
        # How high the tray is, is not seen: what is on it hides its form.
        assert np.linalg.norm(box.base_center() - true.base_center()) < 0.12
    assert boxes[1].size[0] == pytest.approx(0.42, rel=0.06)


def test_all_are_found_again_by_a_better_camera() -> None:
    guess, view = camera(20.0), camera(48.0)
    y = 1.6 / math.tan(math.radians(48.0))
    tray, cup = crate(0.05, y, 0.0, 0.8, 0.6, 0.06), crate(0.05, y, 0.06, 0.3, 0.3, 0.25)
    scene = found(guess, outlines(view, [tray, cup], "cr"), (0, 1))
    assert is_as_found(scene)
    better = found_again(scene, view)
    assert better.camera == better.background.view.camera == view
    boxes = boxes_of(better)
    assert lowest(boxes[1]) == pytest.approx(boxes[0].corners()[:, 2].max(), abs=1e-6)
    assert boxes[0].size[0] / boxes[1].size[0] == pytest.approx(0.8 / 0.3, rel=0.15)
    # What a hand has moved or fitted is not found again.
    moved = boxes[1].translated((0.1, 0.0, 0.0))
    assert not is_as_found(better.with_box("1", moved))
    assert not is_as_found(with_source_box(better, "1", moved))


def test_what_stands_on_something_stays_there_for_another_camera() -> None:
    view, other = camera(35.0), camera(42.0)
    y = 1.6 / math.tan(math.radians(35.0))
    below, on = crate(0.0, y, 0.0, 0.6, 0.6, 0.2), crate(0.0, y, 0.2, 0.3, 0.3, 0.4)
    before = found(view, outlines(view, [below, on], "cc"), (0, 1))
    after = recalibrated(before, other)
    low, high = boxes_of(after)
    assert lowest(low) == pytest.approx(0.0, abs=1e-9)
    assert lowest(high) == pytest.approx(low.corners()[:, 2].max(), rel=0.05)
    assert stands_on(high, low)
    for name in "01":
        seen = [one.camera.project(one.object(name).box.corners()) for one in (before, after)]
        assert np.abs(seen[0] - seen[1])[:, :2].max() < 12.0
    assert list(after.background.occluders) == [one.appearance for one in after.objects]
    assert [one.appearance.box for one in after.objects] == [low, high]


def test_pixels_of_two_are_those_of_the_one_in_front() -> None:
    view = camera(35.0)
    y = 1.6 / math.tan(math.radians(35.0))
    below, on = crate(0.0, y, 0.0, 0.6, 0.6, 0.2), crate(0.0, y, 0.2, 0.3, 0.3, 0.4)
    part, whole = outlines(view, [below, on], "cc")
    # A hand that takes the lower one for what is around both.
    for order in ((0, 1), (1, 0)):
        scene = found(view, [np.maximum(part, whole), whole], order)
        looks = {one.name: one.appearance.mask for one in scene.objects}
        assert looks["1"] == Picture(whole)
        assert looks["0"] is not None
        assert overlap(looks["0"].pixels > 127, part > 127) > 0.97
        assert not (np.minimum(looks["0"].pixels, whole) > 0).any()


def test_a_box_that_was_fitted_by_hand_stays() -> None:
    view = camera(35.0)
    y = 1.6 / math.tan(math.radians(35.0))
    below, on = crate(0.0, y, 0.0, 0.6, 0.6, 0.2), crate(0.0, y, 0.2, 0.3, 0.3, 0.4)
    part, whole = outlines(view, [below, on], "cc")
    by_hand = with_source_box(found(view, [part], (0,)), "0", below)
    after = with_found_object(by_hand, Picture(whole), "1", "")
    assert after.object("0").box == below
    assert lowest(after.object("1").box) == pytest.approx(0.2)


@pytest.fixture(scope="module")
def coffee() -> Scene:
    """The photograph that ships, two rectangles drawn on it and nothing else told."""
    photograph = Photograph(load_scene(COFFEE).background.view.picture)
    scene = scene_from_photograph(photograph, guessed_camera(photograph))
    scene = object_in_rectangle(scene, SAUCER, "saucer")
    return object_in_rectangle(scene, CUP, "cup")


def other_way_round(scene: Scene) -> Scene:
    """The same with the cup drawn first."""
    view = scene.background.view
    again = scene_from_photograph(Photograph(view.picture), view.camera)
    for item in reversed(scene.objects):
        assert item.appearance.mask is not None
        again = with_found_object(again, item.appearance.mask, item.name, "")
    return again


def carried(scene: Scene) -> Scene:
    """All objects a little aside: where they were seen, boxes are not found fault with."""
    for item in scene.objects:
        scene = scene.with_box(item.name, item.box.translated((0.01, 0.0, 0.0)))
    return scene


def test_a_cup_on_its_saucer_in_a_photograph(coffee: Scene) -> None:
    by_hand = load_scene(COFFEE)
    # The saucer's outline tells how steeply the camera looks down, though the cup bites into it.
    angle, true = (camera_angles(one.camera)[1] for one in (coffee, by_hand))
    assert angle == pytest.approx(true, abs=4.0)
    for scene in (coffee, other_way_round(coffee)):
        cup, saucer = scene.object("cup").box, scene.object("saucer").box
        assert stands_on(cup, saucer)
        # A cup in its saucer is nothing to be warned of; one that sinks through it is.
        assert box_faults(carried(scene)) == {}
        sunk = scene.with_box("cup", cup.translated((0.0, 0.0, -0.15)))
        assert "reaches into" in box_faults(sunk)["cup"][0]
        assert lowest(saucer) == pytest.approx(0.0, abs=1e-9)
        assert 0.0 < lowest(cup) < saucer.corners()[:, 2].max()
        assert cup.size[0] / saucer.size[0] == pytest.approx(0.074 / 0.141, rel=0.1)
        names = [item.name for item in scene.objects]
        supports = photograph_of(scene.background).supports
        assert supports[names.index("cup")] == names.index("saucer")
        masks = [item.appearance.mask for item in scene.objects]
        assert masks[0] is not None
        assert masks[1] is not None
        assert not (np.minimum(masks[0].pixels, masks[1].pixels) > 127).any()


def test_under_the_cup_is_the_saucer_which_moves_alone(coffee: Scene) -> None:
    """One disc, red, where the cup was: no wood, no white rim."""
    by_hand, decoder = load_scene(COFFEE), ProxyDecoder()
    cup, source = by_hand.object("cup").appearance.mask, coffee.background.view.picture.pixels
    assert cup is not None
    left = decoder.generate(coffee.without("cup")).picture.pixels.astype(float)
    disc, hidden = drawn_disc(by_hand), cup.pixels > 127
    red = left[..., 0] > 2.2 * left[..., 1]
    inner = cv2.erode((hidden & disc).astype(np.uint8), np.ones((9, 9))) > 0
    assert red[inner].mean() > 0.9
    assert (left[inner].min(axis=1) > 150).mean() < 0.002
    # The table beyond it is not, and what is not near it stays as it was, to the bit.
    beyond = hidden & ~(cv2.dilate(disc.astype(np.uint8), np.ones((25, 25))) > 0)
    assert red[beyond].mean() < 0.5
    assert (left[:, :60] == source[:, :60]).all()
    # Without its saucer the cup stays.
    box = coffee.object("saucer").box.translated((0.6, 0.0, 0.0))
    moved = decoder.generate(coffee.with_box("saucer", box)).picture.pixels.astype(int)
    own = coffee.object("cup").appearance.mask
    assert own is not None
    inner = cv2.erode((own.pixels > 127).astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(moved[inner] - source[inner]).mean() < 6.0


def test_a_spoon_beside_the_cup_leaves_the_saucer_whole(coffee: Scene) -> None:
    view = coffee.background.view
    spoon = np.zeros((view.camera.height, view.camera.width), dtype=np.uint8)
    cv2.ellipse(spoon, ((366.0, 285.0), (78.0, 80.0), 0.0), 255, -1)
    scene = with_found_object(coffee, Picture(spoon), "spoon", "")
    before, after = (one.object("saucer").box for one in (coffee, scene))
    assert stands_on(scene.object("spoon").box, after)
    # The cup still hides most of it.
    assert after.size == pytest.approx(before.size, rel=0.03)


def drawn_disc(scene: Scene) -> Mask:
    item = scene.object("saucer")
    out = np.zeros((400, 600), np.uint8)
    points = scene.camera.project(rings(item.box, 0.6))[:, :2]
    cv2.fillConvexPoly(out, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return out > 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_pixels_of_two_are_those_of_the_one_that_would_lose_more(order: tuple[int, ...]) -> None:
    # An outline of the big one that takes the small one for a part of it.
    view = camera(35.0)
    big, small = crate(0.0, 2.2, 0.0, 0.6, 0.6, 0.5), crate(0.42, 2.6, 0.0, 0.2, 0.2, 0.15)
    masks = outlines(view, [big, small], "cc")
    whole = [np.maximum(masks[0], masks[1]), masks[1]]
    scene = found(view, whole, order)
    kept = [scene.object(str(index)).appearance.mask for index in (0, 1)]
    assert kept[0] is not None
    assert kept[1] is not None
    assert (kept[1].pixels == masks[1]).all()
    assert ((kept[0].pixels > 0) == (masks[0] > 0)).all()


def plate_and_pot(down: float) -> tuple[Camera, list[Mask]]:
    """A plate that carries a pot, of which all below a share of its height was taken for it."""
    view = camera(50.0)
    plate, pot = crate(0.0, 1.5, 0.0, 0.6, 0.6, 0.06), crate(0.0, 1.5, 0.04, 0.3, 0.3, 0.28)
    masks = outlines(view, [plate, pot], "rr")
    _, top, _, high = cv2.boundingRect(masks[1])
    lost = masks[1].copy()
    lost[: top + round(down * high)] = 0
    return view, [np.maximum(masks[0], lost), masks[1] - lost]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_plate_is_flat_though_half_of_what_it_carries_was_taken_for_it(
    order: tuple[int, ...],
) -> None:
    view, masks = plate_and_pot(0.5)
    below, _ = boxes_of(found(view, masks, order))
    assert below.size[2] < 0.25 * below.size[0]
    assert below.size[0] == pytest.approx(0.6, rel=0.15)
