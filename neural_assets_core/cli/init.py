"""`neural-assets init`: a checkpoint of the paper's shape from pre-trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.model.pipeline import NeuralAssetsPipeline
    from neural_assets_core.model.pretrained import Origin

CARD = """# Checkpoint to start training from

The paper's shape: {size} x {size} pixels, {object_tokens} tokens an object, {background_tokens} \
for the background, the U-Net predicts {prediction}. The asset tokenizer has not learnt anything \
yet: pictures are noise until `neural-assets train` has run with `initial` naming this folder.

| part | from | revision | numbers kept | new |
|---|---|---|---|---|
{rows}

SHA-256 of every file that was read: `origin.json`. Licences are those of the sources.
"""


def init(
    unet_from: Annotated[
        str,
        typer.Option(
            metavar="DIR_OR_REPO",
            help="Stable Diffusion 1.x or 2.x in diffusers layout: U-Net, autoencoder, scheduler.",
        ),
    ],
    encoder_from: Annotated[
        str,
        typer.Option(
            metavar="DIR_OR_REPO", help="DINO or DINOv2 vision transformer in transformers layout."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new checkpoint.")],
    size: Annotated[int, typer.Option(metavar="S", min=8, help="Pictures' pixels a side.")] = 256,
    encoder_size: Annotated[
        int, typer.Option(metavar="S", min=8, help="Pixels a side that the encoder sees.")
    ] = 224,
    object_bins: Annotated[
        int, typer.Option(metavar="N", min=1, max=16, help="N x N tokens an object.")
    ] = 2,
    background_bins: Annotated[
        int, typer.Option(metavar="N", min=1, max=32, help="N x N tokens for the background.")
    ] = 1,
    download: Annotated[
        bool,
        typer.Option("--download", help="What is no folder is fetched from the Hugging Face hub."),
    ] = False,
    unet_revision: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Of a fetched repository.")
    ] = None,
    encoder_revision: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Of a fetched repository.")
    ] = None,
) -> None:
    """Make a checkpoint to train from Stable Diffusion and DINO weights; safetensors only."""
    if out.exists():
        raise UserError(f"{out} exists already: choose another --out.")
    from neural_assets_core.files import make_room
    from neural_assets_core.model.pretrained import (
        DIFFUSION_PARTS,
        ORIGIN_FILE,
        PaperShape,
        find_source,
        origins_json,
        pipeline_from_pretrained,
    )
    from neural_assets_core.training.loop import save_whole

    # Before the work, not after it.
    make_room(out)
    unet = find_source(unet_from, DIFFUSION_PARTS, download=download, revision=unet_revision)
    encoder = find_source(encoder_from, (".",), download=download, revision=encoder_revision)
    shape = PaperShape(size, encoder_size, object_bins, background_bins)
    pipeline, origins = pipeline_from_pretrained(unet, encoder, shape)

    def save(folder: str) -> None:
        pipeline.save_pretrained(folder, safe_serialization=True)
        (Path(folder) / ORIGIN_FILE).write_text(origins_json(origins))
        (Path(folder) / "README.md").write_text(_card(pipeline, origins))

    save_whole(save, out)
    for name, origin in origins.items():
        typer.echo(f"{name}: {_told(origin)}")
    typer.echo(f"{out}: predicts {pipeline.scheduler.config.prediction_type}, {size} x {size}")


def _told(origin: Origin) -> str:
    if origin.new:
        return f"{origin.new:,} new numbers"
    kept = f", {origin.kept:,} numbers kept" if origin.kept else ""
    revision = f" at {origin.revision}" if origin.revision else ""
    return f"from {origin.source}{revision}{kept}"


def _card(pipeline: NeuralAssetsPipeline, origins: dict[str, Origin]) -> str:
    tokens = pipeline.asset_tokenizer.config
    rows = [
        f"| {name} | {o.source} | {o.revision or ''} | {o.kept:,} | {o.new:,} |"
        for name, o in origins.items()
    ]
    return CARD.format(
        size=pipeline.sample_size,
        object_tokens=tokens.object_bins**2,
        background_tokens=tokens.background_bins**2,
        prediction=pipeline.scheduler.config.prediction_type,
        rows="\n".join(rows),
    )
