"""Which folders hold a Stable Diffusion inpainting checkpoint; importing this imports no torch.

::

    model_index.json            the parts and their classes
    unet/                       UNet2DConditionModel of 9 input channels: noisy latents, the mask,
                                the latents of the picture without what is under the mask
    vae/ text_encoder/          weights as .safetensors, of full or half precision (.fp16)
    tokenizer/ scheduler/
    safety_checker/ feature_extractor/      used if they are there
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_assets_core.errors import UserError

PARTS: Mapping[str, frozenset[str]] = {
    "unet": frozenset({"UNet2DConditionModel"}),
    "vae": frozenset({"AutoencoderKL", "AsymmetricAutoencoderKL"}),
    "text_encoder": frozenset({"CLIPTextModel"}),
    "tokenizer": frozenset({"CLIPTokenizer", "CLIPTokenizerFast"}),
}
"""The parts that must be there, and what they may be."""

WEIGHTS = ("unet", "vae", "text_encoder")
LIBRARIES = frozenset({"diffusers", "transformers", "stable_diffusion"})
"""Where parts may come from: a downloaded folder must not import anything else."""

CHANNELS = 9
HALF = "fp16"
ADVICE = "choose the folder of a Stable Diffusion 1.5 or 2 inpainting checkpoint"


@dataclass(frozen=True)
class InpaintingCheckpoint:
    """A folder that was looked at.

    Attributes
    ----------
    folder : Path
    variant : str or None
        "fp16" if there are only weights of half precision.
    checked : bool
        Whether it brings its safety checker.
    """

    folder: Path
    variant: str | None
    checked: bool


def find_inpainting(name: str) -> InpaintingCheckpoint:
    """Look whether a folder holds an inpainting checkpoint, without loading any weights.

    Parameters
    ----------
    name : str
        The folder.

    Raises
    ------
    UserError
        What is missing or wrong, and what to look for instead.
    """
    if name == "default":
        raise UserError(f"Inpainting needs a checkpoint of your own: {ADVICE}.")
    folder = Path(name).expanduser()
    try:
        if folder.is_file():
            raise UserError(
                f"{folder} is a single file: {ADVICE}, the layout with a model_index.json."
            )
        if not (folder / "model_index.json").is_file():
            raise UserError(f"There is no model_index.json in {folder}: {ADVICE}.")
        index = _json(folder / "model_index.json")
        _check_parts(folder, index)
        _check_unet(folder)
        variants = {_variant(folder, part) for part in WEIGHTS}
        checker = index.get("safety_checker")
        checked = bool(checker and checker[0]) and _weights(folder / "safety_checker") != []
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}): {ADVICE}.") from None
    return InpaintingCheckpoint(folder, HALF if HALF in variants else None, checked)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: fetch the checkpoint again.")
    return content


def _check_parts(folder: Path, index: dict[str, Any]) -> None:
    named = {
        part: value
        for part, value in index.items()
        if isinstance(value, list) and len(value) == 2 and value[0] is not None
    }
    if "text_encoder_2" in named:
        raise UserError(
            f"{folder} is of Stable Diffusion XL, which has two text encoders: {ADVICE}."
        )
    missing = [part for part in (*PARTS, "scheduler") if part not in named]
    if missing:
        raise UserError(f"{folder} has no {missing[0].replace('_', ' ')}: {ADVICE}.")
    strange = [part for part, (library, _) in named.items() if library not in LIBRARIES]
    if strange or not isinstance(index.get("_class_name"), str):
        raise UserError(f"{folder} wants to run code of its own, which is refused: {ADVICE}.")
    for part, known in PARTS.items():
        if named[part][1] not in known:
            raise UserError(
                f"The {part.replace('_', ' ')} in {folder} is a {named[part][1]}, which is of "
                f"another kind of model: {ADVICE}."
            )


def _check_unet(folder: Path) -> None:
    channels = _json(folder / "unet" / "config.json").get("in_channels")
    if channels == 4:
        raise UserError(
            f"{folder} makes pictures from text alone (its U-Net has 4 input channels): look for "
            "the inpainting version of the model, whose U-Net has 9."
        )
    if channels != CHANNELS:
        raise UserError(
            f"The U-Net in {folder} has {channels} input channels, and inpainting needs "
            f"{CHANNELS}: {ADVICE}."
        )


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors")) if folder.is_dir() else []


def _variant(folder: Path, part: str) -> str | None:
    files = _weights(folder / part)
    if any(f".{HALF}" not in file.name for file in files):
        return None
    if files:
        return HALF
    pickled = [*(folder / part).glob("*.bin"), *(folder / part).glob("*.ckpt")]
    if pickled:
        raise UserError(
            f"{folder / part} has its weights only as {pickled[0].name}, which could run code "
            "when opened: fetch the .safetensors files of the same model."
        )
    raise UserError(f"There are no weights in {folder / part}: fetch the checkpoint again.")
