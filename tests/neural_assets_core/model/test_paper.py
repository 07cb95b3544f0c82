"""The paper's configuration: whole on paper, running at a tenth of its width."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.build import ModelConfig, build_pipeline
from neural_assets_core.resources import TRAINING_CONFIGS
from neural_assets_core.training.config import read_config
from neural_assets_core.training.decoder_stage import Denoiser, _step_loss
from neural_assets_core.training.samples import SampleShape, make_sample
from tests.neural_assets_core.conftest import paint, painted_scene

PAPER = read_config(TRAINING_CONFIGS / "paper.toml")


def reduced(model: ModelConfig) -> ModelConfig:
    """The same shape with a tenth of the channels."""
    return model.model_copy(
        update={
            "sample_size": 64,
            "vae": model.vae.model_copy(update={"encoder_channels": 16}),
            "encoder": model.encoder.model_copy(
                update={"sample_size": 56, "hidden_size": 48, "num_hidden_layers": 2,
                        "num_attention_heads": 3}
            ),
            "tokenizer": model.tokenizer.model_copy(
                update={"appearance_dim": 32, "pose_dim": 32, "pose_hidden_dim": 64}
            ),
            "unet": model.unet.model_copy(
                update={"block_out_channels": (32, 64, 96, 96), "heads": (1, 2, 3, 3),
                        "cross_attention_dim": 64}
            ),
        }
    )


def test_full_size_is_stable_diffusion_with_asset_tokens() -> None:
    with torch.device("meta"):
        pipeline = build_pipeline(PAPER.model)
    unet, tokenizer = pipeline.unet, pipeline.asset_tokenizer
    shape = unet.config.in_channels, unet.config.out_channels, unet.config.sample_size
    assert shape == (4, 4, 32)
    assert unet.config.cross_attention_dim == 1024
    assert 850e6 < sum(p.numel() for p in unet.parameters()) < 870e6
    assert 80e6 < sum(p.numel() for p in pipeline.visual_encoder.parameters()) < 90e6
    assert tokenizer.config.object_bins**2 == 4
    assert tokenizer.config.background_bins == 1
    assert tokenizer.pose[0].in_features == 12
    assert pipeline.scheduler.config.prediction_type == "epsilon"


def test_reduced_width_trains_a_step_and_samples_a_step(
    camera: Camera, boxes: list[Box]
) -> None:
    torch.manual_seed(0)
    pipeline = build_pipeline(reduced(PAPER.model))
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.visual_encoder(torch.zeros(1, 3, 64, 64)).shape == (1, 48, 7, 7)
    moved = [boxes[0].translated((0.1, -0.2, 0)), boxes[1]]
    scene = painted_scene(camera, boxes).with_box("box 1", moved[0])
    truth, ids = paint(camera, moved)
    sample = make_sample(scene, camera, truth, ids, SampleShape(64, 56, 8))
    batch = {key: value[None].expand(2, *value.shape) for key, value in sample.items()}
    model = Denoiser(pipeline)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    config = PAPER.model_copy(update={"model": reduced(PAPER.model)})
    losses = []
    for _ in range(2):
        torch.manual_seed(1)
        loss = _step_loss(
            model, pipeline, batch, config, Accelerator(cpu=True)
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    image = pipeline(scene, num_inference_steps=1).images
    assert image.shape == (1, 64, 64, 3)
    assert image.dtype == np.uint8
