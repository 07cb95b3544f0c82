"""Appearance tokens: made once by an encoder, kept in the asset, made again by another encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from neural_assets_core.library.asset import TOKENS, Asset
from neural_assets_core.model.kept_tokens import encoded_again
from neural_assets_core.model.pipeline import NeuralAssetsPipeline


def encoded(asset: Asset, pipeline: NeuralAssetsPipeline) -> Asset:
    """The asset with the tokens that the pipeline's encoder makes of its crop.

    Raises
    ------
    UserError
        If the asset is a background.
    """
    tokens = pipeline.encode_object(asset.object_appearance())
    # Safetensors writes the memory as it lies, whatever the strides say.
    array = np.ascontiguousarray(tokens.detach().float().cpu().numpy())
    return asset.with_label(tokens=save({TOKENS: array}), encoder=pipeline.encoder_identity())


def tokens_for(
    asset: Asset, pipeline: NeuralAssetsPipeline
) -> tuple[NDArray[np.floating[Any]], str]:
    """The asset's tokens as this pipeline understands them, and a note on how they were got.

    Returns
    -------
    tokens : array (k, c)
        The kept ones if this encoder made them, else made again from the kept crop.
    note : str
        Empty for kept ones.
    """
    kept = asset.token_array()
    if kept is not None and asset.encoder == pipeline.encoder_identity():
        return kept, ""
    made = encoded(asset, pipeline).token_array()
    assert made is not None
    if kept is None:
        return made, f"{asset.name} was encoded from its crop: it held no tokens."
    return made, encoded_again(asset.name)
