"""Weights of random numbers in the layouts of those that are published.

The same numbers went through the `lpips` package 0.1.4 and pytorch-fid 0.3.0, on torchvision: what
these say of `pictures` is in `LPIPS` and `INCEPTION`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

ALEXNET = {
    "features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5), "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3), "features.10": (256, 256, 3, 3),
}  # fmt: skip
"""The convolutions of torchvision's AlexNet."""

LPIPS = (0.04222037, 0.04557769)
"""Distances of the first two `pictures`, at 96 x 80 and at 32 x 32 pixels from the corner."""

INCEPTION = (1.21404195, 1.66344249, 3.35113430, 0.79837012, 0.74358010)
"""Of the first picture's features: mean, deviation, and the first three."""

LAYOUT = "53dfbd0c1bd592f43bd9a5c50b8fb183575be4d885e6f9835ec99912ac69d1f7"
"""SHA-256 of names and shapes of pytorch-fid's network without its classifier, sorted."""


def pictures() -> np.ndarray:
    """uint8 (3, 96, 80, 3): stripes, the same with noise, and noise alone."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:96, :80]
    stripes = 127 + 100 * np.sin(rows / 7 + columns / 11)[..., None] * np.array([1, 0.5, -1])
    noisy = stripes + rng.normal(0, 30, stripes.shape)
    noise = rng.uniform(0, 255, stripes.shape)
    return np.stack([stripes, noisy, noise]).clip(0, 255).astype(np.uint8)


def drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> torch.Tensor:
    """Random numbers that keep a signal alive through many layers."""
    if len(shape) == 4:
        values = rng.standard_normal(shape, np.float32) * np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    else:
        values = 0.1 * rng.standard_normal(shape, np.float32) + name.endswith("bn.weight")
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def write_lpips(folder: Path) -> Path:
    """Two files: torchvision's AlexNet (with a part of its classifier), and the package's own."""
    rng = np.random.default_rng(1)
    trunk = {}
    for name, shape in ALEXNET.items():
        trunk[f"{name}.weight"] = drawn(f"{name}.weight", shape, rng)
        trunk[f"{name}.bias"] = drawn(f"{name}.bias", shape[:1], rng)
    trunk["classifier.6.bias"] = torch.zeros(1000)
    linear = {
        f"lin{level}.model.1.weight": drawn("", (1, shape[0], 1, 1), rng).abs()
        for level, shape in enumerate(ALEXNET.values())
    }
    folder.mkdir()
    torch.save(trunk, folder / "alexnet-owt-7be5be79.pth")
    torch.save(linear, folder / "alex.pth")
    return folder


def inception_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """For these names, in their alphabetical order."""
    rng = np.random.default_rng(2)
    return {name: drawn(name, shapes[name], rng) for name in sorted(shapes)}


def write_dino(folder: Path) -> Path:
    """A tiny vision transformer, written by the real library in its real layout."""
    import transformers

    torch.manual_seed(3)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        patch_size=32, image_size=224,
    )  # fmt: skip
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
