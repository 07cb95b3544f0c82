"""The paper's figures of one picture, by arithmetic and by networks that others trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.evaluation.inception import FID_ADVICE, Inception
from neural_assets_core.evaluation.metrics import Image, crop_bounds, psnr, ssim
from neural_assets_core.evaluation.pairs import Pair
from neural_assets_core.evaluation.perception import (
    LPIPS_ADVICE,
    Dino,
    Lpips,
    to_tensor,
    weight_files,
)
from neural_assets_core.evaluation.results import Column
from neural_assets_core.model.pretrained import find_source

Crop = tuple[slice, slice]

COLUMNS = (
    Column("psnr", "PSNR", "dB", 2, True),
    Column("ssim", "SSIM", "", 3, True),
    Column("lpips", "LPIPS", "", 3, False),
    Column("dino", "DINO", "", 3, True),
    Column("object_psnr", "PSNR, objects", "dB", 2, True),
    Column("object_ssim", "SSIM, objects", "", 3, True),
    Column("object_lpips", "LPIPS, objects", "", 3, False),
    Column("object_dino", "DINO, objects", "", 3, True),
    Column("masked_psnr", "PSNR, masked", "dB", 2, True),
)
"""Object level: means over the judged objects' crops; masked: all their pixels at once."""


@dataclass(frozen=True)
class Networks:
    """The networks whose weights were given; figures of the others are left out."""

    device: str = "cpu"
    lpips: Lpips | None = None
    inception: Inception | None = None
    dino: Dino | None = None
    weights: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        device: str = "cpu",
        *,
        lpips: Path | None = None,
        inception: Path | None = None,
        dino: str | None = None,
        download: bool = False,
    ) -> Networks:
        """From local files; only a repository of DINO is fetched, with `download`.

        Raises
        ------
        UserError
            If something is missing, damaged, or of another network.
        """
        found = None if dino is None else find_source(dino, (".",), download=download)
        told = {} if found is None else {"dino": f"{dino} {digest(found.folder)}"}
        for name, path in (("lpips", lpips), ("inception", inception)):
            if path is not None:
                told[name] = f"{path.name} {digest(path)}"
        return cls(
            device,
            None if lpips is None else Lpips.load(lpips).to(device),
            None if inception is None else Inception.load(inception).to(device),
            None if found is None else Dino.load(found.folder).to(device),
            told,
        )

    def left_out(self) -> list[str]:
        """For each network that is missing, what it takes to have its figures."""
        advice = {
            "lpips": f"LPIPS is left out: --lpips-weights, {LPIPS_ADVICE}.",
            "inception": f"FID is left out: --inception-weights, {FID_ADVICE}.",
            "dino": "DINO similarity is left out: --dino, give a DINO folder in transformers' "
            "layout (facebook/dino-vits16 or dino-vitb8).",
        }
        return [line for name, line in advice.items() if getattr(self, name) is None]

    def columns(self) -> tuple[Column, ...]:
        """What can be measured of each case."""
        missing = {name for name in ("lpips", "dino") if getattr(self, name) is None}
        return tuple(c for c in COLUMNS if c.name.removeprefix("object_") not in missing)

    def vectors(self, images: Sequence[Image]) -> torch.Tensor | None:
        """DINO's unit vectors (n, d) of pictures of any sizes."""
        if self.dino is None:
            return None
        return torch.cat([self.dino(to_tensor([image], self.device)) for image in images])

    def features(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Inception's (n, 2048) of pictures of any sizes; (n, 0) without it."""
        if self.inception is None:
            return np.zeros((len(images), 0), dtype=np.float32)
        found = [self.inception(to_tensor([image], self.device)) for image in images]
        return np.asarray(torch.cat(found).cpu().numpy())

    def distances(self, images: Sequence[Image], truths: Sequence[Image]) -> list[float]:
        """LPIPS of pairs of pictures."""
        if self.lpips is None:
            return [float("nan")] * len(images)
        return [
            float(self.lpips(*(2 * to_tensor([x], self.device) - 1 for x in pair)))
            for pair in zip(images, truths, strict=True)
        ]


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all weights in a folder."""
    files = weight_files(path)
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()


@dataclass(frozen=True)
class Judged:
    """A truth with all that it is compared by: itself, then its judged objects' crops."""

    truth: Image
    crops: list[Crop]
    parts: list[Image]
    vectors: torch.Tensor | None

    @classmethod
    def of(cls, pair: Pair, networks: Networks) -> Judged:
        """The truth of a pair."""
        truth = pair.case.target.image
        height, width = truth.shape[:2]
        crops = [crop_bounds(region, width, height) for region in pair.case.regions]
        parts = cut(truth, crops)
        return cls(truth, crops, parts, networks.vectors([truth, *parts]))

    def figures(self, picture: Image, networks: Networks) -> dict[str, float]:
        """All `COLUMNS` of a picture; nan where a network is missing."""
        images, truths = [picture, *cut(picture, self.crops)], [self.truth, *self.parts]
        pairs = list(zip(images, truths, strict=True))
        found = {
            "psnr": [psnr(*pair) for pair in pairs],
            "ssim": [ssim(*pair) for pair in pairs],
            "lpips": networks.distances(images, truths),
        }
        vectors = networks.vectors(images)
        if vectors is not None and self.vectors is not None:
            found["dino"] = (vectors * self.vectors).sum(dim=1).tolist()
        out = {name: values[0] for name, values in found.items()}
        out |= {f"object_{name}": float(np.mean(v[1:])) for name, v in found.items()}
        inside = np.zeros(self.truth.shape[:2], dtype=bool)
        for crop in self.crops:
            inside[crop] = True
        out["masked_psnr"] = psnr(picture[inside], self.truth[inside])
        return out


def cut(image: Image, crops: Sequence[Crop]) -> list[Image]:
    """The crops of a picture."""
    return [np.ascontiguousarray(image[crop]) for crop in crops]
