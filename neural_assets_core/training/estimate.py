"""What a decoder's training will need, before it starts: memory and time on this machine.

Nothing is trained and no large array is made: one step is traced on shapes alone ("fake"
tensors), where every saved activation and every multiplication is counted. What the machine can
do is measured with two small kernels, what data take by making some samples.

Compared on one thread of a busy processor, `two-cores.toml`'s shape: 1.51 GiB at the height of a
real run, about 1.35 GiB here; 2.4 s of processor time a step, of which samples take 1.5 s here.
Time is good to about a factor of two; on GPUs nothing has been compared yet.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from neural_assets_core.data.readers import open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.model.assemble import PROXY
from neural_assets_core.model.build import build_lifter
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.model.conditioning import LAYOUT_CHANNELS, PROXY_MASK_CHANNELS
from neural_assets_core.model.latents import encode_latents, latent_factor
from neural_assets_core.model.lifting import VolumeLifter
from neural_assets_core.model.loading import load_lifter
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.proxy import CARVER, Lifter
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.decoder_stage import Denoiser, prepare_training, sample_shape
from neural_assets_core.training.samples import PairDataset, Sample
from neural_assets_core.training.shapes import build_shapes

GIB = 2**30
BYTES_A_TRAINED_NUMBER = 20
"""In single precision: weight, gradient, two moments of Adam, average."""
_TRIED = 12
"""Samples that are made to see how long it takes."""
EFFICIENCY = 0.5
"""Of a whole step, relative to its large kernels alone: norms, attention, copies."""

OVERHEAD = {"cpu": 1.5, "cuda": 1.2}
"""What allocators hold, relative to what they are asked for: fragments, and what a layer needs only
while it runs. From one comparison on a processor; a rule of thumb on GPUs."""

_DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Estimate:
    """What one process needs.

    Attributes
    ----------
    trained, frozen : int
        Numbers in the model.
    state_bytes : int
        For weights, gradients, the optimizer and the average.
    sample_bytes : int
        Activations kept for the way back, for each sample of a batch.
    sample_flops : float
        Forward and back, for each sample.
    machine_flops : float
        What this machine reached on large kernels, a second.
    sample_seconds : float
        To read a sample and make it ready, by one loader process; 0 if the data are not there.
    process_bytes : int
        Of a process that has done nothing yet: libraries.
    overhead : float
        What tensors take of memory, relative to their numbers.
    memory_bytes : int
        What this machine has free.
    batch, accumulation, steps, minutes, workers : int, int, int, float, int
        Of the configuration.
    """

    trained: int
    frozen: int
    state_bytes: int
    sample_bytes: int
    sample_flops: float
    machine_flops: float
    sample_seconds: float
    process_bytes: int
    overhead: float
    memory_bytes: int
    batch: int
    accumulation: int
    steps: int
    minutes: float
    workers: int

    @property
    def total_bytes(self) -> int:
        """At the height of a step."""
        tensors = self.state_bytes + self.batch * self.sample_bytes
        return self.process_bytes + int(self.overhead * tensors)

    @property
    def compute_seconds(self) -> float:
        """Of one step, data not reckoned in."""
        samples = self.batch * self.accumulation
        return samples * self.sample_flops / (EFFICIENCY * self.machine_flops)

    @property
    def data_seconds(self) -> float:
        """To make a step's samples, by all loader processes together."""
        return self.batch * self.accumulation * self.sample_seconds / max(1, self.workers)

    @property
    def step_seconds(self) -> float:
        """Of one step: with loader processes the slower of the two, without them one by one."""
        if self.workers == 0:
            return self.compute_seconds + self.data_seconds
        return max(self.compute_seconds, self.data_seconds)

    @property
    def busy(self) -> float:
        """The share of the time in which the accelerator has something to do."""
        return self.compute_seconds / self.step_seconds

    @property
    def hours(self) -> float:
        """Until the steps or the minutes of the configuration are over."""
        return min(self.steps * self.step_seconds / 3600, self.minutes / 60)

    @property
    def fitting_batch(self) -> int:
        """The largest batch that the memory holds; 0 if the model alone is too large."""
        room = (0.9 * self.memory_bytes - self.process_bytes) / self.overhead - self.state_bytes
        return max(0, int(room // self.sample_bytes))

    def sharded_bytes(self, processes: int) -> int:
        """Of each of several processes between which the trained weights are shared (FSDP)."""
        shared = int(self.overhead * BYTES_A_TRAINED_NUMBER * self.trained)
        return self.total_bytes - shared + shared // processes

    def lines(self) -> list[str]:
        """In words."""
        samples = self.batch * self.accumulation
        steps = min(self.steps, int(3600 * self.hours / self.step_seconds))
        text = [
            f"model: {self.trained / 1e6:.1f} million numbers to train, "
            f"{self.frozen / 1e6:.1f} million frozen",
            f"memory: {self.total_bytes / GIB:.1f} GiB ({self.process_bytes / GIB:.1f} for "
            f"libraries; {self.state_bytes / GIB:.1f} for weights, gradients, optimizer and "
            f"average; {self.sample_bytes / GIB:.2f} a sample, {self.batch} at once); free here: "
            f"{self.memory_bytes / GIB:.1f} GiB",
            f"sharded (FSDP) over 8 processes: {self.sharded_bytes(8) / GIB:.1f} GiB each",
            f"time: {self.step_seconds:.2g} s a step of {samples} samples "
            f"({samples * self.sample_flops / 1e12:.2g} TFLOP; this machine does "
            f"{self.machine_flops / 1e12:.2g} TFLOP/s on large kernels), "
            f"about {steps} steps in {self.hours:.1f} hours",
        ]
        if self.sample_seconds == 0:
            text.append("data: not there yet, so the time that they take is not in this")
        else:
            text.append(
                f"data: {1000 * self.sample_seconds:.1f} ms a sample, {self.workers or 'no'} "
                f"workers: busy {100 * self.busy:.0f} % of the time"
            )
        fitting = self.fitting_batch
        if fitting == 0:
            text.append("the model does not fit into this machine's memory")
        elif fitting < self.batch:
            text.append(
                f"does not fit: set batch_size to {fitting} and accumulation to "
                f"{-(-samples // fitting)}, or gradient_checkpointing to true"
            )
        return text


def estimate(config: TrainingConfig, device: torch.device) -> Estimate:
    """Reckon what the decoder's stage needs on one device.

    Parameters
    ----------
    config : TrainingConfig
    device : torch.device
        Where it is to be trained.

    Raises
    ------
    UserError
        If the parts do not fit together, or `initial` names no checkpoint.
    """
    dtype = _DTYPES[config.precision]
    pipeline = build_shapes(config)
    seconds = _sample_seconds(config, pipeline)
    with FakeTensorMode(allow_non_fake_inputs=True):
        # Unlike those of "meta", these take part in mixed precision.
        pipeline.vae.to_empty(device="cpu")
        denoiser = Denoiser(pipeline).train().to_empty(device="cpu")
        prepare_training(denoiser, config)
        kept, _ = _trace(pipeline, denoiser, config, dtype, 1)
        # What does not grow with the batch: the weights in half precision.
        more, flops = _trace(pipeline, denoiser, config, dtype, 2)
        sample_bytes, flops = more - kept, flops / 2
    trained = sum(p.numel() for p in denoiser.parameters() if p.requires_grad)
    parts = [denoiser, pipeline.vae, *([] if pipeline.lifter is None else [pipeline.lifter])]
    every = sum(p.numel() for part in parts for p in part.parameters())
    stage = config.decoder
    return Estimate(
        trained=trained,
        frozen=every - trained,
        state_bytes=BYTES_A_TRAINED_NUMBER * trained + 4 * (every - trained) + kept - sample_bytes,
        sample_bytes=sample_bytes,
        sample_flops=flops,
        machine_flops=_machine_flops(device, dtype),
        sample_seconds=seconds,
        process_bytes=_process_bytes(device),
        overhead=OVERHEAD.get(device.type, 1.2),
        memory_bytes=_free_memory(device),
        batch=stage.batch_size,
        accumulation=stage.accumulation,
        steps=stage.steps,
        minutes=stage.minutes,
        workers=config.data.workers,
    )


def _trace(
    pipeline: NeuralAssetsPipeline,
    denoiser: Denoiser,
    config: TrainingConfig,
    dtype: torch.dtype,
    rows: int,
) -> tuple[int, float]:
    """Bytes kept and multiplications done for a step of `rows` samples."""
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        # Weights are there anyway; what several operations keep is kept once.
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage
        return tensor

    batch = _sample(pipeline, config, rows)
    latents = torch.empty(rows, pipeline.vae.config.latent_channels, *_cells(pipeline))
    nothing = torch.zeros(rows, dtype=torch.bool)
    counter = FlopCounterMode(display=False)
    half = torch.autocast("cpu", dtype, enabled=dtype != torch.float32)
    with counter:
        with half, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            times = torch.zeros(rows, dtype=torch.int64)
            loss = denoiser(latents, times, batch, latents, nothing).float().square().mean()
        there = sum(storage.nbytes() for storage in kept.values())
        # What is not kept is computed again here.
        loss.backward()
        with half, torch.no_grad():
            encoded = (config.data.cache_views == 0) + (PROXY in pipeline.config.maps)
            side = pipeline.sample_size
            if encoded:
                encode_latents(pipeline.vae, torch.empty(encoded * rows, 3, side, side))
    return there, float(counter.get_total_flops())


def _sample(pipeline: NeuralAssetsPipeline, config: TrainingConfig, rows: int) -> Sample:
    cells = _cells(pipeline)
    side = pipeline.visual_encoder.config.sample_size
    count = config.data.objects
    picture = torch.empty(rows, side, side, 3, dtype=torch.uint8)
    tokenizer, channels = pipeline.asset_tokenizer.config, pipeline.visual_encoder.feature_channels
    seen = {
        "foreground": picture,
        "background": picture,
        "regions": torch.empty(rows, count, 4),
        "background_region": torch.empty(rows, 4),
    }
    if config.data.cache_views and config.decoder.frozen_encoder:
        seen = {
            "object_features": torch.empty(rows, count, tokenizer.object_bins**2, channels),
            "background_features": torch.empty(rows, tokenizer.background_bins**2, channels),
        }
    return seen | {
        "present": torch.ones(rows, count, dtype=torch.bool),
        "corners": torch.empty(rows, count, 4, 3),
        "background_pose": torch.empty(rows, 12),
        "layout": torch.empty(rows, LAYOUT_CHANNELS, *cells),
        "nearest": torch.zeros(rows, *cells, dtype=torch.int64),
        "proxy_masks": torch.empty(rows, PROXY_MASK_CHANNELS, *cells),
    }


def _cells(pipeline: NeuralAssetsPipeline) -> tuple[int, int]:
    side = pipeline.sample_size // latent_factor(pipeline.vae)
    return side, side


def _sample_seconds(config: TrainingConfig, pipeline: NeuralAssetsPipeline) -> float:
    """The mean over some samples; 0 if there are no data yet. Reading from a cache is not tried."""
    try:
        clips = open_clips(config.data.path)
    except UserError:
        return 0.0
    shape = sample_shape(config, pipeline)
    pairs = PairDataset(clips, config.data, shape, 2 * _TRIED, config.seed, _lifter(config))
    pairs[0]
    start = time.process_time()
    for index in range(_TRIED):
        pairs[index + 2]
    # Of this process alone, whatever else the machine is doing.
    return (time.process_time() - start) / _TRIED


def _lifter(config: TrainingConfig) -> Lifter:
    """One that takes as long as the pipeline's."""
    half = torch.bfloat16 if config.precision == "bf16" else None
    if config.initial is None:
        shape = config.model.lifter
        return CARVER if shape is None else VolumeLifter(build_lifter(shape), half)
    folder = resolve_checkpoint(str(config.initial)) / "lifter"
    return VolumeLifter(load_lifter(folder, "cpu"), half) if folder.is_dir() else CARVER


def _process_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        # The driver's context.
        return GIB // 2
    import psutil

    return int(psutil.Process().memory_info().rss)


def _machine_flops(device: torch.device, dtype: torch.dtype) -> float:
    """The mean speed of a convolution and a product of matrices, operations a second."""
    speeds = []
    with torch.no_grad():
        pixels = torch.randn(4, 256, 32, 32, device=device, dtype=dtype)
        pixels = pixels.to(memory_format=torch.channels_last)
        conv = torch.nn.Conv2d(256, 256, 3, padding=1).to(device, dtype)
        matrix = torch.randn(2048, 2048, device=device, dtype=dtype)
        for run, flops in (
            (lambda: conv(pixels), 2 * 4 * 32 * 32 * 256 * 256 * 9),
            (lambda: matrix @ matrix, 2 * 2048**3),
        ):
            run()
            best = min(_seconds(run, device) for _ in range(3))
            speeds.append(flops / best)
    return 2 / sum(1 / speed for speed in speeds)


def _seconds(run: Any, device: torch.device) -> float:
    if device.type == "cpu":
        # Of this process alone, whatever else the machine is doing.
        start = time.process_time()
        run()
        return (time.process_time() - start) / torch.get_num_threads()
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
