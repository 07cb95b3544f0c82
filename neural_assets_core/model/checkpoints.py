"""Where checkpoints lie, without loading them; importing this imports no torch."""

from __future__ import annotations

import json
from pathlib import Path

from neural_assets_core.errors import UserError
from neural_assets_core.resources import DEFAULT_CHECKPOINT

COMPONENT_MODULES = {
    "diffusers",
    "neural_assets_core.model.encoder",
    "neural_assets_core.model.lifting",
    "neural_assets_core.model.patches",
    "neural_assets_core.model.tokenizer",
}
"""Where a checkpoint's parts may come from: a downloaded folder must not import anything else."""


def find_lifter(name: str) -> Path | None:
    """The folder of a checkpoint's lifting network; None if there is none to be had."""
    try:
        folder = resolve_checkpoint(name) / "lifter"
    except UserError:
        return None
    return folder if (folder / "config.json").is_file() else None


def resolve_checkpoint(name: str) -> Path:
    """The folder that a checkpoint's name means ("default" is the one that ships).

    Raises
    ------
    UserError
        If there is no such folder or it holds no checkpoint of this method.
    """
    try:
        folder = DEFAULT_CHECKPOINT if name == "default" else Path(name).expanduser()
        index = folder / "model_index.json"
        found = index.is_file()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"The checkpoint {name} cannot be read ({reason}): give another folder."
        ) from None
    if not found:
        raise UserError(
            f"There is no checkpoint at {folder}: give a folder that holds a model_index.json, "
            'or "default".'
        )
    try:
        parts = json.loads(index.read_text())
        named = {key: value for key, value in parts.items() if isinstance(value, list)}
        del named["maps"]
        # An optional part that is not there has no module.
        foreign = {str(v[0]) for v in named.values() if v[0] is not None} - COMPONENT_MODULES
        ours = parts.get("_class_name") == "NeuralAssetsPipeline"
    except (ValueError, AttributeError, OSError, LookupError) as error:
        raise UserError(f"{index} is damaged ({error}): fetch the checkpoint again.") from None
    if not ours or foreign:
        raise UserError(
            f"{folder} is not a Neural Assets checkpoint: give a folder that "
            "`neural-assets train` wrote."
        )
    return folder
