"""What a picture costs: the decoder against its own raw forwards, and those against the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.decoders.proxy import ProxyDecoder
from neural_assets_core.decoders.window import edit_window, touched_pixels
from neural_assets_core.device_choice import choose, find_machine
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.model.loading import placement
from neural_assets_core.model.openvino_unet import compile_unet
from neural_assets_core.preferences import load_preferences
from neural_assets_core.scene import load_scene
from tests.benchmarks.scenes import moved
from tests.benchmarks.timing import Row

SAMPLE = Path("resources/scenes/nursery.nascene")
STEPS = 20
_PEAK_SHAPES = ((192, 32), (256, 32), (128, 64))
"""Channels and side of the 3 x 3 convolutions of which the quickest is called the peak."""


def generate(checkpoint: str) -> tuple[list[Row], dict[str, float]]:
    """Pictures of a sample scene whose first object is moved on and on.

    Returns
    -------
    rows : list of Row
    ratios : dict
        Of a whole picture, and of its diffusion alone, over the forwards of U-Net and autoencoder
        in it, and of the U-Net's forward over what its arithmetic takes at this machine's peak, by
        the runtime in use and by torch.
    """
    compiled = _compile(checkpoint)
    loads = _timed(lambda _: NeuralDecoder.open(checkpoint), 5)
    decoder = NeuralDecoder.open(checkpoint)
    pipeline = decoder.pipeline
    proxy = ProxyDecoder(pipeline.proxy_lifter)
    scene = load_scene(SAMPLE)
    rows, ratios = [*compiled, Row.of("loading the checkpoint", loads)], {}
    decoder.generate(moved(scene, 0.01))
    networks = [pipeline.unet, pipeline.vae.encoder, pipeline.vae.decoder]
    for steps, count in ((1, 20), (STEPS, 5)):
        asked, many = scene.with_settings(steps=steps), f"{steps} step{'s' * (steps > 1)}"
        # Only a hand that rests before it lets go has seen a preview of just that.
        for seen, start in ((True, 0.02), (False, 0.07)):
            edits = [moved(asked, start + 0.002 * i) for i in range(count)]
            pictures = [partial(decoder.generate, edit) for edit in edits]
            before = [partial(proxy.generate, edit) for edit in edits] if seen else []
            seconds, over = _over_forwards(pictures, networks, before)
            how = many if seen else f"{many}, no preview before"
            rows.append(Row.of(f"neural picture, {how}", seconds))
            ratios[f"neural picture over its forwards, {how}"] = over
        # What is left without windows, proxies and putting back.
        edited = moved(asked, 0.12)
        camera = edit_window(touched_pixels(edited)).camera(edited.camera)
        assets = pipeline.encode_assets(edited)
        alone = partial(
            pipeline, edited, num_inference_steps=steps, guidance_scale=edited.settings.guidance,
            conditions=pipeline.prepare_conditions(edited, camera, assets),
        )
        _, over = _over_forwards([alone] * count, networks)
        ratios[f"of it, the diffusion alone, {many}"] = over
    # The next ones of the same drag; the neural pictures before found the light.
    proxy.generate(moved(scene, 0.01))
    quick = _timed(lambda i: proxy.generate(moved(scene, 0.2 + 0.002 * i)), 20)
    rows.append(Row.of("preview picture (proxy)", quick))
    for forward, ratio in _forwards(pipeline.unet):
        rows.append(forward)
        ratios[f"{forward.name} over its arithmetic at peak"] = ratio
    ratios["preview pictures a second"] = len(quick) / sum(quick)
    return rows, ratios


def _timed(run: Callable[[int], object], count: int) -> list[float]:
    seconds = []
    for index in range(count):
        start = time.perf_counter()
        run(index)
        seconds.append(time.perf_counter() - start)
    return seconds


@torch.no_grad()
def _over_forwards(
    runs: Sequence[Callable[[], object]],
    modules: Sequence[nn.Module],
    before: Sequence[Callable[[], object]] = (),
) -> tuple[list[float], float]:
    """Seconds of each run, and these over those of all the forwards of these modules in it.

    The forwards are done again, alone and one after the other: what a run does beside its networks
    makes them slower. What comes `before` each run is not timed.
    """
    calls: list[Callable[[], object]] = []

    def note(module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        calls.append(partial(module, *args, **kwargs))

    seconds, forwards = [], []
    for index, run in enumerate(runs):
        if before:
            before[index]()
        calls.clear()
        hooks = [module.register_forward_pre_hook(note, with_kwargs=True) for module in modules]
        seconds += _timed(lambda _, run=run: run(), 1)
        for hook in hooks:
            hook.remove()
        forwards.append(sum(_timed(lambda i: calls[i](), len(calls))))
    return seconds, float(np.median(np.divide(seconds, forwards)))


def _compile(checkpoint: str) -> list[Row]:
    """Prepare the runtime in use, as another process does it once for a checkpoint."""
    preferences = load_preferences()
    if choose(preferences, find_machine()).runtime != "openvino":
        return []
    folder, (_, dtype) = resolve_checkpoint(checkpoint) / "unet", placement(preferences)
    seconds = _timed(lambda _: compile_unet(folder, dtype), 1)
    return [Row.of("compiling the U-Net, in the background", seconds)]


@torch.no_grad()
def _forwards(unet: nn.Module) -> list[tuple[Row, float]]:
    """One forward of the U-Net, and its time over its multiplications at the peak rate.

    Once more by torch, if another runtime is in use.
    """
    config = unet.config
    side, width = config.sample_size, config.cross_attention_dim
    dtype, device = unet.dtype, unet.device
    sample = torch.randn(1, config.in_channels, side, side, dtype=dtype, device=device)
    tokens = torch.randn(1, 32, width, dtype=dtype, device=device)

    def run(compute: Callable[..., object]) -> None:
        compute(sample, 500, encoder_hidden_states=tokens)
        if device.type == "cuda":
            torch.cuda.synchronize()

    plain = partial(type(unet).forward, unet)
    ways = {"U-Net forward": unet}
    if "forward" in vars(unet):
        ways["U-Net forward, torch"] = plain
    with FlopCounterMode(display=False) as counter:
        run(plain)
    peak = max(_rate(channels, side, dtype, device) for channels, side in _PEAK_SHAPES)
    ideal = counter.get_total_flops() / peak
    found = []
    for name, compute in ways.items():
        run(compute)
        seconds = _timed(lambda _, compute=compute: run(compute), 30)
        found.append((Row.of(name, seconds), float(np.median(seconds)) / ideal))
    return found


@torch.no_grad()
def _rate(channels: int, side: int, dtype: torch.dtype, device: torch.device) -> float:
    """Operations a second of a plain convolution."""
    layer = nn.Conv2d(channels, channels, 3, padding=1).to(device, dtype)
    layer = layer.to(memory_format=torch.channels_last)
    picture = torch.randn(4, channels, side, side, dtype=dtype, device=device)
    picture = picture.to(memory_format=torch.channels_last)

    def run(_: int = 0) -> None:
        layer(picture)
        if device.type == "cuda":
            torch.cuda.synchronize()

    run()
    seconds = min(_timed(run, 12))
    return 2 * 9 * channels**2 * 4 * side**2 / seconds


_FIRST_PICTURE = """
import json, os, sys, time
from pathlib import Path
from PySide6.QtCore import QElapsedTimer, QSettings, QTimer
from PySide6.QtWidgets import QApplication
QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
from app.imports import make_plain
make_plain()
from app.garbage import GarbageCollector
from app.main_window import MainWindow
from app.theme import apply_theme
from app.turns import take_short_turns
take_short_turns()
# Of a module that imports no torch: the studio imports it on its worker.
from tests.benchmarks.scenes import moved
application = QApplication([])
apply_theme(application)
collector = GarbageCollector()
window = MainWindow()
window.open(Path(sys.argv[2]))
window.show()
window.document.push(moved(window.document.scene, 0.1), "Move")
gaps, last = [], [time.perf_counter()]
def beat():
    now = time.perf_counter()
    gaps.append(now - last[0])
    last[0] = now
