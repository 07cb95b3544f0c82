"""Second stage: visual encoder, asset tokenizer and U-Net, end to end; the VAE is frozen."""

from __future__ import annotations

import copy
import logging
from typing import Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator, DistributedType
from diffusers.models.attention_processor import AttnProcessor
from diffusers.training_utils import EMAModel
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from neural_assets_core.data.dataset import Clips
from neural_assets_core.errors import UserError
from neural_assets_core.model.assemble import PROXY, Conditions, UNetInputs
from neural_assets_core.model.encoder import ViTVisualEncoder
from neural_assets_core.model.latents import encode_latents, to_pixels
from neural_assets_core.model.lifting import VolumeLifter
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.proxy import CARVER, Lifter
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.loop import (
    Checkpoints,
    Clock,
    WatchedLoader,
    channels_last,
    sample_loader,
    sample_seed,
    save_whole,
    set_rate,
)
from neural_assets_core.training.samples import PairDataset, Sample, SampleShape
from neural_assets_core.training.validation import Validation

log = logging.getLogger(__name__)


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
            A collated `make_sample`.
        dropped : bool tensor (b,)
            Rows without conditioning.
        """
        tokenizer = self.inputs.tokenizer
        pictures = torch.cat([to_pixels(batch["foreground"]), to_pixels(batch["background"])])
        foreground, background = self.visual_encoder(
            pictures.to(memory_format=torch.channels_last)
        ).chunk(2)
        conditions = Conditions(
            object_features=tokenizer.object_features(foreground, batch["regions"]),
            object_present=batch["present"],
            corners=batch["corners"],
            background_features=tokenizer.background_features(
                background, batch["background_region"]
            ),
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

    Raises
    ------
    UserError
        If the launcher was told to shard the weights, which their averages do not allow.
    """
    if accelerator.distributed_type == DistributedType.FSDP:
        raise UserError(
            "Training with sharded weights (FSDP) is not supported: launch without it, with a "
            "smaller batch_size and gradient_checkpointing = true."
        )
    stage, out = config.decoder, config.out / "decoder-training"
    out.mkdir(parents=True, exist_ok=True)
    if accelerator.device.type == "cpu":
        # The fused kernel's backward pass is slow on processors; decoding keeps it.
        pipeline.unet.set_attn_processor(AttnProcessor())
    pipeline.vae.requires_grad_(False).to(accelerator.device)
    if pipeline.lifter is not None:
        pipeline.lifter.requires_grad_(False).eval().to(accelerator.device)
    denoiser = channels_last(Denoiser(pipeline).train())
    prepare_training(denoiser, config)
    clock, ema = Clock(stage, accelerator), EMAModel(denoiser.parameters(), decay=stage.ema_decay)
    peaks = _peaks(config)
    optimizer = _optimizer(denoiser, peaks)
    model, optimizer = accelerator.prepare(denoiser, optimizer)
    ema.to(accelerator.device)
    checkpoints = Checkpoints(accelerator, out, clock, ema)
    checkpoints.begin(resume=resume)
    lifter = _sample_lifter(pipeline, config)
    shape = SampleShape(
        target=pipeline.sample_size,
        encoder=pipeline.visual_encoder.config.sample_size,
        latent=pipeline.unet.config.sample_size,
        objects=config.data.objects,
        # The loss is weighted by what the proxy touches, too.
        proxy=PROXY in pipeline.config.maps or stage.object_weight != 1.0,
    )
    if clock.residual_scale is None and config.initial is not None:
        # What the weights have been trained for.
        clock.residual_scale = pipeline.config.residual_scale
    if clock.residual_scale is None:
        every = PairDataset(clips, config.data, shape, 10**9, config.seed, lifter)
        clock.residual_scale = _residual_scale(pipeline, every)
    pipeline.register_to_config(residual_scale=clock.residual_scale)
    seed = sample_seed(config.seed, accelerator)
    pairs = PairDataset(clips, config.data, shape, 10**9, seed, lifter)
    if clock.step == 0:
        # A resumed run has the random numbers of the one that it goes on with, and its samples.
        torch.manual_seed(seed)
    start = clock.step * stage.batch_size * stage.accumulation
    loader = WatchedLoader(
        sample_loader(pairs, stage.batch_size, config.data.workers, start=start)
    )
    writer = SummaryWriter(str(config.out / "logs"))
    validation = Validation(heldout, config, writer)
    next_save = clock.used_seconds + 60 * config.checkpoint_minutes
    next_look = clock.used_seconds + 60 * config.validation_minutes

    def look() -> None:
        # All processes come by here; one of them looks while the others wait.
        if accelerator.is_main_process:
            with _averaged(ema, model):
                validation.run(pipeline, clock.step)
                save_whole(pipeline.save_pretrained, config.out / "pipeline")
        accelerator.wait_for_everyone()

    clock.start()
    for cpu_batch in loader:
        if clock.fraction >= 1.0:
            break
        batch = {key: value.to(accelerator.device) for key, value in cpu_batch.items()}
        set_rate(optimizer, peaks, clock.rate())
        with accelerator.accumulate(model):
            loss = _step_loss(model, pipeline, batch, config, accelerator)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            # Between two steps these do nothing.
            optimizer.step()
            optimizer.zero_grad()
        if not accelerator.sync_gradients:
            continue
        clock.tick()
        ema.step(model.parameters())
        if clock.step % 50 == 0 and accelerator.is_main_process:
            busy = loader.busy()
            writer.add_scalar("decoder/loss", loss.item(), clock.step)
            # Below 1 the loader is too slow: it needs more workers.
            writer.add_scalar("decoder/busy", busy, clock.step)
            log.info(
                "decoder step %d (%.1f %%): loss %.4f, busy %.2f",
                clock.step, 100 * clock.fraction, loss.item(), busy,
            )
        if clock.used_seconds >= next_save:
            checkpoints.save()
            next_save = clock.used_seconds + 60 * config.checkpoint_minutes
        if clock.used_seconds >= next_look:
            look()
            next_look = clock.used_seconds + 60 * config.validation_minutes
    checkpoints.save()
    look()
    ema.copy_to(model.parameters())
    writer.close()


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
    stage, scheduler = config.decoder, pipeline.scheduler
    with accelerator.autocast():
        clean, proxy = _clean_latents(pipeline, batch)
    noise = torch.randn_like(clean)
    rows = len(clean)
    total = scheduler.config.num_train_timesteps
    # One timestep from each of `rows` equal parts: the loss varies less from step to step.
    parts = (torch.arange(rows, device=clean.device) + torch.rand(rows, device=clean.device)) / rows
    timesteps = (parts ** (1 / stage.noise_bias) * total).long().clamp(max=total - 1)
    noisy = scheduler.add_noise(clean, noise, timesteps)
    dropped = torch.rand(rows, device=clean.device) < stage.dropout
    with accelerator.autocast():
        prediction = model(noisy, timesteps, batch, proxy, dropped).float()
    velocity = scheduler.config.prediction_type == "v_prediction"
    truth = scheduler.get_velocity(clean, noise, timesteps) if velocity else noise
    weight = 1.0 + (stage.object_weight - 1.0) * batch["changed"].float()
    error = F.mse_loss(prediction, truth, reduction="none").mean(dim=1)
    return (error * weight).sum() / weight.sum()


