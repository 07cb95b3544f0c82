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
import threading
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ModelMixin, UNet2DModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from numpy.typing import NDArray
from torch import nn

from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import BoxHits
from neural_assets_core.model.cache import TensorCache
from neural_assets_core.model.frustum import (
    F32,
    INPUT_CHANNELS,
    MIRRORS,
    frustum_of,
    lifting_inputs,
    ray_coordinates,
    source_colours,
    volume_coordinates,
)
from neural_assets_core.model.kept_tokens import appearance_key
from neural_assets_core.proxy import LiftedRays
from neural_assets_core.proxy.objects import FAINTEST
from neural_assets_core.proxy.sampling import sampled
from neural_assets_core.scene import Appearance, Picture
from neural_assets_core.yielding import yield_point

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

DECISION = 2.0
"""Slope, about a half, of what is drawn over the coverage that the volume says.

The network answers with probabilities, and where it cannot know an outline it is blurred. A
picture takes a side.
"""

WHOLE = 0.95
"""Share of a cell above which the mask counts as covering it."""

LEAST = 0.3
"""Of the mask, in cells: about a cell whose density is to be guessed from its neighbours."""


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
    lengths : tensor (b, n, k)
        Of the ray around each sample, box half-sides; k may be 1.
    """
    raw = _looked_up(volumes[:, :1], coordinates)[..., 0]
    thickness = F.softplus(raw) * DENSITY_SCALE * lengths
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
    """Draws objects from the volumes that a network makes of them; from any thread.

    Parameters
    ----------
    network : ObjectLifter
    autocast : torch.dtype, optional
        Compute volumes in this precision.
    """

    def __init__(self, network: ObjectLifter, autocast: torch.dtype | None = None) -> None:
        self.network, self.autocast = network, autocast
        self._volumes, self._lock = TensorCache(), threading.Lock()

    @torch.no_grad()
    def draw(
        self, appearance: Appearance, source: Picture, hits: BoxHits, outline: NDArray[np.uint8]
    ) -> LiftedRays:
        """See `Lifter.draw`.

        The surface of a large object is sought on a coarser grid than its colours.
        """
        volume, hit = self._volume(appearance), np.flatnonzero(hits.hit)
        stride = math.ceil(math.sqrt(len(hit) / MOST_RAYS))
        coarse = (slice(stride // 2, None, stride),) * 2
        inside = hits.hit[coarse]
        covered = np.zeros((*inside.shape, 2), dtype=np.float32)
        covered[inside] = _surface(
            volume, appearance, hits.entry[coarse][inside], hits.exit[coarse][inside], outline
        )
        yield_point()
        if stride > 1:
            # Times the coverage, so that the box's rim does not count as depth.
            covered[..., 1] *= covered[..., 0]
            size = (inside.shape[1] * stride, inside.shape[0] * stride)
            covered = np.asarray(cv2.resize(covered, size, interpolation=cv2.INTER_LINEAR))
            rows, columns = hits.hit.shape
            covered = np.pad(covered, ((0, stride), (0, stride), (0, 0)), "edge")[:rows, :columns]
            covered[..., 1] /= np.maximum(covered[..., 0], 1e-4)
        alpha, fraction = covered.reshape(-1, 2)[hit].T
        alpha = np.clip(0.5 + DECISION * stride * (alpha - 0.5), 0.0, 1.0)
        colour, trust = np.zeros((len(alpha), 3), np.float32), np.zeros(len(alpha), np.float32)
        # Much of most boxes is empty.
        there = np.flatnonzero(alpha > FAINTEST)
        if len(there):
            entry, leave = (ends.reshape(-1, 3)[hit[there]] for ends in (hits.entry, hits.exit))
            met = (entry + fraction[there, None] * (leave - entry)).astype(np.float32)
            colour[there], trust[there] = _coloured(volume, appearance, source, met)
            colour[there] *= alpha[there, None]
        return LiftedRays(colour, alpha, fraction, trust)

    @torch.no_grad()
    def coverage(self, appearance: Appearance, entry: Float, leave: Float) -> F32:
        """See `Lifter.coverage`."""
        fractions = (np.arange(SHADOW_STEPS) + 0.5) / SHADOW_STEPS
        # Light also meets what the source view does not show.
        everywhere = np.full((1, 1), 255, dtype=np.uint8)
        volume = self._volume(appearance)
        weights = _weights(volume, appearance, entry, leave, fractions, everywhere)
        taken: F32 = weights.sum(axis=1)
        return taken

    def _volume(self, appearance: Appearance) -> torch.Tensor:
        """(1, c, d, s, s), kept while the object is in use: poses do not change it."""
        # Its own `dtype` and `device` look through all of it.
        weight = next(self.network.parameters())
        key = (appearance_key(appearance), weight.dtype, weight.device, self.autocast)
        # One at a time: another thread may be about to ask for the same.
        with self._lock:
            return self._volumes.get(key, lambda: self._made(appearance))

    def _made(self, appearance: Appearance) -> torch.Tensor:
        crop = lifting_inputs(appearance, 2 * self.network.config.sample_size)
        pixels = torch.from_numpy(crop)[None].to(self.network.device, self.network.dtype)
        device = self.network.device.type
        with torch.autocast(device, self.autocast, enabled=self.autocast is not None):
            volume: torch.Tensor = self.network(pixels).float()
        return volume if appearance.mask is None else _up_to_the_edge(volume, pixels[:, 3:4])


def _up_to_the_edge(volume: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """A volume (1, c, d, s, s) whose density does not fade where the mask (1, 1, 2 s, 2 s) ends.

    In the cells at the object's outline the network answers with the share of them that it
    covers. They, and those just outside, take over what is within, for the mask itself says to
    the pixel where the object ends.
    """
    share = F.avg_pool2d(mask.float(), 2)
    density = F.softplus(volume[:, 0])
    # Of neighbours, whoever has more of the object counts for much more.
    weight = share**2
    around = torch.ones(1, 1, 3, 3, device=volume.device)
    known = F.conv2d(weight, around, padding=1)
    within = F.conv2d((density * weight).transpose(0, 1), around, padding=1).transpose(0, 1)
    within = within / known.clamp(min=LEAST)
    faded = (share < WHOLE) & (known > LEAST) & (within > density)
    out = volume.clone()
    # What softplus makes of it is the density.
    out[:, 0] = torch.where(faded, within + torch.log(-torch.expm1(-within)), volume[:, 0])
    return out


def _weights(
    volume: torch.Tensor,
    appearance: Appearance,
    entry: Float,
    leave: Float,
    fractions: Float,
    outline: NDArray[np.uint8],
) -> F32:
    """(n, k) how much each of k points on n rays adds to its ray.

    Nothing where the outline (h, w) of the source view is 0.
    """
    lengths = np.linalg.norm(leave - entry, axis=1) / (255.0 * len(fractions))
    points = ray_coordinates(appearance, entry, leave, fractions)
    place = frustum_of(appearance)
    pixels = points[..., :2].reshape(-1, 2) * [0.5 * place.width, 0.5 * place.height]
    pixels += [place.left + 0.5 * place.width, place.top + 0.5 * place.height]
    yield_point()
    # Beyond the picture's edges nothing is known.
    inside = sampled(outline, pixels.clip(-1e4, 1e5), outside=255).reshape(points.shape[:2])
    yield_point()
    taken = np.zeros(inside.shape, dtype=np.float32)
    # Of many boxes half of the rays miss the object.
    met = np.flatnonzero(inside.any(axis=1))
    parts = torch.from_numpy(inside[met] * lengths[met, None].astype(np.float32))
    at = torch.from_numpy(points[met])[None].to(volume.device)
    yield_point()
    weights = densities(volume, at, parts[None].to(volume.device))
    taken[met] = weights[0].cpu().numpy()
    return taken


def _surface(
    volume: torch.Tensor,
    appearance: Appearance,
    entry: Float,
    leave: Float,
    outline: NDArray[np.uint8],
) -> F32:
    """(n, 2) coverage of rays, and the fraction of the way where half of it is met.

    Not the mean: between two surfaces there is nothing. And one point a ray, not a mixture of
    points, or the source's texture would be smeared over all of them.
    """
    fractions = (np.arange(STEPS) + 0.5) / STEPS
    share = _weights(volume, appearance, entry, leave, fractions, outline)
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
    yield_point()
    at = tensor(volume_coordinates(appearance, each))
    yield_point()
    mixed, own = colours(volume, at, tensor(shown) / 255.0, tensor(seen))
    colour = np.asarray(255.0 * mixed[0, :, 0].cpu(), dtype=np.float32)
    return colour, np.asarray(own[0, :, 0].cpu(), dtype=np.float32)
