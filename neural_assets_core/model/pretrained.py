"""A checkpoint of the paper's shape from weights that others trained.

The decoder's U-Net and autoencoder come from a Stable Diffusion 1.x or 2.x folder in diffusers
layout, the visual encoder from a DINO or DINOv2 folder in transformers layout. Only safetensors
are read: a pickle could run anything, and so could code that a repository brings.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

from neural_assets_core.errors import UserError
from neural_assets_core.model.encoder import IMAGENET_MEAN, IMAGENET_STD, ViTVisualEncoder
from neural_assets_core.model.latents import latent_factor
from neural_assets_core.model.loading import FAULTS
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.model.tokenizer import AssetTokenizer

ORIGIN_FILE = "origin.json"
"""In a checkpoint's folder: where its weights come from."""

DIFFUSION_PARTS = ("unet", "vae", "scheduler")
VIT_DETAILS = (
    "hidden_act", "image_size", "layer_norm_eps", "layerscale_value", "mlp_ratio",
    "num_register_tokens", "qkv_bias", "use_swiglu_ffn",
)  # fmt: skip
"""What of a vision transformer's configuration changes its answers, beside its sizes."""

PREDICTIONS = ("epsilon", "v_prediction")
FETCHED = ("*.json", "*.safetensors")
"""Files of a repository that are fetched: never pickles, never code."""


@dataclass(frozen=True)
class Source:
    """A folder with weights: what it was called by who gave it, and its commit if that is known."""

    folder: Path
    name: str
    revision: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where one part's weights come from.

    Attributes
    ----------
    source : str
        As it was given: a folder or a repository.
    revision : str or None
        The commit, where one is known.
    files : dict of str to str
        SHA-256 of each file that was read, by its path in the source.
    kept, new : int
        How many numbers were taken over, and how many start from random ones.
    """

    source: str
    revision: str | None
    files: dict[str, str]
    kept: int
    new: int = 0


@dataclass(frozen=True)
class PaperShape:
    """What the pre-trained parts leave open; defaults as in the paper.

    Attributes
    ----------
    sample_size : int
        Side of the generated pictures in pixels.
    encoder_size : int
        Side in pixels to which the encoder's input is resized.
    object_bins, background_bins : int
        See `AssetTokenizer`.
    """

    sample_size: int = 256
    encoder_size: int = 224
    object_bins: int = 2
    background_bins: int = 1


def pipeline_from_pretrained(
    unet_from: Source, encoder_from: Source, shape: PaperShape
) -> tuple[NeuralAssetsPipeline, dict[str, Origin]]:
    """Join pre-trained parts with a new asset tokenizer.

    Tokens get the width that the U-Net's cross-attention expects, so every one of its weights is
    kept; what is new is the tokenizer.

    Parameters
    ----------
    unet_from : Source
        With `unet`, `vae` and `scheduler`.
    encoder_from : Source
        With the `config.json` and `model.safetensors` of a vision transformer.
    shape : PaperShape

    Returns
    -------
    pipeline : NeuralAssetsPipeline
        In single precision, on the processor.
    origins : dict of str to Origin
        By the name of the part.

    Raises
    ------
    UserError
        If a folder holds something else, or only pickles.
    """
    unet = _diffusion_part(UNet2DConditionModel, unet_from.folder, "unet")
    vae = _diffusion_part(AutoencoderKL, unet_from.folder, "vae")
    scheduler = _scheduler(unet_from.folder)
    _check_diffusion(unet, vae, unet_from.folder)
    factor = latent_factor(vae)
    # The U-Net halves its input on all levels but the last.
    multiple = factor * 2 ** (len(unet.config.block_out_channels) - 1)
    if shape.sample_size < multiple or shape.sample_size % multiple:
        raise UserError(f"This model's pictures need a --size that is a multiple of {multiple}.")
    unet.register_to_config(sample_size=shape.sample_size // factor)
    encoder = _encoder(encoder_from.folder, shape.encoder_size)
    tokenizer = AssetTokenizer(
        feature_channels=encoder.feature_channels,
        cross_attention_dim=unet.config.cross_attention_dim,
        appearance_dim=512,
        pose_dim=512,
        pose_hidden_dim=1024,
        object_bins=shape.object_bins,
        background_bins=shape.background_bins,
        pose_frequencies=0,
        splat_channels=0,
    )
    pipeline = NeuralAssetsPipeline(
        vae=vae,
        unet=unet,
        scheduler=scheduler,
        visual_encoder=encoder,
        asset_tokenizer=tokenizer,
        maps=(),
    )
    origins = {
        "unet": _origin(unet_from, "unet", unet),
        "vae": _origin(unet_from, "vae", vae),
        "scheduler": _origin(unet_from, "scheduler"),
        "visual_encoder": _origin(encoder_from, ".", encoder),
        "asset_tokenizer": Origin("random numbers", None, {}, 0, _numbers(tokenizer)),
    }
    return pipeline, origins


def find_source(
    given: str, parts: tuple[str, ...], *, download: bool, revision: str | None = None
) -> Source:
    """The folder that is meant.

    Parameters
    ----------
    given : str
        A folder, or with `download` a repository of the Hugging Face hub ("owner/name").
    parts : tuple of str
        The sub-folders that are wanted; "." is the folder itself.
    download : bool
        Whether a repository may be fetched.
    revision : str, optional
        Branch, tag or commit of a repository.

    Raises
    ------
    UserError
        If there is no such folder, or it cannot be fetched.
    """
    folder = Path(given).expanduser()
    if folder.is_dir():
        return Source(folder, given, _folder_revision(folder))
    if not download:
        raise UserError(
            f"There is no folder {given}: give one, or --download if it is a repository of the "
            "Hugging Face hub that may be fetched."
        )
    import huggingface_hub

    patterns = [f"{'' if part == '.' else part + '/'}{kind}" for part in parts for kind in FETCHED]
    try:
        fetched = huggingface_hub.snapshot_download(
            given, revision=revision, allow_patterns=patterns
        )
    except (OSError, ValueError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{given} cannot be fetched: check the name and the connection, or give a folder. "
            f"({first[:200]})"
        ) from None
    return Source(Path(fetched), given, _folder_revision(Path(fetched)))


def _folder_revision(folder: Path) -> str | None:
    """The commit, if this is a snapshot in the hub's cache: its name is the commit."""
    name = folder.resolve().name
    return name if len(name) == 40 and set(name) <= set("0123456789abcdef") else None