@torch.no_grad()
def _clean_latents(
    pipeline: NeuralAssetsPipeline, batch: Sample
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is to be generated, and the proxy's latents (zeros where no map shows it)."""
    if PROXY not in pipeline.config.maps:
        target = to_pixels(batch["target"]).to(memory_format=torch.channels_last)
        alone = encode_latents(pipeline.vae, target).float()
        return alone, torch.zeros_like(alone)
    both = torch.cat([to_pixels(batch["target"]), to_pixels(batch["proxy"])])
    both = both.to(memory_format=torch.channels_last)
    latents, proxy = encode_latents(pipeline.vae, both).float().chunk(2)
    return (latents - proxy) * pipeline.config.residual_scale, proxy


def _residual_scale(pipeline: NeuralAssetsPipeline, pairs: PairDataset, count: int = 96) -> float:
    """The `residual_scale` with which what is generated has unit deviation."""
    if PROXY not in pipeline.config.maps:
        return 1.0
    samples = [pairs[index] for index in range(count)]
    batch = {key: torch.stack([s[key] for s in samples]) for key in ("target", "proxy")}
    batch = {key: value.to(pipeline.vae.device) for key, value in batch.items()}
    pipeline.register_to_config(residual_scale=1.0)
    return 1.0 / _clean_latents(pipeline, batch)[0].std().item()


class _averaged:  # noqa: N801
    """Within the context the model has its averaged weights."""

    def __init__(self, ema: EMAModel, model: nn.Module) -> None:
        self.ema, self.model = ema, model

    def __enter__(self) -> None:
        self.ema.store(self.model.parameters())
        self.ema.copy_to(self.model.parameters())
        self.model.eval()

    def __exit__(self, *exception: Any) -> None:
        self.ema.restore(self.model.parameters())
        self.model.train()
