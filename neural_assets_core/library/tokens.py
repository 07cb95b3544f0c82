"""Appearance tokens: made once by an encoder, kept in the asset, made again by another encoder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from neural_assets_core.library.asset import TOKENS, Asset
from neural_assets_core.library.composition import inserted
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import Background, Scene


def encoder_identity(pipeline: NeuralAssetsPipeline) -> str:
    """Names the visual encoder by its weights, and by what else tokens depend on.

    Weights count as far as half precision goes: the same checkpoint has the same identity on a
    processor and on a GPU.
    """
    encoder, tokenizer = pipeline.visual_encoder, pipeline.asset_tokenizer
    facts = [type(encoder).__name__, encoder.config.sample_size, tokenizer.config.object_bins]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for name, weight in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().to(torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()


def encoded(asset: Asset, pipeline: NeuralAssetsPipeline) -> Asset:
    """The asset with the tokens that the pipeline's encoder makes of its crop.

    Raises
    ------
    UserError
        If the asset is a background.
    """
    looks = asset.object_appearance()
    scene = Scene(camera=looks.view.camera, background=Background(view=looks.view))
    scene = inserted(scene, asset, at=(0.0, 0.0))
    tokens = pipeline.encode_assets(scene).objects[looks]
    # Safetensors writes the memory as it lies, whatever the strides say.
    array = np.ascontiguousarray(tokens.detach().float().cpu().numpy())
    return asset.with_label(tokens=save({TOKENS: array}), encoder=encoder_identity(pipeline))


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
    if kept is not None and asset.encoder == encoder_identity(pipeline):
        return kept, ""
    made = encoded(asset, pipeline).token_array()
    assert made is not None
    if kept is None:
        return made, f"{asset.name} was encoded from its crop: it held no tokens."
    return made, f"{asset.name} was encoded again from its crop: another encoder made its tokens."