def origins_json(origins: dict[str, Origin]) -> str:
    """The content of `ORIGIN_FILE`."""
    return json.dumps({name: asdict(origin) for name, origin in origins.items()}, indent=1) + "\n"


def _diffusion_part(kind: Any, folder: Path, name: str) -> Any:
    part = folder / name
    if not (part / "config.json").is_file():
        raise UserError(
            f"{folder} has no {name}/config.json: give a Stable Diffusion folder in diffusers "
            "layout, with unet, vae and scheduler."
        )
    return _loaded(
        lambda: kind.from_pretrained(
            str(part),
            variant=_variant(part, "diffusion_pytorch_model"),
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=False,
            torch_dtype=torch.float32,
        ),
        part,
    )


def _variant(folder: Path, stem: str) -> str | None:
    """"fp16" where half precision is all there is."""
    if any(folder.glob(f"{stem}*.safetensors")) and not (
        (folder / f"{stem}.safetensors").is_file()
        or (folder / f"{stem}.safetensors.index.json").is_file()
    ):
        return "fp16"
    if not any(folder.glob(f"{stem}*.safetensors")):
        raise UserError(
            f"{folder} has no {stem}.safetensors: only safetensors are read, never pickled "
            "weights (.bin, .pt, .ckpt); convert them first."
        )
    return None


def _loaded(load: Any, folder: Path) -> Any:
    try:
        return load()
    except FAULTS as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{folder} cannot be loaded, its weights and configuration do not fit or are "
            f"damaged: fetch it again. ({first[:200]})"
        ) from None


