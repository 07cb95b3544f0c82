"""Checkpoints from pre-trained parts, out of folders that the real libraries wrote."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

from neural_assets_core.cli import app
from neural_assets_core.model.encoder import IMAGENET_MEAN, ViTVisualEncoder
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.model.pretrained import PaperShape, Source, pipeline_from_pretrained
from neural_assets_core.model.roi_align import roi_align
from neural_assets_core.training.decoder_stage import Denoiser
from neural_assets_core.training.samples import SampleShape, make_sample
from tests.neural_assets_core.conftest import paint

HEADS = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3}


def write_diffusion(folder: Path, scheduler: object, width: int = 24, channels: int = 4) -> Path:
    """A folder as `StableDiffusionPipeline.save_pretrained` writes it, its text part left out."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=64, in_channels=channels, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=width, attention_head_dim=4, use_linear_projection=True,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 16), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=8, scaling_factor=0.18,
    )  # fmt: skip
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    scheduler.save_pretrained(folder / "scheduler")
    return folder


def write_encoder(folder: Path, kind: str = "vit") -> Path:
    torch.manual_seed(1)
    if kind == "vit":
        config = transformers.ViTConfig(
            image_size=32, patch_size=8, intermediate_size=40, layer_norm_eps=1e-7, **HEADS
        )
        transformers.ViTModel(config).save_pretrained(folder)
    elif kind == "dinov2":
        config = transformers.Dinov2Config(image_size=56, patch_size=14, mlp_ratio=2, **HEADS)
        transformers.Dinov2Model(config).save_pretrained(folder)
    else:
        config = transformers.Dinov2WithRegistersConfig(image_size=28, patch_size=14, **HEADS)
        transformers.Dinov2WithRegistersModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diffusion(tmp_path_factory.mktemp("sd"), PNDMScheduler())


def init(unet: Path, encoder: Path, out: Path, *options: str) -> Result:
    sizes = ["--size", "16", "--encoder-size", "56", *options]
    paths = ["--unet-from", str(unet), "--encoder-from", str(encoder), "--out", str(out)]
    return CliRunner().invoke(app, ["init", *paths, *sizes])


@pytest.mark.parametrize(
    ("kind", "scheduler", "prediction"),
    [
        ("vit", DDPMScheduler(prediction_type="v_prediction", beta_end=0.012), "v_prediction"),
        ("dinov2", EulerDiscreteScheduler(beta_end=0.012), "epsilon"),
    ],
)
def test_what_init_makes_loads_trains_and_paints(
    kind, scheduler, prediction, scene, camera, boxes, tmp_path
) -> None:
    source = write_diffusion(tmp_path / "sd", scheduler)
    vit = write_encoder(tmp_path / "dino", kind)
    out = tmp_path / "start"
    told = init(source, vit, out)
    assert told.exit_code == 0, told.output
    assert f"predicts {prediction}" in told.stdout
    pipeline = load_pipeline(str(out), "cpu", torch.float32)

    # All of the U-Net is kept, and its conditions have the width that it was trained for.
    for part in ("unet", "vae"):
        name = "diffusion_pytorch_model.safetensors"
        before, after = (load_file(folder / part / name) for folder in (source, out))
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before)
    assert pipeline.asset_tokenizer.config.cross_attention_dim == 24
    assert pipeline.vae.config.scaling_factor == 0.18
    assert pipeline.scheduler.config.prediction_type == prediction
    assert pipeline.scheduler.config.beta_end == 0.012
    assert list(pipeline.config.maps) == []
    assert pipeline.sample_size == 16
    origins = json.loads((out / "origin.json").read_text())
    model = source / "unet" / "diffusion_pytorch_model.safetensors"
    assert (
        origins["unet"]["files"]["unet/diffusion_pytorch_model.safetensors"]
        == hashlib.sha256(model.read_bytes()).hexdigest()
    )
    assert origins["unet"]["new"] == 0
    assert origins["asset_tokenizer"]["new"] > 0

    picture = pipeline(scene, num_inference_steps=2).images
    assert picture.shape == (1, 16, 16, 3)
    truth, ids = paint(camera, boxes)
    sample = make_sample(scene, camera, truth, ids, SampleShape(16, 56, 8))
    batch = {key: value[None] for key, value in sample.items()}
    denoiser = Denoiser(pipeline).train()
    noisy = torch.randn(1, 4, 8, 8)
    never = torch.zeros(1, dtype=torch.bool)
    denoiser(noisy, torch.tensor([500]), batch, noisy, never).square().mean().backward()
    idle = [n for n, p in denoiser.named_parameters() if p.requires_grad and p.grad is None]
    assert idle == []


