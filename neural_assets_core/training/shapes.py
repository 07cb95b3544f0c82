"""A run's pipeline without its weights: what it needs, and whether it can be built at all."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import UNet2DConditionModel

from neural_assets_core.errors import UserError
from neural_assets_core.model.build import build_pipeline
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.model.encoder import ConvVisualEncoder, ViTVisualEncoder
from neural_assets_core.model.latents import latent_factor
from neural_assets_core.model.patches import PatchAutoencoder
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.model.tokenizer import AssetTokenizer
from neural_assets_core.training.config import TrainingConfig

_AUTOENCODERS = (diffusers.AutoencoderKL, diffusers.AutoencoderTiny, PatchAutoencoder)


def build_shapes(config: TrainingConfig) -> NeuralAssetsPipeline:
    """The pipeline that a run trains, on torch's device "meta", in a fraction of a second.

    Raises
    ------
    UserError
        If the parts do not fit together, or `initial` is no checkpoint of this program.
    """
    # Initialisation would want to look at its random numbers. Weights that are read are not kept,
    # as torch says of each.
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if config.initial is not None:
            return _shapes_of(resolve_checkpoint(str(config.initial)), config)
        try:
            pipeline = build_pipeline(config.model)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200].rstrip(".")
            raise UserError(
                f"No model can be built of [model] ({reason}): correct the configuration."
            ) from None
    size, factor = config.model.sample_size, latent_factor(pipeline.vae)
    if size < 1 or size % factor:
        raise UserError(
            f"model.sample_size must be a multiple of {factor}, the side of a latent cell in "
            f"pixels, unlike {size}."
        )
    return pipeline


def _shapes_of(folder: Path, config: TrainingConfig) -> NeuralAssetsPipeline:
    try:
        index = json.loads((folder / "model_index.json").read_text())
        vit = index["visual_encoder"][1] == ViTVisualEncoder.__name__
        encoder = _part(ViTVisualEncoder if vit else ConvVisualEncoder, folder / "visual_encoder")
        # The autoencoder and the lifter are frozen and small: any of their kind will do.
        pipeline = build_pipeline(config.model.model_copy(update={"lifter": None}))
        kind = next(kind for kind in _AUTOENCODERS if kind.__name__ == index["vae"][1])
        return NeuralAssetsPipeline(
            vae=_part(kind, folder / "vae"),
            unet=_part(UNet2DConditionModel, folder / "unet"),
            scheduler=pipeline.scheduler,
            visual_encoder=encoder,
            asset_tokenizer=_part(AssetTokenizer, folder / "asset_tokenizer"),
            maps=index["maps"],
        )
    except (LookupError, OSError, StopIteration, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(
            f"{folder} is no checkpoint that training can start from ({reason}): give one that "
            "`neural-assets train` or `neural-assets init` has made."
        ) from None


def _part(kind: Any, folder: Path) -> Any:
    return kind.from_config(kind.load_config(str(folder), local_files_only=True))
