"""Visual encoders: a picture in, a feature map out.

Both kinds take pictures in [-1, 1], shape (b, 3, size, size), and return (b, c, h, w).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ConvVisualEncoder(ModelMixin, ConfigMixin):
    """A small residual convolutional encoder: what two processor cores can train.

    Parameters
    ----------
    sample_size : int
        Side of the input in pixels.
    block_out_channels : sequence of int
        Widths; the first level works at a quarter of the resolution, each next at half of that.
    layers_per_block : int
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 128,
        block_out_channels: Sequence[int] = (64, 128, 192),
        layers_per_block: int = 2,
    ) -> None:
        super().__init__()
        # Four by four pixels become channels at once: full resolution is where the time goes.
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, block_out_channels[0], 3, padding=1)
        )
        levels: list[nn.Module] = []
        width = block_out_channels[0]
        for level, channels in enumerate(block_out_channels):
            if level > 0:
                levels.append(nn.Conv2d(width, channels, 3, stride=2, padding=1))
            levels.extend(_ResidualBlock(channels) for _ in range(layers_per_block))
            width = channels
        self.levels = nn.Sequential(*levels)

    @property
    def feature_channels(self) -> int:
        """Channels of the feature map."""
        return int(self.config.block_out_channels[-1])

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(b, 3, size, size) in [-1, 1] to (b, c, h, w)."""
        features: torch.Tensor = self.levels(self.stem(pixel_values))
        return features


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.second(F.silu(self.first(F.silu(self.norm(x)))))
        return x + inner


class ViTVisualEncoder(ModelMixin, ConfigMixin):
    """A vision transformer (DINO ViT-B/8 in the paper); its class and register tokens dropped.

    Parameters
    ----------
    sample_size : int
        Pictures are resized to this side bilinearly.
    patch_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size : int
        As in transformers' `ViTConfig`.
    model_type : {"vit", "dinov2", "dinov2_with_registers"}
        Transformers' name of the architecture.
    details : dict, optional
        Further entries of its configuration. `image_size` is the side that the table of position
        embeddings was made for; at any other it is interpolated.
    image_mean, image_std : sequences of 3 floats
        Of colours in [0, 1].
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 224,
        patch_size: int = 8,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        model_type: str = "vit",
        details: dict[str, Any] | None = None,
        image_mean: Sequence[float] = IMAGENET_MEAN,
        image_std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        import transformers

        sizes: dict[str, Any] = {
            "image_size": sample_size,
            "patch_size": patch_size,
            "hidden_size": hidden_size,
            "num_hidden_layers": num_hidden_layers,
            "num_attention_heads": num_attention_heads,
            **(details or {}),
        }
        if model_type == "vit":
            self.vit = transformers.ViTModel(
                transformers.ViTConfig(intermediate_size=intermediate_size, **sizes),
                add_pooling_layer=False,
            )
        elif model_type == "dinov2":
            self.vit = transformers.Dinov2Model(transformers.Dinov2Config(**sizes))
        elif model_type == "dinov2_with_registers":
            config = transformers.Dinov2WithRegistersConfig(**sizes)
            self.vit = transformers.Dinov2WithRegistersModel(config)
        else:
            raise ValueError(f"{model_type} is no vision transformer that is known here")
        mask_token = getattr(self.vit.embeddings, "mask_token", None)
        if mask_token is not None:
            # It has a part in pre-training only; without a gradient it would stop DDP.
            mask_token.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(image_mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(image_std).view(3, 1, 1), persistent=False)

    @property
    def feature_channels(self) -> int:
        """Channels of the feature map."""
        return int(self.config.hidden_size)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(b, 3, any, any) in [-1, 1] to (b, hidden size, size / patch, size / patch)."""
        size = self.config.sample_size
        if pixel_values.shape[-2:] != (size, size):
            pixel_values = F.interpolate(
                pixel_values, (size, size), mode="bilinear", antialias=True
            )
        normalised = ((pixel_values + 1) / 2 - self.mean) / self.std
        normalised = normalised.to(pixel_values.dtype)
        if self.config.model_type == "vit":
            hidden = self.vit(normalised, interpolate_pos_encoding=True).last_hidden_state
        else:
            # These interpolate unasked.
            hidden = self.vit(normalised).last_hidden_state
        side = size // self.config.patch_size
        # Class token and registers come first.
        features: torch.Tensor = hidden[:, -(side**2) :].transpose(1, 2).unflatten(2, (side, side))
        return features


VisualEncoder: TypeAlias = ConvVisualEncoder | ViTVisualEncoder