@pytest.mark.parametrize("kind", ["vit", "dinov2", "dinov2_with_registers"])
def test_encoder_answers_as_the_library_does(kind: str, diffusion: Path, tmp_path: Path) -> None:
    """At another size than it was trained for: its position embeddings are interpolated."""
    vit = write_encoder(tmp_path / "dino", kind)
    (vit / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]})
    )
    shape = PaperShape(sample_size=16, encoder_size=56)
    pipeline, _ = pipeline_from_pretrained(Source(diffusion, "sd"), Source(vit, "dino"), shape)
    pipeline.visual_encoder.save_pretrained(tmp_path / "kept")
    encoder = ViTVisualEncoder.from_pretrained(tmp_path / "kept", low_cpu_mem_usage=False)
    pixels = torch.rand(1, 3, 56, 56) * 2 - 1
    with torch.no_grad():
        features = encoder(pixels)
        theirs = transformers.AutoModel.from_pretrained(vit).eval()
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]))
        options = {"interpolate_pos_encoding": True} if kind == "vit" else {}
        hidden = theirs(((pixels + 1) / 2 - mean) / std, **options).last_hidden_state
    side = 56 // encoder.config.patch_size
    expected = hidden[:, -side * side :].reshape(side, side, 24).permute(2, 0, 1)
    torch.testing.assert_close(features[0], expected)


def test_features_are_pooled_where_the_object_is() -> None:
    """Half-pixel conventions: a ramp of brightness through patches and RoIAlign stays a ramp."""
    encoder = ViTVisualEncoder(64, 8, 6, 0, 1, 8, details={"image_size": 32})
    with torch.no_grad():
        encoder.vit.embeddings.position_embeddings.zero_()
        weight = encoder.vit.embeddings.patch_embeddings.projection.weight
        weight.zero_()
        weight[0, 0] = 1 / 64
        encoder.vit.embeddings.patch_embeddings.projection.bias.zero_()
    encoder.vit.layernorm = torch.nn.Identity()
    # Red rises from -1 at the left border of the picture to 1 at the right one.
    ramp = torch.linspace(-1 + 1 / 64, 1 - 1 / 64, 64).expand(1, 3, 64, 64)
    pooled = roi_align(encoder(ramp), torch.tensor([[[0.25, 0.25, 0.75, 0.5]]]), 2)
    red = pooled[0, 0, :, 0] * 0.229 + IMAGENET_MEAN[0]
    # Bins in the middle of x = 0.375 and 0.625 of the picture's width.
    np.testing.assert_allclose(red.detach(), [0.375, 0.625] * 2, atol=1e-5)


def test_what_cannot_be_used_is_refused_in_one_sentence(diffusion: Path, tmp_path: Path) -> None:
    source = diffusion
    vit = write_encoder(tmp_path / "dino")

    def refused(*arguments: object) -> str:
        result = init(*arguments)
        assert result.exit_code == 2, (result.output, result.exception)
        assert not (tmp_path / "out").exists()
        return result.stderr

    out = tmp_path / "out"
    assert "--download" in refused("someone/model", vit, out)
    assert "no unet/config.json" in refused(vit, vit, out)
    assert "vision transformer" in refused(source, source / "unet", out)
    assert "multiple of 8" in refused(source, vit, out, "--encoder-size", "60")
    assert "multiple of 4" in refused(source, vit, out, "--size", "18")
    inpainting = write_diffusion(tmp_path / "inpainting", PNDMScheduler(), channels=9)
    assert "text-to-image" in refused(inpainting, vit, out)
    sampled = tmp_path / "sampled"
    shutil.copytree(source, sampled)
    DDPMScheduler(prediction_type="sample").save_pretrained(sampled / "scheduler")
    assert "'sample'" in refused(sampled, vit, out)

    # A pickle in the safetensors' place is not even opened.
    weights = vit / "model.safetensors"
    tensors = load_file(weights)
    weights.unlink()
    torch.save(tensors, vit / "pytorch_model.bin")
    assert "never pickled" in refused(source, vit, out)
    del tensors["encoder.layer.1.intermediate.dense.weight"]
    save_file(tensors, weights, {"format": "pt"})
    assert "not whole" in refused(source, vit, out)
