from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from neural_assets_core.decoders import Cancelled
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.build import ModelConfig, UNetConfig, build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import Scene
from tests.neural_assets_core.conftest import painted_scene


@pytest.fixture
def edited(scene: Scene, boxes: list[Box]) -> Scene:
    return scene.with_box("box 1", boxes[0].translated((0.1, -0.2, 0))).with_settings(steps=3)


def generate(pipeline: NeuralAssetsPipeline, scene: Scene, seed: int = 0, **options) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    return pipeline(scene, num_inference_steps=3, generator=generator, **options).images


def test_same_seed_same_picture(tiny_pipeline: NeuralAssetsPipeline, edited: Scene) -> None:
    first = generate(tiny_pipeline, edited)
    assert first.shape == (1, 32, 32, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, generate(tiny_pipeline, edited))
    assert not np.array_equal(first, generate(tiny_pipeline, edited, seed=1))


def test_assets_are_encoded_once_for_many_poses(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, scene: Scene
) -> None:
    calls = []
    tiny_pipeline.visual_encoder.register_forward_hook(lambda *_: calls.append(1))
    assets = tiny_pipeline.encode_assets(scene)
    assert len(calls) == 2  # objects and background
    with_assets = generate(tiny_pipeline, edited, assets=assets)
    assert len(calls) == 2
    assert np.array_equal(with_assets, generate(tiny_pipeline, edited))


def test_decoder_does_not_encode_again_for_a_new_pose(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, boxes: list[Box]
) -> None:
    calls = []
    tiny_pipeline.visual_encoder.register_forward_hook(lambda *_: calls.append(1))
    decoder = NeuralDecoder(tiny_pipeline)
    decoder.generate(edited)
    decoder.generate(edited.with_box("box 2", boxes[1].translated((0, 0.1, 0))))
    assert len(calls) == 2


def test_poses_and_appearances_matter(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, boxes: list[Box]
) -> None:
    elsewhere = edited.with_box("box 1", boxes[0].translated((0.3, 0.2, 0)))
    swapped = edited.with_appearance("box 1", edited.object("box 2").appearance)
    pictures = [generate(tiny_pipeline, scene) for scene in (edited, elsewhere, swapped)]
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_guidance_needs_two_passes_and_one_is_off(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene
) -> None:
    rows = []
    tiny_pipeline.unet.register_forward_hook(lambda _, args, __: rows.append(len(args[0])))
    generate(tiny_pipeline, edited, guidance_scale=1.0)
    generate(tiny_pipeline, edited, guidance_scale=2.0)
    assert rows == [1, 1, 1, 2, 2, 2]


def test_callback_sees_every_step_and_may_change_latents(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene
) -> None:
    steps = []

    def callback(pipeline, step, timestep, tensors):
        steps.append((step, timestep))
        return {"latents": torch.zeros_like(tensors["latents"])}

    blank = generate(tiny_pipeline, edited, callback_on_step_end=callback, output_type="latent")
    base = tiny_pipeline.prepare_conditions(
        edited, edited.camera.resized(32, 32), tiny_pipeline.encode_assets(edited)
    ).proxy_latents
    assert [step for step, _ in steps] == [0, 1, 2]
    # Nothing generated on top of the proxy leaves the proxy.
    assert torch.allclose(blank, base, atol=1e-6)


def test_no_objects_at_all(tiny_pipeline: NeuralAssetsPipeline, edited: Scene) -> None:
    empty = edited.without("box 1").without("box 2")
    assert generate(tiny_pipeline, empty).shape == (1, 32, 32, 3)


def test_save_and_load(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, tmp_path: Path
) -> None:
    tiny_pipeline.save_pretrained(str(tmp_path))
    again = load_pipeline(str(tmp_path), device="cpu")
    assert list(again.config.maps) == ["layout", "proxy"]
    assert np.array_equal(generate(again, edited), generate(tiny_pipeline, edited))


def test_half_precision(tiny_pipeline: NeuralAssetsPipeline, edited: Scene) -> None:
    exact = generate(tiny_pipeline, edited).astype(int)
    half = generate(tiny_pipeline.to(torch.bfloat16), edited).astype(int)
    assert np.abs(exact - half).mean() < 6


def test_decoder_keeps_what_the_edit_cannot_touch(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene
) -> None:
    seen = []
    result = NeuralDecoder(tiny_pipeline).generate(edited, progress=seen.append)
    source = edited.background.view.picture.pixels
    assert result.picture.pixels.shape == source.shape
    assert np.array_equal(result.picture.pixels[:8], source[:8])
    assert not np.array_equal(result.picture.pixels, source)
    assert [(item.phase, item.step) for item in seen] == [
        *[("encoding", 0)] * 2, ("preparing", 0),
        ("denoising", 0), ("denoising", 1), ("denoising", 2), ("decoding", 3),
    ]


def test_unedited_scene_is_its_source(tiny_pipeline: NeuralAssetsPipeline, scene: Scene) -> None:
    assert NeuralDecoder(tiny_pipeline).generate(scene).picture == scene.background.view.picture


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_cancel_between_any_two_steps_and_before_decoding(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, at: int
) -> None:
    cancel, decoded = threading.Event(), []
    tiny_pipeline.vae.decoder.register_forward_hook(lambda *_: decoded.append(1))

    def watch(progress) -> None:
        if progress.step == at:
            cancel.set()

    with pytest.raises(Cancelled):
        NeuralDecoder(tiny_pipeline).generate(edited, progress=watch, cancel=cancel)
    assert not decoded


