"""The neural decoder computes once what poses do not change, and tells what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from neural_assets_core.decoders import Cancelled, open_decoder
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.decoders.window import touched_pixels
from neural_assets_core.device_faults import (
    NO_GPU,
    NO_GPU_MEMORY,
    NO_MEMORY,
    DeviceFault,
    device_faults,
)
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.model.cache import TensorCache
from neural_assets_core.model.lifting import VolumeLifter
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.proxy import appearance_mask
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.neural_assets_core.conftest import painted_scene


@pytest.fixture
def moved(scene: Scene, boxes: list[Box]) -> Scene:
    return scene.with_box("box 1", boxes[0].translated((0.1, -0.2, 0))).with_settings(steps=2)


@pytest.fixture
def other(camera: Camera, boxes: list[Box]) -> Scene:
    """Another picture, one of its objects moved."""
    scene = painted_scene(camera, [box.translated((0.05, 0.1, 0)) for box in boxes])
    box = scene.object("box 2").box
    return scene.with_box("box 2", box.translated((-0.2, 0, 0))).with_settings(steps=2)


def counter(module: torch.nn.Module) -> list[int]:
    """Grows by one at every forward."""
    calls: list[int] = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return calls


def poses(scene: Scene) -> list[Scene]:
    box = scene.object("box 1").box
    return [
        scene.with_box("box 1", box.translated((0.15, 0.1, 0))),
        scene.with_box("box 1", box.rotated((0, 0, 1), 0.7)),
        scene.with_box("box 1", box.scaled(0.8)),
        scene.renamed("box 1", "crate"),
        scene.without("box 2"),
        scene.duplicated("box 2", box.translated((0, 0.6, 0))),
        scene.with_settings(seed=5),
    ]


class TestNothingIsComputedTwice:
    def test_poses_run_neither_encoder_nor_lifter(
        self, tiny_pipeline: NeuralAssetsPipeline, moved: Scene, other: Scene, tmp_path: Path
    ) -> None:
        encoded, lifted = counter(tiny_pipeline.visual_encoder), counter(tiny_pipeline.lifter)
        decoder = NeuralDecoder(tiny_pipeline)
        decoder.generate(moved)
        assert (len(encoded), len(lifted)) == (2, 2)  # objects and background; each object
        for scene in poses(moved):
            decoder.generate(scene)
        decoder.generate(moved)  # undone
        assert (len(encoded), len(lifted)) == (2, 2)
        decoder.generate(other)
        assert (len(encoded), len(lifted)) == (4, 4)
        decoder.generate(moved)  # back to the first scene
        save_scene(other, tmp_path / "other.nascene")
        decoder.generate(load_scene(tmp_path / "other.nascene"))  # equal, nothing shared
        assert (len(encoded), len(lifted)) == (4, 4)

    def test_another_look_is_encoded(
        self, tiny_pipeline: NeuralAssetsPipeline, moved: Scene, other: Scene
    ) -> None:
        encoded = counter(tiny_pipeline.visual_encoder)
        decoder = NeuralDecoder(tiny_pipeline)
        decoder.generate(moved)
        looks = other.object("box 1").appearance
        borrowed = moved.with_appearance("box 1", looks)
        decoder.generate(borrowed)
        assert len(encoded) == 3
        masked = looks.model_copy(update={"mask": None})
        decoder.generate(moved.with_appearance("box 1", masked))
        assert len(encoded) == 4
        decoder.generate(borrowed)
        assert len(encoded) == 4

    def test_another_encoder_encodes_anew(
        self, tiny_pipeline: NeuralAssetsPipeline, moved: Scene
    ) -> None:
        encoded = counter(tiny_pipeline.visual_encoder)
        decoder = NeuralDecoder(tiny_pipeline)
        before = decoder.generate(moved)
        with torch.no_grad():
            for weight in tiny_pipeline.visual_encoder.parameters():
                weight.add_(1.0)
        after = decoder.generate(moved)
        assert len(encoded) == 4
        assert after.picture != before.picture

    def test_pictures_are_the_same_bit_by_bit(
        self, tiny_pipeline: NeuralAssetsPipeline, moved: Scene, other: Scene
    ) -> None:
        decoder = NeuralDecoder(tiny_pipeline)
        scenes = [moved, *poses(moved), other, moved]
        kept = [decoder.generate(scene).picture for scene in scenes]
        for scene, picture in zip(scenes, kept, strict=True):
            tiny_pipeline.proxy_lifter = VolumeLifter(tiny_pipeline.lifter)
            assert np.array_equal(
                NeuralDecoder(tiny_pipeline).generate(scene).picture.pixels, picture.pixels
            )

    def test_a_preview_does_the_decoders_work(
        self,
        tiny_pipeline: NeuralAssetsPipeline,
        moved: Scene,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        tiny_pipeline.save_pretrained(str(tmp_path))
        asked = moved.with_settings(decoder="neural", checkpoint=str(tmp_path))
        preview = open_decoder(asked.with_settings(decoder="preview").settings)
        decoder = open_decoder(asked.settings)
        lifted = counter(decoder.pipeline.lifter)
        alone = NeuralDecoder(tiny_pipeline).generate(asked).picture
        preview.generate(asked)
        assert len(lifted) == 2
        monkeypatch.setattr("neural_assets_core.proxy.render.draw_layer", None)
        assert decoder.generate(asked).picture == alone
        assert len(lifted) == 2

    def test_order_of_scenes_does_not_matter(
        self, tiny_pipeline: NeuralAssetsPipeline, moved: Scene
    ) -> None:
        scenes = poses(moved)
        forth, back = NeuralDecoder(tiny_pipeline), NeuralDecoder(tiny_pipeline)
        pictures = [forth.generate(scene).picture for scene in scenes]
        assert pictures == [back.generate(scene).picture for scene in reversed(scenes)][::-1]

    def test_what_is_kept_is_bounded(
        self, tiny_pipeline: NeuralAssetsPipeline, camera: Camera, boxes: list[Box]
    ) -> None:
        cache = TensorCache()
        scenes = [
            painted_scene(camera, [box.translated((x, 0, 0)) for box in boxes])
            for x in (0.0, 0.01, 0.02, 0.03)
        ]
        tiny_pipeline.encode_assets(scenes[0], cache)
        cache.limit = 2 * cache.nbytes
        for scene in scenes[1:]:
            tiny_pipeline.encode_assets(scene, cache)
            assert 0 < cache.nbytes <= cache.limit
        encoded = counter(tiny_pipeline.visual_encoder)
        tiny_pipeline.encode_assets(scenes[-1], cache)
        assert not encoded
        tiny_pipeline.encode_assets(scenes[0], cache)
        assert len(encoded) == 2


@pytest.mark.parametrize(
    "phase", ["encoding", "preparing", "denoising", "decoding"]
)
def test_cancel_when_a_phase_begins_keeps_it_from_beginning(
    tiny_pipeline: NeuralAssetsPipeline, moved: Scene, phase: str
) -> None:
    parts = {
        "encoding": counter(tiny_pipeline.visual_encoder),
        "preparing": counter(tiny_pipeline.lifter),
        "denoising": counter(tiny_pipeline.unet),
        "decoding": counter(tiny_pipeline.vae.decoder),
    }
    cancel = threading.Event()

    def watch(progress) -> None:
        if progress.phase == phase:
            cancel.set()

    with pytest.raises(Cancelled):
        NeuralDecoder(tiny_pipeline).generate(moved, progress=watch, cancel=cancel)
    reached = list(parts)[list(parts).index(phase):]
    assert all(not parts[name] for name in reached)


def test_cancel_ends_it_within_a_step(tiny_pipeline: NeuralAssetsPipeline, moved: Scene) -> None:
    cancel, steps = threading.Event(), []

    def denoised(*_: object) -> None:
        steps.append(1)
        if len(steps) == 3:  # in the middle of a step
            cancel.set()

    tiny_pipeline.unet.register_forward_hook(denoised)
    decoded = counter(tiny_pipeline.vae.decoder)
    with pytest.raises(Cancelled):
        NeuralDecoder(tiny_pipeline).generate(moved.with_settings(steps=50), cancel=cancel)
    assert len(steps) == 3
    assert not decoded
    # The full picture's proxy, which is drawn beside, has the lifter no longer.
    assert not [one for one in threading.enumerate() if one.name.startswith("proxy")]


def allocate() -> None:
    torch.empty(1 << 60, dtype=torch.uint8)


def exhaust() -> None:
    np.empty(1 << 60, dtype=np.uint8)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), NO_GPU_MEMORY),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), NO_GPU_MEMORY),
        (RuntimeError("CUDA error: unspecified launch failure"), NO_GPU),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), NO_GPU),
        (OSError(12, "Cannot allocate memory"), NO_MEMORY),
        (allocate, NO_MEMORY),
        (exhaust, NO_MEMORY),
    ],
)
def test_faults_of_memory_and_device_are_told_in_a_sentence(
    tiny_pipeline: NeuralAssetsPipeline,
    moved: Scene,
    fault: Exception | Callable[[], None],
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        if isinstance(fault, Exception):
            raise fault
        fault()

    tiny_pipeline.unet.register_forward_pre_hook(fail)
    with pytest.raises(DeviceFault) as told:
        NeuralDecoder(tiny_pipeline).generate(moved)
    assert str(told.value) == sentence


def test_other_faults_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="sizes of tensors"), device_faults():
        raise RuntimeError("The sizes of tensors must match")


def test_no_memory_for_the_weights_is_no_damaged_checkpoint(
    tiny_pipeline: NeuralAssetsPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object, **__: object) -> None:
        torch.empty(1 << 60, dtype=torch.uint8)

    tiny_pipeline.save_pretrained(str(tmp_path))
    monkeypatch.setattr(NeuralAssetsPipeline, "from_pretrained", too_large)
    with pytest.raises(DeviceFault, match="not enough memory"):
        NeuralDecoder.open(str(tmp_path))


def test_untouched_pixels_are_the_sources_own_unless_switched_off(
    tiny_pipeline: NeuralAssetsPipeline, moved: Scene
) -> None:
    decoder = NeuralDecoder(tiny_pipeline)
    source = moved.background.view.picture.pixels
    untouched = touched_pixels(moved) == 0
    kept = decoder.generate(moved).picture.pixels
    assert (kept[untouched] == source[untouched]).all()
    # An untrained model's picture is like nothing in the source.
    own = decoder.generate(moved.with_settings(keep_source=False)).picture.pixels
    assert (own[untouched] != source[untouched]).any(axis=-1).mean() > 0.9


def test_objects_that_look_as_they_did_are_not_drawn_again(
    tiny_pipeline: NeuralAssetsPipeline, moved: Scene
) -> None:
    source = moved.background.view.picture.pixels
    drawn = NeuralDecoder(tiny_pipeline).generate(moved).picture.pixels
    still = appearance_mask(moved.object("box 2").appearance) > 0
    still &= ~silhouette(moved.camera, moved.object("box 1").box) & (touched_pixels(moved) > 0)
    assert still.sum() > 30
    assert (drawn[still] == source[still]).all(axis=-1).mean() > 0.95
