from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import cast_box, silhouette
from neural_assets_core.model.build import LifterConfig, build_lifter
from neural_assets_core.model.frustum import (
    INPUT_CHANNELS,
    MIRRORS,
    frustum_of,
    in_volume,
    lifting_inputs,
    ray_points,
    seen_along,
    volume_coordinates,
)
from neural_assets_core.model.lifting import ObjectLifter, VolumeLifter, densities
from neural_assets_core.model.volume import Volume
from neural_assets_core.proxy import appearance_mask, render_proxy
from neural_assets_core.proxy.objects import object_layer
from neural_assets_core.proxy.sampling import possible_mask
from neural_assets_core.scene import Picture, Scene
from tests.neural_assets_core.conftest import paint


def constant_lifter(density: float, source: float = 8.0) -> ObjectLifter:
    """A network that fills every box evenly and takes colours from the source."""
    lifter = ObjectLifter(sample_size=8, depth=6, block_out_channels=(8, 16), norm_num_groups=4)
    bias = torch.zeros(9, 6)
    bias[0], bias[1] = density, source
    with torch.no_grad():
        lifter.unet.conv_out.weight.zero_()
        lifter.unet.conv_out.bias.copy_(bias.reshape(-1))
    return lifter.eval()


def test_inputs_show_the_crop_and_where_the_box_is(scene: Scene) -> None:
    appearance = scene.object("box 1").appearance
    inputs = lifting_inputs(appearance, 48)
    assert inputs.shape == (INPUT_CHANNELS, 48, 48)
    assert np.isfinite(inputs).all()
    mask, hit, entry = inputs[3], inputs[6] > 0.5, inputs[7:10]
    # A painted box fills its own silhouette, and is coloured by where it is entered.
    assert np.mean((mask > 0.5) == hit) > 0.95
    inner = hit & (mask > 0.99)
    shown = (inputs[:3] + 1) * 127.5
    expected = 127.5 + 120 * entry
    assert np.abs(shown - expected)[:, inner].mean() < 6


def test_rays_lie_where_their_points_do(scene: Scene) -> None:
    appearance = scene.object("box 2").appearance
    entry, leave = np.random.default_rng(0).uniform(-1, 1, (2, 3, 40))
    fractions = np.array([0.0, 0.3, 1.0])
    expected = volume_coordinates(appearance, ray_points(entry, leave, fractions))
    along = in_volume(appearance, *seen_along(appearance, entry, leave, fractions))
    assert np.array(along) == pytest.approx(np.array(expected).swapaxes(1, 2), abs=1e-4)


def test_frustum_and_coordinates_agree_with_the_camera(scene: Scene) -> None:
    appearance = scene.object("box 2").appearance
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    at = np.stack(volume_coordinates(appearance, corners.T), axis=-1)
    # All corners are inside, and touch near and far.
    assert np.abs(at).max() <= 1.0 + 1e-5
    assert at[:, 2].min() == pytest.approx(-1, abs=1e-4)
    assert at[:, 2].max() == pytest.approx(1, abs=1e-4)
    place, camera = frustum_of(appearance), appearance.view.camera
    pixel = camera.project(appearance.box.to_world(corners[3].astype(float)))
    assert (at[3, 0] + 1) / 2 * place.width + place.left == pytest.approx(pixel[0], abs=1e-3)


def test_weights_add_up_to_the_coverage() -> None:
    volume = torch.full((1, 9, 4, 4, 4), 0.3)
    lengths = torch.tensor([[0.1, 0.4]])
    coordinates = torch.zeros(1, 2, 5, 3)
    weights = densities(volume, coordinates, lengths[..., None])
    thickness = torch.nn.functional.softplus(torch.tensor(0.3)) * 8.0 * 5 * lengths
    assert torch.allclose(weights.sum(dim=-1), 1 - torch.exp(-thickness))
    assert (weights[..., :-1] > weights[..., 1:]).all()


def test_a_volume_is_drawn_as_it_was_learnt() -> None:
    rng = np.random.default_rng(1)
    # Smooth, as what networks answer: positions are rounded to 1/32 of a cell.
    coarse = torch.from_numpy(rng.normal(size=(1, 9, 3, 4, 4)).astype(np.float32))
    values = torch.nn.functional.interpolate(coarse, (6, 16, 16), mode="trilinear")
    volume, points = Volume.of(values), rng.uniform(-1.3, 1.3, (3, 50, 7)).astype(np.float32)
    at = torch.from_numpy(np.moveaxis(points, 0, -1).copy())[None, None]
    expected = torch.nn.functional.grid_sample(
        values, at, padding_mode="border", align_corners=False
    )[0, :, 0].numpy()
    assert volume.density_at(*points) == pytest.approx(expected[0], abs=0.03)
    colour = volume.colour_at(*points.reshape(3, -1)).reshape(8, 50, 7)
    assert colour == pytest.approx(expected[1:], abs=0.03)
    assert np.abs(expected).max() > 0.5


def test_solid_volume_draws_the_box_as_it_was(scene: Scene, camera: Camera) -> None:
    item = scene.object("box 1")
    lifter = VolumeLifter(constant_lifter(30.0))
    hits = cast_box(camera, item.box)
    outline = appearance_mask(item.appearance)
    layer = lifter.draw(item.appearance, item.appearance.view.picture, hits, outline)
    truth = item.appearance.view.picture.pixels[hits.rect.slices].reshape(-1, 3)[layer.pixels]
    assert np.sum(layer.alpha > 0.9) > 0.98 * hits.hit.sum()
    inner = np.abs(layer.colour - truth).max(axis=1) < 40
    assert inner.mean() > 0.7
    near, far = (of.reshape(-1)[layer.pixels] for of in (hits.entry_depth, hits.exit_depth))
    assert np.median((layer.depth - near) / (far - near)) < 0.2


