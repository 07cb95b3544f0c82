"""Make a finished run small enough to ship: half precision, small files, a card.

`python -m neural_assets_core.training.publish out/two-cores out/evaluation \
resources/checkpoints/default`
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from neural_assets_core.data.families import SEEN
from neural_assets_core.errors import UserError
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.training.config import read_config

LARGEST_FILE = "15MB"
PARTS = ("vae", "unet", "visual_encoder", "asset_tokenizer", "lifter")

CARD = """# Default checkpoint

Made scenes, {size} x {size} pixels; layout map and geometric proxy beside the asset tokens.

| | |
|---|---|
| data | {frames} frames ({clips} clips of {per_clip}) of {data_size} x {data_size} pixels, \
rendered by `neural-assets dataset make --seed {data_seed}` |
| autoencoder | {vae} |
| lifting network | {lifter} |
| encoder, tokenizer, U-Net | {steps} steps of {batch} ({images} pairs), {minutes:.0f} minutes, \
{initial} |
| machine | {machine} |
| weights | {parameters:.1f} million numbers in half precision, safetensors |
| configuration | `{config}`; all settings in `training.json` |

{history}## Figures

`neural-assets evaluate --checkpoint default`, seed 0.

{figures}
## Limits

It knows the {families} families of objects and the kinds of ground and light that the renderer
makes. Fine texture on turned objects is soft, sides that the source does not show are guessed, and
text on labels is not kept. Photographs of the world are outside of what it was trained on.

## Making it again

`neural-assets train --config {config} --resume` (with `two-cores.toml` that is `make train`), then
`neural-assets evaluate --checkpoint {out}/pipeline` and
`python -m neural_assets_core.training.publish {out} out/evaluation resources/checkpoints/default`.

Apache-2.0, weights included.
"""


def publish(
    run: Path,
    evaluation: Path,
    target: Path,
    config: str,
    machine: str,
    history: Path | None = None,
) -> None:
    """Write `run`/pipeline to `target` in half precision, with a card.

    Parameters
    ----------
    run : Path
        A run's `out` folder.
    evaluation : Path
        A folder with the `report.json` of the run's pipeline.
    target : Path
        Replaced, if it is a checkpoint.
    config : str
        The configuration file that remakes it.
    machine : str
        In words.
    history : Path, optional
        Text for the card: how the weights came about, where the configuration alone does not say.

    Raises
    ------
    UserError
        If something is missing, the run is not finished, or `target` is something else.
    """
    if target.exists() and not (target / "model_index.json").is_file():
        raise UserError(f"{target} is no checkpoint, and would be replaced: give another name.")
    recipe = read_config(Path(config))
    report = json.loads(_text(evaluation / "report.json"))
    settings = json.loads(_text(run / "config.json"))
    pipeline = load_pipeline(str(run / "pipeline"), device="cpu", dtype=torch.float16)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    pipeline.save_pretrained(str(partial), max_shard_size=LARGEST_FILE)
    (partial / "training.json").write_text(json.dumps(settings, indent=2) + "\n")
    (partial / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    parts = [getattr(pipeline, part) for part in PARTS]
    count = sum(p.numel() for part in parts if part is not None for p in part.parameters())
    made = {"config": config, "machine": machine, "parameters": count / 1e6}
    # Where that file's run goes; this one may have gone elsewhere.
    made["out"] = recipe.out.as_posix()
    untrained = "cosine patches, nothing to learn"
    if settings["initial"] is not None:
        untrained = "that of the checkpoint it started from"
    made["vae"] = _effort(run, settings, "vae", "pictures") or untrained
    made["lifter"] = _effort(run, settings, "lifter", "pairs of frames") or "none"
    clock = _clock(run, "decoder")
    if clock is None:
        raise UserError(f"{run} holds no finished decoder stage: train it first.")
    told = "" if history is None else _text(history).strip()
    made["history"] = f"## How this one came about\n\n{told}\n\n" if told else ""
    card = _card(settings, _text(evaluation / "report.md"), clock, made)
    (partial / "README.md").write_text(card)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _effort(run: Path, settings: dict[str, Any], stage: str, what: str) -> str:
    """What a stage cost, in words; empty if there was none."""
    clock, batch = _clock(run, stage), settings[stage]["batch_size"]
    if clock is None:
        return ""
    steps, processes = int(clock["step"]), int(clock.get("processes", 1))
    return (
        f"{steps} steps of {batch} x {processes} ({steps * batch * processes} {what}), "
        f"{clock['used_seconds'] / 60:.0f} minutes"
    )


def _clock(run: Path, stage: str) -> dict[str, float] | None:
    """State of a stage's newest checkpoint; None if there is none."""
    states = sorted(
        (run / f"{stage}-training").glob("checkpoint-*/clock.json"),
        key=lambda path: int(path.parent.name.rpartition("-")[2]),
    )
    if not states:
        return None
    clock: dict[str, float] = json.loads(states[-1].read_text())
    return clock


def _card(
    settings: dict[str, Any],
    figures: str,
    decoder: dict[str, float],
    made: dict[str, Any],
) -> str:
    data = settings["data"]
    return CARD.format(
        size=settings["model"]["sample_size"],
        frames=data["scenes"] * data["frames"],
        clips=data["scenes"],
        per_clip=data["frames"],
        data_size=data["size"],
        data_seed=data["seed"],
        steps=int(decoder["step"]),
        batch=settings["decoder"]["batch_size"],
        images=int(decoder["step"] * decoder.get("processes", 1))
        * settings["decoder"]["batch_size"],
        minutes=decoder["used_seconds"] / 60,
        initial="from random weights" if settings["initial"] is None else "from a checkpoint",
        figures=figures,
        families=len(SEEN),
        **made,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the name.") from None


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=publish.__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--config", default="resources/training/two-cores.toml")
    parser.add_argument("--machine", default="two processor cores, bf16")
    parser.add_argument("--history", type=Path)
    arguments = parser.parse_args()
    try:
        publish(**vars(arguments))
    except UserError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
