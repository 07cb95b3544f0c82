"""One command from nothing to a checkpoint: render, train the VAE, train the decoder."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal

import torch
from accelerate import Accelerator, FullyShardedDataParallelPlugin, PartialState
from torch.distributed.fsdp import MixedPrecisionPolicy

from neural_assets_core.data.made import make_dataset
from neural_assets_core.data.readers import MADE, find_format, heldout_folder, open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.training.averaging import is_sharded
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.decoder_stage import train_decoder
from neural_assets_core.training.lifting_stage import train_lifter, trained_lifter
from neural_assets_core.training.shapes import build_shapes
from neural_assets_core.training.vae_stage import load_vae, train_vae

log = logging.getLogger(__name__)

TRIED_CLIPS = 50
"""Clips, at most, of which at least one must have two frames."""

Stage = Literal["data", "vae", "lifter", "decoder", "all"]
RenderProgress = Callable[[int, int], None]


def run_training(
    config: TrainingConfig,
    *,
    stage: Stage = "all",
    resume: bool = False,
    progress: RenderProgress | None = None,
) -> Path:
    """Do the stages that are asked for.

    Parameters
    ----------
    config : TrainingConfig
    stage : {"data", "vae", "lifter", "decoder", "all"}
        "decoder" takes the autoencoder from `out`/vae.
    resume : bool
        Go on from the newest checkpoints; a finished stage is not done again.
    progress : callable, optional
        Told (clips done, clips in all) while data are rendered.

    Returns
    -------
    Path
        The folder of the finished pipeline (or of the autoencoder or the data, if the run ends
        there).

    Raises
    ------
    UserError
        If no such model can be built, there are no data that can be used, `out` cannot be written
        or holds something else, or training diverges.
    """
    data = config.data
    if stage != "data":
        # Before anything is rendered or trained, not hours later.
        build_shapes(config)
    on_gpu = torch.cuda.is_available()
    # Several processes (`accelerate launch`, `torchrun`) share the training, not the rendering.
    # The others wait while one renders, however long that takes.
    state = PartialState(cpu=not on_gpu, timeout=timedelta(days=7))
    found = find_format(data.path)
    if found is None and not data.scenes:
        raise UserError(
            f"{data.path} holds no data to train on: name yours with --data, or write them there "
            "first (`neural-assets dataset from-scenes`)."
        )
    rendered = data.scenes > 0 and found in (None, MADE)
    if rendered and stage in ("data", "all") and state.is_main_process:
        jobs = max(1, os.cpu_count() or 1)
        make_dataset(
            data.path, data.scenes, data.frames, data.size, data.seed, "train", jobs, progress
        )
        heldout_path = heldout_folder(data.path)
        make_dataset(
            heldout_path, data.heldout_scenes, 2, data.size, data.seed, "heldout", jobs, progress
        )
    if stage == "data":
        return data.path
    state.wait_for_everyone()
    _begin(config, state, resume=resume)
    clips, heldout = open_clips(data.path), open_clips(data.path, "heldout")
    tried = range(min(len(clips), TRIED_CLIPS))
    if config.data.paired and all(len(clips[index]) < 2 for index in tried):
        raise UserError(
            f"The clips in {data.path} have one frame each, and samples are pairs: give clips of "
            "two frames or more."
        )
    accelerator = _accelerator(config)
    vae_folder = config.out / "vae"
    done = config.initial is not None or (resume and (vae_folder / "config.json").exists())
    if stage == "vae" or (stage == "all" and not done):
        _refuse_shards(accelerator, "vae")
        train_vae(config, clips, heldout, accelerator, resume=resume)
        accelerator.wait_for_everyone()
        accelerator.free_memory()
        if stage == "vae":
            return vae_folder
    lifter_folder = config.out / "lifter"
    lifting = config.initial is None and config.model.lifter is not None
    done = resume and (lifter_folder / "config.json").exists()
    if lifting and (stage == "lifter" or (stage == "all" and not done)):
        accelerator = _accelerator(config)
        _refuse_shards(accelerator, "lifter")
        train_lifter(config, clips, heldout, accelerator, resume=resume)
        accelerator.wait_for_everyone()
        accelerator.free_memory()
        if stage == "lifter":
            return lifter_folder
    # A new accelerator: the saved states of the two stages must not contain each other.
    accelerator = _accelerator(config, config.decoder.accumulation)
    torch.manual_seed(config.seed)
    if config.initial is None:
        vae = load_vae(vae_folder, config)
        lifter = trained_lifter(lifter_folder) if lifting else None
        pipeline = build_pipeline(config.model, vae, lifter)
    else:
        pipeline = load_pipeline(str(config.initial), accelerator.device, torch.float32)
    train_decoder(config, pipeline, clips, heldout, accelerator, resume=resume)
    return config.out / "pipeline"


def _begin(config: TrainingConfig, state: PartialState, *, resume: bool) -> None:
    """Make the run's folder; all machines must see the same one."""
    told, text = config.out / "config.json", config.model_dump_json(indent=2)
    if state.is_main_process:
        _check_own(told, text, resume=resume)
        try:
            config.out.mkdir(parents=True, exist_ok=True)
            write_atomically(told, text.encode(), backup=told.with_name("config.json~"))
        except OSError as error:
            raise UserError(
                f"{config.out} cannot be written ({error.strerror}): choose another --out."
            ) from None
    state.wait_for_everyone()
    if not told.is_file() or told.read_text() != text:
        raise UserError(
            f"{config.out} is not the same folder on all machines: choose an --out that they share."
        )


def _check_own(told: Path, text: str, *, resume: bool) -> None:
    """What an earlier run, or another program, says of itself is not written over unasked."""
    if not told.is_file() or told.read_bytes() == text.encode():
        return
    try:
        earlier = {"data", "decoder"} <= json.loads(told.read_bytes()).keys()
    except (ValueError, AttributeError):
        earlier = False
    if not earlier:
        raise UserError(f"{told} is no training run's: choose another --out.")
    if not resume:
        raise UserError(
            f"{told.parent} holds an earlier run with other settings: give --resume to go on with "
            "it, or another --out."
        )


def _accelerator(config: TrainingConfig, accumulation: int = 1) -> Accelerator:
    """As the launcher (`accelerate launch`, `torchrun`) says.

    Raises
    ------
    UserError
        If it asks for the first version of FSDP.
    """
    plugin = None
    if os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true":
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.precision)
        plugin = FullyShardedDataParallelPlugin(
            # Sums of gradients in single precision, and inputs left as they are: boxes' corners
            # need all of their digits.
            mixed_precision_policy=MixedPrecisionPolicy(
                param_dtype=half, reduce_dtype=torch.float32, cast_forward_inputs=False
            )
        )
        if plugin.fsdp_version != 2:
            raise UserError("Weights are sharded by version 2 of FSDP: add --fsdp_version 2.")
    return Accelerator(
        cpu=not torch.cuda.is_available(),
        mixed_precision=config.precision,
        gradient_accumulation_steps=accumulation,
        fsdp_plugin=plugin,
    )


def _refuse_shards(accelerator: Accelerator, stage: str) -> None:
    if is_sharded(accelerator):
        raise UserError(
            f"Only the decoder's weights can be sharded: launch `--stage {stage}` without "
            "--use_fsdp first, then this again with --resume."
        )