def _scheduler(folder: Path) -> DDIMScheduler:
    file = folder / "scheduler" / "scheduler_config.json"
    config = _json(file)
    # Diffusers' schedulers predict noise unless they say something else.
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise UserError(
            f"{file}: models that predict {prediction!r} cannot be used, only "
            f"{' or '.join(PREDICTIONS)}."
        )
    # Trailing: few steps start from pure noise, as training does.
    scheduler: DDIMScheduler = _loaded(
        lambda: DDIMScheduler.from_config(
            config, prediction_type=prediction, timestep_spacing="trailing", clip_sample=False
        ),
        file,
    )
    return scheduler


def _check_diffusion(unet: Any, vae: Any, folder: Path) -> None:
    latents = vae.config.latent_channels
    if unet.config.in_channels != latents or unet.config.out_channels != latents:
        raise UserError(
            f"The U-Net in {folder} takes {unet.config.in_channels} channels and the autoencoder "
            f"makes {latents}: give a text-to-image model, not one for inpainting or depth."
        )
    width, added = unet.config.cross_attention_dim, unet.config.addition_embed_type
    if not isinstance(width, int) or added is not None or unet.config.class_embed_type is not None:
        raise UserError(
            f"The U-Net in {folder} wants more than one kind of condition: give a Stable "
            "Diffusion 1.x or 2.x model."
        )


def _encoder(folder: Path, size: int) -> ViTVisualEncoder:
    import transformers

    kinds = {
        "vit": transformers.ViTModel,
        "dinov2": transformers.Dinov2Model,
        "dinov2_with_registers": transformers.Dinov2WithRegistersModel,
    }
    config = _json(folder / "config.json")
    kind = config.get("model_type")
    if kind not in kinds:
        raise UserError(
            f"{folder} holds a model of type {kind!r}: give a DINO or DINOv2 vision transformer."
        )
    _variant(folder, "model")
    options = {"add_pooling_layer": False} if kind == "vit" else {}
    # The path of the weights is a folder, so nothing is fetched and no code of theirs is run.
    vit, found = _loaded(
        lambda: kinds[kind].from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, trust_remote_code=False,
            output_loading_info=True, dtype=torch.float32, **options,
        ),
        folder,
    )
    weights = vit.state_dict()
    if found["missing_keys"]:
        name = min(found["missing_keys"])
        raise UserError(f"{folder} has no weights for {name}, it is not whole: fetch it again.")
    patch = int(vit.config.patch_size)
    if size < patch or size % patch:
        raise UserError(f"This encoder needs an --encoder-size that is a multiple of {patch}.")
    mean, std = _normalisation(folder)
    encoder: ViTVisualEncoder = ViTVisualEncoder(
        sample_size=size,
        patch_size=patch,
        hidden_size=vit.config.hidden_size,
        num_hidden_layers=vit.config.num_hidden_layers,
        num_attention_heads=vit.config.num_attention_heads,
        intermediate_size=getattr(vit.config, "intermediate_size", 4 * vit.config.hidden_size),
        model_type=kind,
        details={key: getattr(vit.config, key) for key in VIT_DETAILS if hasattr(vit.config, key)},
        image_mean=mean,
        image_std=std,
    )
    encoder.vit.load_state_dict(weights)
    return encoder


def _normalisation(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    file = folder / "preprocessor_config.json"
    told = _json(file) if file.is_file() else {}
    mean = tuple(float(value) for value in told.get("image_mean", IMAGENET_MEAN))
    std = tuple(float(value) for value in told.get("image_std", IMAGENET_STD))
    return mean, std


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"There is no {file}: check the folder.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}): fetch it again.") from None
    if not isinstance(content, dict):
        raise UserError(f"{file} is damaged: fetch it again.")
    return content


def _origin(source: Source, part: str, weights: torch.nn.Module | None = None) -> Origin:
    kept = 0 if weights is None else _numbers(weights)
    return Origin(source.name, source.revision, _hashes(source.folder, part), kept)


def _hashes(folder: Path, part: str) -> dict[str, str]:
    files = sorted(
        file
        for pattern in FETCHED
        for file in (folder / part).glob(pattern)
    )
    hashes = {}
    for file in files:
        with file.open("rb") as opened:
            hashes[str(file.relative_to(folder))] = hashlib.file_digest(
                opened, "sha256"
            ).hexdigest()
    return hashes


def _numbers(part: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())
