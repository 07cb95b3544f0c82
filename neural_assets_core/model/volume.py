"""A lifting network's volume as a picture in which OpenCV looks values up.

Drawing an object reads hundreds of thousands of them; torch's `grid_sample`, which training needs
for its gradients, takes several times as long. Positions are rounded to 1/32 of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.proxy.sampling import looked_up

F32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Volume:
    """Values in the part of space that an object's crop sees; d slices of s x s cells.

    Attributes
    ----------
    density : float32 (d s, s, 2)
        Slice beneath slice, from near to far; beside each cell's the one behind it.
    colour : float32 (d s, s, c)
        Whatever else the network answers with.
    """

    density: F32
    colour: F32

    @classmethod
    def of(cls, values: torch.Tensor) -> Volume:
        """From what the network answers, (1, 1 + c, d, s, s), the density first."""
        slices = values[0].float().cpu().numpy()
        density = np.stack([slices[0], np.concatenate([slices[0, 1:], slices[0, -1:]])], axis=-1)
        colour = np.ascontiguousarray(np.moveaxis(slices[1:], 0, -1))
        rows = density.shape[0] * density.shape[1]
        return cls(density.reshape(rows, -1, 2), colour.reshape(rows, -1, len(slices) - 1))

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.density.nbytes + self.colour.nbytes

    def density_at(self, x: F32, y: F32, z: F32) -> F32:
        """(k, n) trilinear values at positions (k, n) in [-1, 1], the nearest cell's beyond."""
        column, row, _, share = self._cells(x, y, z)
        near, far = np.moveaxis(looked_up(self.density, column, row), -1, 0)
        value: F32 = far - near
        value *= share
        value += near
        return value

    def colour_at(self, x: F32, y: F32, z: F32) -> F32:
        """(c, n) the same of the other values, at positions (n,)."""
        column, row, behind, share = self._cells(x, y, z)
        near, far = (
            np.ascontiguousarray(looked_up(self.colour, column, at).T) for at in (row, behind)
        )
        far -= near
        far *= share
        far += near
        return far

    def _cells(self, x: F32, y: F32, z: F32) -> tuple[F32, F32, F32, F32]:
        """Columns and rows of positions, rows in the slice behind, and how far towards that."""
        size = self.density.shape[1]
        depth = len(self.density) // size
        half = np.float32(size / 2)
        column, row = x * half, y * half
        for at in (column, row):
            at += half - np.float32(0.5)
            # Beyond the edge of a slice there would be the next one.
            np.clip(at, 0, size - 1, out=at)
        share = z * np.float32(depth / 2)
        share += np.float32(depth / 2 - 0.5)
        np.clip(share, 0, depth - 1, out=share)
        nearest = np.floor(share)
        share -= nearest
        behind = np.minimum(nearest + 1, depth - 1)
        behind *= size
        behind += row
        nearest *= size
        row += nearest
        return column, row, behind, share
