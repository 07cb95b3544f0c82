"""Tokens are kept for their encoder, and made again for another one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neural_assets_core.errors import UserError
from neural_assets_core.library import background_asset, inserted, object_asset
from neural_assets_core.library.tokens import encoded, encoder_identity, tokens_for
from neural_assets_core.scene import Scene


def test_tokens_are_what_generation_uses(scene: Scene, tiny_pipeline) -> None:
    asset = encoded(object_asset(scene, "box 1"), tiny_pipeline)
    after = inserted(scene, asset, (0.0, -0.5))
    used = tiny_pipeline.encode_assets(after).objects[after.objects[-1].appearance]
    assert np.array_equal(asset.token_array(), used.numpy())
    kept, note = tokens_for(asset, tiny_pipeline)
    assert np.array_equal(kept, asset.token_array())
    assert note == ""


def test_another_encoder_encodes_again_and_says_so(scene: Scene, tiny_pipeline) -> None:
    plain = object_asset(scene, "box 1")
    asset = encoded(plain, tiny_pipeline)
    assert tokens_for(plain, tiny_pipeline)[1] == (
        "box 1 was encoded from its crop: it held no tokens."
    )
    before = encoder_identity(tiny_pipeline)
    with torch.no_grad():
        next(tiny_pipeline.visual_encoder.parameters()).add_(0.5)
    assert encoder_identity(tiny_pipeline) != before
    fresh, note = tokens_for(asset, tiny_pipeline)
    assert "another encoder" in note
    assert not np.array_equal(fresh, asset.token_array())
    assert np.array_equal(fresh, encoded(plain, tiny_pipeline).token_array())


def test_the_identity_does_not_depend_on_the_precision(tiny_pipeline) -> None:
    before = encoder_identity(tiny_pipeline)
    tiny_pipeline.visual_encoder.half()
    assert encoder_identity(tiny_pipeline) == before


def test_backgrounds_have_no_tokens(scene: Scene, tiny_pipeline) -> None:
    with pytest.raises(UserError, match="is a background"):
        encoded(background_asset(scene, "place"), tiny_pipeline)
