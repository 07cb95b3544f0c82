"""From conditions to what the U-Net takes: tokens, their mask, and maps beside the latents."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import nn

from neural_assets_core.model.conditioning import LAYOUT_CHANNELS, PROXY_MASK_CHANNELS
from neural_assets_core.model.tokenizer import AssetTokenizer

LAYOUT = "layout"
PROXY = "proxy"


@dataclass(frozen=True)
class Conditions:
    """All conditions of a batch; b pictures, up to n objects, latents of side h.

    Attributes
    ----------
    object_features : tensor (b, n, k, c)
    object_present : bool tensor (b, n)
        False for padding.
    corners : tensor (b, n, 4, 3)
    background_features : tensor (b, m, c)
    background_pose : tensor (b, 12)
    layout : tensor (b, 8, h, h)
    nearest : int64 tensor (b, h, h)
    proxy_latents : tensor (b, latent channels, h, h)
    proxy_masks : tensor (b, 5, h, h)
    """

    object_features: torch.Tensor
    object_present: torch.Tensor
    corners: torch.Tensor
    background_features: torch.Tensor
    background_pose: torch.Tensor
    layout: torch.Tensor
    nearest: torch.Tensor
    proxy_latents: torch.Tensor
    proxy_masks: torch.Tensor

    def dropped(self, rows: torch.Tensor) -> Conditions:
        """The same without conditioning in some rows, for classifier-free guidance.

        Parameters
        ----------
        rows : bool tensor (b,)
            True: appearance, poses and maps become zero. Padding stays padding.
        """
        changes = {}
        for field in fields(self):
            value: torch.Tensor = getattr(self, field.name)
            if field.name == "object_present":
                continue
            shape = (-1,) + (1,) * (value.dim() - 1)
            empty = -1 if field.name == "nearest" else 0
            changes[field.name] = value.masked_fill(rows.view(shape), empty)
        return replace(self, **changes)

    def concatenated(self, other: Conditions) -> Conditions:
        """Two batches one after the other."""
        return Conditions(
            **{
                field.name: torch.cat([getattr(self, field.name), getattr(other, field.name)])
                for field in fields(self)
            }
        )


class UNetInputs(nn.Module):
    """Assembles `Conditions` for the U-Net; has no weights of its own.

    Parameters
    ----------
    tokenizer : AssetTokenizer
    maps : sequence of {"layout", "proxy"}
        Which maps are concatenated to the noisy latents; none in the paper.
    """

    def __init__(self, tokenizer: AssetTokenizer, maps: tuple[str, ...]) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.maps = maps

    def forward(
        self, conditions: Conditions
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Tokens (b, t, d), their mask (b, t) with 1 for real ones, and the maps."""
        tokenizer = self.tokenizer
        objects = tokenizer.object_tokens(conditions.object_features, conditions.corners)
        background = tokenizer.background_tokens(
            conditions.background_features, conditions.background_pose
        )
        tokens = torch.cat([background, objects.flatten(1, 2)], dim=1)
        present = conditions.object_present.repeat_interleave(objects.shape[2], dim=1)
        always = torch.ones(background.shape[:2], dtype=torch.bool, device=present.device)
        mask = torch.cat([always, present], dim=1)
        if tokens.shape[1] == 0:
            # Neither objects nor a background: attention needs something to look at.
            tokens = tokens.new_zeros(len(tokens), 1, tokens.shape[2])
            mask = mask.new_zeros(len(mask), 1)
        extra: list[torch.Tensor] = []
        if LAYOUT in self.maps:
            extra.append(conditions.layout)
            splat = tokenizer.splatted(conditions.object_features, conditions.nearest)
            if splat is not None:
                extra.append(splat.to(conditions.layout.dtype))
        if PROXY in self.maps:
            extra += [conditions.proxy_latents, conditions.proxy_masks]
        return tokens, mask, extra


def map_channels(maps: tuple[str, ...], splat_channels: int, latent_channels: int) -> int:
    """How many channels the maps add to the U-Net's input."""
    layout = LAYOUT_CHANNELS + splat_channels if LAYOUT in maps else 0
    return layout + (latent_channels + PROXY_MASK_CHANNELS if PROXY in maps else 0)
