"""Second stage: visual encoder, asset tokenizer and U-Net, end to end; the VAE is frozen."""

from __future__ import annotations

import copy
import logging

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from neural_assets_core.data.dataset import Clips
from neural_assets_core.model.assemble import PROXY, Conditions, UNetInputs
from neural_assets_core.model.diffusion import noised
from neural_assets_core.model.encoder import ViTVisualEncoder
from neural_assets_core.model.latents import encode_latents, to_pixels
from neural_assets_core.model.lifting import VolumeLifter
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.proxy import CARVER, Lifter
from neural_assets_core.training.averaging import Average, is_sharded
from neural_assets_core.training.cached_samples import CachedPairs
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.frame_cache import fill_cache
from neural_assets_core.training.loop import (
    LOOKED_AT,
    Checkpoints,
    Clock,
    WatchedLoader,
    channels_last,
    descend,
    own_clips,
    sample_loader,
    sample_seed,
    save_whole,
    to_device,
)
from neural_assets_core.training.samples import PairDataset, Sample, SampleShape
from neural_assets_core.training.validation import Validation

log = logging.getLogger(__name__)

RESIDUAL_SAMPLES = 96
"""Pairs of frames of which the deviation of what is generated is taken."""


class Denoiser(nn.Module):
    """The trained parts as one module: from source pictures and poses to a prediction.

    Parameters
    ----------
    pipeline : NeuralAssetsPipeline
    """

    def __init__(self, pipeline: NeuralAssetsPipeline) -> None:
        super().__init__()
        self.visual_encoder = pipeline.visual_encoder
        self.unet = pipeline.unet
        self.inputs = UNetInputs(pipeline.asset_tokenizer, tuple(pipeline.config.maps))
        # What accelerate shards as one piece, as the parts themselves say.
        units = {name for part in self.modules() for name in _units(part)}
        self._no_split_modules = sorted(units & {type(part).__name__ for part in self.modules()})

    def forward(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        batch: Sample,
        proxy_latents: torch.Tensor,
        dropped: torch.Tensor,
    ) -> torch.Tensor:
        """Predict noise or velocity.

        Parameters
        ----------
        noisy, proxy_latents : tensors (b, c, h, h)
        timesteps : int64 tensor (b,)
        batch : dict
            A collated `make_sample`, or one of `CachedPairs`.
        dropped : bool tensor (b,)
            Rows without conditioning.
        """
        objects, background = self._features(batch)
        conditions = Conditions(
            object_features=objects,
            object_present=batch["present"],
            corners=batch["corners"],
            background_features=background,
            background_pose=batch["background_pose"],
            layout=batch["layout"],
            nearest=batch["nearest"],
            proxy_latents=proxy_latents,
            proxy_masks=batch["proxy_masks"],
        )
        tokens, mask, maps = self.inputs(conditions.dropped(dropped))
        prediction: torch.Tensor = self.unet(
            torch.cat([noisy, *maps], dim=1),
            timesteps,
            encoder_hidden_states=tokens,
            encoder_attention_mask=mask,
        ).sample
        return prediction

    def _features(self, batch: Sample) -> tuple[torch.Tensor, torch.Tensor]:
        """Appearance of objects (b, n, k, c) and of backgrounds (b, m, c)."""
        if "object_features" in batch:
            return batch["object_features"].float(), batch["background_features"].float()
        tokenizer = self.inputs.tokenizer
        pictures = torch.cat([to_pixels(batch["foreground"]), to_pixels(batch["background"])])
        foreground, background = self.visual_encoder(
            pictures.to(memory_format=torch.channels_last)
        ).chunk(2)
        return (
            tokenizer.object_features(foreground, batch["regions"]),
            tokenizer.background_features(background, batch["background_region"]),
        )


def _units(part: nn.Module) -> list[str]:
    """Names of the classes of its parts that a module of a library wants to stay in one piece."""
    return list(getattr(part, "_no_split_modules", None) or ())


