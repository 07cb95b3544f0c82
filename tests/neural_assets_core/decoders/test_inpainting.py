"""Inpainting with a tiny Stable Diffusion checkpoint of the real layout, its weights random."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.decoders import Cancelled, Decoder, find_inpainting, open_decoder
from neural_assets_core.decoders.base import Progress
from neural_assets_core.decoders.inpainting_mask import Crop, crops, doubtful_pixels, put_in
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.proxy import draw_photograph
from neural_assets_core.scene import GenerationSettings, Scene, load_scene
from tests.checkpoints import SIDE, tiny_inpainting, write_inpainting
from tests.neural_assets_core.conftest import painted_scene
from tests.neural_assets_core.test_cli import done, refused


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inpainting(tmp_path_factory.mktemp("inpainting"))


@pytest.fixture(scope="module")
def decoder(checkpoint: Path) -> Decoder:
    settings = GenerationSettings(decoder="inpainting", checkpoint=str(checkpoint))
    return open_decoder(settings)


@pytest.fixture
def copied(checkpoint: Path, tmp_path: Path) -> Path:
    """One that may be spoilt."""
    shutil.copytree(checkpoint, tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def moved(scene: Scene, boxes: list[Box], checkpoint: Path) -> Scene:
    edited = scene.with_box("box 1", boxes[0].translated((0.1, -0.2, 0)))
    return edited.with_decoder("inpainting", checkpoint=str(checkpoint), steps=4)


def spoil(path: Path, **changes: object) -> None:
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not ...}))


class TestPictures:
    def test_only_what_was_made_up_is_painted(self, moved: Scene, decoder: Decoder) -> None:
        layers = draw_photograph(moved, moved.camera)
        mask = doubtful_pixels(moved, layers)
        picture = decoder.generate(moved).picture.pixels
        assert 0.02 < mask.mean() < 0.3
        assert mask[layers.hole].all()
        assert (picture[~mask] == layers.picture[~mask]).all()
        # The seam is soft: hardly anything changes where the mask begins, much inside.
        change = np.abs(picture.astype(int) - layers.picture).mean(axis=-1)
        edge = mask & ~np.roll(mask, 1, axis=1)
        assert change[edge].mean() < 0.6 * change[mask].mean()
        assert decoder.generate(moved).picture.pixels.tobytes() == picture.tobytes()
        # Seed, words and strength each make another picture.
        for other in ({"seed": 1}, {"prompt": "red"}, {"strength": 0.3}):
            again = decoder.generate(moved.with_settings(**other)).picture.pixels
            assert (again != picture).any()
            assert (again[~mask] == picture[~mask]).all()

    def test_an_unedited_photograph_stays(self, scene: Scene, decoder: Decoder) -> None:
        same = scene.with_decoder("inpainting")
        picture = decoder.generate(same).picture
        assert picture == scene.background.view.picture

    def test_a_moved_camera_and_things_taken_away(self, moved: Scene, decoder: Decoder) -> None:
        gone = moved.without("box 1").without("box 2")
        assert (decoder.generate(gone).picture.pixels >= 0).all()
        away = moved.with_camera(moved.camera.cropped(3, 2, 96, 96))
        assert decoder.generate(away).picture.pixels.shape == (96, 96, 3)

    def test_as_few_steps_as_one_whatever_the_strength(
        self, moved: Scene, decoder: Decoder
    ) -> None:
        told: list[Progress] = []
        one = moved.with_settings(steps=1, strength=0.05)
        decoder.generate(one, progress=told.append)
        assert [(p.phase, p.step) for p in told] == [
            ("preparing", 0), ("denoising", 0), ("decoding", 1),
        ]  # fmt: skip


class TestStopping:
    def test_in_the_midst_of_a_step(self, moved: Scene) -> None:
        from neural_assets_core.decoders.inpainting import InpaintingDecoder

        pipeline = tiny_inpainting()
        cancel, calls = threading.Event(), []

        def count(*_: object) -> None:
            calls.append(1)
            if len(calls) == 3:
                cancel.set()

        # Before the decoder's own look at it: the step's first layer has run, its last has not.
        pipeline.unet.mid_block.register_forward_pre_hook(count)
        last: list[int] = []
        pipeline.unet.conv_out.register_forward_hook(lambda *_: last.append(1))
        with pytest.raises(Cancelled):
            InpaintingDecoder(pipeline).generate(moved, cancel=cancel)
        assert (len(calls), len(last)) == (3, 2)

    @pytest.mark.parametrize("phase", ["preparing", "denoising", "decoding"])
    def test_whenever_progress_is_told(
        self, moved: Scene, decoder: Decoder, phase: str
    ) -> None:
        cancel = threading.Event()

        def stop(progress: Progress) -> None:
            if progress.phase == phase:
                cancel.set()

        with pytest.raises(Cancelled):
            decoder.generate(moved, progress=stop, cancel=cancel)
        # Afterwards it works as before.
        assert decoder.generate(moved).picture.width == moved.camera.width


class TestCheckpoints:
    def test_weights_of_half_precision_alone(self, moved: Scene, tmp_path: Path) -> None:
        folder = write_inpainting(tmp_path / "half", variant="fp16")
        assert find_inpainting(str(folder)).variant == "fp16"
        half = moved.with_settings(checkpoint=str(folder))
        assert open_decoder(half.settings).generate(half).picture.width == moved.camera.width

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda f: shutil.rmtree(f / "unet"), "cannot be read"),
            (lambda f: (f / "model_index.json").unlink(), "no model_index.json"),
            (lambda f: (f / "model_index.json").write_text("{"), "damaged"),
            (lambda f: spoil(f / "unet" / "config.json", in_channels=4), "text alone .* has 9"),
            (lambda f: spoil(f / "unet" / "config.json", in_channels=8), "8 input channels"),
            (lambda f: spoil(f / "model_index.json", vae=...), "has no vae"),
            (lambda f: spoil(f / "model_index.json", vae=["my_code", "V"]), "code of its own"),
            (lambda f: spoil(f / "model_index.json", _class_name=["a", "B"]), "code of its own"),
            (
                lambda f: spoil(f / "model_index.json", unet=["diffusers", "UNet3D"]),
                "another kind of model",
            ),
            (
                lambda f: spoil(
                    f / "model_index.json", text_encoder_2=["transformers", "CLIPTextModel"]
                ),
                "Stable Diffusion XL",
            ),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_one_sentence(
        self, copied: Path, change: Callable[[Path], object], told: str
    ) -> None:
        change(copied)
        with pytest.raises(UserError, match=told):
            find_inpainting(str(copied))

    def test_pickled_and_damaged_weights(self, copied: Path, moved: Scene) -> None:
        weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
        content = weights.read_bytes()
        scene = moved.with_settings(checkpoint=str(copied))
        weights.write_bytes(content[:-100])
        with pytest.raises(UserError, match="fetch it again"):
            open_decoder(scene.settings)
        from safetensors.torch import load_file, save_file

        weights.write_bytes(content)
        tensors = load_file(weights)
        tensors.pop("conv_in.weight")
        save_file(tensors, weights)
        with pytest.raises(UserError, match=r"lacks conv_in\.weight"):
            open_decoder(scene.settings)
        weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
        with pytest.raises(UserError, match=r"could run code .* \.safetensors"):
            open_decoder(scene.settings)

    @pytest.mark.parametrize("name", ["default", "/nowhere/at/all", __file__])
    def test_no_checkpoint(self, name: str) -> None:
        with pytest.raises(UserError, match=r"Stable Diffusion 1\.5 or 2 inpainting"):
            find_inpainting(name)


class TestWindows:
    def test_they_hold_the_mask_inside_the_picture(self) -> None:
        random = np.random.default_rng(0)
        for _ in range(50):
            height, width = random.integers(1, 700, 2)
            mask = np.zeros((height, width), dtype=bool)
            for _ in range(random.integers(1, 8)):
                y, x = random.integers(0, height), random.integers(0, width)
                h, w = random.integers(1, 1 + max(1, height // 3)), random.integers(1, 60)
                mask[y : y + h, x : x + w] = True
            found = crops(mask, 64 * 64, 8)
            assert len(found) <= 4
            held = np.zeros_like(mask, dtype=int)
            for crop in found:
                held[crop.slices] += 1
                assert crop.left >= 0 <= crop.top
                assert crop.right <= width
                assert crop.bottom <= height
                assert all(side % 8 == 0 and side for side in crop.size)
            assert (held[mask] == 1).all()

    def test_two_edits_far_apart_have_their_own(self) -> None:
        mask = np.zeros((600, 2000), dtype=bool)
        mask[100:140, 100:150] = mask[400:420, 1800:1850] = True
        assert [crop.size for crop in crops(mask, 512 * 512, 64)] == [(512, 512)] * 2

    def test_colours_meet_their_surroundings(self) -> None:
        picture = np.full((64, 64, 3), 120, dtype=np.uint8)
        mask = np.zeros((64, 64), dtype=bool)
        mask[20:44, 20:44] = True
        # As an autoencoder that makes everything a little too light.
        put_in(picture, np.full((32, 32, 3), 130, np.uint8), mask, Crop(0, 0, 64, 64, (32, 32)))
        assert (picture[~mask] == 120).all()
        assert np.abs(picture[22, 22:42].astype(int) - 120).max() <= 3


class TestSettings:
    def test_what_was_left_as_usual_follows_the_decoder(self, scene: Scene) -> None:
        there = scene.with_decoder("inpainting", checkpoint="somewhere")
        assert (there.settings.steps, there.settings.guidance) == (30, 7.5)
        back = there.with_decoder("neural")
        assert back.settings == scene.settings
        chosen = scene.with_settings(steps=7).with_decoder("inpainting")
        assert (chosen.settings.steps, chosen.settings.strength) == (7, 0.8)

    def test_from_the_command_line(
        self, scene_file: Path, checkpoint: Path, tmp_path: Path
    ) -> None:
        new, png = tmp_path / "new.nascene", tmp_path / "new.png"
        options = ["--decoder", "inpainting", "--checkpoint", checkpoint, "--prompt", "a mug"]
        done("edit", scene_file, "--object", "mug", "--scale", 1.2, *options, "--out", new)
        settings = load_scene(new).settings
        assert (settings.decoder, settings.prompt, settings.steps) == ("inpainting", "a mug", 30)
        text = done("render", new, "--out", png, "--steps", 2, "--strength", 0.5)
        assert "64 x 48 pixels" in text
        assert "checkpoint of your own" in refused(
            "render", scene_file, "--out", png, "--decoder", "inpainting"
        )
        assert "strength" in refused("render", new, "--out", png, "--strength", 0)


def test_the_window_is_of_the_checkpoints_resolution(checkpoint: Path) -> None:
    config = json.loads((checkpoint / "unet" / "config.json").read_text())
    assert 2 * config["sample_size"] == SIDE


def test_a_photograph_without_masks(
    camera: object, boxes: list[Box], moved: Scene
) -> None:
    plain = painted_scene(moved.camera, boxes, masked=False)
    edited = plain.with_box("box 2", boxes[1].rotated((0, 0, 1), 1.5)).model_copy(
        update={"settings": moved.settings}
    )
    layers = draw_photograph(edited, edited.camera)
    guessed = (layers.coverage > 0.9) & (layers.confidence < 0.5)
    assert doubtful_pixels(edited, layers)[guessed].mean() > 0.9
