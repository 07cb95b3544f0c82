"""Fréchet inception distance (Heusel et al. 2017) with the weights of the pytorch-fid package.

The network is the Inception v3 that TensorFlow published in 2015, as pytorch-fid 0.3.0 runs it,
with the names of its weights; the package itself cannot be had without torchvision.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.perception import read_weights

Vectors = NDArray[np.float64]

SIDE = 299
"""Pixels to which pictures are brought, with plain bilinear interpolation as in pytorch-fid."""
FID_ADVICE = "give pytorch-fid's pt_inception-2015-12-05-6726825d.pth"

_AVERAGE, _MAXIMUM, _HALVE = "average", "maximum", "halve"
Route = tuple[str | tuple[str, str], ...]


class _Convolution(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int] = 1, stride: int = 1
    ) -> None:
        super().__init__()
        # Strided ones have no border; the others keep the size.
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        border = (0, 0) if stride > 1 else (sides[0] // 2, sides[1] // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, border, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Routes side by side whose outputs are joined.

    Parameters
    ----------
    parts : dict of str to _Convolution
    routes : sequence
        Each names convolutions and pools one behind the other; a pair is two side by side.
    """

    def __init__(self, parts: dict[str, _Convolution], routes: Sequence[Route]) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.routes = routes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._along(route, x) for route in self.routes], dim=1)

    def _along(self, route: Route, x: torch.Tensor) -> torch.Tensor:
        for step in route:
            if isinstance(step, tuple):
                x = torch.cat([self.get_submodule(name)(x) for name in step], dim=1)
            elif step == _AVERAGE:
                # TensorFlow leaves the border out of the mean.
                x = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
            elif step == _MAXIMUM:
                x = F.max_pool2d(x, 3, stride=1, padding=1)
            elif step == _HALVE:
                x = F.max_pool2d(x, 3, stride=2)
            else:
                x = self.get_submodule(step)(x)
        return x


def _chain(name: str, count: int) -> Route:
    return tuple(f"{name}_{number}" for number in range(1, count + 1))


def _block_a(inputs: int, pooled: int) -> _Block:
    parts = {
        "branch1x1": _Convolution(inputs, 64),
        "branch5x5_1": _Convolution(inputs, 48),
        "branch5x5_2": _Convolution(48, 64, 5),
        "branch3x3dbl_1": _Convolution(inputs, 64),
        "branch3x3dbl_2": _Convolution(64, 96, 3),
        "branch3x3dbl_3": _Convolution(96, 96, 3),
        "branch_pool": _Convolution(inputs, pooled),
    }
    return _Block(
        parts,
        [("branch1x1",), _chain("branch5x5", 2), _chain("branch3x3dbl", 3),
         (_AVERAGE, "branch_pool")],
    )  # fmt: skip


def _block_b(inputs: int) -> _Block:
    parts = {
        "branch3x3": _Convolution(inputs, 384, 3, stride=2),
        "branch3x3dbl_1": _Convolution(inputs, 64),
        "branch3x3dbl_2": _Convolution(64, 96, 3),
        "branch3x3dbl_3": _Convolution(96, 96, 3, stride=2),
    }
    return _Block(parts, [("branch3x3",), _chain("branch3x3dbl", 3), (_HALVE,)])


def _block_c(inputs: int, inner: int) -> _Block:
    wide, high = (1, 7), (7, 1)
    parts = {
        "branch1x1": _Convolution(inputs, 192),
        "branch7x7_1": _Convolution(inputs, inner),
        "branch7x7_2": _Convolution(inner, inner, wide),
        "branch7x7_3": _Convolution(inner, 192, high),
        "branch7x7dbl_1": _Convolution(inputs, inner),
        "branch7x7dbl_2": _Convolution(inner, inner, high),
        "branch7x7dbl_3": _Convolution(inner, inner, wide),
        "branch7x7dbl_4": _Convolution(inner, inner, high),
        "branch7x7dbl_5": _Convolution(inner, 192, wide),
        "branch_pool": _Convolution(inputs, 192),
    }
    return _Block(
        parts,
        [("branch1x1",), _chain("branch7x7", 3), _chain("branch7x7dbl", 5),
         (_AVERAGE, "branch_pool")],
    )  # fmt: skip


def _block_d(inputs: int) -> _Block:
    parts = {
        "branch3x3_1": _Convolution(inputs, 192),
        "branch3x3_2": _Convolution(192, 320, 3, stride=2),
        "branch7x7x3_1": _Convolution(inputs, 192),
        "branch7x7x3_2": _Convolution(192, 192, (1, 7)),
        "branch7x7x3_3": _Convolution(192, 192, (7, 1)),
        "branch7x7x3_4": _Convolution(192, 192, 3, stride=2),
    }
    return _Block(parts, [_chain("branch3x3", 2), _chain("branch7x7x3", 4), (_HALVE,)])