def train_decoder(
    config: TrainingConfig,
    pipeline: NeuralAssetsPipeline,
    clips: Clips,
    heldout: Clips,
    accelerator: Accelerator,
    *,
    resume: bool,
) -> None:
    """Train all parts of the pipeline but its VAE; save it, with averaged weights, to `out`.

    Parameters
    ----------
    config : TrainingConfig
    pipeline : NeuralAssetsPipeline
        Untrained, or the checkpoint to start from; single precision. Ends with the averaged
        weights.
    clips, heldout : Clips
    accelerator : Accelerator
    resume : bool
        Go on from the newest checkpoint.
    """
    stage, out = config.decoder, config.out / "decoder-training"
    out.mkdir(parents=True, exist_ok=True)
    if accelerator.device.type == "cpu":
        # The fused kernel's backward pass is slow on processors; decoding keeps it.
        pipeline.unet.set_attn_processor(AttnProcessor())
    pipeline.vae.requires_grad_(False).to(accelerator.device)
    if pipeline.lifter is not None:
        pipeline.lifter.requires_grad_(False).eval().to(accelerator.device)
    shape = sample_shape(config, pipeline)
    cache = fill_cache(config, pipeline, clips, shape, accelerator)
    denoiser = Denoiser(pipeline).train()
    prepare_training(denoiser, config)
    # What is looked at and saved: of sharded weights a copy, which is filled when it is needed.
    shown = pipeline
    if not is_sharded(accelerator):
        denoiser = channels_last(denoiser)
    else:
        for weight in denoiser.parameters():
            # Shards are rows of weights.
            weight.data = weight.data.contiguous()
        if accelerator.is_main_process:
            shown = _apart(pipeline)
    clock, peaks = Clock(stage, accelerator), _peaks(config)
    optimizer = _optimizer(denoiser, peaks)
    model, optimizer = accelerator.prepare(denoiser, optimizer)
    average = Average(
        model, accelerator, stage.ema_decay, None if shown is pipeline else Denoiser(shown)
    )
    checkpoints = Checkpoints(accelerator, out, clock, average)
    checkpoints.begin(resume=resume)
    lifter = _sample_lifter(pipeline, config)
    if clock.residual_scale is None and config.initial is not None:
        # What the weights have been trained for.
        clock.residual_scale = pipeline.config.residual_scale
    if clock.residual_scale is None:
        every = PairDataset(clips, config.data, shape, 10**9, config.seed, lifter)
        clock.residual_scale = _residual_scale(pipeline, every)
    for one in (pipeline, shown):
        one.register_to_config(residual_scale=clock.residual_scale)
    seed = sample_seed(config.seed, accelerator)
    own = own_clips(len(clips), accelerator)
    pairs: Dataset[Sample]
    if cache is None:
        pairs = PairDataset(clips, config.data, shape, 10**9, seed, lifter, own)
    else:
        pairs = CachedPairs(cache, clips, config.data, shape, seed, lifter, own)
    if clock.step == 0:
        # A resumed run has the random numbers of the one that it goes on with, and its samples.
        torch.manual_seed(seed)
    start = clock.step * stage.batch_size * stage.accumulation
    loader = WatchedLoader(
        sample_loader(pairs, stage.batch_size, config.data.workers, start=start),
        accelerator.device,
    )
    writer = SummaryWriter(str(config.out / "logs")) if accelerator.is_main_process else None
    validation = Validation(heldout, config, writer) if writer is not None else None
    next_look = clock.used_seconds + 60 * config.validation_minutes

    def look() -> None:
        # All processes come by here; one of them looks while the others wait.
        with average.applied():
            if validation is not None:
                validation.run(shown, clock.step)
                save_whole(shown.save_pretrained, config.out / "pipeline")
        accelerator.wait_for_everyone()

    def loss_of(batch: Sample) -> torch.Tensor:
        batch = to_device(batch, accelerator.device)
        return _step_loss(model, pipeline, batch, config, accelerator)

    minutes = config.checkpoint_minutes
    for loss in descend(loader, loss_of, model, optimizer, peaks, checkpoints, minutes):
        busy = loader.busy() if clock.step % LOOKED_AT == 0 else None
        if busy is not None and writer is not None:
            writer.add_scalar("decoder/loss", loss.item(), clock.step)
            # Below 1 the loader is too slow: it needs more workers.
            writer.add_scalar("decoder/busy", busy, clock.step)
            log.info(
                "decoder step %d (%.1f %%): loss %.4f, busy %.2f",
                clock.step, 100 * clock.fraction, loss.item(), busy,
            )
        if clock.used_seconds >= next_look:
            look()
            next_look = clock.used_seconds + 60 * config.validation_minutes
    if writer is not None:
        log.info("decoder: %s", loader.summary())
    checkpoints.save()
    look()
    average.apply()
    if writer is not None:
        writer.close()


def sample_shape(config: TrainingConfig, pipeline: NeuralAssetsPipeline) -> SampleShape:
    """The sizes of what a pipeline learns from."""
    return SampleShape(
        target=pipeline.sample_size,
        encoder=pipeline.visual_encoder.config.sample_size,
        latent=pipeline.unet.config.sample_size,
        objects=config.data.objects,
        # The loss is weighted by what the proxy touches, too.
        proxy=PROXY in pipeline.config.maps or config.decoder.object_weight != 1.0,
    )


