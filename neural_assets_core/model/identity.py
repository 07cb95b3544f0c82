"""Which encoder it is that made some tokens: named by its weights."""

from __future__ import annotations

import hashlib
import json

import torch

from neural_assets_core.model.encoder import VisualEncoder
from neural_assets_core.model.tokenizer import AssetTokenizer


def encoder_identity(encoder: VisualEncoder, tokenizer: AssetTokenizer) -> str:
    """Names a visual encoder by its weights, and by what else appearance tokens depend on.

    Weights count as far as half precision goes: the same checkpoint has the same identity on a
    processor and on a GPU.
    """
    facts = [type(encoder).__name__, encoder.config.sample_size, tokenizer.config.object_bins]
    digest = hashlib.sha256(json.dumps(facts).encode())
    # Buffers that are no part of a checkpoint, such as the mean colour, count too.
    weights = {**encoder.state_dict(), **dict(encoder.named_buffers())}
    for name, weight in sorted(weights.items()):
        digest.update(f"{name} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().to(torch.float16).contiguous().numpy().tobytes())
    return digest.hexdigest()
