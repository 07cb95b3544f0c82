"""The U-Net computed by OpenVINO: as by torch, prepared once, and never in a picture's way."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from neural_assets_core.decoders.base import Cancelled, Progress
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.device_choice import find_machine
from neural_assets_core.model import openvino_unet
from neural_assets_core.model.build import ModelConfig, build_pipeline
from neural_assets_core.model.loading import load_pipeline, quick_unet
from neural_assets_core.model.openvino_unet import OpenVINORuntime, compile_unet, kept_path
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.preferences import Preferences
from neural_assets_core.scene import Scene

pytestmark = pytest.mark.skipif(not find_machine().openvino, reason="OpenVINO is not installed")

ON_CPU = Preferences(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def made(tiny_model: ModelConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, and beside it a cache folder with its compiled U-Net."""
    folder = tmp_path_factory.mktemp("openvino")
    torch.manual_seed(0)
    build_pipeline(tiny_model).save_pretrained(str(folder / "tiny"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        compile_unet(folder / "tiny" / "unet", torch.float32)
    return folder


@pytest.fixture
def cache(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache folder in which the compiled U-Net lies."""
    shutil.copytree(made / "cache", tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pipeline(made: Path) -> NeuralAssetsPipeline:
    return load_pipeline(str(made / "tiny"), "cpu", torch.float32)


@pytest.fixture
def moved(scene: Scene) -> Scene:
    box = scene.object("box 1").box
    return scene.with_box("box 1", box.translated((0.1, -0.2, 0))).with_settings(steps=2)


def taken_over(unet: torch.nn.Module) -> bool:
    """Whether OpenVINO computes it."""
    return "forward" in vars(unet)


def inputs(rows: int, tokens: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents with maps, tokens, and a mask that leaves some of them out."""
    noise = torch.Generator().manual_seed(rows * 100 + tokens)
    mask = torch.ones(rows, tokens, dtype=torch.bool)
    mask[-1, tokens // 2 :] = False
    return (
        torch.randn(rows, CHANNELS, 8, 8, generator=noise),
        torch.randn(rows, tokens, 16, generator=noise),
        mask,
    )


CHANNELS = 4 + 8 + 4 + 4 + 5
"""Latents, layout, splats, the proxy's latents and its masks."""


@torch.no_grad()
def test_it_computes_what_torch_does(
    made: Path, cache: Path, pipeline: NeuralAssetsPipeline
) -> None:
    unet = pipeline.unet
    calls: list[int] = []
    unet.register_forward_hook(lambda *_: calls.append(1))
    runtime = quick_unet(pipeline, str(made / "tiny"), ON_CPU)
    assert runtime is not None
    assert taken_over(unet)
    for rows, tokens, moment in ((1, 8, 500), (2, 8, torch.tensor(999)), (2, 13, 0), (1, 40, 1)):
        sample, states, mask = inputs(rows, tokens)
        given = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
        for more in (given, {**given, "encoder_attention_mask": None}):
            quick = unet(sample, moment, **more).sample
            assert taken_over(unet)
            true = type(unet).forward(unet, sample, moment, **more).sample
            assert torch.allclose(quick, true, atol=1e-5)
    assert len(calls) == 8
    # Nobody was told that it was imported.
    assert sys.modules["openvino_telemetry"] is None


def test_pictures_are_those_of_torch_guided_watched_and_cancelled(
    made: Path, cache: Path, moved: Scene, tmp_path: Path
) -> None:
    guided = moved.with_settings(guidance=2.0)
    folder = str(made / "tiny")
    quick = NeuralDecoder.open(folder, ON_CPU)
    slow = NeuralDecoder.open(folder, ON_CPU.changed(runtime="torch"))
    assert (taken_over(quick.pipeline.unet), taken_over(slow.pipeline.unet)) == (True, False)
    for scene in (moved, guided):
        seen: list[Progress] = []
        pictures = [
            decoder.generate(scene, progress=seen.append).picture.pixels.astype(int)
            for decoder in (quick, quick, slow)
        ]
        assert np.array_equal(pictures[0], pictures[1])
        assert np.abs(pictures[0] - pictures[2]).max() <= 1
        steps = [told.step for told in seen if told.phase in ("denoising", "decoding")]
        assert steps == [0, 1, 2] * 3
    cancel = threading.Event()

    def watch(told: Progress) -> None:
        if told.step == 1:
            cancel.set()

    with pytest.raises(Cancelled):
        quick.generate(guided, progress=watch, cancel=cancel)
    # What is saved is torch's.
    quick.pipeline.save_pretrained(str(tmp_path / "saved"))
    again = load_pipeline(str(tmp_path / "saved"), "cpu", torch.float32)
    assert kept_path(again.unet) == kept_path(slow.pipeline.unet)


# On a busy machine: the other process is one that waits for all others.
@pytest.mark.timeout(400)
def test_a_damaged_network_is_made_again_in_another_process(
    made: Path, cache: Path, moved: Scene
) -> None:
    folder = str(made / "tiny")
    slow = NeuralDecoder.open(folder, ON_CPU.changed(runtime="torch"))
    kept = kept_path(slow.pipeline.unet)
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    quick = NeuralDecoder.open(folder, ON_CPU)
    assert not taken_over(quick.pipeline.unet)
    assert not kept.exists()
    # A picture meanwhile.
    expected = slow.generate(moved).picture
    assert quick.generate(moved).picture == expected
    compilation = quick._runtime._compilation
    assert compilation._process.wait(360) == 0, compilation.reason
    quick.generate(moved)
    assert taken_over(quick.pipeline.unet)
    assert kept.is_file()
    # The next start finds it there: nothing is compiled.
    at = kept.stat().st_ino
    again = NeuralDecoder.open(folder, ON_CPU)
    assert taken_over(again.pipeline.unet)
    again.generate(moved)
    assert kept.stat().st_ino == at
    pixels = again.generate(moved).picture.pixels.astype(int)
    assert np.abs(pixels - expected.pixels).max() <= 1


def test_the_least_recently_used_go_first(
    cache: Path, pipeline: NeuralAssetsPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kept_path(pipeline.unet)
    others = [kept.with_name(f"{name}.blob") for name in ("old", "new")]
    for age, other in zip((100, 50), others, strict=True):
        other.write_bytes(b"x" * kept.stat().st_size)
        openvino_unet.os.utime(other, (time.time() - age,) * 2)
    monkeypatch.setattr(openvino_unet, "KEPT_BYTES", int(2.5 * kept.stat().st_size))
    read = openvino_unet._read(kept, torch.float32)
    assert read is not None
    openvino_unet._write(kept, read[0])
    assert [other.exists() for other in others] == [False, True]
    assert kept.exists()


@torch.no_grad()
@pytest.mark.parametrize("change", ["weights", "fault"])
def test_torch_takes_over_again(
    made: Path,
    cache: Path,
    pipeline: NeuralAssetsPipeline,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    unet = pipeline.unet
    OpenVINORuntime(unet, made / "tiny" / "unet")
    if change == "weights":
        unet.conv_out.weight.mul_(2)
    else:
        unet.forward._request = openvino_unet._openvino()[1].compile_model(
            _another_model(), "CPU"
        ).create_infer_request()
    sample, states, mask = inputs(2, 8)
    given = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
    found = unet(sample, 500, **given).sample
    assert torch.equal(found, type(unet).forward(unet, sample, 500, **given).sample)
    assert not taken_over(unet)
    assert len([r for r in caplog.records if "torch computes" in r.message]) == 1


def _another_model() -> object:
    """Of one input, so that it cannot be given four."""
    openvino, _ = openvino_unet._openvino()
    entry = openvino.opset13.parameter([1], np.float32)
    return openvino.Model([openvino.opset13.relu(entry)], [entry])


def test_no_room_for_it_is_no_error(
    made: Path,
    moved: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    decoder = NeuralDecoder.open(str(made / "tiny"), ON_CPU)
    for _ in range(2):
        assert decoder.generate(moved).notes == ()
    assert not taken_over(decoder.pipeline.unet)
    assert len([r for r in caplog.records if "torch computes" in r.message]) == 1


def test_without_it_torch_computes(
    made: Path, cache: Path, moved: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    decoder = NeuralDecoder.open(str(made / "tiny"), ON_CPU.changed(runtime="openvino"))
    decoder.generate(moved)
    assert not taken_over(decoder.pipeline.unet)