def _apart(pipeline: NeuralAssetsPipeline) -> NeuralAssetsPipeline:
    """The same with copies of the parts that are trained, which wait in the processor's memory."""
    trained = {
        name: copy.deepcopy(getattr(pipeline, name)).cpu()
        for name in ("unet", "visual_encoder", "asset_tokenizer")
    }
    return NeuralAssetsPipeline(
        vae=pipeline.vae,
        scheduler=pipeline.scheduler,
        lifter=pipeline.lifter,
        maps=pipeline.config.maps,
        **trained,
    )


def prepare_training(denoiser: Denoiser, config: TrainingConfig) -> None:
    """Freeze what is not to learn, and trade time for memory if that is asked for."""
    stage = config.decoder
    if stage.frozen_encoder:
        denoiser.visual_encoder.requires_grad_(False)
    if stage.gradient_checkpointing:
        denoiser.unet.enable_gradient_checkpointing()
        if isinstance(denoiser.visual_encoder, ViTVisualEncoder) and not stage.frozen_encoder:
            denoiser.visual_encoder.vit.activation_checkpointing_enable()


def _sample_lifter(pipeline: NeuralAssetsPipeline, config: TrainingConfig) -> Lifter:
    """The pipeline's lifter as the loader's processes need it: on the processor, and quick."""
    if pipeline.lifter is None:
        return CARVER
    network = channels_last(copy.deepcopy(pipeline.lifter).cpu())
    return VolumeLifter(network, torch.bfloat16 if config.precision == "bf16" else None)


def _peaks(config: TrainingConfig) -> tuple[float, float]:
    """Peak learning rates of what may start from a checkpoint, and of the tokenizer."""
    stage = config.decoder
    pretrained = config.initial is not None
    rate = stage.pretrained_learning_rate if pretrained else stage.learning_rate
    return rate, stage.learning_rate


def _optimizer(denoiser: Denoiser, peaks: tuple[float, float]) -> torch.optim.Optimizer:
    slow = [*denoiser.visual_encoder.parameters(), *denoiser.unet.parameters()]
    quick = list(denoiser.inputs.parameters())
    return torch.optim.AdamW(
        [{"params": slow, "lr": peaks[0]}, {"params": quick, "lr": peaks[1]}], weight_decay=1e-2
    )


def _step_loss(
    model: nn.Module,
    pipeline: NeuralAssetsPipeline,
    batch: Sample,
    config: TrainingConfig,
    accelerator: Accelerator,
) -> torch.Tensor:
    """Weighted mean square of the prediction's error on one batch."""
    stage = config.decoder
    with accelerator.autocast():
        clean, proxy = _clean_latents(pipeline, batch)
    noisy, timesteps, truth = noised(pipeline.scheduler, clean, stage.noise_bias)
    dropped = torch.rand(len(clean), device=clean.device) < stage.dropout
    with accelerator.autocast():
        prediction = model(noisy, timesteps, batch, proxy, dropped).float()
    weight = 1.0 + (stage.object_weight - 1.0) * batch["changed"].float()
    error = F.mse_loss(prediction, truth, reduction="none").mean(dim=1)
    return (error * weight).sum() / weight.sum()


@torch.no_grad()
def _clean_latents(
    pipeline: NeuralAssetsPipeline, batch: Sample
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is to be generated, and the proxy's latents (zeros where no map shows it)."""
    shown = PROXY in pipeline.config.maps
    wanted = [*([] if "latents" in batch else ["target"]), *(["proxy"] if shown else [])]
    latents: dict[str, torch.Tensor] = {}
    if wanted:
        pixels = torch.cat([to_pixels(batch[name]) for name in wanted])
        encoded = encode_latents(pipeline.vae, pixels.to(memory_format=torch.channels_last))
        latents = dict(zip(wanted, encoded.float().chunk(len(wanted)), strict=True))
    clean = latents["target"] if "target" in latents else batch["latents"].float()
    if not shown:
        return clean, torch.zeros_like(clean)
    proxy = latents["proxy"]
    return (clean - proxy) * pipeline.config.residual_scale, proxy


def _residual_scale(pipeline: NeuralAssetsPipeline, pairs: PairDataset) -> float:
    """The `residual_scale` with which what is generated has unit deviation."""
    if PROXY not in pipeline.config.maps:
        return 1.0
    samples = [pairs[index] for index in range(RESIDUAL_SAMPLES)]
    batch = {key: torch.stack([s[key] for s in samples]) for key in ("target", "proxy")}
    batch = {key: value.to(pipeline.vae.device) for key, value in batch.items()}
    pipeline.register_to_config(residual_scale=1.0)
    return 1.0 / _clean_latents(pipeline, batch)[0].std().item()
