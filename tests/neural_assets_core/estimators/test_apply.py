"""What models would tell, put into scenes: here the truth itself, squeezed as models squeeze it."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from neural_assets_core.calibration import Photograph, scene_from_photograph
from neural_assets_core.errors import UserError
from neural_assets_core.estimators import (
    CameraEstimate,
    DepthMap,
    MaskProposal,
    with_estimated_camera,
    with_model_masks,
    with_proposals,
    with_relief,
)
from neural_assets_core.estimators.apply import proposed_box
from neural_assets_core.estimators.base import Bounds
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.camera_pose import camera_angles
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.proxy import draw_photograph
from neural_assets_core.scene import Picture, Scene, load_scene, save_scene
from tests.neural_assets_core.conftest import paint, painted_scene


def true_depth(camera: Camera, boxes: Sequence[Box]) -> np.ndarray:
    """(height, width) metres along the optical axis: ground and boxes, infinite above."""
    origin, rays = camera.rays(camera.pixel_centers())
    reach = -origin[2] / np.where(np.abs(rays[..., 2]) < 1e-9, 1e-9, rays[..., 2])
    depth = np.where(reach > 0, reach, np.inf)
    for box in boxes:
        hits = cast_box(camera, box)
        at = hits.rect.slices
        depth[at] = np.where(hits.hit, np.minimum(depth[at], hits.entry_depth), depth[at])
    return depth


def squeezed(depth: np.ndarray, kind: str) -> DepthMap:
    """As a model tells it: at half the size, scaled and shifted."""
    with np.errstate(divide="ignore"):
        values = 0.3 * depth + 7.0 if kind == "depth" else 40.0 / depth - 3.0
    return DepthMap(values[::2, ::2].astype(np.float32), kind)


class Eye:
    """Sees the painted objects themselves."""

    def __init__(self, ids: np.ndarray) -> None:
        self.masks = [ids == number for number in range(1, ids.max() + 1)]

    def inside(self, picture: Picture, bounds: Bounds) -> MaskProposal:
        left, top, right, bottom = (round(value) for value in bounds)
        best = max(self.masks, key=lambda mask: int(mask[top:bottom, left:right].sum()))
        return MaskProposal(np.where(best, 255, 0).astype(np.uint8), 0.9)

    def everything(
        self, picture: Picture, cancel: threading.Event | None = None
    ) -> list[MaskProposal]:
        # And the sky, which stands on no ground.
        sky = np.zeros(picture.pixels.shape[:2], dtype=bool)
        sky[:10] = True
        return [
            MaskProposal(np.where(mask, 255, 0).astype(np.uint8), 0.9)
            for mask in (sky, *self.masks)
        ]


@pytest.mark.parametrize("kind", ["depth", "inverse"])
def test_a_depth_map_becomes_the_objects_shape(
    camera: Camera, boxes: list[Box], kind: str
) -> None:
    camera = camera.resized(384, 384)
    scene = painted_scene(camera, boxes)
    depth = true_depth(camera, boxes)
    shaped = with_relief(scene, ["box 1", "box 2"], squeezed(depth, kind))
    for item in shaped.objects:
        looks = item.appearance
        assert looks in shaped.background.occluders
        stored = looks.relief.pixels.astype(float)
        inside = looks.mask.pixels > 0
        assert (stored[~inside] == 0).all()
        assert (stored[inside] > 0).mean() > 0.9
        depths = camera.to_camera(looks.box.corners())[:, 2]
        told = depths.min() + (stored - 1) / 254 * np.ptp(depths)
        miss = np.abs(told - depth)[inside & (stored > 0)]
        # Where it begins is as good as the solid that the box is taken for.
        assert np.median(miss) < 0.12 * np.ptp(depths)
        seen = inside & (stored > 0)
        # Where rays graze it, its edge is less steep than it is.
        assert np.corrcoef(told[seen], depth[seen])[0, 1] > 0.94


def test_the_proxy_draws_with_it_and_files_keep_it(
    scene: Scene, boxes: list[Box], tmp_path
) -> None:
    """A wedge: its front goes back with the height, which no guess knows."""
    rows = np.linspace(1, 0, scene.camera.height, dtype=np.float32)[:, None]
    wedge = DepthMap(np.repeat(1 + rows, scene.camera.width, axis=1), "depth")
    shaped = with_relief(scene, ["box 1"], wedge)
    assert shaped.object("box 2").appearance == scene.object("box 2").appearance
    turned = boxes[0].rotated((0, 0, 1), math.radians(35))
    guessed, told = (
        draw_photograph(one.with_box("box 1", turned), one.camera).picture
        for one in (scene, shaped)
    )
    assert (guessed != told).any(axis=-1).mean() > 0.01
    save_scene(shaped, tmp_path / "a.nascene")
    assert load_scene(tmp_path / "a.nascene") == shaped


def test_a_flat_map_changes_nothing(scene: Scene) -> None:
    flat = DepthMap(np.full((10, 10), 3.0, np.float32))
    nothing = DepthMap(np.full((10, 10), np.nan, np.float32))
    for depth in (flat, nothing):
        assert with_relief(scene, ["box 1"], depth) == scene


def test_masks_go_to_the_objects_they_belong_to(camera: Camera, boxes: list[Box]) -> None:
    plain = painted_scene(camera, boxes, masked=False)
    ids = paint(camera, boxes)[1]
    cut = with_model_masks(plain, ["box 2"], Eye(ids))
    assert (cut.object("box 2").appearance.mask.pixels > 0).tolist() == (ids == 2).tolist()
    assert cut.object("box 1") == plain.object("box 1")
    away = boxes[0].translated((50.0, 0.0, 0.0))
    lost = painted_scene(camera, [away, boxes[1]], masked=False)
    with pytest.raises(UserError, match="outside the picture"):
        with_model_masks(lost, ["box 1"], Eye(ids))


def test_proposals_are_what_is_not_known_yet(scene: Scene, boxes: list[Box]) -> None:
    camera = scene.camera
    picture, ids = paint(camera, boxes)
    bare = scene_from_photograph(Photograph(Picture(picture)), camera)
    assert len(with_proposals(bare, Eye(ids)).objects) == 2
    assert len(with_proposals(bare, Eye(ids), limit=1).objects) == 1
    assert with_proposals(scene, Eye(ids)) == scene


@pytest.mark.parametrize("kind", ["depth", "inverse"])
@pytest.mark.parametrize("deep", [0.3, 0.9])
def test_depth_says_how_deep_a_proposed_box_is(kind: str, deep: float) -> None:
    camera = Camera.looking_at((0.0, -3.0, 1.6), (0.0, 0.0, 0.2), 192, 144, 0.8)
    box = Box(center=(0.0, 0.0, 0.2), size=(0.5, deep, 0.4))
    picture, ids = paint(camera, [box])
    view = scene_from_photograph(Photograph(Picture(picture)), camera).background.view
    guess = proposed_box(view, ids == 1)
    told = proposed_box(view, ids == 1, squeezed(true_depth(camera, [box]), kind))
    assert abs(told.size[1] - deep) < abs(guess.size[1] - deep)
    assert told.size[1] == pytest.approx(deep, rel=0.2)


def test_a_camera_as_a_model_tells_it(camera: Camera, scene: Scene) -> None:
    wrong = Camera.looking_at((0.0, -2.0, 1.6), (0.0, 0.0, 0.9), 96, 96, 1.1)
    up = camera.extrinsics[:3, 2]
    bare = scene_from_photograph(Photograph(scene.background.view.picture), wrong)
    estimate = CameraEstimate(float(camera.k[0, 0]), tuple(float(v) for v in up))
    found = with_estimated_camera(bare, estimate).camera
    assert found.k[0, 0] == pytest.approx(camera.k[0, 0])
    assert camera_angles(found)[1:] == pytest.approx(camera_angles(camera)[1:], abs=0.1)
    zoomed = with_estimated_camera(bare, CameraEstimate(focal=2 * float(wrong.k[0, 0]))).camera
    assert camera_angles(zoomed)[1:] == pytest.approx(camera_angles(wrong)[1:], abs=0.1)
    with pytest.raises(UserError, match="no horizon"):
        with_estimated_camera(bare, CameraEstimate(100.0, (0.0, 0.0, 1.0)))
