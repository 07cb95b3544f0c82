"""Checkpoints: folders in diffusers layout, safetensors only."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import torch
from safetensors import SafetensorError

from neural_assets_core.errors import UserError
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.resources import DEFAULT_CHECKPOINT

log = logging.getLogger(__name__)

COMPONENT_MODULES = {"diffusers", "neural_assets_core.model.encoder",
                     "neural_assets_core.model.tokenizer"}
"""Where a checkpoint's parts may come from: a downloaded folder must not import anything else."""


def resolve_checkpoint(name: str) -> Path:
    """The folder that a checkpoint's name means ("default" is the one that ships).

    Raises
    ------
    UserError
        If there is no such folder or it holds no checkpoint of this method.
    """
    folder = DEFAULT_CHECKPOINT if name == "default" else Path(name).expanduser()
    index = folder / "model_index.json"
    if not index.is_file():
        raise UserError(
            f"There is no checkpoint at {folder}: give a folder that holds a model_index.json, "
            'or "default".'
        )
    try:
        parts = json.loads(index.read_text())
        named = {key: value for key, value in parts.items() if isinstance(value, list)}
        del named["maps"]
        foreign = {str(value[0]) for value in named.values()} - COMPONENT_MODULES
        ours = parts.get("_class_name") == "NeuralAssetsPipeline"
    except (ValueError, AttributeError, OSError, LookupError) as error:
        raise UserError(f"{index} is damaged ({error}): fetch the checkpoint again.") from None
    if not ours or foreign:
        raise UserError(
            f"{folder} is not a Neural Assets checkpoint: give a folder that "
            "`neural-assets train` wrote."
        )
    return folder


def load_pipeline(
    name: str, device: str | torch.device | None = None, dtype: torch.dtype | None = None
) -> NeuralAssetsPipeline:
    """Load a checkpoint.

    Parameters
    ----------
    name : str
        "default" or a folder.
    device : str or torch.device, optional
        Default: a GPU if there is one.
    dtype : torch.dtype, optional
        Default: half precision on a GPU, single precision on processors.

    Raises
    ------
    UserError
        If it is missing, or its weights do not match its configuration.
    """
    folder = resolve_checkpoint(name)
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype is None:
        dtype = torch.float16 if torch.device(device).type == "cuda" else torch.float32
    try:
        pipeline = NeuralAssetsPipeline.from_pretrained(
            str(folder),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
        )
    except (
        RuntimeError, OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError,
    ) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        log.warning("loading %s failed: %s", folder, error)
        raise UserError(
            f"The checkpoint {folder} cannot be loaded, its weights and configuration do not "
            f"fit or are damaged: fetch it again. ({first_line[:200]})"
        ) from None
    pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    if torch.device(device).type == "cpu":
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    assert isinstance(pipeline, NeuralAssetsPipeline)
    return pipeline
