"""Checkpoints: folders in diffusers layout, safetensors only."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import Any, get_args
from weakref import WeakValueDictionary

import torch
from safetensors import SafetensorError, safe_open

from neural_assets_core.device_choice import choose, find_machine
from neural_assets_core.device_faults import device_faults
from neural_assets_core.errors import UserError
from neural_assets_core.model.assemble import map_channels
from neural_assets_core.model.checkpoints import find_lifter, resolve_checkpoint
from neural_assets_core.model.encoder import VisualEncoder
from neural_assets_core.model.latents import VAE
from neural_assets_core.model.lifting import ObjectLifter, VolumeLifter
from neural_assets_core.model.openvino_unet import OpenVINORuntime
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.preferences import Preferences, load_preferences

log = logging.getLogger(__name__)

PARTS = ("vae", "unet", "visual_encoder", "asset_tokenizer")
"""The parts that every checkpoint has."""

FAULTS = (
    RuntimeError, OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError,
)
"""What the libraries raise for folders that do not hold what they should."""


DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def placement(preferences: Preferences) -> tuple[str, torch.dtype]:
    """Device and type for these preferences on this machine.

    Raises
    ------
    UserError
        See `choose`.
    """
    choice = choose(preferences, find_machine())
    return choice.device, DTYPES[choice.precision]


def quick_unet(
    pipeline: NeuralAssetsPipeline, name: str, preferences: Preferences
) -> OpenVINORuntime | None:
    """What has the pipeline's U-Net computed by OpenVINO, if that is to be; see there.

    Parameters
    ----------
    pipeline : NeuralAssetsPipeline
        For pictures only: nothing can be trained through it.
    name : str
        The checkpoint that it was loaded from.
    preferences : Preferences

    Raises
    ------
    UserError
        See `choose`.
    """
    if choose(preferences, find_machine()).runtime != "openvino":
        return None
    return OpenVINORuntime(pipeline.unet, resolve_checkpoint(name) / "unet")


def load_pipeline(
    name: str,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    lifter: VolumeLifter | None = None,
) -> NeuralAssetsPipeline:
    """Load a checkpoint.

    Parameters
    ----------
    name : str
        "default" or a folder.
    device : str or torch.device, optional
        Default: as `choose` has it for the stored preferences.
    dtype : torch.dtype, optional
        Default: likewise, for the device.
    lifter : VolumeLifter, optional
        See `shared_lifter`: draws its proxies, and the checkpoint's own is not loaded.

    Raises
    ------
    UserError
        If it is missing, or its weights do not match its configuration.
    DeviceFault
        If there is not enough memory for it.
    """
    folder = resolve_checkpoint(name)
    if device is None or dtype is None:
        preferences = load_preferences()
        if device is not None:
            preferences = preferences.changed(device=torch.device(device).type)
        chosen = placement(preferences)
        device, dtype = device or chosen[0], dtype or chosen[1]
    try:
        # Inside: no memory for the weights does not mean that they are damaged.
        with device_faults():
            pipeline = NeuralAssetsPipeline.from_pretrained(
                str(folder),
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                low_cpu_mem_usage=False,
                **({} if lifter is None else {"lifter": lifter.network}),
            )
        _check_weights(pipeline, folder)
        _check_fit(pipeline)
    except FAULTS as error:
        raise _unusable(folder, error) from None
    if lifter is not None:
        pipeline.proxy_lifter = lifter
    pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    if torch.device(device).type == "cpu":
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
        if pipeline.lifter is not None:
            pipeline.lifter.to(memory_format=torch.channels_last)
    assert isinstance(pipeline, NeuralAssetsPipeline)
    return pipeline


def load_lifter(folder: Path, device: str | torch.device | None = None) -> ObjectLifter:
    """Load a lifting network alone, in single precision.

    Raises
    ------
    UserError
        If its weights do not match its configuration.
    """
    # Its precision is its own.
    device = device or placement(load_preferences().changed(precision="auto"))[0]
    try:
        lifter: ObjectLifter = ObjectLifter.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
        _check_part(lifter, folder)
    except FAULTS as error:
        raise _unusable(folder, error) from None
    lifter.float().eval().to(device)
    if torch.device(device).type == "cpu":
        lifter.to(memory_format=torch.channels_last)
    return lifter


_lifters: WeakValueDictionary[Hashable, VolumeLifter] = WeakValueDictionary()
_lifters_lock = threading.Lock()


def shared_lifter(name: str, device: str) -> VolumeLifter | None:
    """The lifter of a checkpoint, for everybody who draws its proxies; None if it has none.

    What one of them has found out about an object the others need not find out again. From any
    thread.

    Parameters
    ----------
    name : str
        "default" or a folder.
    device : str

    Raises
    ------
    UserError
        If the checkpoint is missing, or its lifter's weights do not match its configuration.
    """
    folder = find_lifter(name)
    if folder is None:
        return None
    # Another one may be trained into the same folder.
    written = max(file.stat().st_mtime_ns for file in folder.iterdir())
    with _lifters_lock:
        lifter = _lifters.get((folder, device, written))
        if lifter is None:
            lifter = VolumeLifter(load_lifter(folder, device))
            _lifters[folder, device, written] = lifter
        return lifter


def load_encoder(name: str) -> VisualEncoder:
    """The visual encoder of a checkpoint alone, in single precision on the processor.

    Parameters
    ----------
    name : str
        "default" or a folder.

    Raises
    ------
    UserError
        If it is missing, or its weights do not match its configuration.
    """
    folder = resolve_checkpoint(name) / "visual_encoder"
    encoder: VisualEncoder = _load_alone(folder, get_args(VisualEncoder))
    return encoder


def load_autoencoder(folder: Path) -> VAE:
    """The autoencoder in a folder, of whichever kind, in single precision on the processor.

    Raises
    ------
    UserError
        If it is missing, or its weights do not match its configuration.
    """
    vae: VAE = _load_alone(folder, get_args(VAE))
    return vae


def _load_alone(folder: Path, kinds: tuple[Any, ...]) -> Any:
    """The part of a checkpoint in `folder`, of the kind that its configuration names."""
    try:
        config = json.loads((folder / "config.json").read_text())
        kind = {part.__name__: part for part in kinds}[config["_class_name"]]
        part = kind.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
        )
        _check_part(part, folder)
    except FAULTS as error:
        raise _unusable(folder, error) from None
    return part.float().eval()


def _unusable(folder: Path, error: Exception) -> UserError:
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    log.warning("loading %s failed: %s", folder, error)
    return UserError(
        f"The checkpoint {folder} cannot be loaded, its weights and configuration do not "
        f"fit or are damaged: fetch it again. ({first_line[:200]})"
    )


def _check_weights(pipeline: NeuralAssetsPipeline, folder: Path) -> None:
    for part in PARTS:
        _check_part(getattr(pipeline, part), folder / part)
    if pipeline.lifter is not None:
        _check_part(pipeline.lifter, folder / "lifter")


def _check_part(part: torch.nn.Module, folder: Path) -> None:
    # Diffusers leaves weights that a file lacks at random numbers, and only logs it.
    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            stored.update(weights.keys())
    different = stored ^ set(part.state_dict())
    if different:
        raise ValueError(f"{folder.name}: {min(different)} is not in both")


def _check_fit(pipeline: NeuralAssetsPipeline) -> None:
    """Each part may be whole and still be made for other parts than these."""
    unet, tokens = pipeline.unet.config, pipeline.asset_tokenizer.config
    latents = pipeline.vae.config.latent_channels
    maps = map_channels(tuple(pipeline.config.maps), tokens.splat_channels, latents)
    for what, has, needs in (
        ("U-Net input channels", unet.in_channels, latents + maps),
        ("U-Net output channels", unet.out_channels, latents),
        ("token width", tokens.cross_attention_dim, unet.cross_attention_dim),
        ("feature channels", tokens.feature_channels, pipeline.visual_encoder.feature_channels),
    ):
        if has != needs:
            raise ValueError(f"{what}: {has} instead of {needs}")
