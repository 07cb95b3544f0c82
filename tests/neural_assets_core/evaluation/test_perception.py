"""LPIPS, FID and DINO against the packages that are known for them, and against formulas."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch

from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.inception import Inception, frechet_distance
from neural_assets_core.evaluation.perception import Dino, Lpips, to_tensor
from tests.neural_assets_core.evaluation import published


def test_lpips_is_what_the_package_says(tmp_path: Path) -> None:
    net = Lpips.load(published.write_lpips(tmp_path / "weights"))
    first, second, _ = to_tensor(published.pictures()) * 2 - 1
    whole = float(net(first[None], second[None]))
    part = float(net(first[None, :, :32, :32], second[None, :, :32, :32]))
    assert (whole, part) == pytest.approx(published.LPIPS, abs=1e-6)
    assert float(net(first[None], first[None])) == 0
    # One of the two files alone is not enough, and what is missing is said.
    (tmp_path / "weights" / "alex.pth").unlink()
    with pytest.raises(UserError, match=r"lpips/weights/v0\.1/alex\.pth"):
        Lpips.load(tmp_path / "weights")


def test_inception_is_what_pytorch_fid_says(tmp_path: Path) -> None:
    net = Inception()
    names = {
        name: tuple(value.shape)
        for name, value in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    told = json.dumps(sorted([name, list(shape)] for name, shape in names.items()))
    assert hashlib.sha256(told.encode()).hexdigest() == published.LAYOUT
    file = tmp_path / "pt_inception.pth"
    torch.save({**published.inception_weights(names), "fc.bias": torch.zeros(1008)}, file)
    features = Inception.load(file)(to_tensor(published.pictures()[:1]))[0]
    found = [float(features.mean()), float(features.std()), *features[:3].tolist()]
    assert found == pytest.approx(published.INCEPTION, rel=1e-4)
    torch.save(published.inception_weights({"fc.bias": (8,)}), file)
    with pytest.raises(UserError, match="pt_inception-2015-12-05"):
        Inception.load(file)


@pytest.mark.parametrize(("first", "second"), [(200, 300), (8, 9)])
def test_the_frechet_distance_of_gaussians(first: int, second: int) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(first, 12)) @ rng.normal(size=(12, 12))
    b = rng.normal(size=(second, 12)) @ rng.normal(size=(12, 12)) + 0.3
    found = frechet_distance(a, b)
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # As Dowson and Landau write it: the root of a product of covariances, here made symmetric.
    half = np.real(scipy.linalg.sqrtm(c1 + 1e-12 * np.eye(12)))
    roots = np.sqrt(np.linalg.eigvalsh(half @ c2 @ half).clip(0)).sum()
    means = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    assert found == pytest.approx(means + np.trace(c1) + np.trace(c2) - 2 * roots, rel=1e-4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    # Only shifted: the square of the shift.
    assert frechet_distance(a, a + 2.0) == pytest.approx(12 * 4.0)


def test_dino_looks_at_the_class_token(tmp_path: Path) -> None:
    import transformers

    folder = published.write_dino(tmp_path / "dino")
    pixels = to_tensor(published.pictures())
    vectors = Dino.load(folder)(pixels)
    assert torch.linalg.vector_norm(vectors, dim=1).tolist() == pytest.approx([1, 1, 1])
    # The same by the real library's own way from a picture to the network.
    processor = transformers.ViTImageProcessorPil(
        size={"height": 224, "width": 224}, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )  # fmt: skip
    ready = processor(list(published.pictures()), return_tensors="pt")["pixel_values"]
    vit = transformers.ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.no_grad():
        tokens = vit(ready).last_hidden_state[:, 0]
    assert torch.cosine_similarity(vectors, tokens).min() > 0.999
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="DINO"):
        Dino.load(folder)


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    (tmp_path / "alex.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match="damaged"):
        Lpips.load(tmp_path)
    with pytest.raises(UserError, match="check the path"):
        Lpips.load(tmp_path / "nowhere")