def _block_e(inputs: int, pool: str) -> _Block:
    wide, high = (1, 3), (3, 1)
    parts = {
        "branch1x1": _Convolution(inputs, 320),
        "branch3x3_1": _Convolution(inputs, 384),
        "branch3x3_2a": _Convolution(384, 384, wide),
        "branch3x3_2b": _Convolution(384, 384, high),
        "branch3x3dbl_1": _Convolution(inputs, 448),
        "branch3x3dbl_2": _Convolution(448, 384, 3),
        "branch3x3dbl_3a": _Convolution(384, 384, wide),
        "branch3x3dbl_3b": _Convolution(384, 384, high),
        "branch_pool": _Convolution(inputs, 192),
    }
    return _Block(
        parts,
        [
            ("branch1x1",),
            ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
            (*_chain("branch3x3dbl", 2), ("branch3x3dbl_3a", "branch3x3dbl_3b")),
            (pool, "branch_pool"),
        ],
    )


class Inception(nn.Module):
    """Pictures to the 2048 numbers of the last pool."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3)
        self.Conv2d_2a_3x3.conv.padding = (0, 0)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = _Convolution(64, 80)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3)
        self.Conv2d_4a_3x3.conv.padding = (0, 0)
        self.Mixed_5b = _block_a(192, 32)
        self.Mixed_5c = _block_a(256, 64)
        self.Mixed_5d = _block_a(288, 64)
        self.Mixed_6a = _block_b(288)
        self.Mixed_6b = _block_c(768, 128)
        self.Mixed_6c = _block_c(768, 160)
        self.Mixed_6d = _block_c(768, 160)
        self.Mixed_6e = _block_c(768, 192)
        self.Mixed_7a = _block_d(768)
        self.Mixed_7b = _block_e(1280, _AVERAGE)
        # A maximum, as those who published the weights have it.
        self.Mixed_7c = _block_e(2048, _MAXIMUM)
        self.requires_grad_(False).eval()

    @classmethod
    def load(cls, path: Path) -> Inception:
        """The network with the weights of a file.

        Raises
        ------
        UserError
            If it cannot be read or holds another network's.
        """
        found = read_weights(path)
        net = cls()
        # Its classifier is not used; old files do not count batches.
        wanted = net.state_dict()
        needed = {name for name in wanted if not name.endswith("num_batches_tracked")}
        if not needed <= found.keys() or any(
            found[name].shape != wanted[name].shape for name in needed
        ):
            raise UserError(f"{path} holds no Inception v3 for FID: {FID_ADVICE}.")
        net.load_state_dict({name: found[name] for name in needed}, strict=False)
        return net

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features (b, 2048) of pictures (b, 3, h, w) in [0, 1], of any size."""
        x = F.interpolate(pixels, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(2 * x - 1)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2)))
        x = F.max_pool2d(x, 3, stride=2)
        for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"):
            x = self.get_submodule(f"Mixed_{name}")(x)
        return x.mean(dim=(2, 3))


def frechet_distance(first: Vectors, second: Vectors) -> float:
    """Squared Fréchet distance of the Gaussians that fit two sets of vectors.

    ``|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½)``, means m and covariances C (divided by n - 1).

    Parameters
    ----------
    first, second : arrays (n, d), (m, d)
        Two or more vectors each.

    Notes
    -----
    With X the centred vectors over the root of n - 1, C = Xᵀ X, and the trace of the root is the
    sum of the singular values of X1 X2ᵀ. Unlike the root of the product of two covariances it
    needs no care when they are singular, as they are with fewer vectors than numbers in each.
    """
    (mean1, root1), (mean2, root2) = _moments(first), _moments(second)
    shared = scipy.linalg.svdvals(root1 @ root2.T).sum()
    spread = np.square(root1).sum() + np.square(root2).sum() - 2 * shared
    return float(np.square(mean1 - mean2).sum() + spread)


def _moments(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """Mean (d,) and a root (k, d) of the covariance, k the lesser of n and d."""
    values = np.asarray(vectors, dtype=np.float64)
    mean = values.mean(axis=0)
    root = (values - mean) / np.sqrt(len(values) - 1)
    if len(root) > root.shape[1]:
        root = scipy.linalg.qr(root, mode="r")[0][: root.shape[1]]
    return mean, root
