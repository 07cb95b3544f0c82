"""From one view of an object to a volume that can be drawn from anywhere.

A small network looks at the object's crop of the source view, together with where its box's
front and back lie, and fills the part of space that the crop sees, from the box's nearest to its
farthest depth, with density and with where each point's colour comes from: the source picture
itself, its mirror images in the box's planes (most things are symmetric), or the network's own
guess. Drawing follows viewing rays through the box (Max 1995; Mildenhall et al. 2020), reading
the volume by position in the source view, which keeps its pixels aligned with the picture's
(Saito et al. 2019, PIFu; Yu et al. 2021, pixelNeRF).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ModelMixin, UNet2DModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from numpy.typing import NDArray
from torch import nn

from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import BoxHits, cast_box
from neural_assets_core.model.cache import TensorCache
from neural_assets_core.model.kept_tokens import appearance_key
from neural_assets_core.proxy import LiftedRays, appearance_mask
from neural_assets_core.proxy.objects import FAINTEST
from neural_assets_core.proxy.sampling import sampled
from neural_assets_core.scene import Appearance, Picture

F32 = NDArray[np.float32]

INPUT_CHANNELS = 16
"""Colour (3), mask, mask known, inside the picture, hit, entry (3), exit (3), proportions (3)."""

MIRRORS: F32 = np.array([[1, 1, 1], [1, -1, 1], [-1, 1, 1], [-1, -1, 1]], dtype=np.float32)
"""The object itself, mirrored left to right, front to back, and both."""

VOLUME_CHANNELS = 1 + len(MIRRORS) + 1 + 3
"""Density, a logit for each source of colour (the last is the guess), the guessed colour."""

DENSITY_SCALE = 8.0
"""Density of a network output of about 1, a box half-side."""

STEPS = 20
"""Points looked at along a ray when drawing."""

SHADOW_STEPS = 10
"""The same for the light that an object takes."""

MOST_RAYS = 10_000
"""Rays along which an object's surface is sought; its colours are found for every pixel."""

MARGIN = 0.04
"""Of the crop around the projected box, as a fraction of its sides."""


@dataclass(frozen=True)
class Frustum:
    """The part of space that an object's crop sees: pixels of the source view, metres of depth."""

    left: float
    top: float
    width: float
    height: float
    near: float
    far: float


def frustum_of(appearance: Appearance) -> Frustum:
    """Where an object's crop and volume lie."""
    points = appearance.view.camera.project(appearance.box.corners())
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    extent = np.maximum(high - low, 1e-3)
    pad = MARGIN * extent
    return Frustum(
        left=float(low[0] - pad[0]),
        top=float(low[1] - pad[1]),
        width=float(extent[0] + 2 * pad[0]),
        height=float(extent[1] + 2 * pad[1]),
        near=float(low[2]),
        far=float(low[2] + extent[2]),
    )


def lifting_inputs(appearance: Appearance, size: int) -> F32:
    """(16, size, size) what the network is told; see `INPUT_CHANNELS`."""
    camera, place = appearance.view.camera, frustum_of(appearance)
    scale = np.array([size / place.width, size / place.height])
    to_crop = np.diag([scale[0], scale[1], 1.0])
    k = to_crop @ np.array([[1, 0, -place.left], [0, 1, -place.top], [0, 0, 1.0]]) @ camera.k
    hits = cast_box(Camera.from_matrices(size, size, k, camera.extrinsics), appearance.box)
    inputs = np.zeros((INPUT_CHANNELS, size, size), dtype=np.float32)
    picture = appearance.view.picture.pixels
    inputs[:3] = _cropped(picture, place, size).transpose(2, 0, 1) / 127.5 - 1.0
    inputs[5] = _cropped(np.full(picture.shape[:2], 255, np.uint8), place, size) / 255.0
    rows, columns = hits.rect.slices
    if appearance.mask is not None:
        inputs[3] = _cropped(appearance.mask.pixels, place, size) / 255.0
        inputs[4] = 1.0
    else:
        inputs[3, rows, columns] = hits.hit
    inputs[6, rows, columns] = hits.hit
    inputs[7:10, rows, columns] = np.where(hits.hit[..., None], hits.entry, 0).transpose(2, 0, 1)
    inputs[10:13, rows, columns] = np.where(hits.hit[..., None], hits.exit, 0).transpose(2, 0, 1)
    extents = np.log(np.asarray(appearance.box.size))
    inputs[13:16] = (extents - extents.mean())[:, None, None]
    return inputs