def begin():
    # Building the window is start-up; from here on the hand may be at work.
    last[0] = time.perf_counter()
    timer.start()
timer = QTimer(interval=2)
timer.timeout.connect(beat)
window.viewport.frame_swapped.connect(begin)
def finished(generation):
    window.viewport.frame_swapped.disconnect(begin)
    # Not getrusage: that begins with what the process had that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
    peak = int(status["VmHWM"].split()[0])
    found = {"at": time.clock_gettime(time.CLOCK_MONOTONIC), "kib": peak, "gaps": sorted(gaps)}
    print(json.dumps(found), flush=True)
    os._exit(0)
window.pictures.generator.finished.connect(finished)
window.pictures.generator.failed.connect(lambda _, text: (print(text), os._exit(3)))
application.exec()
"""


def first_picture(folder: Path) -> tuple[list[Row], dict[str, float]]:
    """From the start of Python to the first picture that the decoder made, in a new process.

    Also how long the GUI thread left an event waiting meanwhile, and the memory it took.
    """
    start = time.clock_gettime(time.CLOCK_MONOTONIC)
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_PICTURE, str(folder), str(SAMPLE)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        # A user without a history: what was drawn before would be shown at once.
        env={**os.environ, "PYTHONPATH": os.getcwd(), "XDG_DATA_HOME": str(folder)},
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        Row.of("start-up to the first regenerated picture", [found["at"] - start]),
        Row.of("GUI thread between two events meanwhile", found["gaps"] or [0.0]),
    ], {"peak memory, GB": found["kib"] * 1024 / 1e9}
