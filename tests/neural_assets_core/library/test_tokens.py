"""Tokens are kept for their encoder, and made again for another one."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.library import background_asset, inserted, object_asset
from neural_assets_core.library.tokens import encoded, tokens_for
from neural_assets_core.model import kept_tokens
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
    before = tiny_pipeline.encoder_identity()
    with torch.no_grad():
        next(tiny_pipeline.visual_encoder.parameters()).add_(0.5)
    assert tiny_pipeline.encoder_identity() != before
    fresh, note = tokens_for(asset, tiny_pipeline)
    assert "another encoder" in note
    assert not np.array_equal(fresh, asset.token_array())
    assert np.array_equal(fresh, encoded(plain, tiny_pipeline).token_array())


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was kept before."""
    monkeypatch.setattr(kept_tokens, "_KEPT", OrderedDict())


def test_the_decoder_takes_kept_tokens_instead_of_encoding(
    scene: Scene, tiny_pipeline, forgetful
) -> None:
    asset = encoded(object_asset(scene, "box 1"), tiny_pipeline)
    # Other numbers than the encoder's own, to be told apart.
    marked = save({"tokens": asset.token_array() + 1})
    after = inserted(scene, asset.with_label(tokens=marked), (0.0, -0.5))
    runs, foreign = [], []
    assets = tiny_pipeline.encode_assets(after, None, lambda: runs.append(1), foreign.append)
    used = assets.objects[after.objects[-1].appearance].numpy()
    assert np.array_equal(used, asset.token_array() + 1)
    alone: list[int] = []
    tiny_pipeline.encode_assets(scene, None, lambda: alone.append(1))
    assert runs == alone
    assert foreign == []


@pytest.mark.parametrize("fault", ["encoder", "shape"])
def test_the_decoder_encodes_foreign_tokens_again_with_one_note(
    scene: Scene, tiny_pipeline, forgetful, fault: str
) -> None:
    asset = encoded(object_asset(scene, "box 1"), tiny_pipeline)
    wrong = save({"tokens": np.zeros((3, 5), dtype=np.float32)})
    if fault == "encoder":
        wrong = save({"tokens": asset.token_array() + 1})
    encoder = "another" if fault == "encoder" else asset.encoder
    foreign = asset.with_label(tokens=wrong, encoder=encoder, name="guest")
    after = inserted(scene, foreign, (0.0, 0.4))
    decoder = NeuralDecoder(tiny_pipeline)
    made = decoder.generate(after)
    note = "guest was encoded again from its crop: another encoder made its tokens."
    assert made.notes == (note,)
    assert decoder.generate(after).notes == ()
    own = NeuralDecoder(tiny_pipeline).generate(inserted(scene, asset, (0.0, 0.4)))
    assert own.notes == ()
    assert own.picture == made.picture


def test_the_identity_does_not_depend_on_the_precision(tiny_pipeline) -> None:
    before = tiny_pipeline.encoder_identity()
    tiny_pipeline.visual_encoder.half()
    assert tiny_pipeline.encoder_identity() == before


def test_backgrounds_have_no_tokens(scene: Scene, tiny_pipeline) -> None:
    with pytest.raises(UserError, match="is a background"):
        encoded(background_asset(scene, "place"), tiny_pipeline)
