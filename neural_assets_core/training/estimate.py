"""What a decoder's training will need, before it starts: memory and time on this machine.

Nothing is trained and no large array is made: one step is traced on shapes alone ("fake"
tensors), where every saved activation and every multiplication is counted. What the machine can
do is measured with two small kernels. Good to about a factor of two.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.model.conditioning import LAYOUT_CHANNELS, PROXY_MASK_CHANNELS
from neural_assets_core.model.encoder import ConvVisualEncoder, ViTVisualEncoder
from neural_assets_core.model.latents import latent_factor
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.model.tokenizer import AssetTokenizer
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.decoder_stage import Denoiser, prepare_training
from neural_assets_core.training.samples import Sample

GIB = 2**30
BYTES_A_TRAINED_NUMBER = 20
"""In single precision: weight, gradient, two moments of Adam, average."""
EFFICIENCY = 0.5
"""Of a whole step, relative to its large kernels alone: norms, attention, copies."""

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
    memory_bytes : int
        What this machine has free.
    batch, accumulation, steps, minutes : int, int, int, float
        Of the configuration.
    """

    trained: int
    frozen: int
    state_bytes: int
    sample_bytes: int
    sample_flops: float
    machine_flops: float
    memory_bytes: int
    batch: int
    accumulation: int
    steps: int
    minutes: float

    @property
    def total_bytes(self) -> int:
        """At the height of a step."""
        return self.state_bytes + self.batch * self.sample_bytes

    @property
    def step_seconds(self) -> float:
        """Of one step, data not reckoned in."""
        samples = self.batch * self.accumulation
        return samples * self.sample_flops / (EFFICIENCY * self.machine_flops)

    @property
    def hours(self) -> float:
        """Until the steps or the minutes of the configuration are over."""
        return min(self.steps * self.step_seconds / 3600, self.minutes / 60)

    @property
    def fitting_batch(self) -> int:
        """The largest batch that the memory holds; 0 if the model alone is too large."""
        room = 0.9 * self.memory_bytes - self.state_bytes
        return max(0, int(room // self.sample_bytes))

    def lines(self) -> list[str]:
        """In words."""
        samples = self.batch * self.accumulation
        steps = min(self.steps, int(3600 * self.hours / self.step_seconds))
        text = [
            f"model: {self.trained / 1e6:.1f} million numbers to train, "
            f"{self.frozen / 1e6:.1f} million frozen",
            f"memory: {self.total_bytes / GIB:.1f} GiB ({self.state_bytes / GIB:.1f} for weights, "
            f"gradients, optimizer and average; {self.sample_bytes / GIB:.2f} a sample, "
            f"{self.batch} at once); free here: {self.memory_bytes / GIB:.1f} GiB",
            f"time: {self.step_seconds:.2g} s a step of {samples} samples "
            f"({samples * self.sample_flops / 1e12:.2g} TFLOP; this machine does "
            f"{self.machine_flops / 1e12:.2g} TFLOP/s on large kernels), "
            f"about {steps} steps in {self.hours:.1f} hours",
        ]
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
        If `initial` names no checkpoint.
    """
    dtype = _DTYPES[config.precision]
    with torch.device("meta"):
        # Initialisation would want to look at its random numbers.
        pipeline = _shapes(config)
    with FakeTensorMode(allow_non_fake_inputs=True):
        # Unlike those of "meta", these take part in mixed precision.
        denoiser = Denoiser(pipeline).train().to_empty(device="cpu")
        prepare_training(denoiser, config)
        kept, flops = _trace(pipeline, denoiser, config, dtype, 1)
        # What does not grow with the batch: the weights in half precision.
        sample_bytes = _trace(pipeline, denoiser, config, dtype, 2)[0] - kept
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
        memory_bytes=_free_memory(device),
        batch=stage.batch_size,
        accumulation=stage.accumulation,
        steps=stage.steps,
        minutes=stage.minutes,
    )


def _shapes(config: TrainingConfig) -> NeuralAssetsPipeline:
    """The pipeline without its weights."""
    if config.initial is None:
        return build_pipeline(config.model)
    folder = resolve_checkpoint(str(config.initial))
    index = json.loads((folder / "model_index.json").read_text())
    vit = index["visual_encoder"][1] == ViTVisualEncoder.__name__
    encoder = _part(ViTVisualEncoder if vit else ConvVisualEncoder, folder / "visual_encoder")
    # The autoencoder and the lifter are frozen and small: any of their kind will do.
    pipeline = build_pipeline(config.model.model_copy(update={"lifter": None}))
    return NeuralAssetsPipeline(
        vae=_vae(index["vae"][1], folder / "vae"),
        unet=_part(UNet2DConditionModel, folder / "unet"),
        scheduler=pipeline.scheduler,
        visual_encoder=encoder,
        asset_tokenizer=_part(AssetTokenizer, folder / "asset_tokenizer"),
        maps=index["maps"],
    )


def _vae(name: str, folder: Path) -> Any:
    import diffusers

    from neural_assets_core.model.patches import PatchAutoencoder

    known = (diffusers.AutoencoderKL, diffusers.AutoencoderTiny, PatchAutoencoder)
    return _part(next(kind for kind in known if kind.__name__ == name), folder)


def _part(kind: Any, folder: Path) -> Any:
    return kind.from_config(kind.load_config(str(folder), local_files_only=True))


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
    with (
        counter,
        torch.autocast("cpu", dtype, enabled=dtype != torch.float32),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
    ):
        times = torch.zeros(rows, dtype=torch.int64)
        denoiser(latents, times, batch, latents, nothing).float().square().mean()
    forward = counter.get_total_flops()
    # Back costs twice the way there, and once more where activations are not kept.
    passes = 4 if config.decoder.gradient_checkpointing else 3
    return sum(storage.nbytes() for storage in kept.values()), float(passes * forward)


def _sample(pipeline: NeuralAssetsPipeline, config: TrainingConfig, rows: int) -> Sample:
    cells = _cells(pipeline)
    side = pipeline.visual_encoder.config.sample_size
    count = config.data.objects
    picture = torch.empty(rows, side, side, 3, dtype=torch.uint8)
    return {
        "foreground": picture,
        "background": picture,
        "regions": torch.empty(rows, count, 4),
        "present": torch.ones(rows, count, dtype=torch.bool),
        "corners": torch.empty(rows, count, 4, 3),
        "background_pose": torch.empty(rows, 12),
        "background_region": torch.empty(rows, 4),
        "layout": torch.empty(rows, LAYOUT_CHANNELS, *cells),
        "nearest": torch.zeros(rows, *cells, dtype=torch.int64),
        "proxy_masks": torch.empty(rows, PROXY_MASK_CHANNELS, *cells),
    }


def _cells(pipeline: NeuralAssetsPipeline) -> tuple[int, int]:
    side = pipeline.sample_size // latent_factor(pipeline.vae)
    return side, side


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