@pytest.mark.parametrize("steps", [1, 7, 61])
def test_every_number_of_steps_is_that_many(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, steps: int
) -> None:
    seen = []
    tiny_pipeline(
        edited,
        num_inference_steps=steps,
        guidance_scale=1.0,
        callback_on_step_end=lambda _, step, timestep, tensors: seen.append(timestep) or tensors,
    )
    assert len(seen) == steps
    assert min(seen) >= 0


def test_an_asset_looks_the_same_whatever_else_is_in_the_scene(
    tiny_pipeline: NeuralAssetsPipeline, scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    other = painted_scene(camera, [box.translated((0.05, 0.1, 0)) for box in boxes])
    both = scene.with_object(other.objects[0]).with_object(other.objects[1])
    alone = both.without(both.objects[2].name)
    kept = both.objects[3].appearance
    encoded = [tiny_pipeline.encode_assets(it).objects[kept] for it in (both, alone)]
    assert torch.equal(*encoded)


def test_box_behind_the_camera_is_refused(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene, boxes: list[Box]
) -> None:
    behind = edited.with_box("box 1", boxes[0].with_center((0.2, -3.0, 1.6)))
    with pytest.raises(UserError, match="box 1"):
        generate(tiny_pipeline, behind)


def test_no_steps_are_refused(tiny_pipeline: NeuralAssetsPipeline, edited: Scene) -> None:
    with pytest.raises(ValueError, match="num_inference_steps is 0"):
        tiny_pipeline(edited, num_inference_steps=0)


class TestBadCheckpoints:
    @pytest.fixture
    def folder(self, tiny_pipeline: NeuralAssetsPipeline, tmp_path: Path) -> Path:
        tiny_pipeline.save_pretrained(str(tmp_path))
        return tmp_path

    def refused(self, folder: Path, message: str) -> None:
        with pytest.raises(UserError, match=message):
            load_pipeline(str(folder))

    def test_missing(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "nowhere", "no checkpoint")

    def test_foreign_pipeline(self, folder: Path) -> None:
        index = folder / "model_index.json"
        index.write_text(index.read_text().replace("NeuralAssetsPipeline", "OtherPipeline"))
        self.refused(folder, "not a Neural Assets checkpoint")

    def test_foreign_module(self, folder: Path) -> None:
        index = folder / "model_index.json"
        parts = json.loads(index.read_text())
        parts["vae"] = ["antigravity", "Anything"]
        index.write_text(json.dumps(parts))
        self.refused(folder, "not a Neural Assets checkpoint")

    def test_truncated_weights(self, folder: Path) -> None:
        weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
        self.refused(folder, "cannot be loaded")

    def test_weights_of_another_configuration(self, folder: Path) -> None:
        config = folder / "asset_tokenizer" / "config.json"
        config.write_text(config.read_text().replace('"pose_dim": 16', '"pose_dim": 24'))
        self.refused(folder, "cannot be loaded")

    def test_a_weight_missing(self, folder: Path) -> None:
        file = folder / "unet" / "diffusion_pytorch_model.safetensors"
        weights = load_file(file)
        del weights["conv_out.bias"]
        save_file(weights, file, {"format": "pt"})
        self.refused(folder, "cannot be loaded.*conv_out.bias")

    def test_more_layers_than_weights(self, folder: Path) -> None:
        config = folder / "unet" / "config.json"
        fields = json.loads(config.read_text())
        fields["layers_per_block"] += 1
        config.write_text(json.dumps(fields))
        self.refused(folder, "cannot be loaded")

    def test_parts_of_different_models(self, folder: Path) -> None:
        index = folder / "model_index.json"
        index.write_text(json.dumps({**json.loads(index.read_text()), "maps": ["proxy"]}))
        self.refused(folder, "cannot be loaded.*U-Net input channels")

    def test_places_that_cannot_be_looked_at(self) -> None:
        for name in ("~no-such-user/checkpoint", "x" * 300):
            self.refused(Path(name), "cannot be read")

    def test_part_missing(self, folder: Path) -> None:
        shutil.rmtree(folder / "visual_encoder")
        self.refused(folder, "cannot be loaded")


def test_tokens_only_like_the_paper(tiny_model: ModelConfig, edited: Scene) -> None:
    torch.manual_seed(0)
    config = tiny_model.model_copy(
        update={
            "maps": (),
            "unet": UNetConfig(
                **{**tiny_model.unet.model_dump(), "prediction_type": "epsilon",
                   "zero_terminal_snr": False}
            ),
        }
    )
    pipeline = build_pipeline(config)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.unet.config.in_channels == pipeline.vae.config.latent_channels
    assert generate(pipeline, edited).shape == (1, 32, 32, 3)


def test_less_strength_starts_from_the_proxy(
    tiny_pipeline: NeuralAssetsPipeline, edited: Scene
) -> None:
    steps: list[int] = []

    def count(pipeline, step, timestep, tensors):
        steps.append(timestep)
        return tensors

    def residual(strength: float) -> float:
        steps.clear()
        latents = tiny_pipeline(
            edited, num_inference_steps=8, strength=strength, output_type="latent",
            generator=torch.Generator().manual_seed(0), callback_on_step_end=count,
        )
        return float((latents.images - latents.proxies).abs().mean())

    whole = residual(1.0)
    assert len(steps) == 8
    less = residual(0.25)
    assert len(steps) == 2
    assert less < 0.8 * whole
    residual(0.01)
    assert len(steps) == 1
    progress = []
    few = edited.with_settings(steps=8, strength=0.25)
    NeuralDecoder(tiny_pipeline).generate(few, progress=progress.append)
    assert [one.step for one in progress if one.phase == "denoising"] == [0, 1]
    assert progress[-1].phase == "decoding"
