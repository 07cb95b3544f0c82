"""Networks that others trained to compare pictures: LPIPS and DINO, with weights in local files.

Nothing here fetches anything. The layouts of the weights are those in which they are published, so
that the files can be given as they come; the arithmetic is that of the `lpips` package 0.1.4, which
cannot be had without torchvision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.model.encoder import IMAGENET_MEAN, IMAGENET_STD

Weights = dict[str, torch.Tensor]

LPIPS_ADVICE = (
    "give a folder with torchvision's weights of AlexNet (alexnet-owt-7be5be79.pth) or VGG-16 "
    "(vgg16-397923af.pth), and the lpips package's own for the same network "
    "(lpips/weights/v0.1/alex.pth or vgg.pth)"
)
FAULTS = (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError)
"""What the libraries raise for files that do not hold what they should."""

DINO_SIZE = 224
"""Side in pixels to which a picture is brought for DINO."""
DINO_KINDS = ("vit", "dinov2", "dinov2_with_registers")


@dataclass(frozen=True)
class _Trunk:
    """A convolutional network as torchvision numbers its `features`.

    Attributes
    ----------
    layers : tuple
        Of a convolution (output channels, kernel, stride, padding), a ReLU behind each; or of a
        maximum pool (kernel, stride).
    taps : tuple of 5 ints
        The convolutions, counted from 0, behind which features are compared.
    """

    layers: tuple[tuple[int, ...], ...]
    taps: tuple[int, ...]


_POOL = (2, 2)
TRUNKS = {
    "AlexNet": _Trunk(
        ((64, 11, 4, 2), (3, 2), (192, 5, 1, 2), (3, 2), (384, 3, 1, 1), (256, 3, 1, 1),
         (256, 3, 1, 1)),
        (0, 1, 2, 3, 4),
    ),
    "VGG-16": _Trunk(
        (
            *((64, 3, 1, 1),) * 2, _POOL, *((128, 3, 1, 1),) * 2, _POOL,
            *((256, 3, 1, 1),) * 3, _POOL, *((512, 3, 1, 1),) * 3, _POOL, *((512, 3, 1, 1),) * 3,
        ),
        (1, 3, 6, 9, 12),
    ),
}  # fmt: skip


class Lpips(nn.Module):
    """Learned perceptual image patch similarity (Zhang et al. 2018), version 0.1.

    Parameters
    ----------
    network : str
        A key of `TRUNKS`.
    """

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: str) -> None:
        super().__init__()
        self.network = network
        trunk = TRUNKS[network]
        layers: list[nn.Module] = []
        widths: list[int] = []
        self._taps: list[int] = []
        channels = 3
        for numbers in trunk.layers:
            if len(numbers) == 2:
                layers.append(nn.MaxPool2d(*numbers))
                continue
            outputs, kernel, stride, border = numbers
            layers += [nn.Conv2d(channels, outputs, kernel, stride, border), nn.ReLU()]
            channels = outputs
            if len(widths) in trunk.taps:
                self._taps.append(len(layers) - 1)
            widths.append(channels)
        self.features = nn.Sequential(*layers)
        self.linear = nn.ParameterList(torch.zeros(1, widths[tap], 1, 1) for tap in trunk.taps)
        # ImageNet's mean and deviation, for pixels in [-1, 1].
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[:, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[:, None, None])
        self.requires_grad_(False).eval()

    @classmethod
    def load(cls, path: Path) -> Lpips:
        """The network whose weights a folder, or one file, holds.

        Raises
        ------
        UserError
            If they are not all there or not readable.
        """
        found = {_plain(name): value for name, value in read_weights(path).items()}
        first = found.get("features.0.weight")
        network = {11: "AlexNet", 3: "VGG-16"}.get(0 if first is None else first.shape[-1])
        if network is None:
            raise UserError(f"{path} holds no weights for LPIPS: {LPIPS_ADVICE}.")
        net = cls(network)
        wanted = net.state_dict().keys() - {"shift", "scale"}
        try:
            net.load_state_dict({k: v for k, v in found.items() if k in wanted}, strict=False)
        except RuntimeError:
            raise UserError(f"The weights in {path} do not fit together: {LPIPS_ADVICE}.") from None
        missing = wanted - found.keys()
        if missing:
            raise UserError(f"{path} has no {min(missing)} for LPIPS: {LPIPS_ADVICE}.")
        return net

    @torch.no_grad()
    def forward(self, image: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Distances (b,) of pictures (b, 3, h, w) in [-1, 1]; sides are 32 or more."""
        total = torch.zeros(len(image), device=image.device)
        pair = (torch.cat([image, truth]) - self.shift) / self.scale
        level = 0
        for number, layer in enumerate(self.features):
            pair = layer(pair)
            if number in self._taps:
                unit = pair / (pair.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
                first, second = unit.chunk(2)
                weighted = (first - second).square() * self.linear[level]
                total += weighted.sum(dim=1).mean(dim=(1, 2))
                level += 1
            if level == len(self._taps):
                break
        return total


def _plain(name: str) -> str:
    """A weight's name in our own layout; a whole `lpips.LPIPS` state is understood too."""
    name = re.sub(r"^net\.slice\d\.", "features.", name)
    return re.sub(r"^(?:lins\.|lin)(\d)\.model\.1\.weight$", r"linear.\1", name)


def weight_files(path: Path) -> list[Path]:
    """The file itself, or those with weights in a folder.

    Raises
    ------
    UserError
        If there are none.
    """
    kinds = (".safetensors", ".pth", ".pt")
    files = sorted(f for f in path.iterdir() if f.suffix in kinds) if path.is_dir() else [path]
    if not path.exists() or not files:
        raise UserError(f"There are no weights at {path}: check the path.")
    return files


def read_weights(path: Path) -> Weights:
    """The tensors of a file, or of all files of a folder: safetensors or PyTorch's own format.

    PyTorch's files are read as tensors only: nothing that they hold is run.

    Raises
    ------
    UserError
        If there are none, one is damaged, or two have a tensor in common.
    """
    out: Weights = {}
    for file in weight_files(path):
        try:
            if file.suffix == ".safetensors":
                found = load_file(file)
            else:
                found = torch.load(file, map_location="cpu", weights_only=True)
            found = {name: value.float() for name, value in found.items()}
        except Exception as error:
            # safetensors and pickle have error classes of their own; all mean the same.
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            # Torch's second sentence tells how to run what a file holds.
            first = first.partition(". ")[0][:200]
            raise UserError(
                f"{file} is damaged or holds no weights ({first}): fetch it again."
            ) from None
        both = out.keys() & found.keys()
        if both:
            raise UserError(f"{path} holds {min(both)} twice: keep one network's files in it.")
        out |= found
    return out


class Dino(nn.Module):
    """What a picture shows, as a unit vector: the class token of a DINO vision transformer.

    Parameters
    ----------
    vit : transformers' `ViTModel`, `Dinov2Model` or `Dinov2WithRegistersModel`
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, vit: Any) -> None:
        super().__init__()
        self.vit = vit
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        self.requires_grad_(False).eval()

    @classmethod
    def load(cls, folder: Path) -> Dino:
        """A folder in transformers' layout, with safetensors.

        Raises
        ------
        UserError
            If it holds something else, or not all of the weights.
        """
        import transformers

        try:
            config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
            kind = config.model_type
            if kind not in DINO_KINDS:
                raise UserError(
                    f"{folder} holds a model of type {kind!r}: give a DINO or DINOv2 vision "
                    "transformer."
                )
            # Published weights of DINO have no pooler, and none is used.
            options = {"add_pooling_layer": False} if kind == "vit" else {}
            vit, found = transformers.AutoModel.from_pretrained(
                str(folder), use_safetensors=True, local_files_only=True, trust_remote_code=False,
                output_loading_info=True, dtype=torch.float32, **options,
            )  # fmt: skip
        except FAULTS as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"{folder} cannot be loaded as a vision transformer: give one in transformers' "
                f"layout with model.safetensors. ({first[:200]})"
            ) from None
        if found["missing_keys"]:
            name = min(found["missing_keys"])
            raise UserError(f"{folder} has no weights for {name}: fetch it again.")
        return cls(vit)

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Unit vectors (b, d) of pictures (b, 3, h, w) in [0, 1], of any size."""
        size = (DINO_SIZE, DINO_SIZE)
        small = F.interpolate(
            pixels, size=size, mode="bicubic", align_corners=False, antialias=True
        ).clamp(0, 1)
        # DINOv2 does so by itself.
        options = {"interpolate_pos_encoding": True} if self.vit.config.model_type == "vit" else {}
        tokens = self.vit((small - self.mean) / self.std, **options).last_hidden_state
        return F.normalize(tokens[:, 0], dim=1)


def to_tensor(images: Sequence[Image], device: torch.device | str = "cpu") -> torch.Tensor:
    """uint8 pictures (h, w, 3) of one size to (b, 3, h, w) in [0, 1]."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.to(device).float().div(255)