def ray_points(entry: Float, leave: Float, fractions: Float) -> F32:
    """(n, k, 3) points from `entry` to `leave` (n, 3), at `fractions` (k,) or (n, k) between."""
    start, way = entry.astype(np.float32), (leave - entry).astype(np.float32)
    points: F32 = start[:, None] + fractions.astype(np.float32)[..., None] * way[:, None]
    return points


def _projected(appearance: Appearance, points: F32) -> tuple[F32, F32]:
    """Pixels (..., 2) and depths (...) in the source view of points in the box's own frame.

    What lies behind the camera comes out far beyond the picture.
    """
    box, camera = appearance.box, appearance.view.camera
    to_world = np.eye(4)
    to_world[:3, :3] = box.rotation_matrix() * (0.5 * np.asarray(box.size))
    to_world[:3, 3] = box.center
    matrix = (camera.k @ (camera.extrinsics @ to_world)[:3]).astype(np.float32)
    # One product of two plain matrices: of a stack, numpy multiplies one by one.
    local = points.reshape(-1, 3) @ matrix[:, :3].T + matrix[:, 3]
    local = local.reshape(points.shape)
    depth = local[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = local[..., :2] / depth[..., None]
    behind = depth < 1e-6
    if behind.any():
        pixels[behind] = -1e4
    return pixels, depth


def volume_coordinates(appearance: Appearance, points: F32) -> F32:
    """Where points (..., 3) of the object's box, in [-1, 1]^3, lie in its volume."""
    place = frustum_of(appearance)
    pixels, depth = _projected(appearance, points)
    low = np.array([place.left, place.top], dtype=np.float32)
    extent = np.array([place.width, place.height], dtype=np.float32)
    across = (pixels - low) * (2 / extent) - 1
    along = (depth - np.float32(place.near)) * np.float32(2 / (place.far - place.near)) - 1
    return np.concatenate([across, along[..., None]], axis=-1)


def source_colours(
    appearance: Appearance, source: Picture, points: F32
) -> tuple[NDArray[np.uint8], F32]:
    """What the source view shows of points of the box, and of their mirror images.

    Parameters
    ----------
    appearance : Appearance
    source : Picture
        Its picture, maybe smaller.
    points : float32 array (n, k, 3)
        In the box's own frame.

    Returns
    -------
    shown : uint8 (n, k, 4, 3)
        For each of `MIRRORS`.
    seen : float32 (n, k, 4)
        1 where the object's mask covers that.
    """
    camera = appearance.view.camera
    pixels, _ = _projected(appearance, points[:, :, None] * MIRRORS)
    pixels = pixels.clip(-1e4, 1e5).reshape(-1, 2)
    shape = (*points.shape[:2], len(MIRRORS))
    scale = np.array([source.width / camera.width, source.height / camera.height], np.float32)
    shown = sampled(source.pixels, pixels * scale)
    seen = sampled(_inner_mask(appearance), pixels, outside=0)
    return shown.reshape(*shape, 3), seen.reshape(shape).astype(np.float32) / np.float32(255)


@lru_cache(maxsize=64)
def _inner_mask(appearance: Appearance) -> NDArray[np.uint8]:
    """(height, width) of the source view, 255 where the object is seen, drawn in a little."""
    mask = appearance_mask(appearance)
    # The outermost pixels are mixed with the background: nothing may be painted with them.
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), dtype=np.uint8)


