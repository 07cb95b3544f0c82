"""A small network that reads pictures: an object's silhouette, its identity, and how alike two are.

It sees made scenes, as the decoders do, and is trained apart from them
(`neural_assets_core.training.judge`): what a decoder can draw, it cannot have learnt to please.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from neural_assets_core.errors import UserError
from neural_assets_core.resources import ROOT

Image = NDArray[np.uint8]
Region = tuple[float, float, float, float]

JUDGE = ROOT / "judge"
WEIGHTS = "judge.safetensors"
CONTEXT = 2.0
"""Side of the square that is looked at, in longer sides of the object's 2D box."""
SMALLEST_SIDE = 20.0
"""Of that square, in pixels."""


class JudgeNet(nn.Module):
    """Encoder of plain pictures; a decoder that outlines the object a prompt points at.

    Parameters
    ----------
    channels : sequence of 3 ints
        Width at 1/2, 1/4 and 1/8 of the resolution.
    identity : int
        Length of the identity vector.

    Notes
    -----
    The prompt enters the decoder only, so that the encoder's features describe pictures.
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128), identity: int = 64) -> None:
        super().__init__()
        a, b, c = channels
        self.down = nn.ModuleList(
            [
                nn.Sequential(_conv(3, a, 2), _conv(a, a)),
                nn.Sequential(_conv(a, b, 2), _conv(b, b)),
                nn.Sequential(_conv(b, c, 2), _conv(c, c), _conv(c, c)),
            ]
        )
        self.bottom = _conv(c + 1, c)
        self.up = nn.ModuleList([_conv(c + b + 1, b), _conv(b + a + 1, a), _conv(a + 3 + 1, 16)])
        self.outline = nn.Conv2d(16, 1, 1)
        self.identity = nn.Sequential(
            nn.Linear(a + b + c, 2 * identity), nn.ReLU(), nn.Linear(2 * identity, identity)
        )

    def features(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """(b, 3, h, w) in [-1, 1] to three feature maps, fine to coarse."""
        out = []
        for stage in self.down:
            pixels = stage(pixels)
            out.append(pixels)
        return out

    def forward(
        self, pixels: torch.Tensor, prompt: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Outline and identify.

        Parameters
        ----------
        pixels : (b, 3, h, w)
            In [-1, 1]; sides are multiples of 8.
        prompt : (b, 1, h, w)
            About 1 where the object is meant to be, 0 elsewhere.

        Returns
        -------
        logits : (b, h, w)
            Above 0: part of the object.
        identity : (b, d)
            Unit vectors.
        """
        maps = self.features(pixels)
        x = self.bottom(torch.cat([maps[2], _to(prompt, maps[2])], dim=1))
        for stage, skip in zip(self.up, (maps[1], maps[0], pixels), strict=True):
            x = F.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = stage(torch.cat([x, skip, _to(prompt, skip)], dim=1))
        logits = self.outline(x)
        # The prompt alone where no object is found: a vector is needed all the same.
        weight = logits.detach().float().sigmoid() * prompt + 1e-3 * prompt
        pooled = [_mean_under(level, _to(weight, level)) for level in maps]
        return logits[:, 0], F.normalize(self.identity(torch.cat(pooled, dim=1)).float(), dim=1)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _to(weights: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return F.adaptive_avg_pool2d(weights, (like.shape[-2], like.shape[-1])).to(like.dtype)


def _mean_under(level: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (level * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3)).clamp(min=1e-4)


@dataclass(frozen=True)
class Look:
    """A square part of a picture, and where the object's 2D box lies in it.

    `left`, `top`, `side` in pixels of the picture, `prompt` as fractions of the square.
    """

    left: float
    top: float
    side: float
    prompt: Region

    def crop(self, image: Image, size: int) -> Image:
        """The part of the picture at `size` pixels a side; beyond its edges they are repeated."""
        crop = cv2.warpAffine(
            image,
            self._to_picture(size),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(crop)

    def uncrop(self, values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
        """Values of the square put back into a picture of (height, width); 0 elsewhere."""
        return np.asarray(cv2.warpAffine(values, self._to_picture(len(values)), shape[::-1]))

    def _to_picture(self, size: int) -> NDArray[np.float64]:
        """(2, 3) from pixels of the crop to pixels of the picture, both counted from centres."""
        scale = self.side / size
        middle = 0.5 * scale - 0.5
        return np.array([[scale, 0.0, self.left + middle], [0.0, scale, self.top + middle]])

    def prompt_map(self, size: int) -> NDArray[np.float32]:
        """(size, size) soft ellipse: about where and how large, not where it ends."""
        at = (np.arange(size, dtype=np.float32) + 0.5) / size
        x0, y0, x1, y1 = self.prompt
        u = (at - 0.5 * (x0 + x1)) / max(0.5 * (x1 - x0), 0.02)
        v = (at - 0.5 * (y0 + y1)) / max(0.5 * (y1 - y0), 0.02)
        return np.exp(-0.5 * (u[None, :] ** 2 + v[:, None] ** 2)).astype(np.float32)


def look_at(region: Region, width: int, height: int) -> Look:
    """The square around a 2D box (x0, y0, x1, y1 as fractions of the picture)."""
    x0, y0, x1, y1 = (f * n for f, n in zip(region, (width, height) * 2, strict=True))
    side = max(CONTEXT * max(x1 - x0, y1 - y0), SMALLEST_SIDE)
    left, top = 0.5 * (x0 + x1 - side), 0.5 * (y0 + y1 - side)
    a, b, c, d = ((p - o) / side for p, o in zip((x0, y0, x1, y1), (left, top) * 2, strict=True))
    return Look(left, top, side, (a, b, c, d))


@dataclass(frozen=True)
class Reading:
    """What the judge sees at one place: a silhouette (height, width) and a unit vector (d,)."""

    silhouette: NDArray[np.bool_]
    identity: NDArray[np.float32]


class Judge:
    """The trained network on pictures.

    Parameters
    ----------
    net : JudgeNet
    size : int
        Side in pixels of the crops that it was trained on.
    scale : float
        Mean distance between unrelated pictures: `distance` is in units of it.
    """

    def __init__(self, net: JudgeNet, size: int, scale: float = 1.0) -> None:
        self.net, self.size, self.scale = net.eval(), size, scale

    @classmethod
    def load(cls, folder: Path = JUDGE) -> Judge:
        """The judge that ships with the program, or another one.

        Raises
        ------
        UserError
            If it is missing or damaged.
        """
        try:
            config: dict[str, Any] = json.loads((folder / "config.json").read_text())
            net = JudgeNet(config["channels"], config["identity"])
            weights = load_file(folder / WEIGHTS)
            net.load_state_dict({name: value.float() for name, value in weights.items()})
            return cls(net, config["size"], config["scale"])
        except Exception as error:
            # safetensors has an error class of its own; all of them mean the same to the user.
            raise UserError(
                f"The judge in {folder} cannot be read ({error}): train it again, with "
                "`python -m neural_assets_core.training.judge`."
            ) from None

    @torch.no_grad()
    def read(self, image: Image, regions: Sequence[Region]) -> list[Reading]:
        """Look for an object at each 2D box.

        Parameters
        ----------
        image : uint8 (height, width, 3)
        regions : sequence of (x0, y0, x1, y1)
            Where the objects should be seen, as fractions of the picture.
        """
        if not regions:
            return []
        height, width = image.shape[:2]
        looks = [look_at(region, width, height) for region in regions]
        pixels = _tensor([look.crop(image, self.size) for look in looks])
        prompts = torch.from_numpy(np.stack([look.prompt_map(self.size) for look in looks]))
        logits, identity = self.net(pixels, prompts[:, None])
        # Seen in a mirror too: two opinions err less than one.
        mirrored, _ = self.net(pixels.flip(-1), prompts[:, None].flip(-1))
        chances = (0.5 * (logits + mirrored.flip(-1))).sigmoid().numpy()
        return [
            Reading(look.uncrop(chance, (height, width)) > 0.5, vector)
            for look, chance, vector in zip(looks, chances, identity.numpy(), strict=True)
        ]

    @torch.no_grad()
    def distance(self, image: Image, truth: Image) -> float:
        """Perceptual distance in the manner of LPIPS (Zhang et al. 2018), with our features.

        The squared difference of unit-length features, a mean over places and levels: 0 for
        equal pictures, about 1 for unrelated ones. Small pictures are enlarged to crop size.
        """
        longer = max(self.size, *image.shape[:2])
        factor = longer / max(image.shape[:2])
        shape = [8 * max(1, round(side * factor / 8)) for side in image.shape[:2]]
        pair = [
            np.asarray(cv2.resize(x, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))
            for x in (image, truth)
        ]
        total = 0.0
        for level in self.net.features(_tensor(pair)):
            unit = F.normalize(level, dim=1)
            total += float((unit[0] - unit[1]).square().sum(dim=0).mean())
        return total / len(self.net.down) / self.scale


def _tensor(images: Sequence[Image]) -> torch.Tensor:
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.float().div(127.5).sub(1.0).contiguous()
