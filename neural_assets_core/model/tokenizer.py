"""The asset tokenizer: appearance joined with pose, one group of tokens an object."""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from neural_assets_core.model.roi_align import roi_align

POSE_NUMBERS = 12
"""Four corners as (u, v, depth), or a rotation matrix and a shift."""


class AssetTokenizer(ModelMixin, ConfigMixin):
    """Turns encoded appearances and poses into the tokens the decoder attends to.

    Parameters
    ----------
    feature_channels : int
        Of the visual encoder's map.
    cross_attention_dim : int
        Width of a token, as the decoder's cross-attention expects it.
    appearance_dim, pose_dim, pose_hidden_dim : int
        Widths of the two parts before they are joined, and of the pose network inside.
    object_bins, background_bins : int
        RoIAlign bins a side: bins ** 2 tokens each. The paper has 2 and 1. Without bins the
        background has no tokens.
    pose_frequencies : int
        Octaves of sines and cosines added to the raw pose numbers; the paper has 0.
    splat_channels : int
        Appearance numbers painted into the layout map; 0 for none.
    background_posed : bool
        Whether the background's tokens hold the relative camera pose.

    Notes
    -----
    Source: Wu et al., Neural Assets (2024), section 3.
    """

    @register_to_config
    def __init__(
        self,
        feature_channels: int = 192,
        cross_attention_dim: int = 256,
        appearance_dim: int = 256,
        pose_dim: int = 256,
        pose_hidden_dim: int = 512,
        object_bins: int = 3,
        background_bins: int = 4,
        pose_frequencies: int = 4,
        splat_channels: int = 16,
        background_posed: bool = True,
    ) -> None:
        super().__init__()
        width = POSE_NUMBERS * (1 + 2 * pose_frequencies)
        self.appearance = nn.Linear(feature_channels, appearance_dim)
        self.pose = nn.Sequential(
            nn.Linear(width, pose_hidden_dim), nn.GELU(), nn.Linear(pose_hidden_dim, pose_dim)
        )
        # The background's pose is a camera's, not four corners: a small network of its own
        # brings it to the form that the shared one reads.
        posed = background_posed and background_bins > 0
        self.background_pose = (
            nn.Sequential(
                nn.Linear(POSE_NUMBERS, pose_hidden_dim),
                nn.GELU(),
                nn.Linear(pose_hidden_dim, width),
            )
            if posed
            else None
        )
        self.fusion = nn.Linear(appearance_dim + pose_dim, cross_attention_dim)
        self.splat = nn.Linear(feature_channels, splat_channels) if splat_channels else None

    # -- appearance: once a source view ----------------------------------------------------

    def object_features(self, feature_map: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """Appearance of objects.

        Parameters
        ----------
        feature_map : tensor (b, c, h, w)
            Of the foreground picture.
        regions : tensor (b, n, 4)
            2D boxes in the source view, fractions.

        Returns
        -------
        tensor (b, n, object_bins ** 2, c)
        """
        return roi_align(feature_map, regions, self.config.object_bins)

    def background_features(self, feature_map: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """Appearance of the background inside `regions` (b, 4): (b, background_bins ** 2, c)."""
        bins = self.config.background_bins
        if bins == 0:
            return feature_map.new_zeros(len(feature_map), 0, feature_map.shape[1])
        return roi_align(feature_map, regions[:, None], bins)[:, 0]

    # -- tokens: for every pose --------------------------------------------------------------

    def object_tokens(self, features: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
        """Join appearances with poses.

        Parameters
        ----------
        features : tensor (b, n, k, c)
        corners : tensor (b, n, 4, 3)
            (u, v, depth) of p0, p1, p2, p4 in the target view.

        Returns
        -------
        tensor (b, n, k, cross_attention_dim)
        """
        pose = self.pose(self._encoded(corners.flatten(2)))
        pose = pose[:, :, None].expand(-1, -1, features.shape[2], -1)
        tokens: torch.Tensor = self.fusion(torch.cat([self.appearance(features), pose], dim=-1))
        return tokens

    def background_tokens(self, features: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        """The same for the background: features (b, k, c), relative camera pose (b, 12)."""
        if self.background_pose is None:
            encoded = pose.new_zeros(len(pose), self.config.pose_dim)
        else:
            encoded = self.pose(self.background_pose(pose))
        encoded = encoded[:, None].expand(-1, features.shape[1], -1)
        tokens: torch.Tensor = self.fusion(torch.cat([self.appearance(features), encoded], dim=-1))
        return tokens

    def splatted(self, features: torch.Tensor, nearest: torch.Tensor) -> torch.Tensor | None:
        """Paint each object's pooled appearance where its box is the nearest.

        Parameters
        ----------
        features : tensor (b, n, k, c)
        nearest : int64 tensor (b, h, w)
            Index of the object, -1 for none.

        Returns
        -------
        tensor (b, splat_channels, h, w) or None
        """
        if self.splat is None:
            return None
        pooled = self.splat(features.mean(dim=2))
        # A row of zeros in front stands for "no object".
        nothing = pooled.new_zeros(len(pooled), 1, pooled.shape[-1])
        padded = torch.cat([nothing, pooled], dim=1)
        index = (nearest + 1).flatten(1)[..., None].expand(-1, -1, padded.shape[-1])
        painted = padded.gather(1, index)
        return painted.transpose(1, 2).reshape(len(nearest), -1, *nearest.shape[1:])

    def _encoded(self, pose: torch.Tensor) -> torch.Tensor:
        octaves = self.config.pose_frequencies
        if octaves == 0:
            return pose
        scales = math.pi * 2.0 ** torch.arange(octaves, device=pose.device, dtype=torch.float32)
        # Depth in metres is brought to the range of the picture's fractions.
        unit = torch.tensor([1.0, 1.0, 0.1] * 4, device=pose.device)
        angles = (pose.float() * unit)[..., None] * scales
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)
        return torch.cat([pose, waves.to(pose.dtype)], dim=-1)