def _cropped(image: NDArray[np.uint8], place: Frustum, size: int) -> F32:
    """The frustum's crop of an image at (size, size), zero outside of it."""
    scale = np.array([size / place.width, size / place.height])
    # Averaged first where it shrinks: sampling alone would alias.
    shrink = np.minimum(scale, 1.0)
    if shrink.min() < 0.75:
        shape = np.maximum(np.round(np.array(image.shape[1::-1]) * shrink), 1).astype(int)
        shrink = shape / image.shape[1::-1]
        image = np.asarray(
            cv2.resize(image, tuple(shape.tolist()), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
        scale = scale / shrink
    else:
        shrink = np.ones(2)
    shift = -np.array([place.left, place.top]) * shrink * scale + 0.5 * scale - 0.5
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    cropped = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(cropped, dtype=np.float32)


class ObjectLifter(ModelMixin, ConfigMixin):
    """The network: crops (b, 16, 2 s, 2 s) to volumes (b, `VOLUME_CHANNELS`, d, s, s).

    Parameters
    ----------
    sample_size : int
        Cells a side, s; the crop has twice as many pixels.
    depth : int
        Cells from the box's nearest to its farthest depth.
    block_out_channels : tuple of int
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 32,
        depth: int = 24,
        block_out_channels: tuple[int, ...] = (64, 96, 128),
        layers_per_block: int = 1,
        norm_num_groups: int = 16,
    ) -> None:
        super().__init__()
        levels = len(block_out_channels)
        self.unet = UNet2DModel(
            sample_size=sample_size,
            in_channels=4 * INPUT_CHANNELS,
            out_channels=depth * VOLUME_CHANNELS,
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            block_out_channels=tuple(block_out_channels),
            layers_per_block=layers_per_block,
            attention_head_dim=min(32, block_out_channels[-1]),
            norm_num_groups=norm_num_groups,
        )
        self.unshuffle = nn.PixelUnshuffle(2)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Volumes of a batch of crops."""
        depth, size = self.config.depth, self.config.sample_size
        output: torch.Tensor = self.unet(self.unshuffle(crops), 0).sample
        return output.view(-1, VOLUME_CHANNELS, depth, size, size)


def densities(volumes: torch.Tensor, coordinates: torch.Tensor, lengths: torch.Tensor) -> (
    torch.Tensor
):
    """How much each sample adds to its ray: weights (b, n, k), their sum the coverage.

    Parameters
    ----------
    volumes : tensor (b, c, d, s, s)
    coordinates : tensor (b, n, k, 3)
    lengths : tensor (b, n)
    """
    raw = _looked_up(volumes[:, :1], coordinates)[..., 0]
    thickness = F.softplus(raw) * DENSITY_SCALE * lengths[..., None]
    behind = torch.cumsum(thickness, dim=-1)
    before = behind - thickness
    return torch.exp(-before) - torch.exp(-behind)


def colours(
    volumes: torch.Tensor, coordinates: torch.Tensor, shown: torch.Tensor, seen: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (b, n, k, 3) in [0, 1] of samples, and the source picture's share (b, n, k).

    Parameters
    ----------
    volumes : tensor (b, c, d, s, s)
    coordinates : tensor (b, n, k, 3)
    shown : tensor (b, n, k, 4, 3)
        In [0, 1].
    seen : tensor (b, n, k, 4)
    """
    values = _looked_up(volumes[:, 1:], coordinates)
    logits, guess = values[..., : len(MIRRORS) + 1], torch.sigmoid(values[..., -3:])
    known = torch.cat([torch.log(seen + 1e-3), torch.zeros_like(seen[..., :1])], dim=-1)
    shares = torch.softmax(logits + known, dim=-1)
    mixed = (shares[..., :-1, None] * shown).sum(dim=-2) + shares[..., -1:] * guess
    return mixed, shares[..., 0]


def _looked_up(volumes: torch.Tensor, coordinates: torch.Tensor) -> torch.Tensor:
    """(b, n, k, c) trilinear values of (b, c, d, s, s) at (b, n, k, 3)."""
    values = F.grid_sample(
        volumes.float(), coordinates[:, None].float(), padding_mode="border", align_corners=False
    )
    return values[:, :, 0].permute(0, 2, 3, 1)


class VolumeLifter:
    """Draws objects from the volumes that a network makes of them.

    Parameters
    ----------
    network : ObjectLifter
        Used from one thread at a time.
    autocast : torch.dtype, optional
        Compute volumes in this precision.
    """

    def __init__(self, network: ObjectLifter, autocast: torch.dtype | None = None) -> None:
        self.network, self.autocast = network, autocast
        self._volumes = TensorCache()

    @torch.no_grad()
    def draw(self, appearance: Appearance, source: Picture, hits: BoxHits) -> LiftedRays:
        """See `Lifter.draw`.

        The surface of a large object is sought on a coarser grid than its colours.
        """
        volume = self._volume(appearance)
        stride = math.ceil(math.sqrt(np.count_nonzero(hits.hit) / MOST_RAYS))
        coarse = (slice(stride // 2, None, stride),) * 2
        inside = hits.hit[coarse]
        covered = np.zeros((*inside.shape, 2), dtype=np.float32)
        covered[inside] = _surface(
            volume, appearance, hits.entry[coarse][inside], hits.exit[coarse][inside]
        )
        if stride > 1:
            # Times the coverage, so that the box's rim does not count as depth.
            covered[..., 1] *= covered[..., 0]
            size = (inside.shape[1] * stride, inside.shape[0] * stride)
            covered = np.asarray(cv2.resize(covered, size, interpolation=cv2.INTER_LINEAR))
            rows, columns = hits.hit.shape
            covered = np.pad(covered, ((0, stride), (0, stride), (0, 0)), "edge")[:rows, :columns]
            covered[..., 1] /= np.maximum(covered[..., 0], 1e-4)
        alpha, fraction = covered[hits.hit].T
        colour, trust = np.zeros((len(alpha), 3), np.float32), np.zeros(len(alpha), np.float32)
        # Much of most boxes is empty.
        there = alpha > FAINTEST
        if there.any():
            entry, leave = hits.entry[hits.hit][there], hits.exit[hits.hit][there]
            met = (entry + fraction[there, None] * (leave - entry)).astype(np.float32)
            colour[there], trust[there] = _coloured(volume, appearance, source, met)
            colour[there] *= alpha[there, None]
        return LiftedRays(colour, alpha, fraction, trust)

    @torch.no_grad()
    def coverage(self, appearance: Appearance, entry: Float, leave: Float) -> F32:
        """See `Lifter.coverage`."""
        fractions = (np.arange(SHADOW_STEPS) + 0.5) / SHADOW_STEPS
        weights = _weights(self._volume(appearance), appearance, entry, leave, fractions)[1]
        taken: F32 = weights.sum(axis=1)
        return taken

    def _volume(self, appearance: Appearance) -> torch.Tensor:
        """(1, c, d, s, s), kept while the object is in use: poses do not change it."""
        # Its own `dtype` and `device` look through all of it.
        weight = next(self.network.parameters())
        key = (appearance_key(appearance), weight.dtype, weight.device, self.autocast)
        return self._volumes.get(key, lambda: self._made(appearance))

    def _made(self, appearance: Appearance) -> torch.Tensor:
        crop = lifting_inputs(appearance, 2 * self.network.config.sample_size)
        pixels = torch.from_numpy(crop)[None].to(self.network.device, self.network.dtype)
        device = self.network.device.type
        with torch.autocast(device, self.autocast, enabled=self.autocast is not None):
            volume: torch.Tensor = self.network(pixels).float()
        return volume


def _weights(
    volume: torch.Tensor, appearance: Appearance, entry: Float, leave: Float, fractions: Float
) -> tuple[F32, F32]:
    """(n, k, 3) points on the rays, and how much each adds to its ray (n, k)."""
    points = ray_points(entry, leave, fractions)
    lengths = (np.linalg.norm(leave - entry, axis=1) / len(fractions)).astype(np.float32)
    at = torch.from_numpy(volume_coordinates(appearance, points))[None].to(volume.device)
    weights = densities(volume, at, torch.from_numpy(lengths)[None].to(volume.device))
    return points, weights[0].cpu().numpy()


def _surface(
    volume: torch.Tensor, appearance: Appearance, entry: Float, leave: Float
) -> F32:
    """(n, 2) coverage of rays, and the fraction of the way where half of it is met.

    Not the mean: between two surfaces there is nothing. And one point a ray, not a mixture of
    points, or the source's texture would be smeared over all of them.
    """
    fractions = (np.arange(STEPS) + 0.5) / STEPS
    _, share = _weights(volume, appearance, entry, leave, fractions)
    met = np.cumsum(share, axis=1)
    alpha = met[:, -1]
    step = (met < 0.5 * alpha[:, None]).sum(axis=1).clip(0, STEPS - 1)[:, None]
    there = np.take_along_axis(share, step, axis=1)[:, 0]
    before = np.take_along_axis(met, step, axis=1)[:, 0] - there
    within = (0.5 * alpha - before) / np.maximum(there, 1e-6)
    fraction = (step[:, 0] + within.clip(0.0, 1.0)) / STEPS
    return np.stack([alpha, fraction], axis=1).astype(np.float32)


def _coloured(
    volume: torch.Tensor, appearance: Appearance, source: Picture, points: F32
) -> tuple[F32, F32]:
    """Colours (n, 3) in [0, 255] of points (n, 3), and the source's own share (n,)."""

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).float()[None].to(volume.device)

    each = points[:, None]
    shown, seen = source_colours(appearance, source, each)
    at = tensor(volume_coordinates(appearance, each))
    mixed, own = colours(volume, at, tensor(shown) / 255.0, tensor(seen))
    colour = np.asarray(255.0 * mixed[0, :, 0].cpu(), dtype=np.float32)
    return colour, np.asarray(own[0, :, 0].cpu(), dtype=np.float32)
