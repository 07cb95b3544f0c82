"""RoIAlign in plain torch: bilinear samples averaged over bins, on any device.

Source: He et al., Mask R-CNN (2017), with the half-pixel correction ("aligned").
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def roi_align(
    features: torch.Tensor,
    regions: torch.Tensor,
    bins: int,
    samples: int = 2,
) -> torch.Tensor:
    """Pool feature maps inside 2D boxes.

    Parameters
    ----------
    features : tensor (b, c, h, w)
    regions : tensor (b, n, 4)
        Boxes (x0, y0, x1, y1) as fractions of the map. A box without area (all zero: an object
        unseen in the source, or dropped conditioning) gives zero features.
    bins : int
        Bins a side.
    samples : int
        Sampling points a side of each bin.

    Returns
    -------
    tensor (b, n, bins * bins, c)
        Rows first. Sampling points outside the map take the value at its edge.
    """
    batch, count = regions.shape[:2]
    side = bins * samples
    steps = (torch.arange(side, device=regions.device, dtype=torch.float32) + 0.5) / side
    x0, y0, x1, y1 = regions.float().unbind(-1)
    # grid_sample's coordinates run from -1 to 1 over the whole map, edges included.
    x = 2 * (x0[..., None] + (x1 - x0)[..., None] * steps) - 1
    y = 2 * (y0[..., None] + (y1 - y0)[..., None] * steps) - 1
    grid = torch.stack(
        [
            x[:, :, None, :].expand(batch, count, side, side),
            y[:, :, :, None].expand(batch, count, side, side),
        ],
        dim=-1,
    )
    grid = grid.reshape(batch, count * side, side, 2)
    # In single precision: half of it would move the sampling points by a part of a cell.
    sampled = F.grid_sample(features.float(), grid, padding_mode="border", align_corners=False)
    sampled = sampled.to(features.dtype)
    channels = features.shape[1]
    sampled = sampled.reshape(batch, channels, count, bins, samples, bins, samples)
    pooled = sampled.mean(dim=(4, 6)).permute(0, 2, 3, 4, 1)
    pooled = pooled.reshape(batch, count, bins * bins, channels)
    area = (x1 > x0) & (y1 > y0)
    return pooled * area[:, :, None, None].to(pooled.dtype)
