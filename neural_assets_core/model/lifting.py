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
from neural_assets_core.model.cache import KEPT_BYTES
from neural_assets_core.model.frustum import (
    F32,
    INPUT_CHANNELS,
    MIRRORS,
    in_volume,
    lifting_inputs,
    seen_along,
    source_colours,
    volume_coordinates,
)
from neural_assets_core.model.kept_tokens import appearance_key
from neural_assets_core.model.volume import Volume
from neural_assets_core.proxy import Layer
from neural_assets_core.proxy.objects import FAINTEST
from neural_assets_core.proxy.sampling import looked_up
from neural_assets_core.proxy.shelf import Shelf
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


def transmittance(raw: torch.Tensor, lengths: torch.Tensor, dim: int) -> torch.Tensor:
    """Share of the light that each sample of a ray leaves.

    Parameters
    ----------
    raw : tensor
        Densities as the network answers, the samples of a ray along `dim`.
    lengths : tensor
        Of the ray around each sample, box half-sides.
    dim : int
    """
    thickness = F.softplus(raw) * DENSITY_SCALE * lengths
    return torch.exp(-torch.cumsum(thickness, dim=dim))


def mixed(
    values: torch.Tensor, shown: torch.Tensor, seen: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (3, ...) in [0, 1] of samples, and the source picture's share (...).

    Parameters
    ----------
    values : tensor (`VOLUME_CHANNELS` - 1, ...)
        What the network answers there, without the density.
    shown : tensor (3, 4, ...)
        In [0, 1].
    seen : tensor (4, ...)
    """
    logits, guess = values[: len(MIRRORS) + 1], torch.sigmoid(values[-3:])
    known = torch.cat([torch.log(seen + 1e-3), torch.zeros_like(seen[:1])])
    shares = torch.softmax(logits + known, dim=0)
    return (shares[:-1] * shown).sum(dim=1) + shares[-1] * guess, shares[0]


def densities(
    volumes: torch.Tensor, coordinates: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """How much each sample adds to its ray: weights (b, n, k), their sum the coverage.

    Parameters
    ----------
    volumes : tensor (b, c, d, s, s)
    coordinates : tensor (b, n, k, 3)
    lengths : tensor (b, n, k)
        Of the ray around each sample, box half-sides; k may be 1.
    """
    left = transmittance(_looked_up(volumes[:, :1], coordinates)[:, 0], lengths, dim=-1)
    return F.pad(left[..., :-1], (1, 0), value=1.0) - left


def colours(
    volumes: torch.Tensor, coordinates: torch.Tensor, shown: torch.Tensor, seen: torch.Tensor
) -> torch.Tensor:
    """Colours (3, b, n, k) in [0, 1] of samples.

    Parameters
    ----------
    volumes : tensor (b, c, d, s, s)
    coordinates : tensor (b, n, k, 3)
    shown : tensor (b, 3, 4, n, k)
        In [0, 1].
    seen : tensor (b, 4, n, k)
    """
    values = _looked_up(volumes[:, 1:], coordinates).transpose(0, 1)
    return mixed(values, shown.permute(1, 2, 0, 3, 4), seen.transpose(0, 1))[0]


def _looked_up(volumes: torch.Tensor, coordinates: torch.Tensor) -> torch.Tensor:
    """(b, c, n, k) trilinear values of (b, c, d, s, s) at (b, n, k, 3)."""
    values = F.grid_sample(
        volumes.float(), coordinates[:, None].float(), padding_mode="border", align_corners=False
    )
    return values[:, :, 0]


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
        self._volumes = Shelf(KEPT_BYTES)

    @torch.no_grad()
    def draw(
        self, appearance: Appearance, source: Picture, hits: BoxHits, outline: NDArray[np.uint8]
    ) -> Layer:
        """See `Lifter.draw`.

        The surface of a large object is sought on a coarser grid than its colours.
        """
        volume = self._volume(appearance)
        stride = max(1, math.ceil(math.sqrt(np.count_nonzero(hits.hit) / MOST_RAYS)))
        coarse = (slice(stride // 2, None, stride),) * 2
        inside = hits.hit[coarse]
        near, far = (
            depth[coarse][inside] for depth in (hits.entry_depth, hits.exit_depth)
        )
        directions = hits.directions[:, *coarse][:, inside]
        origin = hits.origin[:, None]
        covered = np.zeros((*inside.shape, 2), dtype=np.float32)
        covered[inside] = _surface(
            volume, appearance, origin + near * directions, origin + far * directions, outline
        )
        yield_point()
        if stride > 1:
            # Times the coverage, so that the box's rim does not count as depth.
            covered[..., 1] *= covered[..., 0]
            size = (inside.shape[1] * stride, inside.shape[0] * stride)
            covered = np.asarray(cv2.resize(covered, size, interpolation=cv2.INTER_LINEAR))
            rows, columns = hits.hit.shape
            covered = cv2.copyMakeBorder(
                covered, 0, max(0, rows - size[1]), 0, max(0, columns - size[0]),
                cv2.BORDER_REPLICATE,
            )[:rows, :columns]
        coverage, fraction = (np.ascontiguousarray(part) for part in np.moveaxis(covered, -1, 0))
        if stride > 1:
            fraction /= np.maximum(coverage, 1e-4)
        coverage -= 0.5
        coverage *= DECISION * stride
        coverage += 0.5
        # Much of most boxes is empty.
        pixels = np.flatnonzero(hits.hit & (coverage > FAINTEST))
        alpha = coverage.reshape(-1)[pixels].clip(0.0, 1.0)
        depth, leave = (of.reshape(-1)[pixels] for of in (hits.entry_depth, hits.exit_depth))
        depth += fraction.reshape(-1)[pixels] * (leave - depth)
        yield_point()
        points = np.stack([
            start + depth * way.reshape(-1)[pixels]
            for start, way in zip(hits.origin, hits.directions, strict=True)
        ])
        colour, trust = _coloured(volume, appearance, source, points.astype(np.float32))
        return Layer(pixels, depth, colour * alpha[:, None], alpha, trust)

    @torch.no_grad()
    def coverage(self, appearance: Appearance, entry: Float, leave: Float) -> F32:
        """See `Lifter.coverage`."""
        fractions = (np.arange(SHADOW_STEPS) + 0.5) / SHADOW_STEPS
        # Light also meets what the source view does not show.
        left, rays = _light_left(
            self._volume(appearance), appearance, entry.T, leave.T, fractions, None
        )
        taken = np.zeros(len(entry), dtype=np.float32)
        taken[rays] = 1 - left[-1]
        return taken

    def _volume(self, appearance: Appearance) -> Volume:
        """Kept while the object is in use: poses do not change it."""
        # Its own `dtype` and `device` look through all of it.
        weight = next(self.network.parameters())
        key = (appearance_key(appearance), weight.dtype, weight.device, self.autocast)
        return self._volumes.get(key, lambda: Volume.of(self._made(appearance)))

    def _made(self, appearance: Appearance) -> torch.Tensor:
        """(1, c, d, s, s)."""
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


def _light_left(
    volume: Volume,
    appearance: Appearance,
    entry: Float,
    leave: Float,
    fractions: Float,
    outline: NDArray[np.uint8] | None,
) -> tuple[F32, NDArray[np.intp]]:
    """(k, m) how much light is left behind each of k points on rays, and which m rays these are.

    The other ones meet nothing, nor does any where the outline (h, w) of the source view is 0;
    rays from `entry` to `leave` (3, n).
    """
    lengths = np.sqrt(np.square(leave - entry).sum(axis=0)).astype(np.float32) / len(fractions)
    u, v, depth = seen_along(appearance, entry, leave, fractions)
    yield_point()
    rays = np.arange(entry.shape[1])
    parts = lengths[None]
    if outline is not None:
        half = np.float32(0.5)
        # Beyond the picture's edges nothing is known.
        inside = looked_up(outline, u - half, v - half, outside=255)
        # Of many boxes half of the rays miss the object.
        rays = np.flatnonzero(inside.max(axis=0, initial=0))
        u, v, depth = (of.take(rays, axis=1) for of in (u, v, depth))
        parts = inside.take(rays, axis=1) * (lengths[rays] / np.float32(255))
    yield_point()
    raw = volume.density_at(*in_volume(appearance, u, v, depth))
    left = transmittance(torch.from_numpy(raw), torch.from_numpy(parts), dim=0)
    return left.numpy(), rays


def _surface(
    volume: Volume,
    appearance: Appearance,
    entry: Float,
    leave: Float,
    outline: NDArray[np.uint8],
) -> F32:
    """(n, 2) coverage of rays (3, n), and the fraction of the way where half of it is met.

    Not the mean: between two surfaces there is nothing. And one point a ray, not a mixture of
    points, or the source's texture would be smeared over all of them.
    """
    out = np.zeros((entry.shape[1], 2), dtype=np.float32)
    fractions = (np.arange(STEPS) + 0.5) / STEPS
    left, rays = _light_left(volume, appearance, entry, leave, fractions, outline)
    alpha = 1 - left[-1]
    step = (left > 1 - 0.5 * alpha).sum(axis=0).clip(0, STEPS - 1)
    after = np.take_along_axis(left, step[None], axis=0)[0]
    before = np.take_along_axis(left, np.maximum(step - 1, 0)[None], axis=0)[0]
    before[step == 0] = 1.0
    within = (before - 1 + 0.5 * alpha) / np.maximum(before - after, 1e-6)
    out[rays, 0] = alpha
    out[rays, 1] = (step + within.clip(0.0, 1.0)) / STEPS
    return out


def _coloured(
    volume: Volume, appearance: Appearance, source: Picture, points: F32
) -> tuple[F32, F32]:
    """Colours (n, 3) in [0, 255] of points (3, n), and the source's own share (n,)."""
    shown, seen = source_colours(appearance, source, points)
    yield_point()
    values = volume.colour_at(*volume_coordinates(appearance, points))
    yield_point()
    mean, own = mixed(*(torch.from_numpy(of) for of in (values, shown / np.float32(255), seen)))
    colour = 255.0 * mean.numpy().T
    return np.ascontiguousarray(colour), own.numpy()