def test_solid_volume_moves_and_turns_like_the_painted_box(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    turned = boxes[0].translated((0.05, -0.2, 0)).rotated((0, 0, 1), math.radians(20))
    edited = scene.with_box("box 1", turned)
    layers = render_proxy(edited, camera, VolumeLifter(constant_lifter(30.0)))
    truth, ids = paint(camera, [turned, boxes[1]])
    copied = scene.background.view.picture.pixels.astype(float)
    error = np.abs(layers.picture.astype(float) - truth)[ids == 1].mean()
    assert error < 0.6 * np.abs(copied - truth)[ids == 1].mean()
    assert layers.coverage[silhouette(camera, turned)].mean() > 0.9


def test_outlines_are_as_sharp_as_the_mask(scene: Scene, camera: Camera) -> None:
    item, half = scene.object("box 1"), np.zeros((camera.height, camera.width), np.uint8)
    rect = cast_box(camera, item.box).rect
    middle = (rect.left + rect.right) // 2
    half[:, :middle] = appearance_mask(item.appearance)[:, :middle]
    cut = item.appearance.model_copy(update={"mask": Picture(half)})
    # The network's cells are several pixels wide, and its density everywhere the same.
    layer = object_layer(item.box, cut, camera, VolumeLifter(constant_lifter(0.5)))
    alpha = np.zeros(camera.height * camera.width)
    alpha[layer.pixels] = layer.alpha
    drawn = alpha.reshape(camera.height, camera.width)[(rect.top + rect.bottom) // 2]
    assert drawn[middle - 6 : middle - 1].min() > 0.8
    assert drawn[middle + 1 :].max() == 0.0


def test_what_others_hide_may_be_there(scene: Scene, camera: Camera) -> None:
    behind, before = sorted(
        (item.appearance for item in scene.objects), key=lambda a: -a.box.center[1]
    )
    own = behind.box.model_copy(update={"center": before.box.center}).translated((0.0, 0.3, 0.0))
    own_mask = np.where(silhouette(camera, own), 255, 0) & ~appearance_mask(before)
    hidden = behind.model_copy(update={"box": own, "mask": Picture(own_mask.astype(np.uint8))})
    others = (before, hidden)
    assert possible_mask(hidden, others)[appearance_mask(before) > 0].all()
    assert np.array_equal(possible_mask(before, others), appearance_mask(before))
    lifter = VolumeLifter(constant_lifter(30.0))
    alone = object_layer(own, hidden, camera, lifter)
    whole = object_layer(own, hidden, camera, lifter, others)
    covered = silhouette(camera, own) & (appearance_mask(before) > 0)
    assert not covered.reshape(-1)[alone.pixels].any()
    assert covered.reshape(-1)[whole.pixels].sum() > 0.9 * covered.sum()


def test_large_objects_are_drawn_like_small_ones(
    scene: Scene, camera: Camera, boxes: list[Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = scene.with_box("box 1", boxes[0].translated((0.1, -0.3, 0)))
    lifter = VolumeLifter(constant_lifter(30.0))
    fine = render_proxy(moved, camera, lifter)
    monkeypatch.setattr("neural_assets_core.model.lifting.MOST_RAYS", 150)
    coarse = render_proxy(moved, camera, lifter)
    difference = np.abs(fine.picture.astype(int) - coarse.picture)
    assert (difference > 24).mean() < 0.03


def test_empty_volume_draws_nothing(scene: Scene, camera: Camera, boxes: list[Box]) -> None:
    edited = scene.with_box("box 1", boxes[0].translated((0.3, -0.4, 0)))
    layers = render_proxy(edited, camera, VolumeLifter(constant_lifter(-30.0)))
    moved = silhouette(camera, edited.object("box 1").box) & ~silhouette(camera, boxes[1])
    assert layers.coverage[moved].max() < 0.02


def test_volumes_are_made_once(scene: Scene, boxes: list[Box], camera: Camera) -> None:
    network = constant_lifter(3.0)
    calls = []
    network.register_forward_hook(lambda *_: calls.append(1))
    lifter = VolumeLifter(network)
    for step in range(3):
        moved = boxes[0].translated((0.1 * (step + 1), 0, 0))
        render_proxy(scene.with_box("box 1", moved), camera, lifter)
    # Both objects, for their shadows; however often the first one moves.
    assert len(calls) == 2


def test_mirrors_are_the_object_and_its_images() -> None:
    assert np.array_equal(MIRRORS[0], [1, 1, 1])
    assert len(np.unique(MIRRORS, axis=0)) == len(MIRRORS)
    start, end = np.array([[-1.0, 0, 0]]), np.array([[1.0, 0, 0]])
    points = ray_points(start.T, end.T, np.array([0.0, 0.5, 1.0]))
    assert np.allclose(points[:, 0].T, [[-1, 0, 0], [0, 0, 0], [1, 0, 0]])


def test_a_finer_network_starts_from_a_coarser_one(tiny_pipeline, tmp_path) -> None:
    coarse = constant_lifter(30.0)
    tiny_pipeline.save_pretrained(tmp_path / "made")
    coarse.save_pretrained(tmp_path / "made" / "lifter")
    shape = {"depth": 6, "block_out_channels": (8, 16), "norm_num_groups": 4}
    config = LifterConfig(initial=str(tmp_path / "made"), sample_size=12, **shape)
    finer = build_lifter(config)
    assert finer.config.sample_size == 12
    assert torch.equal(finer.unet.conv_out.bias, coarse.unet.conv_out.bias)
    with pytest.raises(UserError, match="another shape"):
        build_lifter(config.model_copy(update={"depth": 5}))
