"""RoIAlign, pose tokens and maps against values worked out by hand or by another way."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.conditioning import (
    layout_map,
    pose_corners,
    region,
    relative_camera_pose,
    source_inputs,
)
from neural_assets_core.model.roi_align import roi_align
from neural_assets_core.model.tokenizer import AssetTokenizer
from neural_assets_core.scene import Scene


def reference_roi_align(
    features: np.ndarray, box: tuple[float, ...], bins: int, samples: int = 2
) -> np.ndarray:
    """Bin by bin, sample by sample, with bilinear interpolation clamped at the edge."""
    channels, height, width = features.shape
    x0, y0, x1, y1 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    out = np.zeros((bins, bins, channels))
    for row in range(bins):
        for column in range(bins):
            total = np.zeros(channels)
            for i in range(samples):
                for j in range(samples):
                    y = y0 + (y1 - y0) * (row + (i + 0.5) / samples) / bins - 0.5
                    x = x0 + (x1 - x0) * (column + (j + 0.5) / samples) / bins - 0.5
                    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
                    top, left = int(y), int(x)
                    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
                    dy, dx = y - top, x - left
                    total += (
                        features[:, top, left] * (1 - dy) * (1 - dx)
                        + features[:, top, right] * (1 - dy) * dx
                        + features[:, bottom, left] * dy * (1 - dx)
                        + features[:, bottom, right] * dy * dx
                    )
            out[row, column] = total / samples**2
    return out.reshape(bins * bins, channels)


@given(
    corners=st.tuples(*[st.floats(0, 1) for _ in range(4)]),
    bins=st.integers(1, 4),
    seed=st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_roi_align_is_the_mean_of_bilinear_samples(
    corners: tuple[float, ...], bins: int, seed: int
) -> None:
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    features = np.random.default_rng(seed).normal(size=(3, 7, 9)).astype(np.float32)
    box = torch.tensor([[[x0, y0, x1, y1]]])
    pooled = roi_align(torch.from_numpy(features)[None], box, bins)[0, 0].numpy()
    expected = reference_roi_align(features, tuple(box[0, 0].tolist()), bins)
    if x1 > x0 and y1 > y0 and (box[0, 0, 2] > box[0, 0, 0]) and (box[0, 0, 3] > box[0, 0, 1]):
        assert np.allclose(pooled, expected, atol=1e-4)
    else:
        assert not pooled.any()


def test_roi_align_of_a_ramp_is_the_coordinate() -> None:
    ramp = torch.arange(8, dtype=torch.float32).expand(1, 1, 8, 8)
    pooled = roi_align(ramp, torch.tensor([[[0.25, 0.0, 0.75, 1.0]]]), 2)
    # Bins of two cells each between cell edges 2 and 6: centres 3 and 5, half a cell back.
    assert torch.allclose(pooled[0, 0, :, 0], torch.tensor([2.5, 4.5, 2.5, 4.5]))


def test_empty_region_has_no_appearance_and_no_gradient_trouble() -> None:
    features = torch.randn(1, 4, 5, 5, requires_grad=True)
    pooled = roi_align(features, torch.zeros(1, 2, 4), 3)
    assert not pooled.any()
    pooled.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_corners_are_p0_p1_p2_p4_with_depth(camera: Camera) -> None:
    box = Box(center=(0.1, 0.3, 0.4), size=(0.2, 0.4, 0.6))
    corners = pose_corners(box, camera)
    expected = camera.project(
        np.array([[0.0, 0.1, 0.1], [0.0, 0.1, 0.7], [0.0, 0.5, 0.1], [0.2, 0.1, 0.1]])
    )
    assert np.allclose(corners[:, 2], expected[:, 2], atol=1e-6)
    assert np.allclose(corners[:, :2] * [camera.width, camera.height], expected[:, :2], atol=1e-4)


def test_a_window_shifts_the_corners_exactly(camera: Camera) -> None:
    box = Box(center=(0.0, 0.0, 0.2), size=(0.3, 0.3, 0.3))
    whole = pose_corners(box, camera)[:, :2] * 96
    part = pose_corners(box, camera.cropped(24, 12, 48, 48).resized(32, 32))[:, :2] * 48
    assert np.allclose(whole - [24, 12], part, atol=1e-3)


def test_unmoved_camera_has_the_identity_pose(camera: Camera) -> None:
    pose = relative_camera_pose(camera, camera)
    assert np.allclose(pose, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], atol=1e-6)


def test_relative_pose_takes_source_camera_points_to_the_target_camera(camera: Camera) -> None:
    other = Camera.looking_at((0.5, -2.5, 1.2), (0.1, 0.1, 0.2), 96, 96, 0.8)
    pose = relative_camera_pose(camera, other)
    point = np.array([0.3, 0.2, 0.5])
    moved = pose[:9].reshape(3, 3) @ camera.to_camera(point) + pose[9:]
    assert np.allclose(moved, other.to_camera(point), atol=1e-5)


def test_layout_map_says_where_the_ray_enters(camera: Camera, boxes: list[Box]) -> None:
    layout, nearest = layout_map(boxes, camera.resized(48, 48))
    hit = layout[7] > 0
    assert np.array_equal(hit, nearest >= 0)
    assert set(np.unique(nearest)) == {-1, 0, 1}
    origin, directions = camera.resized(48, 48).rays(camera.resized(48, 48).pixel_centers())
    row, column = np.argwhere(nearest == 1)[20]
    depth = math.exp(layout[6, row, column])
    entry = boxes[1].to_local(origin + depth * directions[row, column])
    assert np.allclose(entry, layout[:3, row, column], atol=1e-4)
    assert np.isclose(np.abs(entry).max(), 1.0, atol=1e-4)


def test_region_is_tight_around_the_mask(scene: Scene) -> None:
    appearance = scene.object("box 1").appearance
    rows, columns = np.nonzero(appearance.mask.pixels)
    expected = [columns.min() / 96, rows.min() / 96, (columns.max() + 1) / 96,
                (rows.max() + 1) / 96]
    assert np.allclose(region(appearance), expected)
    unmasked = appearance.model_copy(update={"mask": None})
    assert np.allclose(region(unmasked), expected, atol=0.06)


def test_foreground_and_background_share_the_picture_out(scene: Scene) -> None:
    inputs = source_inputs(scene.background.view, scene.background.occluders, 96)
    source = scene.background.view.picture.pixels
    in_front = (inputs.foreground == source).all(axis=-1)
    behind = (inputs.background == source).all(axis=-1)
    assert (in_front | behind).all()
    assert 0.02 < in_front.mean() < 0.5


def test_tokens_of_an_object_share_its_pose_but_not_its_looks() -> None:
    torch.manual_seed(0)
    tokenizer = AssetTokenizer(feature_channels=8, cross_attention_dim=16, appearance_dim=16,
                               pose_dim=16, pose_hidden_dim=16)
    features, corners = torch.randn(1, 2, 9, 8), torch.rand(1, 2, 4, 3)
    tokens = tokenizer.object_tokens(features, corners)
    assert tokens.shape == (1, 2, 9, 16)
    moved = tokenizer.object_tokens(features, corners + torch.tensor([[[[0.1]]], ]))
    shift = moved - tokens
    assert shift.abs().max() > 1e-4
    # The pose's share of all tokens of one object changes alike.
    assert torch.allclose(shift, shift[:, :, :1].expand_as(shift), atol=1e-5)


def test_splat_paints_the_nearest_objects_looks_and_nothing_elsewhere() -> None:
    torch.manual_seed(0)
    tokenizer = AssetTokenizer(feature_channels=8, splat_channels=4)
    features = torch.randn(1, 2, 9, 8)
    nearest = torch.tensor([[[-1, 0], [1, 1]]])
    painted = tokenizer.splatted(features, nearest)
    pooled = tokenizer.splat(features.mean(dim=2))
    assert not painted[0, :, 0, 0].any()
    assert torch.allclose(painted[0, :, 0, 1], pooled[0, 0])
    assert torch.allclose(painted[0, :, 1, 0], pooled[0, 1])
